//! Intent and site in, edits out.
//!
//! A [`Generator`] never writes: it returns the files as they should be, computed from a read-only tree,
//! or a [`Refusal`] that says what it saw. Adding one is a new file and a line in [`generators`].

pub mod agent;
pub mod chat;
pub mod context;
pub mod edits;
pub mod offline;
pub mod plan;
pub mod recipes;
mod services;

use std::sync::Arc;

use async_trait::async_trait;

use tokio::sync::{mpsc, oneshot};

use crate::config;
use crate::model::api::RecipeInfo;
use crate::model::{Candidate, FileTree, PlanLine, Problem, Refusal};

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
    /// Where the person is asked while it goes on; none where nobody is there to answer.
    pub asks: Option<mpsc::UnboundedSender<Asked>>,
}

impl Request {
    /// Tells a step, when anybody listens.
    pub fn tell(&self, step: Step) {
        if let Some(steps) = &self.steps {
            // Nobody may be left to hear it.
            let _ = steps.send(step);
        }
    }

    /// Asks the person and waits. Where nobody can answer, the answer is no.
    pub async fn ask(&self, ask: Ask) -> Answered {
        let Some(asks) = &self.asks else {
            return Answered::No;
        };
        let (reply, answer) = oneshot::channel();
        if asks.send(Asked { ask, reply }).is_err() {
            return Answered::No;
        }
        answer.await.unwrap_or(Answered::No)
    }
}

/// What a generator asks the person while it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// One word for it: [`Ask::PERMIT`] or [`Ask::PLAN`].
    pub act: &'static str,
    /// The whole question.
    pub text: String,
    /// What is planned, where it is a plan that is asked about.
    pub plan: Vec<PlanLine>,
}

impl Ask {
    /// May an agent do this?
    pub const PERMIT: &'static str = "permit";
    /// Shall this plan be carried out?
    pub const PLAN: &'static str = "plan";
}

/// A question on its way to the person.
#[derive(Debug)]
pub struct Asked {
    /// The question.
    pub ask: Ask,
    /// Where the answer goes. Dropped without one when nobody can answer any more.
    pub reply: oneshot::Sender<Answered>,
}

/// A person's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// No.
    No,
    /// Yes; of a plan with what remains of it.
    Yes(Vec<PlanLine>),
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
    /// What an agent means to do, the whole list each time.
    Plan(Vec<Task>),
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

/// A point of an agent's own plan.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Task {
    /// What is to be done.
    pub what: String,
    /// How far it is.
    pub state: TaskState,
}

/// How far a point of a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Not begun.
    Waiting,
    /// At work on it.
    Doing,
    /// Done.
    Done,
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
