//! A server in a process of its own, that can be killed while it writes: this very program, started once more.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use sayso::model::{EventKind, NewEvent};
use serde_json::json;

use crate::support::{Server, append, log};

/// The folder of the log that the other process serves.
const FOLDER: &str = "SAYSO_TEST_SERVED";

/// The name under which the proxy before it is known.
const NAME: &str = "SAYSO_TEST_NAME";

/// The other process: serves, appends what it is told to, and says when that is on disk.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by other tests"]
async fn a_server_that_will_be_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let name = std::env::var(NAME).unwrap();
    let log = log(Path::new(&folder));
    let server = Server::on(log.clone(), |options| options.allowed_hosts.push(name)).await;
    println!("\nserves {}", server.running.addr);
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    while let Some(line) = lines.recv().await {
        let (what, n) = line.split_once(' ').unwrap();
        let n: usize = n.parse().unwrap();
        match what {
            "append" => {
                for first in (0..n).step_by(500) {
                    append(&log, first, 500.min(n - first)).await;
                }
            }
            // One by one: each is on disk before the next begins.
            "singly" => {
                for number in 0..n {
                    append(&log, number, 1).await;
                }
            }
            "large" => {
                let data = json!({ "message": "é\"\n".repeat(n / 4) });
                let event = NewEvent::new(EventKind::Notice, "ada", data);
                log.append(vec![event], vec![]).await.unwrap();
            }
            other => panic!("{other}"),
        }
        println!("at {}", log.head().seq);
    }
}

/// The other process, as this one sees it.
pub struct Process {
    child: Child,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    pub addr: SocketAddr,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// A server on the log in `folder` that is known as `name`, too.
    pub fn start(folder: &Path, name: SocketAddr) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "process::a_server_that_will_be_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(FOLDER, folder)
            .env(NAME, name.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addr = lines
            .find_map(|line| {
                line.unwrap()
                    .strip_prefix("serves ")
                    .map(|addr| addr.parse().unwrap())
            })
            .expect("the other process serves");
        Self {
            commands: child.stdin.take().unwrap(),
            child,
            lines,
            addr,
        }
    }

    /// Gives a command without waiting for its end.
    pub fn begin(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
    }

    /// Gives a command and waits for its end; the head of the log then.
    pub fn run(&mut self, command: &str) -> u64 {
        self.begin(command);
        self.lines
            .find_map(|line| {
                line.unwrap()
                    .strip_prefix("at ")
                    .map(|seq| seq.parse().unwrap())
            })
            .expect("the other process answers")
    }

    /// Ends it without a word, as a crash or a kill -9 does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Removes the events up to `seq` from a log that nobody serves.
pub fn purge(folder: &Path, seq: u64) {
    let database = rusqlite::Connection::open(folder.join("sayso.db")).unwrap();
    database
        .execute("DELETE FROM events WHERE seq <= ?1", [seq])
        .unwrap();
}

/// What the log in `folder` has: sequence number and message of each event.
pub fn stored(folder: &Path) -> Vec<(u64, String)> {
    let log = log(folder);
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = log.read(after, 500).unwrap();
        let Some(last) = page.last() else { return all };
        after = last.seq;
        all.extend(
            page.iter()
                .map(|event| (event.seq, event.data["message"].to_string())),
        );
    }
}

/// The folder of the packages of npm and PyPI.
pub fn services() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/services")
}
