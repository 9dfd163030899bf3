//! What happened, as rows: folded per instruction, filtered, and ready to be shown.
//!
//! A window of at most [`LIMIT`] rows lies in memory, whatever the length of the log. Who scrolls to its end makes it
//! move: older or newer events are asked for in pages, and what is farthest from the eye is dropped.

pub mod filter;
mod group;
mod place;
mod take;
mod window;
mod words;

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

pub use filter::Filter;
pub use group::{Group, Key};
pub use place::Place;
pub use words::{reading, typed};

use crate::model::{Event, EventKind};

/// Rows kept.
pub const LIMIT: usize = 5_000;
/// Events asked for at a time.
pub const PAGE: u64 = 1_000;
/// Pages looked through for rows that pass a filter before somebody has to ask for more.
const SCAN: u32 = 40;
/// Bytes of a row's text.
const TEXT: usize = 400;
/// Groups looked through for the one that a new event belongs to.
const NEAR: usize = 50;
/// Rows of a group looked through for the one that a new event continues.
const BEFORE: usize = 100;
/// Environments known by name.
const ENVIRONMENTS: usize = 16;

/// How a row is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// One step of many.
    Plain,
    /// Went well.
    Good,
    /// Failed.
    Bad,
    /// Needs attention.
    Warn,
}

impl Tone {
    /// The mark that says it without colour.
    pub fn mark(self) -> &'static str {
        match self {
            Tone::Plain => "·",
            Tone::Good => "✓",
            Tone::Bad => "✗",
            Tone::Warn => "!",
        }
    }
}

/// A row of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The place in the log of the first event that it stands for: its name.
    pub id: u64,
    /// The place of the newest event that it stands for.
    pub seq: u64,
    /// When it began.
    pub at: Timestamp,
    /// When the newest event came.
    pub until: Timestamp,
    /// When it began, as shown.
    pub clock: String,
    /// What kind of event.
    pub kind: EventKind,
    /// How to take it.
    pub tone: Tone,
    /// What happened, harmless and in one line.
    pub text: String,
    /// Milliseconds it took by its own account.
    pub took: Option<u64>,
    /// Milliseconds since the event before it of the same group.
    pub after: Option<u64>,
    /// How many events of the same kind and words it stands for.
    pub times: usize,
    /// True when it passes the filter.
    pub passes: bool,
    /// The environment.
    pub environment: Option<Box<str>>,
    deployment: Option<Box<str>>,
}

/// A line of the pane.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// The heading of a group, and whether its rows follow.
    Head(&'a Group, bool),
    /// A row, and whether it stands under a heading.
    Row(&'a Row, bool),
}

impl Entry<'_> {
    fn spot(&self) -> Spot {
        match self {
            Entry::Head(group, _) => Spot {
                id: group.rows.front().map_or(0, |row| row.id),
                head: true,
            },
            Entry::Row(row, _) => Spot {
                id: row.id,
                head: false,
            },
        }
    }
}

/// The name of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Spot {
    id: u64,
    head: bool,
}

/// The timeline.
#[derive(Clone, Debug)]
pub struct Timeline {
    groups: VecDeque<Group>,
    count: usize,
    zone: TimeZone,
    /// Lines between the newest one and the lowest one shown; 0 follows.
    back: usize,
    cursor: Option<Spot>,
    filter: Filter,
    environments: Vec<String>,
    /// The newest event in the window, and the newest one heard of.
    newest: u64,
    tail: u64,
    oldest: Option<u64>,
    /// Nothing older than this is kept by the server.
    floor: u64,
    /// The window does not reach to the newest event.
    away: bool,
    /// Rows that do not pass the filter were dropped to keep those that do.
    sparse: bool,
    loading: bool,
    reload: bool,
    scanned: u32,
    folds: place::Folds,
    /// The line that is to be the lowest one as soon as it is there.
    awaited: Option<Spot>,
    /// The event around which the window is to be loaded.
    jump: Option<u64>,
    /// The rows around it were asked for.
    jumped: bool,
}

impl Timeline {
    /// An empty timeline that shows times in `zone`.
    pub fn new(zone: TimeZone) -> Self {
        Self {
            groups: VecDeque::new(),
            count: 0,
            zone,
            back: 0,
            cursor: None,
            filter: Filter::default(),
            environments: Vec::new(),
            newest: 0,
            tail: 0,
            oldest: None,
            floor: 1,
            away: false,
            sparse: false,
            loading: false,
            reload: false,
            scanned: 0,
            folds: place::Folds::new(),
            awaited: None,
            jump: None,
            jumped: false,
        }
    }

    /// Number of rows in the window, shown or not.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The newest event heard of; events up to it are not taken again.
    #[allow(clippy::misnamed_getters)]
    pub fn newest(&self) -> u64 {
        self.tail
    }

    /// The filter.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The environments that events named so far.
    pub fn environments(&self) -> &[String] {
        &self.environments
    }

    /// True while older or newer events are on their way.
    pub fn loading(&self) -> bool {
        self.loading
    }

    /// The date of the newest row, to tell rows of other days by.
    pub fn newest_day(&self) -> Option<jiff::civil::Date> {
        let row = self.groups.back()?.rows.back()?;
        Some(self.zone.to_datetime(row.at).date())
    }

    /// The date and time of `at` where the person is.
    pub fn local(&self, at: Timestamp) -> jiff::civil::DateTime {
        self.zone.to_datetime(at)
    }

    /// The lines, newest first.
    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let last = self.groups.len().saturating_sub(1);
        let groups = self.groups.iter().enumerate().rev();
        groups.flat_map(move |(at, group)| {
            let headed = group.headed();
            let open = !headed || self.is_open(group, at == last);
            let head = headed.then_some(Entry::Head(group, open));
            let rows = group.passing().rev().filter(move |_| open);
            rows.map(move |row| Entry::Row(row, headed)).chain(head)
        })
    }

    fn is_open(&self, group: &Group, newest: bool) -> bool {
        group.open.unwrap_or(newest || self.filter.is_set())
    }

    /// Number of lines.
    pub fn lines(&self) -> usize {
        self.entries().count()
    }

    /// The lines for a pane of `height` rows, oldest first, with whether each is selected, and what lies below them.
    pub fn visible(&self, height: usize) -> (Vec<(Entry<'_>, bool)>, usize) {
        let back = self.back.min(self.lines().saturating_sub(height));
        let mut shown: Vec<_> = self
            .entries()
            .skip(back)
            .take(height)
            .map(|entry| (entry, self.cursor == Some(entry.spot())))
            .collect();
        shown.reverse();
        (shown, back)
    }

    /// The rows that began after event `id`, oldest first.
    pub fn rows_after(&self, id: u64) -> Vec<&Row> {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        let mut rows: Vec<&Row> = rows.filter(|row| row.id > id).collect();
        rows.sort_by_key(|row| row.id);
        rows
    }

    /// The selected line.
    pub fn selected(&self) -> Option<Entry<'_>> {
        let cursor = self.cursor?;
        self.entries().find(|entry| entry.spot() == cursor)
    }

    /// Scrolls by `rows` (negative: to older ones) in a pane of `height` rows.
    pub fn scroll(&mut self, rows: i64, height: usize) {
        // To the very end: not page by page through all that lies between.
        if rows > LIMIT as i64 {
            return self.follow();
        }
        let most = self.lines().saturating_sub(height.max(1));
        let back = (self.back.min(most) as i64).saturating_sub(rows);
        self.back = usize::try_from(back).unwrap_or(0).min(most);
        self.moved();
    }

    /// Selects the line `rows` below the selected one (negative: above); the first one selected is the lowest in
    /// sight.
    pub fn select(&mut self, rows: i64, height: usize) {
        let lines = self.lines();
        if lines == 0 {
            return;
        }
        let height = height.max(1);
        let back = self.back.min(lines.saturating_sub(height));
        let now = self.cursor.and_then(|cursor| self.index(cursor));
        let next = match now {
            None => back,
            Some(at) => usize::try_from((at as i64).saturating_sub(rows)).unwrap_or(0),
        };
        let next = next.min(lines - 1);
        self.cursor = self.spot_at(next);
        self.back = back.clamp(next.saturating_sub(height - 1), next);
        self.moved();
    }

    /// Selects the line at row `row` of a pane of `height` rows; true when it was selected already.
    pub fn select_at(&mut self, row: usize, height: usize) -> bool {
        let (shown, _) = self.visible(height);
        let Some(spot) = shown.get(row).map(|(entry, _)| entry.spot()) else {
            return false;
        };
        self.cursor.replace(spot) == Some(spot)
    }

    /// Opens or closes the selected line's group; false when there is nothing to open or close.
    pub fn fold(&mut self, open: bool) -> bool {
        let Some(cursor) = self.cursor else {
            return false;
        };
        let last = self.groups.len().saturating_sub(1);
        let holds = |group: &Group| group.rows.iter().any(|row| row.id == cursor.id);
        let Some(at) = self.groups.iter().rposition(holds) else {
            return false;
        };
        if !self.groups[at].headed() || self.is_open(&self.groups[at], at == last) == open {
            return false;
        }
        self.groups[at].open = Some(open);
        let key = self.groups[at].key.clone();
        self.folded(&key, open);
        if !open {
            self.cursor = self.groups[at].rows.front().map(|row| Spot {
                id: row.id,
                head: true,
            });
        }
        true
    }

    /// Opens every group, or closes them all when one is open.
    pub fn fold_all(&mut self) {
        let last = self.groups.len().saturating_sub(1);
        let any = self.groups.iter().enumerate();
        let any = any
            .filter(|(_, group)| group.headed())
            .any(|(at, group)| self.is_open(group, at == last));
        let mut keys = Vec::new();
        for group in &mut self.groups {
            group.open = Some(!any);
            keys.push(group.key.clone());
        }
        for key in keys {
            self.folded(&key, !any);
        }
        self.moved();
        self.cursor = None;
        self.back = 0;
    }

    /// Shows only what passes `filter`.
    pub fn set_filter(&mut self, filter: Filter) {
        if filter == self.filter {
            return;
        }
        self.filter = filter;
        self.back = 0;
        self.cursor = None;
        self.moved();
        if self.sparse {
            self.forget();
            return;
        }
        for row in self.groups.iter_mut().flat_map(|group| &mut group.rows) {
            row.passes = self
                .filter
                .passes(row.kind, row.environment.as_deref(), &row.text);
        }
    }

    /// Shows the newest row again.
    pub fn follow(&mut self) {
        self.moved();
        self.back = 0;
        self.cursor = None;
        if self.away {
            self.forget();
        }
    }

    /// True when the newest row is shown and nothing is selected.
    pub fn follows(&self) -> bool {
        self.back == 0 && self.cursor.is_none() && !self.away
    }

    /// Lines between the newest one and the lowest one in sight.
    pub fn back(&self) -> usize {
        self.back
    }

    /// Forgets everything: another log begins.
    pub fn clear(&mut self) {
        let filter = std::mem::take(&mut self.filter);
        let folds = std::mem::take(&mut self.folds);
        *self = Self {
            filter,
            folds,
            ..Self::new(self.zone.clone())
        };
    }

    /// Takes an event; false when it was taken before.
    pub fn push(&mut self, event: &Event) -> bool {
        if event.seq <= self.tail {
            return false;
        }
        self.tail = event.seq;
        // The window is elsewhere: it will be asked for when somebody looks.
        if self.away || self.reload {
            return true;
        }
        self.pinned(|timeline| {
            timeline.take(event);
            timeline.trim_front();
        });
        true
    }

    /// Does `change`, and leaves in sight what a person reads.
    fn pinned(&mut self, change: impl FnOnce(&mut Self)) {
        let reading = self.back > 0 || self.cursor.is_some();
        let spot = reading.then(|| self.spot_at(self.back)).flatten();
        change(self);
        if let Some(at) = spot.and_then(|spot| self.index(spot)) {
            self.back = at;
        }
    }

    fn spot_at(&self, back: usize) -> Option<Spot> {
        self.entries().nth(back).map(|entry| entry.spot())
    }

    fn index(&self, spot: Spot) -> Option<usize> {
        let exact = self.entries().position(|entry| entry.spot() == spot);
        // Its group was closed meanwhile, or its heading has another first row.
        exact.or_else(|| {
            self.entries().position(|entry| match entry {
                Entry::Head(group, _) => group.rows.iter().any(|row| row.id == spot.id),
                Entry::Row(row, _) => row.id == spot.id,
            })
        })
    }
}
