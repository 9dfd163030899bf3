//! What a person looks at before anything happens: hunks, patches, partial acceptance, and the checks that
//! run on proposed text.
//!
//! Everything here is pure: text in, text out. Reading repositories is the business of `vcs`.

pub mod diff;
mod merge;
pub mod patch;
pub mod rebase;
pub mod secrets;
pub mod select;
pub mod words;
