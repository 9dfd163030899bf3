//! The list of deployments: what took how long, going back, promoting, approving, comparing.

use sayso::model::api::{CommitLine, Comparison, FileChange};
use sayso::model::{
    ApprovalRule, DeploymentState, EnvironmentStatus, EventKind, Gate, Given, HealthAnswer,
    Problem, Promotion, Vitals,
};
use sayso::tui::message::{Effect, Outcome};
use sayso::tui::model::Subject;
use serde_json::json;

use super::support::*;

fn with_deployments(width: u16, height: u16) -> Desk {
    let mut desk = Desk::new(width, height);
    whole_way(&mut desk, "ins_1", "change the headline");
    desk.press("4");
    desk.done(Outcome::Deployments(Ok(deployments())));
    desk
}

#[test]
fn the_list_is_loaded_when_somebody_looks_and_again_when_it_changed() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(desk.press("4"), [Effect::LoadDeployments]);
    assert_eq!(desk.press("j"), [], "it is on its way");
    desk.done(Outcome::Deployments(Ok(deployments())));
    assert_eq!(desk.press("j"), []);
    let effects = desk.event(
        EventKind::DeployStart,
        json!({"commit": "abc", "force": false}),
    );
    assert_eq!(effects, [Effect::LoadDeployments]);
}

#[test]
fn the_pane_shows_where_the_time_went_and_how_that_compares() {
    let mut desk = with_deployments(140, 60);
    desk.press("z");
    let text = desk.text();
    for words in [
        "last live: abcdef0 to production",
        "speech",
        "waiting for you",
        "build",
        "0.41 s",
        "voice to live ✓ median",
        "target < 30 s",
        "target 10-15 s",
        "LIVE NOW",
        "failed",
        "was live",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn going_back_to_a_release_of_the_list_asks_first_and_refuses_what_cannot_be() {
    let mut desk = with_deployments(140, 60);
    assert_eq!(desk.press("R"), [], "it is live");
    assert!(
        desk.text().contains("this release is live"),
        "{}",
        desk.text()
    );
    desk.press("j R");
    assert!(desk.text().contains("never went live"), "{}", desk.text());
    desk.press("j R");
    assert!(
        desk.text().contains("go back to 2b2c3d4?"),
        "{}",
        desk.text()
    );
    assert_eq!(
        desk.press("y"),
        [Effect::RollbackTo("production".into(), "rel_2".into())]
    );
    let mut desk = with_deployments(140, 60);
    desk.press("j j j R");
    assert!(desk.text().contains("not kept any more"), "{}", desk.text());
}

#[test]
fn the_selected_commit_can_be_deployed_again() {
    let mut desk = with_deployments(140, 60);
    desk.press("j j D");
    let text = desk.text();
    assert!(text.contains("Build 2b2c3d4 again"), "{text}");
    let effects = desk.press("y");
    let [Effect::RedeployTo(environment, commit)] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(environment, "production");
    assert!(commit.starts_with("2b2c3d4"), "{commit}");
}

#[test]
fn how_the_live_release_has_been_is_drawn_and_said_in_words() {
    let mut vitals = Vitals::new("production");
    for (ok, ms) in [(true, 10), (true, 40), (false, 9), (false, 8)] {
        vitals.add(HealthAnswer {
            at: AT.parse().unwrap(),
            ok,
            status: if ok { 200 } else { 500 },
            ms,
            message: if ok {
                String::new()
            } else {
                "/ answered 500".into()
            },
        });
    }
    vitals.note = Some("sayso rollback goes back now".into());
    let mut told = deployments();
    told.releases[0].health = Some(vitals);
    let mut desk = with_deployments(140, 60);
    desk.done(Outcome::Deployments(Ok(told)));
    let text = desk.text();
    assert!(
        text.contains("✗ ▂▇✗✗ UNWELL, 2 bad answers in a row"),
        "{text}"
    );
    assert!(
        text.contains("next: sayso rollback goes back now"),
        "{text}"
    );
    // A bad answer of what is live makes the list old.
    let data = json!({"ok": false, "release": "rel_4", "message": "/ answered 500"});
    assert_eq!(
        desk.event(EventKind::Health, data),
        [Effect::LoadDeployments]
    );
}

#[test]
fn a_release_of_the_list_is_promoted_after_a_question_and_a_pin_is_in_sight() {
    let mut told = deployments();
    for deployment in &mut told.deployments {
        deployment.target = "vercel".into();
    }
    told.releases[0].note = Some("production is pinned to rel_4 since a rollback".into());
    let mut desk = with_deployments(140, 60);
    desk.done(Outcome::Deployments(Ok(told)));
    assert!(
        desk.text().contains("production is pinned"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("P"), []);
    assert!(
        desk.text().contains("this release is live"),
        "{}",
        desk.text()
    );
    desk.press("j P");
    assert!(desk.text().contains("made no release"), "{}", desk.text());
    // One that is not kept here: the place may have it still.
    desk.press("j j P");
    assert!(
        desk.text().contains("Make 1b2c3d4 live on production"),
        "{}",
        desk.text()
    );
    assert_eq!(
        desk.press("y"),
        [Effect::Promote("production".into(), "rel_1".into())]
    );
    let mut desk = with_deployments(140, 60);
    desk.press("j j P");
    assert!(
        desk.text().contains("on the embedded host R"),
        "{}",
        desk.text()
    );
}

#[test]
fn what_waits_before_an_environment_is_approved_or_declined_after_a_question() {
    let mut desk = with_deployments(140, 60);
    assert_eq!(desk.press("A"), []);
    assert!(
        desk.text().contains("nothing waits for approval"),
        "{}",
        desk.text()
    );
    let mut waits = deployments().deployments.remove(0);
    waits.id = "dep_9".into();
    waits.state = DeploymentState::Waiting;
    waits.promotion = Some(Promotion {
        release: "rel_9".into(),
        from: Some("staging".into()),
        over: Some("rel_4".into()),
        anew: false,
        automatic: false,
    });
    waits.gate = Some(Gate {
        rule: ApprovalRule::TwoPeople,
        given: vec![Given {
            actor: "Grace".into(),
            token: None,
            at: AT.parse().unwrap(),
        }],
        over: Some("rel_4".into()),
        since: Some("4b2c3d4e5f60".into()),
        files: vec![FileChange {
            path: "index.html".into(),
            added: 3,
            removed: 1,
        }],
        changed: 1,
        commits: Vec::new(),
        frozen_until: None,
    });
    let mut told = status();
    told.cursor.seq = 1000;
    told.deployments = vec![waits];
    desk.done(Outcome::Status(Ok(told)));
    assert_eq!(desk.press("A"), []);
    for words in [
        "Approve the promotion of rel_9 to production?",
        "Asked for by Ada.",
        "1 files differ from 4b2c3d4",
        "index.html +3 -1",
        "Grace has approved it.",
    ] {
        assert!(desk.text().contains(words), "{words}: {}", desk.text());
    }
    assert_eq!(
        desk.press("y"),
        [Effect::Let("dep_9".into(), Some("rel_4".into()))]
    );
    desk.done(Outcome::Let(Err(Problem::conflict(
        "Ada has approved this already",
    ))));
    assert!(
        desk.text().contains("has approved this already"),
        "{}",
        desk.text()
    );
    desk.press("X");
    assert!(
        desk.text().contains("Decline the promotion"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("y"), [Effect::Stop("dep_9".into())]);
}

#[test]
fn a_release_goes_on_to_the_environment_that_comes_next() {
    let mut desk = with_deployments(140, 60);
    let mut told = status();
    told.cursor.seq = 1000;
    told.environments = vec![EnvironmentStatus {
        name: "production".into(),
        target: "local".into(),
        promote_to: Some("archive".into()),
        ..EnvironmentStatus::default()
    }];
    desk.done(Outcome::Status(Ok(told)));
    desk.press("P");
    assert!(
        desk.text().contains("Make 4b2c3d4 live on archive"),
        "{}",
        desk.text()
    );
    assert_eq!(
        desk.press("y"),
        [Effect::Promote("archive".into(), "rel_4".into())]
    );
}

#[test]
fn two_releases_are_compared_older_first() {
    let mut desk = with_deployments(140, 60);
    desk.press("j j");
    assert_eq!(
        desk.press("="),
        [Effect::Compare("dep_2".into(), "dep_4".into())],
        "with what is live"
    );
    desk.done(Outcome::Details(Ok(Subject::Comparison(Box::new(
        Comparison {
            from: "2b2c3d4e5f60718293a4b5c6d7e8f90112233445".into(),
            to: "4b2c3d4e5f60718293a4b5c6d7e8f90112233445".into(),
            commits: vec![CommitLine {
                commit: "4b2c3d4e5f".into(),
                author: "Ada".into(),
                title: "Change the headline".into(),
            }],
            lost: Vec::new(),
            files: vec![FileChange {
                path: "index.html".into(),
                added: 1,
                removed: 1,
            }],
            patch:
                "--- a/index.html\n+++ b/index.html\n@@ -1 +1 @@\n-<h1>Old</h1>\n+<h1>New</h1>\n"
                    .into(),
            truncated: false,
        },
    )))));
    let text = desk.text();
    for words in [
        "From 2b2c3d4 to 4b2c3d4",
        "1 commit more",
        "Change the headline",
        "+<h1>New</h1>",
        "index.html",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    desk.press("Esc m j");
    assert_eq!(
        desk.press("="),
        [Effect::Compare("dep_1".into(), "dep_2".into())],
        "with the marked one"
    );
}

#[test]
fn the_address_of_a_deployment_is_opened_and_copied() {
    let mut desk = with_deployments(140, 60);
    assert_eq!(
        desk.press("o"),
        [Effect::Open("http://127.0.0.1:4000/".into())]
    );
    assert_eq!(
        desk.press("y"),
        [Effect::Copy("http://127.0.0.1:4000/".into())]
    );
    desk.press("j");
    assert_eq!(desk.press("o"), []);
    assert!(desk.text().contains("no address"), "{}", desk.text());
}
