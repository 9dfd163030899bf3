//! An author commits and never deploys, by whatever way; two people are two tokens.

use reqwest::Method;
use sayso::model::api::Submission;
use sayso::model::{DeploymentState, EventKind, Identity, InstructionState, Role};
use serde_json::{Value, json};

use crate::stage::wait_for;
use crate::team::{Person, Team, problem};

/// Deployments there are.
fn deployments(team: &Team) -> usize {
    team.conductor.deployments().unwrap().deployments.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_deploys_by_no_way_at_all() {
    let team = Team::new("").await;
    let bob = team.person("Bob", "author", json!({})).await;
    let grace = team.person("Grace", "deployer", json!({})).await;
    let forbidden = async |answer| {
        let body = problem(answer, 403).await;
        assert_eq!(body["type"], "about:sayso/forbidden");
        let detail = body["detail"].as_str().unwrap();
        assert!(
            detail.contains("deployer") && detail.contains("Bob has author"),
            "{detail}"
        );
        assert_eq!(deployments(&team), 0);
    };
    let head = team.conductor.status().await.unwrap().repository.head;

    // Asked for with an instruction, an approval, a batch, a sync, a rollback, a promotion, a watch.
    let change = "index.html: one => two";
    let say = json!({ "prompt": change, "action": "deploy" });
    forbidden(bob.post("/api/voice-to-code", say).await).await;
    let id = bob.propose(change).await;
    let approve = format!("/api/proposals/{id}/approve");
    forbidden(bob.post(&approve, json!({ "action": "deploy" })).await).await;
    let batch = json!({ "proposals": [{ "proposal": id, "version": 1 }], "action": "deploy" });
    forbidden(bob.post("/api/proposals/approve", batch).await).await;
    for kind in ["instant", "batch", "deploy", "redeploy"] {
        forbidden(bob.post(&format!("/api/sync/{kind}"), json!({})).await).await;
    }
    for what in ["rollback", "promote"] {
        let path = format!("/api/environments/production/{what}");
        forbidden(bob.post(&path, json!({})).await).await;
    }
    for watch in [json!({ "on": true }), json!({ "once": true })] {
        forbidden(bob.post("/api/watch", watch).await).await;
    }
    // Nothing of it left a trace.
    assert_eq!(team.conductor.status().await.unwrap().repository.head, head);
    assert!(
        team.events()
            .iter()
            .all(|event| event.kind != EventKind::Approved)
    );

    // By word: it is refused at once, and nobody is asked.
    for words in ["deploy that", "deploy", "redeploy", "roll back"] {
        let said = bob.say(words).await;
        let state = said["state"].as_str().unwrap();
        assert!(["failed", "done"].contains(&state), "{words}: {said}");
        if state == "failed" {
            assert_eq!(said["problem"]["status"], 403, "{words}: {said}");
        }
        assert_eq!(deployments(&team), 0, "{words}");
    }
    assert_eq!(bob.say("deploy that").await["state"], "failed");

    // The question of somebody who may is not Bob's to answer with yes: not by key, and not by word.
    let asked = grace.say("deploy that").await;
    assert_eq!(asked["state"], "asking", "{asked}");
    let path = format!("/api/instructions/{}", asked["id"].as_str().unwrap());
    let answer = format!("{path}/answer");
    forbidden(bob.post(&answer, json!({ "yes": true })).await).await;
    let said = bob.say("yes").await;
    assert_eq!(said["problem"]["status"], 403, "{said}");
    let still: Value = bob.get(&path).await.json().await.unwrap();
    assert_eq!(still["state"], "asking", "it is open for who may say yes");
    assert_eq!(deployments(&team), 0);

    // Grace wanted her own change deployed: Bob's yes to it is not that, unless he says how far.
    let no = json!({ "yes": false });
    assert_eq!(bob.post(&answer, no).await.status(), 200);
    let say = json!({ "prompt": "about.html: one => two", "action": "deploy" });
    let answer = grace.post("/api/voice-to-code", say).await;
    let accepted: Value = answer.json().await.unwrap();
    let path = format!(
        "/api/instructions/{}",
        accepted["instruction"].as_str().unwrap()
    );
    let other = wait_for("the proposal", async || {
        let now: Value = grace.get(&path).await.json().await.unwrap();
        now["proposal"].as_str().map(str::to_owned)
    })
    .await;
    let other = format!("/api/proposals/{other}/approve");
    let body = problem(bob.post(&other, json!({})).await, 403).await;
    assert!(body["hint"].as_str().unwrap().contains("action: commit"));
    let answer = bob.post(&other, json!({ "action": "commit" })).await;
    assert_eq!(answer.status(), 200);

    // What he may: commit, also by a word that only says yes.
    assert_eq!(
        bob.post(&approve, json!({ "action": "commit" }))
            .await
            .status(),
        200
    );
    bob.propose("index.html: two => three").await;
    let said = bob.say("approve it").await;
    assert_eq!(said["state"], "done", "{said}");
    assert_eq!(deployments(&team), 0);
    let commits: Vec<String> = team
        .events()
        .iter()
        .filter(|event| event.kind == EventKind::Commit)
        .map(|event| event.actor.clone())
        .collect();
    assert_eq!(commits, ["Bob", "Bob", "Bob"]);

    // And Grace deploys what he committed, in her own name.
    grace.say("deploy that").await;
    grace.say("yes").await;
    let start = wait_for("the deployment", async || {
        let mut events = team.events().into_iter();
        events.find(|event| event.kind == EventKind::DeployStart)
    })
    .await;
    assert_eq!(start.actor, "Grace");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_by_itself_ends_with_its_token() {
    let team = Team::new("").await;
    let grace = team.person("Grace", "deployer", json!({})).await;
    let mut identity = Identity::owner("Grace");
    identity.role = Role::Deployer;
    identity.token = Some(grace.id.clone());
    let say = async |words: &str| {
        let submission = Submission {
            prompt: Some(words.to_owned()),
            ..Submission::default()
        };
        let taken = team.conductor.submit(submission, None, None, &identity);
        let id = taken.await.unwrap();
        wait_for(words, async || {
            let now = team.conductor.instruction(&id).unwrap();
            let waits = matches!(
                now.state,
                InstructionState::Proposed | InstructionState::Asking
            );
            (waits || now.state.is_final()).then_some(now)
        })
        .await
    };
    let change = "index.html: one => two";
    assert_eq!(say(change).await.state, InstructionState::Proposed);
    // As after a restart: what was taken before is done after the token was revoked.
    let path = format!("/api/tokens/{}", grace.id);
    let revoke = team.owner().request(Method::DELETE, &path).send();
    assert_eq!(revoke.await.unwrap().status(), 200);
    for words in [change, "deploy that", "commit that"] {
        let now = say(words).await;
        assert_eq!(now.state, InstructionState::Failed, "{words}");
        let problem = now.problem.unwrap();
        assert_eq!(problem.status, 403, "{problem}");
        assert!(
            problem.detail.contains("the token of Grace ended"),
            "{problem}"
        );
    }
    assert_eq!(deployments(&team), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_in_a_room_is_for_that_proposal_alone() {
    let team = Team::new("").await;
    let owner = team.owner();
    let (one, two) = (
        owner.propose("index.html: one => two").await,
        owner.propose("about.html: one => two").await,
    );
    let rooms = json!({ format!("proposal:{one}"): "author" });
    let eve = team.person("Eve", "viewer", rooms).await;
    let approve = |id: &str| format!("/api/proposals/{id}/approve");
    let commit = || json!({ "action": "commit" });
    problem(
        eve.post("/api/voice-to-code", json!({ "prompt": "x" }))
            .await,
        403,
    )
    .await;
    problem(eve.post(&approve(&two), commit()).await, 403).await;
    problem(
        eve.post(&approve(&one), json!({ "action": "deploy" }))
            .await,
        403,
    )
    .await;
    assert_eq!(eve.post(&approve(&one), commit()).await.status(), 200);
    // A batch is as far as one may go in all of its rooms.
    let bob = json!({ format!("proposal:{two}"): "viewer" });
    let bob = team.person("Bob", "author", bob).await;
    let three = owner.propose("index.html: two => three").await;
    let batch = |ids: &[&String]| {
        let of = |id: &&String| json!({ "proposal": id, "version": 1 });
        json!({ "proposals": ids.iter().map(of).collect::<Vec<_>>() })
    };
    problem(
        bob.post("/api/proposals/approve", batch(&[&three, &two]))
            .await,
        403,
    )
    .await;
    let answer = bob.post("/api/proposals/approve", batch(&[&three])).await;
    assert_eq!(answer.status(), 200);
    // By word neither: it is the newest open one that "yes" would be about.
    let said = bob.say("commit that").await;
    assert_eq!(said["problem"]["status"], 403, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_are_two_tokens_whatever_they_are_called() {
    let text = "[deploy]\nenvironment = \"production\"\n[[environment]]\nname = \"production\"\napproval = \"two people\"\n";
    let team = Team::new(text).await;
    let owner = team.owner();
    let answer = owner.post("/api/sync/deploy", json!({})).await;
    let synced: Value = answer.json().await.unwrap();
    let id = synced["deployment"].as_str().unwrap().to_owned();
    let approve = async |who: &Person| {
        who.post(&format!("/api/deployments/{id}/approve"), json!({}))
            .await
    };
    let answer: Value = approve(&owner).await.json().await.unwrap();
    assert_eq!(answer["state"], "waiting", "{answer}");
    let body = problem(approve(&owner).await, 409).await;
    assert_eq!(body["type"], "about:sayso/same-person");
    assert!(body["hint"].as_str().unwrap().contains("token create"));
    // The owner's own name on another token, and somebody who may not.
    let twin = team.person("ada", "admin", json!({})).await;
    problem(approve(&twin).await, 409).await;
    let bob = team.person("Bob", "author", json!({})).await;
    problem(approve(&bob).await, 403).await;
    let grace = team.person("Grace", "deployer", json!({})).await;
    let answer: Value = approve(&grace).await.json().await.unwrap();
    assert_eq!(answer["state"], "queued", "{answer}");
    let given = answer["gate"]["given"].as_array().unwrap();
    assert_eq!(
        (&given[0]["actor"], &given[1]["actor"]),
        (&json!("Ada"), &json!("Grace"))
    );
    assert_eq!(given[1]["token"], grace.id.as_str());
    assert!(given[0].get("token").is_none());
    wait_for("the release", async || {
        let now = team.conductor.deployment(&id.as_str().into()).unwrap();
        (now.state == DeploymentState::Live).then_some(())
    })
    .await;

    // By word, too, the yes is whose token it comes with.
    let answer = owner.post("/api/sync/redeploy", json!({})).await;
    assert_eq!(answer.status(), 200);
    for _ in 0..2 {
        grace.say("approve the deployment").await;
        grace.say("yes").await;
    }
    let waits = team.conductor.status().await.unwrap().deployments;
    assert_eq!(waits[0].state, DeploymentState::Waiting);
    let given = &waits[0].gate.as_ref().unwrap().given;
    assert_eq!(given.len(), 1);
    assert_eq!(given[0].token.as_deref(), Some(grace.id.as_str()));
}
