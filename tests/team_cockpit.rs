//! A team in the real program: a server, cockpits in terminals of their own, and what is left when any of them is killed.
#![cfg(target_os = "linux")]

#[path = "support/audio.rs"]
mod audio;
#[allow(dead_code, reason = "the journey of one person uses the rest")]
mod journey_support;
#[path = "support/pulse.rs"]
mod pulse;
#[path = "team_cockpit/rooms.rs"]
mod rooms;
#[path = "team_cockpit/server.rs"]
mod server;

use std::path::PathBuf;

use journey_support::machine::Machine;
use journey_support::terminal::Terminal;
use rustix::process::Signal;
use sayso::model::EventKind;
use server::{Server, TOKEN};

/// The words that are said while the server is away.
const LATER: &str = "change the paragraph to Grown fast";

/// A person at a terminal of their own, on the server at `url`.
fn seat(machine: &Machine, url: &str, name: &str) -> Terminal {
    let home = machine.site().join("..").join(name.replace(' ', "-"));
    let mut environment: Vec<(&'static str, PathBuf)> = machine
        .environment()
        .into_iter()
        .filter(|(variable, _)| !variable.starts_with("XDG_") && *variable != "HOME")
        .collect();
    environment.extend([
        ("XDG_CONFIG_HOME", home.join("config")),
        ("XDG_STATE_HOME", home.join("state")),
        ("XDG_DATA_HOME", home.join("data")),
        ("XDG_CACHE_HOME", home.join("cache")),
        ("HOME", home.clone()),
        ("USER", name.into()),
        ("SAYSO_TOKEN", TOKEN.into()),
    ]);
    // Nothing of the project is on this person's machine.
    std::fs::create_dir_all(&home).unwrap();
    let terminal = Terminal::start(&home, environment, &["--server", url]);
    terminal.until("a connected cockpit", |screen| {
        screen.contains("site  main") && screen.contains("online")
    });
    terminal
}

#[test]
fn two_people_one_proposal_a_killed_server_and_a_killed_cockpit() {
    let machine = Machine::new();
    let mut server = Server::start(&machine);
    let url = server.url();
    let ada = seat(&machine, &url, "Ada Lovelace");
    let mut grace = seat(&machine, &url, "Grace Hopper");
    ada.until("Grace in the header", |screen| screen.contains("GH "));
    grace.until("Ada in the header", |screen| screen.contains("AL "));

    // One asks, both see the proposal.
    ada.send("i");
    ada.send("change the headline to Welcome\r");
    for person in [&ada, &grace] {
        person.until("the proposal", |screen| {
            screen.contains("<h1>Welcome</h1>") && screen.contains("Enter: commit")
        });
    }

    // A mark and a note of one appear at the other, and so does the cursor.
    ada.send("f");
    ada.until("the full view", |screen| {
        screen.contains("summary, then commit")
    });
    ada.send("jjjjj");
    // The proposal's room may still be on its way.
    loop {
        ada.send("m");
        let screen = ada.until("the mark, or a word about it", |screen| {
            screen.contains("marked line") || screen.contains("one moment")
        });
        if screen.contains("marked line") {
            break;
        }
        ada.send("\x1b[A\x1b[B");
        ada.until("that the notice has gone", |screen| {
            !screen.contains("one moment")
        });
    }
    ada.send("M");
    ada.until("the line to write in", |screen| {
        screen.contains("write or dictate")
    });
    ada.send("louder please\r");
    grace.send("f");
    grace.until("the note", |screen| {
        screen.contains("Ada Lovelace: louder please")
    });
    let screen = grace.until("who is here", |screen| screen.contains("AL"));
    assert!(
        screen.contains("● Ada") || screen.contains("• Ada"),
        "{screen}"
    );

    // The server is killed. Grace writes in the proposal, and is killed too; Ada asks for something.
    server.kill();
    for person in [&ada, &grace] {
        person.until("that the server is away", |screen| {
            screen.contains("reconnecting")
        });
    }
    grace.send("e");
    grace.until("the text", |screen| screen.contains("shared as you type"));
    grace.send("OFFLINE");
    grace.until("what she writes", |screen| screen.contains("OFFLINE"));
    grace.until_written("OFFLINE", &machine.site().join("../Grace-Hopper/state"));
    grace.signal(Signal::KILL);
    grace.ended();
    ada.send("f");
    ada.send("i");
    ada.send(&format!("{LATER}\r"));
    ada.until("that it is kept", |screen| screen.contains("1 waiting"));

    // The server is back: nothing is lost, nothing comes twice.
    server.again();
    ada.until("that it was sent", |screen| {
        screen.contains("online") && !screen.contains("waiting")
    });
    // Grace is shown either of the two proposals: her words are sent all the same.
    let grace = seat(&machine, &url, "Grace Hopper");
    let text = server.until("the text at the server", |client, runtime| {
        let proposals = runtime.block_on(client.proposals()).ok()?;
        let files = proposals.iter().flat_map(|view| &view.proposal.files);
        let mut texts = files.filter_map(|file| file.after.as_text());
        texts
            .find(|text| text.contains("OFFLINE"))
            .map(str::to_owned)
    });
    assert!(text.contains("Welcome"), "{text}");
    for person in [&ada, &grace] {
        person.send("1");
        person.send("2");
    }
    let screen = grace.until("either proposal", |screen| screen.contains(" of 2"));
    grace.send(if screen.contains("2 of 2") { "[f" } else { "f" });
    grace.until("what she wrote before", |screen| screen.contains("OFFLINE"));
    let said = server.events(EventKind::Intent);
    let later = said.iter().filter(|event| event.data["text"] == LATER);
    assert_eq!(later.count(), 1, "{said:?}");
}

#[test]
fn two_cockpits_of_one_machine_see_each_other_without_a_server_of_a_team() {
    let machine = Machine::new();
    let seat = |user: &str| {
        let mut environment = machine.environment();
        environment.push(("USER", user.into()));
        let terminal = Terminal::start(&machine.site(), environment, &[]);
        terminal.until("a connected cockpit", |screen| {
            screen.contains("site  main") && screen.contains("online")
        });
        terminal
    };
    let first = seat("Ada Lovelace");
    // Whoever has the server in their own process is in no room while nobody else is there.
    let second = seat("Grace Hopper");
    first.until("the second one in the header", |screen| {
        screen.contains("GH online")
    });
    second.until("the first one in the header", |screen| {
        screen
            .lines()
            .next()
            .is_some_and(|line| line.contains(" online") && !line.contains("  online"))
    });
    second.send("i");
    second.send("change the headline to Welcome\r");
    for person in [&first, &second] {
        person.until("the proposal", |screen| screen.contains("<h1>Welcome</h1>"));
    }
    second.send("f");
    second.until("the full view", |screen| {
        screen.contains("summary, then commit")
    });
    first.send("2f");
    // The letter of the other one stands at the line where the cursor is.
    first.until("the other one's cursor", |screen| {
        screen.lines().any(|line| line.contains("G    <title>"))
    });
    drop(second);
    first.until("that the second one has gone", |screen| {
        !screen.contains("GH online")
    });
}
