//! What the screen is made of, one file per pane.

pub mod ask;
pub mod checkup;
pub mod deploy;
pub mod details;
pub mod diff;
pub mod diff_rows;
pub mod draft;
pub mod edit;
pub mod footer;
pub mod header;
pub mod help;
pub mod history;
pub mod mics;
pub mod outbox;
pub mod people;
pub mod progress;
pub mod proposal;
pub mod queue;
pub mod say;
pub mod summary;
pub mod timeline;
pub mod waterfall;

use super::model::{Model, Pane};

/// What the title of a pane says beside its name.
pub fn note(model: &Model, pane: Pane) -> String {
    match pane {
        Pane::Timeline => timeline::note(model),
        Pane::Deploy => deploy::note(model),
        Pane::Say | Pane::Proposal => String::new(),
    }
}
