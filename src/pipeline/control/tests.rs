//! The plan in all its situations.

use jiff::Timestamp;

use super::*;
use crate::model::ProposalState;

/// An open proposal that changes nothing.
pub fn proposal() -> Proposal {
    Proposal {
        id: "pro_1".into(),
        instruction: None,
        version: 1,
        kind: ProposalKind::Edit,
        state: ProposalState::Open,
        base: "b".repeat(40),
        branch: "main".into(),
        title: "Change the headline".into(),
        notes: vec![],
        warnings: vec![],
        engine: "offline".into(),
        action: Action::Preview,
        files: vec![],
        commit: None,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn at<'a>(heard: &'a str, open: Option<&'a Proposal>) -> Situation<'a> {
    Situation {
        heard,
        phrase: heard,
        exact: true,
        spoken: None,
        place: None,
        open,
        opened: usize::from(open.is_some()),
        asking: None,
        head: "0123456789",
        changes: 0,
        environment: "production",
        previous: None,
        promotes: Err("nothing to promote".into()),
        waiting: None,
        undoable: None,
        quick: None,
        approve_action: Action::Deploy,
        running: false,
    }
}

fn asked(plan: Plan) -> (String, Act) {
    match plan {
        Plan::Ask(question, act) => (question.text, act),
        other => panic!("expected a question, got {other:?}"),
    }
}

#[test]
fn whatever_commits_deploys_or_rolls_back_asks_once() {
    let open = proposal();
    for control in [Control::Commit, Control::Deploy] {
        assert!(
            matches!(plan(control, &at("x", Some(&open))), Plan::Ask(..)),
            "{control:?}"
        );
    }
    for control in [Control::Deploy, Control::Redeploy] {
        assert!(
            matches!(plan(control, &at("x", None)), Plan::Ask(..)),
            "{control:?}"
        );
    }
    let mut situation = at("roll back", None);
    situation.previous = Some(("rel_1".into(), "abcdef0123".into()));
    let (text, act) = asked(plan(Control::Rollback, &situation));
    assert_eq!(text, "Return production to release rel_1 (commit abcdef0)?");
    assert_eq!(act, Act::Rollback("rel_1".into()));
}

#[test]
fn a_clear_yes_approves_what_is_open_and_an_unclear_one_asks() {
    let open = proposal();
    assert_eq!(
        plan(Control::Approve, &at("yes", Some(&open))),
        Plan::Do(approval(&open, Action::Deploy))
    );
    let mut unclear = at("yesterday", Some(&open));
    unclear.exact = false;
    let (text, _) = asked(plan(Control::Approve, &unclear));
    assert!(text.contains("Change the headline"), "{text}");
}

#[test]
fn ship_it_deploys_even_where_approval_only_commits() {
    let open = proposal();
    let mut situation = at("Ship it.", Some(&open));
    situation.approve_action = Action::Commit;
    assert_eq!(
        plan(Control::Approve, &situation),
        Plan::Do(approval(&open, Action::Deploy))
    );
}

#[test]
fn a_question_is_answered_before_a_proposal_is_touched() {
    let open = proposal();
    let question = Question {
        text: "Deploy?".into(),
        heard: "deploy that".into(),
        act: "deploy".into(),
        environment: None,
        plan: Vec::new(),
        second: None,
    };
    let mut situation = at("no", Some(&open));
    situation.asking = Some(("ins_1".into(), question));
    assert_eq!(
        plan(Control::Reject, &situation),
        Plan::Do(Act::Answer("ins_1".into(), false))
    );
    assert_eq!(
        plan(Control::Approve, &situation),
        Plan::Do(Act::Answer("ins_1".into(), true))
    );
    situation.exact = false;
    assert!(matches!(
        plan(Control::Approve, &situation),
        Plan::Nothing(_)
    ));
}

#[test]
fn commit_without_a_proposal_shows_the_changes_first() {
    let mut situation = at("commit that", None);
    assert!(matches!(
        plan(Control::Commit, &situation),
        Plan::Nothing(_)
    ));
    situation.changes = 2;
    assert_eq!(
        plan(Control::Commit, &situation),
        Plan::Do(Act::ProposeChanges(Action::Commit))
    );
    let (text, _) = asked(plan(Control::Deploy, &situation));
    assert!(text.contains("2 uncommitted changes stay out"), "{text}");
}

#[test]
fn a_spoken_commit_is_made_at_once_only_when_it_is_certain_and_unambiguous() {
    let open = proposal();
    let mut situation = at("Commit that.", Some(&open));
    situation.spoken = Some(Sureness::Certain);
    let at_once = Act::CommitAtOnce {
        proposal: "pro_1".into(),
        version: 1,
    };
    assert_eq!(plan(Control::Commit, &situation), Plan::Do(at_once));
    // Typed, it asks as ever.
    situation.spoken = None;
    asked(plan(Control::Commit, &situation));
    // Two proposals: which one?
    situation.spoken = Some(Sureness::Certain);
    situation.opened = 2;
    asked(plan(Control::Commit, &situation));
    situation.opened = 1;
    for sure in [Sureness::Likely, Sureness::Doubtful] {
        situation.spoken = Some(sure);
        let (text, _) = asked(plan(Control::Commit, &situation));
        assert!(
            text.starts_with("Heard \u{ab}Commit that.\u{bb}. Commit"),
            "{text}"
        );
    }
}

#[test]
fn deploying_and_going_back_ask_however_certain_the_words_were() {
    let open = proposal();
    for open in [None, Some(&open)] {
        let mut situation = at("x", open);
        situation.spoken = Some(Sureness::Certain);
        situation.previous = Some(("rel_1".into(), "abcdef0123".into()));
        for control in [Control::Deploy, Control::Redeploy, Control::Rollback] {
            asked(plan(control, &situation));
        }
    }
    let mut situation = at("Ship it.", Some(&open));
    situation.spoken = Some(Sureness::Certain);
    asked(plan(Control::Approve, &situation));
}

#[test]
fn harmless_acts_run_when_they_are_likely_and_ask_when_they_are_doubtful() {
    let open = proposal();
    for (control, act) in [
        (Control::Status, Act::Status),
        (Control::Help, Act::Help),
        (Control::Preview, Act::Show("pro_1".into())),
        (Control::Open, Act::Open("/".into())),
    ] {
        let mut situation = at("x", Some(&open));
        situation.spoken = Some(Sureness::Likely);
        assert_eq!(plan(control, &situation), Plan::Do(act.clone()));
        situation.spoken = Some(Sureness::Doubtful);
        assert_eq!(asked(plan(control, &situation)).1, act);
    }
    // What loses a proposal is asked about when it is only likely.
    let mut situation = at("Undoubted.", Some(&open));
    situation.spoken = Some(Sureness::Likely);
    let (text, act) = asked(plan(Control::Undo, &situation));
    assert_eq!(
        text,
        "Heard \u{ab}Undoubted.\u{bb}. Drop \u{ab}Change the headline\u{bb}?"
    );
    assert_eq!(act, Act::Reject("pro_1".into()));
}

#[test]
fn undo_takes_back_the_last_step() {
    let open = proposal();
    let mut situation = at("undo that", None);
    situation.quick = Some(Quick {
        commit: "0123456789".into(),
        instruction: "ins_1".into(),
        at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(60),
    });
    let back = Plan::Do(Act::UndoCommit("0123456789".into()));
    assert_eq!(plan(Control::Undo, &situation), back);
    situation.open = Some(&open);
    assert_eq!(
        plan(Control::Undo, &situation),
        back,
        "the proposal is older"
    );
    let mut newer = proposal();
    newer.created_at = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(90);
    situation.open = Some(&newer);
    assert_eq!(
        plan(Control::Undo, &situation),
        Plan::Do(Act::Reject("pro_1".into()))
    );
}

#[test]
fn of_two_close_readings_the_second_can_be_chosen() {
    let mut situation = at("Deploy a gain.", None);
    situation.spoken = Some(Sureness::Doubtful);
    let first = plan(Control::Deploy, &situation);
    let second = plan(Control::Redeploy, &situation);
    let (question, act, other) = match choose(first, second, Control::Redeploy, &situation) {
        Plan::Choose(question, act, other) => (question, act, other),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        question.text,
        "Heard \u{ab}Deploy a gain.\u{bb}. Deploy 0123456 to production? Or redeploy: Deploy again \
         0123456 to production? (say \u{ab}the second one\u{bb})"
    );
    assert_eq!(
        (act, other),
        (situation.deploy(false), situation.deploy(true))
    );
    // The answer, in three ways.
    let mut situation = at("the second one", None);
    situation.asking = Some(("ins_1".into(), question));
    let taken = Plan::Do(Act::AnswerSecond("ins_1".into()));
    assert_eq!(plan(Control::Second, &situation), taken);
    assert_eq!(plan(Control::Redeploy, &situation), taken);
    assert_eq!(
        plan(Control::Deploy, &situation),
        Plan::Do(Act::Answer("ins_1".into(), true))
    );
    assert_eq!(
        plan(Control::Reject, &situation),
        Plan::Do(Act::Answer("ins_1".into(), false))
    );
    // Not clearly heard, the question stays.
    situation.spoken = Some(Sureness::Doubtful);
    assert!(matches!(
        plan(Control::Second, &situation),
        Plan::Nothing(_)
    ));
}

#[test]
fn an_unclear_answer_leaves_the_question_open() {
    let question = Question {
        text: "Deploy?".into(),
        heard: "deploy that".into(),
        act: "deploy".into(),
        environment: None,
        plan: Vec::new(),
        second: None,
    };
    let mut situation = at("Snow.", None);
    situation.asking = Some(("ins_1".into(), question));
    situation.exact = false;
    situation.spoken = Some(Sureness::Doubtful);
    for control in [Control::Approve, Control::Reject, Control::Stop] {
        let said = plan(control, &situation);
        assert!(matches!(said, Plan::Nothing(_)), "{control:?}: {said:?}");
    }
    // A no that is likely costs nothing.
    situation.spoken = Some(Sureness::Likely);
    assert_eq!(
        plan(Control::Reject, &situation),
        Plan::Do(Act::Answer("ins_1".into(), false))
    );
}

fn waiting() -> Deployment {
    serde_json::from_value(serde_json::json!({
        "id": "dep_1", "environment": "production", "target": "local", "commit": "c".repeat(40), "force": false,
        "state": "waiting", "progress": { "percent": 0, "stage": "queue", "message": "waits" }, "actor": "Ada",
        "started_at": "2026-01-01T00:00:00Z",
        "promotion": { "release": "rel_2", "from": "staging", "over": "rel_1" },
        "gate": { "rule": "two people", "over": "rel_1", "since": "abcdef0123", "changed": 3 },
    }))
    .unwrap()
}

#[test]
fn what_waits_before_an_environment_is_approved_after_a_question() {
    let (waiting, open) = (waiting(), proposal());
    let mut situation = at("approve the promotion", Some(&open));
    // Named, it comes before a proposal that is open.
    situation.waiting = Some(&waiting);
    let (text, act) = asked(plan(Control::Approve, &situation));
    assert_eq!(
        text,
        "Approve the promotion of rel_2 to production (3 files changed since abcdef0)?"
    );
    let over = Some(ReleaseId::from("rel_1"));
    let yes = Act::Let {
        deployment: "dep_1".into(),
        over,
    };
    assert_eq!(act, yes);
    let (text, act) = asked(plan(Control::Reject, &{
        let mut no = at("decline the promotion", Some(&open));
        no.waiting = Some(&waiting);
        no
    }));
    assert!(text.starts_with("Decline the promotion"), "{text}");
    assert_eq!(act, Act::Decline("dep_1".into()));
    // A plain yes is about the proposal; without one, about what waits.
    let mut plain = at("yes", Some(&open));
    plain.waiting = Some(&waiting);
    assert!(matches!(
        plan(Control::Approve, &plain),
        Plan::Do(Act::Approve { .. })
    ));
    plain.open = None;
    assert_eq!(asked(plan(Control::Approve, &plain)).1, yes);
    let none = at("approve the promotion", Some(&open));
    assert!(matches!(plan(Control::Approve, &none), Plan::Nothing(_)));
}

#[test]
fn a_promotion_names_the_release_and_what_it_goes_over() {
    let mut situation = at("promote staging to production", None);
    assert_eq!(
        plan(Control::Promote, &situation),
        Plan::Nothing("nothing to promote".into())
    );
    situation.promotes = Ok(Promotes {
        from: "staging".into(),
        release: "rel_2".into(),
        commit: "abcdef0123".into(),
        over: Some("rel_1".into()),
    });
    let (text, act) = asked(plan(Control::Promote, &situation));
    assert_eq!(
        text,
        "Promote rel_2 (commit abcdef0) from staging to production?"
    );
    let wanted = Act::Promote {
        from: "staging".into(),
        release: "rel_2".into(),
        over: Some("rel_1".into()),
    };
    assert_eq!(act, wanted);
    // However sure the ear is, what visitors see is asked about.
    situation.spoken = Some(Sureness::Certain);
    assert_eq!(asked(plan(Control::Promote, &situation)).1, wanted);
}
