//! A proposal that several people write: its room, its text, what is approved, and how it came to be.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sayso::model::api::{Approval, EditText, ProposalView, Submission};
use sayso::model::room::{HistoryStep, HistoryTexts};
use sayso::model::{Action, EventKind, Identity, InstructionState, ProposalId};
use sayso::pipeline::Conductor;
use sayso::room::{Frame, RoomDoc};
use sayso::server::{Running, ServerOptions, serve};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::rig::{Clients, Raw, until};
use crate::stage::{Stage0, git, read, stage, wait_for};
use crate::support::{TOKEN, http};

const PAGE: &str = "index.html";

struct Team {
    stage: Stage0,
    running: Running,
    shutdown: CancellationToken,
    id: ProposalId,
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Team {
    async fn start() -> Self {
        let stage = stage(&[(PAGE, "<h1>Old</h1>\n<p>one</p>\n")]).await;
        let submission = Submission {
            prompt: Some("index.html: Old => New".into()),
            ..Submission::default()
        };
        let instruction = stage
            .conductor
            .submit(submission, None, None, &Identity::owner("Ada"))
            .await
            .unwrap();
        let done = wait_for("the proposal", async || {
            let now = stage.conductor.instruction(&instruction).unwrap();
            (now.state == InstructionState::Proposed).then_some(now)
        })
        .await;
        let shutdown = CancellationToken::new();
        let options = ServerOptions::local(TOKEN, "ada");
        let conductor = Arc::clone(&stage.conductor);
        let running = serve(conductor, options, shutdown.clone()).await.unwrap();
        Self {
            stage,
            running,
            shutdown,
            id: done.proposal.unwrap(),
        }
    }

    fn conductor(&self) -> &Arc<Conductor> {
        &self.stage.conductor
    }

    fn room(&self) -> String {
        format!("proposal:{}", self.id)
    }

    fn view(&self) -> ProposalView {
        self.conductor().proposal(&self.id).unwrap()
    }

    fn text(&self) -> String {
        let view = self.view();
        view.proposal.files[0].after.as_text().unwrap().to_owned()
    }

    async fn open(&self) -> (Raw, RoomDoc) {
        let mut raw = Raw::open(&self.running.addr.to_string(), &self.room(), TOKEN).await;
        raw.frame(Frame::Step1(&[0])).await;
        let mut doc = RoomDoc::new();
        take(&mut raw, &mut doc, |frame| matches!(frame, Frame::Step2(_))).await;
        (raw, doc)
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let url = format!(
            "http://{}/api/proposals/{}/{path}",
            self.running.addr, self.id
        );
        let answer = http().get(url).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }
}

/// Takes frames into `doc` until one is as wished.
async fn take(raw: &mut Raw, doc: &mut RoomDoc, good: impl Fn(&Frame<'_>) -> bool) {
    loop {
        let bytes = raw.next().await.expect("the connection stays");
        let frame = Frame::decode(&bytes).unwrap();
        if let Frame::Step2(update) | Frame::Update(update) = frame {
            doc.apply(update).unwrap();
        }
        if good(&frame) {
            return;
        }
    }
}

/// Takes frames into `doc` until its text is as wished.
async fn take_until(raw: &mut Raw, doc: &mut RoomDoc, text: &str) {
    while doc.text(PAGE).as_deref() != Some(text) {
        let bytes = raw.next().await.expect("the connection stays");
        if let Frame::Update(update) = Frame::decode(&bytes).unwrap() {
            doc.apply(update).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_in_the_room_becomes_the_proposal() {
    let team = Team::start().await;
    let Some(clients) = Clients::start() else {
        return;
    };
    let url = format!("ws://{}", team.running.addr);
    clients.open("bob", &url, &team.room(), TOKEN).await;
    clients
        .until_text("bob", PAGE, "<h1>New</h1>\n<p>one</p>\n")
        .await;
    let edit = json!({ "path": PAGE, "at": 16, "remove": 3, "insert": "two 🦀" });
    clients.tell("edit", "bob", edit).await;
    until("the proposal follows", async || {
        team.text() == "<h1>New</h1>\n<p>two 🦀</p>\n"
    })
    .await;
    let view = team.view();
    assert_eq!(view.proposal.version, 2);
    assert!(view.patch.contains("+<p>two 🦀</p>"), "{}", view.patch);
    let events = team.conductor().log().read(0, 1000).unwrap();
    let told = events
        .iter()
        .rfind(|event| event.kind == EventKind::ProposalUpdated)
        .unwrap();
    assert_eq!(
        (told.actor.as_str(), &told.data["room"]),
        ("ada", &json!(true))
    );

    // The other way: an edit by a call goes into the document, and what someone writes meanwhile stays.
    let edit = EditText {
        path: PAGE.into(),
        text: "<h1>New</h1>\n<p>two 🦀</p>\n<p>three</p>\n".into(),
        version: 2,
    };
    let (edited, _) = tokio::join!(
        team.conductor().edit(&team.id, edit, "eve"),
        clients.tell(
            "edit",
            "bob",
            json!({ "path": PAGE, "at": 4, "insert": "Brand " })
        ),
    );
    match edited {
        Ok(_) => {}
        // Bob was first: his word made a version of its own.
        Err(problem) => assert!(problem.is("conflict"), "{problem}"),
    }
    until("his word is in the proposal", async || {
        team.text().contains("Brand New")
    })
    .await;
    let edit = EditText {
        path: PAGE.into(),
        text: "<h1>Brand New</h1>\n<p>3</p>\n".into(),
        version: 0,
    };
    until("a version that stays for a moment", async || {
        let version = team.view().proposal.version;
        let edit = EditText {
            version,
            ..edit.clone()
        };
        team.conductor().edit(&team.id, edit, "eve").await.is_ok()
    })
    .await;
    clients
        .until_text("bob", PAGE, "<h1>Brand New</h1>\n<p>3</p>\n")
        .await;

    // A file that somebody takes out of the map is not out of the proposal.
    assert_eq!(team.view().proposal.files.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_names_the_document_it_is_of() {
    let team = Team::start().await;
    let approval = |vector: &[u8]| Approval {
        action: Some(Action::Commit),
        state_vector: Some(STANDARD.encode(vector)),
        ..Approval::default()
    };
    let refused = async |approval| {
        let done = team
            .conductor()
            .approve(&team.id, approval, &Identity::owner("ada"))
            .await;
        let problem = done.expect_err("it is refused");
        assert!(problem.is("conflict"), "{problem}");
        assert!(problem.detail.contains("changed since"), "{problem}");
    };
    // There is no document yet.
    refused(approval(&[0])).await;

    let (mut ada, mut hers) = team.open().await;
    let (mut bob, mut his) = team.open().await;
    let seen = hers.state_vector();
    // Only a deletion, which a state vector of itself does not show.
    let update = his.edit(PAGE, 4, 1, "").unwrap().unwrap();
    bob.frame(Frame::Update(&update)).await;
    take_until(&mut ada, &mut hers, "<h1>ew</h1>\n<p>one</p>\n").await;
    refused(approval(&seen)).await;

    // A moment later she has seen it all, and writes a last word herself. Nobody waits for the proposal to follow.
    let update = hers.edit(PAGE, 4, 0, "Br").unwrap().unwrap();
    ada.frame(Frame::Update(&update)).await;
    ada.frame(Frame::Step1(&hers.state_vector())).await;
    take(&mut ada, &mut hers, |frame| {
        matches!(frame, Frame::Step2(_))
    })
    .await;
    let mut with_version = approval(&hers.state_vector());
    with_version.version = Some(team.view().proposal.version);
    let approved = team
        .conductor()
        .approve(&team.id, with_version, &Identity::owner("ada"))
        .await
        .unwrap();
    assert_eq!(
        git(team.stage.site.path(), &["rev-parse", "HEAD"]).trim(),
        approved.commit
    );
    assert_eq!(
        read(team.stage.site.path(), PAGE),
        "<h1>Brew</h1>\n<p>one</p>\n"
    );

    // It is closed: who writes is told so, and the document stays as it was committed.
    let update = his.edit(PAGE, 0, 0, "late").unwrap().unwrap();
    bob.frame(Frame::Update(&update)).await;
    bob.until(|frame| matches!(frame, Frame::Denied(why) if why.contains("closed")))
        .await;
    let (_, late) = team.open().await;
    assert_eq!(
        late.text(PAGE).as_deref(),
        Some("<h1>Brew</h1>\n<p>one</p>\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_can_be_stepped_through() {
    let team = Team::start().await;
    let none: Vec<HistoryStep> = team.get("history").await;
    assert_eq!(none, []);
    let (mut ada, mut doc) = team.open().await;
    for text in ["<h1>A</h1>\n", "<h1>A 🦀</h1>\n", "<p>B</p>\n"] {
        let update = doc.set_text(PAGE, text).unwrap().unwrap();
        ada.frame(Frame::Update(&update)).await;
    }
    until("it is written down", async || {
        let steps: Vec<HistoryStep> = team.get("history").await;
        let Some(last) = steps.last() else {
            return false;
        };
        let texts: HistoryTexts = team.get(&format!("history/{}", last.number)).await;
        steps.len() == 2 && texts.files[PAGE] == "<p>B</p>\n"
    })
    .await;
    let steps: Vec<HistoryStep> = team.get("history").await;
    assert_eq!(steps[1].author, "ada");
    assert_ne!(steps[0].author, "ada");
    let first: HistoryTexts = team.get(&format!("history/{}", steps[0].number)).await;
    assert_eq!(first.files[PAGE], "<h1>New</h1>\n<p>one</p>\n");
    // A step between two that are told is one, too.
    let between: HistoryTexts = team.get(&format!("history/{}", steps[0].number + 1)).await;
    assert_eq!(between.files[PAGE], "<h1>A</h1>\n");
    for bad in ["9999", "x", "-1"] {
        let url = format!(
            "http://{}/api/proposals/{}/history/{bad}",
            team.running.addr, team.id
        );
        let answer = http().get(url).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{bad}");
    }
    // Everyone leaves, it is put together, and the steps are the same.
    drop(ada);
    let store = team.conductor().log().store().clone();
    until("it is put together", async || {
        let kept: u64 = store
            .read(|c| c.query_row("SELECT COUNT(*) FROM room_snapshots", [], |row| row.get(0)))
            .unwrap();
        kept == 1
    })
    .await;
    assert_eq!(team.get::<Vec<HistoryStep>>("history").await, steps);
    let (_, again) = team.open().await;
    assert_eq!(again.text(PAGE).as_deref(), Some("<p>B</p>\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_while_nobody_was_there_is_found_in_the_document() {
    let team = Team::start().await;
    let (mut ada, mut doc) = team.open().await;
    let update = doc.edit(PAGE, 4, 0, "Brand ").unwrap().unwrap();
    ada.frame(Frame::Update(&update)).await;
    until("the proposal follows", async || {
        team.text().contains("Brand New")
    })
    .await;
    drop(ada);
    let version = team.view().proposal.version;
    let edit = EditText {
        path: PAGE.into(),
        text: "<h1>Brand New</h1>\n<p>edited</p>\n".into(),
        version,
    };
    team.conductor().edit(&team.id, edit, "eve").await.unwrap();
    let (mut ada, mut doc) = team.open().await;
    if doc.text(PAGE).as_deref() != Some("<h1>Brand New</h1>\n<p>edited</p>\n") {
        take_until(&mut ada, &mut doc, "<h1>Brand New</h1>\n<p>edited</p>\n").await;
    }
    assert_eq!(team.text(), "<h1>Brand New</h1>\n<p>edited</p>\n");
}
