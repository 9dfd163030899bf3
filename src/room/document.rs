//! The document of a room: proposed texts, highlights and comments in a Yjs document.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use yrs::updates::decoder::Decode as _;
use yrs::updates::encoder::Encode as _;
use yrs::{
    Any, ClientID, Doc, GetString as _, Map as _, MapRef, Number, OffsetKind, Options, Out,
    ReadTxn as _, StateVector, Text as _, TextPrelim, TextRef, Transact as _, Transaction,
    TransactionMut, Update,
};

use super::place::utf16_len;
use super::rewrite::splices;
use super::undo::{HERE, Undo};
use super::wire::WireError;
use super::{MAX_DOCUMENT, MAX_PENDING, check};
use crate::model::room::{COMMENTS, FILES, HIGHLIGHTS};

/// Why a document does not take something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocError {
    /// The bytes are not what they should be.
    #[error(transparent)]
    Malformed(#[from] WireError),
    /// The library refuses the update.
    #[error("the update does not fit: {0}")]
    Refused(String),
    /// It would grow over [`MAX_DOCUMENT`].
    #[error("the document would be larger than {} MiB", MAX_DOCUMENT / 1024 / 1024)]
    TooLarge,
    /// More than [`MAX_PENDING`] waits for updates that never came.
    #[error("too much waits for updates that are missing; synchronise anew")]
    Pending,
    /// No such file, highlight or comment.
    #[error("{0:?} is not in the document")]
    Missing(String),
    /// A place outside of the text.
    #[error("the place is outside of the text")]
    Outside,
    /// The library failed in the middle: the document must be loaded anew.
    #[error("the document is broken and must be loaded anew")]
    Broken,
}

/// The map of what the server itself keeps in a document, and its one entry.
const OWN: &str = "sayso";
const DELETIONS: &str = "deletions";

/// The origin of what others wrote.
const THERE: &str = "there";

/// An update, looked at and decoded: what can be done before a document is locked for it.
#[derive(Debug)]
pub struct Decoded {
    update: Update,
    len: usize,
}

impl Decoded {
    /// Decodes an update.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn new(update: &[u8]) -> Result<Self, DocError> {
        check::update(update)?;
        let decoded = catch_unwind(|| Update::decode_v1(update)).map_err(|_| DocError::Broken)?;
        Ok(Self {
            update: decoded.map_err(|error| DocError::Refused(error.to_string()))?,
            len: update.len(),
        })
    }
}

/// Several updates of one document as one, the oldest first.
///
/// # Errors
/// When one is malformed.
pub fn merged(updates: &[Vec<u8>]) -> Result<Vec<u8>, DocError> {
    for update in updates {
        check::update(update)?;
    }
    catch_unwind(|| yrs::merge_updates_v1(updates))
        .map_err(|_| DocError::Broken)?
        .map_err(|error| DocError::Refused(error.to_string()))
}

/// True for an update that only deletes.
pub fn only_deletes(update: &[u8]) -> bool {
    update.first() == Some(&0)
}

/// A document. What changes it returns the update to tell the others: the new part alone, none when nothing is new.
///
/// Places and lengths in texts are UTF-16 units, as Yjs counts them.
#[derive(Debug)]
pub struct RoomDoc {
    /// Goes before the document that it looks at.
    pub(super) undo: Option<Undo>,
    pub(super) doc: Doc,
    pub(super) files: MapRef,
    pub(super) highlights: MapRef,
    pub(super) comments: MapRef,
    /// Bytes of the whole state: an upper estimate, exact after [`RoomDoc::measure`].
    size: usize,
    pending: usize,
    broken: bool,
}

impl Default for RoomDoc {
    fn default() -> Self {
        Self::new()
    }
}

impl RoomDoc {
    /// An empty document with a random client number.
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    /// An empty document with this client number, at most 53 bits: the same one twice at a time spoils a document.
    pub fn with_client(client: u64) -> Self {
        let client = ClientID::new(client & ((1 << 53) - 1));
        let options = Options::default();
        Self::with(Options {
            client_id: client,
            ..options
        })
    }

    fn with(options: Options) -> Self {
        let doc = Doc::with_options(Options {
            offset_kind: OffsetKind::Utf16,
            ..options
        });
        let files = doc.get_or_insert_map(FILES);
        let highlights = doc.get_or_insert_map(HIGHLIGHTS);
        let comments = doc.get_or_insert_map(COMMENTS);
        Self {
            undo: None,
            doc,
            files,
            highlights,
            comments,
            size: 2,
            pending: 0,
            broken: false,
        }
    }

    /// A document of the updates that were kept of it.
    ///
    /// # Errors
    /// When one is malformed.
    pub fn load<'a>(updates: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, DocError> {
        let mut document = Self::new();
        for update in updates {
            // What was taken once is taken again, whatever the bounds are by now.
            document.admit(Decoded::new(update)?, false)?;
        }
        document.measure();
        Ok(document)
    }

    /// The number under which this document writes, and its person is present.
    pub fn client(&self) -> u64 {
        self.doc.client_id().get()
    }

    /// Applies an update of another; returns what was new in it.
    ///
    /// # Errors
    /// When it is malformed, too large, or builds on too much that is missing. The document is as it was, except with
    /// [`DocError::Broken`].
    pub fn apply(&mut self, update: &[u8]) -> Result<Option<Vec<u8>>, DocError> {
        self.integrate(Decoded::new(update)?)
    }

    /// As [`RoomDoc::apply`], with an update that was decoded before.
    ///
    /// # Errors
    /// As there.
    pub fn integrate(&mut self, decoded: Decoded) -> Result<Option<Vec<u8>>, DocError> {
        self.admit(decoded, true)
    }

    fn admit(&mut self, decoded: Decoded, bounded: bool) -> Result<Option<Vec<u8>>, DocError> {
        let Decoded { update, len } = decoded;
        if bounded {
            self.has_room_for(len)?;
        }
        let mut refused = None;
        let new = self.change_from(THERE, |txn, _| {
            if let Err(error) = txn.apply_update(update) {
                refused = Some(DocError::Refused(error.to_string()));
            }
        })?;
        if self.waits() {
            self.pending += len;
            if bounded && self.pending > MAX_PENDING {
                self.forget_what_waits()?;
                refused = refused.or(Some(DocError::Pending));
            }
        } else {
            self.pending = 0;
        }
        match refused {
            // What came before the refused part is in; the others get it.
            Some(error) if new.is_none() => Err(error),
            _ => Ok(new),
        }
    }

    fn has_room_for(&mut self, len: usize) -> Result<(), DocError> {
        if self.size + len > MAX_DOCUMENT {
            // The estimate counts what has been deleted since.
            self.measure();
            if self.size + len > MAX_DOCUMENT {
                return Err(DocError::TooLarge);
            }
        }
        Ok(())
    }

    fn forget_what_waits(&mut self) -> Result<(), DocError> {
        let mut fresh = Self::with_client(self.client());
        fresh.admit(Decoded::new(&self.state())?, false)?;
        if self.undo.is_some() {
            fresh.remember();
        }
        *self = fresh;
        Ok(())
    }

    /// Counts a deletion in a map of its own: what is only deleted does not show in a state vector, and an approval that names
    /// one must not be taken for a text with more in it.
    ///
    /// # Errors
    /// When the document is broken.
    pub fn count_deletion(&mut self) -> Result<Option<Vec<u8>>, DocError> {
        let map = self.doc.get_or_insert_map(OWN);
        let count = self.read(|txn| match map.get(txn, DELETIONS) {
            Some(Out::Any(Any::Number(Number::Int(count)))) => count,
            Some(Out::Any(Any::Number(Number::Float(count)))) => count as i64,
            _ => 0,
        });
        self.change(|txn, _| {
            map.insert(txn, DELETIONS, count.wrapping_add(1));
        })
    }

    /// True after the library failed in the middle: nothing is taken any more.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// True while updates wait for ones they build on.
    pub fn waits(&self) -> bool {
        self.doc.transact().has_missing_updates()
    }

    /// What this document has: its state vector.
    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// The whole state as one update, without what waits.
    pub fn state(&self) -> Vec<u8> {
        self.doc.transact().encode_diff_v1(&StateVector::default())
    }

    /// What one with `state_vector` lacks, as an update.
    ///
    /// # Errors
    /// When the state vector is malformed.
    pub fn diff(&self, state_vector: &[u8]) -> Result<Vec<u8>, DocError> {
        check::state_vector(state_vector)?;
        let vector = StateVector::decode_v1(state_vector)
            .map_err(|error| DocError::Refused(error.to_string()))?;
        Ok(self.doc.transact().encode_diff_v1(&vector))
    }

    /// True when two state vectors name the same state. What was only deleted in between shows where deletions are counted
    /// ([`RoomDoc::count_deletion`]).
    ///
    /// # Errors
    /// When one is malformed.
    pub fn same_state(one: &[u8], other: &[u8]) -> Result<bool, DocError> {
        let decode = |bytes| {
            check::state_vector(bytes)?;
            StateVector::decode_v1(bytes).map_err(|error| DocError::Refused(error.to_string()))
        };
        Ok(decode(one)? == decode(other)?)
    }

    /// Bytes of the whole state, counted anew.
    pub fn measure(&mut self) -> usize {
        self.size = self.state().len();
        self.size
    }

    /// The texts, by path.
    pub fn files(&self) -> BTreeMap<String, String> {
        let txn = self.doc.transact();
        let entries = self.files.iter(&txn);
        let texts = entries.filter_map(|(path, value)| match value {
            Out::YText(text) => Some((path.to_owned(), text.get_string(&txn))),
            _ => None,
        });
        texts.collect()
    }

    /// The text of `path`.
    pub fn text(&self, path: &str) -> Option<String> {
        let txn = self.doc.transact();
        Some(self.text_of(&txn, path)?.get_string(&txn))
    }

    /// Makes the text of `path` be `text`, in as few edits as people would need; a new file when there is none.
    ///
    /// # Errors
    /// When the document would be too large.
    pub fn set_text(&mut self, path: &str, text: &str) -> Result<Option<Vec<u8>>, DocError> {
        self.has_room_for(text.len())?;
        let found = {
            let txn = self.doc.transact();
            self.text_of(&txn, path).and_then(|found| {
                let now = found.get_string(&txn);
                // Others may put pictures or worse into a text: they take room, but are no part of it.
                let plain = utf16_len(&now) == found.len(&txn) as usize;
                plain.then_some((found, now))
            })
        };
        self.change(|txn, files| match found {
            Some((found, now)) => {
                for splice in splices(&now, text) {
                    replace(txn, &found, splice.at, splice.delete, &splice.insert);
                }
            }
            None => {
                files.insert(txn, path, TextPrelim::new(text));
            }
        })
    }

    /// Takes the file `path` out.
    ///
    /// # Errors
    /// When the document is broken.
    pub fn remove_file(&mut self, path: &str) -> Result<Option<Vec<u8>>, DocError> {
        self.change(|txn, files| {
            files.remove(txn, path);
        })
    }

    /// Replaces `delete` units at `at` in the text of `path` by `insert`.
    ///
    /// # Errors
    /// [`DocError::Missing`] without the file, [`DocError::Outside`] when the place is not in its text.
    pub fn edit(
        &mut self,
        path: &str,
        at: usize,
        delete: usize,
        insert: &str,
    ) -> Result<Option<Vec<u8>>, DocError> {
        let found = {
            let txn = self.doc.transact();
            let found = self.text_of(&txn, path);
            let found = found.ok_or_else(|| DocError::Missing(path.to_owned()))?;
            let len = found.len(&txn) as usize;
            if at.checked_add(delete).is_none_or(|end| end > len) {
                return Err(DocError::Outside);
            }
            if delete > 0 && utf16_len(&found.get_string(&txn)) != len {
                return Err(DocError::Outside);
            }
            found
        };
        self.has_room_for(insert.len())?;
        self.change(|txn, _| replace(txn, &found, at, delete, insert))
    }

    /// The text of `path`.
    pub(super) fn text_of(&self, txn: &Transaction<'_>, path: &str) -> Option<TextRef> {
        match self.files.get(txn, path)? {
            Out::YText(text) => Some(text),
            _ => None,
        }
    }

    /// Reads with a transaction.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Transaction<'_>) -> T) -> T {
        read(&self.doc.transact())
    }

    /// Changes the document in one transaction; returns the update that tells of it.
    pub(super) fn change(
        &mut self,
        change: impl FnOnce(&mut TransactionMut<'_>, &MapRef),
    ) -> Result<Option<Vec<u8>>, DocError> {
        self.change_from(HERE, change)
    }

    fn change_from(
        &mut self,
        origin: &str,
        change: impl FnOnce(&mut TransactionMut<'_>, &MapRef),
    ) -> Result<Option<Vec<u8>>, DocError> {
        self.guarded(|document| {
            let mut txn = document.doc.transact_mut_with(origin);
            change(&mut txn, &document.files);
            txn.commit();
            let update = txn.encode_update_v1();
            // Neither blocks nor deletions.
            (update != [0, 0]).then_some(update)
        })
    }

    /// Does what changes the document; the update that tells of it. The library is used on what strangers send, and has
    /// panicked before: what it holds then is not to be trusted.
    pub(super) fn guarded(
        &mut self,
        work: impl FnOnce(&mut Self) -> Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, DocError> {
        if self.broken {
            return Err(DocError::Broken);
        }
        match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(update) => {
                self.size += update.as_ref().map_or(0, Vec::len);
                Ok(update)
            }
            Err(_) => {
                self.broken = true;
                Err(DocError::Broken)
            }
        }
    }
}

/// Replaces text; the place was looked at before.
fn replace(txn: &mut TransactionMut<'_>, text: &TextRef, at: usize, delete: usize, insert: &str) {
    let (Ok(at), Ok(delete)) = (u32::try_from(at), u32::try_from(delete)) else {
        return;
    };
    if delete > 0 {
        text.remove_range(txn, at, delete);
    }
    if !insert.is_empty() {
        text.insert(txn, at, insert);
    }
}
