//! One instruction through its stages, on a real repository.

mod stage;

use std::sync::Arc;

use sayso::model::api::{Approval, Decide, EditText, Reject, Submission, SyncRequest};
use sayso::model::{
    Action, Decision, DeploymentState, EventKind, Identity, Instruction, InstructionId,
    InstructionState,
};
use sayso::pipeline::Conductor;
use stage::{Stage0, git, read, stage, wait_for, write};

async fn say(conductor: &Arc<Conductor>, words: &str) -> Instruction {
    let submission = Submission {
        prompt: Some(words.into()),
        ..Submission::default()
    };
    let id = conductor
        .submit(submission, None, None, &Identity::owner("Ada"))
        .await
        .unwrap();
    settled(conductor, &id).await
}

async fn settled(conductor: &Arc<Conductor>, id: &InstructionId) -> Instruction {
    wait_for("the instruction", async || {
        let now = conductor.instruction(id).unwrap();
        let waits = matches!(
            now.state,
            InstructionState::Proposed | InstructionState::Asking
        );
        (waits || now.state.is_final()).then_some(now)
    })
    .await
}

fn kinds(stage: &Stage0) -> Vec<EventKind> {
    stage
        .conductor
        .log()
        .read(0, 1000)
        .unwrap()
        .into_iter()
        .map(|event| event.kind)
        .collect()
}

#[tokio::test]
async fn words_become_a_proposal_a_commit_and_a_live_site() {
    let stage = stage(&[("index.html", "<h1>Old</h1>\n")]).await;
    let before = git(stage.site.path(), &["rev-parse", "HEAD"]);
    let now = say(&stage.conductor, "index.html: Old => New").await;
    assert_eq!(now.state, InstructionState::Proposed, "{now:?}");
    let id = now.proposal.unwrap();
    let view = stage.conductor.proposal(&id).unwrap();
    assert!(
        view.patch.contains("-<h1>Old</h1>\n+<h1>New</h1>\n"),
        "{}",
        view.patch
    );
    // Nothing happened yet.
    assert_eq!(git(stage.site.path(), &["rev-parse", "HEAD"]), before);
    assert_eq!(git(stage.site.path(), &["status", "--porcelain"]), "");

    let approval = Approval {
        action: Some(Action::Deploy),
        ..Approval::default()
    };
    let approved = stage
        .conductor
        .approve(&id, approval, &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(
        git(stage.site.path(), &["rev-parse", "HEAD"]).trim(),
        approved.commit
    );
    assert_eq!(git(stage.site.path(), &["status", "--porcelain"]), "");
    assert_eq!(read(stage.site.path(), "index.html"), "<h1>New</h1>\n");
    assert_eq!(
        git(stage.site.path(), &["log", "-1", "--format=%an %s"]),
        "Ada Change index.html\n"
    );

    let deployment = approved.deployment.unwrap();
    let live = wait_for("the deployment", async || {
        let now = stage.conductor.deployment(&deployment).unwrap();
        now.state.is_final().then_some(now)
    })
    .await;
    assert_eq!(live.state, DeploymentState::Live);
    assert_eq!(live.progress.percent, 100);
    assert_eq!(
        read(&stage.target.dir, &format!("{deployment}/index.html")),
        "<h1>New</h1>\n"
    );
    use EventKind::{
        Approved, Commit, DeployComplete, DeployProgress, DeployStart, Intent, Proposal, Transcript,
    };
    let mut seen = kinds(&stage);
    seen.dedup();
    assert_eq!(
        seen,
        [
            Transcript,
            Intent,
            Proposal,
            Approved,
            Commit,
            DeployStart,
            DeployProgress,
            DeployComplete
        ]
    );
}

#[tokio::test]
async fn only_accepted_hunks_are_committed() {
    let lines: Vec<String> = (0..40).map(|n| format!("line {n}\n")).collect();
    let stage = stage(&[("a.txt", &lines.concat())]).await;
    // A proposal with two hunks, by way of a person's own edit of the proposed text.
    let now = say(&stage.conductor, "a.txt: line 3\n => LINE 3\n").await;
    let id = now.proposal.unwrap();
    let view = stage.conductor.proposal(&id).unwrap();
    let text = view.proposal.files[0]
        .after
        .as_text()
        .unwrap()
        .replace("line 30\n", "LINE 30\n");
    let edit = EditText {
        path: "a.txt".into(),
        text,
        version: view.proposal.version,
    };
    let view = stage.conductor.edit(&id, edit, "Ada").await.unwrap();
    assert_eq!(view.proposal.files[0].hunks.len(), 2);
    let first = view.proposal.files[0].hunks[0].id.clone();
    let decide = Decide {
        lines: None,
        hunks: vec![first],
        decision: Decision::Rejected,
    };
    stage.conductor.decide(&id, decide, "Ada").await.unwrap();
    let seen = Approval {
        version: Some(1),
        ..Approval::default()
    };
    let stale = stage
        .conductor
        .approve(&id, seen, &Identity::owner("Ada"))
        .await
        .unwrap_err();
    assert!(
        stale.detail.contains("changed since it was reviewed"),
        "{stale}"
    );
    stage
        .conductor
        .approve(&id, Approval::default(), &Identity::owner("Ada"))
        .await
        .unwrap();
    let committed = git(stage.site.path(), &["show", "HEAD:a.txt"]);
    assert!(committed.contains("line 3\n") && committed.contains("LINE 30\n"));
    assert_eq!(committed, read(stage.site.path(), "a.txt"));
    let again = stage
        .conductor
        .approve(&id, Approval::default(), &Identity::owner("Ada"))
        .await
        .unwrap_err();
    assert!(again.detail.contains("was committed"), "{again}");
}

#[tokio::test]
async fn a_moved_branch_is_noticed_and_the_proposal_goes_along_where_it_can() {
    let stage = stage(&[("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n"), ("b.txt", "x\n")]).await;
    let first = say(&stage.conductor, "a.txt: 2 => two")
        .await
        .proposal
        .unwrap();
    let other = say(&stage.conductor, "a.txt: 2 => zwei")
        .await
        .proposal
        .unwrap();
    // Someone commits elsewhere: another file does not matter, another line wants a second look.
    write(stage.site.path(), "b.txt", "y\n");
    git(stage.site.path(), &["commit", "-qam", "elsewhere"]);
    let head = git(stage.site.path(), &["rev-parse", "HEAD"]);
    stage
        .conductor
        .approve(&first, Approval::default(), &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(git(stage.site.path(), &["rev-parse", "HEAD^"]), head);
    // The other proposal changes the same line: that is a conflict, and nothing moves.
    let refused = stage
        .conductor
        .approve(&other, Approval::default(), &Identity::owner("Ada"))
        .await
        .unwrap_err();
    assert_eq!(refused.status, 409, "{refused}");
    assert_eq!(
        read(stage.site.path(), "a.txt"),
        "1\ntwo\n3\n4\n5\n6\n7\n8\n9\n"
    );

    let third = say(&stage.conductor, "a.txt: 9 => nine")
        .await
        .proposal
        .unwrap();
    write(
        stage.site.path(),
        "a.txt",
        "1\ntwo\nthree\n4\n5\n6\n7\n8\n9\n",
    );
    git(
        stage.site.path(),
        &["commit", "-qam", "same file, other line"],
    );
    let moved = stage
        .conductor
        .approve(&third, Approval::default(), &Identity::owner("Ada"))
        .await
        .unwrap_err();
    assert!(moved.detail.contains("merged"), "{moved}");
    stage
        .conductor
        .approve(&third, Approval::default(), &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(
        read(stage.site.path(), "a.txt"),
        "1\ntwo\nthree\n4\n5\n6\n7\n8\nnine\n"
    );
}

#[tokio::test]
async fn spoken_commands_ask_before_they_act() {
    let stage = stage(&[("index.html", "<h1>Old</h1>\n")]).await;
    let proposal = say(&stage.conductor, "index.html: Old => New")
        .await
        .proposal
        .unwrap();
    let asked = say(&stage.conductor, "deploy that").await;
    assert_eq!(asked.state, InstructionState::Asking, "{asked:?}");
    let question = asked.question.clone().unwrap();
    assert!(
        question.text.contains("deploy to production?"),
        "{}",
        question.text
    );
    assert_eq!(git(stage.site.path(), &["log", "--format=%s"]), "first\n");
    let no = say(&stage.conductor, "no").await;
    assert_eq!(no.state, InstructionState::Done);
    assert_eq!(
        stage.conductor.instruction(&asked.id).unwrap().state,
        InstructionState::Rejected
    );

    let asked = say(&stage.conductor, "commit that").await;
    assert_eq!(asked.state, InstructionState::Asking);
    let yes = say(&stage.conductor, "yes").await;
    assert_eq!(yes.state, InstructionState::Done, "{yes:?}");
    assert_eq!(
        stage.conductor.instruction(&asked.id).unwrap().state,
        InstructionState::Done
    );
    assert_eq!(
        git(stage.site.path(), &["log", "--format=%s"]),
        "Change index.html\nfirst\n"
    );
    assert!(
        stage
            .conductor
            .proposal(&proposal)
            .unwrap()
            .proposal
            .commit
            .is_some()
    );

    // "Undo that" proposes the inverse, which is reviewed like any other.
    let undo = say(&stage.conductor, "undo that").await;
    assert_eq!(undo.state, InstructionState::Proposed, "{undo:?}");
    stage
        .conductor
        .approve(
            &undo.proposal.unwrap(),
            Approval::default(),
            &Identity::owner("Ada"),
        )
        .await
        .unwrap();
    assert_eq!(read(stage.site.path(), "index.html"), "<h1>Old</h1>\n");
}

#[tokio::test]
async fn commit_that_shows_the_working_trees_changes_and_keeps_the_rest() {
    let stage = stage(&[("a.txt", "a\n"), ("b.txt", "b\n")]).await;
    write(stage.site.path(), "a.txt", "A\n");
    write(stage.site.path(), "new.txt", "new\n");
    let now = say(&stage.conductor, "commit that").await;
    assert_eq!(now.state, InstructionState::Proposed, "{now:?}");
    let id = now.proposal.unwrap();
    let view = stage.conductor.proposal(&id).unwrap();
    let paths: Vec<_> = view
        .proposal
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(paths, ["a.txt", "new.txt"]);
    assert_eq!(
        git(stage.site.path(), &["status", "--porcelain"]),
        " M a.txt\n?? new.txt\n"
    );
    let only = vec![view.proposal.files[0].hunks[0].id.clone()];
    let approval = Approval {
        hunks: Some(only),
        ..Approval::default()
    };
    stage
        .conductor
        .approve(&id, approval, &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(
        git(stage.site.path(), &["status", "--porcelain"]),
        "?? new.txt\n"
    );
    assert_eq!(
        git(stage.site.path(), &["show", "--format=", "--name-only"]),
        "a.txt\n"
    );
}

#[tokio::test]
async fn refusals_and_failures_are_told_with_what_to_do_next() {
    let stage = stage(&[("index.html", "<h1>Old</h1>\n")]).await;
    let refused = say(&stage.conductor, "nowhere.html: a => b").await;
    assert_eq!(refused.state, InstructionState::Refused);
    assert!(refused.refusal.unwrap().message.contains("nowhere.html"));
    let nothing = Submission::default();
    assert_eq!(
        stage
            .conductor
            .submit(nothing, None, None, &Identity::owner("Ada"))
            .await
            .unwrap_err()
            .status,
        400
    );
    let nothing = stage
        .conductor
        .quick_commit(SyncRequest::default(), &Identity::owner("Ada"))
        .await
        .unwrap_err();
    assert!(nothing.is("nothing-to-commit"), "{nothing}");

    *stage.target.fail.lock().unwrap() = Some("the build broke".into());
    let synced = stage
        .conductor
        .deploy(SyncRequest::default(), false, &Identity::owner("Ada"))
        .await
        .unwrap();
    let id = synced.deployment.unwrap();
    let failed = wait_for("the failure", async || {
        let now = stage.conductor.deployment(&id).unwrap();
        now.state.is_final().then_some(now)
    })
    .await;
    assert_eq!(failed.state, DeploymentState::Failed);
    assert_eq!(failed.log_tail, ["the last line"]);
    let last = stage.conductor.log().last(1).unwrap().remove(0);
    assert_eq!(last.kind, EventKind::DeployError);
    assert_eq!(last.data["hint"], "correct it");
}

#[tokio::test]
async fn one_idempotency_key_is_one_instruction() {
    let stage = stage(&[("index.html", "<h1>Old</h1>\n")]).await;
    let submission = || Submission {
        prompt: Some("index.html: Old => New".into()),
        ..Submission::default()
    };
    let first = stage
        .conductor
        .submit(submission(), None, Some("k"), &Identity::owner("Ada"))
        .await
        .unwrap();
    let second = stage
        .conductor
        .submit(submission(), None, Some("k"), &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(first, second);
    let proposal = settled(&stage.conductor, &first).await.proposal.unwrap();
    let rejected = stage
        .conductor
        .reject(&proposal, Reject::default(), "Ada")
        .await
        .unwrap();
    assert!(
        stage
            .conductor
            .approve(
                &rejected.proposal.id,
                Approval::default(),
                &Identity::owner("Ada")
            )
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_batch_is_one_commit_and_one_deployment() {
    let stage = stage(&[("a.txt", "1\n2\n3\n4\n5\n"), ("b.txt", "b\n")]).await;
    for words in ["a.txt: 1 => one", "a.txt: 5 => five", "b.txt: b => B"] {
        assert_eq!(
            say(&stage.conductor, words).await.state,
            InstructionState::Proposed
        );
    }
    let synced = stage
        .conductor
        .batch_sync(SyncRequest::default(), &Identity::owner("Ada"))
        .await
        .unwrap();
    assert!(synced.deployment.is_some());
    assert_eq!(
        git(stage.site.path(), &["rev-list", "--count", "HEAD"]),
        "2\n"
    );
    assert_eq!(read(stage.site.path(), "a.txt"), "one\n2\n3\n4\nfive\n");
    assert_eq!(read(stage.site.path(), "b.txt"), "B\n");
    assert!(stage.conductor.status().await.unwrap().proposals.is_empty());
}

#[tokio::test]
async fn a_rejected_proposal_can_be_opened_again_and_approved() {
    let stage = stage(&[("index.html", "<h1>Old</h1>\n")]).await;
    let conductor = &stage.conductor;
    let now = say(conductor, "index.html: Old => New").await;
    let (instruction, id) = (now.id, now.proposal.unwrap());
    conductor
        .reject(&id, Reject::default(), "Ada")
        .await
        .unwrap();
    assert_eq!(
        conductor.instruction(&instruction).unwrap().state,
        InstructionState::Rejected
    );
    let view = conductor.reopen(&id, "Ada").await.unwrap();
    assert_eq!(view.proposal.state, sayso::model::ProposalState::Open);
    assert_eq!(
        conductor.instruction(&instruction).unwrap().state,
        InstructionState::Proposed
    );
    // Once more changes nothing.
    let again = conductor.reopen(&id, "Ada").await.unwrap();
    assert_eq!(again.proposal.version, view.proposal.version);
    assert_eq!(kinds(&stage).last(), Some(&EventKind::ProposalUpdated));
    let approval = Approval {
        action: Some(Action::Commit),
        ..Approval::default()
    };
    conductor
        .approve(&id, approval, &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(read(stage.site.path(), "index.html"), "<h1>New</h1>\n");
    let problem = conductor.reopen(&id, "Ada").await.unwrap_err();
    assert_eq!(problem.status, 409, "{problem:?}");
}
