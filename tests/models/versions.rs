//! A proposal is a conversation: its versions, the way back, and what outlives a restart.

use std::sync::Arc;

use sayso::model::api::{EditText, Restore, Revise, Submission};
use sayso::model::{
    Decision, Identity, InstructionId, InstructionState, ProposalId, ProposalState,
};
use sayso::pipeline::Conductor;

use super::stage::{self, Stage0, wait_for};

const SITE: [(&str, &str); 2] = [
    ("about.html", "<h1>Old</h1>\n"),
    ("index.html", "<h1>Old</h1>\n"),
];

async fn say(conductor: &Arc<Conductor>, words: &str) -> InstructionId {
    let submission = Submission {
        prompt: Some(words.into()),
        ..Submission::default()
    };
    conductor
        .submit(submission, None, None, &Identity::owner("Ada"))
        .await
        .unwrap()
}

/// Waits for the end of what was said; the proposal that it led to.
async fn over(
    conductor: &Arc<Conductor>,
    id: &InstructionId,
) -> (InstructionState, Option<ProposalId>) {
    wait_for("the end of an instruction", async || {
        let now = conductor.instruction(id).unwrap();
        let over = now.state.is_final() || now.state == InstructionState::Proposed;
        over.then(|| (now.state, now.proposal.clone()))
    })
    .await
}

async fn proposed(stage: &Stage0, words: &str) -> ProposalId {
    let id = say(&stage.conductor, words).await;
    over(&stage.conductor, &id).await.1.unwrap()
}

fn text(conductor: &Conductor, id: &ProposalId) -> String {
    let proposal = conductor.proposal(id).unwrap().proposal;
    assert_eq!(proposal.state, ProposalState::Open);
    proposal.files[0].after.as_text().unwrap().to_owned()
}

/// A proposal that was made, edited by hand, and made otherwise in words: three versions.
async fn conversation() -> (Stage0, ProposalId) {
    let stage = stage::stage(&SITE).await;
    let first = proposed(&stage, "index.html: Old => One").await;
    let edit = EditText {
        path: "index.html".into(),
        text: "<h1>Two</h1>\n".into(),
        version: 1,
    };
    stage.conductor.edit(&first, edit, "Ada").await.unwrap();
    let revise = Revise {
        prompt: "index.html: Old => Three".into(),
    };
    let id = stage
        .conductor
        .revise(&first, revise, &Identity::owner("Ada"))
        .await
        .unwrap();
    let second = over(&stage.conductor, &id).await.1.unwrap();
    (stage, second)
}

#[tokio::test]
async fn every_version_is_listed_and_any_can_be_taken_back() {
    let (stage, id) = conversation().await;
    let room = &stage.conductor;
    let versions = room.versions(&id).unwrap();
    let told: Vec<(u32, Option<&str>, bool)> = versions
        .iter()
        .map(|one| (one.number, one.words.as_deref(), one.current))
        .collect();
    assert_eq!(
        told,
        [
            (1, Some("index.html: Old => One"), false),
            (2, None, false),
            (3, Some("index.html: Old => Three"), true),
        ]
    );
    assert!(
        versions[1].patch.contains("+<h1>Two</h1>"),
        "{}",
        versions[1].patch
    );
    let to = |version, later| Restore { version, later };
    let back = room.restore(&id, to(None, false), "Ada").await.unwrap();
    assert_eq!(
        back.proposal.id, id,
        "the open proposal changes; no second one opens"
    );
    assert_eq!(text(room, &id), "<h1>Two</h1>\n");
    room.restore(&id, to(None, false), "Ada").await.unwrap();
    assert_eq!(text(room, &id), "<h1>One</h1>\n");
    let none = room.restore(&id, to(None, false), "Ada").await.unwrap_err();
    assert!(none.detail.contains("no version before"), "{none}");
    room.restore(&id, to(None, true), "Ada").await.unwrap();
    assert_eq!(text(room, &id), "<h1>Two</h1>\n");
    room.restore(&id, to(Some(3), false), "Ada").await.unwrap();
    assert_eq!(text(room, &id), "<h1>Three</h1>\n");
    assert!(room.restore(&id, to(Some(99), false), "Ada").await.is_err());
    let all = room.versions(&id).unwrap();
    assert_eq!(
        all.iter().map(|one| one.of).collect::<Vec<_>>(),
        [1, 2, 3, 2, 1, 2, 3]
    );
    // What is approved is what was taken back.
    let approval = sayso::model::api::Approval::default();
    room.restore(&id, to(Some(2), false), "Ada").await.unwrap();
    room.approve(&id, approval, &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(
        stage::read(stage.site.path(), "index.html"),
        "<h1>Two</h1>\n"
    );
    let late = room
        .restore(&id, to(Some(1), false), "Ada")
        .await
        .unwrap_err();
    assert_eq!(late.status, 409, "{late}");
}

#[tokio::test]
async fn versions_outlive_a_restart_and_decisions_make_none() {
    let (stage, id) = conversation().await;
    let hunk = stage.conductor.proposal(&id).unwrap().proposal.files[0].hunks[0]
        .id
        .clone();
    let decide = sayso::model::api::Decide {
        hunks: vec![hunk],
        lines: None,
        decision: Decision::Rejected,
    };
    stage.conductor.decide(&id, decide, "Ada").await.unwrap();
    assert_eq!(stage.conductor.versions(&id).unwrap().len(), 3);
    let Stage0 {
        site,
        state,
        conductor,
        target,
    } = stage;
    drop(conductor);
    let room = stage::conductor_on(site.path(), stage::log(state.path()), target).await;
    assert_eq!(room.versions(&id).unwrap().len(), 3);
    let restore = Restore {
        version: Some(1),
        later: false,
    };
    room.restore(&id, restore, "Ada").await.unwrap();
    assert_eq!(text(&room, &id), "<h1>One</h1>\n");
}

#[tokio::test]
async fn the_version_before_is_taken_back_by_word() {
    let (stage, id) = conversation().await;
    let word = say(&stage.conductor, "go back to the version before").await;
    let (state, proposal) = over(&stage.conductor, &word).await;
    assert_eq!(
        (state, proposal),
        (InstructionState::Done, Some(id.clone()))
    );
    assert_eq!(text(&stage.conductor, &id), "<h1>Two</h1>\n");
}

#[tokio::test]
async fn a_revision_that_comes_to_nothing_leaves_the_proposal_open() {
    let stage = stage::stage(&SITE).await;
    let first = proposed(&stage, "index.html: Old => One").await;
    let word = say(&stage.conductor, "make it blue instead").await;
    let (state, _) = over(&stage.conductor, &word).await;
    assert_eq!(state, InstructionState::Refused);
    wait_for("the proposal as it was", async || {
        let now = stage.conductor.proposal(&first).unwrap().proposal.state;
        (now == ProposalState::Open).then_some(())
    })
    .await;
    assert_eq!(text(&stage.conductor, &first), "<h1>One</h1>\n");
    let revised = stage.conductor.instruction(&word).unwrap();
    assert_eq!(revised.revises, Some(first));
}
