//! Intent and site in, edits out.
//!
//! A [`Generator`] never writes: it returns the files as they should be, computed from a read-only tree,
//! or a [`Refusal`] that says what it saw. Adding one is a new file and a line in [`generators`].

pub mod agent;
pub mod chat;
pub mod context;
pub mod edits;
pub mod offline;
pub mod recipes;
mod services;

use std::sync::Arc;

use async_trait::async_trait;

use tokio::sync::mpsc;

use crate::config;
use crate::model::api::RecipeInfo;
use crate::model::{Candidate, FileTree, Problem, Refusal};

pub use services::{Keys, missing};

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
    /// What else bears on it: an open proposal that is to be changed, a build that failed.
    pub background: Vec<Background>,
    /// Where steps are told while it goes on.
    pub steps: Option<mpsc::UnboundedSender<Step>>,
}

impl Request {
    /// Tells a step, when anybody listens.
    pub fn tell(&self, step: Step) {
        if let Some(steps) = &self.steps {
            // Nobody may be left to hear it.
            let _ = steps.send(step);
        }
    }
}

/// Something that bears on a request, besides the site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Background {
    /// What it is, in one word: `proposal`, `build`.
    pub kind: &'static str,
    /// Its text.
    pub text: String,
    /// The files it is about.
    pub files: Vec<String>,
}

/// A step of a generator that takes its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A message for people.
    Note(String),
    /// The change as far as it is known.
    Draft {
        /// What it does.
        note: String,
        /// Path, old text (empty for a new file) and new text of each edit that fits so far.
        edits: Vec<(String, String, String)>,
        /// How many edits there are so far.
        of: usize,
    },
}

/// Why no change was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotMade {
    /// It is not clear, not there, not allowed.
    Refused(Refusal),
    /// Something failed: a service that is down, an answer that does not fit.
    Failed(Problem),
}

impl From<Refusal> for NotMade {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Problem> for NotMade {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
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

    /// True when nothing leaves the machine.
    fn offline(&self) -> bool {
        true
    }

    /// Whether the request is for this generator at all; one that says no is not asked.
    fn takes(&self, request: &Request) -> bool {
        let _ = request;
        true
    }

    /// The recipes that it follows on this site.
    fn recipes(&self, tree: &Arc<dyn FileTree>) -> Vec<RecipeInfo> {
        let _ = tree;
        Vec::new()
    }

    /// Makes the change, or says why not. Dropping the future stops it.
    ///
    /// # Errors
    /// A refusal or a failure; nothing has been written then, as nothing ever is.
    async fn generate(&self, request: Request) -> Result<Generated, NotMade>;
}

/// The name of the engine that needs nothing but this machine.
pub const OFFLINE: &str = "offline";

/// All generators that are set up, in the order `auto` asks them.
///
/// # Errors
/// When a setting makes no sense.
pub fn generators(
    settings: &config::Generate,
    keys: &Keys,
) -> Result<Vec<Arc<dyn Generator>>, Problem> {
    let offline = Arc::new(offline::Offline::new(&settings.components));
    let mut all: Vec<Arc<dyn Generator>> = vec![Arc::clone(&offline) as Arc<dyn Generator>];
    all.extend(services::engines(settings, keys, &offline)?);
    Ok(all)
}
