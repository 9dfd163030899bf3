//! The proposal: its name, its diff, and the line with what can be done with it, which always stays in sight. A card
//! (a refusal, a failure, what came of it) stands in its place.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::{diff_rows, draft};
use crate::model::{Action, PreviewState, ProposalKind};
use crate::tui::keymap::{Command, Context};
use crate::tui::model::tally::signed;
use crate::tui::model::{Card, Model, Moment, Review};
use crate::tui::pictures::Way;
use crate::tui::text;
use crate::tui::view::layout::Plan;
use crate::tui::view::paint::{self, span};

/// Draws the pane.
pub fn draw(model: &Model, _now: Moment, plan: &Plan, buf: &mut Buffer) {
    if plan.proposal.is_empty() {
        return;
    }
    if let Some(draft) = &model.draft
        && model.reviews.is_empty()
    {
        draft::draw(model, draft, union(plan), buf);
        return;
    }
    match (&model.card, model.reviews.current()) {
        (Some(card), _) => draw_card(model, card, plan, buf),
        (None, Some(review)) => {
            name(model, review, plan.proposal_name(), buf);
            preview(model, review, plan.proposal_preview(), buf);
            diff_rows::draw(model, review, plan.proposal_body(), false, buf);
            let area = plan.proposal_picture();
            if let Some(picture) = model.previews.picture(review.id())
                && !area.is_empty()
            {
                picture.widget().render(area, buf);
            }
            actions(model, review, plan.proposal_actions(), buf);
        }
        (None, None) => welcome(model, plan, buf),
    }
}

/// The line that says what the proposal is.
pub fn name(model: &Model, review: &Review, area: Rect, buf: &mut Buffer) {
    let theme = &model.settings.theme;
    let proposal = &review.view.proposal;
    let kind = match proposal.kind {
        ProposalKind::Edit => "",
        ProposalKind::WorkingTree => "your own changes: ",
        ProposalKind::Undo => "undo: ",
    };
    let tally = &review.tally;
    let mut right = match (tally.taken, tally.hunks) {
        (_, 0) => String::new(),
        (taken, all) if taken == all && all == 1 => " 1 hunk ".to_owned(),
        (taken, all) if taken == all => format!(" {all} hunks "),
        (taken, all) => format!(" {taken} of {all} hunks taken "),
    };
    if tally.partly {
        right.push_str("(in part) ");
    }
    if tally.taken > 0 && area.width >= 60 {
        right.push_str(&format!("{} ", signed(tally.added, tally.removed)));
    }
    if model.batch.version(review.id()).is_some() {
        right.push_str("· in the batch ");
    }
    if model.reviews.len() > 1 {
        right.push_str(&format!(
            "· proposal {} of {} ",
            model.reviews.place() + 1,
            model.reviews.len()
        ));
    }
    let room = usize::from(area.width).saturating_sub(text::width(&right));
    let title = format!(" {kind}{}", text::clean_prose(&proposal.title));
    let title = text::fit(&title, room).into_owned();
    let pad = room.saturating_sub(text::width(&title));
    paint::row(
        buf,
        area,
        0,
        vec![
            span(title, theme.strong),
            span(" ".repeat(pad), theme.text),
            span(right, theme.dim),
        ],
    );
}

/// Where the proposal is shown as it would look.
fn preview(model: &Model, review: &Review, area: Rect, buf: &mut Buffer) {
    let Some(preview) = model.previews.get(review.id()).filter(|_| !area.is_empty()) else {
        return;
    };
    let theme = &model.settings.theme;
    let (word, style) = match preview.state {
        PreviewState::Building => ("building …".to_owned(), theme.warn),
        PreviewState::Ready if preview.version == review.view.proposal.version => {
            let here = match model.settings.pictures {
                Way::No(why) => Some(why),
                Way::By(_) => None,
            };
            let why = preview.no_picture.as_deref().or(here);
            (
                why.map_or(String::new(), |why| format!("no picture: {why}")),
                theme.dim,
            )
        }
        PreviewState::Ready => ("of the version before".to_owned(), theme.warn),
        PreviewState::Held | PreviewState::Failed => (preview.message.clone(), theme.bad),
        PreviewState::Ended => ("ended".to_owned(), theme.dim),
    };
    let key = model
        .settings
        .keymap
        .shown(Context::Cockpit, Command::Preview);
    let key = key.map(|key| key.to_string()).unwrap_or_default();
    let spans = vec![
        span(" preview ", theme.dim),
        span(text::clean_prose(&preview.url), theme.tip),
        span(format!("  {key}"), theme.key),
        span(": open it  ", theme.text),
        span(text::clean_prose(&word), style),
    ];
    paint::row(
        buf,
        area,
        0,
        paint::fit(spans, usize::from(area.width)).spans,
    );
}

/// What each key will do, in words that name the branch and the environment.
fn actions(model: &Model, review: &Review, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    if model.busy.proposal.as_ref() == Some(review.id()) {
        paint::row(
            buf,
            area,
            0,
            vec![span(" … the answer is on its way", theme.warn)],
        );
        return;
    }
    let key = |command| {
        let shown = model.settings.keymap.shown(Context::Cockpit, command);
        shown.map(|key| key.to_string()).unwrap_or_default()
    };
    let branch = match review.view.proposal.branch.as_str() {
        "" => text::clean_prose(model.site.branch()),
        branch => text::clean_prose(branch),
    };
    let environment = text::clean_prose(&model.site.environment);
    let deploys = model.approve_action(review) == Action::Deploy;
    // Branch and environment are named as long as there is room for them at all.
    let forms = if deploys {
        [
            format!("commit to {branch} and deploy to {environment}"),
            format!("deploy to {environment}"),
            "deploy".to_owned(),
        ]
    } else {
        [
            format!("commit to {branch}"),
            "commit".to_owned(),
            "commit".to_owned(),
        ]
    };
    // How to decline is always there; the rest as there is room.
    let mut others = vec![(key(Command::Reject), "reject")];
    if deploys {
        others.insert(0, (key(Command::CommitOnly), "commit only"));
    }
    if review.count() > 1 {
        others.push((key(Command::ToggleHunk), "take/leave hunk"));
    }
    others.push((key(Command::OpenReview), "full view"));
    let decline = &others[usize::from(deploys)..=usize::from(deploys)];
    let several = &others[..others.len().min(2)];
    let tries = [
        (&forms[0], &others[..]),
        (&forms[0], several),
        (&forms[0], decline),
        (&forms[1], decline),
        (&forms[2], decline),
    ];
    let mut spans = Vec::new();
    for (what, others) in tries {
        spans = vec![
            span(format!(" {}", key(Command::Approve)), theme.key),
            span(format!(": {what}"), theme.good),
        ];
        for (key, what) in others {
            spans.push(span(format!("  {key}"), theme.key));
            spans.push(span(format!(": {what}"), theme.text));
        }
        let wide: usize = spans.iter().map(|span| text::width(&span.content)).sum();
        if wide <= usize::from(area.width) {
            break;
        }
    }
    paint::row(buf, area, 0, spans);
}

fn draw_card(model: &Model, card: &Card, plan: &Plan, buf: &mut Buffer) {
    let theme = &model.settings.theme;
    let whole = union(plan);
    let columns = usize::from(whole.width).saturating_sub(4).max(1);
    let mut rows: Vec<Vec<Span<'static>>> = Vec::new();
    let style = paint::tone(theme, card.tone);
    for (at, piece) in pieces(&card.title, columns).into_iter().enumerate() {
        let mark = if at == 0 {
            format!(" {} ", card.tone.mark())
        } else {
            "   ".to_owned()
        };
        rows.push(vec![span(mark, style), span(piece, style)]);
    }
    for paragraph in &card.body {
        for (at, piece) in pieces(paragraph, columns).into_iter().enumerate() {
            rows.push(vec![
                span(if at == 0 { "   " } else { "     " }, theme.text),
                span(piece, theme.text),
            ]);
        }
    }
    // The way on takes the last rows; what does not fit is cut before it.
    let mut last: Vec<Vec<Span<'static>>> = Vec::new();
    if let Some(hint) = &card.hint {
        let style = theme.tip;
        last.extend(
            pieces(hint, columns)
                .into_iter()
                .map(|piece| vec![span(format!("   {piece}"), style)]),
        );
    }
    if card.choices > 0 {
        let key = |number| {
            let command = Command::Choose(number);
            model.settings.keymap.shown(Context::Choices, command)
        };
        let keys = [1, card.choices].map(|number| key(number).map(|key| key.to_string()));
        let words = match keys {
            [Some(first), _] if card.choices == 1 => format!("   {first}: take it"),
            [Some(first), Some(last)] => {
                format!("   {first}…{last}, or say “the second one”: take that one")
            }
            _ => "   say which one, as in “the second one”".to_owned(),
        };
        last.push(vec![span(words, theme.key)]);
    }
    if !model.reviews.is_empty() {
        let back = "   Esc: back to the proposal that waits";
        last.push(vec![span(back, theme.key)]);
    }
    let room = usize::from(whole.height).saturating_sub(last.len()).max(1);
    rows.truncate(room);
    for (at, spans) in (0..whole.height).zip(rows.into_iter().chain(last)) {
        paint::row(buf, whole, at, spans);
    }
}

fn welcome(model: &Model, plan: &Plan, buf: &mut Buffer) {
    let theme = &model.settings.theme;
    let whole = union(plan);
    let mut lines = vec![
        (" Nothing waits for you.", theme.strong),
        ("", theme.text),
        (" Say or type, for example:", theme.dim),
        (
            "   change the homepage headline to Welcome to 3000 Studios",
            theme.tip,
        ),
        ("   rename the contact button to Write to us", theme.tip),
        (
            "   commit that · deploy that · undo that · roll back",
            theme.tip,
        ),
        ("", theme.text),
        (
            " You see the difference first; nothing changes before you approve it.",
            theme.dim,
        ),
    ];
    if usize::from(whole.height) < lines.len() {
        lines.retain(|(line, _)| !line.is_empty());
    }
    for (at, (line, style)) in (0..whole.height).zip(lines) {
        paint::row(buf, whole, at, vec![span(line, style)]);
    }
}

/// The whole pane below its title.
fn union(plan: &Plan) -> Rect {
    plan.proposal_name()
        .union(plan.proposal_body())
        .union(plan.proposal_actions())
        .intersection(plan.proposal)
}

fn pieces(paragraph: &str, columns: usize) -> Vec<String> {
    let clean = text::clean_prose(paragraph);
    let ranges = text::wrap(&clean, columns, true);
    ranges
        .into_iter()
        .map(|range| clean[range].to_owned())
        .collect()
}
