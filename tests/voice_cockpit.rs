//! Speaking to the real cockpit in a terminal, through a virtual microphone: words while they are spoken, an end by
//! itself, replay, dictation, the list of microphones, and the phrase that wakes.
#![cfg(target_os = "linux")]

#[path = "support/audio.rs"]
mod audio;
#[allow(dead_code, reason = "a part of it is used here")]
mod journey_support;
#[path = "support/pulse.rs"]
mod pulse;

use std::process::Command;

use journey_support::machine::Machine;
use journey_support::terminal::Terminal;
use pulse::{SINK, Server};

/// Push-to-talk, as a terminal that reports no releases sends it.
const TALK: &str = "\x1b[15~";

/// A machine with a sound server, or `None` after saying what is lacking.
fn machine() -> Option<(Machine, Server)> {
    let lacking = pulse::lacking();
    if !lacking.is_empty() {
        println!("SKIPPED: not installed: {}", lacking.join(", "));
        return None;
    }
    audio::installed_models()?;
    let machine = Machine::new();
    let server = Server::start(&machine.run());
    Some((machine, server))
}

fn play(server: &Server, name: &str) {
    let file = audio::recorded(name);
    assert!(server.play(&file, SINK).wait().unwrap().success());
}

#[test]
fn a_person_speaks_hears_it_again_dictates_and_looks_for_the_microphone() {
    let Some((machine, server)) = machine() else {
        return;
    };
    let mut terminal = Terminal::cockpit(&machine);

    terminal.send(TALK);
    terminal.until("the recording", |screen| screen.contains("REC"));
    let mut playing = server.play(&audio::recorded("demo.wav"), SINK);
    terminal.until("words while they are spoken", |screen| {
        screen.contains("so far “")
    });
    assert!(playing.wait().unwrap().success());
    // Nobody presses anything: silence ends it.
    terminal.until("the transcript with its certainty", |screen| {
        screen.contains("heard “")
            && screen.to_lowercase().contains("headline")
            && screen.contains(" %")
    });
    terminal.until("the proposal", |screen| screen.contains("Enter: commit"));

    // Once more, by ear.
    terminal.send("V");
    server.listener().wait_for_sound();
    terminal.send("V");

    // Into the text that is being written, at the cursor, and nothing is sent.
    terminal.send("ivery ");
    terminal.send(TALK);
    terminal.until("the recording", |screen| screen.contains("REC"));
    play(&server, "yes.wav");
    terminal.until("the dictated word", |screen| {
        screen.to_lowercase().contains("› very yes")
    });
    terminal.send("\x1b");
    terminal.until("the cockpit again", |screen| screen.contains("? help"));

    terminal.send("M");
    terminal.until("the microphones", |screen| {
        screen.contains("Microphones") && screen.contains("Monitor of Null Output")
    });
    let mut playing = server.play(&audio::recorded("demo.wav"), SINK);
    terminal.until("a level that moves", |screen| screen.contains("████"));
    playing.wait().unwrap();
    terminal.send("\x1b");
    terminal.until("the list gone", |screen| !screen.contains("Microphones"));
    terminal.quit();
}

#[test]
fn the_phrase_that_wakes_takes_the_instruction_after_it() {
    let Some((machine, server)) = machine() else {
        return;
    };
    let config = machine
        .environment()
        .into_iter()
        .find_map(|(name, value)| (name == "XDG_CONFIG_HOME").then_some(value))
        .unwrap();
    std::fs::create_dir_all(config.join("sayso")).unwrap();
    let text = "[voice]\nwake = \"hey computer\"\n";
    std::fs::write(config.join("sayso/config.toml"), text).unwrap();
    let breath = machine.run().join("breath.wav");
    let made = Command::new("flite")
        .args([
            "-voice",
            "slt",
            "-t",
            "Hey computer, change the headline to welcome to the garden.",
            "-o",
        ])
        .arg(&breath)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("SKIPPED: flite is not installed");
        return;
    }
    let mut terminal = Terminal::cockpit(&machine);
    terminal.until("that it listens", |screen| {
        screen.contains("listening for “hey computer”")
    });
    // Without the phrase nothing happens, and nothing is kept.
    play(&server, "commit.wav");
    server
        .listener()
        .wait_until(server.listener().count(), 48_000);
    assert!(
        !terminal.screen().contains("heard “"),
        "{}",
        terminal.screen()
    );
    assert!(server.play(&breath, SINK).wait().unwrap().success());
    terminal.until("the instruction, without the phrase", |screen| {
        screen.to_lowercase().lines().any(|line| {
            line.contains("heard “") && line.contains("headline") && !line.contains("computer")
        })
    });
    terminal.quit();
}
