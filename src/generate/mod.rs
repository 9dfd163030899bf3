//! Intent and site in, edits out.
//!
//! A [`Generator`] never writes: it returns the files as they should be, computed from a read-only tree,
//! or a [`Refusal`] that says what it saw. Adding one is a new file and a line in [`generators`].

pub mod offline;

use std::sync::Arc;

use async_trait::async_trait;

use crate::config;
use crate::model::{Candidate, FileTree, Refusal};

/// What a generator is asked for.
#[derive(Clone)]
pub struct Request {
    /// The person's words, cleaned of fillers by `intent`.
    pub words: String,
    /// The person's words as heard or typed.
    pub original: String,
    /// The file the person pointed at.
    pub file_path: Option<String>,
    /// The site at the base commit.
    pub tree: Arc<dyn FileTree>,
    /// What the person asked for just before, when it was refused with places to choose from.
    pub earlier: Option<Earlier>,
}

/// A refused request that the next words may answer ("the second one").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its words, cleaned of fillers.
    pub words: String,
    /// The places that were listed, in their order.
    pub candidates: Vec<Candidate>,
}

/// Whether words answer a list of `count` places rather than ask for something of their own.
pub fn is_answer(words: &str, count: usize) -> bool {
    offline::choice::read(words, count).is_some()
}

/// A file as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Path from the root of the repository, `/` between parts.
    pub path: String,
    /// The new text; `None` deletes the file.
    pub after: Option<String>,
}

/// What a generator made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generated {
    /// What the change does, in one line; becomes the commit message.
    pub title: String,
    /// What was understood, where, and why there.
    pub notes: Vec<String>,
    /// Things to know before approving.
    pub warnings: Vec<String>,
    /// The files, each path once.
    pub files: Vec<FileChange>,
}

/// Makes changes from words.
#[async_trait]
pub trait Generator: Send + Sync {
    /// The name for `--engine` and the configuration.
    fn name(&self) -> &'static str;

    /// Makes the change, or says why not.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing has been written then, as nothing ever is.
    async fn generate(&self, request: Request) -> Result<Generated, Refusal>;
}

/// All generators, in the order `auto` asks them.
pub fn generators(settings: &config::Generate) -> Vec<Arc<dyn Generator>> {
    vec![Arc::new(offline::Offline::new(&settings.components))]
}
