//! A list to look something up in: the keys of the context, or everything there is.

use super::Overlay;
use super::line::Line;
use crate::tui::keymap::Context;

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MenuKind {
    /// The keys, those of the context first.
    Keys,
    /// All actions, settings and earlier instructions.
    Everything,
}

/// An open list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// What is listed.
    pub kind: MenuKind,
    /// Where it was opened.
    pub from: Context,
    /// What is looked for.
    pub filter: Line,
    /// The selected entry among those found.
    pub at: usize,
    /// The first entry shown.
    pub top: usize,
    /// What lay over the panes before, and does again afterwards.
    pub under: Option<Box<Overlay>>,
}

impl Menu {
    /// A list that shows all it has.
    pub fn new(kind: MenuKind, from: Context, under: Option<Overlay>) -> Self {
        Self {
            kind,
            from,
            filter: Line::default(),
            at: 0,
            top: 0,
            under: under.map(Box::new),
        }
    }

    /// Moves the selection among `count` entries in a window of `height`.
    pub fn step(&mut self, by: i64, count: usize, height: usize) {
        let last = i64::try_from(count.saturating_sub(1)).unwrap_or(i64::MAX);
        let at = i64::try_from(self.at).unwrap_or(i64::MAX);
        self.at = usize::try_from(at.saturating_add(by).clamp(0, last)).unwrap_or(0);
        self.top = self
            .top
            .clamp((self.at + 1).saturating_sub(height.max(1)), self.at);
    }

    /// Something else is looked for: the best entry is selected.
    pub fn refilter(&mut self) {
        (self.at, self.top) = (0, 0);
    }
}
