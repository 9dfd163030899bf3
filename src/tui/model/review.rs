//! A proposal that waits for a person, and how far the person has come in reading it.
//!
//! Only what is in sight is laid out: the cost of a key does not grow with the diff.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::marks::Marks;
use super::notes::Annotations;
use super::painting::{PaintJob, Painting};
use super::rows::{self, Rows};
use super::tally::Tally;
use crate::model::api::ProposalView;
use crate::model::{Decision, Hunk, ProposalId, ProposedFile};
use crate::tui::text;

pub use super::rows::DiffRow;

/// A line of text longer than this is wrapped once and kept.
const LONG: usize = 8 * 1024;

/// A line on the screen: which piece of which row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Index of the row.
    pub row: usize,
    /// Which line of the wrapped row, from 0.
    pub nth: usize,
    /// The bytes of the shown text of the row, or of its left half.
    pub left: Range<usize>,
    /// The bytes of the right half.
    pub right: Range<usize>,
}

/// How the diff is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Columns for the text of a line: of the row, or of each half.
    pub columns: usize,
    /// Columns for a heading.
    pub whole: usize,
    /// Old beside new.
    pub sides: bool,
}

/// One proposal under review.
#[derive(Clone, Debug)]
pub struct Review {
    /// The document.
    pub view: ProposalView,
    /// The selected hunk, counted over all files.
    pub selected: usize,
    /// First row shown.
    pub top: usize,
    /// Lines of it that are above the window.
    pub skip: usize,
    /// The row that the cursor is on in the full view.
    pub cursor: usize,
    /// Where the selection of lines began.
    pub anchor: Option<usize>,
    /// What an approval would take.
    pub tally: Tally,
    /// Words that changed inside a line.
    pub marks: Marks,
    /// Colours of the text.
    pub painting: Painting,
    /// What others mark and say, and where they are.
    pub annotations: Annotations,
    pub(super) rows: Rows,
    pub(super) pieces: Vec<Piece>,
    shape: Shape,
    pub(super) height: usize,
    /// First byte in sight of the row at the top, for when the width changes.
    first: usize,
    long: HashMap<usize, Vec<Range<usize>>>,
}

impl Review {
    /// A review that begins at the first hunk.
    pub fn new(view: ProposalView) -> Self {
        let rows = Rows::of(&view, false, &[]);
        let tally = Tally::of(&view.proposal.files);
        let cursor = rows.heading(0).unwrap_or(0);
        Self {
            view,
            selected: 0,
            top: 0,
            skip: 0,
            cursor,
            anchor: None,
            tally,
            marks: Marks::default(),
            painting: Painting::default(),
            annotations: Annotations::default(),
            rows,
            pieces: Vec::new(),
            shape: Shape::default(),
            height: 0,
            first: 0,
            long: HashMap::new(),
        }
    }

    /// The proposal's name.
    pub fn id(&self) -> &ProposalId {
        &self.view.proposal.id
    }

    /// The version on the screen.
    pub fn version(&self) -> u32 {
        self.view.proposal.version
    }

    /// Its rows.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// All hunks with the index of their file and their own.
    pub fn hunks(&self) -> impl Iterator<Item = (usize, usize, &Hunk)> {
        let files = self.view.proposal.files.iter().enumerate();
        files.flat_map(|(f, file)| {
            file.hunks
                .iter()
                .enumerate()
                .map(move |(h, hunk)| (f, h, hunk))
        })
    }

    /// Number of hunks.
    pub fn count(&self) -> usize {
        self.rows.count()
    }

    /// The hunk at `place`, counted over all files, with its file.
    pub fn hunk(&self, place: usize) -> Option<(&ProposedFile, &Hunk)> {
        let (file, hunk) = self.rows.hunk(place)?;
        let file = self.view.proposal.files.get(file)?;
        Some((file, file.hunks.get(hunk)?))
    }

    /// The selected hunk with its file.
    pub fn current(&self) -> Option<(&ProposedFile, &Hunk)> {
        self.hunk(self.selected)
    }

    /// The place of a hunk in the count over all files.
    pub fn place(&self, file: usize, hunk: usize) -> usize {
        self.rows.place(file, hunk)
    }

    /// Ids of the accepted hunks.
    pub fn accepted(&self) -> Vec<String> {
        self.hunks()
            .filter(|(_, _, hunk)| hunk.decision == Decision::Accepted)
            .map(|(_, _, hunk)| hunk.id.clone())
            .collect()
    }

    /// Records a decision before the server has confirmed it: on whole hunks, or on lines of one.
    pub fn decide(&mut self, ids: &[String], lines: Option<&[usize]>, decision: Decision) {
        let files = &mut self.view.proposal.files;
        for hunk in files.iter_mut().flat_map(|file| &mut file.hunks) {
            if ids.contains(&hunk.id) {
                hunk.decide(lines, decision);
            }
        }
        self.tally = Tally::of(&self.view.proposal.files);
    }

    /// Takes a newer form of the same proposal; the selected hunk and what is in sight stay where they can.
    pub fn replace(&mut self, view: ProposalView) {
        let places = [Some(self.top), Some(self.cursor), self.anchor];
        let places = places.map(|at| at.map(|at| self.landmark(at)));
        let selected = self.current().map(|(_, hunk)| hunk.id.clone());
        self.painting.renew(&self.view, &view);
        self.marks = Marks::default();
        self.long.clear();
        self.rows = Rows::of(&view, self.shape.sides, &self.annotations.notes);
        self.view = view;
        self.tally = Tally::of(&self.view.proposal.files);
        let found = self
            .hunks()
            .position(|(_, _, hunk)| Some(&hunk.id) == selected.as_ref());
        self.selected = found.unwrap_or(self.selected.min(self.count().saturating_sub(1)));
        let [top, cursor, anchor] =
            places.map(|place| place.and_then(|place| self.find(&place, found.is_some())));
        let heading = self.rows.heading(self.selected).unwrap_or(0);
        self.top = top.unwrap_or(heading.saturating_sub(1).min(self.top));
        self.cursor = cursor.unwrap_or(heading);
        self.anchor = anchor;
        self.lay_out(self.shape, self.height);
    }

    /// What stands at row `at`, by names that outlive a new version.
    fn landmark(&self, at: usize) -> Landmark {
        let row = self.rows.row(at);
        let file = row.file().map(|file| &self.view.proposal.files[file]);
        Landmark {
            row: at,
            path: file.map(|file| file.path.clone()),
            hunk: row
                .hunk()
                .map(|(f, h)| self.view.proposal.files[f].hunks[h].id.clone()),
            line: row.lines().into_iter().flatten().next(),
            said: match row {
                DiffRow::Said(_, at) => self.annotations.notes.get(at).map(|it| it.id.clone()),
                _ => None,
            },
        }
    }

    /// Where a landmark stands now; without its hunk, nowhere, unless another hunk keeps the place.
    fn find(&self, place: &Landmark, kept: bool) -> Option<usize> {
        if let Some(id) = &place.said {
            let is_it = |row: &usize| match self.rows.row(*row) {
                DiffRow::Said(_, at) => {
                    let note = self.annotations.notes.get(at);
                    note.is_some_and(|note| note.id == *id)
                }
                _ => false,
            };
            return (0..self.rows.len())
                .find(is_it)
                .or(Some(place.row).filter(|row| *row < self.rows.len()));
        }
        let Some(path) = &place.path else {
            return Some(place.row).filter(|row| *row < self.rows.len());
        };
        let files = &self.view.proposal.files;
        let file = files.iter().position(|file| file.path == *path)?;
        let Some(id) = &place.hunk else {
            return self.rows.file_heading(file);
        };
        match files[file].hunks.iter().position(|hunk| hunk.id == *id) {
            Some(hunk) => self.rows.find(file, hunk, place.line),
            None if kept => Some(place.row).filter(|row| *row < self.rows.len()),
            None => None,
        }
    }

    /// Lays out what is in sight of a window of `height` lines. What is at the top stays there.
    pub fn lay_out(&mut self, shape: Shape, height: usize) {
        if shape.columns == 0 {
            self.pieces.clear();
            return;
        }
        if shape.sides != self.shape.sides {
            self.build_rows(shape.sides);
            (self.skip, self.first) = (0, 0);
        }
        if shape != self.shape {
            self.shape = shape;
            self.long.clear();
            let first = self.first;
            let lines = self.wrapped(self.top).0;
            self.skip = lines
                .partition_point(|line| line.start <= first)
                .saturating_sub(1);
        }
        self.height = height.max(1);
        self.settle();
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
        self.fill();
        for at in 0..self.pieces.len() {
            let row = self.rows.row(self.pieces[at].row);
            self.marks.note(&self.view.proposal.files, row);
        }
    }

    /// Makes the rows anew; what was at the top, at the cursor and at the anchor still is.
    fn build_rows(&mut self, sides: bool) {
        let places = [Some(self.top), Some(self.cursor), self.anchor];
        let places = places.map(|at| at.map(|at| self.landmark(at)));
        self.rows = Rows::of(&self.view, sides, &self.annotations.notes);
        self.long.clear();
        let [top, cursor, anchor] =
            places.map(|place| place.and_then(|place| self.find(&place, true)));
        (self.top, self.cursor) = (top.unwrap_or(0), cursor.unwrap_or(0));
        self.anchor = anchor;
    }

    /// What people said is something else than before.
    pub(super) fn rows_again(&mut self) {
        self.build_rows(self.shape.sides);
        self.lay_out(self.shape, self.height);
    }

    pub(super) fn fill(&mut self) {
        let mut pieces = Vec::with_capacity(self.height);
        let mut skip = self.skip;
        for row in self.top..self.rows.len() {
            if pieces.len() >= self.height {
                break;
            }
            let (left, right) = self.wrapped(row);
            let lines = left.len().max(right.len()).max(1);
            for nth in skip..lines {
                if pieces.len() >= self.height {
                    break;
                }
                pieces.push(Piece {
                    row,
                    nth,
                    left: left.get(nth).cloned().unwrap_or(0..0),
                    right: right.get(nth).cloned().unwrap_or(0..0),
                });
            }
            skip = 0;
        }
        self.first = pieces.first().map_or(0, |piece| piece.left.start);
        self.pieces = pieces;
    }

    /// Where to break the shown text of a row, or of its two halves.
    fn wrapped(&mut self, row: usize) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
        let what = self.rows.row(row);
        if let DiffRow::Pair(file, hunk, old, new) = what {
            let lines = &self.view.proposal.files[file].hunks[hunk].lines;
            let columns = self.shape.columns;
            return [old, new]
                .map(|line| match line {
                    Some(line) => {
                        text::wrap(&text::clean(&lines[line as usize].text), columns, false)
                    }
                    None => Vec::new(),
                })
                .into();
        }
        if let Some(known) = self.long.get(&row) {
            return (known.clone(), Vec::new());
        }
        let prose = matches!(
            what,
            DiffRow::Warning(_) | DiffRow::Note(_) | DiffRow::Said(..)
        );
        let heading = matches!(what, DiffRow::File(_) | DiffRow::Hunk(..));
        let shown = self.shown(what);
        let columns = if heading && self.shape.sides {
            self.shape.whole
        } else {
            self.shape.columns
        };
        let (length, pieces) = (shown.len(), text::wrap(&shown, columns, prose));
        drop(shown);
        if length > LONG {
            self.long.insert(row, pieces.clone());
        }
        (pieces, Vec::new())
    }

    /// Lines that a row takes.
    pub(super) fn lines_of(&mut self, row: usize) -> usize {
        if let DiffRow::Line(file, hunk, line) = self.rows.row(row) {
            let raw = &self.view.proposal.files[file].hunks[hunk].lines[line].text;
            if raw.len() <= self.shape.columns && raw.bytes().all(|byte| byte >= 0x20) {
                return 1;
            }
        }
        let (left, right) = self.wrapped(row);
        left.len().max(right.len()).max(1)
    }

    /// The lines in sight; empty until [`Review::lay_out`].
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The row that a piece belongs to.
    pub fn row(&self, piece: &Piece) -> DiffRow {
        self.rows.row(piece.row)
    }

    /// The jobs for the colours of what is in sight, as far as they were not asked for yet.
    pub fn wanted(&mut self) -> Vec<PaintJob> {
        let rows = self
            .pieces
            .iter()
            .map(|piece| (self.rows.row(piece.row), self.rows.numbers(piece.row)));
        self.painting.wanted(&self.view, rows)
    }

    /// Rows below the window.
    pub fn rest(&self) -> usize {
        let last = self.pieces.last().map_or(0, |piece| piece.row + 1);
        self.rows.len().saturating_sub(last)
    }

    /// The shape of the last layout.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The whole shown text of a row, without marks and line numbers; of a pair nothing.
    pub fn shown(&self, row: DiffRow) -> Cow<'_, str> {
        let proposal = &self.view.proposal;
        match row {
            DiffRow::Warning(at) => Cow::Owned(text::clean_prose(&proposal.warnings[at])),
            DiffRow::Note(at) => Cow::Owned(text::clean_prose(&proposal.notes[at])),
            DiffRow::Blank | DiffRow::Pair(..) => Cow::Borrowed(""),
            DiffRow::File(file) => Cow::Owned(rows::heading(&proposal.files[file])),
            DiffRow::Hunk(file, hunk) => {
                let shown = &proposal.files[file].hunks[hunk];
                let place = self.place(file, hunk) + 1;
                Cow::Owned(format!(
                    "hunk {place} of {}  @@ -{},{} +{},{} @@",
                    self.count(),
                    shown.old_start,
                    shown.old_lines,
                    shown.new_start,
                    shown.new_lines
                ))
            }
            DiffRow::Line(file, hunk, line) => {
                text::clean(&proposal.files[file].hunks[hunk].lines[line].text)
            }
            DiffRow::NoNewline(..) => Cow::Borrowed("\\ no newline at end of file"),
            DiffRow::Said(_, at) => Cow::Owned(self.said(at)),
        }
    }

    /// What a person said, with what is needed around it.
    fn said(&self, at: usize) -> String {
        let Some(note) = self.annotations.notes.get(at) else {
            return String::new();
        };
        let place = match (note.file, note.line) {
            (Some(file), Some(line)) => {
                let hunks = &self.view.proposal.files[file].hunks;
                let shown = hunks
                    .iter()
                    .any(|hunk| (hunk.new_start..hunk.new_start + hunk.new_lines).contains(&line));
                if shown || note.answer {
                    String::new()
                } else {
                    format!("line {line}: ")
                }
            }
            _ => String::new(),
        };
        text::clean_prose(&format!("{place}{}", note.text))
    }

    /// The file that the line `at` of the window belongs to.
    pub fn file_at(&self, at: usize) -> Option<usize> {
        self.row(self.pieces.get(at)?).file()
    }

    /// The hunk that the line `at` of the window belongs to, counted over all files.
    pub fn hunk_at(&self, at: usize) -> Option<usize> {
        let (file, hunk) = self.row(self.pieces.get(at)?).hunk()?;
        Some(self.place(file, hunk))
    }
}

/// What stands at a row, by names that outlive a new version.
struct Landmark {
    row: usize,
    path: Option<String>,
    hunk: Option<String>,
    line: Option<usize>,
    said: Option<String>,
}
