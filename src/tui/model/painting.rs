//! The colours of the text in a diff: asked for a block of lines at a time, worked out elsewhere, kept while they may be
//! seen. A line without colours is drawn all the same.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::rows::DiffRow;
use crate::model::api::ProposalView;
use crate::model::{Content, LineTag, ProposalId};

/// Lines of a block.
const BLOCK: usize = 128;
/// Blocks kept.
const KEPT: usize = 256;
/// Texts longer than this stay plain.
const LONGEST: usize = 16 * 1024 * 1024;

/// What a piece of source text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A comment.
    Comment,
    /// A string or a plain value.
    String,
    /// A keyword, or a heading's sign.
    Keyword,
    /// The name of a tag, a selector, a type.
    Name,
    /// The name of an attribute, a property, a key.
    Attribute,
    /// A number or a constant.
    Number,
}

/// A piece of a line that has a role, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// First byte.
    pub from: u32,
    /// End.
    pub to: u32,
    /// What it is.
    pub role: Role,
}

/// The tokens of one line. They hold for a line of this length only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaintedLine {
    /// Bytes of the line, without its line feed.
    pub len: u32,
    /// In order, not overlapping.
    pub tokens: Vec<Token>,
}

/// A block of lines to be coloured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaintJob {
    /// The proposal.
    pub proposal: ProposalId,
    /// Counts the texts of this proposal: an answer about an earlier one means nothing.
    pub epoch: u32,
    /// Index of the file.
    pub file: usize,
    /// True for the proposed side.
    pub new: bool,
    /// Its path, which tells the language.
    pub path: Arc<str>,
    /// The whole side.
    pub text: Arc<str>,
    /// Lines, from 0.
    pub lines: Range<usize>,
}

/// A block of lines, coloured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Painted {
    /// The proposal.
    pub proposal: ProposalId,
    /// As in the job.
    pub epoch: u32,
    /// Index of the file.
    pub file: usize,
    /// True for the proposed side.
    pub new: bool,
    /// The first line, from 0.
    pub first: usize,
    /// The lines.
    pub lines: Vec<PaintedLine>,
}

/// A path and what is in the file.
type Texts = (Arc<str>, Arc<str>);

/// The colours of one proposal, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Painting {
    epoch: u32,
    /// Texts that were asked about; `None`: not to be coloured.
    texts: HashMap<(usize, bool), Option<Texts>>,
    /// Blocks; `None`: asked for.
    blocks: HashMap<(usize, bool, usize), Option<Vec<PaintedLine>>>,
}

impl Painting {
    /// Takes note that the proposal is another now: colours stay where the texts stay.
    pub fn renew(&mut self, old: &ProposalView, new: &ProposalView) {
        let (old, new) = (&old.proposal.files, &new.proposal.files);
        let same = old.len() == new.len()
            && old.iter().zip(new).all(|(old, new)| {
                old.path == new.path && old.before == new.before && old.after == new.after
            });
        if !same {
            self.epoch = self.epoch.wrapping_add(1);
            self.texts.clear();
            self.blocks.clear();
        }
    }

    /// The jobs for what `rows` show (each with its line numbers) that was not asked for yet.
    pub fn wanted(
        &mut self,
        view: &ProposalView,
        rows: impl Iterator<Item = (DiffRow, (u32, u32))>,
    ) -> Vec<PaintJob> {
        let mut jobs = Vec::new();
        for (row, (old, new)) in rows {
            let Some((file, hunk)) = row.hunk() else {
                continue;
            };
            let lines = &view.proposal.files[file].hunks[hunk].lines;
            for line in row.lines().into_iter().flatten() {
                let (side, number) = side(lines[line].tag, old, new);
                if number > 0 {
                    jobs.extend(self.ask(view, file, side, number as usize - 1));
                }
            }
        }
        jobs
    }

    fn ask(
        &mut self,
        view: &ProposalView,
        file: usize,
        new: bool,
        line: usize,
    ) -> Option<PaintJob> {
        let block = line / BLOCK;
        if self.blocks.contains_key(&(file, new, block)) {
            return None;
        }
        let known = self.texts.entry((file, new)).or_insert_with(|| {
            let file = &view.proposal.files[file];
            let side = if new { &file.after } else { &file.before };
            match side {
                Content::Text { text } if text.len() <= LONGEST => {
                    Some((file.path.as_str().into(), text.as_str().into()))
                }
                _ => None,
            }
        });
        let (path, text) = known.clone()?;
        if self.blocks.len() >= KEPT {
            self.blocks.clear();
        }
        self.blocks.insert((file, new, block), None);
        Some(PaintJob {
            proposal: view.proposal.id.clone(),
            epoch: self.epoch,
            file,
            new,
            path,
            text,
            lines: block * BLOCK..(block + 1) * BLOCK,
        })
    }

    /// Takes an answer; false when it came too late.
    pub fn put(&mut self, painted: Painted) -> bool {
        let key = (painted.file, painted.new, painted.first / BLOCK);
        match self.blocks.get_mut(&key) {
            Some(slot) if painted.epoch == self.epoch => {
                *slot = Some(painted.lines);
                true
            }
            _ => false,
        }
    }

    /// The tokens of a line of `len` bytes with this tag and these numbers; none while they are not known.
    pub fn tokens(&self, file: usize, tag: LineTag, old: u32, new: u32, len: usize) -> &[Token] {
        let (side, number) = side(tag, old, new);
        let Some(line) = (number as usize).checked_sub(1) else {
            return &[];
        };
        let block = self.blocks.get(&(file, side, line / BLOCK));
        let painted = block
            .and_then(Option::as_ref)
            .and_then(|lines| lines.get(line % BLOCK));
        match painted {
            Some(painted) if painted.len as usize == len => &painted.tokens,
            _ => &[],
        }
    }
}

/// The side that a line's colours are taken from, and its number there.
fn side(tag: LineTag, old: u32, new: u32) -> (bool, u32) {
    match tag {
        LineTag::Delete => (false, old),
        LineTag::Context | LineTag::Insert => (true, new),
    }
}
