//! The proposal on the whole screen: its diff, what it will come to, and what can be done with it, which stays in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::diff_rows::{self, HALF_GUTTER, halves};
use crate::model::Action;
use crate::tui::keymap::{Command, Context};
use crate::tui::model::review::Shape;
use crate::tui::model::tally::signed;
use crate::tui::model::{Model, Moment, Review};
use crate::tui::text;
use crate::tui::view::layout::{self, Plan};
use crate::tui::view::paint::{self, span};

/// A screen narrower than this shows one column.
const SIDES: u16 = 80;

/// The rectangles of the full view; one that is not shown has no area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Full {
    /// What is said, heard and done.
    pub whisper: Rect,
    /// The proposal's name.
    pub name: Rect,
    /// The diff.
    pub body: Rect,
    /// What will be committed where.
    pub summary: Rect,
    /// What can be done.
    pub actions: Rect,
}

/// Where everything stands. It does not depend on what happens, so that nothing jumps.
pub fn plan(_model: &Model, plan: &Plan) -> Full {
    let mut rest = plan.area;
    let top = plan.header.height;
    rest.y += top;
    rest.height = rest
        .height
        .saturating_sub(top + plan.footer.height + plan.progress.height);
    let mut full = Full::default();
    let all = rest.height;
    if all >= 2 {
        full.actions = bottom(&mut rest);
    }
    if all >= 3 {
        full.name = first(&mut rest);
    }
    if all >= 8 {
        full.summary = bottom(&mut rest);
    }
    if all >= 9 {
        full.whisper = first(&mut rest);
    }
    full.body = rest;
    full
}

/// How the diff is drawn now, and in how many lines.
pub fn shape(model: &Model, whole: &Plan) -> (Shape, usize) {
    if !model.full_view() {
        let body = whole.proposal_body();
        let columns = layout::diff_columns(body.width);
        let shape = Shape {
            columns,
            whole: columns,
            sides: false,
        };
        return (shape, usize::from(body.height));
    }
    let body = plan(model, whole).body;
    let columns = layout::diff_columns(body.width);
    let sides = model.sides && body.width >= SIDES;
    let (left, right) = halves(body.width);
    let half = (left.saturating_sub(HALF_GUTTER.0)).min(right.saturating_sub(HALF_GUTTER.1));
    let shape = Shape {
        columns: if sides { usize::from(half) } else { columns },
        whole: columns,
        sides,
    };
    (shape, usize::from(body.height))
}

/// Draws the view.
pub fn draw(model: &Model, now: Moment, whole: &Plan, buf: &mut Buffer) {
    let Some(review) = model.review() else {
        return;
    };
    let full = plan(model, whole);
    super::say::whisper(model, now, full.whisper, buf);
    super::proposal::name(model, review, full.name, buf);
    match &model.editing {
        Some(edit) => super::edit::draw(model, edit, full.body, buf),
        None => diff_rows::draw(model, review, full.body, true, buf),
    }
    paint::row(buf, full.summary, 0, summary(model, review));
    actions(model, review, full.actions, buf);
}

/// What an approval will come to, in one line.
pub fn summary(model: &Model, review: &Review) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let tally = &review.tally;
    let files = review.view.proposal.files.len();
    let of = |taken: usize, all: usize, one: &str| match (taken, all) {
        (taken, all) if taken != all => format!("{taken} of {all} {one}s"),
        (1, _) => format!("1 {one}"),
        (all, _) => format!("{all} {one}s"),
    };
    let mut what = of(tally.files_taken, files, "file");
    what.push_str(" · ");
    what.push_str(&of(tally.taken, tally.hunks, "hunk"));
    if tally.partly {
        what.push_str(" (in part)");
    }
    vec![
        span(format!(" {what} · "), theme.text),
        span(signed(tally.added, tally.removed), theme.strong),
        span(format!(" → {}", place(model, review)), theme.good),
    ]
}

/// The branch it goes to, and the environment.
pub fn place(model: &Model, review: &Review) -> String {
    let branch = match review.view.proposal.branch.as_str() {
        "" => text::clean_prose(model.site.branch()),
        branch => text::clean_prose(branch),
    };
    match model.approve_action(review) {
        Action::Deploy => format!(
            "{branch}, then {}",
            text::clean_prose(&model.site.environment)
        ),
        _ => branch,
    }
}

/// What each key will do.
fn actions(model: &Model, review: &Review, area: Rect, buf: &mut Buffer) {
    let theme = &model.settings.theme;
    if model.busy.proposal.as_ref() == Some(review.id()) {
        let words = " … the answer is on its way";
        paint::row(buf, area, 0, vec![span(words, theme.warn)]);
        return;
    }
    let mut wanted = vec![
        (Command::Summary, "summary, then commit"),
        (Command::Accept, "accept"),
        (Command::LeaveOut, "leave out"),
        (Command::UndoDecision, "undo"),
        (Command::SelectLines, "select lines"),
        (Command::AcceptFile, "whole file"),
        (Command::EditHere, "edit"),
        (Command::SideBySide, "side by side"),
        (Command::Highlight, "mark"),
        (Command::Note, "note"),
    ];
    let mut context = Context::Review;
    if model.editing.is_some() {
        context = Context::Edit;
        wanted = vec![
            (Command::SaveEdit, "put it into the proposal"),
            (Command::UndoTyping, "undo"),
            (Command::CancelEdit, "stop editing"),
        ];
    } else if review.anchor.is_some() {
        wanted[1].1 = "accept these lines";
        wanted[2].1 = "leave these lines out";
        wanted[4].1 = "stop selecting";
        wanted.insert(3, (Command::Highlight, "mark these lines"));
    } else if review.shape().sides {
        wanted[7].1 = "one column";
    }
    let mut left = usize::from(area.width);
    let mut spans = Vec::new();
    for (command, what) in wanted {
        let Some(key) = model.settings.keymap.shown(context, command) else {
            continue;
        };
        let (key, what) = (format!(" {key}"), format!(": {what} "));
        let wide = text::width(&key) + text::width(&what);
        let Some(rest) = left.checked_sub(wide) else {
            break;
        };
        left = rest;
        spans.push(span(key, theme.key));
        let style = if command == Command::Summary {
            theme.good
        } else {
            theme.text
        };
        spans.push(span(what, style));
    }
    paint::row(buf, area, 0, spans);
}

fn first(rest: &mut Rect) -> Rect {
    let cut = Rect { height: 1, ..*rest };
    rest.y += 1;
    rest.height -= 1;
    cut
}

fn bottom(rest: &mut Rect) -> Rect {
    rest.height -= 1;
    Rect {
        y: rest.bottom(),
        height: 1,
        ..*rest
    }
}
