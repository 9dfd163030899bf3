//! What the command line tells and does about the voice, in the program itself.
#![cfg(target_os = "linux")]

#[path = "support/audio.rs"]
mod audio;
#[path = "support/pulse.rs"]
mod pulse;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::JoinHandle;

use sayso::voice::wav;
use serde_json::Value;

use pulse::{SINK, Server};

/// The program with folders and settings of its own, in a repository with one page.
fn sayso(folder: &Path, args: &[&str]) -> Command {
    let repo = folder.join("site");
    if !repo.exists() {
        std::fs::create_dir_all(&repo).unwrap();
        std::fs::write(repo.join("index.html"), "<h1>Hello</h1>\n").unwrap();
        for args in [
            &["init", "--quiet"][..],
            &["add", "."],
            &[
                "-c",
                "user.name=A",
                "-c",
                "user.email=a@b.c",
                "commit",
                "--quiet",
                "-m",
                "x",
            ],
        ] {
            let done = Command::new("git").arg("-C").arg(&repo).args(args).status();
            assert!(done.unwrap().success());
        }
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_sayso"));
    command
        .arg("-C")
        .arg(&repo)
        .args(args)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("SAYSO_MODELS", audio::models())
        .env_remove("OPENAI_API_KEY");
    command
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(output)))
}

/// A speech server that answers one request with `body`; gives its address and what it was asked.
fn speech_server(body: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut request, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        loop {
            let count = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..count]);
            let said = String::from_utf8_lossy(&request);
            if count == 0 || said.trim_end().ends_with("--") {
                break;
            }
        }
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
        let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request).into_owned()
    });
    (base, serving)
}

#[test]
fn a_speech_server_is_asked_when_it_is_chosen_with_its_key_and_the_vocabulary() {
    let folder = tempfile::tempdir().unwrap();
    let (base, serving) = speech_server(r#"{"text":"Deploy that."}"#);
    let file = audio::recorded("deploy.wav");
    let output = sayso(
        folder.path(),
        &["speech", "transcribe", file.to_str().unwrap(), "--json"],
    )
    .env("SAYSO_SPEECH__ENGINE", "openai")
    .env("SAYSO_SPEECH__URL", &base)
    .env("SAYSO_SPEECH__CLOUD_MODEL", "whisper-large")
    .env("OPENAI_API_KEY", "test-key")
    .output()
    .unwrap();
    let heard = json(&output);
    assert_eq!(
        (heard["text"].as_str(), heard["engine"].as_str()),
        (Some("Deploy that."), Some("openai"))
    );
    let request = serving.join().unwrap();
    for wanted in ["Bearer test-key", "whisper-large", "Commit that.", "RIFF"] {
        assert!(request.contains(wanted), "{wanted} was not sent");
    }
    assert!(
        !text(&output).contains("test-key"),
        "the key stays a secret"
    );
}

#[test]
fn without_the_network_this_machine_listens_and_says_so() {
    if audio::installed_models().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/v1", nobody.local_addr().unwrap());
    drop(nobody);
    let file = audio::recorded("deploy.wav");
    let output = sayso(
        folder.path(),
        &["speech", "transcribe", file.to_str().unwrap(), "--json"],
    )
    .env("SAYSO_SPEECH__ENGINE", "openai")
    .env("SAYSO_SPEECH__URL", &base)
    .output()
    .unwrap();
    let heard = json(&output);
    assert_eq!(heard["engine"], "moonshine-tiny");
    let note = heard["note"].as_str().unwrap();
    assert!(
        note.contains("cannot reach the speech server") && note.contains("moonshine-tiny instead"),
        "{note}"
    );
    assert!(heard["words"][0]["certainty"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_choice_is_told_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let status = |key: &str| {
        let output = sayso(folder.path(), &["speech", "status"])
            .env("SAYSO_MODELS", folder.path().join("none"))
            .env("OPENAI_API_KEY", key)
            .output()
            .unwrap();
        (output.status.code(), text(&output))
    };
    let (code, said) = status("test-key");
    assert!(
        said.contains("openai: ") && said.contains("OPENAI_API_KEY is set"),
        "{said}"
    );
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = status("");
    assert!(
        said.contains("moonshine-tiny: ") && said.contains("sayso speech install"),
        "{said}"
    );
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn models_are_listed_with_what_one_may_do_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let output = sayso(folder.path(), &["speech", "models"])
        .output()
        .unwrap();
    let said = text(&output);
    for wanted in [
        "tiny-en",
        "base-es",
        "Spanish",
        "MIT",
        "Moonshine Community",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    // A licence that is not free for every use is not accepted in anybody's name.
    let output = sayso(folder.path(), &["speech", "install", "base-es"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(
        text(&output).contains("moonshine.ai/license") && text(&output).contains("--yes"),
        "{}",
        text(&output)
    );
    let output = sayso(folder.path(), &["speech", "install", "base-tlh"])
        .output()
        .unwrap();
    assert!(text(&output).contains("base-es"), "{}", text(&output));
}

#[test]
fn recordings_are_listed_reported_and_deleted() {
    if audio::installed_models().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| sayso(folder.path(), args).output().unwrap();
    let none = run(&["speech", "recordings"]);
    assert_eq!(none.status.code(), Some(4), "{}", text(&none));
    let file = audio::recorded("demo.wav");
    let said = run(&["say", "--wav", file.to_str().unwrap(), "--json"]);
    assert!(text(&said).contains("transcript"), "{}", text(&said));
    let listed = json(&run(&["speech", "recordings", "--json"]));
    let one = &listed[0];
    assert!(
        one["heard"].as_str().unwrap().contains("headline"),
        "{listed}"
    );
    assert!(one["seconds"].as_f64().unwrap() > 1.0, "{listed}");
    let report = json(&run(&["speech", "report", "--json"]));
    assert_eq!(report["spoken"][0]["act"], "edit", "{report}");
    assert!(
        report["spoken"][0]["certainty"].as_f64().unwrap() > 0.5,
        "{report}"
    );
    assert_eq!(report["totals"]["edit"]["said"], 1, "{report}");
    let table = text(&run(&["speech", "report"]));
    assert!(
        table.contains("| when | heard | taken for |") && table.contains("headline"),
        "{table}"
    );
    let id = one["id"].as_str().unwrap();
    assert_eq!(run(&["speech", "delete", id]).status.code(), Some(0));
    assert_eq!(run(&["speech", "recordings"]).status.code(), Some(4));
    assert_eq!(
        run(&["speech", "delete", "ins_nothing"]).status.code(),
        Some(1)
    );
}

#[test]
fn microphones_are_listed_chosen_and_measured() {
    pulse::run_inside("inside_microphones");
}

#[test]
#[ignore = "started by microphones_are_listed_chosen_and_measured"]
fn inside_microphones() {
    let folder = pulse::folder();
    let server = Server::start(&folder);
    let (_module, _awake) =
        server.null_sink("second", &["sink_properties=device.description=Second"]);
    let run = |args: &[&str]| sayso(&folder, args).output().unwrap();
    let mut playing = server.play(&audio::recorded("demo.wav"), SINK);
    server.listener().wait_for_sound();
    let output = run(&["speech", "devices", "--seconds", "4", "--json"]);
    playing.wait().unwrap();
    let listed = json(&output);
    let row = |name: &str| {
        let rows = listed.as_array().unwrap();
        let found = rows
            .iter()
            .find(|row| row["name"].as_str().unwrap().contains(name));
        found.unwrap_or_else(|| panic!("{listed}")).clone()
    };
    let (first, second) = (row("Null Output"), row("Second"));
    assert_eq!(
        (&first["used"], &second["used"]),
        (&true.into(), &false.into())
    );
    assert!(first["peak_db"].as_f64().unwrap() > -40.0, "{listed}");
    assert!(second["peak_db"].as_f64().unwrap() < -100.0, "{listed}");

    let chosen = run(&["speech", "devices", "--use", "second"]);
    assert!(
        text(&chosen).contains("recording from Monitor of Second"),
        "{}",
        text(&chosen)
    );
    let output = run(&["speech", "devices", "--seconds", "0", "--json"]);
    assert!(
        json(&output)
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["used"] == true && row["name"] == "Monitor of Second"),
        "{}",
        text(&output)
    );
    let checks = json(&run(&["doctor", "--json"]));
    let check = |name: &str| {
        let rows = checks.as_array().unwrap();
        let found = rows.iter().find(|row| row["name"] == name);
        found.unwrap_or_else(|| panic!("{checks}")).clone()
    };
    // Nobody plays into it: it delivers zeros, which is what a muted one does.
    let muted = check("recording");
    assert_eq!(muted["ok"], false, "{checks}");
    assert!(
        muted["found"]
            .as_str()
            .unwrap()
            .contains("Monitor of Second delivers nothing but zeros")
            && muted["next"].as_str().unwrap().contains("unmute"),
        "{checks}"
    );
    let gap = check("press to sound");
    let found = gap["found"].as_str().unwrap();
    assert!(
        found.contains("ms from the press to the first sample")
            && found.contains("300 ms of pre-roll")
            && found.contains("250 ms of tail"),
        "{checks}"
    );
    let back = run(&["speech", "devices", "--use", "default"]);
    assert!(text(&back).contains("default"), "{}", text(&back));

    // A recording is played on the loudspeaker.
    let clips = sayso_clips(&folder);
    std::fs::create_dir_all(&clips).unwrap();
    let demo = wav::read(&audio::recorded("demo.wav")).unwrap();
    wav::write(&clips.join("clip-20260101-000000.000.wav"), &demo).unwrap();
    let mut replay = sayso(&folder, &["speech", "replay"]).spawn().unwrap();
    server.listener().wait_for_sound();
    assert!(replay.wait().unwrap().success());
}

/// Where the program keeps clips of the site: the one project in its state folder.
fn sayso_clips(folder: &Path) -> std::path::PathBuf {
    let projects = folder.join("state/sayso/projects");
    let mut found = std::fs::read_dir(&projects).unwrap();
    let project = found.next().unwrap().unwrap().path();
    project.join("recordings/clips")
}
