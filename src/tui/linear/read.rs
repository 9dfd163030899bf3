//! A typed line: an answer, a number of the last list, a command, or an instruction.

use crate::tui::keymap::Command as C;
use crate::tui::model::{Model, Overlay};

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing.
    Nothing,
    /// What a key of the cockpit does.
    Command(C),
    /// An instruction.
    Instruction(String),
    /// Something to be told at once.
    Tell(String),
}

/// The commands, with what they do.
pub const COMMANDS: [(&str, C, &str); 29] = [
    ("approve", C::Approve, "approve the proposal"),
    ("commit", C::CommitOnly, "approve it, but only commit"),
    ("reject", C::Reject, "reject the proposal"),
    ("take", C::ToggleHunk, "take or leave out the selected hunk"),
    ("edit", C::Edit, "edit the proposed text in your editor"),
    (
        "bring-back",
        C::UndoDecision,
        "undo the last review decision: a rejected proposal comes back",
    ),
    ("next", C::NextHunk, "select the next hunk"),
    ("previous", C::PreviousHunk, "select the previous hunk"),
    ("proposal", C::NextProposal, "the next proposal that waits"),
    (
        "undo",
        C::Undo,
        "drop the proposal, or undo the last commit",
    ),
    ("deploy", C::Deploy, "deploy the branch (asks)"),
    ("redeploy", C::Redeploy, "deploy again (asks)"),
    (
        "rollback",
        C::Rollback,
        "go back to the release before (asks)",
    ),
    (
        "stop",
        C::StopDeployment,
        "stop the running deployment (asks)",
    ),
    ("open", C::OpenPage, "open the live page"),
    ("address", C::CopyAddress, "say the live address"),
    ("talk", C::Talk, "start a recording, or end it and send it"),
    ("cancel", C::CancelTalk, "throw the recording away"),
    ("away", C::Back, "put an answer away"),
    (
        "note",
        C::Note,
        "write a note on the selected hunk or the note you are at; the next line is its text",
    ),
    (
        "next-note",
        C::NextNote,
        "go to the next note or mark of the proposal",
    ),
    (
        "previous-note",
        C::PreviousNote,
        "go to the note or mark before",
    ),
    (
        "resolve",
        C::Resolve,
        "the thread of the note you are at is done with, or open again",
    ),
    (
        "mark",
        C::Highlight,
        "mark the line you are at; again: another colour",
    ),
    ("unmark", C::Unmark, "take your mark or note away"),
    ("people", C::People, "say who else is here"),
    ("follow", C::Follow, "follow the first of them, or stop"),
    ("waiting", C::Outbox, "say what waits to be sent"),
    ("quit", C::Quit, "quit"),
];

/// What can be done with an open proposal, by number.
pub const MENU: [(C, &str); 6] = [
    (C::Approve, "approve it"),
    (C::CommitOnly, "commit it only"),
    (C::Reject, "reject it"),
    (C::NextHunk, "select the next hunk"),
    (C::ToggleHunk, "take or leave out the selected hunk"),
    (C::Edit, "edit it in your editor"),
];

/// Reads a line.
pub fn read(line: &str, model: &Model) -> Said {
    let line = line.trim();
    if let Some(command) = line.strip_prefix('/') {
        return commanded(command.trim());
    }
    let asked = matches!(model.overlay, Some(Overlay::Confirm(_))) || !model.questions.is_empty();
    if asked {
        return match line.to_lowercase().as_str() {
            "y" | "yes" | "1" => Said::Command(C::Yes),
            "n" | "no" | "2" => Said::Command(C::No),
            "" => Said::Tell("Answer yes or no.".to_owned()),
            _ => Said::Instruction(line.to_owned()),
        };
    }
    if line.is_empty() {
        // Enter alone ends a recording, and does nothing else.
        return if model.talk.active() {
            Said::Command(C::Talk)
        } else {
            Said::Nothing
        };
    }
    match line.parse::<usize>() {
        Ok(number) if model.review().is_some() => match MENU.get(number.wrapping_sub(1)) {
            Some((command, _)) => Said::Command(*command),
            None => Said::Tell(format!("There is no {number}; 1 to {}.", MENU.len())),
        },
        _ => Said::Instruction(line.to_owned()),
    }
}

fn commanded(name: &str) -> Said {
    if name.is_empty() || name == "help" {
        let mut words = "A line is an instruction. Commands:".to_owned();
        for (name, _, what) in COMMANDS {
            words.push_str(&format!("\n/{name}: {what}"));
        }
        return Said::Tell(words);
    }
    let mut fits = COMMANDS
        .iter()
        .filter(|(known, _, _)| known.starts_with(name));
    match (
        COMMANDS.iter().find(|(known, _, _)| *known == name),
        fits.next(),
        fits.next(),
    ) {
        (Some((_, command, _)), _, _) | (None, Some((_, command, _)), None) => {
            Said::Command(*command)
        }
        (None, Some(_), Some(_)) => {
            Said::Tell(format!("/{name} may mean several commands; /help."))
        }
        (None, None, _) => Said::Tell(format!("There is no /{name}; /help lists what there is.")),
    }
}
