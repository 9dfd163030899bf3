//! Highlights and comments in a document: each a `Y.Map` with the fields of its type, so that two people who change two fields
//! of one do not overwrite each other.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map as JsonMap, Value};
use yrs::types::ToJson as _;
use yrs::{Any, Map as _, MapPrelim, MapRef, Out, TransactionMut};

use super::document::{DocError, RoomDoc};
use crate::model::room::{Comment, Highlight};

/// The longest comment, in bytes.
const MAX_COMMENT: usize = 16 * 1024;

impl RoomDoc {
    /// The highlights, by when they were made. What others wrote that is no highlight is left out.
    pub fn highlights(&self) -> Vec<Highlight> {
        let mut all: Vec<Highlight> = self.list(&self.highlights);
        all.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
        all
    }

    /// Adds a highlight, or changes the one with its id.
    ///
    /// # Errors
    /// When the document is broken.
    pub fn put_highlight(&mut self, highlight: &Highlight) -> Result<Option<Vec<u8>>, DocError> {
        let map = self.highlights.clone();
        self.put(&map, &highlight.id, highlight)
    }

    /// Takes a highlight away.
    ///
    /// # Errors
    /// [`DocError::Missing`] when there is none with this id.
    pub fn remove_highlight(&mut self, id: &str) -> Result<Option<Vec<u8>>, DocError> {
        let map = self.highlights.clone();
        self.take(&map, id)
    }

    /// The comments, by when they were made.
    pub fn comments(&self) -> Vec<Comment> {
        let mut all: Vec<Comment> = self.list(&self.comments);
        all.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
        all
    }

    /// Adds a comment, or changes the one with its id.
    ///
    /// # Errors
    /// [`DocError::TooLarge`] when it says more than 16 KiB.
    pub fn put_comment(&mut self, comment: &Comment) -> Result<Option<Vec<u8>>, DocError> {
        if comment.text.len() > MAX_COMMENT {
            return Err(DocError::TooLarge);
        }
        let map = self.comments.clone();
        self.put(&map, &comment.id, comment)
    }

    /// Takes a comment away, and with the first of a thread its answers.
    ///
    /// # Errors
    /// [`DocError::Missing`] when there is none with this id.
    pub fn remove_comment(&mut self, id: &str) -> Result<Option<Vec<u8>>, DocError> {
        let all = self.comments();
        if !all.iter().any(|comment| comment.id == id) {
            return Err(DocError::Missing(id.to_owned()));
        }
        let mut gone = vec![id.to_owned()];
        let mut at = 0;
        while let Some(parent) = gone.get(at).cloned() {
            for comment in &all {
                if comment.parent.as_deref() == Some(&*parent) && !gone.contains(&comment.id) {
                    gone.push(comment.id.clone());
                }
            }
            at += 1;
        }
        let map = self.comments.clone();
        self.change(|txn, _| {
            for id in &gone {
                map.remove(txn, id);
            }
        })
    }

    fn list<T: DeserializeOwned>(&self, map: &MapRef) -> Vec<T> {
        self.read(|txn| {
            let entries = map.iter(txn);
            let values = entries.filter_map(|(id, value)| {
                let Value::Object(mut fields) = serde_json::to_value(value.to_json(txn)).ok()?
                else {
                    return None;
                };
                // The key is the id, whatever the fields say.
                fields.insert("id".into(), Value::String(id.to_owned()));
                serde_json::from_value(Value::Object(fields)).ok()
            });
            values.collect()
        })
    }

    fn put<T: Serialize>(
        &mut self,
        map: &MapRef,
        id: &str,
        value: &T,
    ) -> Result<Option<Vec<u8>>, DocError> {
        let fields = match serde_json::to_value(value) {
            Ok(Value::Object(fields)) => fields,
            _ => return Err(DocError::Refused("no fields".to_owned())),
        };
        self.change(|txn, _| write(txn, map, id, &fields))
    }

    fn take(&mut self, map: &MapRef, id: &str) -> Result<Option<Vec<u8>>, DocError> {
        if !self.read(|txn| map.contains_key(txn, id)) {
            return Err(DocError::Missing(id.to_owned()));
        }
        self.change(|txn, _| {
            map.remove(txn, id);
        })
    }
}

/// Writes the fields that differ.
fn write(txn: &mut TransactionMut<'_>, map: &MapRef, id: &str, fields: &JsonMap<String, Value>) {
    let inner = match map.get(txn, id) {
        Some(Out::YMap(inner)) => inner,
        _ => map.insert(txn, id, MapPrelim::default()),
    };
    let lacking: Vec<String> = inner
        .keys(txn)
        .filter(|key| !fields.contains_key(*key))
        .map(str::to_owned)
        .collect();
    for key in lacking {
        // `resolved` and `parent` are left out when they say nothing; what others added stays.
        if key == "resolved" || key == "parent" {
            inner.remove(txn, &key);
        }
    }
    for (key, value) in fields {
        let value = match value {
            Value::Bool(value) => Any::from(*value),
            Value::String(value) => Any::from(value.as_str()),
            _ => continue,
        };
        let same = matches!(inner.get(txn, key), Some(Out::Any(now)) if now == value);
        if !same {
            inner.insert(txn, key.as_str(), value);
        }
    }
}
