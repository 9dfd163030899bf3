//! The window over the log: what is in memory, what is asked for, what is dropped.

use super::{Key, LIMIT, NEAR, PAGE, SCAN, Timeline};
use crate::model::Event;

impl Timeline {
    /// Drops the window; the newest events are asked for anew.
    pub(super) fn forget(&mut self) {
        self.groups.clear();
        self.count = 0;
        self.newest = 0;
        self.oldest = None;
        self.away = false;
        self.sparse = false;
        self.reload = self.tail > 0;
        self.scanned = 0;
    }

    /// The oldest event that the server keeps.
    pub fn kept_from(&mut self, oldest: u64) {
        self.floor = oldest.max(1);
    }

    /// The events to ask for now, in a pane of `height` rows: those after the first number up to the second.
    pub fn wanted(&mut self, height: usize) -> Option<(u64, u64)> {
        if self.loading {
            return None;
        }
        let range = if let Some(at) = self.jump.filter(|_| self.reload) {
            self.jumped = true;
            let until = at.saturating_add(PAGE / 2).min(self.tail);
            Some((at.saturating_sub(PAGE / 2), until))
        } else if self.reload {
            Some((self.tail.saturating_sub(PAGE), self.tail))
        } else {
            self.older(height).or_else(|| self.newer(height))
        };
        self.reload = false;
        self.loading = range.is_some();
        range.map(|(from, until)| (from.max(self.floor - 1), until))
    }

    fn older(&mut self, height: usize) -> Option<(u64, u64)> {
        let before = self.oldest?;
        let reading = self.back > 0 || self.cursor.is_some() || self.filter.is_set();
        if before <= self.floor || !reading || self.back + 2 * height < self.lines() {
            return None;
        }
        if self.filter.is_set() {
            if self.scanned >= SCAN {
                return None;
            }
            self.scanned += 1;
        }
        Some((before.saturating_sub(PAGE + 1), before - 1))
    }

    fn newer(&self, height: usize) -> Option<(u64, u64)> {
        (self.away && self.back < height).then(|| {
            let until = self.newest.saturating_add(PAGE).min(self.tail);
            (self.newest, until)
        })
    }

    /// Takes a page that was asked for, or the history: what is older goes before the window, what is newer behind.
    pub fn page(&mut self, events: &[Event]) {
        self.loading = false;
        let oldest = self.oldest.unwrap_or(u64::MAX);
        let older = events.iter().filter(|event| event.seq < oldest);
        let older: Vec<&Event> = older.collect();
        if events.is_empty() {
            // Nothing came although something was asked for: do not ask for it again and again.
            self.floor = self.oldest.unwrap_or(self.floor);
            self.away = false;
        } else if older.is_empty() {
            self.pinned(|timeline| {
                for event in events {
                    if event.seq > timeline.newest {
                        timeline.take(event);
                    }
                }
                timeline.away = timeline.newest < timeline.tail;
                timeline.trim_front();
            });
        } else {
            self.prepend(&older);
        }
        self.arrive();
    }

    fn prepend(&mut self, events: &[&Event]) {
        let mut earlier = Timeline::new(self.zone.clone());
        earlier.filter = self.filter.clone();
        earlier.folds = std::mem::take(&mut self.folds);
        for event in events {
            earlier.take(event);
        }
        self.folds = std::mem::take(&mut earlier.folds);
        self.oldest = earlier.oldest;
        self.newest = self.newest.max(earlier.newest);
        self.tail = self.tail.max(self.newest);
        self.count += earlier.count;
        for name in earlier.environments {
            self.know(&name);
        }
        if let (Some(before), Some(after)) = (earlier.groups.back_mut(), self.groups.front_mut())
            && before.key == after.key
            && before.key != Key::Loose
        {
            before.rows.append(&mut after.rows);
            before.open = after.open;
            self.groups.pop_front();
        }
        earlier.groups.append(&mut self.groups);
        self.groups = earlier.groups;
        if self.count <= LIMIT {
            return;
        }
        self.drop_hidden();
        if self.back > 0 || self.cursor.is_some() {
            self.trim_back();
        } else {
            self.trim_front();
        }
    }

    /// With a filter: keeps the rows that pass it, however far they are apart.
    fn drop_hidden(&mut self) {
        if !self.filter.is_set() {
            return;
        }
        for group in &mut self.groups {
            let before = group.rows.len();
            group.rows.retain(|row| row.passes);
            self.count -= before - group.rows.len();
        }
        self.groups.retain(|group| !group.rows.is_empty());
        self.sparse = true;
    }

    pub(super) fn trim_front(&mut self) {
        if self.count > LIMIT {
            self.drop_hidden();
        }
        while self.count > LIMIT {
            let Some(first) = self.groups.front_mut() else {
                return;
            };
            first.rows.pop_front();
            self.count -= 1;
            if first.rows.is_empty() {
                self.groups.pop_front();
            }
            let front = self.groups.front().and_then(|group| group.rows.front());
            self.oldest = front.map(|row| row.id).or(self.oldest);
        }
    }

    /// Drops the newest rows: the person reads older ones.
    fn trim_back(&mut self) {
        let back = self.back;
        let spot = self.spot_at(back);
        while self.count > LIMIT {
            let Some(last) = self.groups.back_mut() else {
                return;
            };
            last.rows.pop_back();
            self.count -= 1;
            if last.rows.is_empty() {
                self.groups.pop_back();
            }
            self.away = true;
        }
        let rows = self.groups.iter().rev().take(NEAR);
        self.newest = rows
            .filter_map(|group| group.rows.back())
            .map(|row| row.seq)
            .max()
            .unwrap_or(0);
        self.back = spot.and_then(|spot| self.index(spot)).unwrap_or(0);
    }
}
