//! Webhooks in and out, over real HTTP.

use std::sync::{Arc, Mutex};

use axum::response::Response;
use reqwest::header::HeaderMap;
use sayso::model::news::Topic;
use sayso::model::{Event, EventKind, signature};
use sayso::server::WebhookSecrets;
use serde_json::{Value, json};

use super::rig::until;
use super::service::{Fault, Script, Seen, Service, reply};
use super::support::{self, Server, http};

const SECRET: &str = "a-secret-of-the-tests";

async fn server() -> Server {
    Server::with(|options| {
        options.webhooks = WebhookSecrets {
            github: Some(SECRET.to_owned()),
            vercel: Some(SECRET.to_owned()),
            generic: Some(SECRET.to_owned()),
        };
    })
    .await
}

async fn send(server: &Server, path: &str, headers: &[(&str, String)], body: &str) -> (u16, Value) {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(
            name.parse::<reqwest::header::HeaderName>().unwrap(),
            value.parse().unwrap(),
        );
    }
    let answer = http()
        .post(server.url(&format!("/api/webhooks/{path}")))
        .headers(map)
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn github(body: &str, id: &str) -> Vec<(&'static str, String)> {
    let signed = signature::sha256(SECRET.as_bytes(), &[body.as_bytes()]);
    vec![
        ("x-hub-signature-256", format!("sha256={signed}")),
        ("x-github-event", "push".to_owned()),
        ("x-github-delivery", id.to_owned()),
    ]
}

fn generic(body: &str, id: &str, time: i64) -> Vec<(&'static str, String)> {
    let time = time.to_string();
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", body.as_bytes()];
    vec![
        ("x-sayso-delivery", id.to_owned()),
        ("x-sayso-timestamp", time.clone()),
        (
            "x-sayso-signature",
            format!("sha256={}", signature::sha256(SECRET.as_bytes(), &parts)),
        ),
    ]
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn notices(server: &Server) -> Vec<Event> {
    let events = server.log.read(0, 1000).unwrap();
    events
        .into_iter()
        .filter(|event| event.kind == EventKind::Notice)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_is_an_event_once() {
    let server = server().await;
    let push = json!({"ref": "refs/heads/main", "after": "0123456789", "sender": {"login": "ada"}, "repository": {"full_name": "ada/shop"}}).to_string();
    assert_eq!(
        send(&server, "github", &github(&push, "1"), &push).await,
        (200, json!({"new": true}))
    );
    // The same delivery again, and the same body under another id.
    assert_eq!(
        send(&server, "github", &github(&push, "1"), &push).await,
        (200, json!({"new": false}))
    );
    assert_eq!(
        send(&server, "github", &github(&push, "2"), &push).await,
        (200, json!({"new": false}))
    );
    let vercel = json!({"id": "evt_1", "type": "deployment.ready", "createdAt": now() * 1000, "payload": {"deployment": {"id": "dpl_1", "url": "a.vercel.app"}}}).to_string();
    let signed = vec![(
        "x-vercel-signature",
        signature::sha1(SECRET.as_bytes(), &[vercel.as_bytes()]),
    )];
    assert_eq!(
        send(&server, "vercel", &signed, &vercel).await,
        (200, json!({"new": true}))
    );
    let body =
        json!({"kind": "deployment", "state": "success", "environment": "production"}).to_string();
    let headers = generic(&body, "run-1-1", now());
    assert_eq!(
        send(&server, "generic", &headers, &body).await,
        (200, json!({"new": true}))
    );
    assert_eq!(
        send(&server, "generic", &headers, &body).await,
        (200, json!({"new": false}))
    );
    let told: Vec<String> = notices(&server)
        .iter()
        .map(|event| event.data["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        told,
        [
            "ada pushed 0123456 to main on GitHub",
            "Vercel: deployment.ready a.vercel.app",
            "deployment success production"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_remembered_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let body = json!({"kind": "x"}).to_string();
    let headers = generic(&body, "once", now());
    for new in [true, false] {
        let server = Server::on(support::log(dir.path()), |options| {
            options.webhooks.generic = Some(SECRET.into())
        })
        .await;
        assert_eq!(
            send(&server, "generic", &headers, &body).await,
            (200, json!({ "new": new }))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_old_and_broken_deliveries_are_refused_and_tell_nothing() {
    let server = server().await;
    let body = json!({"kind": "x"}).to_string();
    let mut forged = generic(&body, "1", now());
    forged[2].1 = format!("sha256={}", "0".repeat(64));
    let moved = {
        // Signed for another id.
        let mut headers = generic(&body, "1", now());
        headers[0].1 = "2".to_owned();
        headers
    };
    for (headers, status) in [
        (forged, 401),
        (moved, 401),
        (Vec::new(), 401),
        (generic(&body, "1", now() - 3600), 401),
        (generic(&body, "1", now() + 3600), 401),
        (generic(&body, "", now()), 400),
    ] {
        let (got, problem) = send(&server, "generic", &headers, &body).await;
        assert_eq!(got, status, "{problem}");
        assert!(!problem["hint"].as_str().unwrap().is_empty(), "{problem}");
    }
    assert_eq!(
        send(&server, "generic", &generic("{", "1", now()), "{")
            .await
            .0,
        400
    );
    assert_eq!(
        send(&server, "github", &github("[]", "1"), "{}").await.0,
        401
    );
    let old =
        json!({"id": "evt", "type": "deployment.ready", "createdAt": (now() - 30 * 86400) * 1000})
            .to_string();
    let signed = vec![(
        "x-vercel-signature",
        signature::sha1(SECRET.as_bytes(), &[old.as_bytes()]),
    )];
    assert_eq!(send(&server, "vercel", &signed, &old).await.0, 401);
    assert!(notices(&server).is_empty());
    // Without a secret nothing is believed.
    let closed = Server::start().await;
    let (status, problem) = send(&closed, "github", &github("{}", "1"), "{}").await;
    assert_eq!(status, 501);
    assert!(
        problem["hint"]
            .as_str()
            .unwrap()
            .contains("GITHUB_WEBHOOK_SECRET")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_at_the_same_moment_are_one_event() {
    let server = Arc::new(server().await);
    let body = json!({"kind": "x"}).to_string();
    let headers = generic(&body, "same", now());
    let sends = (0..16).map(|_| {
        let (server, headers, body) = (Arc::clone(&server), headers.clone(), body.clone());
        tokio::spawn(
            async move { send(&server, "generic", &headers, &body).await.1["new"] == true },
        )
    });
    let new = futures::future::join_all(sends)
        .await
        .into_iter()
        .filter(|new| *new.as_ref().unwrap())
        .count();
    assert_eq!(new, 1);
    assert_eq!(notices(&server).len(), 1);
}

/// The workflow that `sayso init --workflow` writes: its last step, run by a shell, is understood.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_written_workflow_tells_us_how_it_ended() {
    let server = server().await;
    let dir = tempfile::tempdir().unwrap();
    let site = dir.path().join("site");
    std::fs::create_dir(&site).unwrap();
    let run = |program: &str, args: &[&str]| {
        let output = std::process::Command::new(program)
            .args(args)
            .current_dir(&site)
            .env("HOME", dir.path())
            .env("XDG_CONFIG_HOME", dir.path())
            .env("XDG_STATE_HOME", dir.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{program} {args:?}: {output:?}");
    };
    run("git", &["init", "-q"]);
    std::fs::write(site.join("index.html"), "x").unwrap();
    run(env!("CARGO_BIN_EXE_sayso"), &["init", "--workflow"]);
    let workflow = std::fs::read_to_string(site.join(".github/workflows/deploy.yml")).unwrap();
    let script = workflow.split("run: |\n").last().unwrap();
    let url = server.url("/api/webhooks/generic");
    let output = tokio::process::Command::new("bash")
        .args(["-e", "-c", script])
        .envs([
            ("SAYSO_WEBHOOK_URL", url.as_str()),
            ("SAYSO_WEBHOOK_SECRET", SECRET),
            ("STATE", "success"),
            ("ENVIRONMENT", "production"),
            ("GITHUB_SHA", "0123456"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "ada/shop"),
            ("no_proxy", "127.0.0.1"),
        ])
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = notices(&server);
    assert_eq!(told.len(), 1, "{output:?}");
    assert_eq!(told[0].data["delivery"], "run-7-1");
    assert_eq!(told[0].data["state"], "success");
}

/// Takes what we send, and keeps it.
#[derive(Default)]
struct Receiver {
    taken: Mutex<Vec<Seen>>,
}

impl Script for Receiver {
    fn answer(&self, request: &Seen) -> Response {
        self.taken.lock().unwrap().push(request.clone());
        reply(200, &json!({}))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_are_told_signed_in_order_and_again_until_they_are_taken() {
    let receiver = Service::start(|_| Receiver::default()).await;
    for fault in [Fault::Lost, Fault::Says(500, &[], json!({}))] {
        receiver.fault("POST /hook", fault);
    }
    let dir = tempfile::tempdir().unwrap();
    let url = format!("{}hook", receiver.url);
    let append = |log: sayso::events::EventLog, kinds: Vec<EventKind>| async move {
        let events = kinds
            .into_iter()
            .map(|kind| {
                sayso::model::NewEvent::new(kind, "ada", json!({"url": "https://example.org"}))
            })
            .collect();
        log.append(events, Vec::new()).await.unwrap();
    };
    {
        let log = support::log(dir.path());
        let conductor = support::conductor(log.clone());
        assert!(
            conductor
                .tell_others(std::slice::from_ref(&url), None, 0.001)
                .unwrap_err()
                .hint
                .unwrap()
                .contains("SAYSO_WEBHOOK_SECRET")
        );
        conductor
            .tell_others(std::slice::from_ref(&url), Some(SECRET.into()), 0.001)
            .unwrap();
        append(
            log.clone(),
            vec![
                EventKind::DeployStart,
                EventKind::DeployProgress,
                EventKind::DeployComplete,
            ],
        )
        .await;
        until("both are taken", || {
            receiver.script.taken.lock().unwrap().len() == 2
        })
        .await;
        until("its place is stored", || {
            let places = log
                .list::<sayso::model::Cursor>("outgoing-webhook", 10)
                .unwrap();
            places.iter().any(|place| place.seq == 3)
        })
        .await;
    }
    {
        let log = support::log(dir.path());
        // While nobody told anybody.
        append(log.clone(), vec![EventKind::Rollback]).await;
        let conductor = support::conductor(log);
        conductor
            .tell_others(std::slice::from_ref(&url), Some(SECRET.into()), 0.001)
            .unwrap();
        until("the third is taken", || {
            receiver.script.taken.lock().unwrap().len() >= 3
        })
        .await;
    }
    let taken = receiver.script.taken.lock().unwrap();
    let kinds: Vec<&str> = taken
        .iter()
        .map(|seen| seen.header("x-sayso-event").unwrap())
        .collect();
    assert_eq!(kinds, ["deploy_start", "deploy_complete", "rollback"]);
    for seen in taken.iter() {
        let header = |name: &str| seen.header(name).unwrap().as_bytes();
        let parts: [&[u8]; 5] = [
            header("x-sayso-delivery"),
            b".",
            header("x-sayso-timestamp"),
            b".",
            &seen.body,
        ];
        let right = format!("sha256={}", signature::sha256(SECRET.as_bytes(), &parts));
        assert_eq!(seen.header("x-sayso-signature"), Some(right.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_chosen_kinds_is_told_and_no_other() {
    let receiver = Service::start(|_| Receiver::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let url = format!("{}hook", receiver.url);
    let log = support::log(dir.path());
    let conductor = support::conductor(log.clone());
    let topics = [Topic::Unwell, Topic::RolledBack];
    conductor
        .tell_news(
            std::slice::from_ref(&url),
            &topics,
            Some(SECRET.into()),
            0.001,
        )
        .unwrap();
    let event = |kind, data| sayso::model::NewEvent::new(kind, "sayso", data);
    let events = vec![
        event(
            EventKind::DeployComplete,
            json!({"url": "https://example.org"}),
        ),
        event(EventKind::Error, json!({"message": "any other error"})),
        event(
            EventKind::Error,
            json!({"message": "it is unwell", "unwell": true}),
        ),
        event(EventKind::Notice, json!({"message": "x"})),
        event(EventKind::Rollback, json!({"to": "rel_1"})),
    ];
    log.append(events, Vec::new()).await.unwrap();
    until("both are taken", || {
        receiver.script.taken.lock().unwrap().len() == 2
    })
    .await;
    let taken = receiver.script.taken.lock().unwrap();
    let bodies: Vec<Value> = taken
        .iter()
        .map(|seen| serde_json::from_slice(&seen.body).unwrap())
        .collect();
    assert_eq!(bodies[0]["data"]["message"], "it is unwell");
    assert_eq!(bodies[1]["type"], "rollback");
    assert!(
        taken
            .iter()
            .all(|seen| seen.header("x-sayso-signature").is_some())
    );
}

/// A row of the bench: how long it takes from a webhook to its event on a stream, among several streams.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_on_every_event_stream() {
    use sayso::client::stream::{Connection, StreamItem};
    let server = server().await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut items = sayso::client::stream::follow(server.client(), None);
        support::until(&mut items, |item| {
            support::connection(item).filter(|now| *now == Connection::Streaming)
        })
        .await;
        streams.push(items);
    }
    let mut took = Vec::new();
    for n in 0..20 {
        let body = json!({"kind": "x", "message": format!("number {n}")}).to_string();
        let began = std::time::Instant::now();
        send(
            &server,
            "generic",
            &generic(&body, &format!("d{n}"), now()),
            &body,
        )
        .await;
        for items in &mut streams {
            support::until(items, |item| match item {
                StreamItem::Event(event) if event.data["message"] == format!("number {n}") => {
                    Some(())
                }
                _ => None,
            })
            .await;
        }
        took.push(began.elapsed());
    }
    took.sort();
    println!(
        "webhook to the last of 8 streams: median {:?}, worst {:?}",
        took[10], took[19]
    );
}
