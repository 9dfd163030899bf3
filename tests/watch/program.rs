//! `sayso watch` as a person runs it: a process, a page that is open, Ctrl+C.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::stage::{self, git, write};
use crate::support::{own, show};

const PATIENCE: Duration = Duration::from_secs(30);

struct Machine {
    site: tempfile::TempDir,
    state: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let site = stage::site(&[(
            "index.html",
            "<!doctype html><html><head></head><body><h1>one</h1></body></html>\n",
        )]);
        write(
            site.path(),
            "sayso.toml",
            "[watch]\nsettle = \"0s\"\nbatch = \"0s\"\n[[environment]]\nname = \"sandbox\"\n",
        );
        git(site.path(), &["add", "sayso.toml"]);
        git(site.path(), &["commit", "-q", "-m", "settings"]);
        Self {
            site,
            state: tempfile::tempdir().unwrap(),
        }
    }

    fn site(&self) -> &Path {
        self.site.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        stage::sayso(self.site(), self.state.path(), args)
    }

    fn start(&self, args: &[&str]) -> Process {
        let mut child = self
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Process {
            child,
            lines,
            seen: Vec::new(),
        }
    }
}

struct Process {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    /// Waits for a line with these words.
    fn until(&mut self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(_) => panic!("no {words:?} in {:#?}", self.seen),
            }
        }
    }

    fn end(mut self) -> i32 {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a line: `LIVE http://127.0.0.1:4711/ (12 ms)`.
fn address(line: &str) -> String {
    let at = line.find("http://").unwrap();
    let end = line[at..].find(' ').map_or(line.len(), |end| at + end);
    line[at..end].trim_end_matches('/').to_owned()
}

fn get(address: &str, path: &str) -> TcpStream {
    let host = address.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    stream
}

fn page(address: &str) -> String {
    let mut text = String::new();
    get(address, "/").read_to_string(&mut text).unwrap();
    text
}

/// An open page: it reloads when it is told of another release.
struct Page(BufReader<TcpStream>);

impl Page {
    fn open(address: &str) -> Self {
        let mut page = Self(BufReader::new(get(address, "/__sayso/events")));
        page.release();
        page
    }

    /// The next release that it is told of.
    fn release(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            if line.contains("\"release\"") {
                return line.trim().to_owned();
            }
        }
    }
}

#[test]
fn an_open_page_reloads_with_every_save() {
    let machine = Machine::new();
    let mut watch = machine.start(&["watch"]);
    watch.until("watching");
    let live = watch.until("LIVE");
    let address = address(&live);
    assert!(page(&address).contains("<h1>one</h1>"));
    let before = own(machine.site());
    let mut open = Page::open(&address);
    write(
        machine.site(),
        "index.html",
        "<!doctype html><html><head></head><body><h1>two</h1></body></html>\n",
    );
    open.release();
    assert!(page(&address).contains("<h1>two</h1>"));
    watch.until("Change index.html");
    watch.until("LIVE");
    assert_eq!(watch.end(), 0);
    git(machine.site(), &["checkout", "-q", "--", "index.html"]);
    let after = own(machine.site());
    // Times of files aside, all is as it was.
    let head = |text: &str| text.lines().next().unwrap().to_owned();
    assert_eq!(head(&before), head(&after));
}

#[test]
fn another_process_that_owns_the_project_does_the_watching() {
    let machine = Machine::new();
    let mut owner = machine.start(&["serve"]);
    owner.until("API");
    let mut watch = machine.start(&["watch", "--json"]);
    watch.until("\"watch\":true");
    write(machine.site(), "new.html", "<p>new</p>\n");
    let line = watch.until("Add new.html");
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["type"], "commit");
    let status = machine.command(&["status", "--json"]).output().unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["watch"]["on"], true);
    assert_eq!(watch.end(), 0);
    // With its end the watching ends; the owner goes on.
    let status = machine.command(&["status", "--json"]).output().unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["watch"]["on"], false);
    assert_eq!(owner.end(), 0);
}

#[test]
fn once_takes_what_there_is_and_ends() {
    let machine = Machine::new();
    write(machine.site(), "index.html", "<h1>two</h1>\n");
    let first = machine.command(&["watch", "--once"]).output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let text = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(
        text.contains("Change index.html") && text.contains("LIVE"),
        "{text}"
    );
    assert_eq!(
        show(machine.site(), "sandbox", "index.html").as_deref(),
        Some("<h1>two</h1>\n")
    );
    let second = machine.command(&["watch", "--once"]).output().unwrap();
    assert_eq!(second.status.code(), Some(4), "{second:?}");
    let wrong = machine
        .command(&["watch", "--once", "--env", "nowhere"])
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("configured: production, sandbox"), "{said}");
}

/// The folder that is watched may be reached by a link.
#[test]
fn a_site_behind_a_link_is_watched_too() {
    let machine = Machine::new();
    let link: PathBuf = machine.state.path().join("link");
    std::os::unix::fs::symlink(machine.site(), &link).unwrap();
    let mut watch = machine.start(&["-C", link.to_str().unwrap(), "watch"]);
    watch.until("LIVE");
    write(machine.site(), "linked.html", "<p>x</p>\n");
    watch.until("Add linked.html");
    assert_eq!(watch.end(), 0);
}
