//! How the screen is divided, and what is open on it beside the proposal.

use super::{Line, Pane};
use crate::model::api::Comparison;
use crate::model::{Deployment, Event};
use crate::tui::checkup::Checkup;
use crate::tui::session::Returning;

/// How much of the screen a pane takes, in steps from what is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The right column of a wide screen.
    pub column: i8,
    /// The strip at the bottom of a normal screen, and the timeline in the right column.
    pub timeline: i8,
    /// The deploy pane in the right column.
    pub deploy: i8,
    /// The say pane.
    pub say: i8,
}

impl Sizes {
    /// Most steps in either direction.
    pub const MOST: i8 = 12;

    /// Makes `pane` larger (or smaller) by a step.
    pub fn step(&mut self, pane: Pane, larger: bool) {
        let by = if larger { 1 } else { -1 };
        let (size, by) = match pane {
            Pane::Say => (&mut self.say, by),
            Pane::Timeline => (&mut self.timeline, by),
            Pane::Deploy => (&mut self.deploy, by),
            // A larger proposal is a smaller column beside it.
            Pane::Proposal => (&mut self.column, -by),
        };
        *size = (*size + by).clamp(-Self::MOST, Self::MOST);
    }
}

/// What a page of details is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Nothing yet: it is being loaded.
    Loading,
    /// An event, with its deployment where it has one.
    Event(Box<Event>, Option<Box<Deployment>>),
    /// A deployment.
    Deployment(Box<Deployment>),
    /// Two releases beside each other.
    Comparison(Box<Comparison>),
}

/// A page over the panes.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// What it is about.
    pub subject: Subject,
    /// First row shown.
    pub top: usize,
}

/// How the screen is divided, and what is open on it.
#[derive(Clone, Debug)]
pub struct Board {
    /// The pane in front fills the screen.
    pub zoom: bool,
    /// Sizes of panes.
    pub sizes: Sizes,
    /// Which of timeline and deployments stands where there is room for one.
    pub strip: Pane,
    /// The page over the panes.
    pub details: Option<Details>,
    /// The filter of the timeline while it is being written.
    pub filter: Option<Line>,
    /// What works on this machine, once somebody looked.
    pub checkup: Option<Checkup>,
    /// The cockpit was never used on this project.
    pub first_start: bool,
    /// What was open before, and waits for the server's state.
    pub returning: Returning,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            zoom: false,
            sizes: Sizes::default(),
            strip: Pane::Timeline,
            details: None,
            filter: None,
            checkup: None,
            first_start: false,
            returning: Returning::default(),
        }
    }
}
