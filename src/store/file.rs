//! A small file of its own beside the database, replaced as a whole and durably.
//!
//! The bytes are written to a new file beside the old one and synced, the new one is renamed onto the old one, and the
//! folder is synced, so that the new name outlives a power cut too. A crash at any moment leaves the old file or the new
//! one, never a mixture, and at worst one more file beside it, whose name begins with `.new-` and which nobody reads.
//! What is written so can be read by the user alone (0600), whatever could read the old one.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Replaces `path` by `bytes`; returns once the file and its name are on the disk. The folder must be there. Blocks.
///
/// # Errors
/// When the folder cannot be written: the old file is then untouched. When only the folder cannot be synced, the new
/// file is there and may not outlive a power cut.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    swap(path, bytes)?;
    sync_folder_of(path)
}

/// As [`replace`], but does not wait until the new name is durable: after a power cut the file may be the old one, and
/// after the end of this process alone it is the new one. [`sync_folder_of`] makes it durable.
///
/// # Errors
/// When the folder cannot be written; the old file is then untouched.
pub(crate) fn swap(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // tempfile makes it 0600, and removes it where one of these steps fails.
    let mut new = tempfile::Builder::new()
        .prefix(".new-")
        .tempfile_in(folder_of(path))?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

/// Makes the name of `path`, or that it has none any more, durable.
///
/// # Errors
/// As [`sync_folder`].
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    sync_folder(folder_of(path))
}

/// Makes the names in `folder` durable. Only Unix can sync a folder; elsewhere the file system does it by itself.
///
/// # Errors
/// When the folder cannot be opened or the disk reports a failure.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_file_is_replaced_and_no_other_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pointer.json");
        replace(&path, b"a long first version").unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn where_it_cannot_be_replaced_the_old_one_stays_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir_all(path.join("by a folder")).unwrap();
        assert!(replace(&path, b"new").is_err());
        assert!(path.join("by a folder").exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("not there/file"), b"new").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_user_alone_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"new").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_bare_name_is_in_the_folder_one_is_in() {
        assert_eq!(folder_of(Path::new("file")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/file")), Path::new("a"));
    }
}
