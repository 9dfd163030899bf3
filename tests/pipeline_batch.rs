//! Several proposals as one commit, each as it was reviewed; decisions on single lines; a commit deployed once more.

mod stage;

use std::sync::Arc;

use sayso::model::api::{Approval, BatchApproval, Decide, Reviewed, Submission, SyncRequest};
use sayso::model::{
    Action, Decision, DeploymentState, EventKind, Identity, InstructionState, ProposalId,
    ProposalState,
};
use sayso::pipeline::Conductor;
use stage::{git, stage, wait_for, write};

async fn propose(conductor: &Arc<Conductor>, words: &str) -> ProposalId {
    let submission = Submission {
        prompt: Some(words.into()),
        ..Submission::default()
    };
    let id = conductor
        .submit(submission, None, None, &Identity::owner("Ada"))
        .await
        .unwrap();
    wait_for("the proposal", async || {
        conductor.instruction(&id).unwrap().proposal
    })
    .await
}

fn batch(ids: &[(&ProposalId, u32)], action: Action) -> BatchApproval {
    let reviewed = |(id, version): &(&ProposalId, u32)| Reviewed {
        proposal: (*id).clone(),
        version: *version,
    };
    BatchApproval {
        proposals: ids.iter().map(reviewed).collect(),
        action: Some(action),
        ..BatchApproval::default()
    }
}

#[tokio::test]
async fn what_was_reviewed_goes_out_as_one_commit_and_one_deployment() {
    let stage = stage(&[("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n"), ("b.txt", "x\n")]).await;
    let one = propose(&stage.conductor, "a.txt: 2 => two").await;
    let two = propose(&stage.conductor, "a.txt: 8 => eight").await;
    let three = propose(&stage.conductor, "b.txt: x => y").await;
    let before = git(stage.site.path(), &["rev-list", "--count", "HEAD"]);
    let approval = batch(&[(&one, 1), (&two, 1), (&three, 1)], Action::Deploy);
    let synced = stage
        .conductor
        .approve_batch(approval, &Identity::owner("Ada"))
        .await
        .unwrap();
    assert!(synced.deployment.is_some());
    let after = git(stage.site.path(), &["rev-list", "--count", "HEAD"]);
    let count = |text: &str| text.trim().parse::<u32>().unwrap();
    assert_eq!(count(&after), count(&before) + 1);
    let text = git(stage.site.path(), &["show", "HEAD:a.txt"]);
    assert!(text.contains("two\n") && text.contains("eight\n"), "{text}");
    let message = git(stage.site.path(), &["log", "-1", "--format=%B"]);
    assert!(message.starts_with("3 changes"), "{message}");
    for id in [&one, &two, &three] {
        let proposal = stage.conductor.proposal(id).unwrap().proposal;
        assert_eq!(proposal.state, ProposalState::Committed);
        assert_eq!(proposal.commit.as_ref(), Some(&synced.commit));
    }
    let events = stage.conductor.log().read(0, 1000).unwrap();
    let commits: Vec<_> = events
        .iter()
        .filter(|event| event.kind == EventKind::Commit)
        .collect();
    assert_eq!(commits.len(), 1);
    assert_eq!(commits[0].data["proposals"].as_array().unwrap().len(), 3);
    let deployed = events
        .iter()
        .filter(|event| event.kind == EventKind::DeployStart);
    assert_eq!(deployed.count(), 1);
}

#[tokio::test]
async fn a_batch_with_anything_wrong_commits_nothing() {
    let stage = stage(&[("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n")]).await;
    let one = propose(&stage.conductor, "a.txt: 2 => two").await;
    let same = propose(&stage.conductor, "a.txt: 2 => zwei").await;
    let far = propose(&stage.conductor, "a.txt: 8 => eight").await;
    let head = git(stage.site.path(), &["rev-parse", "HEAD"]);
    let cases = [
        (batch(&[], Action::Commit), "needs proposals"),
        (
            batch(&[(&one, 1), (&one, 1)], Action::Commit),
            "named twice",
        ),
        (
            batch(&[(&one, 1), (&far, 7)], Action::Commit),
            "changed since",
        ),
        (
            batch(&[(&one, 1), (&same, 1)], Action::Commit),
            "same lines",
        ),
    ];
    for (approval, words) in cases {
        let problem = stage
            .conductor
            .approve_batch(approval, &Identity::owner("Ada"))
            .await
            .unwrap_err();
        assert!(problem.detail.contains(words), "{words}: {problem}");
    }
    assert_eq!(git(stage.site.path(), &["rev-parse", "HEAD"]), head);
    for id in [&one, &same, &far] {
        let proposal = stage.conductor.proposal(id).unwrap().proposal;
        assert_eq!(proposal.state, ProposalState::Open);
    }
}

#[tokio::test]
async fn a_line_that_is_left_out_stays_out_of_the_commit() {
    let stage = stage(&[("a.txt", "1\n2\n3\n")]).await;
    let id = propose(&stage.conductor, "a.txt: 2 => two\nand more").await;
    let view = stage.conductor.proposal(&id).unwrap();
    let hunk = &view.proposal.files[0].hunks[0];
    let more = hunk.lines.iter().position(|line| line.text == "and more");
    let decide = Decide {
        hunks: vec![hunk.id.clone()],
        lines: Some(vec![more.unwrap()]),
        decision: Decision::Rejected,
    };
    let view = stage
        .conductor
        .decide(&id, decide.clone(), "Ada")
        .await
        .unwrap();
    assert_eq!(view.proposal.files[0].hunks[0].left_out.len(), 1);
    let several = Decide {
        hunks: vec![hunk.id.clone(), hunk.id.clone()],
        ..decide
    };
    let problem = stage
        .conductor
        .decide(&id, several, "Ada")
        .await
        .unwrap_err();
    assert!(problem.detail.contains("one hunk at a time"), "{problem}");
    // Naming the hunk in the approval does not bring its line back.
    let approval = Approval {
        hunks: Some(vec![hunk.id.clone()]),
        version: Some(view.proposal.version),
        ..Approval::default()
    };
    stage
        .conductor
        .approve(&id, approval, &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(
        git(stage.site.path(), &["show", "HEAD:a.txt"]).trim_end(),
        "1\ntwo\n3"
    );
}

#[tokio::test]
async fn words_for_the_senders_own_screen_are_told_and_not_followed() {
    let stage = stage(&[("a.txt", "1\n")]).await;
    let known = vec!["next hunk".to_owned(), "show the timeline".to_owned()];
    for (words, expected) in [
        ("Next hunk, please.", Some("next hunk")),
        ("a.txt: 1 => 2", None),
    ] {
        let submission = Submission {
            prompt: Some(words.into()),
            commands: known.clone(),
            ..Submission::default()
        };
        let id = stage
            .conductor
            .submit(submission, None, None, &Identity::owner("Ada"))
            .await
            .unwrap();
        let state = wait_for("the instruction", async || {
            let now = stage.conductor.instruction(&id).unwrap();
            let over = now.state.is_final() || now.state == InstructionState::Proposed;
            over.then_some(now.state)
        })
        .await;
        let events = stage.conductor.log().read(0, 1000).unwrap();
        let told = events.iter().find(|event| {
            event.kind == EventKind::Intent && event.instruction.as_ref() == Some(&id)
        });
        let command = told.unwrap().data["command"].as_str();
        assert_eq!(command, expected, "{words}");
        if expected.is_some() {
            assert_eq!(state, InstructionState::Done);
        }
    }
}

#[tokio::test]
async fn an_earlier_commit_of_the_branch_can_be_deployed_again() {
    let stage = stage(&[("index.html", "<h1>One</h1>\n")]).await;
    let (conductor, owner) = (&stage.conductor, Identity::owner("Ada"));
    let root = stage.site.path();
    let first = git(root, &["rev-parse", "HEAD"]).trim().to_owned();
    write(root, "index.html", "<h1>Two</h1>\n");
    conductor
        .quick_commit(SyncRequest::default(), &owner)
        .await
        .unwrap();
    let again = |commit: &str| SyncRequest {
        commit: Some(commit.to_owned()),
        ..SyncRequest::default()
    };
    let synced = conductor
        .force_redeploy(again(&first), &owner)
        .await
        .unwrap();
    assert_eq!(synced.commit, first);
    let id = synced.deployment.unwrap();
    let done = wait_for("the deployment", async || {
        let now = conductor.deployment(&id).unwrap();
        now.state.is_final().then_some(now)
    })
    .await;
    assert_eq!((done.state, done.commit), (DeploymentState::Live, first));
    // Only what the branch has: another branch's commit, or none at all, goes nowhere.
    git(root, &["checkout", "-q", "-b", "aside", "HEAD~1"]);
    git(root, &["commit", "-q", "--allow-empty", "-m", "aside"]);
    let aside = git(root, &["rev-parse", "HEAD"]).trim().to_owned();
    git(root, &["checkout", "-q", "main"]);
    for commit in [aside.as_str(), "0123", &"a".repeat(40)] {
        let problem = conductor
            .force_redeploy(again(commit), &owner)
            .await
            .unwrap_err();
        assert!(problem.is("not-found"), "{commit}: {problem}");
    }
}

#[tokio::test]
async fn what_may_be_said_follows_the_site() {
    let stage = stage(&[
        (
            "index.html",
            "<h1>Garden</h1><a href=\"/\">Plan a visit</a>\n",
        ),
        ("opening-hours.html", "<h1>Hours</h1>\n"),
    ])
    .await;
    let words = stage.conductor.words().await.unwrap();
    assert!(words.phrases.iter().any(|phrase| phrase == "commit that"));
    let named = |words: &sayso::model::api::SiteWords, name: &str| {
        words.names.iter().any(|known| known == name)
    };
    for name in ["opening hours", "plan a visit", "garden"] {
        assert!(named(&words, name), "{name}: {:?}", words.names);
    }
    write(stage.site.path(), "team.html", "<h1>Us</h1>\n");
    stage
        .conductor
        .quick_commit(SyncRequest::default(), &Identity::owner("Ada"))
        .await
        .unwrap();
    let words = stage.conductor.words().await.unwrap();
    assert!(named(&words, "team"), "{:?}", words.names);
}
