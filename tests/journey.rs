//! The whole job as a person does it, in the real program: a terminal, a microphone, a repository, a browser.
//! No part is replaced.
#![cfg(target_os = "linux")]

#[path = "support/audio.rs"]
mod audio;
mod journey_support;
#[path = "support/pulse.rs"]
mod pulse;

use journey_support::machine::{Machine, PAGE, fetch};
use journey_support::terminal::Terminal;
use rustix::process::Signal;

/// Push-to-talk, as a terminal that reports no releases sends it.
const TALK: &str = "\x1b[15~";

/// Lower-case and without full stops: a voice says neither.
fn plain(text: &str) -> String {
    text.to_lowercase().replace(['.', ','], "")
}

/// True when the diff on `screen` takes the old headline out and puts `headline` in.
fn proposes(screen: &str, headline: &str) -> bool {
    let has = |sign: &str, text: &str| {
        let line = format!("{sign}   <h1>{}</h1>", text.to_lowercase());
        plain(screen).contains(&line)
    };
    has("-", "Plants with patience") && has("+", headline) && screen.contains("Enter: commit")
}

/// Asks for `headline` by typing, and waits for the proposal.
fn ask_in_writing(terminal: &Terminal, headline: &str) {
    terminal.send("i");
    terminal.send(&format!("change the headline to {headline}\r"));
    let screen = terminal.until("the proposal", |screen| proposes(screen, headline));
    let wrote = format!("you wrote “change the headline to {headline}”");
    assert!(screen.contains(&wrote), "{wrote}:\n{screen}");
}

/// Approves what is on the screen and waits until it is live; returns the live address.
fn approve(machine: &Machine, terminal: &Terminal) -> String {
    terminal.send("\r");
    let screen = terminal.until("the live page", |screen| {
        screen.contains("LIVE on production")
    });
    let status = machine.sayso(&["status"]);
    assert_eq!(status["live"].as_array().map(Vec::len), Some(1), "{status}");
    let head = machine.git(&["rev-parse", "HEAD"]);
    assert_eq!(status["live"][0]["commit"], head.trim());
    let url = status["live"][0]["url"].as_str().unwrap().to_owned();
    assert!(screen.contains(&url), "{url} is not on the screen");
    url
}

/// Checks that one commit by the person puts `headline` in, and touches nothing else.
fn committed(machine: &Machine, headline: &str) -> String {
    let log = machine.log();
    assert_eq!(log.len(), 2, "{log:?}");
    assert!(
        log[0].starts_with("Ada Lovelace <ada@example.org> "),
        "{log:?}"
    );
    assert_eq!(log[1], "Ada Lovelace <ada@example.org> The site");
    assert_eq!(machine.git(&["status", "--porcelain"]), "?? notes.txt\n");
    let page = machine.git(&["show", "HEAD:index.html"]);
    let start = page.find("<h1>").unwrap() + 4;
    let written = page[start..page.find("</h1>").unwrap()].to_owned();
    assert_eq!(plain(&written), plain(headline));
    assert_eq!(page, PAGE.replace("Plants with patience", &written));
    assert_eq!(
        std::fs::read_to_string(machine.site().join("index.html")).unwrap(),
        page
    );
    written
}

#[test]
fn a_spoken_change_goes_live() {
    let lacking = pulse::lacking();
    if !lacking.is_empty() {
        println!("SKIPPED: not installed: {}", lacking.join(", "));
        return;
    }
    if audio::installed_models().is_none() {
        return;
    }
    let machine = Machine::new();
    let sound = pulse::Server::start(&machine.run());
    // The second press ends it, never the silence before that on a busy machine.
    machine.configure("[voice]\nauto_end = false\n");
    let mut terminal = Terminal::cockpit(&machine);

    terminal.send(TALK);
    terminal.until("the recording", |screen| screen.contains("REC"));
    let voice = audio::recorded("demo.wav");
    assert!(sound.play(&voice, pulse::SINK).wait().unwrap().success());
    // All that was played has passed the microphone.
    let heard = sound.listener().count();
    sound.listener().wait_until(heard, 4_800);
    terminal.send(TALK);

    terminal.until("the transcript", |screen| {
        let screen = plain(screen);
        screen.contains("heard ")
            && screen.contains("“change the headline to welcome to the garden")
    });
    terminal.until("the proposal", |screen| {
        proposes(screen, "Welcome to the garden")
    });
    assert_eq!(
        machine.log().len(),
        1,
        "nothing is committed before the yes"
    );

    let url = approve(&machine, &terminal);
    let written = committed(&machine, "Welcome to the garden");
    let page = fetch(&url);
    assert!(page.contains(&format!("<h1>{written}</h1>")), "{page}");
    assert!(!page.contains("Plants with patience"), "{page}");

    terminal.quit();
}

#[test]
fn a_rejected_change_leaves_no_trace() {
    let machine = Machine::new();
    let mut terminal = Terminal::cockpit(&machine);
    ask_in_writing(&terminal, "Typed words");
    assert_eq!(
        machine.sayso(&["status"])["proposals"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );

    terminal.send("x");
    terminal.until("the end of the proposal", |screen| {
        !screen.contains("<h1>") && screen.contains("rejected")
    });
    assert_eq!(
        machine.sayso(&["status"])["proposals"],
        serde_json::json!([])
    );
    assert_eq!(machine.log().len(), 1);
    assert_eq!(machine.git(&["status", "--porcelain"]), "?? notes.txt\n");
    let page = std::fs::read_to_string(machine.site().join("index.html")).unwrap();
    assert_eq!(page, PAGE);

    terminal.quit();
}

#[test]
fn a_proposal_outlives_a_kill() {
    let machine = Machine::new();
    let mut killed = Terminal::cockpit(&machine);
    ask_in_writing(&killed, "Still here");
    killed.signal(Signal::KILL);
    assert!(!killed.ended().success());

    let mut terminal = Terminal::cockpit(&machine);
    terminal.until("the proposal of before", |screen| {
        proposes(screen, "Still here")
    });
    let url = approve(&machine, &terminal);
    let written = committed(&machine, "Still here");
    let page = fetch(&url);
    assert!(page.contains(&format!("<h1>{written}</h1>")), "{page}");

    terminal.quit();
}

#[test]
fn sigterm_gives_the_terminal_back() {
    let machine = Machine::new();
    let mut terminal = Terminal::cockpit(&machine);
    ask_in_writing(&terminal, "Not yet");
    terminal.signal(Signal::TERM);
    let status = terminal.ended();
    assert!(status.signal().is_none(), "{status:?}");
    terminal.given_back();

    // Nothing is left in the way of the next start, which finds the proposal.
    let status = machine.sayso(&["status"]);
    assert_eq!(status["proposals"].as_array().map(Vec::len), Some(1));
    assert_eq!(machine.log().len(), 1);
}

#[test]
fn when_the_cockpit_that_serves_is_killed_another_one_takes_its_place() {
    let machine = Machine::new();
    let mut first = Terminal::cockpit(&machine);
    let mut others = [Terminal::cockpit(&machine), Terminal::cockpit(&machine)];
    first.signal(Signal::KILL);
    first.ended();
    // Whoever comes now finds one that serves, and what is said there reaches those that were there before.
    let mut late = Terminal::cockpit(&machine);
    ask_in_writing(&late, "Plants with time");
    for other in &others {
        other.until("the proposal of the other", |screen| {
            proposes(screen, "Plants with time")
        });
    }
    approve(&machine, &others[1]);
    committed(&machine, "Plants with time");
    // Quitting asks while a deployment runs.
    for cockpit in others.iter().chain([&late]) {
        cockpit.until("the end of the deployment", |screen| {
            screen.contains("LIVE on production")
        });
    }
    late.quit();
    for other in &mut others {
        other.quit();
    }
}
