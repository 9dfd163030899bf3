//! Whether an action can be done now, and if not, why.

use super::Model;
use crate::tui::keymap::{Command as C, Context};

/// Why `command` cannot be done now; `None` when it can.
pub fn why_not(model: &Model, command: C) -> Option<&'static str> {
    let review = model.review();
    let none = review.is_none();
    match command {
        C::Approve
        | C::Reject
        | C::PreviousVersion
        | C::NextVersion
        | C::Pick
        | C::OpenReview
        | C::Summary
        | C::Preview
            if none =>
        {
            Some("no proposal waits")
        }
        C::ToggleHunk
        | C::NextHunk
        | C::PreviousHunk
        | C::Accept
        | C::LeaveOut
        | C::AcceptFile
        | C::LeaveOutFile
        | C::NextFile
        | C::PreviousFile
        | C::Edit
        | C::EditHere
        | C::SelectLines
        | C::SideBySide
            if none =>
        {
            Some("no proposal waits")
        }
        C::ToggleHunk | C::Accept | C::LeaveOut | C::EditHere | C::Edit
            if review.is_some_and(|review| review.count() == 0) =>
        {
            Some("the proposal has no text")
        }
        C::NextProposal | C::PreviousProposal if model.reviews.len() < 2 => {
            Some("no other proposal waits")
        }
        C::Queue if model.reviews.is_empty() => Some("no proposal waits"),
        C::ApproveBatch | C::CommitBatch if model.batch.picked().is_empty() => {
            Some("the batch is empty")
        }
        C::UndoDecision if model.reviews.undo.is_empty() => Some("nothing was decided yet"),
        C::RedoDecision if model.reviews.redo.is_empty() => Some("nothing was undone"),
        C::StopDeployment if model.deploying().is_none() && model.site.waiting.is_empty() => {
            Some("no deployment is running")
        }
        C::ApproveRelease if model.site.waiting.is_empty() => Some("nothing waits for approval"),
        C::OpenPage | C::CopyAddress | C::Rollback if model.site.live().is_none() => {
            Some("nothing is live yet")
        }
        here if here.is_on_deployment()
            && model.deploys.loaded
            && model.deploys.list().is_empty() =>
        {
            Some("nothing has been deployed yet")
        }
        C::CopyRow if model.timeline.selected().is_none() => Some("no line is selected"),
        C::Deploy | C::Redeploy if !model.loaded => Some("not connected to the server yet"),
        C::Deploy | C::Redeploy | C::Rollback if model.busy.sync => {
            Some("the server is still at the last one")
        }
        C::Talk if !model.settings.microphone => Some("there is no microphone in this session"),
        C::Choose(number) if planned(model) > 0 => {
            (usize::from(number) > planned(model)).then_some("the plan has no such line")
        }
        C::TogglePlan if planned(model) == 0 => Some("no plan is open"),
        C::Choose(number) if model.card.as_ref().is_none_or(|card| number > card.choices) => {
            Some("no candidates are listed")
        }
        C::CloseReview if !model.reading => Some("the review is not open"),
        C::Highlight
        | C::Unmark
        | C::Note
        | C::ChangeNote
        | C::Resolve
        | C::NextNote
        | C::PreviousNote
            if none =>
        {
            Some("no proposal waits")
        }
        C::Outbox if model.team.outbox.is_empty() => Some("nothing waits to be sent"),
        C::Follow if model.team.people.is_empty() => Some("nobody else is here"),
        C::Watch | C::StopWatching if model.loaded && model.site.watch.is_none() => {
            Some("there are no files here to watch")
        }
        _ => None,
    }
}

/// Lines of the plan that the person is asked about.
fn planned(model: &Model) -> usize {
    let open = model.questions.front();
    open.map_or(0, |open| open.question.plan.len())
}

/// True when `command`, chosen from a list that was opened in `from`, can be run there.
pub fn belongs(model: &Model, from: Context, command: C) -> bool {
    let desk = [
        Context::Cockpit,
        Context::Review,
        Context::Choices,
        Context::Timeline,
        Context::Deploy,
    ];
    let keymap = &model.settings.keymap;
    let has = |context: Context| keymap.rows(context).any(|row| row.command == command);
    if desk.contains(&from) {
        return desk.into_iter().any(has) || has(Context::Global);
    }
    has(from) || has(Context::Global)
}

/// True for what changes nothing but what is in sight: it needs no time to be stopped in.
pub fn is_harmless(command: C) -> bool {
    matches!(
        command,
        C::NextHunk
            | C::PreviousHunk
            | C::NextFile
            | C::PreviousFile
            | C::NextProposal
            | C::PreviousProposal
            | C::ScrollUp
            | C::ScrollDown
            | C::PageUp
            | C::PageDown
            | C::Top
            | C::Bottom
            | C::PaneSay
            | C::PaneProposal
            | C::PaneTimeline
            | C::PaneDeploy
            | C::Zoom
            | C::Larger
            | C::Smaller
            | C::EvenSizes
            | C::Fold
            | C::Unfold
            | C::FoldAll
            | C::Filter
            | C::FilterKind
            | C::FilterEnvironment
            | C::Compare
            | C::Mark
            | C::Checkup
            | C::Back
            | C::Help
            | C::CloseHelp
            | C::Palette
            | C::OpenReview
            | C::CloseReview
            | C::NextNote
            | C::PreviousNote
            | C::People
            | C::Outbox
            | C::SelectLines
            | C::SideBySide
            | C::Summary
            | C::Queue
            | C::Redraw
            | C::EditHeard
            | C::Replay
            | C::Microphones
            | C::OpenPage
            | C::CopyAddress
            // These ask before they act.
            | C::Deploy
            | C::Redeploy
            | C::Rollback
            | C::PromoteHere
            | C::ApproveRelease
            | C::ApproveBatch
            | C::CommitBatch
            | C::StopDeployment
    )
}
