//! A session inside tmux, as a script drives it: keys in, the pane's screen out. What tmux keeps from the cockpit (the
//! release of keys) and what it hands on is what people have there.

use std::process::{Command, Output};

use serde_json::json;

use super::support::*;

/// A tmux server of its own with a cockpit in its only window. Its end ends them both.
struct Tmux {
    folder: tempfile::TempDir,
    server: Served,
}

impl Tmux {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tmux = Self {
            server: Served::start(|_| ()),
            folder,
        };
        let (program, arguments) = child_command();
        let mut command = tmux.command();
        command.args([
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "100",
            "-y",
            "30",
        ]);
        command.args(["-s", "test"]);
        for (name, value) in [tmux.server.variable(), ("LC_ALL".into(), "C.UTF-8".into())] {
            command.arg("-e").arg(format!("{name}={value}"));
        }
        // A shell beneath, so that Ctrl+Z has somewhere to go.
        command.args(["env", "PS1=SHELL> ", "bash", "--norc", "--noprofile", "-i"]);
        said(command.output().unwrap());
        tmux.run(&["set", "-g", "set-clipboard", "on"]);
        tmux.until("the prompt", |screen| screen.contains("SHELL>"));
        tmux.keys(&[
            &format!("{} {}", program.display(), arguments.join(" ")),
            "Enter",
        ]);
        tmux.until("the cockpit", |screen| screen.contains("studio  main"));
        tmux
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.folder.path().join("socket"));
        for name in ["TMUX", "NO_COLOR", "EDITOR", "VISUAL", "SAYSO_PLAIN_KEYS"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        said(self.command().args(arguments).output().unwrap())
    }

    /// Presses keys by tmux's names for them.
    fn keys(&self, keys: &[&str]) {
        let mut arguments = vec!["send-keys", "-t", "test"];
        arguments.extend(keys);
        self.run(&arguments);
    }

    /// Hands bytes on as a terminal writes them.
    fn bytes(&self, bytes: &str) {
        self.run(&["set-buffer", "-b", "bytes", bytes]);
        self.run(&["paste-buffer", "-d", "-r", "-b", "bytes", "-t", "test"]);
    }

    fn screen(&self) -> String {
        self.run(&["capture-pane", "-p", "-t", "test"])
    }

    fn until(&self, what: &str, look: impl Fn(&str) -> bool) {
        wait(what, || {
            let screen = self.screen();
            look(&screen).then_some(()).ok_or(screen)
        });
    }

    /// What tmux knows of the pane.
    fn told(&self, what: &str) -> String {
        let format = format!("#{{{what}}}");
        let said = self.run(&["display-message", "-p", "-t", "test", &format]);
        said.trim().to_owned()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.command().arg("kill-server").output();
    }
}

fn said(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tmux: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_session_where_tmux_keeps_releases_to_itself() {
    let tmux = Tmux::start();
    tmux.until("toggle", |screen| screen.contains("F5/Space start/stop"));
    assert_eq!(tmux.told("alternate_on"), "1");
    // Lines are selected by dragging; of any other motion nothing travels.
    assert_eq!(tmux.told("mouse_button_flag"), "1");
    assert_eq!(tmux.told("mouse_all_flag"), "0");
    tmux.keys(&["F5"]);
    tmux.until("the recording", |screen| screen.contains("F5/Space stop"));
    tmux.keys(&["F5"]);
    tmux.until("the end of it", |screen| screen.contains("no speech heard"));
    let fields = json!({"instruction": "ins_1", "proposal": "pro_1"});
    tmux.server.event(1, "proposal", fields, proposal_json(1));
    tmux.until("the proposal", |screen| screen.contains("<h1>New</h1>"));
    tmux.keys(&["f"]);
    tmux.until("the full view", |screen| screen.contains("Enter: summary"));
    // A narrow pane, as a split leaves it, and back.
    for (width, height) in [("40", "12"), ("200", "60"), ("79", "20"), ("100", "30")] {
        tmux.run(&["resize-window", "-t", "test", "-x", width, "-y", height]);
        tmux.until("a frame of this size", |screen| {
            screen.contains("<h1>New</h1>")
                && screen
                    .lines()
                    .next()
                    .is_some_and(|line| line.contains("studio"))
        });
    }
    tmux.keys(&["Enter"]);
    tmux.until("the summary", |screen| screen.contains("Commit to main"));
    tmux.keys(&["Escape"]);
    tmux.until("no summary", |screen| !screen.contains("Commit to main"));
    // Escape followed by a letter is not Alt with it: tmux sends them apart.
    tmux.keys(&["Escape"]);
    tmux.until("the cockpit", |screen| screen.contains("f: full view"));
    // To the shell and back; the line is as the shell left it.
    tmux.keys(&["C-z"]);
    tmux.until("the shell", |screen| screen.contains("Stopped"));
    assert_eq!(tmux.told("alternate_on"), "0");
    assert_eq!(tmux.told("mouse_any_flag"), "0");
    tmux.keys(&["fg", "Enter"]);
    tmux.until("the cockpit", |screen| screen.contains("f: full view"));
    // A paste in brackets is one insert, its line ends commit nothing.
    tmux.keys(&["Tab"]);
    tmux.run(&["set-buffer", "-b", "text", "change the headline\nto New\n"]);
    tmux.run(&["paste-buffer", "-p", "-b", "text", "-t", "test"]);
    tmux.until("the text", |screen| {
        screen.contains("change the headline to New")
    });
    tmux.keys(&["C-c"]);
    tmux.until("the warning", |screen| {
        screen.contains("press Ctrl+C again")
    });
    tmux.keys(&["C-c"]);
    tmux.until("the end", |screen| screen.contains("ended: Ok"));
    assert_eq!(tmux.told("alternate_on"), "0");
    assert_eq!(tmux.told("cursor_flag"), "1");
    assert_eq!(tmux.told("mouse_any_flag"), "0");
}

#[test]
fn a_session_where_releases_come_through() {
    let tmux = Tmux::start();
    tmux.until("toggle", |screen| screen.contains("F5/Space start/stop"));
    // A terminal that reports releases, and a tmux that hands them on: the first one proves it.
    tmux.bytes("\x1b[106;1:3u");
    tmux.until("hold", |screen| screen.contains("hold F5"));
    tmux.bytes("\x1b[15;1:1~");
    tmux.until("the recording", |screen| screen.contains("release F5"));
    tmux.bytes("\x1b[15;1:2~\x1b[15;1:2~");
    tmux.until("still recording", |screen| screen.contains("release F5"));
    tmux.bytes("\x1b[15;1:3~");
    tmux.until("the end of it", |screen| screen.contains("no speech heard"));
    tmux.keys(&["q"]);
    tmux.until("the end", |screen| screen.contains("ended: Ok"));
}

#[test]
fn what_is_copied_is_in_tmuxs_buffer() {
    let tmux = Tmux::start();
    let live = json!({"url": "http://127.0.0.1:4000/", "release": "rel_1", "commit": "abc", "total_ms": 6, "stages": {}});
    let fields = json!({"deployment": "dep_1", "environment": "production"});
    tmux.server.event(1, "deploy_complete", fields, live);
    tmux.until("the address", |screen| {
        screen.contains("http://127.0.0.1:4000/")
    });
    tmux.keys(&["y"]);
    wait("the buffer", || {
        let output = tmux.command().arg("show-buffer").output().unwrap();
        let held = String::from_utf8_lossy(&output.stdout).into_owned();
        (held == "http://127.0.0.1:4000/").then_some(()).ok_or(held)
    });
}
