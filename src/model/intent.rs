//! The intent: what an instruction means.

use serde::{Deserialize, Serialize};

/// A command to Sayso itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// "commit that": commit the open proposal, else the working tree's changes.
    Commit,
    /// "deploy that", "make it live", "update the website".
    Deploy,
    /// "preview changes": show the open proposal.
    Preview,
    /// "approve", "ship it", "yes".
    Approve,
    /// "reject", "no".
    Reject,
    /// "undo that": drop the open proposal, else propose the inverse of the last commit.
    Undo,
    /// "roll back": the environment returns to its previous release.
    Rollback,
    /// "redeploy": deploy the current state again.
    Redeploy,
    /// "promote staging to production": a release goes on to the next environment.
    Promote,
    /// "status".
    Status,
    /// "stop": cancel what is running.
    Stop,
    /// "open the about page": the live page in the browser.
    Open,
    /// "help", "what can I say".
    Help,
    /// "the second one": the other reading that an open question offers.
    Second,
}

/// What a control may cost when it was not meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Shows something, or stops something: nothing is lost.
    Harmless,
    /// Changes something that one more word takes back.
    Undoable,
    /// Changes what visitors see, or answers for the person.
    Grave,
}

impl Control {
    /// Every control.
    pub const ALL: [Control; 14] = [
        Control::Commit,
        Control::Deploy,
        Control::Preview,
        Control::Approve,
        Control::Reject,
        Control::Undo,
        Control::Rollback,
        Control::Redeploy,
        Control::Promote,
        Control::Status,
        Control::Stop,
        Control::Open,
        Control::Help,
        Control::Second,
    ];

    /// The control of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|control| control.as_str() == name)
    }

    /// What it may cost when it was not meant.
    pub fn risk(self) -> Risk {
        match self {
            Control::Preview | Control::Status | Control::Stop | Control::Open | Control::Help => {
                Risk::Harmless
            }
            Control::Commit | Control::Undo | Control::Reject => Risk::Undoable,
            Control::Deploy
            | Control::Redeploy
            | Control::Promote
            | Control::Rollback
            | Control::Approve
            | Control::Second => Risk::Grave,
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Control::Commit => "commit",
            Control::Deploy => "deploy",
            Control::Preview => "preview",
            Control::Approve => "approve",
            Control::Reject => "reject",
            Control::Undo => "undo",
            Control::Rollback => "rollback",
            Control::Redeploy => "redeploy",
            Control::Promote => "promote",
            Control::Status => "status",
            Control::Stop => "stop",
            Control::Open => "open",
            Control::Help => "help",
            Control::Second => "second",
        }
    }
}

/// What an instruction means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Intent {
    /// A command to Sayso.
    Control {
        /// Which one.
        control: Control,
        /// The known phrase the words were matched with.
        phrase: String,
        /// True when the words were the phrase itself, false when only near it.
        exact: bool,
        /// The environment named in the words, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
        /// The address on the site that is named in the words, if any (`/about.html#team`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<String>,
    },
    /// A change to the site, in words cleaned of fillers and self-corrections.
    Edit {
        /// The cleaned words.
        request: String,
    },
}

/// How far a reading of spoken words can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sureness {
    /// Perhaps; worth a question at most.
    Doubtful,
    /// Probably; enough for what costs nothing.
    Likely,
    /// As good as certain.
    Certain,
}

/// One way to take spoken words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The control.
    pub control: Control,
    /// The known phrase.
    pub phrase: String,
    /// The environment in it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The address on the site in it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// How likely it is that this was said, 0 to 1.
    pub certainty: f32,
    /// By how much (natural logarithm) the sound fits the recogniser's own words better than the phrase.
    pub gap: f32,
    /// How far the recogniser's words are from the phrase, 0 (the same) to 1.
    pub far: f32,
}

/// What spoken words were taken for, and how sure that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hearing {
    /// How sure the recogniser is of its words, 0 to 1 for each of them on average.
    pub words: f32,
    /// How far the best reading can be trusted.
    pub sure: Sureness,
    /// By how much the best reading is likelier than the best one of another act, 0 to 1.
    pub margin: f32,
    /// Acts that the words may have meant, likeliest first; one for each act. None: it is an edit.
    pub readings: Vec<Reading>,
    /// The likeliest control when it was too unlikely even to be asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_over: Option<Reading>,
}
