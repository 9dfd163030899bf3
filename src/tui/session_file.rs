//! The file of [`Saved`]: read once, written behind the person's back a moment after something changed, as a whole or
//! not at all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::model::Model;
use super::session::Saved;
use crate::store::file;

/// How long after a change it is written: a burst of keys is one write.
const AFTER: Duration = Duration::from_millis(300);
/// A longer file is not ours.
const LONGEST: u64 = 1024 * 1024;

/// Keeps the file.
pub(super) struct Remembered {
    file: Option<PathBuf>,
    /// What the file holds, or is about to.
    written: Saved,
    /// What it is to hold, and when it is to be written.
    due: Option<(Instant, Saved)>,
    /// There was no file: the cockpit is new here.
    first: bool,
    /// The number of the last thing to be written.
    last: u64,
    /// One write at a time; the number of what the file holds, so that an older one never comes after a newer.
    writing: Arc<Mutex<u64>>,
}

impl Remembered {
    /// Reads `file` into `model`. A file that cannot be read is as good as none: nothing depends on it.
    pub fn open(file: Option<PathBuf>, model: &mut Model) -> Self {
        let first = file.as_deref().is_some_and(|file| !file.exists());
        if let Some(saved) = file.as_deref().and_then(read) {
            saved.restore(model);
        }
        Self {
            file,
            written: Saved::of(model),
            due: None,
            first,
            last: 0,
            writing: Arc::default(),
        }
    }

    /// True when there was nothing to remember: the cockpit is new here.
    pub fn is_first(&self) -> bool {
        self.first
    }

    /// Looks whether something is to be written, and writes what is due. Never waits for the disk.
    pub fn look(&mut self, model: &Model, now: Instant) {
        if self.file.is_none() {
            return;
        }
        let saved = Saved::of(model);
        match &mut self.due {
            Some((_, due)) => *due = saved,
            None if saved != self.written => self.due = Some((now + AFTER, saved)),
            None => {}
        }
        if self.due.as_ref().is_some_and(|(at, _)| *at <= now)
            && let (Some((_, saved)), Some(file)) = (self.due.take(), self.file.clone())
        {
            self.written = saved.clone();
            self.last += 1;
            let (writing, number) = (Arc::clone(&self.writing), self.last);
            tokio::task::spawn_blocking(move || store(&writing, number, &file, &saved));
        }
    }

    /// When [`Remembered::look`] has something to write.
    pub fn due(&self) -> Option<Instant> {
        self.due.as_ref().map(|(at, _)| *at)
    }

    /// Writes what is to be remembered, at the end.
    pub fn close(&mut self, model: &Model) {
        let saved = Saved::of(model);
        self.due = None;
        if let Some(file) = self
            .file
            .take()
            .filter(|_| self.first || saved != self.written)
        {
            self.last += 1;
            store(&self.writing, self.last, &file, &saved);
        }
    }
}

fn read(file: &Path) -> Option<Saved> {
    let size = std::fs::metadata(file).ok()?.len();
    if size > LONGEST {
        return None;
    }
    Saved::read(&std::fs::read(file).ok()?)
}

fn store(writing: &Mutex<u64>, number: u64, path: &Path, saved: &Saved) {
    let mut held = writing.lock().unwrap_or_else(PoisonError::into_inner);
    if *held > number {
        return;
    }
    *held = number;
    if let Err(error) = file::replace(path, &saved.bytes()) {
        tracing::warn!(%error, "what is open is not remembered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::tui::model::Settings;

    fn model() -> Model {
        Model::new(Settings::new(&Config::default(), false).unwrap(), 80, 24)
    }

    #[tokio::test]
    async fn a_burst_is_one_write_and_the_end_writes_what_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cockpit.json");
        let mut model = model();
        let mut remembered = Remembered::open(Some(file.clone()), &mut model);
        let begin = Instant::now();
        remembered.look(&model, begin);
        assert_eq!(remembered.due(), None, "nothing changed");
        for text in ["a", "ab", "abc"] {
            model.line.set(text);
            remembered.look(&model, begin);
        }
        assert_eq!(remembered.due(), Some(begin + AFTER));
        assert!(!file.exists());
        remembered.look(&model, begin + AFTER);
        assert_eq!(remembered.due(), None);
        model.line.set("abcd");
        remembered.close(&model);
        let mut again = self::model();
        Remembered::open(Some(file.clone()), &mut again);
        assert_eq!(again.line.text(), "abcd");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_such_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cockpit.json");
        for bytes in ["", "{}", "{\"version\": 99, \"text\": \"x\"}", "\u{0}\u{1}"] {
            std::fs::write(&file, bytes).unwrap();
            let mut model = model();
            Remembered::open(Some(file.clone()), &mut model);
            assert_eq!(model.line.text(), "", "{bytes:?}");
        }
    }
}
