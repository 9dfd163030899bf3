//! The wire itself: what is malformed, who is slow, and what the WebSocket promises.

use std::process::Stdio;
use std::sync::Arc;

use axum::extract::ws::{Message, WebSocketUpgrade};
use futures::SinkExt as _;
use sayso::room::{Frame, RoomDoc, State};
use tokio_tungstenite::tungstenite::protocol::Message as Sent;

use crate::rig::{Raw, services, until};
use crate::support::{Server, TOKEN, http};

fn here(client: u64, clock: u32) -> State {
    State {
        client,
        clock,
        json: Some("{\"user\":{\"name\":\"x\"}}".into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_frames_end_their_own_connection_and_nothing_else() {
    let server = Server::start().await;
    let addr = server.running.addr.to_string();
    let mut good = Raw::open(&addr, "notes", TOKEN).await;
    let mut doc = RoomDoc::new();
    let update = doc.set_text("a", "text").unwrap().unwrap();
    let hostile: [&[u8]; 12] = [
        &[1, 4, 128, 194, 215, 47],
        &[0, 0, 4, 128, 194, 215, 47],
        &[0, 1, 4, 128, 194, 215, 47],
        &[0, 2, 4, 128, 194, 215, 47],
        &[0, 2, 3, 0, 0, 0],
        &[0, 2, 2, 0, 0, 9],
        &[0, 9, 1, 0],
        &[9],
        &[],
        &[1, 5, 1, 1, 1, 1, b'{'],
        &[0xff; 64],
        &update[..update.len() / 2],
    ];
    for frame in hostile {
        let mut raw = Raw::open(&addr, "notes", TOKEN).await;
        raw.send(frame.to_vec()).await;
        assert_eq!(raw.closed().await, Some(4400), "{frame:?}");
    }
    let mut raw = Raw::open(&addr, "notes", TOKEN).await;
    raw.socket.send(Sent::Text("hello".into())).await.unwrap();
    assert_eq!(raw.closed().await, Some(4400));
    let mut raw = Raw::open(&addr, "notes", TOKEN).await;
    // It may be closed while it is still sending; then it has not the code, but is not served either.
    let large = vec![0; sayso::room::MAX_FRAME + 1];
    let _ = raw.socket.send(Sent::Binary(large.into())).await;
    assert!(matches!(raw.closed().await, None | Some(4400)));
    // The room is as it was.
    good.frame(Frame::Update(&update)).await;
    good.frame(Frame::Step1(&[0])).await;
    let bytes = good.until(|frame| matches!(frame, Frame::Step2(_))).await;
    let Ok(Frame::Step2(all)) = Frame::decode(&bytes) else {
        unreachable!()
    };
    assert_eq!(
        RoomDoc::load([all]).unwrap().text("a").as_deref(),
        Some("text")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_speaks_for_itself_alone_and_hears_itself() {
    let server = Server::start().await;
    let addr = server.running.addr.to_string();
    let mut ada = Raw::open(&addr, "presence", TOKEN).await;
    let mut bob = Raw::open(&addr, "presence", TOKEN).await;
    ada.frame(Frame::Awareness(vec![here(7, 1)])).await;
    // Its own words come back: a client that is told nothing for half a minute thinks the connection dead.
    ada.until_present(|states| states.contains(&here(7, 1)))
        .await;
    bob.until_present(|states| states.contains(&here(7, 1)))
        .await;
    // More than four clients of one connection are not taken.
    bob.frame(Frame::Awareness(
        (20..30).map(|client| here(client, 1)).collect(),
    ))
    .await;
    let mut seen = Vec::new();
    ada.until_present(|states| states.iter().any(|state| state.client >= 20))
        .await;
    ada.frame(Frame::Query).await;
    let bytes = ada
        .until(|frame| matches!(frame, Frame::Awareness(states) if states.len() > 4))
        .await;
    if let Ok(Frame::Awareness(states)) = Frame::decode(&bytes) {
        seen.extend(states.into_iter().map(|state| state.client));
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    // Its end is everyone's to know.
    drop(bob);
    ada.until_present(|states| {
        states
            .iter()
            .any(|state| state.client >= 20 && state.json.is_none())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_cut_off_and_delays_nobody() {
    let server = Server::start().await;
    let addr = server.running.addr.to_string();
    let mut slow = Raw::narrow(&addr, "notes", TOKEN).await;
    let mut reader = Raw::open(&addr, "notes", TOKEN).await;
    let mut writer = Raw::open(&addr, "notes", TOKEN).await;
    // It is here, and reads nothing from now on.
    slow.frame(Frame::Awareness(vec![here(7, 1)])).await;
    reader
        .until_present(|states| states.contains(&here(7, 1)))
        .await;
    let mut doc = RoomDoc::new();
    let mut theirs = RoomDoc::new();
    let chunk = "x".repeat(8_000);
    let mut cut = false;
    for n in 0..10_000 {
        let update = match n % 2 {
            0 => doc.set_text("a", &chunk),
            _ => doc.set_text("a", ""),
        };
        let update = update.unwrap().unwrap();
        writer.frame(Frame::Update(&update)).await;
        // The other reader has each one before the next is written.
        loop {
            let bytes = reader
                .next()
                .await
                .expect("nobody is cut off but the slow one");
            match Frame::decode(&bytes).unwrap() {
                Frame::Update(update) => {
                    theirs.apply(update).unwrap();
                    break;
                }
                Frame::Awareness(states) => {
                    cut |= states
                        .iter()
                        .any(|state| state.client == 7 && state.json.is_none());
                }
                _ => {}
            }
        }
        if cut {
            break;
        }
    }
    assert!(cut, "it holds up 10,000 frames");
    // It may read what was under way; then it is told to come back, if it can be told.
    let code = slow.closed().await;
    assert!(matches!(code, None | Some(4500)), "{code:?}");
    let mut again = Raw::open(&addr, "notes", TOKEN).await;
    again.frame(Frame::Step1(&[0])).await;
    let bytes = again.until(|frame| matches!(frame, Frame::Step2(_))).await;
    let Ok(Frame::Step2(all)) = Frame::decode(&bytes) else {
        unreachable!()
    };
    assert_eq!(RoomDoc::load([all]).unwrap().text("a"), doc.text("a"));
    assert_eq!(theirs.text("a"), doc.text("a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_request_is_told_what_it_needs() {
    let server = Server::start().await;
    let get = http()
        .get(server.url("/realtime/presence"))
        .bearer_auth(TOKEN);
    let answer = get.send().await.unwrap();
    assert_eq!(answer.status(), 426);
    let body: serde_json::Value = answer.json().await.unwrap();
    assert!(body["hint"].as_str().unwrap().contains("/sync"), "{body}");
}

/// The Autobahn cases against a socket set up as rooms are: the handshake, fragments, UTF-8, control frames, and the closing.
#[tokio::test(flavor = "multi_thread")]
async fn the_cases_of_autobahn_pass() {
    let Some(services) = services() else { return };
    let python = services.join("python");
    assert!(
        python.join("kosoku").exists(),
        "run `scripts/setup.sh services`: kosoku is not installed"
    );
    let echo = axum::routing::get(async |upgrade: WebSocketUpgrade| {
        upgrade
            .read_buffer_size(8 * 1024)
            .max_message_size(sayso::room::MAX_FRAME * 8)
            .max_frame_size(sayso::room::MAX_FRAME * 8)
            .on_upgrade(async |mut socket| {
                while let Some(Ok(message)) = socket.recv().await {
                    if matches!(message, Message::Text(_) | Message::Binary(_))
                        && socket.send(message).await.is_err()
                    {
                        return;
                    }
                }
            })
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let router = axum::Router::new().route("/echo", echo);
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let out = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new("python3");
    command
        .args([
            "-c",
            "import sys; from kosoku._cli import main; sys.exit(main())",
        ])
        .args(["-m", "fuzzingclient", "-p", "4", "-o"])
        .arg(out.path())
        .args([
            "-i", "1.*", "-i", "2.*", "-i", "3.*", "-i", "4.*", "-i", "5.*", "-i", "6.*", "-i",
            "7.*",
        ])
        .arg(format!("{addr}/echo"))
        .env("PYTHONPATH", &python)
        .stdin(Stdio::null());
    let output = tokio::time::timeout(crate::rig::DEADLINE * 3, command.output())
        .await
        .expect("it ends")
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    serving.abort();
    let report = std::fs::read_to_string(out.path().join("index.json"))
        .unwrap_or_else(|error| panic!("{error}: {said}"));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let cases = report.as_object().unwrap().values().next().unwrap();
    let cases = cases.as_object().unwrap();
    assert!(cases.len() > 200, "{} cases: {said}", cases.len());
    for (case, result) in cases {
        let behaviour = result["behavior"].as_str().unwrap();
        // 6.4.*: the bad byte is found at the end of the message, not in its middle, which is allowed.
        let fine = matches!(behaviour, "OK" | "INFORMATIONAL" | "NON-STRICT");
        assert!(fine, "{case}: {result}");
        let closing = result["behaviorClose"].as_str().unwrap();
        assert!(
            matches!(closing, "OK" | "INFORMATIONAL"),
            "{case}: {result}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_dropped_when_they_are_empty_and_keep_what_was_written() {
    let server = Server::start().await;
    let addr = server.running.addr.to_string();
    let mut doc = RoomDoc::new();
    let mut updates = Vec::new();
    for n in 0..700 {
        updates.push(doc.set_text("a", &format!("text {n}")).unwrap().unwrap());
    }
    let mut ada = Raw::open(&addr, "notes", TOKEN).await;
    for update in &updates {
        ada.frame(Frame::Update(update)).await;
    }
    ada.frame(Frame::Step1(&[0])).await;
    ada.until(|frame| matches!(frame, Frame::Step2(_))).await;
    drop(ada);
    // Put together: one whole, and no rows of what is no proposal.
    let store = Arc::new(server.log.store().clone());
    let count = |table: &'static str| {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE room = 'notes'");
        store
            .read(|c| c.query_row(&sql, [], |row| row.get::<_, u64>(0)))
            .unwrap()
    };
    until("it is put together", async || {
        count("room_snapshots") == 1 && count("room_updates") == 0
    })
    .await;
    let mut bob = Raw::open(&addr, "notes", TOKEN).await;
    bob.frame(Frame::Step1(&[0])).await;
    let bytes = bob.until(|frame| matches!(frame, Frame::Step2(_))).await;
    let Ok(Frame::Step2(all)) = Frame::decode(&bytes) else {
        unreachable!()
    };
    let loaded = RoomDoc::load([all]).unwrap();
    assert_eq!(loaded.text("a").as_deref(), Some("text 699"));
    assert_eq!(loaded.state_vector(), doc.state_vector());
}
