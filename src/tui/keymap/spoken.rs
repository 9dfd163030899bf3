//! Everything the keys do, by voice: which words are for the cockpit itself, and which action they mean. Pure.
//!
//! What commits, deploys or goes back is not here: those words are understood by the server, which asks before it acts.

use super::Command::{self, *};
use crate::intent::spoken;

/// What people say, the first one is the one shown.
#[rustfmt::skip]
const PHRASES: &[(Command, &[&str])] = &[
    (OpenReview, &["open the review", "review", "review it", "full screen", "open the diff"]),
    (CloseReview, &["close the review", "close the diff", "leave the review"]),
    (NextHunk, &["next hunk", "next change", "go to the next hunk"]),
    (PreviousHunk, &["previous hunk", "previous change", "last hunk", "go to the previous hunk"]),
    (NextFile, &["next file", "go to the next file"]),
    (PreviousFile, &["previous file", "go to the previous file"]),
    (NextProposal, &["next proposal", "show the next proposal"]),
    (PreviousProposal, &["previous proposal", "show the previous proposal"]),
    (PreviousVersion, &["go back to the version before", "the version before", "previous version", "show the version before", "earlier version"]),
    (NextVersion, &["go to the version after", "the version after", "next version", "later version"]),
    (Accept, &["accept this hunk", "accept the hunk", "take this hunk", "accept this change", "accept these lines", "accept the lines"]),
    (LeaveOut, &["reject this hunk", "reject the hunk", "leave this hunk out", "leave out this hunk", "reject this change", "reject these lines", "leave these lines out"]),
    (ToggleHunk, &["toggle this hunk", "toggle the hunk"]),
    (AcceptFile, &["accept this file", "accept the file", "accept the whole file", "take this file"]),
    (LeaveOutFile, &["reject this file", "reject the file", "leave this file out", "leave out this file"]),
    (SelectLines, &["select lines", "start selecting", "stop selecting"]),
    (UndoDecision, &["undo the decision", "undo that decision", "undo my last decision", "take the decision back"]),
    (RedoDecision, &["redo the decision", "redo that decision"]),
    (EditHere, &["edit this hunk", "edit the hunk", "edit it here"]),
    (Edit, &["open the editor", "open it in my editor", "edit this file"]),
    (SideBySide, &["side by side", "unified view", "one column", "two columns"]),
    (Message, &["write the commit message", "edit the commit message"]),
    (Summary, &["show the summary", "what will be committed", "summary"]),
    (Queue, &["show the queue", "open the queue", "show the proposals", "what is waiting"]),
    (Pick, &["add it to the batch", "add this to the batch", "put it in the batch", "take it out of the batch"]),
    (Revise, &["try again", "edit the instruction"]),
    (PaneSay, &["show the say pane", "go to the input"]),
    (PaneProposal, &["show the proposal", "go to the proposal"]),
    (PaneTimeline, &["show the timeline", "go to the timeline", "open the timeline"]),
    (FocusInput, &["let me type", "i will type", "type an instruction"]),
    (OpenPage, &["open the page", "open the live page"]),
    (CopyAddress, &["copy the address", "copy the link"]),
    (ScrollUp, &["scroll up", "one line up"]),
    (ScrollDown, &["scroll down", "one line down"]),
    (PageUp, &["page up", "one page up"]),
    (PageDown, &["page down", "one page down"]),
    (Top, &["go to the top", "to the top", "scroll to the top"]),
    (Bottom, &["go to the bottom", "to the end", "scroll to the bottom", "go to the end"]),
    (Back, &["go back", "back", "close that", "put it away"]),
    (Help, &["show the keys", "list the keys", "show the help"]),
    (Palette, &["open the palette", "command palette", "show all commands"]),
    (EditHeard, &["edit what you heard", "let me correct that", "correct what you heard"]),
    (Replay, &["play the recording", "play it again", "what did i say"]),
    (Microphones, &["choose the microphone", "show the microphones", "list the microphones"]),
    (Redraw, &["redraw", "redraw the screen"]),
    (PaneDeploy, &["show the deployments", "go to the deployments"]),
    (Zoom, &["zoom", "zoom in", "zoom out", "zoom this pane"]),
    (Larger, &["make this pane larger", "larger"]),
    (Smaller, &["make this pane smaller", "smaller"]),
    (EvenSizes, &["even sizes", "reset the sizes"]),
    (SelectUp, &["select the one above", "one up"]),
    (SelectDown, &["select the one below", "one down"]),
    (Details, &["show the details", "open the details", "more about this"]),
    (CloseDetails, &["close the details", "hide the details"]),
    (CopyDetails, &["copy the details", "copy all of it"]),
    (Fold, &["fold this", "close this group"]),
    (Unfold, &["unfold this", "open this group"]),
    (FoldAll, &["fold everything", "unfold everything"]),
    (Filter, &["filter the timeline", "search the timeline"]),
    (DropFilter, &["drop the filter", "clear the filter", "no filter"]),
    (FilterKind, &["filter by kind", "next kind of events"]),
    (FilterEnvironment, &["filter by environment", "next environment"]),
    (CopyRow, &["copy this line", "copy the line"]),
    (OpenHere, &["open this deployment", "open this release"]),
    (CopyHere, &["copy this address"]),
    (PromoteHere, &["promote this release", "promote this deployment", "promote the release", "promote the selected release"]),
    (ApproveBatch, &["deploy the batch", "batch sync", "commit and deploy the batch"]),
    (CommitBatch, &["commit the batch"]),
    (Mark, &["mark this release", "mark this deployment"]),
    (Compare, &["compare the releases", "compare with the marked one", "compare them"]),
    (Checkup, &["check this machine", "check up", "what works here"]),
    (FixHere, &["mend this", "mend that"]),
    (LookAgain, &["look again", "check again"]),
    (CloseCheckup, &["close the checkup"]),
    (Watch, &["watch my files", "watch the files", "start watching", "watch my changes"]),
    (StopWatching, &["stop watching", "stop watching my files", "stop watching the files", "do not watch my files"]),
    (People, &["who is here", "who else is here", "show who is here"]),
    (Outbox, &["what waits to be sent", "show what waits to be sent"]),
    (Highlight, &["mark this line", "mark these lines", "highlight this line", "highlight these lines"]),
    (Unmark, &["take the mark away", "take the note away", "remove the mark", "remove the note"]),
    (Note, &["write a note", "add a note", "comment on this line", "answer the note"]),
    (ChangeNote, &["change the note", "edit the note"]),
    (Resolve, &["resolve the thread", "resolve the note"]),
    (NextNote, &["next note", "next mark", "go to the next note"]),
    (PreviousNote, &["previous note", "previous mark", "go to the previous note"]),
    (Quit, &["quit", "quit sayso", "close sayso", "exit"]),
];

/// Actions whose words the server understands ("approve", "deploy that", "the second one"), or that make no sense when
/// said: the push-to-talk key itself, keys of a text, keys of a list that is open.
pub fn is_elsewhere(command: Command) -> bool {
    matches!(
        command,
        Talk | FinishTalk
            | CancelTalk
            | Approve
            | CommitOnly
            | Reject
            | Undo
            | Preview
            | Deploy
            | Redeploy
            | Rollback
            | StopDeployment
            | ApproveRelease
            | Yes
            | TogglePlan
            | No
            | Choose(_)
            | Line(_)
            | Submit
            | LeaveInput
            | Complete
            | CloseHelp
            | Run
            | SaveEdit
            | UndoTyping
            | RedoTyping
            | CancelEdit
            | ChooseMicrophone
            | CloseMicrophones
            | ShowPicked
            | Interrupt
            | Suspend
            | TakeFilter
            | RollbackHere
            | RedeployHere
            | Follow
            | DropWaiting
    )
}

/// All phrases, as a recogniser or a server may be told.
pub fn phrases() -> impl Iterator<Item = &'static str> {
    PHRASES
        .iter()
        .flat_map(|(_, phrases)| phrases.iter().copied())
}

/// The first phrase of `command`.
pub fn phrase(command: Command) -> Option<&'static str> {
    let row = PHRASES.iter().find(|(known, _)| *known == command);
    row.and_then(|(_, phrases)| phrases.first().copied())
}

/// What `text` means to the cockpit itself: the action and whether the words were a phrase exactly. `None` for
/// everything else: an instruction.
pub fn command(text: &str) -> Option<(Command, bool)> {
    let (phrase, exact) = spoken::nearest(text, phrases())?;
    let row = PHRASES.iter().find(|(_, known)| known.contains(&phrase))?;
    Some((row.0, exact))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::Keymap;
    use super::*;

    #[test]
    fn whatever_a_key_does_can_be_said() {
        let map = Keymap::new("F5", true).unwrap();
        for row in map.all() {
            assert!(
                phrase(row.command).is_some() || is_elsewhere(row.command),
                "nothing to say for {:?}",
                row.command
            );
        }
    }

    #[test]
    fn a_phrase_means_one_thing_and_nothing_that_the_server_understands() {
        let mut seen = HashSet::new();
        for phrase in phrases() {
            assert!(seen.insert(phrase), "{phrase} twice");
            assert_eq!(
                command(phrase).map(|(_, exact)| exact),
                Some(true),
                "{phrase}"
            );
            let taken = crate::intent::understand(phrase);
            assert!(
                !matches!(taken, crate::model::Intent::Control { exact: true, .. }),
                "the server takes {phrase:?} for a command of its own"
            );
        }
    }

    #[test]
    fn words_are_taken_as_they_are_said() {
        for (text, expected) in [
            ("Next hunk.", Some(NextHunk)),
            ("next hunk please", Some(NextHunk)),
            ("Um, accept the hunk", Some(Accept)),
            ("except this hunk", Some(Accept)),
            ("Show timeline", Some(PaneTimeline)),
            ("Side by side!", Some(SideBySide)),
            ("go back", Some(Back)),
            ("open the page", Some(OpenPage)),
            ("reject this file", Some(LeaveOutFile)),
            ("change the headline to next hunk", None),
            ("open the menu", None),
            ("add a page", None),
            ("show the banner", None),
            ("make it side by side on wide screens", None),
            ("", None),
        ] {
            assert_eq!(
                command(text).map(|(command, _)| command),
                expected,
                "{text}"
            );
        }
    }
}
