//! `sayso say`: one instruction without the cockpit.

use std::cell::OnceCell;
use std::path::PathBuf;

use super::approve::{self, Consent};
use super::embed::Session;
use super::wait::Watcher;
use super::{Exit, Place, print, wiring};
use crate::generate::Ask;
use crate::model::api::{Answer, Approval, Submission};
use crate::model::{Action, InstructionId, InstructionState, Problem};

/// Arguments of `sayso say`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The words, e.g. change the headline to Welcome.
    #[arg(required_unless_present_any = ["wav", "mic"], conflicts_with_all = ["wav", "mic"])]
    text: Vec<String>,
    /// A recording instead of words.
    #[arg(long, value_name = "FILE", conflicts_with = "mic")]
    wav: Option<PathBuf>,
    /// Speak into the microphone; Enter ends the recording.
    #[arg(long)]
    mic: bool,
    /// How far to go once approved.
    #[arg(long, value_enum, default_value = "preview")]
    action: ActionArg,
    /// auto, offline, or a provider's name.
    #[arg(long, default_value = "auto")]
    engine: String,
    /// Say yes to every question: the plan, what an agent wants to do in its copy, the commit.
    #[arg(long, short)]
    yes: bool,
    /// Keep serving the deployed site until Ctrl+C.
    #[arg(long)]
    serve: bool,
    /// One JSON event a line, and nothing else, on stdout.
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// These words for this engine.
    pub(super) fn with(
        words: String,
        engine: &str,
        action: ActionArg,
        yes: bool,
        json: bool,
    ) -> Self {
        Self {
            text: vec![words],
            wav: None,
            mic: false,
            action,
            engine: engine.to_owned(),
            yes,
            serve: false,
            json,
        }
    }
}

/// How far to go.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
pub(super) enum ActionArg {
    Preview,
    Commit,
    Deploy,
}

impl From<ActionArg> for Action {
    fn from(action: ActionArg) -> Self {
        match action {
            ActionArg::Preview => Action::Preview,
            ActionArg::Commit => Action::Commit,
            ActionArg::Deploy => Action::Deploy,
        }
    }
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let wav = match &args.wav {
        Some(path) => Some(
            std::fs::read(path)
                .map_err(|error| Problem::bad_request(format!("{}: {error}", path.display())))?,
        ),
        None => None,
    };
    let session = Session::open(place).await?;
    within(session, place, args, wav).await
}

/// The same in a session that is open; it is closed in the end. `wav` is the sound of `--wav`.
///
/// # Errors
/// What keeps the instruction from being followed.
pub(super) async fn within(
    session: Session,
    place: &Place,
    args: Args,
    wav: Option<Vec<u8>>,
) -> Result<Exit, Problem> {
    // The process that serves the project may be done before this one is.
    let heir = session.heir(place);
    let wav = if args.mic {
        Some(wiring::record_once(&session).await?)
    } else {
        wav
    };
    let begun = OnceCell::new();
    let result = tokio::select! {
        result = instruct(&session, &args, wav, &begun) => result,
        () = wiring::interrupted() => {
            if let Some(id) = begun.get() {
                // What is past stopping goes on to its end, and the record says how it ended.
                let _ = session.client.cancel_instruction(id).await;
            }
            Ok(Exit::Interrupted)
        }
    };
    if matches!(result, Ok(Exit::Done)) && args.serve {
        wiring::serve_until_interrupted(&session, args.json).await;
    }
    let close = async {
        session.close().await;
        if let Some(heir) = heir {
            heir.close().await;
        }
    };
    tokio::select! {
        () = close => {}
        // Asked a second time, it does not wait for what still runs.
        () = wiring::interrupted(), if matches!(result, Ok(Exit::Interrupted)) => {}
    }
    result
}

/// `begun` is told the instruction's id as soon as there is one.
async fn instruct(
    session: &Session,
    args: &Args,
    wav: Option<Vec<u8>>,
    begun: &OnceCell<InstructionId>,
) -> Result<Exit, Problem> {
    let client = &session.client;
    let action = Action::from(args.action);
    let submission = Submission {
        prompt: wav.is_none().then(|| args.text.join(" ")),
        action,
        engine: Some(args.engine.clone()),
        ..Submission::default()
    };
    let cursor = client.status().await.map_err(not_sent)?.cursor;
    let mut watcher = Watcher::new(client, cursor, args.json);
    let key = InstructionId::new();
    let accepted = match wav {
        Some(wav) => client.submit_audio(wav, &submission, key.as_str()).await,
        None => client.submit(&submission, key.as_str()).await,
    };
    let accepted = accepted.map_err(perhaps_sent)?;
    let _ = begun.set(accepted.instruction.clone());
    let mut now = watcher.instruction(&accepted.instruction).await?;
    // An agent asks as often as it needs to, a model once about its plan; then they go on.
    while now.state == InstructionState::Asking {
        let Some(question) = now.question.clone() else {
            break;
        };
        let live = matches!(question.act.as_str(), Ask::PERMIT | Ask::PLAN);
        if !args.json {
            print::plan(&question.plan);
        }
        if !question.plan.is_empty() && !args.yes && !args.json {
            let keep = print::ask_plan(&question.text, question.plan.len());
            if let Some(keep) = keep {
                let answer = Answer {
                    yes: !keep.is_empty(),
                    keep: Some(keep),
                };
                now = client.answer_with(&now.id, &answer).await?;
                now = watcher.instruction(&now.id).await?;
                continue;
            }
        }
        let answer = match (agreed(args, &question.text), live) {
            (Some(yes), _) => yes,
            // Nobody can allow it, so it is not allowed: whoever asked may find another way.
            (None, true) => {
                unasked(args, &question.text);
                false
            }
            (None, false) => return Ok(unasked(args, &question.text)),
        };
        now = client.answer(&now.id, answer).await?;
        if live {
            now = watcher.instruction(&now.id).await?;
        }
    }
    match now.state {
        InstructionState::Proposed if action == Action::Preview => Ok(Exit::Done),
        InstructionState::Proposed => {
            let Some(id) = now.proposal else {
                return Ok(Exit::Failed);
            };
            let what = if action == Action::Deploy {
                "Commit and deploy this?"
            } else {
                "Commit this?"
            };
            match agreed(args, what) {
                None => return Ok(unasked(args, what)),
                Some(false) => {
                    client
                        .reject(&id, &crate::model::api::Reject::default())
                        .await?;
                    return Ok(Exit::Refused);
                }
                Some(true) => {}
            }
            let approval = Approval {
                action: Some(action),
                ..Approval::default()
            };
            let approved = watcher.during(client.approve(&id, &approval)).await?;
            match approved.deployment {
                Some(deployment) => {
                    approve::see_through(client, &mut watcher, &deployment, consent(args)).await
                }
                None => watcher.commit(&approved.commit).await,
            }
        }
        InstructionState::Done => match now.deployment {
            Some(deployment) => {
                approve::see_through(client, &mut watcher, &deployment, consent(args)).await
            }
            None => Ok(Exit::Done),
        },
        InstructionState::Refused | InstructionState::Rejected => Ok(Exit::Refused),
        _ => Ok(Exit::Failed),
    }
}

/// The server is away before anything was said: a command does not wait for it, as the cockpit does.
fn not_sent(problem: Problem) -> Problem {
    if !problem.is("unreachable") {
        return problem;
    }
    Problem {
        detail: format!("nothing was sent: {}", problem.detail),
        ..problem
    }
    .hint(
        "say it again when the server is there; the cockpit (`sayso` with the same --server) keeps what you ask for until then",
    )
}

/// The server went away while it was told: nobody knows whether it heard.
fn perhaps_sent(problem: Problem) -> Problem {
    if !problem.is("unreachable") {
        return problem;
    }
    Problem {
        detail: format!("it may not have arrived: {}", problem.detail),
        ..problem
    }
    .hint("`sayso events` tells whether it did, once the server is there again")
}

/// A deployment may need an approval, which the person was not asked for yet.
fn consent(args: &Args) -> Consent {
    Consent {
        yes: args.yes,
        json: args.json,
        ..Consent::default()
    }
}

fn agreed(args: &Args, question: &str) -> Option<bool> {
    if args.yes {
        Some(true)
    } else if args.json {
        None
    } else {
        print::ask(question)
    }
}

fn unasked(args: &Args, question: &str) -> Exit {
    if !args.json {
        eprintln!("sayso: {question}");
        eprintln!(
            "  next: no terminal to ask on: say it again with --yes, or approve it in the cockpit"
        );
    }
    Exit::Refused
}
