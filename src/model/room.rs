//! What people share in a room: who is here, what they mark and what they say about it.
//!
//! A room is a Yjs document and the presence of those in it (Yjs sync and awareness protocols, y-protocols 1.0). In the room
//! `proposal:{id}` the document has three shared maps at its top:
//!
//! - `files`: path → `Y.Text` with the proposed text;
//! - `highlights`: id → `Y.Map` with the fields of [`Highlight`];
//! - `comments`: id → `Y.Map` with the fields of [`Comment`].
//!
//! Positions are Yjs relative positions in their JSON form, as text: they stay with their words while others write.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The map of proposed texts.
pub const FILES: &str = "files";
/// The map of highlights.
pub const HIGHLIGHTS: &str = "highlights";
/// The map of comments.
pub const COMMENTS: &str = "comments";

/// Marked words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Highlight {
    /// Stable.
    pub id: String,
    /// Path of the file.
    pub file: String,
    /// Where it begins: a relative position as JSON.
    pub from: String,
    /// Where it ends: a relative position as JSON.
    pub to: String,
    /// One of [`COLOURS`].
    pub colour: String,
    /// Who marked it.
    pub author: String,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339.
    pub updated: String,
}

/// Something said about a place, a highlight, or another comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Stable.
    pub id: String,
    /// The comment that this one answers; none for the first of a thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Path of the file; empty for the proposal as a whole.
    pub file: String,
    /// Where: a relative position as JSON; empty for the file as a whole.
    pub at: String,
    /// What was said.
    pub text: String,
    /// Who said it.
    pub author: String,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339.
    pub updated: String,
    /// True once a thread is done with; on its first comment only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resolved: bool,
}

/// How a person is seen by the others of a room: the state of the awareness protocol, as JSON. Every field may be missing: other
/// editors than Sayso join, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Presence {
    /// Who; the name and the colour that editors of Yjs show beside a cursor.
    pub user: User,
    /// Names the place that a person is at: the same in every room that they are in from there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// The pane a person looks at: `diff`, `timeline`, `say` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pane: Option<String>,
    /// The proposal a person looks at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// Where in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Place>,
    /// The other end of what is selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection: Option<Place>,
    /// True while keys are pressed in a text.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub typing: bool,
    /// True while the microphone is open.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub speaking: bool,
}

/// Name and colour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// The name.
    pub name: String,
    /// `#rrggbb`.
    pub color: String,
}

/// A place in a proposed file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Path of the file.
    pub file: String,
    /// A relative position as JSON; may be empty for the file as a whole.
    pub at: String,
    /// The line, from 1, when it was told: for those who have not the text.
    pub line: usize,
}

/// `POST /api/rooms/{room}/sync`: a room without a WebSocket. All bytes are base64 (with padding).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomSync {
    /// What the client has: its state vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_vector: Option<String>,
    /// What is new with the client: an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
    /// What the client says of itself: an update of the awareness protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awareness: Option<String>,
    /// Names the client between its calls, 1 to 64 visible ASCII characters: its presence ends some seconds after the last one.
    /// Needed with `awareness`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The `revision` of the answer before; with `wait`, the answer comes when there is a newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Seconds to wait for something newer than `seen`; at most 25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<u64>,
}

/// The answer to a [`RoomSync`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSynced {
    /// What the client lacks: an update; absent when its state vector was not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
    /// What the server has: a state vector. The client sends what this lacks with its next call.
    pub state_vector: String,
    /// Everyone who is in the room: an update of the awareness protocol. Whoever is not in it is not here.
    pub awareness: String,
    /// Counts what happens in the room.
    pub revision: String,
    /// Why the client's update was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
}

/// A step in the history of a proposal's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryStep {
    /// Names the step; grows with time, not without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who wrote.
    pub author: String,
}

/// The texts of a proposal at a step of its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryTexts {
    /// The step.
    #[serde(flatten)]
    pub step: HistoryStep,
    /// The texts by path.
    pub files: BTreeMap<String, String>,
}

/// Names and `#rrggbb` of the colours of people and highlights: eight that stay apart without colour vision (Okabe and Ito, 2008).
/// A mark or an initial always stands beside them.
pub const COLOURS: [(&str, &str); 8] = [
    ("orange", "#e69f00"),
    ("sky", "#56b4e9"),
    ("green", "#009e73"),
    ("yellow", "#f0e442"),
    ("blue", "#0072b2"),
    ("vermillion", "#d55e00"),
    ("purple", "#cc79a7"),
    ("grey", "#999999"),
];

/// The colour of a person: the same name has the same everywhere.
pub fn colour_of(name: &str) -> (&'static str, &'static str) {
    // FNV-1a: short, and the same in every language a client may be written in.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    COLOURS[hash as usize % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_of_other_editors_is_read() {
        let seen: Presence =
            serde_json::from_str(r##"{"user":{"name":"Ada","color":"#fff"},"other":1}"##).unwrap();
        assert_eq!(seen.user.name, "Ada");
        assert_eq!(seen.cursor, None);
        assert_eq!(
            serde_json::from_str::<Presence>("{}").unwrap(),
            Presence::default()
        );
    }

    #[test]
    fn a_name_has_one_colour() {
        assert_eq!(colour_of("ada"), colour_of("ada"));
        let seen: std::collections::BTreeSet<_> = (0..64)
            .map(|n| colour_of(&format!("person {n}")).0)
            .collect();
        assert!(seen.len() > 4, "{seen:?}");
    }
}
