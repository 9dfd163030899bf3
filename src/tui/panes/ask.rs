//! Questions over the panes: the cockpit's own and the server's. Both are answered by the same keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::Action;
use crate::tui::keymap::{Command, Context};
use crate::tui::model::tally::signed;
use crate::tui::model::{Confirm, Focus, Model, Moment, OpenQuestion};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Draws a question of the cockpit; the rectangle it covers.
pub fn confirm(
    model: &Model,
    confirm: &Confirm,
    _now: Moment,
    area: Rect,
    buf: &mut Buffer,
) -> Rect {
    let (title, body) = words(model, confirm);
    draw(model, title, &body, true, area, buf)
}

/// The title and the paragraphs of a question of the cockpit.
pub fn words(model: &Model, confirm: &Confirm) -> (&'static str, Vec<String>) {
    let site = &model.site;
    let head = match text::short(&site.repository.head) {
        "" => String::new(),
        head => format!(" ({head})"),
    };
    let (branch, environment) = (site.branch(), &site.environment);
    let mut body = Vec::new();
    let title = match confirm {
        Confirm::Deploy => {
            body.push(format!("Deploy {branch}{head} to {environment}?"));
            "Deploy"
        }
        Confirm::Redeploy => {
            body.push(format!(
                "Build {branch}{head} again and deploy it to {environment}, even if it is live already?"
            ));
            "Deploy again"
        }
        Confirm::Preview(_, what) => {
            body.push(format!("To show it, {what}."));
            body.push("Run that now? Read these files in the diff first.".to_owned());
            "Preview"
        }
        Confirm::Rollback => {
            let live = site
                .live()
                .map(|live| text::short(&live.commit))
                .unwrap_or_default();
            body.push(format!(
                "Take {live} off {environment} and go back to the release before it?"
            ));
            body.push("The branch stays as it is.".to_owned());
            "Roll back"
        }
        Confirm::RollbackTo(environment, _, commit) => {
            body.push(format!(
                "Take what is live off {environment} and go back to {}?",
                text::short(commit)
            ));
            body.push("The branch stays as it is.".to_owned());
            "Roll back"
        }
        Confirm::RedeployTo(environment, commit) => {
            body.push(format!(
                "Build {} again and deploy it to {environment}, even if it is live already?",
                text::short(commit)
            ));
            body.push("The branch stays as it is.".to_owned());
            "Deploy again"
        }
        Confirm::PromoteTo(environment, release, commit) => {
            let what = match text::short(commit) {
                "" => release.as_str(),
                commit => commit,
            };
            body.push(format!(
                "Make {what} live on {environment}, as it was built?"
            ));
            body.push("The branch stays as it is.".to_owned());
            "Promote"
        }
        Confirm::Let(waits) => {
            body.push(format!("Approve {}?", waits.what));
            body.extend(waits.lines.iter().cloned());
            "Approve"
        }
        Confirm::Decline(waits) => {
            body.push(format!("Decline {}? It is not done.", waits.what));
            body.extend(waits.lines.iter().cloned());
            "Decline"
        }
        Confirm::Stop(_) => {
            body.push(format!(
                "Stop the deployment to {environment}? What is live now stays live."
            ));
            "Stop"
        }
        Confirm::Batch(items, action) => {
            let count = items.len();
            let then = match action {
                Action::Deploy => format!(" and deploy it once to {environment}"),
                _ => String::new(),
            };
            body.push(format!(
                "Commit {count} proposals as one commit to {branch}{then}?"
            ));
            for (id, _) in items.iter().take(TITLES) {
                if let Some(review) = model.reviews.get(id) {
                    let tally = &review.tally;
                    body.push(format!(
                        "· {} ({})",
                        review.view.proposal.title,
                        signed(tally.added, tally.removed)
                    ));
                }
            }
            let rest = count.saturating_sub(TITLES);
            if rest > 0 {
                body.push(format!("… and {rest} more"));
            }
            "Commit the batch"
        }
        Confirm::Again(_, _, title) => {
            body.push(format!(
                "You approved “{title}” while the server was away, and it was changed since."
            ));
            body.push("Look at it again? Otherwise nothing is approved.".to_owned());
            "Changed meanwhile"
        }
        Confirm::DropNote(_, words) => {
            body.push(format!("Take this note away? {words}"));
            body.push("The answers to it go with it.".to_owned());
            "Note"
        }
        Confirm::Quit => {
            body.push("A deployment is running. Quit all the same?".to_owned());
            body.push(
                "If this cockpit runs its own server, the deployment stops with it.".to_owned(),
            );
            "Quit"
        }
    };
    let deploys = matches!(confirm, Confirm::Deploy | Confirm::Redeploy);
    if deploys && !model.reviews.is_empty() {
        body.push("The proposal on the screen is not part of it.".to_owned());
    }
    (title, body)
}

/// Draws a question of the server; the rectangle it covers.
pub fn question(model: &Model, open: &OpenQuestion, area: Rect, buf: &mut Buffer) -> Rect {
    let mut body = vec![open.question.text.clone()];
    body.extend(planned(open));
    if !open.question.heard.is_empty() {
        body.push(format!("You said “{}”.", open.question.heard));
    }
    let title = match open.question.act.as_str() {
        "conflict" => "Two sides changed the same",
        "plan" => "Plan",
        "permit" => "Permission",
        _ => "Question",
    };
    let active = model.focus == Focus::Cockpit;
    draw(model, title, &body, active, area, buf)
}

/// The lines of the plan that is asked about: those around the selected one where there are many.
fn planned(open: &OpenQuestion) -> impl Iterator<Item = String> {
    let plan = &open.question.plan;
    let from = (open.at + 1).saturating_sub(SHOWN);
    let lines = plan.iter().enumerate().skip(from).take(SHOWN);
    lines.map(move |(at, line)| {
        let selected = if at == open.at { '>' } else { ' ' };
        let kept = if line.kept { 'x' } else { ' ' };
        let what = match line.what.as_str() {
            "" => String::new(),
            what => format!(": {what}"),
        };
        format!("{selected} {} [{kept}] {}{what}", at + 1, line.file)
    })
}

/// Titles of a batch that are shown.
const TITLES: usize = 8;
/// Lines of a plan that are shown at a time.
const SHOWN: usize = 9;

fn draw(
    model: &Model,
    title: &str,
    body: &[String],
    active: bool,
    area: Rect,
    buf: &mut Buffer,
) -> Rect {
    let theme = &model.settings.theme;
    let width = area.width.saturating_sub(4).clamp(1, 64).min(area.width);
    let columns = usize::from(width.saturating_sub(4).max(1));
    let mut lines: Vec<(String, Style)> = Vec::new();
    for (at, paragraph) in body.iter().enumerate() {
        let style = if at == 0 { theme.strong } else { theme.dim };
        let clean = text::clean_prose(paragraph);
        let pieces = text::wrap(&clean, columns, true);
        lines.extend(
            pieces
                .into_iter()
                .map(|range| (clean[range].to_owned(), style)),
        );
    }
    // The keys take two rows below the text; what does not fit is cut from the text, never from the keys.
    let height = u16::try_from(lines.len() + 4)
        .unwrap_or(u16::MAX)
        .min(area.height);
    // Low on the screen: what the question is about stays in sight above it, the keys below it.
    let frame = paint::low(area, width, height);
    let inner = paint::boxed(buf, frame, title, theme.warn);
    let keys = inner.height.saturating_sub(1);
    for (at, (line, style)) in (0..keys).zip(lines) {
        paint::row(buf, inner, at, vec![span(line, style)]);
    }
    let key = |command| {
        let shown = model.settings.keymap.shown(Context::Ask, command);
        shown.map(|key| key.to_string()).unwrap_or_default()
    };
    let spans = if active {
        vec![
            span(key(Command::Yes), theme.key),
            span(": yes   ", theme.text),
            span(key(Command::No), theme.key),
            span(": no", theme.text),
        ]
    } else {
        vec![span("Esc leaves the text; then answer here", theme.dim)]
    };
    paint::row(buf, inner, keys, spans);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::tui::model::Settings;

    #[test]
    fn a_long_batch_says_how_many_are_not_listed() {
        let settings = Settings::new(&Config::default(), false).unwrap();
        let model = Model::new(settings, 80, 24);
        let said = |count: u32| {
            let items = (0..count).map(|at| (format!("pro_{at}").as_str().into(), 1));
            let confirm = Confirm::Batch(items.collect(), Action::Commit);
            words(&model, &confirm).1.pop()
        };
        assert_eq!(said(11).as_deref(), Some("… and 3 more"));
        assert!(said(8).is_some_and(|last| !last.contains("more")));
    }
}
