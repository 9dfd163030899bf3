//! What will be committed where, before the one key that does it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::diff;
use crate::model::{Action, ApprovalRule, Content, Decision, EnvironmentStatus, ProposedFile};
use crate::tui::keymap::{Command, Context};
use crate::tui::model::tally::{changes, signed};
use crate::tui::model::{Model, Review, Summary};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Files shown at most.
const FILES: usize = 12;

/// Draws the summary; the rectangle it covers.
pub fn draw(model: &Model, of: &Summary, area: Rect, buf: &mut Buffer) -> Rect {
    let theme = &model.settings.theme;
    let width = area.width.saturating_sub(4).clamp(1, 84).min(area.width);
    let columns = usize::from(width.saturating_sub(4).max(1));
    let review = model.reviews.get(&of.proposal);
    let Some(review) = review.filter(|review| review.version() == of.version) else {
        let lines = [(
            "The proposal changed meanwhile: look at it again.".to_owned(),
            theme.warn,
        )];
        return boxed(model, "Summary", &lines, columns, width, area, buf);
    };
    let mut lines: Vec<(String, Style)> = Vec::new();
    let proposal = &review.view.proposal;
    let row = |name: &str, what: String| format!("{name:<9}{what}");
    let base = match text::short(&proposal.base) {
        "" => String::new(),
        base => format!(" (on top of {base})"),
    };
    let branch = match proposal.branch.as_str() {
        "" => model.site.branch(),
        branch => branch,
    };
    lines.push((
        row("branch", format!("{}{base}", text::clean_prose(branch))),
        theme.strong,
    ));
    let deploys = model.approve_action(review) == Action::Deploy;
    let environment = text::clean_prose(&model.site.environment);
    lines.push(if deploys {
        let live = model
            .site
            .live()
            .map(|live| format!(", {}", text::clean_prose(&live.url)));
        (
            row(
                "deploy",
                format!("to {environment}{}", live.unwrap_or_default()),
            ),
            theme.strong,
        )
    } else {
        (row("deploy", "no: commit only".to_owned()), theme.text)
    });
    let mut set = model.site.environments.iter();
    let set = set.find(|one| deploys && one.name == model.site.environment);
    for (name, what, stops) in set.into_iter().flat_map(|set| before(model, set)) {
        let style = if stops { theme.warn } else { theme.text };
        lines.push((row(name, what), style));
    }
    lines.push((
        row(
            "message",
            match model.message_of(&of.proposal) {
                Some(own) => text::clean_prose(own),
                None => text::clean_prose(&proposal.title),
            },
        ),
        theme.text,
    ));
    let tally = &review.tally;
    let counted = format!(
        "{} of {}, {}",
        tally.files_taken,
        proposal.files.len(),
        signed(tally.added, tally.removed)
    );
    lines.push((row("files", counted), theme.text));
    lines.extend(files(review, of.top, columns, theme.text, theme.dim));
    for warning in &proposal.warnings {
        lines.push((row("warning", text::clean_prose(warning)), theme.warn));
    }
    lines.push((
        row("checks", checks(&proposal.warnings, deploys, set)),
        theme.text,
    ));
    let title = format!("Commit to {}", diff::place(model, review));
    boxed(model, &title, &lines, columns, width, area, buf)
}

/// What stands before an environment, and whether it holds everybody up.
fn before(
    model: &Model,
    set: &EnvironmentStatus,
) -> impl Iterator<Item = (&'static str, String, bool)> {
    let name = text::clean_prose(&set.name);
    let approval = match set.approval {
        ApprovalRule::None => None,
        ApprovalRule::Ask => Some("somebody must"),
        ApprovalRule::TwoPeople => Some("two people must"),
    };
    let approval = approval.map(|who| {
        let what = format!("{who} approve it before it goes to {name}");
        ("approval", what, false)
    });
    let freeze = set.frozen_until.map(|until| {
        let until = model.timeline.local(until);
        let (date, hour, minute) = (until.date(), until.hour(), until.minute());
        let what =
            format!("nothing new goes to {name} until {date} {hour:02}:{minute:02}; it waits");
        ("freeze", what, true)
    });
    approval.into_iter().chain(freeze)
}

/// What was checked, and what will be; `set`: where it is deployed to.
fn checks(warnings: &[String], deploys: bool, set: Option<&EnvironmentStatus>) -> String {
    let secrets = warnings
        .iter()
        .any(|text| text.contains("looks like a secret"));
    let first = if secrets {
        "something looks like a secret (above)"
    } else {
        "nothing looks like a secret"
    };
    let hooks = "git hooks run at the commit";
    if !deploys {
        return format!("{first}; {hooks}");
    }
    let own = match set.map_or(&[][..], |set| &set.checks) {
        [] => String::new(),
        names => format!("{}, ", text::clean_prose(&names.join(", "))),
    };
    format!("{first}; {hooks}; {own}build and health check before it goes live")
}

fn files(
    review: &Review,
    top: usize,
    columns: usize,
    taken: Style,
    left_out: Style,
) -> Vec<(String, Style)> {
    let files = &review.view.proposal.files;
    let top = top.min(files.len().saturating_sub(FILES));
    let mut out = Vec::new();
    for file in files.iter().skip(top).take(FILES) {
        let (words, any) = file_row(file);
        let path = text::clean(&file.path).into_owned();
        let room = columns.saturating_sub(text::width(&words) + 5);
        let path = text::fit(&path, room).into_owned();
        let pad = room.saturating_sub(text::width(&path));
        let style = if any { taken } else { left_out };
        out.push((
            format!("  {} {path}{} {words}", letter(file), " ".repeat(pad)),
            style,
        ));
    }
    let rest = files.len().saturating_sub(top + FILES);
    if rest > 0 {
        out.push((format!("    … {rest} more files"), left_out));
    }
    out
}

/// What is taken of a file, and whether anything is.
fn file_row(file: &ProposedFile) -> (String, bool) {
    let accepted = file
        .hunks
        .iter()
        .filter(|hunk| hunk.decision == Decision::Accepted);
    let (mut added, mut removed, mut hunks, mut partly) = (0, 0, 0, false);
    for hunk in accepted {
        let (more, less) = changes(hunk);
        (added, removed, hunks) = (added + more, removed + less, hunks + 1);
        partly |= !hunk.left_out.is_empty();
    }
    if hunks == 0 {
        return ("left out".to_owned(), false);
    }
    let mut words = signed(added, removed);
    if hunks < file.hunks.len() {
        words.push_str(&format!(" ({hunks} of {} hunks)", file.hunks.len()));
    } else if partly {
        words.push_str(" (in part)");
    }
    (words, true)
}

fn letter(file: &ProposedFile) -> char {
    match (&file.before, &file.after) {
        (Content::Absent, _) => 'A',
        (_, Content::Absent) => 'D',
        _ => 'M',
    }
}

/// The lines in a box, wrapped, with the keys in the last row, which is never cut.
fn boxed(
    model: &Model,
    title: &str,
    lines: &[(String, Style)],
    columns: usize,
    width: u16,
    area: Rect,
    buf: &mut Buffer,
) -> Rect {
    let theme = &model.settings.theme;
    let wrapped: Vec<(String, Style)> = lines
        .iter()
        .flat_map(|(line, style)| {
            text::wrap(line, columns, true)
                .into_iter()
                .enumerate()
                .map(|(n, range)| {
                    let indent = if n > 0 && columns > 20 {
                        "         "
                    } else {
                        ""
                    };
                    (format!("{indent}{}", &line[range]), *style)
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let height = u16::try_from(wrapped.len() + 4)
        .unwrap_or(u16::MAX)
        .min(area.height);
    let frame = paint::middle(area, width, height);
    let inner = paint::boxed(buf, frame, title, theme.warn);
    let keys = inner.height.saturating_sub(1);
    for (at, (line, style)) in (0..keys).zip(wrapped) {
        paint::row(buf, inner, at, vec![span(line, style)]);
    }
    let key = |command| {
        let shown = model.settings.keymap.shown(Context::Summary, command);
        shown.map(|key| key.to_string()).unwrap_or_default()
    };
    let review = model.review();
    let deploys = review.is_some_and(|review| model.approve_action(review) == Action::Deploy);
    let mut spans = vec![
        span(key(Command::Approve), theme.key),
        span(
            if deploys {
                ": commit and deploy  "
            } else {
                ": commit  "
            },
            theme.good,
        ),
    ];
    if deploys {
        spans.push(span(key(Command::CommitOnly), theme.key));
        spans.push(span(": commit only  ", theme.text));
    }
    spans.push(span(key(Command::Message), theme.key));
    spans.push(span(": message  ", theme.text));
    spans.push(span(key(Command::Back), theme.key));
    spans.push(span(": back  ", theme.text));
    spans.push(span(key(Command::Reject), theme.key));
    spans.push(span(": reject", theme.text));
    paint::row(buf, inner, keys, spans);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::tui::model::Settings;

    #[test]
    fn what_stands_before_the_environment_is_named() {
        let settings = Settings::new(&Config::default(), false).unwrap();
        let model = Model::new(settings, 80, 24);
        let set = EnvironmentStatus {
            name: "production".into(),
            approval: ApprovalRule::TwoPeople,
            checks: vec!["lint".into(), "size".into()],
            frozen_until: Some("2026-11-23T08:05:00Z".parse().unwrap()),
            ..EnvironmentStatus::default()
        };
        let rows: Vec<_> = before(&model, &set).collect();
        assert_eq!(
            rows,
            [
                (
                    "approval",
                    "two people must approve it before it goes to production".to_owned(),
                    false
                ),
                (
                    "freeze",
                    "nothing new goes to production until 2026-11-23 08:05; it waits".to_owned(),
                    true
                ),
            ]
        );
        assert!(checks(&[], true, Some(&set)).contains("lint, size, build and health check"));
        assert!(!checks(&[], false, Some(&set)).contains("lint"));
        let open = EnvironmentStatus::default();
        assert_eq!(before(&model, &open).count(), 0);
        assert!(checks(&[], true, Some(&open)).contains("; build and health check"));
    }
}
