//! The cockpit as plain lines.

use sayso::model::EventKind;
use sayso::tui::keymap::Command;
use sayso::tui::linear::{Said, Teller, read};
use sayso::tui::message::Message;
use serde_json::json;

use super::support::*;

fn told(desk: &mut Desk, teller: &mut Teller) -> String {
    let lines = teller.tell(&desk.model);
    desk.take(Message::Drawn);
    lines.join("\n")
}

#[test]
fn everything_is_said_once_and_nothing_acts_on_the_terminal() {
    let mut desk = Desk::new(160, 60);
    let mut teller = Teller::default();
    let first = told(&mut desk, &mut teller);
    assert!(first.contains("Online: studio on main."), "{first}");
    assert_eq!(told(&mut desk, &mut teller), "");
    let mut view = headline();
    view.proposal.warnings = vec!["evil \u{1b}[2J".into()];
    desk.propose(&view);
    let proposal = told(&mut desk, &mut teller);
    for words in [
        "Proposal: Change the headline",
        "Warning: evil ␛[2J",
        "File index.html",
        "removed:     <h1>Studio</h1>",
        "added:     <h1>Welcome to 3000 Studios</h1>",
        "Approving will",
        "1 approve it",
    ] {
        assert!(proposal.contains(words), "{words}: {proposal}");
    }
    assert!(!proposal.chars().any(|c| c.is_control() && c != '\n'));
    assert_eq!(told(&mut desk, &mut teller), "");
    desk.event(
        EventKind::DeployStart,
        json!({"commit": "abc", "force": false}),
    );
    for percent in 1..90 {
        desk.event(
            EventKind::DeployProgress,
            json!({"percent": percent, "stage": "build", "message": "m"}),
        );
        told(&mut desk, &mut teller);
    }
    desk.event(
        EventKind::DeployComplete,
        json!({"url": "http://127.0.0.1:4000/", "commit": "abc", "total_ms": 620, "stages": {}}),
    );
    assert!(told(&mut desk, &mut teller).contains("LIVE on production: http://127.0.0.1:4000/"));
}

#[test]
fn the_progress_is_said_by_its_stages_only() {
    let mut desk = Desk::new(160, 60);
    let mut teller = Teller::default();
    told(&mut desk, &mut teller);
    desk.event(
        EventKind::DeployStart,
        json!({"commit": "abc", "force": false}),
    );
    let mut said = told(&mut desk, &mut teller);
    for percent in 1..90 {
        let stage = if percent < 50 { "build" } else { "upload" };
        desk.event(
            EventKind::DeployProgress,
            json!({"percent": percent, "stage": stage, "message": "m"}),
        );
        said.push_str(&told(&mut desk, &mut teller));
    }
    assert_eq!(said.matches("percent").count(), 3, "{said}");
}

#[test]
fn a_line_is_an_answer_a_number_a_command_or_an_instruction() {
    let mut desk = Desk::new(160, 60);
    let model = &desk.model;
    assert_eq!(read("  ", model), Said::Nothing);
    assert_eq!(
        read("change 1", model),
        Said::Instruction("change 1".into())
    );
    assert_eq!(read("yes", model), Said::Instruction("yes".into()));
    assert_eq!(read("/deploy", model), Said::Command(Command::Deploy));
    assert_eq!(read("/rej", model), Said::Command(Command::Reject));
    assert!(matches!(read("/re", model), Said::Tell(words) if words.contains("several")));
    assert!(matches!(read("/nonsense", model), Said::Tell(_)));
    assert!(matches!(read("/help", model), Said::Tell(words) if words.contains("/approve")));
    desk.propose(&headline());
    assert_eq!(read("1", &desk.model), Said::Command(Command::Approve));
    assert!(matches!(read("9", &desk.model), Said::Tell(_)));
    desk.press("d");
    assert_eq!(read("y", &desk.model), Said::Command(Command::Yes));
    assert_eq!(read("NO", &desk.model), Said::Command(Command::No));
    assert!(matches!(read("", &desk.model), Said::Tell(_)));
}
