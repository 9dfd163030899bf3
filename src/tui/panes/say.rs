//! Voice and text: the recording with its level, what was heard and taken for, and the line to write in.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Span;

use crate::client::stream::Connection;
use crate::tui::keymap::{Command, Context};
use crate::tui::model::{Focus, Model, Moment, Phase, TalkBy, complete};
use crate::tui::motion;
use crate::tui::text;
use crate::tui::theme::Theme;
use crate::tui::view::paint::{self, span};

/// Draws the pane; where the cursor stands, when the text has the focus.
pub fn draw(model: &Model, now: Moment, area: Rect, buf: &mut Buffer) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    // The line to write in is the lowest row and the last one to go.
    let input = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    let above = Rect {
        height: area.height - 1,
        ..area
    };
    if above.height > 0 {
        let rows = rows(
            model,
            now,
            usize::from(above.width),
            usize::from(above.height),
        );
        for (at, spans) in (0u16..).zip(rows) {
            paint::row(buf, above, at, spans);
        }
    }
    line(model, input, buf)
}

/// What stands above the line, most important first where there is little room.
fn rows(model: &Model, now: Moment, columns: usize, height: usize) -> Vec<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let status = status(model, now);
    let mut rows = Vec::new();
    if model.talk.phase != Phase::Idle {
        rows.push(recording(model, columns));
        rows.extend(partial(model, columns, height.saturating_sub(1)));
    } else if model.talk.partial.is_some() && (model.work.is_some() || model.talk.reading) {
        rows.extend(partial(model, columns, height.saturating_sub(1).max(1)));
    } else {
        rows.extend(heard(
            model,
            columns,
            height.saturating_sub(usize::from(status.is_some())).max(1),
        ));
    }
    if let Some(status) = status {
        // A passing line wins over what was heard before it.
        rows.truncate(height.saturating_sub(1));
        let room = height - rows.len();
        for (at, range) in text::wrap(&status.1, columns.saturating_sub(3), true)
            .into_iter()
            .enumerate()
        {
            if at >= room {
                break;
            }
            let mark = if at == 0 {
                format!(" {} ", status.0)
            } else {
                "   ".to_owned()
            };
            let cut = at + 1 == room;
            let end = if cut { status.1.len() } else { range.end };
            rows.push(vec![
                span(mark, status.2),
                span(status.1[range.start..end].to_owned(), status.2),
            ]);
        }
    }
    if rows.is_empty() {
        rows.push(vec![span(format!(" {}", invitation(model)), theme.dim)]);
    }
    rows
}

/// The passing line: a notice, the work under way, or what is wrong with the connection.
fn status(model: &Model, now: Moment) -> Option<(&'static str, String, Style)> {
    let theme = &model.settings.theme;
    if let Some(notice) = &model.notice {
        return Some((
            notice.tone.mark(),
            notice.text.clone(),
            paint::tone(theme, notice.tone),
        ));
    }
    if let Some(work) = &model.work {
        let mark = motion::mark(model, now.saturating_sub(work.since));
        let time = motion::elapsed(model, work.since, now).map(|time| format!(" {time}"));
        return Some((
            mark,
            format!("{}…{}", work.what, time.unwrap_or_default()),
            theme.tip,
        ));
    }
    match &model.connection {
        Connection::Waiting { reason, .. } => Some(("!", text::clean_prose(reason), theme.warn)),
        Connection::Closed { reason } => Some(("✗", text::clean_prose(reason), theme.bad)),
        Connection::Connecting | Connection::Streaming | Connection::Polling => None,
    }
}

fn invitation(model: &Model) -> String {
    let type_key = model
        .settings
        .keymap
        .shown(Context::Cockpit, Command::FocusInput);
    let type_key = type_key.map(|key| key.to_string()).unwrap_or_default();
    if model.settings.microphone {
        let keys: Vec<String> = model
            .settings
            .keymap
            .talk_keys()
            .iter()
            .map(ToString::to_string)
            .collect();
        let keys = keys.join(" or ");
        match model.talk.by {
            TalkBy::Hold => format!("Hold {keys} and speak, or press {type_key} and type."),
            TalkBy::Toggle => format!("Press {keys} and speak, or press {type_key} and type."),
        }
    } else {
        format!("Press {type_key} and type what should change.")
    }
}

/// What was said so far: the end of it, where there is little room.
fn partial(model: &Model, columns: usize, height: usize) -> Vec<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let Some(words) = &model.talk.partial else {
        return Vec::new();
    };
    let words = format!("so far “{}…”", text::clean_prose(words));
    let pieces = text::wrap(&words, columns.saturating_sub(1), true);
    let skip = pieces.len().saturating_sub(height);
    pieces
        .into_iter()
        .skip(skip)
        .map(|range| vec![span(format!(" {}", &words[range]), theme.dim)])
        .collect()
}

/// What was heard, and what it was taken for.
fn heard(model: &Model, columns: usize, height: usize) -> Vec<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let Some(heard) = &model.heard else {
        return Vec::new();
    };
    let said = model.talk.certainty_of(heard.instruction.as_ref());
    let said = said.filter(|_| heard.spoken);
    let marked = said.and_then(|said| said.marked(&heard.text));
    let words = text::clean_prose(marked.as_ref().unwrap_or(&heard.text));
    let verb = if heard.spoken { "heard" } else { "you wrote" };
    let certain = match said.filter(|_| marked.is_some()) {
        Some(said) => format!(" {} %", said.percent()),
        None => String::new(),
    };
    let said = vec![
        span(format!(" {verb} "), theme.dim),
        span(format!("“{words}”"), theme.strong),
        span(certain.clone(), theme.dim),
    ];
    let Some(reading) = heard.reading.as_deref().map(text::clean_prose) else {
        return vec![said];
    };
    let taken = vec![span(" → ", theme.dim), span(reading, theme.tip)];
    if height > 2 {
        let mut rows = wrapped(
            format!("{verb} “{words}”{certain}"),
            columns,
            height - 1,
            theme.strong,
        );
        rows.extend(wrapped(
            format!("→ {}", taken[1].content),
            columns,
            height - rows.len(),
            theme.tip,
        ));
        return rows;
    }
    if height == 2 {
        return vec![said, taken];
    }
    // One row for both: half of it each at least.
    let half = columns / 2;
    let said_wide: usize = said.iter().map(|span| text::width(&span.content)).sum();
    let said = paint::fit(said, half.max(columns.saturating_sub(said_wide))).spans;
    vec![said.into_iter().chain(taken).collect()]
}

/// `words` in at most `height` rows; what does not fit is cut at the end of the last one.
fn wrapped(words: String, columns: usize, height: usize, style: Style) -> Vec<Vec<Span<'static>>> {
    let pieces = text::wrap(&words, columns.saturating_sub(1), true);
    let count = pieces.len().min(height);
    let rows = pieces
        .into_iter()
        .take(count)
        .enumerate()
        .map(|(at, range)| {
            let end = if at + 1 == count {
                words.len()
            } else {
                range.end
            };
            vec![
                span(" ", style),
                span(words[range.start..end].to_owned(), style),
            ]
        });
    rows.collect()
}

/// The one line that says what goes on where the pane itself is not shown.
pub fn whisper(model: &Model, now: Moment, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let spans = if model.talk.phase != Phase::Idle {
        recording(model, usize::from(area.width))
    } else if let Some((mark, words, style)) = status(model, now) {
        vec![span(format!(" {mark} {words}"), style)]
    } else {
        heard(model, usize::from(area.width), 1)
            .into_iter()
            .flatten()
            .collect()
    };
    paint::row(buf, area, 0, spans);
}

/// The running recording: how long, how loud.
fn recording(model: &Model, columns: usize) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let talk = &model.talk;
    match talk.phase {
        Phase::Idle | Phase::Opening => {
            return vec![span(" ○ opening the microphone…", theme.warn)];
        }
        Phase::Finishing => return vec![span(" ○ finishing the recording…", theme.warn)],
        Phase::Recording => {}
    }
    let mut spans = vec![span(" ● REC ", theme.recording)];
    if let Some(left) = talk.countdown(model.settings.voice.limit.duration()) {
        spans.push(span(format!("{left} s left "), theme.warn));
    }
    if model.settings.motion {
        let tenths = talk.elapsed.as_millis() / 100;
        spans.push(span(
            format!("{:>2}.{} s ", tenths / 10, tenths % 10),
            theme.strong,
        ));
        let taken: usize = spans.iter().map(|span| text::width(&span.content)).sum();
        let room = columns.saturating_sub(taken + 16).min(48);
        let skip = talk.levels.len().saturating_sub(room);
        let bars: String = talk
            .levels
            .iter()
            .skip(skip)
            .map(|level| bar(*level))
            .collect();
        let bars = format!("{bars:>room$} ");
        spans.push(span(bars, theme.bar));
    }
    spans.push(span(talk.loudness(), theme.dim));
    spans
}

/// A level as a bar: -60 dB and below is empty, 0 dB is full.
fn bar(level: f32) -> char {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let part = ((level + 60.0) / 60.0).clamp(0.0, 1.0);
    BARS[((part * 7.0).round() as usize).min(7)]
}

/// The line to write in, scrolled so that the cursor is in sight.
fn line(model: &Model, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &model.settings.theme;
    let focused = model.focus == Focus::Input;
    let prompt = if model.wording_now() {
        " commit message › "
    } else if model.revising.is_some() {
        " try again › "
    } else {
        " › "
    };
    let wide = text::width(prompt).min(usize::from(area.width));
    let room = usize::from(area.width) - wide;
    let style = if focused { theme.key } else { theme.dim };
    if model.line.text().is_empty() && !focused {
        let hint = span("type here", theme.dim);
        paint::row(buf, area, 0, vec![span(prompt, style), hint]);
        return None;
    }
    // The cursor takes a column of its own at the end of the text.
    let before = text::width(model.line.before());
    let skip = (before + 1).saturating_sub(room);
    let shown = skip_columns(model.line.text(), skip);
    let lost = text::width(model.line.text()) - text::width(shown);
    // Where nothing else tells what is suggested from what is written, brackets do.
    let alike = theme.dim == theme.text || *theme == Theme::plain();
    let rest = match complete::suggestion(model) {
        Some(rest) if alike => format!("[{rest}]"),
        rest => rest.unwrap_or_default(),
    };
    let spans = vec![
        span(prompt, style),
        span(shown, theme.text),
        span(rest, theme.dim),
    ];
    paint::row(buf, area, 0, spans);
    if !focused || room == 0 {
        return None;
    }
    let column = wide + (before - lost.min(before)).min(room - 1);
    Some(Position::new(
        area.x + u16::try_from(column).unwrap_or(0),
        area.y,
    ))
}

/// `line` without its first characters, at least `columns` wide together.
fn skip_columns(line: &str, columns: usize) -> &str {
    use unicode_segmentation::UnicodeSegmentation;
    let mut skipped = 0;
    for (at, grapheme) in line.grapheme_indices(true) {
        if skipped >= columns {
            return &line[at..];
        }
        skipped += text::width(grapheme);
    }
    ""
}
