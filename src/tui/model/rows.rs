//! The rows of a diff before they are wrapped: one column (unified) or two (old beside new).

use std::borrow::Cow;

use super::notes::Note as Said;
use crate::model::api::ProposalView;
use crate::model::{Content, Hunk, LineTag, ProposedFile};
use crate::tui::text;

/// A row of the diff before it is wrapped. Indices point into the proposal's files, hunks and lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffRow {
    /// Something to know before approving.
    Warning(usize),
    /// What was understood, and why there.
    Note(usize),
    /// Something that a person said: the file it is about, and its index.
    Said(Option<usize>, usize),
    /// An empty row.
    Blank,
    /// Heading of a file.
    File(usize),
    /// Heading of a hunk.
    Hunk(usize, usize),
    /// A line of a hunk.
    Line(usize, usize, usize),
    /// A line of the old side beside one of the new side; either may be missing.
    Pair(usize, usize, Option<u32>, Option<u32>),
    /// "No newline at end of file", for the line above.
    NoNewline(usize, usize, usize),
}

impl DiffRow {
    /// The file it belongs to.
    pub fn file(self) -> Option<usize> {
        match self {
            DiffRow::Warning(_) | DiffRow::Note(_) | DiffRow::Blank => None,
            DiffRow::Said(file, _) => file,
            DiffRow::File(file) | DiffRow::Hunk(file, _) => Some(file),
            DiffRow::Line(file, ..) | DiffRow::Pair(file, ..) | DiffRow::NoNewline(file, ..) => {
                Some(file)
            }
        }
    }

    /// The hunk it belongs to: its file and its index there.
    pub fn hunk(self) -> Option<(usize, usize)> {
        match self {
            DiffRow::Warning(_)
            | DiffRow::Note(_)
            | DiffRow::Said(..)
            | DiffRow::Blank
            | DiffRow::File(_) => None,
            DiffRow::Hunk(file, hunk)
            | DiffRow::Line(file, hunk, _)
            | DiffRow::Pair(file, hunk, ..)
            | DiffRow::NoNewline(file, hunk, _) => Some((file, hunk)),
        }
    }

    /// The lines of its hunk that it shows: the old one (or the only one), then the new one.
    pub fn lines(self) -> [Option<usize>; 2] {
        match self {
            DiffRow::Line(_, _, line) | DiffRow::NoNewline(_, _, line) => [Some(line), None],
            DiffRow::Pair(_, _, old, new) => [old, new].map(|line| line.map(|at| at as usize)),
            _ => [None, None],
        }
    }
}

/// The rows of a proposal, the line numbers of each (old side, new side; 0: none), and where headings stand.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    rows: Vec<DiffRow>,
    numbers: Vec<(u32, u32)>,
    /// Row of each hunk's heading, over all files.
    hunks: Vec<usize>,
    /// Row of each file's heading.
    files: Vec<usize>,
    /// File and index of each hunk, over all files.
    flat: Vec<(usize, usize)>,
    /// Number of hunks before each file.
    before: Vec<usize>,
}

impl Rows {
    /// The rows of `view`, in two columns or in one, with what people said below the lines that it is about.
    pub fn of(view: &ProposalView, sides: bool, said: &[Said]) -> Self {
        let proposal = &view.proposal;
        let mut out = Self::default();
        for (at, _) in said.iter().enumerate().filter(|(_, it)| it.file.is_none()) {
            out.push(DiffRow::Said(None, at), (0, 0));
        }
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
            out.files.push(out.rows.len());
            out.before.push(out.flat.len());
            out.push(DiffRow::File(f), (0, 0));
            let here: Vec<(usize, &Said)> = said
                .iter()
                .enumerate()
                .filter(|(_, it)| it.file == Some(f))
                .collect();
            for (at, it) in &here {
                let shown = |line: &usize| {
                    let mut hunks = file.hunks.iter();
                    hunks.any(|hunk| {
                        (hunk.new_start..hunk.new_start + hunk.new_lines).contains(line)
                    })
                };
                // What is about the whole file, or about a line that the diff does not show.
                if !it.line.as_ref().is_some_and(shown) {
                    out.push(DiffRow::Said(Some(f), *at), (0, 0));
                }
            }
            for (h, hunk) in file.hunks.iter().enumerate() {
                out.hunks.push(out.rows.len());
                out.flat.push((f, h));
                out.push(DiffRow::Hunk(f, h), (0, 0));
                if sides {
                    out.pairs(f, h, hunk, &here);
                } else {
                    out.lines(f, h, hunk, &here);
                }
            }
        }
        out
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row at `at`; an empty one beyond the end.
    pub fn row(&self, at: usize) -> DiffRow {
        self.rows.get(at).copied().unwrap_or(DiffRow::Blank)
    }

    /// Line numbers of the row at `at` on the old and the new side; 0 for none.
    pub fn numbers(&self, at: usize) -> (u32, u32) {
        self.numbers.get(at).copied().unwrap_or_default()
    }

    /// Number of hunks.
    pub fn count(&self) -> usize {
        self.flat.len()
    }

    /// File and index of a hunk counted over all files.
    pub fn hunk(&self, place: usize) -> Option<(usize, usize)> {
        self.flat.get(place).copied()
    }

    /// The place of a hunk in the count over all files.
    pub fn place(&self, file: usize, hunk: usize) -> usize {
        self.before.get(file).copied().unwrap_or_default() + hunk
    }

    /// The row of a hunk's heading.
    pub fn heading(&self, place: usize) -> Option<usize> {
        self.hunks.get(place).copied()
    }

    /// The row of a file's heading.
    pub fn file_heading(&self, file: usize) -> Option<usize> {
        self.files.get(file).copied()
    }

    /// The row that shows line `line` of a hunk, or the heading of the hunk.
    pub fn find(&self, file: usize, hunk: usize, line: Option<usize>) -> Option<usize> {
        let place = self.place(file, hunk);
        let from = self.heading(place)?;
        let to = self.heading(place + 1).unwrap_or(self.rows.len());
        let Some(line) = line else { return Some(from) };
        (from..to)
            .find(|at| self.row(*at).lines().contains(&Some(line)))
            .or(Some(from))
    }

    fn lines(&mut self, f: usize, h: usize, hunk: &Hunk, said: &[(usize, &Said)]) {
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
            self.said(f, numbers.1, said);
        }
    }

    /// What was said about line `line` of the proposed side.
    fn said(&mut self, file: usize, line: u32, said: &[(usize, &Said)]) {
        for (at, it) in said {
            if line > 0 && it.line == Some(line as usize) {
                self.push(DiffRow::Said(Some(file), *at), (0, 0));
            }
        }
    }

    /// What goes beside what comes: the n-th line removed beside the n-th line added of the same run.
    fn pairs(&mut self, f: usize, h: usize, hunk: &Hunk, said: &[(usize, &Said)]) {
        let (mut old, mut new) = (hunk.old_start, hunk.new_start);
        let lines = &hunk.lines;
        let run = |from: usize, tag: LineTag| {
            from + lines[from..]
                .iter()
                .take_while(|line| line.tag == tag)
                .count()
        };
        let mut at = 0;
        while at < lines.len() {
            if lines[at].tag == LineTag::Context {
                let line = Some(number(at));
                self.push(DiffRow::Pair(f, h, line, line), (number(old), number(new)));
                if lines[at].no_newline {
                    self.push(DiffRow::NoNewline(f, h, at), (0, 0));
                }
                self.said(f, number(new), said);
                (old, new) = (old + 1, new + 1);
                at += 1;
                continue;
            }
            let deleted = at..run(at, LineTag::Delete);
            let inserted = deleted.end..run(deleted.end, LineTag::Insert);
            for n in 0..deleted.len().max(inserted.len()) {
                let left = (n < deleted.len()).then(|| number(deleted.start + n));
                let right = (n < inserted.len()).then(|| number(inserted.start + n));
                let numbers = (
                    left.map_or(0, |_| number(old + n)),
                    right.map_or(0, |_| number(new + n)),
                );
                self.push(DiffRow::Pair(f, h, left, right), numbers);
                for line in [left, right].into_iter().flatten() {
                    if lines[line as usize].no_newline {
                        self.push(DiffRow::NoNewline(f, h, line as usize), (0, 0));
                    }
                }
                self.said(f, numbers.1, said);
            }
            old += deleted.len();
            new += inserted.len();
            at = inserted.end;
        }
    }

    fn push(&mut self, row: DiffRow, numbers: (u32, u32)) {
        self.rows.push(row);
        self.numbers.push(numbers);
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(0)
}

/// What a file's heading says.
pub fn heading(file: &ProposedFile) -> String {
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

/// Where byte `at` of a raw line stands in its shown form (see [`text::clean`]). Whether that is borrowed says that nothing
/// was replaced.
#[allow(clippy::ptr_arg)]
pub fn shown_at(raw: &str, shown: &Cow<'_, str>, at: usize) -> usize {
    match shown {
        Cow::Borrowed(_) => at,
        Cow::Owned(shown) => raw
            .get(..at)
            .map_or(shown.len(), |before| text::clean(before).len()),
    }
}
