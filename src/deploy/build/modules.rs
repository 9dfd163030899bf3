//! Keeps installed dependencies for the next build, so that a build needs neither the network nor the time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::deploy::disk;

/// Sets of dependencies that are kept.
const KEEP: usize = 3;

/// Moves the dependencies kept under `key` into `folder`. False when there are none: they must be installed.
/// Whoever has them, has them alone.
pub(in crate::deploy) fn borrow(cache: &Path, key: &str, folder: &Path) -> bool {
    let into = folder.join("node_modules");
    !into.exists() && fs::rename(cache.join(key).join("node_modules"), into).is_ok()
}

/// Moves the dependencies in `folder` to the cache under `key`, and drops the sets that were used least lately.
pub(in crate::deploy) fn give_back(cache: &Path, key: &str, folder: &Path) -> io::Result<()> {
    let from = folder.join("node_modules");
    if !from.is_dir() {
        return Ok(());
    }
    let into = cache.join(key);
    fs::create_dir_all(&into)?;
    // Refused when another build was faster: its set is as good.
    if fs::rename(&from, into.join("node_modules")).is_ok() {
        fs::write(into.join("used"), "")?;
    }
    let mut sets: Vec<(SystemTime, PathBuf)> = fs::read_dir(cache)?
        .flatten()
        .map(|entry| {
            let used = fs::metadata(entry.path().join("used")).and_then(|used| used.modified());
            (used.unwrap_or(SystemTime::UNIX_EPOCH), entry.path())
        })
        .collect();
    sets.sort();
    for (_, old) in sets.iter().rev().skip(KEEP) {
        disk::remove_tree(old)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_lent_to_one_build_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        fs::create_dir_all(first.join("node_modules/x")).unwrap();
        fs::create_dir_all(&second).unwrap();
        assert!(!borrow(&cache, "k", &second));
        give_back(&cache, "k", &first).unwrap();
        assert!(!first.join("node_modules").exists());
        assert!(borrow(&cache, "k", &second));
        assert!(second.join("node_modules/x").is_dir());
        assert!(!borrow(&cache, "k", &first));
        assert!(!borrow(&cache, "other", &first));
    }

    #[test]
    fn only_the_newest_sets_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        for (key, age) in [("a", 400), ("b", 300), ("c", 200), ("d", 100)] {
            let used = cache.join(key).join("used");
            fs::create_dir_all(cache.join(key).join("node_modules")).unwrap();
            fs::write(&used, "").unwrap();
            let then = SystemTime::now() - std::time::Duration::from_secs(age);
            fs::File::options()
                .write(true)
                .open(&used)
                .unwrap()
                .set_modified(then)
                .unwrap();
        }
        let build = folder.path().join("build");
        fs::create_dir_all(build.join("node_modules")).unwrap();
        give_back(&cache, "e", &build).unwrap();
        let mut left: Vec<_> = fs::read_dir(&cache)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["c", "d", "e"]);
    }
}
