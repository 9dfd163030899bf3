//! What a person asked for and the server has not taken yet: kept on disk, a file for each thing, until it has.
//!
//! [`Outbox`] is the queue, pure; [`Folder`] is where it is kept. Each thing has a key of its own, by which a server knows
//! what it was sent before: sent again after a lost answer, or by a cockpit that was started anew, it is still one.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::api::Approval;
use crate::model::{Problem, ProposalId};
use crate::store::file;

/// Things that may wait; more are refused, since nobody remembers what they were.
pub const MOST: usize = 200;
/// A longer file is not ours.
const LONGEST: u64 = 4 * 1024 * 1024;

/// One thing that a person asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Asked {
    /// An instruction in words.
    Instruction {
        /// The words.
        words: String,
    },
    /// An instruction as a recording, whose file is kept beside the queue.
    Recording {
        /// The file.
        file: PathBuf,
    },
    /// Another try of a proposal.
    Revision {
        /// The proposal.
        proposal: ProposalId,
        /// The words.
        words: String,
    },
    /// A yes to a proposal, as it was when the person saw it.
    Approval {
        /// The proposal.
        proposal: ProposalId,
        /// Its title, for people.
        title: String,
        /// What was approved: names the version that was seen.
        approval: Approval,
    },
    /// A no to a proposal.
    Rejection {
        /// The proposal.
        proposal: ProposalId,
        /// Its title, for people.
        title: String,
    },
}

impl Asked {
    /// What it is, in one line for people.
    pub fn words(&self) -> String {
        match self {
            Self::Instruction { words } => format!("“{words}”"),
            Self::Recording { .. } => "a recording".to_owned(),
            Self::Revision { words, .. } => format!("try again: “{words}”"),
            Self::Approval { title, .. } => format!("approve: {title}"),
            Self::Rejection { title, .. } => format!("reject: {title}"),
        }
    }

    /// The proposal that it decides about.
    pub fn proposal(&self) -> Option<&ProposalId> {
        match self {
            Self::Instruction { .. } | Self::Recording { .. } => None,
            Self::Revision { proposal, .. }
            | Self::Approval { proposal, .. }
            | Self::Rejection { proposal, .. } => Some(proposal),
        }
    }
}

/// One thing with its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Queued {
    /// The key, by which the server knows it again; keys made later sort later.
    pub key: String,
    /// What was asked for.
    pub asked: Asked,
}

/// What waits, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outbox {
    waiting: VecDeque<Queued>,
    /// The key of what is on its way.
    sending: Option<String>,
    /// The beginning of the keys of this run.
    seed: String,
    made: u32,
}

impl Outbox {
    /// An empty one; `seed` is the beginning of its keys, which sorts by time and is no other's.
    pub fn new(seed: String) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Takes what was kept by an earlier run.
    pub fn restore(&mut self, kept: Vec<Queued>) {
        for queued in kept {
            if !self.waiting.iter().any(|known| known.key == queued.key) {
                self.waiting.push_back(queued);
            }
        }
        self.waiting
            .make_contiguous()
            .sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// Puts one thing to the end; nothing when the queue is full.
    pub fn put(&mut self, asked: Asked) -> Option<Queued> {
        if self.waiting.len() >= MOST {
            return None;
        }
        self.made += 1;
        let queued = Queued {
            key: format!("{}-{:04}", self.seed, self.made),
            asked,
        };
        self.waiting.push_back(queued.clone());
        Some(queued)
    }

    /// All of it, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Queued> {
        self.waiting.iter()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// True while the answer to the oldest one is awaited.
    pub fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// The oldest one, unless it is on its way already.
    pub fn head(&self) -> Option<&Queued> {
        self.waiting.front().filter(|_| self.sending.is_none())
    }

    /// The oldest one, which is on its way from now on: one after the other, so that their order stays.
    pub fn send(&mut self) -> Option<Queued> {
        let head = self.head()?.clone();
        self.sending = Some(head.key.clone());
        Some(head)
    }

    /// The answer to what was sent under `key`: what came of it. Taken or refused it is done with; otherwise it stays.
    pub fn answered(&mut self, key: &str, problem: Option<&Problem>) -> Answered {
        if self.sending.as_deref() == Some(key) {
            self.sending = None;
        }
        match problem {
            Some(problem) if may_pass(problem) => Answered::Stays,
            _ => match self.remove(key) {
                Some(queued) => Answered::Done(queued),
                None => Answered::Unknown,
            },
        }
    }

    /// Takes one out that is not to be sent any more; one that is on its way stays.
    pub fn drop_one(&mut self, key: &str) -> Option<Queued> {
        if self.sending.as_deref() == Some(key) {
            return None;
        }
        self.remove(key)
    }

    fn remove(&mut self, key: &str) -> Option<Queued> {
        let at = self.waiting.iter().position(|queued| queued.key == key)?;
        self.waiting.remove(at)
    }
}

/// What came of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// It is done with; its file can go.
    Done(Queued),
    /// It waits on.
    Stays,
    /// It was dropped meanwhile.
    Unknown,
}

/// True when a problem says nothing about what was asked, only that the server did not get or take it now.
pub fn may_pass(problem: &Problem) -> bool {
    problem.is("unreachable") || matches!(problem.status, 401 | 408 | 429 | 502 | 503 | 504)
}

/// Where an [`Outbox`] is kept: a file for each thing, so that two cockpits never overwrite each other's.
#[derive(Clone, Debug)]
pub struct Folder {
    folder: PathBuf,
}

impl Folder {
    /// Files in `folder`, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What is kept, the oldest first. Files that are not understood are left alone.
    pub fn read(&self) -> Vec<Queued> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let mut all: Vec<Queued> = entries
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "json"))
            .filter(|entry| entry.metadata().is_ok_and(|found| found.len() <= LONGEST))
            .filter_map(|entry| serde_json::from_slice(&std::fs::read(entry.path()).ok()?).ok())
            .filter(|queued: &Queued| is_plain(&queued.key))
            .collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }

    /// Keeps one thing: on the disk before it returns. A recording is moved in beside it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, queued: &Queued) -> io::Result<Queued> {
        std::fs::create_dir_all(&self.folder)?;
        let mut queued = queued.clone();
        if let Asked::Recording { file } = &mut queued.asked {
            let own = self.folder.join(format!("{}.wav", queued.key));
            if *file != own {
                std::fs::copy(&*file, &own)?;
                std::fs::File::open(&own)?.sync_all()?;
                *file = own;
            }
        }
        let bytes = serde_json::to_vec(&queued).map_err(io::Error::other)?;
        file::replace(&self.file(&queued.key), &bytes)?;
        Ok(queued)
    }

    /// Forgets one thing.
    ///
    /// # Errors
    /// When its file cannot be removed.
    pub fn remove(&self, key: &str) -> io::Result<()> {
        // The entry first: a recording without one is only a file that nobody needs.
        for file in [self.file(key), self.folder.join(format!("{key}.wav"))] {
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    fn file(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }
}

/// True for a key that can be the name of a file.
fn is_plain(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !key.is_empty() && key.len() <= 100 && key.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Asked {
        Asked::Instruction { words: text.into() }
    }

    fn away() -> Problem {
        Problem::new(503, "unreachable", "away")
    }

    #[test]
    fn one_after_the_other_in_their_order_and_what_failed_on_the_way_stays() {
        let mut outbox = Outbox::new("ins_1".into());
        let one = outbox.put(words("one")).unwrap();
        let two = outbox.put(words("two")).unwrap();
        assert!(one.key < two.key);
        assert_eq!(outbox.send(), Some(one.clone()));
        assert_eq!(outbox.send(), None, "the first one is on its way");
        assert_eq!(outbox.drop_one(&one.key), None);
        assert_eq!(outbox.answered(&one.key, Some(&away())), Answered::Stays);
        // The same one again, under the same key.
        assert_eq!(outbox.send(), Some(one.clone()));
        assert_eq!(outbox.answered(&one.key, None), Answered::Done(one.clone()));
        assert_eq!(outbox.answered(&one.key, None), Answered::Unknown);
        assert_eq!(outbox.send(), Some(two.clone()));
        let refused = Problem::bad_request("too long");
        assert_eq!(
            outbox.answered(&two.key, Some(&refused)),
            Answered::Done(two)
        );
        assert!(outbox.is_empty());
    }

    #[test]
    fn what_was_kept_comes_first_and_once() {
        let mut old = Outbox::new("ins_1".into());
        let one = old.put(words("one")).unwrap();
        let mut new = Outbox::new("ins_2".into());
        let two = new.put(words("two")).unwrap();
        new.restore(vec![one.clone()]);
        new.restore(vec![one.clone()]);
        assert_eq!(new.iter().collect::<Vec<_>>(), [&one, &two]);
        assert_eq!(new.drop_one(&two.key), Some(two));
        assert_eq!(new.len(), 1);
    }

    #[test]
    fn a_queue_has_an_end() {
        let mut outbox = Outbox::new("ins_1".into());
        for _ in 0..MOST {
            outbox.put(words("x")).unwrap();
        }
        assert_eq!(outbox.put(words("x")), None);
    }

    #[test]
    fn what_says_nothing_about_the_thing_itself_may_pass() {
        for (status, kind, passes) in [
            (503, "unreachable", true),
            (502, "http", true),
            (429, "too-many", true),
            (401, "no-token", true),
            (403, "forbidden", false),
            (409, "conflict", false),
            (422, "invalid", false),
            (500, "internal", false),
        ] {
            assert_eq!(may_pass(&Problem::new(status, kind, "x")), passes, "{kind}");
        }
    }

    #[test]
    fn files_come_back_in_order_and_recordings_with_them() {
        let folder = tempfile::tempdir().unwrap();
        let clip = folder.path().join("clip.wav");
        std::fs::write(&clip, b"RIFF").unwrap();
        let kept = Folder::new(folder.path().join("outbox"));
        assert_eq!(kept.read(), []);
        let mut outbox = Outbox::new("ins_1".into());
        let two = outbox.put(words("one")).unwrap();
        let one = outbox.put(Asked::Recording { file: clip.clone() }).unwrap();
        let moved = kept.write(&one).unwrap();
        kept.write(&two).unwrap();
        std::fs::remove_file(&clip).unwrap();
        std::fs::write(kept.path().join("broken.json"), "{").unwrap();
        assert_eq!(kept.read(), [two.clone(), moved.clone()]);
        let Asked::Recording { file } = &moved.asked else {
            panic!("{moved:?}");
        };
        assert_eq!(std::fs::read(file).unwrap(), b"RIFF");
        kept.remove(&one.key).unwrap();
        kept.remove(&one.key).unwrap();
        assert!(!file.exists());
        assert_eq!(kept.read(), [two]);
    }
}
