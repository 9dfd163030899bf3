//! What another machine may send: files of a site, and nothing that could be taken for anything else. Pure.

use std::collections::{HashMap, HashSet};

use super::walk;
use crate::model::Problem;
use crate::model::host::HostFile;

/// The largest content.
pub(super) const LARGEST: u64 = 4 * 1024 * 1024 * 1024;

/// All contents of a release together.
const ALL: u64 = 64 * 1024 * 1024 * 1024;

/// Files of a release.
const FILES: usize = 500_000;

/// Whether these files can be those of a release.
///
/// # Errors
/// `bad-request` with the first that cannot.
pub(super) fn check(files: &[HostFile]) -> Result<(), Problem> {
    let refuse = |why: String| Err(Problem::bad_request(why).hint("send the files of a site"));
    if files.is_empty() || files.len() > FILES {
        return refuse(format!(
            "a release has 1 to {FILES} files, not {}",
            files.len()
        ));
    }
    let mut paths = HashSet::new();
    let mut sizes: HashMap<&str, u64> = HashMap::new();
    for file in files {
        check_digest(&file.sha256)?;
        if !walk::may_be_published(&file.path) {
            return refuse(format!("{:?} cannot be a file of a release", file.path));
        }
        if !paths.insert(file.path.as_str()) {
            return refuse(format!("{:?} is there twice", file.path));
        }
        if *sizes.entry(&file.sha256).or_insert(file.size) != file.size || file.size > LARGEST {
            return refuse(format!("{:?} cannot have {} bytes", file.path, file.size));
        }
    }
    for path in &paths {
        let mut above = *path;
        while let Some((folder, _)) = above.rsplit_once('/') {
            if paths.contains(folder) {
                return refuse(format!("{folder:?} is a file and a folder"));
            }
            above = folder;
        }
    }
    if sizes
        .values()
        .try_fold(0_u64, |sum, size| sum.checked_add(*size))
        .is_none_or(|sum| sum > ALL)
    {
        return refuse(format!("a release has {ALL} bytes at most"));
    }
    Ok(())
}

/// Whether this is a digest as it is written here.
///
/// # Errors
/// `bad-request` when it is none.
pub(super) fn check_digest(digest: &str) -> Result<(), Problem> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if digest.len() == 64 && digest.bytes().all(hex) {
        return Ok(());
    }
    Err(Problem::bad_request(format!("{digest:?} is no SHA-256"))
        .hint("write it as 64 lower-case hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::manifest::sha256;

    fn file(path: &str) -> HostFile {
        HostFile {
            path: path.to_owned(),
            sha256: sha256(path.as_bytes()),
            size: path.len() as u64,
        }
    }

    #[test]
    fn only_files_of_a_site_are_taken() {
        assert!(check(&[file("index.html"), file("a/b.css"), file(".well-known/x")]).is_ok());
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../x",
            "a//b",
            "./x",
            "a/.",
            ".env",
            "a/.git/config",
            "a\\b",
            "a\0b",
            "C:/x",
            "a/",
        ] {
            assert!(check(&[file(bad)]).is_err(), "{bad:?}");
        }
        assert!(check(&[]).is_err());
        assert!(check(&[file("a"), file("a")]).is_err());
        assert!(check(&[file("a"), file("a/b")]).is_err());
        let short = HostFile {
            sha256: "abc".into(),
            ..file("a")
        };
        assert!(check(&[short]).is_err());
        let up = HostFile {
            sha256: "../../../../../../../../../../../../../../../../../../../etc/pwd".into(),
            ..file("a")
        };
        assert!(check(&[up]).is_err());
        let two_sizes = HostFile {
            size: 7,
            path: "b".into(),
            ..file("a")
        };
        assert!(check(&[file("a"), two_sizes]).is_err());
        let huge = HostFile {
            size: u64::MAX,
            ..file("a")
        };
        assert!(check(&[huge]).is_err());
    }
}
