//! Agents that speak the Agent Client Protocol: a scripted one, for what a real one seldom does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sayso::config::Config;
use sayso::deploy::DeployTarget;
use sayso::generate::agent::{Agent, Setup, Speaks};
use sayso::generate::edits::Limits;
use sayso::model::api::{Answer, Submission};
use sayso::model::{EventKind, Identity, Instruction, InstructionId, InstructionState, Question};
use sayso::pipeline::Conductor;
use sayso::vcs::git::Git;
use serde_json::Value;

use super::{Bench, CANARY, PAGE, Said, stage};

fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/models/agents/scripted.py")
}

/// What the agent wrote down about itself.
fn noted(bench: &Bench, name: &str) -> Value {
    let text = std::fs::read_to_string(bench.home.path().join(name));
    let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// A site and an agent that plays `scene`.
fn bench(scene: &str, more: &str) -> Bench {
    let bench = Bench::new(
        "http://127.0.0.1:9",
        &[("index.html", PAGE), (".env", "TOKEN=site-secret")],
    );
    let (script, note) = (script(), bench.home.path().to_owned());
    bench.configure(&format!(
        "[generate.agent]\nprotocol = \"acp\"\ncommand = [\"python3\", {script:?}, \"{scene}\", {note:?}]\n{more}"
    ));
    bench
}

fn say(bench: &Bench, more: &[&str]) -> Said {
    let mut args = vec!["say", "--engine", "agent", "--action", "preview", "--json"];
    args.extend(more);
    args.push("make the heading nicer");
    Said::of(bench.command(&args).output().unwrap())
}

#[test]
fn a_plan_its_steps_and_messages_are_told_and_the_difference_is_the_proposal() {
    let bench = bench("plan", "");
    let said = say(&bench, &[]);
    assert_eq!(said.code, Some(0), "{}", said.all);
    let patch = said.proposal()["patch"].as_str().unwrap();
    assert!(patch.contains("+<h1>Hello agent</h1>"), "{patch}");
    assert_eq!(said.proposal()["files"].as_array().unwrap().len(), 1);
    let notices = said.notices();
    for step in [
        "Read index.html",
        "I change the heading.",
        "plan: 1 of 2 done: change the heading",
    ] {
        assert!(notices.contains(step), "{step}: {notices}");
    }
    let tasks = said
        .events
        .iter()
        .find_map(|event| event["data"]["tasks"].as_array());
    assert_eq!(tasks.unwrap().len(), 2);
    assert!(
        said.proposal()["notes"].to_string().contains("All done."),
        "{}",
        said.all
    );
    // The person's files stand as they were.
    assert_eq!(stage::read(bench.site.path(), "index.html"), PAGE);
    let prompt = noted(&bench, "prompt").to_string();
    assert!(prompt.contains("make the heading nicer"), "{prompt}");
    let capabilities = noted(&bench, "capabilities");
    assert_ne!(capabilities["terminal"], true, "{capabilities}");
}

#[test]
fn keys_are_kept_from_it_unless_they_are_named() {
    let plain = bench("plan", "");
    say(&plain, &[]);
    let environment = noted(&plain, "environment").to_string();
    assert!(!environment.contains(CANARY), "{environment}");
    assert!(environment.contains("PATH"));
    let named = bench("plan", "env = [\"ANTHROPIC_*\"]\n");
    say(&named, &[]);
    let environment = noted(&named, "environment");
    assert_eq!(environment["ANTHROPIC_API_KEY"], CANARY);
    assert!(environment.get("OPENAI_API_KEY").is_none());
}

#[test]
fn what_nobody_can_allow_is_not_allowed() {
    let bench = bench("permission", "");
    let said = say(&bench, &[]);
    assert_eq!(said.code, Some(3), "{}", said.all);
    assert_eq!(noted(&bench, "outcome")["optionId"], "no");
    let error = said.error()["message"].to_string();
    assert!(error.contains("Then I leave it."), "{error}");
    assert!(said.all.contains("rm -rf build"), "{}", said.all);
}

#[test]
fn yes_to_everything_and_what_the_configuration_allows_go_through() {
    let asked = bench("permission", "");
    let said = say(&asked, &["--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.all);
    assert_eq!(noted(&asked, "outcome")["optionId"], "once");
    let allowed = bench("permission", "allow = [\"execute\"]\n");
    let said = say(&allowed, &[]);
    assert_eq!(said.code, Some(0), "{}", said.all);
    assert!(
        said.events
            .iter()
            .all(|event| event["data"]["question"].is_null()),
        "{}",
        said.all
    );
}

#[test]
fn a_question_back_is_shown_as_what_it_is() {
    let bench = bench("question", "");
    let said = say(&bench, &[]);
    assert_eq!(said.code, Some(3), "{}", said.all);
    let error = said.error()["message"].to_string();
    assert!(
        error.contains("Which of the two headings do you mean?"),
        "{error}"
    );
}

#[test]
fn noise_between_messages_is_passed_over() {
    let said = say(&bench("garbage", ""), &[]);
    assert_eq!(said.code, Some(0), "{}", said.all);
    assert!(
        said.proposal()["patch"]
            .as_str()
            .unwrap()
            .contains("Hello agent")
    );
}

#[test]
fn an_agent_that_fails_says_how() {
    for (scene, words) in [
        ("crash", "no memory left"),
        ("version", "version"),
        ("login", "Authentication required"),
    ] {
        let said = say(&bench(scene, ""), &[]);
        assert_eq!(said.code, Some(1), "{scene}: {}", said.all);
        let message = said.error()["message"].to_string();
        assert!(message.contains(words), "{scene}: {message}");
    }
    let missing = Bench::new("http://127.0.0.1:9", &[("index.html", PAGE)]);
    missing.configure(
        "[generate.agent]\nprotocol = \"acp\"\ncommand = [\"no-such-agent-anywhere\"]\n",
    );
    let said = say(&missing, &[]);
    assert!(
        said.error()["message"]
            .to_string()
            .contains("cannot be started"),
        "{}",
        said.all
    );
    missing.configure("[generate.agent]\nprotocol = \"grpc\"\n");
    assert_eq!(say(&missing, &[]).code, Some(1));
}

#[test]
fn nothing_is_written_outside_the_copy_and_no_secret_is_read() {
    let bench = bench("outside", "");
    let said = say(&bench, &[]);
    assert_eq!(said.code, Some(0), "{}", said.all);
    let refused = noted(&bench, "refused");
    assert_eq!(
        refused,
        serde_json::json!([true, true, true, true, true, true])
    );
    assert!(!Path::new("/etc/sayso-was-here").exists());
    assert!(!bench.home.path().join("x").exists());
    let files = said.proposal()["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(!said.all.contains("site-secret"));
}

#[test]
fn a_terminal_is_not_offered() {
    let bench = bench("terminal", "");
    let said = say(&bench, &[]);
    assert_eq!(said.code, Some(0), "{}", said.all);
    assert_eq!(noted(&bench, "terminal"), true);
}

/// A conductor with the scripted agent as its only engine.
async fn room(site: &Path, state: &Path, scene: &str) -> Arc<Conductor> {
    let command = [
        "python3".into(),
        script().display().to_string(),
        scene.into(),
        state.display().to_string(),
    ];
    let agent = Agent::new(Setup {
        speaks: Speaks::Acp,
        command: command.to_vec(),
        env: Vec::new(),
        allow: Vec::new(),
        limit: Duration::from_secs(300),
        limits: Limits::default(),
        few: 2,
    });
    let git = Git::open_with(site, stage::options()).await.unwrap();
    let target = stage::Folder::new(&state.join("live")) as Arc<dyn DeployTarget>;
    Conductor::open(sayso::pipeline::Setup {
        log: stage::log(state),
        config: Config::default(),
        repo: Arc::new(git),
        generators: vec![Arc::new(agent)],
        transcriber: None,
        targets: BTreeMap::from([("production".to_owned(), target)]),
        recordings: state.join("recordings"),
        notices: None,
    })
    .await
    .unwrap()
}

async fn give(conductor: &Arc<Conductor>, words: &str) -> InstructionId {
    let submission = Submission {
        prompt: Some(words.into()),
        ..Submission::default()
    };
    conductor
        .submit(submission, None, None, &Identity::owner("Ada"))
        .await
        .unwrap()
}

async fn asked(conductor: &Conductor, id: &InstructionId) -> Question {
    stage::wait_for("a question", async || {
        let now = conductor.instruction(id).unwrap();
        now.question
            .filter(|_| now.state == InstructionState::Asking)
    })
    .await
}

async fn at(conductor: &Conductor, id: &InstructionId, state: InstructionState) -> Instruction {
    stage::wait_for(&format!("{state:?}"), async || {
        let now = conductor.instruction(id).unwrap();
        assert!(
            now.state == state || !now.state.is_final(),
            "{:?} {:?} {:?}",
            now.state,
            now.refusal,
            now.problem
        );
        (now.state == state).then_some(now)
    })
    .await
}

const SITE: [(&str, &str); 3] = [
    ("about.html", PAGE),
    ("footer.html", PAGE),
    ("index.html", PAGE),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_is_asked_answered_and_given_back_each_time() {
    let (site, state) = (stage::site(&SITE), tempfile::tempdir().unwrap());
    let room = room(site.path(), state.path(), "twice").await;
    let id = give(&room, "make it nicer").await;
    let question = asked(&room, &id).await;
    assert_eq!(question.act, "permit");
    assert!(question.text.contains("first"), "{question:?}");
    room.answer(&id, true, &Identity::owner("Ada"))
        .await
        .unwrap();
    let second = stage::wait_for("the second question", async || {
        let question = room.instruction(&id).unwrap().question;
        question.filter(|question| question.text.contains("second"))
    })
    .await;
    assert_eq!(second.act, "permit");
    // The plain word for it is an answer too.
    let no = give(&room, "no").await;
    at(&room, &no, InstructionState::Done).await;
    at(&room, &id, InstructionState::Proposed).await;
    let outcome = std::fs::read_to_string(state.path().join("outcome")).unwrap();
    assert_eq!(outcome, r#"["once", "no"]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_cut_down_by_words_and_only_the_rest_is_proposed() {
    let (site, state) = (stage::site(&SITE), tempfile::tempdir().unwrap());
    let room = room(site.path(), state.path(), "many").await;
    let id = give(&room, "make all headings nicer").await;
    let question = asked(&room, &id).await;
    let files: Vec<&str> = question
        .plan
        .iter()
        .map(|line| line.file.as_str())
        .collect();
    assert_eq!(files, ["about.html", "footer.html", "index.html"]);
    assert_eq!(question.plan[0].what, "+1 -1 lines");
    let cut = give(&room, "not the footer").await;
    at(&room, &cut, InstructionState::Done).await;
    assert!(!room.instruction(&id).unwrap().question.unwrap().plan[1].kept);
    let on = give(&room, "go on").await;
    at(&room, &on, InstructionState::Done).await;
    let now = at(&room, &id, InstructionState::Proposed).await;
    let proposal = room.proposal(&now.proposal.unwrap()).unwrap().proposal;
    let files: Vec<&str> = proposal
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(files, ["about.html", "index.html"]);
    assert!(
        proposal
            .notes
            .iter()
            .any(|note| note.contains("footer.html")),
        "{:?}",
        proposal.notes
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_left_out_in_the_answer_and_no_makes_nothing() {
    let (site, state) = (stage::site(&SITE), tempfile::tempdir().unwrap());
    let room = room(site.path(), state.path(), "many").await;
    let id = give(&room, "make all headings nicer").await;
    asked(&room, &id).await;
    let answer = Answer {
        yes: true,
        keep: Some(vec![2]),
    };
    room.answer_wire(&id, answer, &Identity::owner("Ada"))
        .await
        .unwrap();
    let now = at(&room, &id, InstructionState::Proposed).await;
    let proposal = room.proposal(&now.proposal.unwrap()).unwrap().proposal;
    assert_eq!(proposal.files.len(), 1);
    let id = give(&room, "make all headings nicer still").await;
    asked(&room, &id).await;
    room.answer(&id, false, &Identity::owner("Ada"))
        .await
        .unwrap();
    at(&room, &id, InstructionState::Refused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_outlives_the_process_that_asked_it() {
    let (site, state) = (stage::site(&SITE), tempfile::tempdir().unwrap());
    let (place, notes) = (site.path().to_owned(), state.path().to_owned());
    let before = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let id = runtime.block_on(async {
            let room = room(&place, &notes, "many").await;
            let id = give(&room, "make all headings nicer").await;
            asked(&room, &id).await;
            id
        });
        runtime.shutdown_background();
        id
    });
    let id = before.join().unwrap();
    let room = room(site.path(), state.path(), "many").await;
    // It is asked again by whoever does the work anew.
    asked(&room, &id).await;
    stage::wait_for("an answer that arrives", async || {
        room.answer(&id, true, &Identity::owner("Ada")).await.ok()
    })
    .await;
    at(&room, &id, InstructionState::Proposed).await;
}

/// Whether a process is gone, or dead and only not yet collected.
fn gone(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let dead = stat.is_ok_and(|stat| stat.contains(") Z"));
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    dead || rustix::process::test_kill_process(pid).is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_tells_the_agent_and_ends_everything_it_started() {
    let (site, state) = (stage::site(&SITE), tempfile::tempdir().unwrap());
    let room = room(site.path(), state.path(), "slow").await;
    let id = give(&room, "take your time").await;
    let told = stage::wait_for("the agent at work", async || {
        let events = room.log().read(0, 1_000).unwrap();
        let said = events.iter().any(|event| {
            event.kind == EventKind::Notice && event.data["message"] == "I think about it."
        });
        said.then(|| std::fs::read_to_string(state.path().join("pids")).unwrap())
    })
    .await;
    let pids: Vec<i32> = serde_json::from_str(&told).unwrap();
    assert!(pids.iter().all(|pid| !gone(*pid)));
    room.cancel_instruction(&id, "Ada").await.unwrap();
    let cfg = cfg!(target_os = "linux");
    stage::wait_for("the end of all of them", async || {
        let left = pids.iter().take(if cfg { 3 } else { 2 });
        left.clone().all(|pid| gone(*pid)).then_some(())
    })
    .await;
    assert!(state.path().join("canceled").exists(), "it was told before");
    assert_eq!(
        room.instruction(&id).unwrap().state,
        InstructionState::Canceled
    );
}
