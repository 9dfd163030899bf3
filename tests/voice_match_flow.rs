//! Spoken words through the conductor: what is done at once, what is asked about, what is taken back.
//!
//! The recogniser is one that hears what the test says it hears, with the scores that the test gives.

mod stage;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use sayso::config::{Config, Phrase};
use sayso::deploy::DeployTarget;
use sayso::generate;
use sayso::model::api::{SpeechStatus, Submission};
use sayso::model::{
    Control, Event, EventKind, Identity, Instruction, InstructionState, Intent, Problem, Sureness,
};
use sayso::pipeline::{Conductor, Setup};
use sayso::speech::{Fit, Transcriber, Transcript};
use sayso::vcs::git::Git;
use stage::{Folder, Replace, git, log, options, read, site, wait_for};

/// Hears the text of a "recording" and finds the phrases that it names, each by so much worse than the text. A text
/// that begins with ~ is doubtful.
struct Ears;

/// What is written behind the header of a recording: the text, then phrases and their gaps.
fn script(wav: &Path) -> (String, Vec<(String, f32)>) {
    let bytes = std::fs::read(wav).unwrap();
    let text = String::from_utf8(bytes[12..].to_vec()).unwrap();
    let mut lines = text.lines();
    let said = lines.next().unwrap_or_default().to_owned();
    let fits = lines
        .map(|line| {
            let (phrase, gap) = line.rsplit_once('=').unwrap();
            (phrase.to_owned(), gap.parse().unwrap())
        })
        .collect();
    (said, fits)
}

#[async_trait]
impl Transcriber for Ears {
    fn name(&self) -> &'static str {
        "ears"
    }

    fn status(&self) -> SpeechStatus {
        SpeechStatus {
            engine: "ears".into(),
            ready: true,
            message: String::new(),
        }
    }

    fn warm(&self) {}

    async fn ready(&self) -> Result<(), Problem> {
        Ok(())
    }

    async fn transcribe(&self, wav: &Path) -> Result<Transcript, Problem> {
        let (text, _) = script(wav);
        Ok(Transcript {
            text: text.trim_start_matches('~').to_owned(),
            seconds: 1.0,
            millis: 1,
            engine: "ears",
            doubtful: text.starts_with('~'),
            ..Transcript::default()
        })
    }

    async fn search(
        &self,
        wav: &Path,
        near: &[String],
        others: Arc<[String]>,
    ) -> Result<Option<Fit>, Problem> {
        let (_, fits) = script(wav);
        let gap = |phrase: &String| {
            let known = fits.iter().find(|(known, _)| known == phrase);
            known.map(|(_, gap)| -0.5 - gap)
        };
        let phrases: Vec<f32> = near
            .iter()
            .map(|phrase| gap(phrase).unwrap_or(-40.0))
            .chain(
                others
                    .iter()
                    .map(|phrase| gap(phrase).unwrap_or(f32::NEG_INFINITY)),
            )
            .collect();
        Ok(Some(Fit {
            own: -0.5,
            evidence: 22.0,
            nothing: vec![-25.0; phrases.len()],
            phrases,
            speech: 0.0,
        }))
    }
}

struct Room {
    site: tempfile::TempDir,
    _state: tempfile::TempDir,
    conductor: Arc<Conductor>,
}

async fn room(config: Config) -> Result<Room, Problem> {
    room_with(config, vec![Arc::new(Replace)], "<h1>Old</h1>\n").await
}

async fn room_with(
    config: Config,
    generators: Vec<Arc<dyn generate::Generator>>,
    page: &str,
) -> Result<Room, Problem> {
    let site = site(&[("index.html", page), ("about.html", "<p>us</p>\n")]);
    let state = tempfile::tempdir().unwrap();
    let target = Folder::new(&state.path().join("live")) as Arc<dyn DeployTarget>;
    let conductor = Conductor::open(Setup {
        log: log(state.path()),
        config,
        repo: Arc::new(Git::open_with(site.path(), options()).await.unwrap()),
        generators,
        transcriber: Some(Arc::new(Ears)),
        targets: BTreeMap::from([("production".to_owned(), target)]),
        recordings: state.path().join("recordings"),
        notices: None,
    })
    .await?;
    Ok(Room {
        site,
        _state: state,
        conductor,
    })
}

impl Room {
    async fn speak(&self, text: &str, fits: &[(&str, f32)]) -> Instruction {
        let mut sound = b"RIFF\0\0\0\0WAVE".to_vec();
        sound.extend_from_slice(text.as_bytes());
        for (phrase, gap) in fits {
            sound.extend_from_slice(format!("\n{phrase}={gap}").as_bytes());
        }
        self.submit(Submission::default(), Some(sound.into())).await
    }

    async fn type_in(&self, text: &str) -> Instruction {
        let submission = Submission {
            prompt: Some(text.into()),
            ..Submission::default()
        };
        self.submit(submission, None).await
    }

    async fn submit(&self, submission: Submission, sound: Option<Bytes>) -> Instruction {
        let id = self
            .conductor
            .submit(submission, sound, None, &Identity::owner("Ada"))
            .await
            .unwrap();
        wait_for("the instruction", async || {
            let now = self.conductor.instruction(&id).unwrap();
            let waits = matches!(
                now.state,
                InstructionState::Proposed | InstructionState::Asking
            );
            (waits || now.state.is_final()).then_some(now)
        })
        .await
    }

    async fn propose(&self) -> Instruction {
        let now = self.type_in("index.html: Old => New").await;
        assert_eq!(now.state, InstructionState::Proposed, "{now:?}");
        now
    }

    fn commits(&self) -> Vec<String> {
        git(self.site.path(), &["log", "--format=%s"])
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn events(&self, of: &Instruction, kind: EventKind) -> Vec<Event> {
        let all = self.conductor.log().read(0, 1_000).unwrap();
        all.into_iter()
            .filter(|event| event.kind == kind && event.instruction.as_ref() == Some(&of.id))
            .collect()
    }
}

fn question(of: &Instruction) -> String {
    let asked = of.question.as_ref();
    asked
        .unwrap_or_else(|| panic!("{of:?} asks nothing"))
        .text
        .clone()
}

#[tokio::test]
async fn a_certain_commit_is_made_at_once_and_undo_takes_it_back() {
    let room = room(Config::default()).await.unwrap();
    room.propose().await;
    let said = room.speak("Commit that.", &[("commit that", 0.0)]).await;
    assert_eq!(said.state, InstructionState::Done, "{said:?}");
    assert_eq!(room.commits(), ["Change index.html", "first"]);
    let notice = &room.events(&said, EventKind::Notice)[0].data;
    assert!(
        notice["message"].as_str().unwrap().contains("undo that"),
        "{notice}"
    );
    assert_eq!(notice["undo"], true);

    let undone = room.speak("Undo that.", &[("undo that", 0.0)]).await;
    assert_eq!(undone.state, InstructionState::Done, "{undone:?}");
    assert_eq!(read(room.site.path(), "index.html"), "<h1>Old</h1>\n");
    assert_eq!(room.commits().len(), 3);
    // What is undone once is not the last step any more: the next undo is a proposal to be reviewed.
    let again = room.speak("Undo that.", &[("undo that", 0.0)]).await;
    assert_eq!(again.state, InstructionState::Proposed, "{again:?}");
}

#[tokio::test]
async fn a_garbled_commit_is_asked_about_and_answered_by_voice() {
    let room = room(Config::default()).await.unwrap();
    room.propose().await;
    let said = room.speak("Come it hot.", &[("commit that", 0.4)]).await;
    assert_eq!(said.state, InstructionState::Asking, "{said:?}");
    assert!(
        question(&said).starts_with("Heard \u{ab}Come it hot.\u{bb}. Commit"),
        "{}",
        question(&said)
    );
    assert_eq!(room.commits(), ["first"]);
    // The event tells what was heard, what it was taken for, and how sure that is.
    let data = &room.events(&said, EventKind::Intent)[0].data;
    assert_eq!(data["text"], "Come it hot.");
    assert_eq!(data["sure"], "likely");
    assert_eq!(data["heard"]["readings"][0]["control"], "commit");
    assert_eq!(data["heard"]["readings"][0]["phrase"], "commit that");
    assert!(data["heard"]["readings"][0]["certainty"].as_f64().unwrap() > 0.8);
    assert!(data["heard"]["words"].as_f64().unwrap() > 0.8);

    // An unclear yes is none.
    let unclear = room.speak("Guess.", &[("yes", 4.0)]).await;
    assert_ne!(unclear.state, InstructionState::Asking);
    assert_eq!(room.commits(), ["first"]);
    let yes = room.speak("Yes.", &[("yes", 0.0)]).await;
    assert_eq!(yes.state, InstructionState::Done, "{yes:?}");
    assert_eq!(room.commits(), ["Change index.html", "first"]);
}

#[tokio::test]
async fn deployments_ask_however_clear_the_words_are() {
    let room = room(Config::default()).await.unwrap();
    for (text, phrase) in [("Deploy that.", "deploy that"), ("Redeploy.", "redeploy")] {
        let said = room.speak(text, &[(phrase, 0.0)]).await;
        assert_eq!(said.state, InstructionState::Asking, "{said:?}");
        let no = room.speak("No.", &[("no", 0.0)]).await;
        assert_eq!(no.state, InstructionState::Done);
        let said = room.conductor.instruction(&said.id).unwrap();
        assert_eq!(said.state, InstructionState::Rejected);
    }
    let deployments = room.conductor.deployments().unwrap().deployments;
    assert!(deployments.is_empty(), "{deployments:?}");
}

#[tokio::test]
async fn harmless_acts_run_on_likely_words_and_edits_stay_edits() {
    let room = room(Config::default()).await.unwrap();
    let said = room.speak("Joe Staddis.", &[("show status", 0.0)]).await;
    assert_eq!(said.state, InstructionState::Done, "{said:?}");
    let said = room
        .speak("What can I say?", &[("what can i say", 0.0)])
        .await;
    let help = &room.events(&said, EventKind::Notice)[0].data["message"];
    assert!(help.as_str().unwrap().contains("commit that"), "{help}");
    // Nothing fits: an edit, which this engine refuses.
    let said = room.speak("Make it blue.", &[("make it blue", 0.0)]).await;
    assert_eq!(said.state, InstructionState::Refused, "{said:?}");
    assert!(matches!(said.intent, Some(Intent::Edit { .. })));
    let data = &room.events(&said, EventKind::Intent)[0].data;
    assert_eq!(data["heard"]["readings"], serde_json::json!([]));
}

#[tokio::test]
async fn of_two_close_readings_the_second_one_can_be_taken() {
    let room = room(Config::default()).await.unwrap();
    let fits = [("deploy it", 4.0), ("deploy it again", 4.3)];
    let said = room.speak("The ploy it a gain.", &fits).await;
    assert_eq!(said.state, InstructionState::Asking, "{said:?}");
    let asked = said.question.clone().unwrap();
    let second = asked.second.unwrap_or_else(|| panic!("{}", asked.text));
    let acts = [asked.act.as_str(), second.act.as_str()];
    assert!(acts.contains(&"deploy") && acts.contains(&"redeploy"));
    assert!(asked.text.contains("the second one"), "{}", asked.text);
    let taken = room
        .speak("The second one.", &[("the second one", 0.0)])
        .await;
    assert_eq!(taken.state, InstructionState::Done, "{taken:?}");
    let deployments = room.conductor.deployments().unwrap().deployments;
    assert_eq!(deployments.len(), 1);
    assert_eq!(deployments[0].force, second.act == "redeploy");
}

#[tokio::test]
async fn of_two_readings_one_is_taken_by_its_own_name_even_unclearly() {
    let room = room(Config::default()).await.unwrap();
    let fits = [("deploy it", 4.0), ("deploy it again", 4.3)];
    let asked = room.speak("The ploy it a gain.", &fits).await;
    assert_eq!(asked.state, InstructionState::Asking, "{asked:?}");
    // To the letter, with another phrase near by its letters that the sound does not speak for.
    let fits = [("deploy that", 0.1), ("redeploy that", 22.0)];
    let said = room.speak("Deploy that.", &fits).await;
    assert_eq!(said.state, InstructionState::Done, "{said:?}");
    assert!(said.refusal.is_none(), "no change: {said:?}");
    assert_eq!(room.conductor.deployments().unwrap().deployments.len(), 1);
}

#[tokio::test]
async fn no_i_meant_takes_back_and_does_what_was_meant() {
    let room = room(Config::default()).await.unwrap();
    room.propose().await;
    let asked = room.speak("Deploy that.", &[("deploy that", 0.0)]).await;
    assert_eq!(asked.state, InstructionState::Asking);
    let meant = room.speak("No, I meant commit that.", &[]).await;
    let asked = room.conductor.instruction(&asked.id).unwrap();
    assert_eq!(asked.state, InstructionState::Rejected, "it was withdrawn");
    assert!(
        matches!(
            meant.intent,
            Some(Intent::Control {
                control: Control::Commit,
                ..
            })
        ),
        "{meant:?}"
    );
    assert!(question(&meant).contains("Commit"), "{}", question(&meant));
    let data = &room.events(&meant, EventKind::Intent)[0].data;
    assert_eq!(data["corrects"], serde_json::json!(asked.id));

    // What is garbled behind "I meant" is known by its sound.
    let garbled = "~No, I meant a little act.";
    let fits = [("No, I meant commit that", 1.0)];
    let again = room.speak(garbled, &fits).await;
    assert!(question(&again).contains("Commit"), "{}", question(&again));
    let meant = room.conductor.instruction(&meant.id).unwrap();
    assert_eq!(meant.state, InstructionState::Rejected);

    // A typed edit is corrected in its part.
    let room = self::room(Config::default()).await.unwrap();
    let first = room
        .type_in("about.html: us => the people of the shop page")
        .await;
    let fixed = room.type_in("No, I meant the team page.").await;
    assert_eq!(fixed.state, InstructionState::Proposed, "{fixed:?}");
    let dropped = room.conductor.instruction(&first.id).unwrap();
    assert_eq!(dropped.state, InstructionState::Rejected);
    let view = room.conductor.proposal(&fixed.proposal.unwrap()).unwrap();
    assert!(
        view.patch.contains("the people of the team page"),
        "{}",
        view.patch
    );
}

#[tokio::test]
async fn peoples_own_phrases_and_the_sites_names_are_known_by_their_sound() {
    let own = Phrase {
        say: vec!["ship the beast".into()],
        act: Control::Deploy,
        environment: Some("production".into()),
        place: None,
    };
    let config = Config {
        phrase: vec![own.clone()],
        ..Config::default()
    };
    let room = room(config).await.unwrap();
    let said = room
        .speak("Chip the beast.", &[("ship the beast", 2.0)])
        .await;
    assert_eq!(said.state, InstructionState::Asking, "{said:?}");
    assert!(
        question(&said).contains("to production"),
        "{}",
        question(&said)
    );
    room.speak("No.", &[("no", 0.0)]).await;
    let said = room
        .speak("Open the a bout page.", &[("open the about page", 0.2)])
        .await;
    assert_eq!(said.state, InstructionState::Done, "{said:?}");
    let Some(Intent::Control { place, .. }) = said.intent else {
        panic!("{said:?}");
    };
    assert_eq!(place.as_deref(), Some("/about.html"));

    let nowhere = Phrase {
        environment: Some("the moon".into()),
        ..own
    };
    let config = Config {
        phrase: vec![nowhere],
        ..Config::default()
    };
    let problem = self::room(config).await.err().unwrap();
    assert!(problem.detail.contains("the moon"), "{problem}");
}

#[tokio::test]
async fn words_that_make_no_sense_may_still_have_the_sound_of_a_command() {
    let room = room(Config::default()).await.unwrap();
    let said = room.speak("~Bitloin heart.", &[("deploy that", 2.0)]).await;
    assert_eq!(said.state, InstructionState::Asking, "{said:?}");
    assert!(
        question(&said).starts_with("Heard \u{ab}Bitloin heart.\u{bb}. Deploy"),
        "{}",
        question(&said)
    );
    // What is harmless is asked about as well.
    let said = room.speak("~Joe Staddis.", &[("show status", 0.0)]).await;
    assert_eq!(said.state, InstructionState::Asking, "{said:?}");
    let said = room.speak("~Oh, oh, oh.", &[]).await;
    assert_eq!(said.state, InstructionState::Refused, "{said:?}");
    let message = said.refusal.unwrap().message;
    assert!(message.contains("not understood"), "{message}");
}

#[test]
fn sureness_is_ordered() {
    assert!(Sureness::Certain > Sureness::Likely && Sureness::Likely > Sureness::Doubtful);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misheard_change_is_offered_and_made_on_a_yes() {
    let config = Config::default();
    let generators = generate::generators(&config.generate, &generate::Keys::default()).unwrap();
    let page = "<h1>Old</h1>\n<a class=\"button\" href=\"/visit\">Plan a visit</a>\n";
    let room = room_with(config, generators, page).await.unwrap();
    let meant = "rename the Plan a visit button to Come and see us";
    let heard = "Remain the plan of visit button to Come and see us";
    let lower = "rename the plan a visit button to Come and see us";
    let now = room.speak(heard, &[(lower, 6.0), (meant, 6.0)]).await;
    assert_eq!(now.state, InstructionState::Asking, "{now:?}");
    let question = now.question.clone().unwrap();
    assert!(question.text.contains(heard) && question.text.contains(lower));
    assert_eq!(room.commits().len(), 1, "nothing is done unasked");
    let now = room
        .conductor
        .answer(&now.id, true, &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(now.state, InstructionState::Proposed, "{now:?}");
    // What fits the sound no better than words that were not said is not offered.
    let now = room.speak(heard, &[(lower, 20.0)]).await;
    assert_eq!(now.state, InstructionState::Refused, "{now:?}");
    // Typed words are refused as ever: nobody misheard them.
    let now = room.type_in(heard).await;
    assert_eq!(now.state, InstructionState::Refused, "{now:?}");
}
