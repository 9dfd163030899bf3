//! Deployments: the running one, where the time of the last one went, how that compares with the targets, and the
//! history. What there is no room for goes in that order from the end, but the history keeps some rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::{history, waterfall};
use crate::model::DeploymentState;
use crate::tui::model::{Deploy, Model, Pane};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Rows that the history keeps when the pane is in front.
const KEPT: usize = 4;

/// Rows from which on the steps of the last deployment are worth theirs.
const STEPS: usize = 4;

/// What the title says: what the selected release can or cannot do.
pub fn note(model: &Model) -> String {
    if let Some(note) = model.deploys.note(&model.site.environment) {
        return text::clean_prose(note);
    }
    if model.pane != Pane::Deploy {
        return String::new();
    }
    match (&model.deploys.marked, model.deploys.selected()) {
        (Some(_), Some(_)) => "= compares with the marked one".to_owned(),
        (None, Some(selected)) => model
            .deploys
            .not_back_to(selected)
            .unwrap_or_default()
            .to_owned(),
        _ => String::new(),
    }
}

/// Where the history stands in the pane: below everything else.
pub fn history_area(model: &Model, area: Rect) -> Rect {
    let above = above(model, area).len();
    let above = u16::try_from(above).unwrap_or(u16::MAX).min(area.height);
    Rect {
        y: area.y + above,
        height: area.height - above,
        ..area
    }
}

/// Draws the pane.
pub fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let rows = above(model, area);
    let count = rows.len();
    for (at, spans) in (0u16..).zip(rows) {
        paint::row(buf, area, at, spans);
    }
    let above = u16::try_from(count).unwrap_or(u16::MAX).min(area.height);
    let rest = Rect {
        y: area.y + above,
        height: area.height - above,
        ..area
    };
    history::draw(model, rest, buf);
}

/// The rows above the history.
fn above(model: &Model, area: Rect) -> Vec<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let (columns, height) = (usize::from(area.width), usize::from(area.height));
    let kept = if model.pane == Pane::Deploy {
        KEPT.min(model.deploys.list().len().max(1))
    } else {
        1
    };
    let mut left = height.saturating_sub(kept);
    let mut rows = Vec::new();
    let mut add = |more: Vec<Vec<Span<'static>>>, left: &mut usize| {
        if !more.is_empty() && more.len() <= *left {
            *left -= more.len();
            rows.extend(more);
        }
    };
    if model.deploying().is_some() {
        add(running(model), &mut left);
    }
    add(health(model, columns), &mut left);
    let figures = waterfall::figures(model, columns);
    // Without room for the steps the figures say the most in the fewest rows.
    let beside = if left > figures.len() + STEPS {
        left - figures.len()
    } else {
        0
    };
    add(waterfall::rows(model, columns, beside), &mut left);
    let fit = figures.len().min(left);
    add(figures.into_iter().take(fit).collect(), &mut left);
    if left > KEPT && !rows.is_empty() {
        rows.push(vec![span(
            format!(" {}", "─".repeat(columns.saturating_sub(2))),
            theme.rule,
        )]);
    }
    rows
}

/// The longest strip of answers.
const STRIP: usize = 30;

/// How what is live has been: its answers as a strip, and in words.
fn health(model: &Model, columns: usize) -> Vec<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let Some(vitals) = model.deploys.health(&model.site.environment) else {
        return Vec::new();
    };
    let well = vitals.failing == 0;
    let (mark, style) = match well {
        true => ("✓", theme.good),
        false => ("✗", theme.bad),
    };
    let strip = vitals.strip(STRIP.min(columns / 3));
    let mut rows = vec![vec![
        span(" health        ".to_owned(), theme.title),
        span(format!("{mark} "), style),
        span(format!("{strip} "), theme.bar),
        span(
            text::clean_prose(&vitals.words()),
            if well { theme.dim } else { style },
        ),
    ]];
    if let Some(note) = &vitals.note {
        let note = text::clean_prose(note);
        rows.push(vec![span(format!("   next: {note}"), style)]);
    }
    rows
}

/// The running deployment: its stages, and what is being done.
fn running(model: &Model) -> Vec<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let Some(deploy) = model.deploying() else {
        return Vec::new();
    };
    let mut stages = Vec::new();
    let checked = model.site.environments.iter().any(|environment| {
        environment.name == deploy.environment && !environment.checks.is_empty()
    });
    let known = crate::model::Stage::EVERY.into_iter();
    for stage in known.filter(|stage| checked || *stage != crate::model::Stage::Check) {
        let (mark, style) = match stage.cmp(&deploy.stage) {
            std::cmp::Ordering::Less => ("✓", theme.good),
            std::cmp::Ordering::Equal => ("▸", theme.title_active),
            std::cmp::Ordering::Greater => ("·", theme.dim),
        };
        stages.push(span(format!(" {mark} {stage} "), style));
    }
    let message = text::clean_prose(&deploy.message);
    // The bar itself is the line at the bottom of the screen: one that moves is enough.
    let mut rows = vec![stages, vec![span(format!("   {message}"), theme.dim)]];
    rows.extend(held(model, deploy));
    rows
}

/// Who is at the environment, since when, and who is next.
fn held(model: &Model, deploy: &Deploy) -> Option<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let record = model.deploys.find(&deploy.id)?;
    let since = model.timeline.local(record.started_at).time();
    let since = format!(
        "{:02}:{:02}:{:02}",
        since.hour(),
        since.minute(),
        since.second()
    );
    let owner = text::clean_prose(&record.actor);
    let mut words = format!("   {owner} has {} since {since}", deploy.environment);
    let next = model.deploys.list().iter().find(|other| {
        other.environment == deploy.environment && other.state == DeploymentState::Queued
    });
    if let Some(next) = next {
        let (commit, who) = (text::short(&next.commit), text::clean_prose(&next.actor));
        words.push_str(&format!("; next: {commit} of {who}"));
    }
    Some(vec![span(words, theme.dim)])
}
