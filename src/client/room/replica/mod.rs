//! This client's copy of a room: the document, who else is there, and which frame answers which. Pure: frames in, frames
//! out, and the time comes with the call.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::model::room::{Comment, Highlight, Place, Presence};
use crate::room::{Company, DocError, Frame, RoomDoc, State, line_column, offset_of, utf16_len};

/// Deeper answers to answers than this are no thread of people.
const DEPTH: usize = 64;

/// A copy of a room.
#[derive(Debug)]
pub struct Replica {
    doc: RoomDoc,
    company: Company,
    /// Something was written here since the server was last known to have all of it.
    unsent: bool,
    /// Something was written since the last [`Replica::renew`].
    written: bool,
}

impl Default for Replica {
    fn default() -> Self {
        Self::new()
    }
}

/// The content under a number of its own: one number twice would spoil a document.
impl Clone for Replica {
    fn clone(&self) -> Self {
        Self::restored(&self.doc.state()).unwrap_or_default()
    }
}

/// What came of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// What to send.
    pub answers: Vec<Bytes>,
    /// The document is another one.
    pub document: bool,
    /// The server has told what it has.
    pub synced: bool,
    /// Others came, went, or moved.
    pub people: bool,
    /// What was written here is not taken, and why.
    pub denied: Option<String>,
}

/// Somebody else in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The client.
    pub client: u64,
    /// What it shows of itself.
    pub presence: Presence,
}

/// Marked words with the place where they stand now: lines from 1, columns in characters from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The highlight.
    pub highlight: Highlight,
    /// Where it begins.
    pub from: (usize, usize),
    /// Where it ends.
    pub to: (usize, usize),
}

/// What was said about a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// The first comment.
    pub first: Comment,
    /// The answers, by when they were given.
    pub answers: Vec<Comment>,
    /// The line where it stands now, from 1; none for a file or a proposal as a whole.
    pub line: Option<usize>,
}

impl Replica {
    /// An empty copy.
    pub fn new() -> Self {
        Self::of(RoomDoc::new())
    }

    /// A copy with what was kept of it; what of that the server lacks it gets on the next connection.
    ///
    /// # Errors
    /// When the bytes are no document.
    pub fn restored(state: &[u8]) -> Result<Self, DocError> {
        RoomDoc::load([state]).map(Self::of)
    }

    fn of(mut doc: RoomDoc) -> Self {
        doc.remember();
        let company = Company::new(doc.client());
        Self {
            doc,
            company,
            unsent: false,
            written: false,
        }
    }

    /// Takes what was kept by an earlier run into this copy.
    ///
    /// # Errors
    /// When the bytes are no document.
    pub fn take_kept(&mut self, state: &[u8]) -> Result<(), DocError> {
        self.doc.apply(state)?;
        self.unsent = true;
        Ok(())
    }

    /// The first frames on a new connection: what this copy has, and who is here.
    pub fn greeting(&mut self) -> Vec<Bytes> {
        let vector = self.doc.state_vector();
        let mut frames = vec![bytes(&Frame::Step1(&vector))];
        frames.extend(self.company.hello().map(present));
        frames
    }

    /// The connection is gone: nobody is known to be there.
    pub fn alone(&mut self) -> bool {
        let anyone = self.company.others().next().is_some();
        self.company.alone();
        anyone
    }

    /// Takes a frame with the presence of all.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn take_everyone(&mut self, frame: &[u8], now: u64) -> Result<Taken, DocError> {
        let before = self.others();
        self.company.alone();
        let taken = self.take(frame, now)?;
        Ok(Taken {
            people: before != self.others(),
            ..taken
        })
    }

    /// Takes a frame of the server at `now` (milliseconds of a clock that does not go back).
    ///
    /// # Errors
    /// When it is malformed, or the document does not take it.
    pub fn take(&mut self, frame: &[u8], now: u64) -> Result<Taken, DocError> {
        let mut taken = Taken::default();
        match Frame::decode(frame)? {
            Frame::Step1(vector) => {
                let lacks = self.doc.diff(vector)?;
                taken.answers.push(bytes(&Frame::Step2(&lacks)));
            }
            Frame::Step2(update) => {
                taken.document = self.doc.apply(update)?.is_some();
                taken.synced = true;
            }
            Frame::Update(update) => taken.document = self.doc.apply(update)?.is_some(),
            Frame::Awareness(states) => {
                let (changed, denied) = self.company.hear(states, now);
                taken.people = changed;
                taken.answers.extend(denied.map(present));
            }
            Frame::Query => taken.answers.extend(self.company.hello().map(present)),
            Frame::Denied(reason) => taken.denied = Some(reason),
        }
        Ok(taken)
    }

    /// Shows the others `presence`, or takes leave.
    pub fn show(&mut self, presence: Option<&Presence>, now: u64) -> Bytes {
        let json = presence.and_then(|presence| serde_json::to_string(presence).ok());
        present(self.company.set(json, now))
    }

    /// From time to time, on a connection that stands: says again who is here, and forgets who was silent. The first of
    /// the pair is what to send, the second says whether the others changed.
    pub fn renew(&mut self, now: u64) -> (Option<Bytes>, bool) {
        if !self.written {
            // A quarter of a minute without a word, on a connection that stands: the server has it.
            self.unsent = false;
        }
        self.written = false;
        let gone = self.company.expire(now);
        (self.company.renew(now).map(present), gone)
    }

    /// The others, by client.
    pub fn others(&self) -> Vec<Other> {
        let others = self.company.others().filter_map(|(client, json)| {
            let presence = serde_json::from_str(json).ok()?;
            Some(Other { client, presence })
        });
        others.collect()
    }

    /// What is to be kept on disk, where the server may not have all of it.
    pub fn kept(&self) -> Option<Vec<u8>> {
        self.unsent.then(|| self.doc.state())
    }

    /// What this copy has, as an approval names it.
    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.state_vector()
    }

    /// The proposed text of `path`.
    pub fn text(&self, path: &str) -> Option<String> {
        self.doc.text(path)
    }

    /// The proposed texts, by path.
    pub fn files(&self) -> BTreeMap<String, String> {
        self.doc.files()
    }

    /// Makes the text of `path` be `text` in as few edits as people would need; what to send.
    ///
    /// # Errors
    /// When the document would be too large.
    pub fn write(&mut self, path: &str, text: &str) -> Result<Option<Bytes>, DocError> {
        let update = self.doc.set_text(path, text)?;
        Ok(self.told(update))
    }

    /// Steps of what was written here that can be taken back.
    pub fn steps(&self) -> usize {
        self.doc.steps()
    }

    /// What is written next is a step of its own.
    pub fn separate(&mut self) {
        self.doc.separate();
    }

    /// Takes back the last step of what was written here, and nothing of what others wrote; what to send.
    ///
    /// # Errors
    /// When the document is broken.
    pub fn take_back(&mut self) -> Result<Option<Bytes>, DocError> {
        let update = self.doc.take_back()?;
        Ok(self.told(update))
    }

    /// Does again what was taken back last; what to send.
    ///
    /// # Errors
    /// When the document is broken.
    pub fn do_again(&mut self) -> Result<Option<Bytes>, DocError> {
        let update = self.doc.do_again()?;
        Ok(self.told(update))
    }

    /// The place of a line and a column in the text of `path` as presence tells it.
    pub fn place(&self, path: &str, line: usize, column: usize) -> Place {
        let at = self.position(path, line, column).unwrap_or_default();
        Place {
            file: path.to_owned(),
            at,
            line,
        }
    }

    /// The line of a place now; the one it was told with, where the text is not there.
    pub fn line_of(&self, place: &Place) -> usize {
        let at = self.resolve(&place.file, &place.at);
        at.map_or(place.line, |(line, _)| line)
    }

    /// The highlights with where they stand now, by place; those whose words are gone are left out.
    pub fn marks(&self) -> Vec<Marked> {
        let texts = self.doc.files();
        let mut all: Vec<Marked> = self
            .doc
            .highlights()
            .into_iter()
            .filter_map(|highlight| {
                let text = texts.get(&highlight.file)?;
                let at = |position: &str| self.doc.resolve(&highlight.file, position);
                let (from, to) = (at(&highlight.from)?, at(&highlight.to)?);
                (from < to).then(|| Marked {
                    from: line_column(text, from),
                    to: line_column(text, to),
                    highlight,
                })
            })
            .collect();
        all.sort_by(|a, b| {
            (&a.highlight.file, a.from, &a.highlight.id).cmp(&(
                &b.highlight.file,
                b.from,
                &b.highlight.id,
            ))
        });
        all
    }

    /// Puts a highlight on the characters from `from` to `to`; what to send.
    ///
    /// # Errors
    /// When the file is not in the document, or there is nothing between the two.
    pub fn mark(
        &mut self,
        highlight: Highlight,
        from: (usize, usize),
        to: (usize, usize),
    ) -> Result<Option<Bytes>, DocError> {
        let path = &highlight.file;
        let text = self.doc.text(path);
        let text = text.ok_or_else(|| DocError::Missing(path.clone()))?;
        let begin = offset_of(&text, from.0, from.1);
        let end = offset_of(&text, to.0, to.1).min(utf16_len(&text));
        if begin >= end {
            return Err(DocError::Outside);
        }
        let highlight = Highlight {
            from: self.doc.position(path, begin)?,
            to: self.doc.position(path, end)?,
            ..highlight
        };
        self.change_mark(&highlight)
    }

    /// Stores a highlight that was changed; what to send.
    ///
    /// # Errors
    /// When the document does not take it.
    pub fn change_mark(&mut self, highlight: &Highlight) -> Result<Option<Bytes>, DocError> {
        let update = self.doc.put_highlight(highlight)?;
        Ok(self.told(update))
    }

    /// Takes a highlight away; what to send.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn unmark(&mut self, id: &str) -> Result<Option<Bytes>, DocError> {
        let update = self.doc.remove_highlight(id)?;
        Ok(self.told(update))
    }

    /// What was said, in threads by place.
    pub fn threads(&self) -> Vec<Thread> {
        let all = self.doc.comments();
        let parents: BTreeMap<&str, Option<&str>> = all
            .iter()
            .map(|comment| (comment.id.as_str(), comment.parent.as_deref()))
            .collect();
        // An answer to an answer belongs to the same thread; one whose thread is gone begins its own.
        let first = |comment: &Comment| {
            let mut at = comment.id.as_str();
            for _ in 0..DEPTH {
                match parents.get(at).copied().flatten() {
                    Some(parent) if parents.contains_key(parent) => at = parent,
                    _ => break,
                }
            }
            at.to_owned()
        };
        let mut threads: Vec<Thread> = Vec::new();
        let mut answers: Vec<(String, Comment)> = Vec::new();
        for comment in &all {
            let root = first(comment);
            if root == comment.id {
                let line = self.resolve(&comment.file, &comment.at);
                threads.push(Thread {
                    first: comment.clone(),
                    answers: Vec::new(),
                    line: line.map(|(line, _)| line),
                });
            } else {
                answers.push((root, comment.clone()));
            }
        }
        for (root, comment) in answers {
            if let Some(thread) = threads.iter_mut().find(|thread| thread.first.id == root) {
                thread.answers.push(comment);
            }
        }
        threads.sort_by(|a, b| {
            (&a.first.file, a.line, &a.first.created).cmp(&(
                &b.first.file,
                b.line,
                &b.first.created,
            ))
        });
        threads
    }

    /// Says something about a line, or about a file or the proposal as a whole; what to send.
    ///
    /// # Errors
    /// When the file is not in the document, or there is too much of it.
    pub fn comment(
        &mut self,
        comment: Comment,
        line: Option<usize>,
    ) -> Result<Option<Bytes>, DocError> {
        let at = match line {
            Some(line) => self.position(&comment.file, line, 0)?,
            None => comment.at.clone(),
        };
        self.change_comment(&Comment { at, ..comment })
    }

    /// Stores a comment that was changed; what to send.
    ///
    /// # Errors
    /// When there is too much of it.
    pub fn change_comment(&mut self, comment: &Comment) -> Result<Option<Bytes>, DocError> {
        let update = self.doc.put_comment(comment)?;
        Ok(self.told(update))
    }

    /// Takes a comment away, and with the first of a thread its answers; what to send.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn uncomment(&mut self, id: &str) -> Result<Option<Bytes>, DocError> {
        let update = self.doc.remove_comment(id)?;
        Ok(self.told(update))
    }

    fn position(&self, path: &str, line: usize, column: usize) -> Result<String, DocError> {
        let text = self.doc.text(path);
        let text = text.ok_or_else(|| DocError::Missing(path.to_owned()))?;
        self.doc.position(path, offset_of(&text, line, column))
    }

    fn resolve(&self, path: &str, position: &str) -> Option<(usize, usize)> {
        if position.is_empty() {
            return None;
        }
        let at = self.doc.resolve(path, position)?;
        Some(line_column(&self.doc.text(path)?, at))
    }

    fn told(&mut self, update: Option<Vec<u8>>) -> Option<Bytes> {
        let update = update?;
        self.unsent = true;
        self.written = true;
        Some(bytes(&Frame::Update(&update)))
    }
}

fn present(state: State) -> Bytes {
    bytes(&Frame::Awareness(vec![state]))
}

fn bytes(frame: &Frame<'_>) -> Bytes {
    frame.encode().into()
}
