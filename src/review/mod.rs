//! Diffs, hunks, partial acceptance, merging when the base moved, secret scan. Pure: text in, text out.

pub mod diff;
pub mod patch;
pub mod rebase;
pub mod secrets;
pub mod select;
