//! What the screen is made of, one file per pane.

pub mod ask;
pub mod diff;
pub mod diff_rows;
pub mod edit;
pub mod footer;
pub mod header;
pub mod help;
pub mod mics;
pub mod progress;
pub mod proposal;
pub mod queue;
pub mod say;
pub mod summary;
pub mod timeline;
