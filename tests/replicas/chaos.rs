//! Minutes of it: three servers, one killed every ten seconds, people who write all the while.
//!
//! `SAYSO_CHAOS=300 cargo test --features failpoints --test replicas -- --ignored --nocapture chaos`

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::nats::Nats;
use crate::rig::Clients;
use crate::servers::{Call, Replica, TOKEN, same, until};
use crate::stage::site;

/// Between two kills.
const EVERY: Duration = Duration::from_secs(10);

/// People who give instructions.
const PEOPLE: usize = 6;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn chaos() {
    let seconds: u64 = std::env::var("SAYSO_CHAOS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(300);
    let Some(nats) = Nats::start() else { return };
    let site = site(&[("index.html", "<h1>one</h1>\n")]);
    let mut all = [(); 3].map(|()| Replica::start(&nats, site.path(), ""));
    let calls: Vec<Call> = all.iter().map(Replica::call).collect();
    for call in &calls {
        call.conducted().await;
    }
    let clients = Clients::start();
    let names = ["w0", "w1", "w2"];
    if let Some(clients) = &clients {
        for (name, call) in names.iter().zip(&calls) {
            let url = call.url.trim_end_matches('/').replacen("http", "ws", 1);
            clients.open(name, &url, "notes", TOKEN).await;
        }
        clients
            .until("w0", "it is there", |state| state["synced"] == true)
            .await;
        clients
            .tell("make", "w0", json!({ "path": "page.txt", "text": "" }))
            .await;
        for name in names {
            clients.until_text(name, "page.txt", "").await;
            let more = json!({ "path": "page.txt", "count": seconds * 4, "every": 250 });
            clients.tell("write", name, more).await;
        }
    }
    let over = Arc::new(AtomicBool::new(false));
    let people: Vec<_> = (0..PEOPLE)
        .map(|person| {
            let (calls, over) = (calls.clone(), Arc::clone(&over));
            tokio::spawn(async move {
                let (mut given, mut longest) = (BTreeMap::new(), Duration::ZERO);
                for n in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let key = format!("{person}-{n}");
                    let body = json!({ "prompt": format!("set the words {key} on no page"), "action": "preview" });
                    // At whichever server answers, as through a load balancer.
                    let began = Instant::now();
                    let mut at = person + n;
                    let id = loop {
                        at += 1;
                        if let Some((status, answer)) = calls[at % 3].post(&body, &key).await {
                            let good = status.is_success() || status.is_server_error();
                            assert!(good, "{status} {answer}");
                            if let Some(id) = answer["instruction"].as_str() {
                                break id.to_owned();
                            }
                        }
                        assert!(began.elapsed() < Duration::from_secs(60), "{key} is not taken");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    };
                    longest = longest.max(began.elapsed());
                    given.insert(key, id);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                (given, longest)
            })
        })
        .collect();
    let (began, mut kills, mut of_conductor) = (Instant::now(), 0, 0);
    while began.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(EVERY).await;
        // Every second time the one that conducts, as far as it is known.
        let conductor = calls[(kills + 1) % 3].conductor().await;
        let at = calls.iter().position(|call| call.url == conductor);
        let at = at.filter(|_| kills % 2 == 0).unwrap_or(kills % 3);
        of_conductor += usize::from(calls[at].url == conductor);
        all[at].kill();
        all[at].again();
        kills += 1;
    }
    over.store(true, Ordering::Relaxed);
    let (mut given, mut longest) = (BTreeMap::new(), Duration::ZERO);
    for person in people {
        let (theirs, waited) = person.await.unwrap();
        given.extend(theirs);
        longest = longest.max(waited);
    }
    let events = same(&calls).await;
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], at + 1);
    }
    let told = events.iter().filter(|event| event["type"] == "transcript");
    let told: Vec<&str> = told
        .filter_map(|event| event["instruction"].as_str())
        .collect();
    let once: BTreeSet<&str> = told.iter().copied().collect();
    let ids: BTreeSet<&str> = given.values().map(String::as_str).collect();
    println!(
        "{kills} kills ({of_conductor} of the conductor) in {} s: {} instructions, {} events, the longest wait {:.1} s",
        began.elapsed().as_secs(),
        given.len(),
        events.len(),
        longest.as_secs_f64(),
    );
    assert_eq!(ids.len(), given.len(), "a key is an instruction");
    assert_eq!(told.len(), once.len(), "doubled");
    assert_eq!(once, ids, "lost, or more than were given");
    if let Some(clients) = &clients {
        let mut texts = BTreeSet::new();
        for name in names {
            let done = |state: &Value| state["written"] == seconds * 4 && state["synced"] == true;
            clients.until(name, "it has written all", done).await;
        }
        until("all have the same text", async || {
            texts.clear();
            for name in names {
                texts.insert(clients.state(name).await["texts"]["page.txt"].to_string());
            }
            (texts.len() == 1).then_some(())
        })
        .await;
        let text = texts.pop_first().unwrap();
        for name in names {
            for n in 0..seconds * 4 {
                assert_eq!(
                    text.matches(&format!("[{name}.{n}]")).count(),
                    1,
                    "{name}.{n}"
                );
            }
        }
        println!(
            "{} marks in the room, each once at all three",
            3 * seconds * 4
        );
    }
}
