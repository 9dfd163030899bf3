//! A proposal's files over those of the commit it is based on, in a folder of their own.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::model::{Content, ProposedFile, Source};

/// A symbolic link's mode in git.
const LINK: u32 = 0o120_000;

/// Writes the commit's files into `into`, and `files` over them. Returns what was left out: one sentence each.
///
/// # Errors
/// When a file cannot be read or written, or a path leads out of the folder.
pub(super) fn lay_out(
    source: &dyn Source,
    files: &[ProposedFile],
    into: &Path,
) -> io::Result<Vec<String>> {
    fs::create_dir_all(into)?;
    source.export(into)?;
    put(files, into)
}

fn put(files: &[ProposedFile], into: &Path) -> io::Result<Vec<String>> {
    let mut left_out = Vec::new();
    for file in files {
        let to = inside(into, &file.path)?;
        match &file.after {
            Content::Binary { .. } => {
                left_out.push(format!("{} is not text: shown as it was", file.path));
            }
            _ if file.mode_after == LINK => {
                left_out.push(format!("{} is a link: shown as it was", file.path));
            }
            Content::Absent => match fs::remove_file(&to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
            Content::Text { text } => {
                // What stands there may be a link: it is replaced, never written through.
                match fs::remove_file(&to) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
                let mut new = fs::File::create_new(&to)?;
                new.write_all(text.as_bytes())?;
                #[cfg(unix)]
                if file.mode_after == 0o100_755 {
                    use std::os::unix::fs::PermissionsExt;
                    new.set_permissions(fs::Permissions::from_mode(0o755))?;
                }
            }
        }
    }
    Ok(left_out)
}

/// The place of `path` below `root`, with its folders made; none of them is a link.
fn inside(root: &Path, path: &str) -> io::Result<std::path::PathBuf> {
    let refused = |why: &str| {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{path:?} {why}"),
        ))
    };
    let parts: Vec<&str> = path.split('/').collect();
    let bad = |part: &&str| {
        part.is_empty()
            || *part == "."
            || *part == ".."
            || part.contains(['\\', '\0'])
            || part.eq_ignore_ascii_case(".git")
    };
    if parts.iter().any(bad) {
        return refused("leads out of the site");
    }
    let mut at = root.to_owned();
    for folder in &parts[..parts.len() - 1] {
        at.push(folder);
        match fs::symlink_metadata(&at) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return refused("lies below a link or a file"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(&at)?,
            Err(error) => return Err(error),
        }
    }
    at.push(parts[parts.len() - 1]);
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, after: Content) -> ProposedFile {
        ProposedFile {
            path: path.into(),
            before: Content::Absent,
            after,
            mode_before: 0,
            mode_after: 0o100_644,
            hunks: Vec::new(),
        }
    }

    #[test]
    fn files_are_put_over_and_taken_away() {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        fs::write(at.join("old.html"), "old").unwrap();
        fs::write(at.join("gone.html"), "gone").unwrap();
        let files = [
            file("old.html", Content::text("new")),
            file("a/b/new.html", Content::text("made")),
            file("gone.html", Content::Absent),
            file("never.html", Content::Absent),
        ];
        assert!(put(&files, at).unwrap().is_empty());
        assert_eq!(fs::read_to_string(at.join("old.html")).unwrap(), "new");
        assert_eq!(fs::read_to_string(at.join("a/b/new.html")).unwrap(), "made");
        assert!(!at.join("gone.html").exists());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link_or_outside() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("x"), "theirs").unwrap();
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        std::os::unix::fs::symlink(outside.path(), at.join("way")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("x"), at.join("x")).unwrap();
        for path in ["way/x", "../x", ".git/config", "a//b", "/x"] {
            let files = [file(path, Content::text("ours"))];
            assert!(put(&files, at).is_err(), "{path}");
        }
        put(&[file("x", Content::text("ours"))], at).unwrap();
        assert_eq!(
            fs::read_to_string(outside.path().join("x")).unwrap(),
            "theirs"
        );
        assert_eq!(fs::read_to_string(at.join("x")).unwrap(), "ours");
    }
}
