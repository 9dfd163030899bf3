//! Keeps what libraries print away from the screen.
//!
//! ALSA and others write straight to file descriptor 2, in the middle of whatever is drawn. While [`Quiet`] lives,
//! that descriptor leads to a file. Take it before the terminal is taken over, give it back (drop it) before a
//! panic's text or another program needs the terminal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Standard error as it was, to be put back.
#[derive(Debug)]
pub struct Quiet {
    before: OwnedFd,
}

impl Quiet {
    /// Leads standard error to the end of the file at `log` (or to nowhere without one).
    ///
    /// # Errors
    /// When the file cannot be opened or the descriptor not be copied; standard error is then as before.
    pub fn begin(log: Option<&Path>) -> io::Result<Self> {
        let target = match log {
            Some(path) => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder)?;
                }
                OpenOptions::new().create(true).append(true).open(path)?
            }
            None => File::options().write(true).open("/dev/null")?,
        };
        let before = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3)?;
        rustix::stdio::dup2_stderr(&target)?;
        Ok(Self { before })
    }

    /// Prints a line where standard error led before. That nobody can read it is no reason to stop.
    pub fn print(&self, line: &str) {
        let shown = self.before.try_clone().map(File::from);
        let _ = shown.and_then(|mut shown| writeln!(shown, "{line}"));
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and nobody could be told.
        let _ = rustix::stdio::dup2_stderr(&self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_goes_to_the_file_and_back_again() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs/stderr.log");
        let quiet = Quiet::begin(Some(&log)).unwrap();
        // Not eprintln: the test runner catches that before it reaches the descriptor.
        io::stderr()
            .write_all(b"ALSA lib confmisc.c: cannot find card\n")
            .unwrap();
        drop(quiet);
        io::stderr().write_all(b"").unwrap();
        let logged = fs::read_to_string(&log).unwrap();
        assert!(logged.contains("cannot find card"));
        let again = Quiet::begin(None).unwrap();
        drop(again);
        assert_eq!(fs::read_to_string(&log).unwrap(), logged);
    }
}
