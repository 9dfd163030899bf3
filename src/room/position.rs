//! Places that stay with their words: relative positions, in the JSON form of `Y.relativePositionToJSON`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use yrs::{Assoc, ClientID, ID, IndexScope, IndexedSequence as _, StickyIndex, Text as _};

use super::document::{DocError, RoomDoc};

impl RoomDoc {
    /// The place `at` in the text of `path` as a relative position: JSON, as `Y.relativePositionToJSON` has it. It stays with the
    /// character after it.
    ///
    /// # Errors
    /// [`DocError::Missing`] without the file, [`DocError::Outside`] when the place is not in its text.
    pub fn position(&self, path: &str, at: usize) -> Result<String, DocError> {
        let sticky = self.read(|txn| {
            let text = self.text_of(txn, path);
            let text = text.ok_or_else(|| DocError::Missing(path.to_owned()))?;
            let at = u32::try_from(at).map_err(|_| DocError::Outside)?;
            match at.cmp(&text.len(txn)) {
                std::cmp::Ordering::Less => text
                    .sticky_index(txn, at, Assoc::After)
                    .ok_or(DocError::Outside),
                std::cmp::Ordering::Equal => Ok(StickyIndex::from_type(txn, &text, Assoc::After)),
                std::cmp::Ordering::Greater => Err(DocError::Outside),
            }
        })?;
        let place = |id: &ID| PlaceId {
            client: id.client.get(),
            clock: id.clock,
        };
        let mut json = Relative::default();
        match sticky.scope() {
            IndexScope::Relative(id) => json.item = Some(place(id)),
            IndexScope::Nested(id) => json.kind = Some(place(id)),
            IndexScope::Root(name) => json.tname = Some(name.to_string()),
        }
        serde_json::to_string(&json).map_err(|error| DocError::Refused(error.to_string()))
    }

    /// Where a relative position is in the text of `path` now; none when it is in no text of that name, or no position.
    pub fn resolve(&self, path: &str, position: &str) -> Option<usize> {
        let json: Relative = serde_json::from_str(position).ok()?;
        let assoc = match json.assoc {
            ..0 => Assoc::Before,
            0.. => Assoc::After,
        };
        let id = |place: &PlaceId| {
            // The library asserts both.
            let small = place.client < 1 << 53 && place.clock < i32::MAX as u32;
            small.then(|| ID::new(ClientID::new(place.client), place.clock))
        };
        let scope = match (&json.item, &json.tname, &json.kind) {
            (Some(item), _, _) => IndexScope::Relative(id(item)?),
            (None, Some(name), _) => IndexScope::Root(name.as_str().into()),
            (None, None, Some(kind)) => IndexScope::Nested(id(kind)?),
            (None, None, None) => return None,
        };
        // A stranger made the position up, perhaps: the library has panicked on less. Reading spoils nothing.
        let found = catch_unwind(AssertUnwindSafe(|| {
            self.read(|txn| {
                let text = self.text_of(txn, path)?;
                let offset = StickyIndex::new(scope, assoc).get_offset(txn)?;
                let branch: &yrs::branch::Branch = text.as_ref();
                (offset.branch.id() == branch.id()).then_some(offset.index as usize)
            })
        }));
        found.ok().flatten()
    }
}

/// The JSON form of a relative position.
#[derive(Default, Serialize, Deserialize)]
struct Relative {
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    kind: Option<PlaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<PlaceId>,
    #[serde(default)]
    assoc: i64,
}

#[derive(Serialize, Deserialize)]
struct PlaceId {
    client: u64,
    clock: u32,
}
