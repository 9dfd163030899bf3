//! The folder of recordings: the newest N are kept, or those of some days.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::wav;

/// Names begin with this, so that nothing else in the folder is ever removed.
const PREFIX: &str = "clip-";

/// How many recordings are kept, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// So many; the newest is always kept.
    pub count: usize,
    /// So many days; 0 for ever.
    pub days: u32,
}

impl Keep {
    /// Removes from `newest_first` what is to be kept no longer, and returns how many were removed. What cannot be
    /// removed is left, and tried again the next time.
    pub fn prune(self, newest_first: Vec<PathBuf>) -> usize {
        let age = Duration::from_secs(u64::from(self.days) * 24 * 60 * 60);
        let old = |path: &Path| {
            let written = fs::metadata(path).and_then(|meta| meta.modified());
            let passed = written.ok().and_then(|at| at.elapsed().ok());
            self.days > 0 && passed.is_some_and(|passed| passed > age)
        };
        let mut removed = 0;
        for (at, path) in newest_first.into_iter().enumerate() {
            if at < self.count.max(1) && !old(&path) {
                continue;
            }
            match fs::remove_file(&path) {
                Ok(()) => removed += 1,
                Err(error) => {
                    tracing::warn!(%error, path = %path.display(), "cannot remove an old recording");
                }
            }
        }
        removed
    }
}

/// Writes `samples` (16 kHz mono) as the newest recording of `folder` and removes what is not kept any longer.
///
/// # Errors
/// When the folder or the file cannot be written. What cannot be removed is left.
pub fn put(folder: &Path, keep: Keep, samples: &[f32], now: Timestamp) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let stamp = now
        .to_zoned(TimeZone::UTC)
        .strftime("%Y%m%d-%H%M%S%.3f")
        .to_string();
    let mut path = folder.join(format!("{PREFIX}{stamp}.wav"));
    let mut again = 1;
    while path.exists() {
        path = folder.join(format!("{PREFIX}{stamp}-{again}.wav"));
        again += 1;
    }
    // Whoever lists the folder meanwhile never sees half a file.
    let unfinished = path.with_extension("part");
    wav::write(&unfinished, samples)?;
    fs::rename(&unfinished, &path)?;
    keep.prune(list(folder)?);
    Ok(path)
}

/// The recordings of `folder` that [`put`] made, newest first; none when there is no such folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    named(folder, PREFIX)
}

/// The recordings of `folder` whose names begin with `prefix`, by their names, the last one first; none when there is
/// no such folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn named(folder: &Path, prefix: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut clips = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let named = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(prefix));
        if named && path.extension().is_some_and(|extension| extension == "wav") {
            clips.push(path);
        }
    }
    clips.sort_unstable();
    clips.reverse();
    Ok(clips)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(count: usize, days: u32) -> Keep {
        Keep { count, days }
    }

    #[test]
    fn recordings_go_after_their_days() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let old = put(folder.path(), keep(9, 2), &[0.5; 160], now).unwrap();
        let three_days_ago = std::time::SystemTime::now() - Duration::from_secs(3 * 86_400);
        let file = fs::File::options().write(true).open(&old).unwrap();
        file.set_modified(three_days_ago).unwrap();
        let later = Timestamp::from_second(1_800_000_001).unwrap();
        let new = put(folder.path(), keep(9, 2), &[0.5; 160], later).unwrap();
        assert_eq!(list(folder.path()).unwrap(), [new]);
    }

    #[test]
    fn the_newest_are_kept_and_strangers_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine.wav"), "x").unwrap();
        let mut paths = Vec::new();
        for second in 0..5 {
            let now = Timestamp::from_second(1_800_000_000 + second).unwrap();
            paths.push(put(folder.path(), keep(3, 0), &[0.5; 160], now).unwrap());
        }
        paths.reverse();
        assert_eq!(list(folder.path()).unwrap(), paths[..3]);
        assert!(folder.path().join("mine.wav").exists());
        assert_eq!(wav::read(&paths[0]).unwrap().len(), 160);
    }

    #[test]
    fn two_at_the_same_moment_are_two() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let first = put(folder.path(), keep(9, 0), &[0.0; 10], now).unwrap();
        let second = put(folder.path(), keep(9, 0), &[0.0; 10], now).unwrap();
        assert_ne!(first, second);
        assert!(list(&folder.path().join("none")).unwrap().is_empty());
    }
}
