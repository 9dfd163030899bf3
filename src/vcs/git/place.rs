//! Putting a file in its place: whole or not at all, and only while what lies there is what was looked at.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::work::Seen;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// It is there.
    Done,
    /// Someone changed the place meanwhile; nothing was done.
    Moved,
}

/// Writes a file at `target`. `seen` is what was there before, `None` for nothing. `executable` sets or clears
/// the bit; `None` leaves it. Other permissions stay as they were.
///
/// # Errors
/// When the file cannot be written; what was there is untouched then.
pub(super) fn file(
    git_dir: &Path,
    target: &Path,
    bytes: &[u8],
    executable: Option<bool>,
    seen: Option<&Seen>,
) -> io::Result<Placed> {
    prepare_folder(target)?;
    through(git_dir, target, seen, |spare| {
        let mut file: File = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(spare)?;
        file.write_all(bytes)?;
        drop(file);
        // Read-only files stay read-only; a replaced link has no permissions of its own.
        if let Ok(meta) = fs::symlink_metadata(target).and_then(|meta| {
            if meta.is_file() {
                Ok(meta)
            } else {
                Err(io::ErrorKind::NotFound.into())
            }
        }) {
            fs::set_permissions(spare, meta.permissions())?;
        }
        executable.map_or(Ok(()), |on| set_bit(spare, on))
    })
}

/// Makes a symlink at `target`.
///
/// # Errors
/// When it cannot be made; what was there is untouched then.
pub(super) fn link(
    git_dir: &Path,
    target: &Path,
    to: &str,
    seen: Option<&Seen>,
) -> io::Result<Placed> {
    prepare_folder(target)?;
    through(git_dir, target, seen, |spare| {
        #[cfg(unix)]
        return std::os::unix::fs::symlink(to, spare);
        // As git does where links are not to be had.
        #[cfg(not(unix))]
        return fs::write(spare, to);
    })
}

/// Removes the file at `path` below `root`, and the folders that it leaves empty.
///
/// # Errors
/// When it cannot be removed.
pub(super) fn remove(root: &Path, path: &str, seen: Option<&Seen>) -> io::Result<Placed> {
    let target = root.join(path);
    if !unchanged(&target, seen) {
        return Ok(Placed::Moved);
    }
    fs::remove_file(&target)?;
    let mut folder = target.parent();
    while let Some(place) = folder.filter(|place| *place != root && place.starts_with(root)) {
        if fs::remove_dir(place).is_err() {
            break;
        }
        folder = place.parent();
    }
    Ok(Placed::Done)
}

/// Sets or clears the executable bit of the file at `target`.
///
/// # Errors
/// When the file is not ours.
pub(super) fn set_executable(target: &Path, on: bool, seen: Option<&Seen>) -> io::Result<Placed> {
    if !unchanged(target, seen) {
        return Ok(Placed::Moved);
    }
    set_bit(target, on).map(|()| Placed::Done)
}

fn prepare_folder(target: &Path) -> io::Result<()> {
    target.parent().map_or(Ok(()), fs::create_dir_all)
}

fn unchanged(target: &Path, seen: Option<&Seen>) -> bool {
    let now = fs::symlink_metadata(target)
        .ok()
        .map(|meta| Seen::of(&meta));
    now.as_ref() == seen
}

/// Makes the new thing under a spare name and moves it over.
fn through(
    git_dir: &Path,
    target: &Path,
    seen: Option<&Seen>,
    make: impl Fn(&Path) -> io::Result<()>,
) -> io::Result<Placed> {
    // In git's own folder first: were we killed now, nothing strange would lie among the person's files.
    let beside = target.parent().unwrap_or(git_dir);
    match attempt(&Spare::new(git_dir), target, seen, &make) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            attempt(&Spare::new(beside), target, seen, &make)
        }
        done => done,
    }
}

fn attempt(
    spare: &Spare,
    target: &Path,
    seen: Option<&Seen>,
    make: &impl Fn(&Path) -> io::Result<()>,
) -> io::Result<Placed> {
    make(&spare.0)?;
    if !unchanged(target, seen) {
        return Ok(Placed::Moved);
    }
    if seen.is_none() {
        // A name that is free now may be taken in a moment: a hard link, unlike a rename, replaces nothing.
        match fs::hard_link(&spare.0, target) {
            Ok(()) => return Ok(Placed::Done),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(Placed::Moved);
            }
            // Not every file system has hard links.
            Err(_) => {}
        }
    }
    fs::rename(&spare.0, target)?;
    Ok(Placed::Done)
}

/// A spare name, removed again when it is not moved away.
struct Spare(PathBuf);

impl Spare {
    fn new(folder: &Path) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(folder.join(format!(".sayso-{}-{count}.tmp", std::process::id())))
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(unix)]
fn set_bit(file: &Path, on: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(file)?.permissions().mode();
    // Whoever may read may run, as git does it.
    let mode = if on {
        mode | (mode & 0o444) >> 2
    } else {
        mode & !0o111
    };
    fs::set_permissions(file, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_bit(_: &Path, _: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &Path) -> Option<Seen> {
        fs::symlink_metadata(path).ok().map(|meta| Seen::of(&meta))
    }

    #[test]
    fn a_file_is_replaced_only_as_it_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (git, target) = (folder.path(), folder.path().join("a/b/page.html"));
        assert_eq!(
            file(git, &target, b"one", None, None).unwrap(),
            Placed::Done
        );
        // It exists now, so "nothing was there" no longer holds.
        assert_eq!(
            file(git, &target, b"two", None, None).unwrap(),
            Placed::Moved
        );
        let before = seen(&target);
        assert_eq!(
            file(git, &target, b"two", None, before.as_ref()).unwrap(),
            Placed::Done
        );
        assert_eq!(fs::read(&target).unwrap(), b"two");
        assert_eq!(
            file(git, &target, b"three", None, before.as_ref()).unwrap(),
            Placed::Moved
        );
        assert_eq!(fs::read(&target).unwrap(), b"two");
        // Nothing is left lying about.
        assert_eq!(fs::read_dir(git).unwrap().count(), 1);
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn removing_takes_empty_folders_along() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["a/b/c.html", "a/d.html"] {
            file(root, &root.join(path), b"x", None, None).unwrap();
        }
        let there = seen(&root.join("a/b/c.html"));
        assert_eq!(
            remove(root, "a/b/c.html", there.as_ref()).unwrap(),
            Placed::Done
        );
        assert!(!root.join("a/b").exists() && root.join("a/d.html").exists());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_but_for_the_bit_asked_for() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("run.sh");
        fs::write(&target, "x").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
        let mode = || fs::metadata(&target).unwrap().permissions().mode() & 0o777;
        file(
            folder.path(),
            &target,
            b"y",
            Some(true),
            seen(&target).as_ref(),
        )
        .unwrap();
        assert_eq!(mode(), 0o750);
        set_executable(&target, false, seen(&target).as_ref()).unwrap();
        assert_eq!(mode(), 0o640);
    }
}
