//! The files of releases: written durably, protected, and removed. A small file that is replaced is `store::file`'s.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Up to this many files are synced one by one; more are synced with the whole file system at once.
/// Measured on ext4: 0.44 ms for one `fsync`, 4 ms for one `syncfs` after 200 small files.
const FEW: usize = 8;

/// Writes a new file and waits until it is on the disk.
///
/// # Errors
/// When the file exists or cannot be written.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the contents of `files` durable; `within` is a folder on the same file system.
///
/// # Errors
/// When a file cannot be opened or the disk reports a failure.
pub(crate) fn sync_files(files: &[PathBuf], within: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if files.len() > FEW {
        return Ok(rustix::fs::syncfs(File::open(within)?)?);
    }
    let _ = (within, FEW);
    for path in files {
        // Windows flushes only through a handle that may write.
        let file = if cfg!(windows) {
            fs::OpenOptions::new().write(true).open(path)?
        } else {
            File::open(path)?
        };
        file.sync_all()?;
    }
    Ok(())
}

/// Takes the right to write from a file or folder, so that nothing changes a release by accident.
/// Windows refuses to delete read-only files, so it is left out there.
pub(crate) fn protect(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = if fs::symlink_metadata(path)?.is_dir() {
            0o555
        } else {
            0o444
        };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    let _ = path;
    Ok(())
}

/// How often a folder is tried that somebody else empties or fills meanwhile.
const TRIES: u32 = 6;

/// Deletes a folder with all that is in it, protected folders included. Nothing there is fine. Blocks for up to a fraction of
/// a second where somebody else is at work in it.
///
/// # Errors
/// When something in it cannot be deleted.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let mut tried = 0;
    loop {
        let Err(error) = fs::remove_dir_all(path) else {
            return Ok(());
        };
        // "Not found" may be of something in it, which another one has removed at the same time.
        if matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
        {
            return Ok(());
        }
        tried += 1;
        if tried == TRIES {
            return Err(error);
        }
        // What cannot be given back will say so at the next try.
        let _ = unprotect(path);
        if tried > 1 {
            std::thread::sleep(std::time::Duration::from_millis(10) * tried);
        }
    }
}

/// Gives the folders below `path` the right to write back.
fn unprotect(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                unprotect(&entry.path())?;
            }
        }
    }
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_while_others_remove_and_fill_it() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..20 {
            let tree = folder.path().join("tree");
            for name in 0..40 {
                fs::create_dir_all(tree.join(format!("{name}/deep"))).unwrap();
                fs::write(tree.join(format!("{name}/deep/file")), "x").unwrap();
            }
            std::thread::scope(|scope| {
                for part in 0..2 {
                    let tree = &tree;
                    scope.spawn(move || {
                        for name in 0..20 {
                            let _ = remove_tree(&tree.join((name * 2 + part).to_string()));
                        }
                    });
                }
                remove_tree(&tree).unwrap();
            });
            assert!(!tree.exists());
        }
    }

    #[test]
    fn a_protected_tree_can_still_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("release");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/c"), "x").unwrap();
        for part in ["a/b/c", "a/b", "a", ""] {
            protect(&tree.join(part)).unwrap();
        }
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        remove_tree(&tree).unwrap();
    }
}
