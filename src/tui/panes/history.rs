//! The deployments so far, newest first, with what can be done with the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::model::{Deployment, DeploymentState};
use crate::tui::model::deploys::state;
use crate::tui::model::{Model, Pane};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// The first deployment shown in a list of `height` rows.
pub fn top(model: &Model, height: usize) -> usize {
    let (at, count) = (model.deploys.at(), model.deploys.list().len());
    let lowest = (at + 1).saturating_sub(height.max(1));
    // The selected one stands in the middle where there are more on both sides.
    let middle = at.saturating_sub(height / 2);
    middle.clamp(lowest, at).min(count.saturating_sub(height))
}

/// Draws the list.
pub fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    let list = model.deploys.list();
    if list.is_empty() {
        let words = if model.deploys.loaded {
            " nothing has been deployed yet"
        } else {
            " loading the deployments…"
        };
        paint::row(buf, area, 0, vec![span(words, theme.dim)]);
        return;
    }
    let height = usize::from(area.height);
    let front = model.pane == Pane::Deploy;
    let shown = list.iter().enumerate().skip(top(model, height));
    for (row, (at, deployment)) in (0u16..).zip(shown.take(height)) {
        let mut spans = line(model, deployment, usize::from(area.width));
        if front && at == model.deploys.at() {
            let wide: usize = spans.iter().map(|span| text::width(&span.content)).sum();
            spans.push(span(
                " ".repeat(usize::from(area.width).saturating_sub(wide)),
                theme.text,
            ));
            let first = format!("›{}", spans[0].content.get(1..).unwrap_or_default());
            spans[0] = span(first, spans[0].style);
            for span in &mut spans {
                span.style = span.style.patch(theme.cursor);
            }
        }
        paint::row(buf, area, row, spans);
    }
}

fn line(model: &Model, deployment: &Deployment, columns: usize) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let (mark, word) = state(deployment.state);
    let style = match deployment.state {
        DeploymentState::Live => theme.good,
        DeploymentState::Failed => theme.bad,
        DeploymentState::Waiting
        | DeploymentState::Canceled
        | DeploymentState::RolledBack
        | DeploymentState::Unknown => theme.warn,
        DeploymentState::Queued | DeploymentState::Running => theme.tip,
    };
    let current = model
        .deploys
        .release(deployment)
        .is_some_and(|release| release.current && deployment.state == DeploymentState::Live);
    let word = match (current, deployment.state) {
        (true, _) => "LIVE NOW",
        (false, DeploymentState::Live) => "was live",
        _ => word,
    };
    let marked = model.deploys.marked.as_ref() == Some(&deployment.id);
    let local = model.timeline.local(deployment.started_at);
    let (date, time) = (local.date(), local.time());
    let when = if columns >= 60 {
        format!(
            "{:02}-{:02} {:02}:{:02}",
            date.month(),
            date.day(),
            time.hour(),
            time.minute()
        )
    } else {
        format!("{:02}:{:02}", time.hour(), time.minute())
    };
    let took = deployment.ended_at.and_then(|ended| {
        u64::try_from(ended.as_millisecond() - deployment.started_at.as_millisecond()).ok()
    });
    let took = took.map(text::duration).unwrap_or_default();
    let commit = text::clean_prose(text::short(&deployment.commit));
    let mut spans = vec![
        span(" ", theme.text),
        span(format!("{mark} "), style),
        span(format!("{when} "), theme.dim),
        span(format!("{commit:<7} "), theme.strong),
        span(format!("{word:<10}"), style),
        span(format!("{took:>8}"), theme.dim),
        span(
            format!("  {}", text::clean_prose(&deployment.environment)),
            theme.text,
        ),
        span(
            format!("  {}", text::clean_prose(&deployment.actor)),
            theme.dim,
        ),
    ];
    if deployment.force {
        spans.push(span("  again", theme.dim));
    }
    if marked {
        spans.push(span("  ◆ marked", theme.tip));
    }
    spans
}
