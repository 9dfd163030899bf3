//! The folder of recordings: the newest N are kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, tz::TimeZone};

use super::wav;

/// Names begin with this, so that nothing else in the folder is ever removed.
const PREFIX: &str = "clip-";

/// Writes `samples` (16 kHz mono) as the newest recording of `folder` and removes all but the newest `keep`.
///
/// # Errors
/// When the folder or the file cannot be written. What cannot be removed is left.
pub fn put(folder: &Path, keep: usize, samples: &[f32], now: Timestamp) -> io::Result<PathBuf> {
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
    for old in list(folder)?.into_iter().skip(keep.max(1)) {
        if let Err(error) = fs::remove_file(&old) {
            tracing::warn!(%error, path = %old.display(), "cannot remove an old recording");
        }
    }
    Ok(path)
}

/// The recordings of `folder`, newest first; none when there is no such folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut clips = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let named = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
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

    #[test]
    fn the_newest_are_kept_and_strangers_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine.wav"), "x").unwrap();
        let mut paths = Vec::new();
        for second in 0..5 {
            let now = Timestamp::from_second(1_800_000_000 + second).unwrap();
            paths.push(put(folder.path(), 3, &[0.5; 160], now).unwrap());
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
        let first = put(folder.path(), 9, &[0.0; 10], now).unwrap();
        let second = put(folder.path(), 9, &[0.0; 10], now).unwrap();
        assert_ne!(first, second);
        assert!(list(&folder.path().join("none")).unwrap().is_empty());
    }
}
