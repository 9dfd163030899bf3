//! The server is killed while people write, again and again: nothing is lost, nothing is doubled, all have the same.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use sayso::room::RoomDoc;
use serde_json::json;

use crate::rig::{Clients, until};
use crate::stage::{self, site};
use crate::support::TOKEN;

const KILLS: usize = 4;
const WRITERS: usize = 6;
const MARKS: u64 = 50;
const PAGE: &str = "page.txt";

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(site: &Path, state: &Path, addr: SocketAddr) -> Server {
    let child = stage::sayso(site, state, &["serve", "--listen", &addr.to_string()])
        .env("SAYSO_TOKEN", TOKEN)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Server(child)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_under_writing_people_loses_and_doubles_nothing() {
    let Some(clients) = Clients::start() else {
        return;
    };
    let (site, state) = (site(&[("a.txt", "a\n")]), tempfile::tempdir().unwrap());
    let addr = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut server = start(site.path(), state.path(), addr);
    let url = format!("ws://{addr}");
    let names: Vec<String> = (0..WRITERS).map(|n| format!("w{n}")).collect();
    for name in &names {
        clients.open(name, &url, "notes", TOKEN).await;
    }
    clients
        .until("w0", "the server is there", |state| state["synced"] == true)
        .await;
    clients
        .tell("make", "w0", json!({ "path": PAGE, "text": "" }))
        .await;
    for name in &names {
        clients.until_text(name, PAGE, "").await;
        let more = json!({ "path": PAGE, "count": MARKS, "every": 60 });
        clients.tell("write", name, more).await;
    }
    let per_kill = MARKS / (KILLS as u64 + 1);
    for kill in 1..=KILLS as u64 {
        // Killed in the midst of the writing, wherever that is then.
        let due = |state: &serde_json::Value| state["written"].as_u64() >= Some(kill * per_kill);
        clients.until("w0", "it writes on", due).await;
        server.0.kill().unwrap();
        server.0.wait().unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        server = start(site.path(), state.path(), addr);
    }
    for name in &names {
        let done = |state: &serde_json::Value| state["written"] == MARKS && state["synced"] == true;
        clients
            .until(name, "it has written all, and told it", done)
            .await;
    }
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for name in &names {
        wanted.extend((0..MARKS).map(|n| (format!("{name}.{n}"), 1)));
    }
    until("all have the same", async || {
        let first = clients.state("w0").await;
        let mut same = true;
        for name in &names {
            let state = clients.state(name).await;
            same &= state["texts"] == first["texts"] && state["vector"] == first["vector"];
        }
        same && marks(first["texts"][PAGE].as_str().unwrap()) == wanted
    })
    .await;
    // What is kept is what they have: once more, and with a stranger to it all.
    let text = clients.state("w0").await["texts"][PAGE].clone();
    let database = find(state.path()).expect("the database");
    until("it is on disk", async || {
        on_disk(&database).as_deref() == text.as_str()
    })
    .await;
    server.0.kill().unwrap();
    server.0.wait().unwrap();
    for name in &names {
        clients.tell("close", name, json!({})).await;
    }
    let _server = start(site.path(), state.path(), addr);
    clients.open("late", &url, "notes", TOKEN).await;
    clients
        .until("late", "all of it", |state| state["texts"][PAGE] == text)
        .await;
}

/// The project's database below `dir`.
fn find(dir: &Path) -> Option<PathBuf> {
    std::fs::read_dir(dir).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => find(&path),
            false => (path.extension()? == "db").then_some(path),
        }
    })
}

/// The text as it is kept.
fn on_disk(database: &Path) -> Option<String> {
    let connection = rusqlite::Connection::open(database).ok()?;
    let sql = "SELECT body FROM (
            SELECT seq, body FROM room_snapshots WHERE room = 'notes'
            UNION ALL SELECT seq, body FROM room_updates WHERE room = 'notes'
        ) ORDER BY seq";
    let mut statement = connection.prepare(sql).ok()?;
    let rows = statement
        .query_map([], |row| row.get::<_, Vec<u8>>(0))
        .ok()?;
    let rows: Vec<Vec<u8>> = rows.flatten().collect();
    RoomDoc::load(rows.iter().map(|row| &**row))
        .ok()?
        .text(PAGE)
}

/// How often each mark is in the text.
fn marks(text: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for mark in text.split(['[', ']']).filter(|mark| !mark.is_empty()) {
        *found.entry(mark.to_owned()).or_insert(0) += 1;
    }
    found
}
