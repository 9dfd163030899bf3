//! The lines of a diff, one column or two, with line numbers, changed words and the colours of the text.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::model::{Decision, Hunk, LineTag};
use crate::tui::model::painting::Token;
use crate::tui::model::review::Piece;
use crate::tui::model::rows::shown_at;
use crate::tui::model::{DiffRow, Model, Review};
use crate::tui::text;
use crate::tui::theme::Theme;
use crate::tui::view::layout;
use crate::tui::view::paint::{self, span};

/// Columns before the text of the left half, and of the right half.
pub const HALF_GUTTER: (u16, u16) = (9, 8);
/// Longest line whose words and colours are marked.
const MARKED: usize = 8 * 1024;

/// Draws the window of `review` into `area`; `full` shows the cursor and the selection of lines.
pub fn draw(model: &Model, review: &Review, area: Rect, full: bool, buf: &mut Buffer) {
    let height = usize::from(area.height);
    let look = Look {
        review,
        theme: &model.settings.theme,
        width: area.width,
        full,
    };
    for (at, piece) in (0u16..).zip(review.pieces().iter().take(height)) {
        paint::row(buf, area, at, look.row(piece));
    }
    sticky(model, review, area, buf);
    let below = review.rest();
    if below > 0 && height > 3 {
        let note = format!(" ↓ {below} more ");
        let wide = u16::try_from(text::width(&note)).unwrap_or(u16::MAX);
        if wide < area.width {
            let corner = Rect::new(area.right() - wide, area.bottom() - 1, wide, 1);
            paint::over(buf, corner, 0, vec![span(note, model.settings.theme.key)]);
        }
    }
}

/// The name of the file, over the first row, when its own heading has scrolled away.
fn sticky(model: &Model, review: &Review, area: Rect, buf: &mut Buffer) {
    let Some(file) = review.file_at(0).filter(|_| area.height > 2) else {
        return;
    };
    let first = review.pieces().first();
    if first.map(|piece| review.row(piece)) == Some(DiffRow::File(file)) {
        return;
    }
    let shown = format!(" {}", review.shown(DiffRow::File(file)));
    paint::over(buf, area, 0, vec![span(shown, model.settings.theme.file)]);
}

struct Look<'a> {
    review: &'a Review,
    theme: &'a Theme,
    width: u16,
    full: bool,
}

impl Look<'_> {
    fn row(&self, piece: &Piece) -> Vec<Span<'static>> {
        let theme = self.theme;
        let row = self.review.row(piece);
        let first = piece.nth == 0;
        if let DiffRow::Pair(file, hunk, old, new) = row {
            return self.pair(piece, file, hunk, old, new);
        }
        let shown = self.review.shown(row);
        let said = shown.get(piece.left.clone()).unwrap_or_default().to_owned();
        match row {
            DiffRow::Blank | DiffRow::Pair(..) => vec![self.mark(piece, false)],
            DiffRow::Warning(_) => vec![
                self.mark(piece, false),
                span(if first { "! " } else { "  " }, theme.warn),
                span(said, theme.warn),
            ],
            DiffRow::Note(_) => vec![
                self.mark(piece, false),
                span(if first { "· " } else { "  " }, theme.dim),
                span(said, theme.dim),
            ],
            DiffRow::Said(_, at) => self.said(piece, at, said, first),
            DiffRow::File(_) => vec![self.mark(piece, false), span(said, theme.file)],
            DiffRow::Hunk(file, hunk) => self.heading(piece, file, hunk, said),
            DiffRow::Line(file, hunk, line) => {
                let selected = self.review.place(file, hunk) == self.review.selected;
                let numbers = self.review.rows().numbers(piece.row);
                let mut spans = self.gutter(piece, selected);
                spans.push(self.others(file, numbers.1, first));
                spans.extend(self.line(file, hunk, line, numbers, piece.left.clone(), first));
                spans
            }
            DiffRow::NoNewline(file, hunk, _) => {
                let selected = self.review.place(file, hunk) == self.review.selected;
                let mut spans = self.gutter(piece, selected);
                spans.push(span(format!("   {said}"), theme.dim));
                spans
            }
        }
    }

    /// The first column: the cursor, the selected lines, the selected hunk.
    fn mark(&self, piece: &Piece, selected: bool) -> Span<'static> {
        let (review, theme) = (self.review, self.theme);
        if self.full {
            if piece.row == review.cursor {
                return span("▶", theme.key);
            }
            let chosen = review.anchor.is_some_and(|anchor| {
                let (from, to) = (anchor.min(review.cursor), anchor.max(review.cursor));
                (from..=to).contains(&piece.row)
            });
            if chosen {
                return span("┃", theme.key);
            }
        }
        span(if selected { "▌" } else { " " }, theme.hunk)
    }

    fn heading(&self, piece: &Piece, file: usize, hunk: usize, said: String) -> Vec<Span<'static>> {
        let theme = self.theme;
        let selected = self.review.place(file, hunk) == self.review.selected;
        let of = &self.review.view.proposal.files[file].hunks[hunk];
        let style = if selected { theme.selected } else { theme.hunk };
        let (check, note) = match (of.decision, of.left_out.len()) {
            (Decision::Accepted, 0) => ("[x] ", String::new()),
            (Decision::Accepted, 1) => ("[~] ", "  1 line left out".to_owned()),
            (Decision::Accepted, lines) => ("[~] ", format!("  {lines} lines left out")),
            (Decision::Rejected, _) => ("[ ] ", "  left out".to_owned()),
        };
        let check = if piece.nth == 0 { check } else { "    " };
        vec![
            self.mark(piece, selected),
            span(format!("{check}{said}"), style),
            span(note, theme.warn),
        ]
    }

    /// The mark and the line numbers of both sides.
    fn gutter(&self, piece: &Piece, selected: bool) -> Vec<Span<'static>> {
        let mark = self.mark(piece, selected);
        if !layout::shows_numbers(self.width) {
            return vec![mark];
        }
        let (old, new) = self.review.rows().numbers(piece.row);
        let number = |n: u32| {
            if n == 0 || piece.nth > 0 {
                String::new()
            } else {
                n.to_string()
            }
        };
        vec![
            mark,
            span(
                format!("{:>5} {:>5}", number(old), number(new)),
                self.theme.dim,
            ),
        ]
    }

    /// The column before the sign: who is on this line, else what is marked on it.
    fn others(&self, file: usize, line: u32, first: bool) -> Span<'static> {
        let (theme, annotations) = (self.theme, &self.review.annotations);
        if let Some(pin) = annotations.pin_of(file, line).filter(|_| first) {
            let style = theme.person(pin.colour);
            return match pin.cursor {
                true => span(pin.letter.to_string(), theme.caret(pin.colour)),
                false => span("┃", style),
            };
        }
        match annotations.shades_of(file, line).next().filter(|_| first) {
            Some(shade) => span(shade.letter().to_string(), theme.person(&shade.colour)),
            None => span(" ", theme.dim),
        }
    }

    /// What a person said, below the line that it is about.
    fn said(&self, piece: &Piece, at: usize, said: String, first: bool) -> Vec<Span<'static>> {
        let theme = self.theme;
        let note = self.review.annotations.notes.get(at);
        let (answer, resolved) = note.map_or((false, false), |it| (it.answer, it.resolved));
        let (sign, style) = match (resolved, answer) {
            (true, _) => ("✓ ", theme.dim),
            (false, false) => ("• ", theme.tip),
            (false, true) => ("› ", theme.tip),
        };
        let indent = match (self.full, answer) {
            (_, true) => "     ",
            (_, false) => "   ",
        };
        vec![
            self.mark(piece, false),
            span(
                format!("{indent}{}", if first { sign } else { "  " }),
                style,
            ),
            span(said, if resolved { theme.dim } else { theme.text }),
        ]
    }

    /// Sign and text of a line.
    fn line(
        &self,
        file: usize,
        hunk: usize,
        line: usize,
        numbers: (u32, u32),
        range: Range<usize>,
        first: bool,
    ) -> Vec<Span<'static>> {
        let of = &self.review.view.proposal.files[file].hunks[hunk];
        let (sign, style) = self.style(of, line);
        let out = if of.decision == Decision::Accepted && !of.takes(line) {
            "×"
        } else {
            " "
        };
        let lead = if first {
            format!("{sign}{out}")
        } else {
            "  ".to_owned()
        };
        let mut spans = vec![span(lead, style)];
        let raw = &of.lines[line].text;
        let shown = text::clean(raw);
        if !of.takes(line) || raw.len() > MARKED {
            let said = shown.get(range).unwrap_or_default();
            spans.push(span(said.to_owned(), style));
            return spans;
        }
        let painting = &self.review.painting;
        let tag = of.lines[line].tag;
        let tokens = painting.tokens(file, tag, numbers.0, numbers.1, raw.len());
        let words = self.review.marks.of(file, hunk, line);
        let of_new = tag != LineTag::Delete;
        let shades = self.review.annotations.shades_of(file, numbers.1);
        let shades: Vec<(Range<usize>, Style)> = shades
            .filter(|_| of_new)
            .map(|shade| (bytes(raw, &shade.chars), self.theme.marked(&shade.colour)))
            .collect();
        let over = Over {
            tokens,
            words,
            shades: &shades,
        };
        spans.extend(self.pieces(raw, &shown, range, style, &over));
        spans
    }

    fn style(&self, hunk: &Hunk, line: usize) -> (&'static str, Style) {
        let theme = self.theme;
        let (sign, style) = match hunk.lines[line].tag {
            LineTag::Context => (" ", theme.text),
            LineTag::Delete => ("-", theme.removed),
            LineTag::Insert => ("+", theme.added),
        };
        (
            sign,
            if hunk.takes(line) {
                style
            } else {
                theme.left_out
            },
        )
    }

    /// A range of the shown text, cut where its style changes.
    #[allow(clippy::ptr_arg)]
    fn pieces(
        &self,
        raw: &str,
        shown: &Cow<'_, str>,
        range: Range<usize>,
        base: Style,
        over: &Over<'_>,
    ) -> Vec<Span<'static>> {
        let at = |byte: usize| shown_at(raw, shown, byte).clamp(range.start, range.end);
        let tokens: Vec<(Range<usize>, Style)> = over
            .tokens
            .iter()
            .map(|token| {
                let place = at(token.from as usize)..at(token.to as usize);
                (place, self.theme.syntax(token.role))
            })
            .filter(|(place, _)| !place.is_empty())
            .collect();
        let words: Vec<Range<usize>> = over
            .words
            .iter()
            .map(|word| at(word.start)..at(word.end))
            .filter(|place| !place.is_empty())
            .collect();
        let shades: Vec<(Range<usize>, Style)> = over
            .shades
            .iter()
            .map(|(place, style)| (at(place.start)..at(place.end), *style))
            .filter(|(place, _)| !place.is_empty())
            .collect();
        let mut cuts = vec![range.start, range.end];
        let places = tokens.iter().chain(&shades).map(|(place, _)| place);
        let places = places.chain(&words);
        cuts.extend(places.flat_map(|place| [place.start, place.end]));
        cuts.sort_unstable();
        cuts.dedup();
        let mut out = Vec::with_capacity(cuts.len());
        for pair in cuts.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let mut style = base;
            if let Some((_, own)) = tokens.iter().find(|(place, _)| place.contains(&from)) {
                style = style.patch(*own);
            }
            if words.iter().any(|place| place.contains(&from)) {
                style = style.patch(self.theme.word());
            }
            if let Some((_, own)) = shades.iter().find(|(place, _)| place.contains(&from)) {
                style = style.patch(*own);
            }
            // A cut inside a character cannot be: tokens and words end between characters of the raw text.
            if let Some(piece) = shown.get(from..to) {
                out.push(span(piece.to_owned(), style));
            }
        }
        out
    }

    /// Old beside new.
    fn pair(
        &self,
        piece: &Piece,
        file: usize,
        hunk: usize,
        old: Option<u32>,
        new: Option<u32>,
    ) -> Vec<Span<'static>> {
        let theme = self.theme;
        let (left, right) = halves(self.width);
        let selected = self.review.place(file, hunk) == self.review.selected;
        let numbers = self.review.rows().numbers(piece.row);
        let first = piece.nth == 0;
        let number = |line: Option<u32>, n: u32| match line {
            Some(_) if first && n > 0 => format!("{n:>5}"),
            _ => " ".repeat(5),
        };
        let half = |line: Option<u32>, range: &Range<usize>| match line {
            // A shorter half has no text on the lines that only the other one has.
            Some(line) if first || !range.is_empty() => {
                self.line(file, hunk, line as usize, numbers, range.clone(), first)
            }
            _ => Vec::new(),
        };
        let mut spans = vec![
            self.mark(piece, selected),
            span(format!("{} ", number(old, numbers.0)), theme.dim),
        ];
        spans.extend(half(old, &piece.left));
        let mut spans = filled(spans, usize::from(left));
        spans.push(span("│", theme.rule));
        let mut other = vec![
            span(number(new, numbers.1), theme.dim),
            self.others(file, numbers.1, first),
        ];
        other.extend(half(new, &piece.right));
        spans.extend(filled(other, usize::from(right)));
        spans
    }
}

/// What lies over the text of a line: colours, changed words, marked ones.
struct Over<'a> {
    tokens: &'a [Token],
    words: &'a [Range<usize>],
    shades: &'a [(Range<usize>, Style)],
}

/// The bytes of a range of characters; what lies beyond the end is the end.
fn bytes(text: &str, chars: &Range<usize>) -> Range<usize> {
    let at = |char: usize| {
        text.char_indices()
            .nth(char)
            .map_or(text.len(), |(at, _)| at)
    };
    at(chars.start)..at(chars.end)
}

/// The widths of the two halves of a row, a line between them.
pub fn halves(width: u16) -> (u16, u16) {
    let left = width.saturating_sub(1) / 2;
    (left, width.saturating_sub(left + 1))
}

/// Spans cut and filled up to `columns`.
fn filled(spans: Vec<Span<'static>>, columns: usize) -> Vec<Span<'static>> {
    let mut spans = paint::fit(spans, columns).spans;
    let wide: usize = spans.iter().map(|span| text::width(&span.content)).sum();
    spans.push(Span::raw(" ".repeat(columns.saturating_sub(wide))));
    spans
}
