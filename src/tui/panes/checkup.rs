//! The list of what works on this machine: over the panes when it is asked for, in the proposal's place at the first
//! start.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::tui::checkup::{Checkup, Trial};
use crate::tui::keymap::{Command, Context};
use crate::tui::model::{Model, Overlay, Phase, TalkBy};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Columns of a thing's name.
const NAMES: usize = 16;
/// Columns of the level meter.
const METER: usize = 30;

/// True when the list stands in the proposal's place: at the first start, until there is something else to see.
pub fn in_place(model: &Model) -> bool {
    model.board.first_start
        && model.overlay != Some(Overlay::Checkup)
        && model.board.checkup.is_some()
        && model.card.is_none()
        && model.draft.is_none()
        && model.reviews.is_empty()
}

/// A row of the list, and the thing that it says something of.
type Row = (Option<usize>, Vec<Span<'static>>);

/// The rectangle that the list covers over the panes, and its rows.
fn framed(model: &Model, area: Rect) -> (Rect, Vec<Row>) {
    let width = area.width.saturating_sub(4).clamp(1, 100);
    let rows = rows(model, usize::from(width.saturating_sub(4)), true);
    let height = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
    (paint::middle(area, width, height.min(area.height)), rows)
}

/// The rectangle that the list covers over the panes, and the thing at row `y` of the screen.
pub fn hit(model: &Model, area: Rect, y: u16) -> (Rect, Option<usize>) {
    let (frame, rows) = framed(model, area);
    let inside = frame.height.saturating_sub(2);
    let row = y.checked_sub(frame.y + 1).filter(|row| *row < inside);
    let first = top(model, rows.len(), true, usize::from(inside));
    let hit = row.and_then(|row| rows.get(first + usize::from(row))?.0);
    (frame, hit)
}

/// Draws the list over the panes; the rectangle it covers.
pub fn overlay(model: &Model, area: Rect, buf: &mut Buffer) -> Rect {
    let (frame, rows) = framed(model, area);
    let inner = paint::boxed(buf, frame, "This machine", model.settings.theme.tip);
    put(model, rows, true, inner, buf);
    frame
}

/// Draws the list in the proposal's place.
pub fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let inner = Rect {
        x: area.x + 1.min(area.width),
        width: area.width.saturating_sub(1),
        ..area
    };
    let welcome = span(
        "Welcome to Sayso. This machine, first of all:",
        model.settings.theme.strong,
    );
    let mut all = vec![(None, vec![welcome])];
    all.extend(rows(model, usize::from(inner.width), false));
    put(model, all, false, inner, buf);
}

/// The first row in sight of `count`.
fn top(model: &Model, count: usize, chosen: bool, height: usize) -> usize {
    let list = model.board.checkup.as_ref();
    // In the proposal's place nothing is selected: it is read from its beginning.
    let selected = list.filter(|_| chosen).map_or(0, |list| list.selected * 2);
    selected
        .saturating_sub(height / 2)
        .min(count.saturating_sub(height))
}

/// The rows around the selected one; in the proposal's place the last row, the way on, stays.
fn put(model: &Model, rows: Vec<Row>, chosen: bool, area: Rect, buf: &mut Buffer) {
    let height = usize::from(area.height);
    let top = top(model, rows.len(), chosen, height);
    let last = rows
        .len()
        .checked_sub(1)
        .filter(|_| !chosen && rows.len() > height && height > 2);
    let mut rows = rows;
    if let Some(last) = last {
        let foot = rows.swap_remove(last);
        rows.truncate(height - 1);
        rows.push(foot);
    }
    for (at, (_, spans)) in (0u16..).zip(rows.into_iter().skip(top).take(height)) {
        paint::row(buf, area, at, spans);
    }
}

fn rows(model: &Model, columns: usize, chosen: bool) -> Vec<Row> {
    let theme = &model.settings.theme;
    let Some(list) = &model.board.checkup else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    if list.looking && list.items.is_empty() {
        rows.push((None, vec![span("looking…", theme.dim)]));
    }
    for (at, item) in list.items.iter().enumerate() {
        let (mark, style) = if item.ok {
            ("✓", theme.good)
        } else {
            ("!", theme.warn)
        };
        let here = chosen && at == list.selected;
        let begin = if here { "› " } else { "  " };
        let name = text::fit(&item.name, NAMES - 1).into_owned();
        let found = text::clean_prose(&item.found);
        let room = columns.saturating_sub(NAMES + 4);
        let spans = vec![
            span(begin, theme.key),
            span(format!("{mark} "), style),
            span(format!("{name:<NAMES$}"), theme.strong),
            span(text::fit(&found, room).into_owned(), theme.text),
        ];
        rows.push((Some(at), spans));
        let fix = match (&list.fixing, &item.fix) {
            (Some(name), _) if *name == item.name => Some("working on it…".to_owned()),
            (_, Some(fix)) => Some(format!("{}: {fix}", key(model, Command::FixHere))),
            _ => None,
        };
        // Where nothing can be chosen, nothing is offered: the way to the list stands below.
        for words in [item.next.clone(), fix.filter(|_| !item.ok && chosen)]
            .into_iter()
            .flatten()
        {
            let words = text::clean_prose(&words);
            for range in text::wrap(&words, room, true) {
                let words = format!("{:>1$}{2}", "", NAMES + 4, &words[range]);
                rows.push((Some(at), vec![span(words, theme.dim)]));
            }
        }
    }
    let terminal = vec![
        span(format!("    {:<NAMES$}", "this terminal"), theme.strong),
        span(terminal(model), theme.text),
    ];
    let below = [
        Vec::new(),
        terminal,
        microphone(model, list),
        Vec::new(),
        foot(model, list, chosen),
    ];
    rows.extend(below.map(|spans| (None, spans)));
    rows
}

fn key(model: &Model, command: Command) -> String {
    let shown = model.settings.keymap.shown(Context::Checkup, command);
    shown.map(|key| key.to_string()).unwrap_or_default()
}

/// What the terminal told of itself.
fn terminal(model: &Model) -> String {
    let keys = match model.talk.by {
        TalkBy::Hold => "tells when a key is released: hold to talk",
        TalkBy::Toggle => "tells no releases of keys: press to start, press to stop",
    };
    let signs = if model.settings.ascii {
        "ASCII"
    } else {
        "Unicode"
    };
    format!("{}×{}, {signs}; {keys}", model.width, model.height)
}

/// The trial of the microphone: say something, see the level.
fn microphone(model: &Model, list: &Checkup) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let name = span(format!("    {:<NAMES$}", "your voice"), theme.strong);
    if !model.settings.microphone {
        return vec![
            name,
            span("no microphone: typed text does everything", theme.text),
        ];
    }
    if model.talk.phase == Phase::Recording {
        let level = model.talk.levels.back().copied().unwrap_or(-60.0);
        let part = ((level + 60.0) / 60.0).clamp(0.0, 1.0);
        let full = (part * METER as f32) as usize;
        return vec![
            name,
            span("━".repeat(full), theme.bar),
            span("─".repeat(METER - full), theme.dim),
            span(format!(" {}", model.talk.loudness()), theme.text),
        ];
    }
    let keys: Vec<String> = model
        .settings
        .keymap
        .talk_keys()
        .iter()
        .map(ToString::to_string)
        .collect();
    let keys = keys.join(" or ");
    match list.trial {
        Trial::None | Trial::Listening => vec![
            name,
            span(
                format!("{keys}: say something and see the level"),
                theme.text,
            ),
        ],
        Trial::Heard(peak) => vec![
            name,
            span("✓ ", theme.good),
            span(format!("heard you, {peak:.0} dB at most"), theme.text),
        ],
        Trial::Silent => vec![
            name,
            span("! ", theme.warn),
            span(
                "nothing was heard: is it muted, or another device?",
                theme.text,
            ),
        ],
    }
}

fn foot(model: &Model, list: &Checkup, chosen: bool) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let state = match (list.looking, list.wrong()) {
        (true, _) => "looking…".to_owned(),
        (false, 0) => "All is well.".to_owned(),
        (false, 1) => "One thing needs attention.".to_owned(),
        (false, wrong) => format!("{wrong} things need attention."),
    };
    let how = if chosen {
        format!(
            "  {}: mend  {}: look again  {}: close",
            key(model, Command::FixHere),
            key(model, Command::LookAgain),
            key(model, Command::CloseCheckup)
        )
    } else {
        let shown = model
            .settings
            .keymap
            .shown(Context::Cockpit, Command::Checkup);
        let shown = shown.map(|key| key.to_string()).unwrap_or_default();
        format!("  {shown} opens this list; say or type what should change to begin")
    };
    vec![span(state, theme.strong), span(how, theme.dim)]
}
