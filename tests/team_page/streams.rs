//! The same ordeal for every client: connections cut in the middle of ten thousand events, the server killed while it
//! writes, an event of 64 KiB, another log, and a log that lost its beginning. Each event comes once, in order, unchanged.

use std::any::Any;
use std::process::Stdio;
use std::time::Duration;

use sayso::model::Cursor;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::block_in_place;

use crate::chromium::Chromium;
use crate::process::{Process, purge, services, stored};
use crate::support::TOKEN;
use crate::support::proxy::Proxy;

const DEADLINE: Duration = Duration::from_secs(90);

/// A client at work, and what it said so far.
struct Follower {
    heard: mpsc::UnboundedReceiver<Value>,
    /// Events since the last reset.
    got: Vec<(u64, String)>,
    last: u64,
    _kept: Box<dyn Any + Send>,
}

impl Follower {
    /// A client that writes what it hears to its standard output.
    fn program(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (say, heard) = mpsc::unbounded_channel();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = say.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self::new(heard, Box::new(child))
    }

    fn new(heard: mpsc::UnboundedReceiver<Value>, kept: Box<dyn Any + Send>) -> Self {
        Self {
            heard,
            got: Vec::new(),
            last: 0,
            _kept: kept,
        }
    }

    async fn next(&mut self) -> Value {
        tokio::time::timeout(DEADLINE, self.heard.recv())
            .await
            .unwrap_or_else(|_| panic!("nothing after event {}", self.last))
            .expect("the client goes on")
    }

    /// Takes events up to `seq`; a reset on the way is none that should be.
    async fn up_to(&mut self, seq: u64) {
        while self.last < seq {
            let told = self.next().await;
            assert!(told.get("reset").is_none(), "after {}: {told}", self.last);
            self.take(&told);
        }
    }

    fn take(&mut self, told: &Value) {
        let Some(seq) = told["seq"].as_u64() else {
            return;
        };
        assert_eq!(seq, self.last + 1, "lost or doubled");
        let id: Cursor = told["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(id.seq, seq);
        self.last = seq;
        self.got
            .push((seq, told["message"].as_str().unwrap().to_owned()));
    }

    /// Waits for a reset; where it leads.
    async fn reset(&mut self) -> Cursor {
        loop {
            let told = self.next().await;
            if let Some(id) = told["reset"].as_str() {
                let to: Cursor = id.parse().unwrap();
                self.got.clear();
                self.last = to.seq;
                return to;
            }
            self.take(&told);
        }
    }
}

/// Puts the client that `start` makes for an address to the test.
async fn ordeal(start: impl AsyncFnOnce(&str) -> Option<Follower>) {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // In the middle of events; what is left over when the first ten thousand are through does no harm later.
    let mut cuts = [90_001, 300_007, 500_003].into_iter();
    let proxy = Proxy::start(move || cuts.next()).await;
    let begin =
        |folder: &tempfile::TempDir| block_in_place(|| Process::start(folder.path(), proxy.addr));

    let mut process = begin(&one);
    proxy.lead_to(process.addr);
    block_in_place(|| process.run("append 10000"));
    let Some(mut client) = start(&format!("http://{}", proxy.addr)).await else {
        return;
    };
    client.up_to(10_000).await;

    // Killed while it writes one event after the other.
    process.begin("singly 1000000");
    client.up_to(10_020).await;
    process.kill();
    let mut process = begin(&one);
    proxy.lead_to(process.addr);
    let head = block_in_place(|| process.run("large 65536"));
    client.up_to(head).await;
    assert_eq!(client.got, stored(one.path()));
    assert!(client.got.last().unwrap().1.len() > 65_536);

    // Another log in its place.
    process.kill();
    let mut process = begin(&two);
    block_in_place(|| process.run("append 3"));
    proxy.lead_to(process.addr);
    assert_eq!(client.reset().await.seq, 0);
    client.up_to(3).await;
    assert_eq!(client.got, stored(two.path()));

    // While it is away, more is written than is kept.
    process.kill();
    let mut process = begin(&two);
    block_in_place(|| process.run("append 400"));
    process.kill();
    purge(two.path(), 200);
    let process = begin(&two);
    proxy.lead_to(process.addr);
    assert_eq!(client.reset().await.seq, 200);
    client.up_to(403).await;
    assert_eq!(client.got, stored(two.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_event_source_of_npm() {
    ordeal(async |url| {
        let package = services().join("node_modules/eventsource");
        let node = std::process::Command::new("node").arg("--version").output();
        if !package.is_dir() || node.is_err() {
            println!("SKIPPED: node or npm's eventsource is not installed: scripts/setup.sh test");
            return None;
        }
        let mut command = Command::new("node");
        command
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/team_page/clients/eventsource.mjs"
            ))
            .arg(package.join("dist/index.js"))
            .arg(format!("{url}/api/realtime-sync"))
            .args([TOKEN, ""]);
        Some(Follower::program(command))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn httpx_sse_of_pypi() {
    ordeal(async |url| {
        let packages = services().join("python");
        if !packages.join("httpx_sse").is_dir() {
            println!("SKIPPED: PyPI's httpx-sse is not installed: scripts/setup.sh test");
            return None;
        }
        let mut command = Command::new("python3");
        command
            .arg("-B")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/team_page/clients/httpx_sse_client.py"
            ))
            .arg(format!("{url}/api/realtime-sync"))
            .args([TOKEN, ""])
            .env("PYTHONPATH", packages);
        Some(Follower::program(command))
    })
    .await;
}

/// What the page does: as any page would, with a session's cookie, and made anew when the browser gives up.
const PAGE: &str = r#"(() => {
  window.__heard = [];
  let cursor = "";
  const open = async () => {
    try {
      await fetch("/api/session", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Sayso-Request": "1" },
        body: JSON.stringify({ token: "TOKEN" }),
      });
    } catch {
      setTimeout(open, 200);
      return;
    }
    const source = new EventSource("/api/realtime-sync?after=" + encodeURIComponent(cursor));
    source.onopen = () => __heard.push({ open: true });
    source.addEventListener("notice", message => {
      cursor = message.lastEventId;
      const event = JSON.parse(message.data);
      __heard.push({ id: message.lastEventId, seq: event.seq, message: JSON.stringify(event.data.message) });
    });
    source.addEventListener("reset", message => {
      cursor = message.lastEventId;
      __heard.push({ reset: message.lastEventId });
    });
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(open, 200);
    };
  };
  open();
})()"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_event_source_of_chromium() {
    ordeal(async |url| {
        let chromium = Chromium::start().await?;
        let tab = chromium.tab(800, 600).await;
        tab.open(&format!("{url}/healthz")).await;
        tab.value(&PAGE.replace("TOKEN", TOKEN)).await;
        let (say, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let told = tab.value("__heard.splice(0)").await;
                for one in told.as_array().into_iter().flatten() {
                    if say.send(one.clone()).is_err() {
                        return;
                    }
                }
                if say.is_closed() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Some(Follower::new(heard, Box::new(chromium)))
    })
    .await;
}
