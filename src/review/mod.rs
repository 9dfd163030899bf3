//! Diffs, hunks, partial acceptance, secret scan. Pure: text in, text out.

pub mod diff;
pub mod patch;
pub mod secrets;
pub mod select;
