//! What works on this machine: the list that the first start shows, and that can be looked at again at any time. Who
//! looks is on the outside; `sayso doctor` prints the same list.

use async_trait::async_trait;

use crate::model::Problem;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// What to do, where something is to be done.
    pub next: Option<String>,
    /// What the cockpit can do about it by itself, in words.
    pub fix: Option<String>,
}

/// Looks at the machine, and mends what can be mended.
#[async_trait]
pub trait Doctor: Send + Sync {
    /// Looks at everything. May take a moment; never asks anything.
    async fn look(&self) -> Vec<Item>;

    /// Mends the thing called `name`; what was done, in words.
    ///
    /// # Errors
    /// Why it could not be mended.
    async fn fix(&self, name: &str) -> Result<String, Problem>;
}

/// How the microphone was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Trial {
    /// Not yet.
    #[default]
    None,
    /// It is being tried.
    Listening,
    /// Something was said, this loud at most (dB below full scale).
    Heard(f32),
    /// Nothing was heard.
    Silent,
}

/// The list on the screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkup {
    /// What was found.
    pub items: Vec<Item>,
    /// True while it is being looked at.
    pub looking: bool,
    /// The name of what is being mended.
    pub fixing: Option<String>,
    /// The selected item.
    pub selected: usize,
    /// How the microphone was tried.
    pub trial: Trial,
    /// The loudest so far in this trial.
    pub peak: f32,
}

impl Checkup {
    /// A list that is being made.
    pub fn begin() -> Self {
        Self {
            looking: true,
            peak: f32::NEG_INFINITY,
            ..Self::default()
        }
    }

    /// Takes what was found.
    pub fn put(&mut self, items: Vec<Item>) {
        self.looking = false;
        self.items = items;
        let first = self.items.iter().position(|item| !item.ok);
        self.selected = first.unwrap_or(self.selected);
        self.selected = self.selected.min(self.items.len().saturating_sub(1));
    }

    /// The selected item.
    pub fn selected(&self) -> Option<&Item> {
        self.items.get(self.selected)
    }

    /// Items that are not as they should be.
    pub fn wrong(&self) -> usize {
        self.items.iter().filter(|item| !item.ok).count()
    }
}
