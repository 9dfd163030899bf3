//! The files that an agent reads and writes through Sayso: inside its copy, never through a link, never git's own.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::generate::edits::path::{checked, secret};

/// Larger files are neither read nor written, in bytes.
const LARGEST: u64 = 1 << 20;

/// Where `path` is inside of `folder`.
///
/// # Errors
/// Why it is not.
fn inside(folder: &Path, path: &Path) -> Result<PathBuf, String> {
    let refused = |why: &str| Err(format!("{}: {why}", path.display()));
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let relative = match (path.is_absolute(), path.strip_prefix(folder)) {
        (false, _) => path,
        (true, Ok(relative)) => relative,
        (true, Err(_)) => match path.strip_prefix(&real) {
            Ok(relative) => relative,
            Err(_) => return refused("it is outside the copy of the site"),
        },
    };
    let Some(plain) = relative.to_str().and_then(|text| checked(text).ok()) else {
        return refused("it is outside the copy of the site");
    };
    if secret(&plain) {
        return refused("it holds secrets");
    }
    let mut at = real;
    for part in plain.split('/') {
        at.push(part);
        if at
            .symlink_metadata()
            .is_ok_and(|data| data.file_type().is_symlink())
        {
            return refused("a symbolic link is on the way");
        }
    }
    Ok(at)
}

fn open(options: &mut std::fs::OpenOptions, path: &Path) -> io::Result<std::fs::File> {
    // The last part may have become a link since it was looked at.
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW.bits();
        options.custom_flags(i32::try_from(flags).unwrap_or_default());
    }
    options.open(path)
}

/// The text of a file, or some lines of it: from `line` (1 is the first), at most `limit`.
pub fn read(
    folder: &Path,
    path: &Path,
    line: Option<u32>,
    limit: Option<u32>,
) -> Result<String, String> {
    let at = inside(folder, path)?;
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    let file = open(std::fs::OpenOptions::new().read(true), &at).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("{}: it is larger than 1 MiB", path.display()));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{}: not text", path.display()))?;
    if line.is_none() && limit.is_none() {
        return Ok(text);
    }
    let skip = line.unwrap_or(1).saturating_sub(1) as usize;
    let take = limit.map_or(usize::MAX, |limit| limit as usize);
    Ok(text.split_inclusive('\n').skip(skip).take(take).collect())
}

/// Writes a file, and the folders it needs.
pub fn write(folder: &Path, path: &Path, text: &str) -> Result<(), String> {
    let at = inside(folder, path)?;
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    if text.len() as u64 > LARGEST {
        return Err(format!("{}: it is larger than 1 MiB", path.display()));
    }
    if let Some(parent) = at.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = open(options.write(true).create(true).truncate(true), &at).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_copy_is_read_or_written() {
        let outer = tempfile::tempdir().unwrap();
        let copy = outer.path().join("copy");
        std::fs::create_dir_all(copy.join(".git")).unwrap();
        std::fs::write(outer.path().join("secret.txt"), "s").unwrap();
        std::fs::write(copy.join("index.html"), "1\n2\n3\n").unwrap();
        std::fs::write(copy.join(".env"), "TOKEN=x").unwrap();
        std::os::unix::fs::symlink(outer.path(), copy.join("out")).unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret.txt"), copy.join("link")).unwrap();
        for bad in [
            "../secret.txt",
            "/etc/passwd",
            ".git/config",
            "out/secret.txt",
            "out/new.txt",
            "link",
            "a/../../secret.txt",
            ".env",
        ] {
            assert!(read(&copy, Path::new(bad), None, None).is_err(), "{bad}");
            assert!(write(&copy, Path::new(bad), "x").is_err(), "{bad}");
            let whole = copy.join(bad);
            assert!(write(&copy, &whole, "x").is_err(), "{bad}");
        }
        let secret = std::fs::read_to_string(outer.path().join("secret.txt"));
        assert_eq!(secret.unwrap(), "s");
        assert!(!outer.path().join("new.txt").exists());
    }

    #[test]
    fn files_of_the_copy_are_read_in_part_and_written_with_their_folders() {
        let copy = tempfile::tempdir().unwrap();
        let copy = copy.path();
        write(copy, &copy.join("a/b.txt"), "1\n2\n3\n").unwrap();
        let path = Path::new("a/b.txt");
        assert_eq!(read(copy, path, None, None).unwrap(), "1\n2\n3\n");
        assert_eq!(read(copy, path, Some(2), Some(1)).unwrap(), "2\n");
        assert_eq!(read(copy, path, Some(9), None).unwrap(), "");
        write(copy, path, "x").unwrap();
        assert_eq!(read(copy, path, None, Some(1)).unwrap(), "x");
    }
}
