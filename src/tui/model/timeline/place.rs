//! What of the timeline is there again after a restart: the place that was read, and the groups that a person opened or
//! closed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Key, Spot, Timeline};

/// Groups whose state is remembered.
const FOLDS: usize = 300;

/// Groups that a person opened (`true`) or closed, by name.
pub type Folds = BTreeMap<String, bool>;

/// Where the timeline was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The lowest line in sight; nothing while the newest one is followed.
    #[serde(default)]
    lowest: Option<Spot>,
    /// The selected line.
    #[serde(default)]
    cursor: Option<Spot>,
    /// Groups that a person opened or closed.
    #[serde(default)]
    folds: Folds,
}

impl Timeline {
    /// Where it is read now, or was read before the rows of that place are there again.
    pub fn place(&self) -> Place {
        let lowest = if self.back > 0 || self.away {
            self.spot_at(self.back)
        } else {
            None
        };
        Place {
            lowest: self.awaited.or(lowest),
            cursor: self.cursor,
            folds: self.folds.clone(),
        }
    }

    /// Goes back to `place` as soon as its rows are there; they are asked for if need be.
    pub fn come_back(&mut self, place: Place) {
        self.folds = place.folds;
        for group in &mut self.groups {
            group.open = opened(&self.folds, &group.key);
        }
        self.cursor = place.cursor;
        self.awaited = place.lowest;
        if !self.is_empty() {
            self.arrive();
        }
    }

    /// Rows came: is the place among them that was left?
    pub(super) fn arrive(&mut self) {
        if std::mem::take(&mut self.jumped) {
            self.away = self.newest < self.tail;
        }
        let Some(spot) = self.awaited else { return };
        if let Some(at) = self.index(spot) {
            self.back = at;
            self.awaited = None;
            self.jump = None;
        } else if self.jump.is_none() && self.oldest.is_some_and(|oldest| spot.id < oldest) {
            self.forget();
            self.jump = Some(spot.id);
        } else {
            // It is not kept any more, or does not pass the filter.
            self.awaited = None;
            self.jump = None;
        }
    }

    /// The person goes elsewhere.
    pub(super) fn moved(&mut self) {
        self.awaited = None;
        self.jump = None;
        self.scanned = 0;
    }

    /// Notes that the group `key` was opened or closed.
    pub(super) fn folded(&mut self, key: &Key, open: bool) {
        if let Some(name) = name(key) {
            self.folds.insert(name, open);
            if self.folds.len() > FOLDS {
                self.folds.pop_first();
            }
        }
    }
}

/// Whether a person opened or closed the group `key`.
pub(super) fn opened(folds: &Folds, key: &Key) -> Option<bool> {
    folds.get(&name(key)?).copied()
}

fn name(key: &Key) -> Option<String> {
    match key {
        Key::Instruction(id) | Key::Deployment(id) => Some(id.clone()),
        Key::Loose => None,
    }
}
