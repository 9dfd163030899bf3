//! Rooms without a WebSocket, as behind a proxy that breaks them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sayso::model::room::{RoomSync, RoomSynced};
use sayso::room::{Frame, RoomDoc, State, decode_states, encode_states};

use crate::rig::{Raw, until};
use crate::support::{Server, TOKEN, http};

async fn call(server: &Server, sync: &RoomSync) -> reqwest::Response {
    http()
        .post(server.url("/api/rooms/notes/sync"))
        .bearer_auth(TOKEN)
        .json(sync)
        .send()
        .await
        .unwrap()
}

async fn sync(server: &Server, sync: &RoomSync) -> RoomSynced {
    let answer = call(server, sync).await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

fn base64(bytes: &[u8]) -> Option<String> {
    Some(STANDARD.encode(bytes))
}

fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

fn ada(clock: u32) -> State {
    State {
        client: 9,
        clock,
        json: Some("{\"user\":{\"name\":\"Ada\"}}".into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_by_http_and_one_by_websocket_have_one_document() {
    let server = Server::start().await;
    let mut socket = Raw::open(&server.running.addr.to_string(), "notes", TOKEN).await;
    let mut one = RoomDoc::new();
    let mut other = RoomDoc::new();
    let update = one.set_text("a", "by http").unwrap().unwrap();
    let push = RoomSync {
        update: base64(&update),
        state_vector: base64(&one.state_vector()),
        ..RoomSync::default()
    };
    let synced = sync(&server, &push).await;
    assert_eq!(bytes(&synced.state_vector), one.state_vector());
    assert_eq!(synced.denied, None);
    let frame = socket
        .until(|frame| matches!(frame, Frame::Update(_)))
        .await;
    if let Ok(Frame::Update(update)) = Frame::decode(&frame) {
        other.apply(update).unwrap();
    }
    assert_eq!(other.text("a").as_deref(), Some("by http"));

    // Waiting for news.
    let update = other.edit("a", 0, 2, "over").unwrap().unwrap();
    let wait = RoomSync {
        state_vector: base64(&one.state_vector()),
        seen: Some(synced.revision.clone()),
        wait: Some(25),
        ..RoomSync::default()
    };
    let (news, ()) = tokio::join!(sync(&server, &wait), async {
        socket.frame(Frame::Update(&update)).await;
    });
    assert_ne!(news.revision, synced.revision);
    one.apply(&bytes(news.update.as_deref().unwrap())).unwrap();
    assert_eq!(one.text("a").as_deref(), Some("over http"));
    // Nothing new, and no wait: the answer comes at once.
    let quiet = RoomSync {
        seen: Some(news.revision.clone()),
        ..RoomSync::default()
    };
    assert_eq!(sync(&server, &quiet).await.revision, news.revision);
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_by_http_ends_with_the_calls() {
    let server = Server::start().await;
    let mut socket = Raw::open(&server.running.addr.to_string(), "notes", TOKEN).await;
    let say = |clock| RoomSync {
        awareness: base64(&encode_states(&[ada(clock)])),
        session: Some("s1".into()),
        ..RoomSync::default()
    };
    let synced = sync(&server, &say(1)).await;
    // Nobody knew her: she is asked to say it again.
    let asked = decode_states(&bytes(&synced.awareness)).unwrap();
    assert_eq!(asked[0].json, None, "{asked:?}");
    let synced = sync(&server, &say(2)).await;
    let seen = decode_states(&bytes(&synced.awareness)).unwrap();
    assert_eq!(seen, [ada(2)]);
    socket
        .until_present(|states| states.contains(&ada(2)))
        .await;
    socket
        .until_present(|states| {
            states
                .iter()
                .any(|state| state.client == 9 && state.json.is_none())
        })
        .await;
    let synced = sync(&server, &RoomSync::default()).await;
    assert_eq!(decode_states(&bytes(&synced.awareness)).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_refused_and_what_was_written_is_kept() {
    let server = Server::start().await;
    let broken = [
        RoomSync {
            update: Some("%".into()),
            ..RoomSync::default()
        },
        RoomSync {
            update: base64(&[128, 194, 215, 47]),
            ..RoomSync::default()
        },
        RoomSync {
            state_vector: base64(&[128, 194, 215, 47]),
            ..RoomSync::default()
        },
        RoomSync {
            awareness: base64(&[128, 194, 215, 47]),
            session: Some("s".into()),
            ..RoomSync::default()
        },
        RoomSync {
            awareness: base64(&[0]),
            ..RoomSync::default()
        },
        RoomSync {
            session: Some("a b".into()),
            ..RoomSync::default()
        },
    ];
    for sync in broken {
        let answer = call(&server, &sync).await;
        assert_eq!(answer.status(), 400, "{sync:?}");
    }
    let none = http()
        .post(server.url("/api/rooms/proposal:none/sync"))
        .bearer_auth(TOKEN)
        .json(&RoomSync::default());
    assert_eq!(none.send().await.unwrap().status(), 404);

    let mut doc = RoomDoc::new();
    let update = doc.set_text("a", "kept").unwrap().unwrap();
    let push = RoomSync {
        update: base64(&update),
        ..RoomSync::default()
    };
    sync(&server, &push).await;
    let store = server.log.store().clone();
    until("it is on disk", async || {
        let rows: u64 = store
            .read(|c| {
                let sql = "SELECT (SELECT COUNT(*) FROM room_updates) + (SELECT COUNT(*) FROM room_snapshots)";
                c.query_row(sql, [], |row| row.get(0))
            })
            .unwrap();
        rows > 0
    })
    .await;
    let pull = RoomSync {
        state_vector: base64(&[0]),
        ..RoomSync::default()
    };
    let synced = sync(&server, &pull).await;
    let loaded = RoomDoc::load([&*bytes(synced.update.as_deref().unwrap())]).unwrap();
    assert_eq!(loaded.text("a").as_deref(), Some("kept"));
}
