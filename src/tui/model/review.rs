//! A proposal that waits for a person, and how far the person has come in reading it.

use std::borrow::Cow;

use crate::model::api::ProposalView;
use crate::model::{Content, Decision, Hunk, LineTag, ProposalId, ProposedFile};
use crate::tui::text;

/// A row of the diff before it is wrapped. Indices point into the proposal's files, hunks and lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffRow {
    /// Something to know before approving.
    Warning(usize),
    /// What was understood, and why there.
    Note(usize),
    /// An empty row.
    Blank,
    /// Heading of a file.
    File(usize),
    /// Heading of a hunk.
    Hunk(usize, usize),
    /// A line of a hunk.
    Line(usize, usize, usize),
    /// "No newline at end of file", for the line above.
    NoNewline(usize, usize, usize),
}

/// A row on the screen: a piece of a [`DiffRow`], as a byte range of its shown text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Index of the row.
    pub row: u32,
    /// First byte.
    pub from: u32,
    /// End.
    pub to: u32,
}

/// One proposal under review.
#[derive(Clone, Debug)]
pub struct Review {
    /// The document.
    pub view: ProposalView,
    /// The selected hunk, counted over all files.
    pub selected: usize,
    /// First piece shown.
    pub top: usize,
    rows: Rows,
    pieces: Vec<Piece>,
    columns: usize,
}

impl Review {
    /// A review that begins at the first hunk.
    pub fn new(view: ProposalView) -> Self {
        let rows = Rows::of(&view);
        Self {
            view,
            selected: 0,
            top: 0,
            rows,
            pieces: Vec::new(),
            columns: 0,
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
        self.view
            .proposal
            .files
            .iter()
            .map(|file| file.hunks.len())
            .sum()
    }

    /// The selected hunk with its file.
    pub fn current(&self) -> Option<(&ProposedFile, &Hunk)> {
        let (file, _, hunk) = self.hunks().nth(self.selected)?;
        Some((&self.view.proposal.files[file], hunk))
    }

    /// The place of a hunk in the count over all files.
    pub fn place(&self, file: usize, hunk: usize) -> usize {
        let before = &self.view.proposal.files[..file];
        before.iter().map(|file| file.hunks.len()).sum::<usize>() + hunk
    }

    /// Ids of the accepted hunks.
    pub fn accepted(&self) -> Vec<String> {
        self.hunks()
            .filter(|(_, _, hunk)| hunk.decision == Decision::Accepted)
            .map(|(_, _, hunk)| hunk.id.clone())
            .collect()
    }

    /// Records a decision before the server has confirmed it.
    pub fn decide(&mut self, id: &str, decision: Decision) {
        let hunks = self
            .view
            .proposal
            .files
            .iter_mut()
            .flat_map(|file| &mut file.hunks);
        for hunk in hunks.filter(|hunk| hunk.id == id) {
            hunk.decision = decision;
        }
    }

    /// Takes a newer form of the same proposal; the selected hunk and what is in sight stay where they can.
    pub fn replace(&mut self, view: ProposalView) {
        let selected = self.current().map(|(_, hunk)| hunk.id.clone());
        let columns = self.columns;
        let anchor = self.top.saturating_sub(self.heading(self.selected));
        let before = self.heading(self.selected) <= self.top;
        self.rows = Rows::of(&view);
        self.view = view;
        let found = self
            .hunks()
            .position(|(_, _, hunk)| Some(&hunk.id) == selected.as_ref());
        self.selected = found.unwrap_or(self.selected.min(self.count().saturating_sub(1)));
        self.columns = 0;
        self.flow(columns);
        if before && found.is_some() {
            self.top = self.heading(self.selected) + anchor;
        }
        self.top = self.top.min(self.pieces.len().saturating_sub(1));
    }

    /// Wraps the rows to `columns`; what was at the top stays there.
    pub fn flow(&mut self, columns: usize) {
        if columns == self.columns || columns == 0 {
            return;
        }
        let anchor = self
            .pieces
            .get(self.top)
            .map(|piece| (piece.row, piece.from));
        let mut pieces = Vec::with_capacity(self.rows.rows.len());
        for (index, row) in self.rows.rows.iter().enumerate() {
            let row_number = u32::try_from(index).unwrap_or(u32::MAX);
            let shown = self.shown(*row);
            let prose = matches!(row, DiffRow::Warning(_) | DiffRow::Note(_));
            pieces.extend(
                text::wrap(&shown, columns, prose)
                    .into_iter()
                    .map(|range| Piece {
                        row: row_number,
                        from: u32::try_from(range.start).unwrap_or(u32::MAX),
                        to: u32::try_from(range.end).unwrap_or(u32::MAX),
                    }),
            );
        }
        self.pieces = pieces;
        self.columns = columns;
        if let Some(anchor) = anchor {
            let after = self
                .pieces
                .partition_point(|piece| (piece.row, piece.from) <= anchor);
            self.top = after.saturating_sub(1);
        }
    }

    /// The rows on the screen; empty until [`Review::flow`].
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The row that a piece belongs to.
    pub fn row(&self, piece: Piece) -> DiffRow {
        self.rows.rows[piece.row as usize]
    }

    /// Line numbers of a piece's row on the old and the new side; 0 for none.
    pub fn numbers(&self, piece: Piece) -> (u32, u32) {
        self.rows.numbers[piece.row as usize]
    }

    /// The whole shown text of a row, without marks and line numbers.
    pub fn shown(&self, row: DiffRow) -> Cow<'_, str> {
        let proposal = &self.view.proposal;
        match row {
            DiffRow::Warning(at) => Cow::Owned(text::clean_prose(&proposal.warnings[at])),
            DiffRow::Note(at) => Cow::Owned(text::clean_prose(&proposal.notes[at])),
            DiffRow::Blank => Cow::Borrowed(""),
            DiffRow::File(file) => Cow::Owned(heading(&proposal.files[file])),
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
        }
    }

    /// The text of one piece.
    pub fn piece_text<'a>(&self, piece: Piece, shown: &'a str) -> &'a str {
        shown
            .get(piece.from as usize..piece.to as usize)
            .unwrap_or_default()
    }

    /// The piece at which the heading of a hunk stands.
    pub fn heading(&self, place: usize) -> usize {
        let Some(row) = self.rows.hunks.get(place) else {
            return 0;
        };
        self.pieces
            .partition_point(|piece| (piece.row as usize) < *row)
    }

    /// The file that the piece at `at` belongs to.
    pub fn file_at(&self, at: usize) -> Option<usize> {
        match self.row(*self.pieces.get(at)?) {
            DiffRow::File(file) | DiffRow::Hunk(file, _) => Some(file),
            DiffRow::Line(file, ..) | DiffRow::NoNewline(file, ..) => Some(file),
            DiffRow::Warning(_) | DiffRow::Note(_) | DiffRow::Blank => None,
        }
    }

    /// The hunk that the piece at `at` belongs to, counted over all files.
    pub fn hunk_at(&self, at: usize) -> Option<usize> {
        match self.row(*self.pieces.get(at)?) {
            DiffRow::Hunk(file, hunk) => Some(self.place(file, hunk)),
            DiffRow::Line(file, hunk, _) | DiffRow::NoNewline(file, hunk, _) => {
                Some(self.place(file, hunk))
            }
            DiffRow::Warning(_) | DiffRow::Note(_) | DiffRow::Blank | DiffRow::File(_) => None,
        }
    }

    /// Scrolls by `by` pieces in a pane of `height`.
    pub fn scroll(&mut self, by: i64, height: usize) {
        let most = self.pieces.len().saturating_sub(height.max(1));
        let top = (self.top.min(most) as i64).saturating_add(by);
        self.top = usize::try_from(top).unwrap_or(0).min(most);
    }

    /// Selects another hunk and brings it into a pane of `height`; a hunk that is all in sight moves nothing.
    pub fn select(&mut self, place: usize, height: usize) {
        if place >= self.count() {
            return;
        }
        self.selected = place;
        let start = self.heading(place);
        let end = if place + 1 < self.count() {
            self.heading(place + 1)
        } else {
            self.pieces.len()
        };
        let whole = start >= self.top && end <= self.top + height;
        if !whole {
            // The row above the heading is left for the name of the file.
            let most = self.pieces.len().saturating_sub(height.max(1));
            self.top = start.saturating_sub(1).min(most);
        }
    }
}

/// What a file's heading says.
fn heading(file: &ProposedFile) -> String {
    let path = text::clean(&file.path);
    let what = match (&file.before, &file.after) {
        (Content::Absent, Content::Binary { size, .. }) => {
            format!("new binary file, {}", text::bytes(*size))
        }
        (Content::Absent, _) => "new file".to_owned(),
        (_, Content::Absent) => "deleted".to_owned(),
        (Content::Binary { size: old, .. }, Content::Binary { size: new, .. }) => {
            format!("binary file, {} → {}", text::bytes(*old), text::bytes(*new))
        }
        (_, Content::Binary { size, .. }) => {
            format!("becomes a binary file, {}", text::bytes(*size))
        }
        _ => String::new(),
    };
    let mode =
        (file.mode_before != file.mode_after && file.mode_before != 0 && file.mode_after != 0)
            .then(|| format!("mode {:o} → {:o}", file.mode_before, file.mode_after));
    let mut out = path.into_owned();
    for part in [Some(what).filter(|what| !what.is_empty()), mode]
        .into_iter()
        .flatten()
    {
        out.push_str("  ");
        out.push_str(&part);
    }
    out
}

/// The rows of a proposal, the line numbers of each (old side, new side; 0: none), and where the hunks' headings stand.
#[derive(Clone, Debug, Default)]
struct Rows {
    rows: Vec<DiffRow>,
    numbers: Vec<(u32, u32)>,
    hunks: Vec<usize>,
}

impl Rows {
    fn of(view: &ProposalView) -> Self {
        let proposal = &view.proposal;
        let mut out = Self::default();
        for at in 0..proposal.warnings.len() {
            out.push(DiffRow::Warning(at), (0, 0));
        }
        for at in 0..proposal.notes.len() {
            out.push(DiffRow::Note(at), (0, 0));
        }
        for (f, file) in proposal.files.iter().enumerate() {
            if !out.rows.is_empty() {
                out.push(DiffRow::Blank, (0, 0));
            }
            out.push(DiffRow::File(f), (0, 0));
            for (h, hunk) in file.hunks.iter().enumerate() {
                out.hunks.push(out.rows.len());
                out.push(DiffRow::Hunk(f, h), (0, 0));
                out.lines(f, h, hunk);
            }
        }
        out
    }

    fn lines(&mut self, f: usize, h: usize, hunk: &Hunk) {
        let number = |at: usize| u32::try_from(at).unwrap_or(0);
        let (mut old, mut new) = (hunk.old_start, hunk.new_start);
        for (l, line) in hunk.lines.iter().enumerate() {
            let on_old = line.tag != LineTag::Insert;
            let on_new = line.tag != LineTag::Delete;
            let numbers = (
                if on_old { number(old) } else { 0 },
                if on_new { number(new) } else { 0 },
            );
            old += usize::from(on_old);
            new += usize::from(on_new);
            self.push(DiffRow::Line(f, h, l), numbers);
            if line.no_newline {
                self.push(DiffRow::NoNewline(f, h, l), (0, 0));
            }
        }
    }

    fn push(&mut self, row: DiffRow, numbers: (u32, u32)) {
        self.rows.push(row);
        self.numbers.push(numbers);
    }
}
