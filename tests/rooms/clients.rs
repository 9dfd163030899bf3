//! npm `yjs` with `y-websocket`: editors as others have them.

use serde_json::{Value, json};

use crate::rig::Clients;
use crate::support::{Server, TOKEN};

const PAGE: &str = "index.html";

fn url(server: &Server) -> String {
    format!("ws://{}", server.running.addr)
}

fn alone(state: &Value) -> bool {
    state["others"]
        .as_object()
        .is_some_and(|others| others.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_write_a_third_comes_late_and_one_was_away() {
    let Some(clients) = Clients::start() else {
        return;
    };
    let server = Server::start().await;
    for id in ["ada", "bob"] {
        clients.open(id, &url(&server), "project:site", TOKEN).await;
    }
    clients
        .tell(
            "make",
            "ada",
            json!({ "path": PAGE, "text": "<h1>🦀 Hello</h1>" }),
        )
        .await;
    clients.until_text("bob", PAGE, "<h1>🦀 Hello</h1>").await;
    // Behind the crab: it is two units long for them.
    let edit = json!({ "path": PAGE, "at": 7, "remove": 5, "insert": "Wörld 🌍" });
    clients.tell("edit", "bob", edit).await;
    clients
        .until_text("ada", PAGE, "<h1>🦀 Wörld 🌍</h1>")
        .await;
    let state = clients.state("ada").await;
    assert_eq!(state["chosen"], "sayso.v1");

    // One goes, both write on, and nothing is lost when it is back.
    clients.tell("disconnect", "ada", json!({})).await;
    clients
        .tell(
            "edit",
            "ada",
            json!({ "path": PAGE, "at": 0, "insert": "<!-- a -->" }),
        )
        .await;
    clients
        .tell(
            "edit",
            "bob",
            json!({ "path": PAGE, "at": 4, "insert": "B" }),
        )
        .await;
    clients.tell("connect", "ada", json!({})).await;
    for id in ["ada", "bob"] {
        clients
            .until_text(id, PAGE, "<!-- a --><h1>B🦀 Wörld 🌍</h1>")
            .await;
    }

    // Who comes late has it all, marks too, and the places are the same for all.
    let mark = json!({ "key": "h1", "file": PAGE, "at": 15, "until": 17 });
    clients.tell("highlight", "bob", mark).await;
    clients
        .open("eve", &url(&server), "project:site", TOKEN)
        .await;
    let state = clients
        .until("eve", "the mark", |state| {
            state["highlights"]["h1"].is_object()
        })
        .await;
    assert_eq!(state["texts"][PAGE], "<!-- a --><h1>B🦀 Wörld 🌍</h1>");
    let from = state["highlights"]["h1"]["from"].clone();
    clients
        .tell(
            "edit",
            "ada",
            json!({ "path": PAGE, "at": 0, "remove": 10 }),
        )
        .await;
    clients
        .until_text("eve", PAGE, "<h1>B🦀 Wörld 🌍</h1>")
        .await;
    let found = clients
        .tell("resolve", "eve", json!({ "position": from }))
        .await;
    assert_eq!(found["index"], 5);
    let vectors = async |id| clients.state(id).await["vector"].clone();
    let ada = vectors("ada").await;
    clients
        .until("bob", "the same state", |state| state["vector"] == ada)
        .await;
    clients
        .until("eve", "the same state", |state| state["vector"] == ada)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_comes_goes_and_comes_back() {
    let Some(clients) = Clients::start() else {
        return;
    };
    let server = Server::start().await;
    let ada = clients.open("ada", &url(&server), "presence", TOKEN).await;
    clients.open("bob", &url(&server), "presence", TOKEN).await;
    let state = json!({ "user": { "name": "Ada", "color": "#e69f00" }, "pane": "diff" });
    clients
        .tell("present", "ada", json!({ "state": state }))
        .await;
    let here = |bob: &Value| bob["others"][ada.to_string()] == state;
    clients.until("bob", "ada is here", here).await;

    // A goodbye.
    clients.tell("disconnect", "ada", json!({})).await;
    clients.until("bob", "ada is gone", alone).await;
    let clock = clients.state("ada").await["clock"].as_u64().unwrap();
    clients.tell("connect", "ada", json!({})).await;
    clients.until("bob", "ada is back", here).await;
    // Not at the next renewal, with the clock that everyone knew: it was asked to say it anew.
    let back = clients
        .until("ada", "a newer clock", |state| {
            state["clock"].as_u64() > Some(clock)
        })
        .await;
    assert!(back["clock"].as_u64().unwrap() <= clock + 2, "{back}");

    // The network breaks.
    clients.tell("kill", "ada", json!({})).await;
    clients
        .until("ada", "it is connected again", |ada| {
            ada["closes"].as_array().unwrap().len() == 2 && ada["synced"] == true
        })
        .await;
    clients.until("bob", "ada is back", here).await;

    // The machine stops: nothing is closed, nothing answers.
    clients.tell("freeze", "ada", json!({})).await;
    clients.until("bob", "ada is gone", alone).await;
    clients.tell("thaw", "ada", json!({})).await;
    clients.until("bob", "ada is back", here).await;
    let still = clients.state("ada").await;
    assert_eq!(still["closes"].as_array().unwrap().len(), 2, "{still}");

    // She takes leave, and stays.
    clients
        .tell("present", "ada", json!({ "state": null }))
        .await;
    clients.until("bob", "ada is gone", alone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_no_absence() {
    let Some(clients) = Clients::start() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let proxy = crate::support::proxy::Proxy::start(|| None).await;
    let log = crate::support::log(dir.path());
    let server = Server::behind(&proxy, log.clone()).await;
    let url = format!("ws://{}", proxy.addr);
    let ada = clients.open("ada", &url, "project:site", TOKEN).await;
    clients.open("bob", &url, "project:site", TOKEN).await;
    let state = json!({ "user": { "name": "Ada" } });
    clients
        .tell("present", "ada", json!({ "state": state }))
        .await;
    let here = |bob: &Value| bob["others"][ada.to_string()] == state;
    clients.until("bob", "ada is here", here).await;
    clients
        .tell("make", "ada", json!({ "path": PAGE, "text": "before" }))
        .await;
    clients.until_text("bob", PAGE, "before").await;

    server.shutdown.cancel();
    for id in ["ada", "bob"] {
        clients
            .until(id, "it is away", |state| state["connected"] == false)
            .await;
    }
    clients
        .tell(
            "edit",
            "bob",
            json!({ "path": PAGE, "at": 6, "insert": " and after" }),
        )
        .await;
    let _server = Server::behind(&proxy, log).await;
    // Neither renews before some 15 s: whoever is seen earlier was asked.
    clients.until("bob", "ada is back", here).await;
    clients.until_text("ada", PAGE, "before and after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_told_by_their_close_codes() {
    let Some(clients) = Clients::start() else {
        return;
    };
    let server = Server::start().await;
    for (id, room, token, code) in [
        ("stranger", "project:site", "not-the-token-at-all", 4401),
        ("lost", "proposal:none", TOKEN, 4404),
        ("elsewhere", "project:other", TOKEN, 4404),
        ("odd", "a%3Cb%3E", TOKEN, 4404),
        ("long", &"x".repeat(129), TOKEN, 4404),
    ] {
        clients.open(id, &url(&server), room, token).await;
        let ended = |state: &Value| state["closes"] == json!([code]);
        clients.until(id, "the code", ended).await;
    }
    // They have given up.
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(clients.state("stranger").await["closes"], json!([4401]));
}
