//! The event log in NATS: several copies, one writer at a time, and NATS away.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::time::Duration;

use sayso::events::{EventLog, Place, Put};
use sayso::model::Event;
use sayso::store::Store;
use serde_json::{Value, json};

use crate::log::notice;
use crate::nats::{Nats, free_port};

/// How long what must happen may take.
const DEADLINE: Duration = Duration::from_secs(30);

async fn join(nats: &Nats, dir: &Path) -> EventLog {
    let path = dir.join("sayso.db");
    EventLog::join(&path, "my site.v2", &nats.settings())
        .await
        .unwrap()
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what)
        .await
        .expect("it happens in time")
}

fn messages(events: &[Event]) -> Vec<&Value> {
    events.iter().map(|event| &event.data["message"]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_has_the_same_log_and_one_writes() {
    let Some(nats) = Nats::start() else { return };
    let dirs: [tempfile::TempDir; 3] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    let one = join(&nats, dirs[0].path()).await;
    let two = join(&nats, dirs[1].path()).await;
    assert_eq!(one.head(), two.head());
    // Nobody has the turn.
    assert!(
        one.append(vec![notice(0)], vec![])
            .await
            .unwrap_err()
            .is("not-conducting")
    );
    soon(one.remote().unwrap().lead()).await.unwrap();
    let put = Put::new("note", "n1", &json!(1)).unwrap();
    one.append(vec![notice("one"), notice("more")], vec![put])
        .await
        .unwrap();
    soon(two.reached(&one.head())).await;
    assert_eq!(two.read(0, 10).unwrap(), one.read(0, 10).unwrap());
    assert_eq!(two.get::<Value>("note", "n1").unwrap(), Some(json!(1)));
    let refused = two.append(vec![notice(0)], vec![]).await.unwrap_err();
    assert!(
        refused.is("not-conducting") && refused.status == 503,
        "{refused}"
    );
    // The other one takes the turn; the one before learns of it by its next append, which is not in the log.
    soon(two.remote().unwrap().lead()).await.unwrap();
    two.append(vec![notice("two")], vec![]).await.unwrap();
    let refused = one.append(vec![notice("lost")], vec![]).await.unwrap_err();
    assert!(refused.is("not-conducting"), "{refused}");
    soon(one.remote().unwrap().deposed()).await;
    assert!(!one.conducts() && two.conducts());
    // It follows again, and one that begins later has all of it, too.
    soon(one.reached(&two.head())).await;
    let three = join(&nats, dirs[2].path()).await;
    for log in [&one, &three] {
        assert_eq!(log.head(), two.head());
        assert_eq!(messages(&log.read(0, 10).unwrap()), ["one", "more", "two"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_while_nats_is_away_is_there_once_when_it_is_back() {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let dirs: [tempfile::TempDir; 2] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    let one = join(&nats, dirs[0].path()).await;
    let two = join(&nats, dirs[1].path()).await;
    let remote = one.remote().unwrap();
    soon(remote.lead()).await.unwrap();
    remote.open();
    one.append(vec![notice("before")], vec![]).await.unwrap();
    assert_eq!(one.place(), Place::Here);
    nats.kill();
    let (log, mut waiting) = (one.clone(), Vec::new());
    for n in 0..5 {
        let log = log.clone();
        waiting.push(tokio::spawn(async move {
            log.append(vec![notice(n)], vec![]).await
        }));
    }
    soon(remote.away()).await;
    assert!(matches!(one.place(), Place::Nowhere(why) if why.contains("NATS")));
    assert_eq!(messages(&one.read(0, 10).unwrap()), ["before"]);
    nats.again();
    for append in waiting {
        soon(append).await.unwrap().unwrap();
    }
    assert_eq!(one.place(), Place::Here);
    assert_eq!(one.head().seq, 6);
    soon(two.reached(&one.head())).await;
    let events = two.read(0, 10).unwrap();
    assert_eq!(events, one.read(0, 10).unwrap());
    let mut numbers: Vec<u64> = events
        .iter()
        .filter_map(|event| event.data["message"].as_u64())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
}

/// With three members two are enough: whichever one goes, what is appended meanwhile is there once, on every copy.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_the_cluster_that_goes_is_missed_by_nobody() {
    let Some(mut nats) = Nats::cluster() else {
        return;
    };
    let dirs: [tempfile::TempDir; 3] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    // The three have to find each other first; who comes before that is told, and comes again.
    let path = dirs[0].path().join("sayso.db");
    let one = soon(async {
        loop {
            match EventLog::join(&path, "my site.v2", &nats.settings()).await {
                Ok(log) => return log,
                Err(problem) => assert!(problem.is("nats"), "{problem}"),
            }
        }
    })
    .await;
    let two = join(&nats, dirs[1].path()).await;
    soon(one.remote().unwrap().lead()).await.unwrap();
    let mut wanted = Vec::new();
    for node in 0..3 {
        one.append(vec![notice(format!("{node} is there"))], vec![])
            .await
            .unwrap();
        nats.kill_one(node);
        for n in 0..5 {
            let text = format!("{node} is gone, {n}");
            soon(one.append(vec![notice(text.as_str())], vec![]))
                .await
                .unwrap();
            wanted.push(json!(text));
        }
        soon(two.reached(&one.head())).await;
        nats.one_again(node);
    }
    let three = join(&nats, dirs[2].path()).await;
    soon(three.reached(&one.head())).await;
    for log in [&one, &two, &three] {
        let events = log.read(0, 100).unwrap();
        let gone = |message: &&Value| message.as_str().is_some_and(|text| text.contains("gone"));
        let found: Vec<Value> = messages(&events)
            .into_iter()
            .filter(gone)
            .cloned()
            .collect();
        assert_eq!(found, wanted);
        assert_eq!(events.len(), 18);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_goes_to_one_and_at_its_leave_to_the_next() {
    let Some(nats) = Nats::start() else { return };
    let dirs: [tempfile::TempDir; 2] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    let mut settings = nats.settings();
    let one = join(&nats, dirs[0].path()).await;
    one.remote().unwrap().stand(&settings).await.unwrap();
    soon(one.remote().unwrap().led()).await;
    let first = settings.advertise.clone();
    settings.advertise = "http://127.0.0.1:2/".parse().unwrap();
    let two = join(&nats, dirs[1].path()).await;
    two.remote().unwrap().stand(&settings).await.unwrap();
    soon(async {
        while two.place() != Place::There(first.clone()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    one.append(vec![notice("one")], vec![]).await.unwrap();
    one.remote().unwrap().leave().await;
    soon(two.remote().unwrap().led()).await;
    two.append(vec![notice("two")], vec![]).await.unwrap();
    assert_eq!(messages(&two.read(0, 10).unwrap()), ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_its_own_is_not_thrown_away() {
    let Some(nats) = Nats::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sayso.db");
    {
        let log = EventLog::open(Store::open(&path).unwrap(), "my site.v2").unwrap();
        log.append(vec![notice("mine")], vec![]).await.unwrap();
    }
    let refused = EventLog::join(&path, "my site.v2", &nats.settings()).await;
    let refused = refused.err().unwrap();
    assert!(
        refused.is("conflict") && refused.hint.is_some(),
        "{refused}"
    );
    let log = EventLog::open(Store::open(&path).unwrap(), "my site.v2").unwrap();
    assert_eq!(messages(&log.read(0, 10).unwrap()), ["mine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_another_one_makes_the_copy_anew() {
    let Some(nats) = Nats::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let log = join(&nats, dir.path()).await;
    log.remote().unwrap().lead().await.unwrap();
    log.append(vec![notice("old")], vec![]).await.unwrap();
    let before = log.head();
    drop(log);
    let Some(other) = Nats::start() else { return };
    let log = join(&other, dir.path()).await;
    assert_eq!(log.head().seq, 0);
    assert!(!log.reaches(&before).unwrap());
    let kept = dir.path().join(format!("sayso.db.{}", before.epoch));
    assert!(kept.is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_too_old_or_not_there_is_told_clearly() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sayso.db");
    let settings = |port: u16| sayso::events::nats::Settings {
        url: format!("nats://127.0.0.1:{port}"),
        replicas: 1,
        credentials: None,
        advertise: "http://127.0.0.1:1/".parse().unwrap(),
    };
    let refused = soon(EventLog::join(&path, "site", &settings(free_port()))).await;
    let refused = refused.err().unwrap();
    assert!(
        refused.is("nats") && refused.detail.contains("is not reached"),
        "{refused}"
    );
    // As Debian's server says hello.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let info = json!({
            "server_id": "X", "version": "2.9.10", "go": "go1.19", "host": "127.0.0.1", "port": port,
            "headers": true, "max_payload": 1048576, "proto": 1, "jetstream": true,
        });
        stream
            .write_all(format!("INFO {info}\r\n").as_bytes())
            .unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            if line.starts_with("PING") && stream.write_all(b"PONG\r\n").is_err() {
                return;
            }
        }
    });
    let refused = soon(EventLog::join(&path, "site", &settings(port)))
        .await
        .err()
        .unwrap();
    assert!(
        refused.detail.contains("2.9.10") && refused.detail.contains("2.11"),
        "{refused}"
    );
    assert!(refused.hint.unwrap().contains("Debian"));
    // What is tried is not what is there already: no database was made.
    assert!(!path.exists());
}
