//! Who may do what in which room.

use sayso::room::{Frame, RoomDoc, State};
use serde_json::{Value, json};

use crate::rig::Raw;
use crate::support::{Server, TOKEN, http};

/// Makes a token; its id and itself.
async fn token(server: &Server, body: Value) -> (String, String) {
    let request = http()
        .post(server.url("/api/tokens"))
        .bearer_auth(TOKEN)
        .json(&body);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{body}");
    let made: Value = answer.json().await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["id"]), text(&made["token"]))
}

/// Writes a text; true when it was taken, by what the server has then.
async fn writes(raw: &mut Raw, path: &str) -> bool {
    let mut doc = RoomDoc::new();
    let update = doc.set_text(path, "text").unwrap().unwrap();
    raw.frame(Frame::Update(&update)).await;
    raw.frame(Frame::Step1(&[0])).await;
    let bytes = raw.until(|frame| matches!(frame, Frame::Step2(_))).await;
    let Ok(Frame::Step2(all)) = Frame::decode(&bytes) else {
        unreachable!()
    };
    RoomDoc::load([all]).unwrap().text(path).is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_is_seen_and_changes_nothing() {
    let server = Server::start().await;
    let addr = server.running.addr.to_string();
    let (_, viewer) = token(&server, json!({ "name": "vic", "role": "viewer" })).await;
    let (_, author) = token(&server, json!({ "name": "ann", "role": "author" })).await;
    let mut ann = Raw::open(&addr, "project:site", &author).await;
    let mut vic = Raw::open(&addr, "project:site", &viewer).await;
    let update = RoomDoc::new().set_text("a", "text").unwrap().unwrap();
    vic.frame(Frame::Update(&update)).await;
    vic.until(|frame| matches!(frame, Frame::Denied(why) if why.contains("role")))
        .await;
    assert!(!writes(&mut vic, "b").await);
    assert!(writes(&mut ann, "c").await);
    vic.until(|frame| matches!(frame, Frame::Update(_))).await;
    let here = State {
        client: 7,
        clock: 1,
        json: Some("{}".into()),
    };
    vic.frame(Frame::Awareness(vec![here.clone()])).await;
    ann.until_present(|states| states.contains(&here)).await;

    // The same over plain HTTP.
    let call = http()
        .post(server.url("/api/rooms/project:site/sync"))
        .bearer_auth(&viewer)
        .json(&json!({ "update": "AAA=" }));
    let answer: Value = call.send().await.unwrap().json().await.unwrap();
    assert!(
        answer["denied"].as_str().unwrap().contains("role"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_the_role_that_it_has_in_a_room() {
    let server = Server::start().await;
    let addr = server.running.addr.to_string();
    let body = json!({
        "name": "bob", "role": "viewer", "rooms": { "project:*": "author", "notes": "author" },
    });
    let (_, bob) = token(&server, body).await;
    let body = json!({ "name": "eve", "role": "author", "rooms": { "project:site": "viewer" } });
    let (_, eve) = token(&server, body).await;
    for (token, room, may) in [
        (&bob, "project:site", true),
        (&bob, "presence", false),
        (&bob, "notes", true),
        (&eve, "project:site", false),
        (&eve, "presence", true),
    ] {
        let mut raw = Raw::open(&addr, room, token).await;
        let path = format!("{room} {may}");
        assert_eq!(writes(&mut raw, &path).await, may, "{room}");
    }
    // A room of a free name is for those whom a token lets in by that name.
    let mut raw = Raw::open(&addr, "notes", &eve).await;
    assert_eq!(raw.closed().await, Some(4403));
    let mut raw = Raw::open(&addr, "notes-2", &bob).await;
    assert_eq!(raw.closed().await, Some(4403));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_revoked_token_opened_ends_at_once() {
    let server = Server::start().await;
    let addr = server.running.addr.to_string();
    let (id, token) = token(&server, json!({ "name": "ann", "role": "author" })).await;
    let mut ann = Raw::open(&addr, "project:site", &token).await;
    assert!(writes(&mut ann, "a").await);
    let revoke = http()
        .delete(server.url(&format!("/api/tokens/{id}")))
        .bearer_auth(TOKEN);
    assert_eq!(revoke.send().await.unwrap().status(), 200);
    assert_eq!(ann.closed().await, Some(4403));
    let mut again = Raw::open(&addr, "project:site", &token).await;
    assert_eq!(again.closed().await, Some(4401));
}
