//! Finding things: the keys of the context, the palette, the candidates of a refusal, the queue and the batch.

use sayso::model::api::{BatchApproval, Reviewed};
use sayso::model::{Action, EventKind, Problem};
use sayso::tui::keymap::{Context, Keymap};
use sayso::tui::message::{Effect, Message, Outcome};
use sayso::tui::model::entries::{self, Run, SHELL};
use sayso::tui::model::{Confirm, Menu, MenuKind, Overlay};
use serde_json::json;

use super::support::*;

fn found(desk: &Desk) -> Vec<entries::Entry> {
    match &desk.model.overlay {
        Some(Overlay::Menu(menu)) => entries::found(&desk.model, menu),
        other => panic!("no list is open: {other:?}"),
    }
}

#[test]
fn the_list_begins_with_the_keys_of_the_context_and_holds_all_others() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&headline());
    desk.press("f ?");
    let review = found(&desk);
    assert!(
        review.iter().take(20).all(|entry| entry.group == "review"),
        "{review:#?}"
    );
    desk.press("Esc Esc ?");
    assert_eq!(found(&desk)[0].group, "cockpit");
    let map = Keymap::new("F5", true).unwrap();
    for kind in [MenuKind::Keys, MenuKind::Everything] {
        let all = entries::found(&desk.model, &Menu::new(kind, Context::Cockpit, None));
        for row in map.all() {
            assert!(
                all.iter().any(|entry| entry.words == row.command.name()),
                "{kind:?} lacks {}",
                row.command.name()
            );
        }
        for (name, _) in SHELL {
            let title = format!("sayso {name}");
            assert!(
                all.iter().any(|entry| entry.title.starts_with(&title)),
                "{kind:?} lacks {title}"
            );
        }
    }
}

#[test]
fn what_the_shell_can_do_is_what_the_command_line_says() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_sayso"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 10, "{help}");
    for name in &commands {
        assert!(
            SHELL.iter().any(|(known, _)| known == name),
            "the lists lack sayso {name}"
        );
    }
    for (name, _) in SHELL {
        assert!(commands.contains(&name), "there is no sayso {name}");
    }
}

#[test]
fn the_four_services_are_found_by_their_names() {
    for (name, title) in [
        ("instant sync", "approve"),
        ("batch sync", "commit the batch as one and deploy it once"),
        ("quick commit", "approve, but only commit"),
        ("force redeploy", "deploy again"),
    ] {
        let mut desk = Desk::new(120, 40);
        desk.propose(&three_hunks());
        desk.press("Ctrl+P");
        desk.write(name);
        let first = &found(&desk)[0];
        assert!(first.title.contains(title), "{name}: {}", first.title);
    }
}

#[test]
fn typing_finds_and_enter_runs() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&three_hunks());
    desk.press("?");
    desk.write("next hunk");
    assert!(desk.text().contains("▌ n J"), "{}", desk.text());
    assert_eq!(desk.press("Enter"), []);
    assert!(desk.model.overlay.is_none());
    assert_eq!(desk.model.reviews.current().unwrap().selected, 1);
    // By its key, with a slip of the finger, from the palette.
    for (typed, title) in [
        ("Ctrl+L", "draw the screen anew"),
        ("deplyo again", "deploy again what is deployed"),
    ] {
        desk.press("Ctrl+P");
        desk.write(typed);
        let first = found(&desk).into_iter().next();
        assert!(
            first
                .as_ref()
                .is_some_and(|entry| entry.title.contains(title)),
            "{typed}: {first:?}"
        );
        desk.press("Esc");
    }
}

#[test]
fn what_cannot_be_done_is_shown_with_its_reason() {
    let mut desk = Desk::new(120, 40);
    desk.press(":");
    desk.write("stop the running");
    let text = desk.text();
    assert!(
        text.contains("stop the running deployment (asks)  (no deployment is running)"),
        "{text}"
    );
    assert_eq!(desk.press("Enter"), []);
    assert!(desk.model.overlay.is_some(), "the list stays open");
    assert!(
        desk.model
            .notice
            .as_ref()
            .unwrap()
            .text
            .contains("no deployment is running")
    );
}

#[test]
fn a_proposal_that_was_seen_is_approved_from_the_list_too_but_not_a_newer_version() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&headline());
    desk.press("Ctrl+P");
    desk.write("approve the proposal");
    assert!(matches!(&desk.press("Enter")[..], [Effect::Approve(..)]));
    let mut desk = Desk::new(100, 30);
    desk.propose(&headline());
    desk.press("Ctrl+P");
    let mut newer = headline();
    newer.proposal.version = 2;
    desk.event(
        EventKind::ProposalUpdated,
        serde_json::to_value(newer).unwrap(),
    );
    desk.write("approve the proposal");
    assert_eq!(desk.press("Enter"), []);
}

#[test]
fn earlier_instructions_and_settings_are_found() {
    let mut desk = Desk::new(100, 30);
    desk.press("Tab");
    desk.write("change the footer to green");
    desk.press("Enter Tab");
    desk.write("a draft");
    desk.press("Esc :");
    desk.write("footer green");
    assert_eq!(
        found(&desk)[0].run,
        Run::Say("change the footer to green".into())
    );
    desk.press("Enter");
    assert_eq!(desk.model.line.text(), "change the footer to green");
    desk.press("Up");
    assert_eq!(
        desk.model.line.text(),
        "a draft",
        "what was being written is not lost"
    );
    desk.press("Esc :");
    desk.write("ui.motion");
    assert!(desk.text().contains("true"), "{}", desk.text());
    desk.press("Enter");
    assert!(!desk.model.settings.motion);
    desk.press(":");
    desk.write("voice.warm");
    desk.press("Enter");
    assert!(desk.text().contains("[voice] warm"), "{}", desk.text());
    for name in ["voice.key", "deploy.local.port", "ui.theme", "keys.preset"] {
        let listed = desk.model.settings.listed.iter();
        let mut documented =
            listed.filter(|setting| !setting.value.is_empty() && !setting.doc.is_empty());
        assert!(documented.any(|setting| setting.name == name), "{name}");
    }
}

#[test]
fn candidates_are_taken_by_their_number() {
    let mut desk = Desk::new(80, 24);
    desk.press("Tab");
    desk.write("rename the button");
    desk.press("Enter");
    desk.event(
        EventKind::Error,
        json!({"message": "two buttons fit equally well", "hint": "say which page", "reason": "ambiguous",
               "candidates": [{"file": "about.html", "line": 4, "text": "<a>Contact</a>"},
                              {"file": "index.html", "line": 12, "text": "<a>Contact us</a>"}]}),
    );
    assert!(
        desk.text().contains("1…2, or say “the second one”"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("3"), [], "there is no third candidate");
    assert_eq!(desk.press("2"), [Effect::Submit("the second one".into())]);
    // Without candidates the digits are what they were.
    desk.press("3");
    assert_eq!(desk.model.pane, sayso::tui::model::Pane::Timeline);
}

fn second() -> sayso::model::api::ProposalView {
    let mut other = three_hunks();
    other.proposal.id = "pro_2".into();
    other.proposal.instruction = Some("ins_2".into());
    other
}

#[test]
fn what_was_looked_at_goes_out_as_one() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&headline());
    desk.event(EventKind::Proposal, serde_json::to_value(second()).unwrap());
    desk.press("B j b");
    assert!(desk.text().contains("look at it first"), "{}", desk.text());
    desk.press("Esc b");
    assert_eq!(
        desk.model.reviews.current().unwrap().id().as_str(),
        "pro_2",
        "on to the next one"
    );
    desk.press("b B");
    let text = desk.text();
    for part in [
        "Waiting: 2, in the batch: 2",
        "[x] Change the headline",
        "one commit to main, deploy to production",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(desk.press("d"), []);
    let text = desk.text();
    assert!(
        text.contains("Commit 2 proposals as one commit to main and deploy it once"),
        "{text}"
    );
    let items = |versions: [u32; 2]| {
        vec![
            Reviewed {
                proposal: "pro_1".into(),
                version: versions[0],
            },
            Reviewed {
                proposal: "pro_2".into(),
                version: versions[1],
            },
        ]
    };
    let wanted = Effect::ApproveBatch(BatchApproval {
        proposals: items([1, 1]),
        action: Some(Action::Deploy),
        message: None,
        environment: None,
    });
    assert_eq!(desk.press("Enter"), [wanted]);
    desk.done(Outcome::Batched(Ok(sayso::model::api::Synced {
        commit: "abc".into(),
        deployment: None,
    })));
    assert!(desk.model.reviews.is_empty());
}

#[test]
fn a_batch_holds_nothing_that_changed_after_it_was_looked_at() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&headline());
    desk.event(EventKind::Proposal, serde_json::to_value(second()).unwrap());
    desk.press("b B");
    let mut newer = headline();
    newer.proposal.version = 2;
    desk.event(
        EventKind::ProposalUpdated,
        serde_json::to_value(newer).unwrap(),
    );
    assert!(desk.text().contains("changed since"), "{}", desk.text());
    desk.press("d");
    assert!(!matches!(
        desk.model.overlay,
        Some(Overlay::Confirm(Confirm::Batch(..)))
    ));
    assert!(desk.text().contains("changed meanwhile"), "{}", desk.text());
    // One's own decision on a picked proposal does not count as a change by others.
    desk.press("Esc b s");
    let mut view = desk.model.reviews.current().unwrap().view.clone();
    view.proposal.version += 1;
    let id = view.proposal.id.clone();
    desk.done(Outcome::Decided(id, Ok(view)));
    desk.draw();
    desk.press("B c");
    assert!(matches!(
        desk.model.overlay,
        Some(Overlay::Confirm(Confirm::Batch(..)))
    ));
    let effects = desk.press("y");
    assert!(
        matches!(&effects[..], [Effect::ApproveBatch(batch)] if batch.action == Some(Action::Commit))
    );
    // A failure keeps what waits.
    desk.done(Outcome::Batched(Err(Problem::conflict(
        "two change the same lines",
    ))));
    assert!(
        desk.text().contains("two change the same lines"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.model.reviews.len(), 2);
}

#[test]
fn keys_of_ones_own_show_everywhere() {
    let layer = sayso::config::Layer {
        name: "sayso.toml".into(),
        text: "[keys.review]\naccept = \"l\"\n[keys.cockpit]\nopen-review = \"L\"\n".into(),
    };
    let config = sayso::config::load_layers(&[layer]).unwrap();
    let mut desk = Desk::with(&config, false, 120, 40);
    desk.connect();
    desk.propose(&three_hunks());
    assert!(desk.text().contains("L full view"), "{}", desk.text());
    desk.press("L");
    assert!(desk.text().contains("l: accept"), "{}", desk.text());
    desk.press("x");
    desk.take(Message::Focus(true));
    assert_eq!(desk.press("a"), []);
    desk.press("?");
    desk.write("accept the hunk");
    assert_eq!(found(&desk)[0].keys, "l");
}

#[test]
fn who_checks_the_configuration_hears_of_keys_and_colours_too() {
    let loaded = |text: &str| {
        let layer = sayso::config::Layer {
            name: "sayso.toml".into(),
            text: text.into(),
        };
        let config = sayso::config::load_layers(&[layer]).unwrap();
        sayso::tui::understood(&config, None)
    };
    assert_eq!(loaded("[keys]\npreset = \"vim\"\n"), Ok(()));
    let error = loaded("[ui]\nmouse = true\n[keys.cockpit]\nfly = \"F9\"\n").unwrap_err();
    assert!(
        error.contains("sayso.toml line 4") && error.contains("fly"),
        "{error}"
    );
    let error = loaded("[ui]\ntheme = \"solarised\"\n").unwrap_err();
    assert!(error.contains("solarised"), "{error}");
}
