//! What was written in rooms and may not have reached the server: a file for each room, so that a killed cockpit loses
//! nothing. A file goes when the server has all of it.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::store::file;

/// A longer file is not ours.
const LONGEST: u64 = 64 * 1024 * 1024;
/// A file that nobody came back for in so long is not wanted any more.
const OLDEST: Duration = Duration::from_secs(60 * 24 * 3600);

/// How the files are named at their end.
const ENDING: &str = ".yjs";

/// The folder of the files.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// Files in `folder`, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The file of `room`: its name where that is a plain one, with every other byte spelled out.
    pub fn file(&self, room: &str) -> PathBuf {
        let mut name = String::with_capacity(room.len() + 4);
        for byte in room.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => {
                    name.push(char::from(byte))
                }
                other => name.push_str(&format!("%{other:02x}")),
            }
        }
        name.push_str(ENDING);
        self.folder.join(name)
    }

    /// The rooms of which something is kept, by name.
    pub fn rooms(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let mut rooms: Vec<String> = entries
            .flatten()
            .filter_map(|entry| room_of(entry.file_name().to_str()?))
            .collect();
        rooms.sort_unstable();
        rooms
    }

    /// What is kept of `room`.
    pub fn read(&self, room: &str) -> Option<Vec<u8>> {
        let file = self.file(room);
        let size = std::fs::metadata(&file).ok()?.len();
        if size > LONGEST {
            return None;
        }
        std::fs::read(file).ok()
    }

    /// Keeps `bytes` of `room`: after a crash there is the old file or the new one, never half of one.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, room: &str, bytes: &[u8]) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        file::replace(&self.file(room), bytes)
    }

    /// Nothing of `room` is to be kept any more.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn remove(&self, room: &str) -> io::Result<()> {
        match std::fs::remove_file(self.file(room)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Drops the files that nobody came back for.
    pub fn tidy(&self, now: SystemTime) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let written = entry.metadata().and_then(|found| found.modified());
            let old = written
                .ok()
                .and_then(|written| now.duration_since(written).ok())
                .is_some_and(|age| age > OLDEST);
            let path = entry.path();
            if old && path.extension().is_some_and(|end| end == "yjs") {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// The room whose file is called `name`; nothing for a name that is no room's.
fn room_of(name: &str) -> Option<String> {
    let spelled = name.strip_suffix(ENDING)?;
    let room = percent_encoding::percent_decode_str(spelled).decode_utf8();
    room.ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_names_of_rooms_lead_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().join("rooms"));
        assert_eq!(kept.read("proposal:pro_1"), None);
        kept.write("proposal:pro_1", b"one").unwrap();
        kept.write("proposal:pro_1", b"two").unwrap();
        kept.write("../../x", b"three").unwrap();
        assert_eq!(kept.read("proposal:pro_1").unwrap(), b"two");
        assert_eq!(kept.read("../../x").unwrap(), b"three");
        let files = std::fs::read_dir(folder.path().join("rooms")).unwrap();
        assert_eq!(files.count(), 2, "no half-written file stays");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        kept.remove("proposal:pro_1").unwrap();
        kept.remove("proposal:pro_1").unwrap();
        assert_eq!(kept.read("proposal:pro_1"), None);
        assert_ne!(kept.file("a:b"), kept.file("a%3ab"));
        kept.write("proposal:Ä%", b"four").unwrap();
        std::fs::write(folder.path().join("rooms/other.txt"), "mine").unwrap();
        assert_eq!(kept.rooms(), ["../../x", "proposal:Ä%"]);
        assert!(Kept::new(folder.path().join("none")).rooms().is_empty());
    }

    #[test]
    fn files_that_nobody_came_back_for_go() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().to_owned());
        kept.write("a", b"1").unwrap();
        std::fs::write(folder.path().join("other.txt"), "mine").unwrap();
        kept.tidy(SystemTime::now() + OLDEST / 2);
        assert!(kept.read("a").is_some());
        kept.tidy(SystemTime::now() + OLDEST * 2);
        assert!(kept.read("a").is_none());
        assert!(folder.path().join("other.txt").exists());
    }
}
