//! Who says yes, and to what.

use sayso::model::api::{Approval, ApproveDeployment, Promote, Rollback, Submission, SyncRequest};
use sayso::model::{
    Action, Deployment, DeploymentId, DeploymentState, EventKind, Identity, InstructionState,
    ReleaseId,
};

use crate::rig::{Rig, person, rig};
use crate::stage::{git, wait_for};

/// Staging, and production with an approval of the kind `rule`.
fn guarded(rule: &str) -> String {
    format!(
        "[[environment]]\nname = \"staging\"\n[[environment]]\nname = \"production\"\napproval = \"{rule}\"\n"
    )
}

async fn promote(rig: &Rig, actor: &str) -> Deployment {
    let promote = Promote {
        from: Some("staging".into()),
        ..Promote::default()
    };
    let synced = rig
        .conductor
        .promote("production", promote, &person(actor))
        .await
        .unwrap();
    rig.now(&synced.deployment.unwrap())
}

fn seen(over: Option<ReleaseId>) -> ApproveDeployment {
    ApproveDeployment {
        expected: over,
        during_freeze: false,
    }
}

async fn approve(
    rig: &Rig,
    id: &DeploymentId,
    actor: &str,
) -> Result<Deployment, sayso::model::Problem> {
    let approval = ApproveDeployment::default();
    rig.conductor
        .approve_deployment(id, approval, &person(actor))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_let_the_same_release_through_across_a_restart() {
    let text = guarded("two people");
    let rig = rig(&text).await;
    let first = rig.deploy("staging").await.release.unwrap();
    let waits = promote(&rig, "Ada").await;
    assert_eq!(waits.state, DeploymentState::Waiting);
    assert_eq!(rig.live("production"), None);
    // One person, however often, is one person.
    let once = approve(&rig, &waits.id, "Ada").await.unwrap();
    assert_eq!(once.state, DeploymentState::Waiting);
    assert!(
        once.progress.message.contains("second person"),
        "{}",
        once.progress.message
    );
    let again = approve(&rig, &waits.id, "Ada").await.unwrap_err();
    assert!(again.is("same-person"), "{again}");
    assert_eq!(rig.live("production"), None);

    // What was said is there after a restart.
    let rig = rig.reopen(&text).await;
    assert!(
        approve(&rig, &waits.id, "ada")
            .await
            .unwrap_err()
            .is("same-person")
    );
    approve(&rig, &waits.id, "Grace").await.unwrap();
    assert_eq!(rig.over(&waits.id).await.state, DeploymentState::Live);
    assert_eq!(
        rig.live("production").unwrap().release,
        first,
        "the very same release"
    );

    // The next one says what differs since then.
    rig.commit("two");
    let second = rig.deploy("staging").await.release.unwrap();
    let waits = promote(&rig, "Ada").await;
    let gate = waits.gate.clone().unwrap();
    assert_eq!(gate.over.as_ref(), Some(&first));
    assert_eq!(
        (gate.changed, gate.files[0].path.as_str()),
        (1, "index.html")
    );
    assert_eq!((gate.files[0].added, gate.files[0].removed), (1, 1));
    assert_eq!(gate.commits[0].title, "two");
    approve(&rig, &waits.id, "Ada").await.unwrap();
    approve(&rig, &waits.id, "Grace").await.unwrap();
    rig.over(&waits.id).await;
    assert_eq!(rig.live("production").unwrap().release, second);
    // The log says who, when, and over what.
    let approved = rig.told(EventKind::Approved, &waits.id);
    let names: Vec<&str> = approved.iter().map(|event| event.actor.as_str()).collect();
    assert_eq!(names, ["Ada", "Grace"]);
    assert_eq!(approved[0].data["over"], first.as_str());
    assert_eq!(approved[0].data["files"][0], "index.html");
    assert_eq!(approved[0].data["missing"], 1);
    let promoted = &rig.told(EventKind::Promote, &waits.id)[0].data;
    assert_eq!(promoted["approvals"][1]["actor"], "Grace");
    assert_eq!(promoted["from"], "staging");
    assert_eq!(promoted["over"], first.as_str());
    // Nothing was built for production.
    let builds = std::fs::read_to_string(rig.path("builds")).unwrap();
    assert_eq!(builds.lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moved_meanwhile_is_refused_and_ends_what_waits() {
    let rig = rig(&guarded("ask")).await;
    let mut live = Vec::new();
    for text in ["a", "b"] {
        rig.commit(text);
        rig.deploy("staging").await;
        let waits = promote(&rig, "Ada").await;
        approve(&rig, &waits.id, "Ada").await.unwrap();
        live.push(rig.over(&waits.id).await.release.unwrap());
    }
    rig.commit("c");
    rig.deploy("staging").await;
    let waits = promote(&rig, "Ada").await;
    // Who saw the difference to something else has not seen this one.
    let stale = rig
        .conductor
        .approve_deployment(&waits.id, seen(Some(live[0].clone())), &person("Ada"))
        .await
        .unwrap_err();
    assert!(stale.is("moved"), "{stale}");
    assert_eq!(rig.now(&waits.id).state, DeploymentState::Waiting);
    // Production goes back: what was asked over the other release is over.
    rig.conductor
        .rollback("production", Rollback::default(), &person("Grace"))
        .await
        .unwrap();
    let over = rig.over(&waits.id).await;
    assert_eq!(over.state, DeploymentState::Canceled);
    let told = rig.told(EventKind::Canceled, &waits.id);
    assert!(
        told[0].data["reason"]
            .as_str()
            .unwrap()
            .contains(live[0].as_str())
    );
    assert_eq!(
        approve(&rig, &waits.id, "Ada").await.unwrap_err().status,
        409
    );
    // Asked for again, it is shown against what is live now.
    let again = promote(&rig, "Ada").await;
    assert_eq!(again.gate.unwrap().over.as_ref(), Some(&live[0]));
    // And when staging moves on, it is about another release.
    rig.commit("d");
    rig.deploy("staging").await;
    assert_eq!(rig.over(&again.id).await.state, DeploymentState::Canceled);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_promotions_over_the_same_release_one_goes() {
    let rig =
        rig("[[environment]]\nname = \"staging\"\n[[environment]]\nname = \"production\"\n").await;
    let base = rig.deploy("production").await.release.unwrap();
    rig.commit("two");
    rig.deploy("staging").await;
    let asked = async |actor: &str| {
        let promote = Promote {
            from: Some("staging".into()),
            expected: Some(base.clone()),
            ..Promote::default()
        };
        rig.conductor
            .promote("production", promote, &person(actor))
            .await
    };
    let (one, two) = tokio::join!(asked("Ada"), asked("Grace"));
    let mut ends = Vec::new();
    for synced in [one, two].into_iter().flatten() {
        ends.push(rig.over(&synced.deployment.unwrap()).await.state);
    }
    let live = ends
        .iter()
        .filter(|state| **state == DeploymentState::Live)
        .count();
    assert_eq!(live, 1, "{ends:?}");
    // Later, who expects what is not there any more is refused at once.
    let late = asked("Linus").await.unwrap_err();
    assert!(late.is("moved"), "{late}");
    assert!(late.hint.unwrap().contains("ask for it again"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_straight_to_a_guarded_environment_waits_too() {
    let rig = rig(&guarded("ask")).await;
    let id = rig.ask("production", "Ada").await.unwrap();
    assert_eq!(rig.now(&id).state, DeploymentState::Waiting);
    assert!(rig.told(EventKind::DeployStart, &id).is_empty());
    // A newer one takes its place.
    rig.commit("two");
    let newer = rig.ask("production", "Grace").await.unwrap();
    assert_eq!(rig.over(&id).await.state, DeploymentState::Canceled);
    let status = rig.conductor.status().await.unwrap();
    let production = status
        .environments
        .iter()
        .find(|one| one.name == "production")
        .unwrap();
    assert_eq!(production.waiting[0].deployment, newer);
    // Declined, it is over.
    let declined = rig.conductor.cancel(&newer, &person("Ada")).await.unwrap();
    assert_eq!(declined.state, DeploymentState::Canceled);
    assert!(declined.problem.unwrap().detail.contains("Ada declined"));
    let third = rig.ask("production", "Ada").await.unwrap();
    approve(&rig, &third, "Ada").await.unwrap();
    assert_eq!(rig.over(&third).await.state, DeploymentState::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_for_a_guarded_environment_is_committed_and_waits() {
    let rig = rig(&guarded("ask")).await;
    let said = say(&rig, "index.html: one => two").await;
    let approval = Approval {
        action: Some(Action::Deploy),
        ..Approval::default()
    };
    let id = said.proposal.unwrap();
    let approved = rig
        .conductor
        .approve(&id, approval, &person("Ada"))
        .await
        .unwrap();
    assert_eq!(
        git(rig.site.path(), &["rev-parse", "HEAD"]).trim(),
        approved.commit
    );
    let waits = rig.now(&approved.deployment.unwrap());
    assert_eq!(waits.state, DeploymentState::Waiting);
    approve(&rig, &waits.id, "Ada").await.unwrap();
    assert_eq!(rig.over(&waits.id).await.state, DeploymentState::Live);
}

async fn say(rig: &Rig, words: &str) -> sayso::model::Instruction {
    let submission = Submission {
        prompt: Some(words.into()),
        ..Submission::default()
    };
    let id = rig
        .conductor
        .submit(submission, None, None, &Identity::owner("Ada"))
        .await
        .unwrap();
    wait_for("the instruction", async || {
        let now = rig.conductor.instruction(&id).unwrap();
        let waits = matches!(
            now.state,
            InstructionState::Proposed | InstructionState::Asking
        );
        (waits || now.state.is_final()).then_some(now)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_is_asked_for_and_approved_by_word() {
    let rig = rig(&guarded("ask")).await;
    let release = rig.deploy("staging").await.release.unwrap();
    let asked = say(&rig, "promote staging to production").await;
    assert_eq!(asked.state, InstructionState::Asking, "{asked:?}");
    let question = asked.question.unwrap().text;
    assert!(
        question.contains(release.as_str()) && question.contains("to production"),
        "{question}"
    );
    let yes = say(&rig, "yes").await;
    let id = yes.deployment.expect("a promotion");
    assert_eq!(rig.now(&id).state, DeploymentState::Waiting);
    let asked = say(&rig, "approve the promotion").await;
    let question = asked.question.unwrap().text;
    assert!(question.starts_with("Approve the promotion"), "{question}");
    say(&rig, "yes").await;
    assert_eq!(rig.over(&id).await.state, DeploymentState::Live);
    assert_eq!(rig.live("production").unwrap().release, release);
    let nothing = say(&rig, "promote staging to production").await;
    assert_eq!(nothing.state, InstructionState::Done);
    assert!(
        rig.events().last().unwrap().data["message"]
            .as_str()
            .unwrap()
            .contains("already")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_follows_its_branch() {
    let rig = rig(
        "[deploy]\nenvironment = \"sandbox\"\n[[environment]]\nname = \"sandbox\"\nbranch = \"develop\"\n\
         [[environment]]\nname = \"production\"\nbranch = \"main\"\n",
    )
    .await;
    let main = git(rig.site.path(), &["rev-parse", "main"])
        .trim()
        .to_owned();
    git(rig.site.path(), &["checkout", "-qb", "develop"]);
    let develop = rig.commit("two");
    assert_eq!(rig.deploy("sandbox").await.commit, develop);
    assert_eq!(rig.deploy("production").await.commit, main);
    // What is committed to develop does not go to where main is followed.
    let said = say(&rig, "index.html: two => three").await;
    let approval = Approval {
        action: Some(Action::Deploy),
        environment: Some("production".into()),
        ..Approval::default()
    };
    let refused = rig
        .conductor
        .approve(&said.proposal.unwrap(), approval, &person("Ada"))
        .await
        .unwrap_err();
    assert!(refused.is("other-branch"), "{refused}");
    assert!(refused.hint.unwrap().contains("sandbox"));
    assert_eq!(
        git(rig.site.path(), &["rev-parse", "HEAD"]).trim(),
        develop,
        "nothing was committed"
    );
    let request = SyncRequest {
        environment: Some("sandbox".into()),
        ..SyncRequest::default()
    };
    git(rig.site.path(), &["checkout", "-q", "main"]);
    git(rig.site.path(), &["branch", "-qD", "develop"]);
    let missing = rig
        .conductor
        .deploy(request, false, &person("Ada"))
        .await
        .unwrap_err();
    assert!(
        missing.detail.contains("no branch \"develop\""),
        "{missing}"
    );
}
