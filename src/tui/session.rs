//! What is there again after the cockpit was left or crashed: the text, the panes, the filter, the place in the
//! proposal, and decisions that the server had not confirmed yet. Plain data; who reads and writes it is at the edge.

use serde::{Deserialize, Serialize};

use super::model::timeline::{Filter, Place as Row};
use super::model::{Focus, Model, Pane, Sizes};
use crate::model::api::Decide;
use crate::model::{DeploymentId, ProposalId};

/// The form of [`Saved`]; another one is not read.
const VERSION: u32 = 1;
/// Decisions kept.
const DECISIONS: usize = 1_000;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    version: u32,
    /// The text being written.
    #[serde(default)]
    text: String,
    /// The keyboard writes into it.
    #[serde(default)]
    writing: bool,
    /// The proposal whose instruction the text revises.
    #[serde(default)]
    revising: Option<ProposalId>,
    /// The pane in front, and the one in the strip.
    #[serde(default)]
    pane: Name,
    #[serde(default)]
    strip: Name,
    #[serde(default)]
    zoom: bool,
    /// The proposal takes the whole screen, old beside new.
    #[serde(default)]
    reading: bool,
    #[serde(default)]
    sides: bool,
    /// Sizes of say, timeline, deploy and the right column.
    #[serde(default)]
    sizes: [i8; 4],
    /// The filter of the timeline.
    #[serde(default)]
    filter: String,
    /// Where the timeline was read, and of which log.
    #[serde(default)]
    timeline: Option<(String, Row)>,
    /// The selected deployment, and the one marked for a comparison.
    #[serde(default)]
    deployments: (Option<DeploymentId>, Option<DeploymentId>),
    /// Where the proposal on the screen was read.
    #[serde(default)]
    place: Option<Place>,
    /// Decisions that the server did not know yet.
    #[serde(default)]
    decisions: Vec<Decided>,
}

/// A pane by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Say,
    #[default]
    Proposal,
    Timeline,
    Deploy,
}

impl From<Pane> for Name {
    fn from(pane: Pane) -> Self {
        match pane {
            Pane::Say => Self::Say,
            Pane::Proposal => Self::Proposal,
            Pane::Timeline => Self::Timeline,
            Pane::Deploy => Self::Deploy,
        }
    }
}

impl From<Name> for Pane {
    fn from(name: Name) -> Self {
        match name {
            Name::Say => Self::Say,
            Name::Proposal => Self::Proposal,
            Name::Timeline => Self::Timeline,
            Name::Deploy => Self::Deploy,
        }
    }
}

/// Where a proposal was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The proposal.
    pub proposal: ProposalId,
    /// The selected hunk.
    pub selected: usize,
    /// The first row in sight.
    pub top: usize,
    /// Lines of it that are above the window.
    #[serde(default)]
    pub skip: usize,
    /// The row that the cursor is on in the full view.
    #[serde(default)]
    pub cursor: usize,
}

/// A decision on hunks or lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The proposal.
    pub proposal: ProposalId,
    /// What was decided on what.
    pub decide: Decide,
}

/// What waits for the server's state before it can be there again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Returning {
    /// Where the timeline was read, and of which log.
    pub timeline: Option<(String, Row)>,
    /// Where the proposal on the screen was read.
    pub place: Option<Place>,
    /// Decisions that the server may not know.
    pub decisions: Vec<Decided>,
}

impl Saved {
    /// What there is to remember of `model`.
    pub fn of(model: &Model) -> Self {
        // What was remembered and could not be shown yet is still remembered.
        let place = model.reviews.current().map(|review| Place {
            proposal: review.id().clone(),
            selected: review.selected,
            top: review.top,
            skip: review.skip,
            cursor: review.cursor,
        });
        let deciding = model.reviews.deciding.iter().map(|deciding| Decided {
            proposal: deciding.proposal.clone(),
            decide: deciding.decide.clone(),
        });
        let waiting = model.board.returning.decisions.iter().cloned();
        let sizes = model.board.sizes;
        Self {
            version: VERSION,
            text: model.line.text().to_owned(),
            writing: model.focus == Focus::Input,
            revising: model.revising.clone(),
            pane: model.pane.into(),
            strip: model.board.strip.into(),
            zoom: model.board.zoom,
            reading: model.reading,
            sides: model.sides,
            sizes: [sizes.say, sizes.timeline, sizes.deploy, sizes.column],
            filter: model.timeline.filter().written().to_owned(),
            timeline: match &model.board.returning.timeline {
                Some(waiting) => Some(waiting.clone()),
                None => Some((model.epoch.clone(), model.timeline.place())),
            },
            deployments: model.deploys.place(),
            place: place.or_else(|| model.board.returning.place.clone()),
            decisions: waiting.chain(deciding).take(DECISIONS).collect(),
        }
    }

    /// The bytes of a file.
    pub fn bytes(&self) -> Vec<u8> {
        // A struct of strings and numbers always serialises.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What a file holds; nothing when it is of another version or no such file.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let saved: Self = serde_json::from_slice(bytes).ok()?;
        (saved.version == VERSION).then_some(saved)
    }

    /// Puts it into `model`, which is fresh; what needs the server's state waits in [`Returning`].
    pub fn restore(self, model: &mut Model) {
        let [say, timeline, deploy, column] =
            self.sizes.map(|size| size.clamp(-Sizes::MOST, Sizes::MOST));
        model.line.set(&self.text);
        model.revising = self.revising;
        if self.writing {
            model.focus = Focus::Input;
        }
        model.pane = self.pane.into();
        model.board.strip = self.strip.into();
        model.board.zoom = self.zoom;
        model.reading = self.reading;
        model.sides = self.sides;
        model.board.sizes = Sizes {
            column,
            timeline,
            deploy,
            say,
        };
        model.timeline.set_filter(Filter::read(&self.filter));
        model.deploys.come_back(self.deployments);
        model.board.returning = Returning {
            timeline: self.timeline.filter(|(epoch, _)| !epoch.is_empty()),
            place: self.place,
            decisions: self.decisions,
        };
    }
}
