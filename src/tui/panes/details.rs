//! A page over the panes: all there is to know of an event or a deployment with its log, or what differs between two
//! releases. What is too long for a row goes on in the next one. Only the rows in sight are built from the long parts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use serde_json::Value;

use crate::model::api::Comparison;
use crate::model::{Deployment, Event};
use crate::tui::model::deploys::state;
use crate::tui::model::{Model, Subject};
use crate::tui::text;
use crate::tui::theme::ansi;
use crate::tui::view::layout;
use crate::tui::view::paint::{self, span};

/// Rows of log or diff that are looked at.
const LONG: usize = 20_000;
/// Bytes of a value that are shown.
const VALUE: usize = 2_000;
/// Columns of a name before its value.
const NAME: usize = 14;
/// Columns by which a row stands back that goes on with the one above.
const BACK: usize = 2;

/// A page: rows that are made, then lines of text as they are.
struct Page<'a> {
    title: String,
    rows: Vec<Vec<Span<'static>>>,
    lines: Vec<&'a str>,
    diff: bool,
}

impl Page<'_> {
    /// The rows that are made, folded into `columns`.
    fn folded(&self, columns: usize) -> Vec<Vec<Span<'static>>> {
        let rows = self.rows.iter();
        rows.flat_map(|row| folded(row, columns)).collect()
    }

    /// Rows that the lines take, one number for each.
    fn heights(&self, model: &Model, columns: usize) -> impl Iterator<Item = usize> {
        self.lines.iter().map(move |line| {
            if short(line, columns) {
                1
            } else {
                folded(&long(model, line, self.diff), columns).len()
            }
        })
    }
}

/// Number of rows of the page that is open.
pub fn len(model: &Model) -> usize {
    let Some(open) = &model.board.details else {
        return 0;
    };
    let columns = columns(frame(layout::plan(model).area));
    let page = page(model, &open.subject);
    page.folded(columns).len() + page.heights(model, columns).sum::<usize>()
}

/// Columns inside of the frame.
fn columns(frame: Rect) -> usize {
    usize::from(if frame.width < 4 || frame.height < 3 {
        frame.width
    } else {
        frame.width - 4
    })
}

/// True when a line surely fits into one row, found without looking at what becomes of it: most do, and all of them are
/// counted with every frame.
fn short(line: &str, columns: usize) -> bool {
    let wide = |byte: u8| if byte == b'\t' || byte >= 0x7f { 4 } else { 1 };
    line.len() <= columns && line.bytes().map(wide).sum::<usize>() <= columns
}

/// A row as the rows that it takes in `columns`, its colours kept: a value under its value, else what goes on stands
/// back.
fn folded(row: &[Span<'static>], columns: usize) -> Vec<Vec<Span<'static>>> {
    let named = match row {
        [name, _] => text::width(&name.content) == NAME && columns > NAME * 2,
        _ => false,
    };
    let (before, rest) = row.split_at(usize::from(named));
    let said: String = rest.iter().map(|span| span.content.as_ref()).collect();
    let (room, back) = match named {
        true => (columns - NAME, NAME),
        false if columns > BACK * 8 => (columns, BACK),
        false => (columns, 0),
    };
    // What goes on has less room than what begins, but under a name.
    let narrow = if named { room } else { room - back };
    let mut pieces = text::wrap(&said, room, named);
    if let Some(from) = pieces.get(1).map(|piece| piece.start) {
        pieces.truncate(1);
        let more = text::wrap(&said[from..], narrow, named).into_iter();
        pieces.extend(more.map(|piece| piece.start + from..piece.end + from));
    }
    let mut out = Vec::new();
    for piece in pieces {
        let mut spans = match out.is_empty() {
            true => before.to_vec(),
            false => vec![Span::raw(" ".repeat(back))],
        };
        let mut at = 0;
        for part in rest {
            let end = at + part.content.len();
            let (from, to) = (piece.start.max(at), piece.end.min(end));
            if from < to {
                spans.push(span(&part.content[from - at..to - at], part.style));
            }
            at = end;
        }
        out.push(spans);
    }
    out
}

/// Rows of the page that are in sight on a screen of this size.
pub fn height(area: Rect) -> u16 {
    frame(area).height.saturating_sub(2).max(1)
}

fn frame(area: Rect) -> Rect {
    let width = area.width.saturating_sub(4).max(1).min(area.width);
    let height = area.height.saturating_sub(2).max(1).min(area.height);
    paint::middle(area, width, height)
}

/// Draws the page; the rectangle it covers.
pub fn draw(model: &Model, area: Rect, buf: &mut Buffer) -> Rect {
    let theme = &model.settings.theme;
    let frame = frame(area);
    let Some(open) = &model.board.details else {
        return frame;
    };
    let page = page(model, &open.subject);
    let inner = paint::boxed(buf, frame, &page.title, theme.tip);
    let height = usize::from(inner.height);
    let columns = columns(frame);
    let rows = page.folded(columns);
    let heights: Vec<usize> = page.heights(model, columns).collect();
    let len = rows.len() + heights.iter().sum::<usize>();
    let top = open.top.min(len.saturating_sub(height));
    // The first line of which something is in sight, and the rows of it that are above.
    let mut above = top.saturating_sub(rows.len());
    let mut first = 0;
    while heights.get(first).is_some_and(|rows| *rows <= above) {
        above -= heights[first];
        first += 1;
    }
    let lines = page.lines.iter().skip(first);
    let lines = lines.flat_map(|line| folded(&long(model, line, page.diff), columns));
    let seen = rows.into_iter().skip(top).chain(lines.skip(above));
    for (at, spans) in (0..inner.height).zip(seen) {
        paint::row(buf, inner, at, spans);
    }
    let below = len.saturating_sub(top + height);
    if below > 0 && frame.width > 20 {
        let note = format!(" ↓ {below} more ");
        let wide = u16::try_from(text::width(&note)).unwrap_or(0);
        let corner = Rect::new(
            frame.right().saturating_sub(wide + 2),
            frame.bottom() - 1,
            wide,
            1,
        );
        paint::over(buf, corner, 0, vec![span(note, theme.key)]);
    }
    frame
}

/// The page as text, to be copied.
pub fn copied(model: &Model) -> String {
    let Some(open) = &model.board.details else {
        return String::new();
    };
    let page = page(model, &open.subject);
    let mut out = String::new();
    for spans in &page.rows {
        let line: String = spans.iter().map(|span| span.content.as_ref()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for line in page.lines {
        out.push_str(&ansi::plain(line));
        out.push('\n');
    }
    out
}

/// A line of a log, its colours kept, or of a diff.
fn long(model: &Model, line: &str, diff: bool) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    if !diff {
        let pieces = ansi::spans(line, theme).into_iter();
        return pieces.map(|(said, style)| span(said, style)).collect();
    }
    let style = match line.as_bytes().first() {
        Some(b'+') if !line.starts_with("+++") => theme.added,
        Some(b'-') if !line.starts_with("---") => theme.removed,
        Some(b'@') => theme.hunk,
        Some(b' ' | b'\\') | None => theme.text,
        Some(_) => theme.file,
    };
    vec![span(text::clean(line).into_owned(), style)]
}

fn page<'a>(model: &Model, subject: &'a Subject) -> Page<'a> {
    match subject {
        Subject::Loading => Page {
            title: "Details".to_owned(),
            rows: vec![vec![span("loading…", model.settings.theme.dim)]],
            lines: Vec::new(),
            diff: false,
        },
        Subject::Event(event, deployment) => about_event(model, event, deployment.as_deref()),
        Subject::Deployment(deployment) => {
            let mut rows = about_deployment(model, deployment);
            let lines = log(model, deployment, &mut rows);
            Page {
                title: format!("Deployment {}", text::short(&deployment.commit)),
                rows,
                lines,
                diff: false,
            }
        }
        Subject::Comparison(comparison) => compared(model, comparison),
    }
}

/// A name and its value, in as many rows as the value has lines.
fn field(model: &Model, name: &str, value: &str) -> Vec<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let mut rows = Vec::new();
    for (at, line) in text::head(value, VALUE).lines().enumerate() {
        let name = if at == 0 { name } else { "" };
        rows.push(vec![
            span(format!("{name:<NAME$}"), theme.dim),
            span(text::clean(line).into_owned(), theme.text),
        ]);
    }
    rows
}

fn about_event<'a>(
    model: &Model,
    event: &'a Event,
    deployment: Option<&'a Deployment>,
) -> Page<'a> {
    let theme = &model.settings.theme;
    let mut rows = Vec::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            rows.extend(field(model, name, value));
        }
    };
    let local = model.timeline.local(event.at);
    add(
        "when",
        &format!(
            "{} {}",
            local.date(),
            local
                .time()
                .round(jiff::Unit::Millisecond)
                .unwrap_or(local.time())
        ),
    );
    add("who", &event.actor);
    add("place", &format!("event {}", event.seq));
    for (name, id) in [
        ("instruction", event.instruction.as_ref().map(|id| &id.0)),
        ("proposal", event.proposal.as_ref().map(|id| &id.0)),
        ("deployment", event.deployment.as_ref().map(|id| &id.0)),
        ("environment", event.environment.as_ref()),
    ] {
        add(name, id.map_or("", String::as_str));
    }
    if let Value::Object(data) = &event.data {
        // In one order, whoever stored the event.
        let sorted: std::collections::BTreeMap<_, _> = data.iter().collect();
        for (name, value) in sorted {
            // The log follows as it is; a document's files and patch are read in the proposal pane.
            if matches!(name.as_str(), "log_tail" | "patch" | "files") {
                continue;
            }
            match value {
                Value::Null => {}
                Value::String(words) => add(name, words),
                other => add(name, &other.to_string()),
            }
        }
    }
    let mut lines: Vec<&str> = Vec::new();
    let told = event.data["log_tail"].as_array();
    if let Some(told) = told.filter(|told| !told.is_empty()) {
        rows.push(vec![span("log", theme.title_active)]);
        lines.extend(told.iter().filter_map(Value::as_str).take(LONG));
    } else if let Some(deployment) = deployment {
        rows.push(Vec::new());
        rows.extend(about_deployment(model, deployment));
        lines = log(model, deployment, &mut rows);
    }
    Page {
        title: event.kind.as_str().replace('_', " "),
        rows,
        lines,
        diff: false,
    }
}

fn about_deployment(model: &Model, deployment: &Deployment) -> Vec<Vec<Span<'static>>> {
    let mut rows = Vec::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            rows.extend(field(model, name, value));
        }
    };
    let (mark, word) = state(deployment.state);
    add("state", &format!("{mark} {word}"));
    add("commit", &deployment.commit);
    add("environment", &deployment.environment);
    add("target", &deployment.target);
    add("address", deployment.url.as_deref().unwrap_or_default());
    add("asked by", &deployment.actor);
    if let Some(promotion) = &deployment.promotion {
        let from = promotion.from.as_deref().unwrap_or("an earlier deployment");
        add("promotes", &format!("{} of {from}", promotion.release));
    }
    if let Some(gate) = &deployment.gate {
        let given: Vec<String> = gate
            .given
            .iter()
            .map(|given| format!("{} at {}", given.actor, model.timeline.local(given.at)))
            .collect();
        add("approval", gate.rule.as_str());
        add("approved by", &given.join("\n"));
        add("over", gate.over.as_ref().map_or("", |over| over.as_str()));
        let files: Vec<String> = gate
            .files
            .iter()
            .map(|file| format!("{} +{} -{}", file.path, file.added, file.removed))
            .collect();
        add("changes", &files.join("\n"));
    }
    let local = model.timeline.local(deployment.started_at);
    add(
        "began",
        &format!(
            "{} {:02}:{:02}:{:02}",
            local.date(),
            local.hour(),
            local.minute(),
            local.second()
        ),
    );
    let stages: Vec<String> = deployment
        .stages
        .iter()
        .map(|(stage, ms)| format!("{stage} {}", text::duration(*ms)))
        .collect();
    add("stages", &stages.join(" · "));
    if let Some(problem) = &deployment.problem {
        add("problem", &problem.to_string());
    }
    rows
}

/// The lines of a deployment's log, under a heading.
fn log<'a>(
    model: &Model,
    deployment: &'a Deployment,
    rows: &mut Vec<Vec<Span<'static>>>,
) -> Vec<&'a str> {
    let theme = &model.settings.theme;
    let heading = if deployment.log_tail.is_empty() {
        span("no log was kept", theme.dim)
    } else {
        span("log", theme.title_active)
    };
    rows.push(Vec::new());
    rows.push(vec![heading]);
    let lines = deployment.log_tail.iter().map(String::as_str);
    lines.take(LONG).collect()
}

fn compared<'a>(model: &Model, found: &'a Comparison) -> Page<'a> {
    let theme = &model.settings.theme;
    let mut rows = Vec::new();
    if found.from == found.to {
        rows.push(vec![span(
            "Both were built from the same commit.",
            theme.strong,
        )]);
    }
    for (commits, words) in [(&found.commits, "more"), (&found.lost, "less")] {
        if commits.is_empty() {
            continue;
        }
        rows.push(vec![span(
            match commits.len() {
                1 => format!("1 commit {words}"),
                count => format!("{count} commits {words}"),
            },
            theme.title_active,
        )]);
        for commit in commits {
            rows.push(vec![
                span(
                    format!("  {} ", text::clean(text::short(&commit.commit))),
                    theme.tip,
                ),
                span(text::clean_prose(&commit.title), theme.text),
                span(
                    format!("  {}", text::clean_prose(&commit.author)),
                    theme.dim,
                ),
            ]);
        }
    }
    if !found.files.is_empty() {
        let differ = match found.files.len() {
            1 => "1 file differs".to_owned(),
            count => format!("{count} files differ"),
        };
        rows.push(vec![span(differ, theme.title_active)]);
        for file in &found.files {
            rows.push(vec![
                span(format!("  +{:<5}", file.added), theme.added),
                span(format!("-{:<5} ", file.removed), theme.removed),
                span(text::clean(&file.path).into_owned(), theme.text),
            ]);
        }
        rows.push(Vec::new());
    }
    if found.truncated {
        rows.push(vec![span(
            "The diff is long; this is its first part.",
            theme.warn,
        )]);
    }
    Page {
        title: format!(
            "From {} to {}",
            text::clean(text::short(&found.from)),
            text::clean(text::short(&found.to))
        ),
        rows,
        lines: found.patch.lines().take(LONG).collect(),
        diff: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn said(rows: &[Vec<Span<'static>>]) -> Vec<String> {
        let row = |row: &Vec<Span<'static>>| row.iter().map(|span| span.content.as_ref()).collect();
        rows.iter().map(row).collect()
    }

    #[test]
    fn a_long_line_goes_on_in_the_next_row_in_its_colours() {
        let (red, plain) = (Style::new().red(), Style::new());
        let row = [span("error", red), span(": 0123456789abcdefgh", plain)];
        let rows = folded(&row, 20);
        assert_eq!(said(&rows), ["error: 0123456789abc", "  defgh"]);
        assert_eq!((rows[0][0].style, rows[1][1].style), (red, plain));
        let rows = folded(&[span("日本語日本語", red)], 5);
        assert_eq!(said(&rows), ["日本", "語日", "本語"]);
        assert_eq!(folded(&[], 20).len(), 1, "an empty row is a row");
    }

    #[test]
    fn a_value_goes_on_below_itself() {
        let row = [
            span(format!("{:<NAME$}", "problem"), Style::new()),
            span("npm run build ended with 1", Style::new()),
        ];
        let rows = said(&folded(&row, 32));
        let (first, rest) = ("problem       npm run build", "              ended with 1");
        assert_eq!(rows, [first, rest]);
    }
}
