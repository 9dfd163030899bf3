//! One line for the newest deployment: its stage, how far it is and how long it will take, or how it ended.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::tui::model::{Deploy, Ending, Model, Moment};
use crate::tui::motion;
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Draws the line.
pub fn draw(model: &Model, now: Moment, area: Rect, buf: &mut Buffer) {
    let (Some(deploy), false) = (&model.deploy, area.is_empty()) else {
        return;
    };
    let spans = match &deploy.ending {
        None => running(model, deploy, now, usize::from(area.width)),
        Some(ending) => ended(model, deploy, ending),
    };
    paint::row(buf, area, 0, spans);
}

fn running(model: &Model, deploy: &Deploy, now: Moment, columns: usize) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let mark = motion::mark(model, now.saturating_sub(deploy.since));
    let environment = text::clean_prose(&deploy.environment);
    let mut head = format!(" {mark} {environment}  {:<8}", deploy.stage.as_str());
    if columns < 50 {
        head = format!(" {mark} {:<8}", deploy.stage.as_str());
    }
    let mut tail = format!(" {:>3} %", deploy.percent);
    if let Some(left) = deploy.left(now).filter(|_| model.settings.motion) {
        // Whole seconds: an estimate pretends no more.
        let seconds = left.div_ceil(1000);
        let left = match seconds {
            0 => " any moment".to_owned(),
            1..60 => format!(" ~{seconds} s left"),
            _ => format!(" ~{}:{:02} left", seconds / 60, seconds % 60),
        };
        tail.push_str(&left);
    }
    if let Some(time) = motion::elapsed(model, deploy.since, now).filter(|_| columns >= 60) {
        tail.push_str(&format!("  {time}"));
    }
    let message = text::clean_prose(&deploy.message);
    let fixed = text::width(&head) + text::width(&tail);
    let spare = columns.saturating_sub(fixed + 2);
    // What is being done comes after the bar where both have room.
    let told = if spare >= 40 {
        text::width(&message).min(spare - 20)
    } else {
        0
    };
    let room = spare
        .saturating_sub(if told > 0 { told + 2 } else { 0 })
        .min(60);
    let done = room * usize::from(deploy.percent) / 100;
    let mut spans = vec![
        span(head, theme.strong),
        span("━".repeat(done), theme.bar),
        span("─".repeat(room - done), theme.dim),
        span(tail, theme.strong),
    ];
    if told > 0 {
        spans.push(span(format!("  {}", text::fit(&message, told)), theme.dim));
    }
    spans
}

fn ended(model: &Model, deploy: &Deploy, ending: &Ending) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let environment = text::clean_prose(&deploy.environment);
    match ending {
        Ending::Live {
            url,
            total_ms,
            stages,
        } => {
            let took = total_ms.map(|ms| format!(" in {}", text::duration(ms)));
            let mut spans = vec![
                span(
                    format!(" ✓ LIVE on {environment}{}  ", took.unwrap_or_default()),
                    theme.good,
                ),
                span(text::clean_prose(url), theme.strong),
            ];
            let longest = stages.iter().max_by_key(|(_, ms)| *ms);
            if let Some((stage, ms)) = longest {
                spans.push(span(
                    format!("  longest: {stage} {}", text::duration(*ms)),
                    theme.dim,
                ));
            }
            spans
        }
        Ending::Failed { stage, message } => vec![
            span(
                format!(" ✗ {environment}: failed at {}: ", text::clean_prose(stage)),
                theme.bad,
            ),
            span(text::clean_prose(message), theme.text),
        ],
        Ending::Canceled => vec![span(
            format!(" ! {environment}: stopped; what was live still is"),
            theme.warn,
        )],
        Ending::RolledBack => vec![span(
            format!(" ! {environment}: taken back; the release before is live"),
            theme.warn,
        )],
    }
}
