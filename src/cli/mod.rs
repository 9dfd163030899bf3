//! Argument parsing, one file per subcommand, exit codes.

mod approve;
mod checkup;
mod cockpit;
mod commit;
mod completions;
mod demo;
mod deploy;
mod deployments;
mod doctor;
mod doctor_github;
mod doctor_models;
mod doctor_site;
mod doctor_vercel;
mod embed;
mod events;
mod history;
mod init;
mod login;
mod microphone;
mod notify;
mod opened;
mod preview;
mod print;
mod promote;
mod recipe;
mod replica;
mod repository;
mod rollback;
mod say;
mod serve;
pub mod speech;
mod status;
mod sync;
mod targets;
mod token;
mod versions;
mod wait;
mod watch;
mod wiring;
mod workflow;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::model::Problem;

/// Longest wait for the speech model's loading or its last clip before the process ends.
const SPEECH_ENDS: std::time::Duration = std::time::Duration::from_secs(5);

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// Refused: not approved, ambiguous, not permitted.
    Refused = 3,
    /// Nothing to do.
    Nothing = 4,
    /// Ended by Ctrl+C or SIGTERM (128 + SIGINT, as shells say it).
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Say it, see the diff, say yes, watch it go live.
#[derive(Parser, Debug)]
#[command(name = "sayso", version, about, long_about = None)]
pub struct Args {
    /// The site's repository (default: the one around the current folder): a folder, or OWNER/NAME to work on GitHub
    /// without a clone.
    #[arg(short = 'C', long, global = true, value_name = "DIR|OWNER/NAME")]
    repo: Option<PathBuf>,
    /// Use this Sayso server instead of one inside this process; its token comes from SAYSO_TOKEN.
    #[arg(long, global = true, value_name = "URL", env = "SAYSO_SERVER")]
    server: Option<url::Url>,
    /// The cockpit as plain lines: for screen readers, and to keep the terminal's own history.
    #[arg(long)]
    no_alt_screen: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// The whole job on a bundled sample site.
    Demo(demo::Args),
    /// One instruction without the cockpit.
    Say(say::Args),
    /// Commit the open proposal, or the working tree's changes.
    #[command(alias = "quick-commit")]
    Commit(commit::Args),
    /// Commit the open proposal, or the working tree's changes, and deploy in one flow.
    InstantSync(sync::Instant),
    /// Watch the files: every save goes to a branch of its own and is deployed from there.
    Watch(watch::Args),
    /// Commit all open proposals as one, and deploy once.
    BatchSync(sync::Batch),
    /// Deploy the branch's head.
    Deploy(deploy::Args),
    /// Build and serve an open proposal before it is approved.
    Preview(preview::Args),
    /// Named scaffolds with questions: dark mode, a sitemap, a contact form, a realtime channel …
    Recipe(recipe::Args),
    /// Deploy the current state again, as a new release.
    #[command(alias = "force-redeploy")]
    Redeploy(deploy::Args),
    /// Make a release live that was built before, without building it anew.
    Promote(promote::Args),
    /// Say yes (or no) to a deployment or promotion that waits for approval.
    Approve(approve::Args),
    /// Return an environment to an earlier release.
    Rollback(rollback::Args),
    /// How things stand.
    Status(status::Args),
    /// Deployments and the releases kept.
    Deployments(deployments::Args),
    /// The versions of a proposal; take one back.
    Versions(versions::Args),
    /// How the text of a proposal was written in its room, step by step.
    History(history::Args),
    /// The event log.
    Events(events::Args),
    /// Speech: models, microphones, recordings, a report of what was heard.
    Speech(speech::SpeechArgs),
    /// Run the server alone, without the cockpit.
    Serve(serve::Args),
    /// Tokens for the people of a team: make, list, revoke; who did what.
    Token(token::Args),
    /// Check this machine: repository, microphone, speech model, build …
    Doctor(doctor::Args),
    /// Who is told what happens, and whether it arrives.
    Notify(notify::Args),
    /// Put a service's token into the system's keyring, or take it out.
    Login(login::Args),
    /// Write a sayso.toml for this repository.
    Init(init::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
}

/// Where a command works.
#[derive(Clone, Debug, Default)]
pub struct Place {
    repo: Option<PathBuf>,
    server: Option<url::Url>,
}

/// Parses the command line and runs it.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // clap prints help and version to stdout, mistakes to stderr.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Done.into()
            };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("sayso: the runtime cannot start: {error}");
            return Exit::Failed.into();
        }
    };
    let json = wants_json(args.command.as_ref());
    let result = runtime.block_on(run(args));
    // A blocking read (a terminal's, a sound server's) must not keep a finished command alive.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    // One that is still inside its native library would crash when that is unloaded.
    crate::speech::local::ending::close(SPEECH_ENDS);
    match result {
        Ok(exit) => exit.into(),
        Err(problem) => {
            report(&problem, json);
            exit_of(&problem).into()
        }
    }
}

async fn run(args: Args) -> Result<Exit, Problem> {
    let place = Place {
        repo: args.repo,
        server: args.server,
    };
    match args.command {
        None => cockpit::run(&place, args.no_alt_screen).await,
        Some(Command::Demo(args)) => demo::run(args).await,
        Some(Command::Say(args)) => say::run(&place, args).await,
        Some(Command::Commit(args)) => commit::run(&place, args).await,
        Some(Command::InstantSync(args)) => commit::run(&place, args.into()).await,
        Some(Command::BatchSync(args)) => commit::run(&place, args.into()).await,
        Some(Command::Watch(args)) => watch::run(&place, args).await,
        Some(Command::Deploy(args)) => deploy::run(&place, args, false).await,
        Some(Command::Preview(args)) => preview::run(&place, args).await,
        Some(Command::Recipe(args)) => recipe::run(&place, args).await,
        Some(Command::Redeploy(args)) => deploy::run(&place, args, true).await,
        Some(Command::Promote(args)) => promote::run(&place, args).await,
        Some(Command::Approve(args)) => approve::run(&place, args).await,
        Some(Command::Rollback(args)) => rollback::run(&place, args).await,
        Some(Command::Status(args)) => status::run(&place, args).await,
        Some(Command::Deployments(args)) => deployments::run(&place, args).await,
        Some(Command::Versions(args)) => versions::run(&place, args).await,
        Some(Command::History(args)) => history::run(&place, args).await,
        Some(Command::Events(args)) => events::run(&place, args).await,
        Some(Command::Speech(args)) => run_speech(&place, args).await,
        Some(Command::Serve(args)) => serve::run(&place, args).await,
        Some(Command::Token(args)) => token::run(&place, args).await,
        Some(Command::Doctor(args)) => doctor::run(&place, args).await,
        Some(Command::Notify(args)) => notify::run(&place, args).await,
        Some(Command::Login(args)) => login::run(args).await,
        Some(Command::Init(args)) => init::run(&place, args).await,
        Some(Command::Completions(args)) => completions::run(&args),
    }
}

async fn run_speech(place: &Place, args: speech::SpeechArgs) -> Result<Exit, Problem> {
    speech::run(args, place, &crate::config::Paths::platform()?).await
}

fn wants_json(command: Option<&Command>) -> bool {
    match command {
        Some(Command::Say(args)) => args.json,
        Some(Command::Commit(args)) => args.json,
        Some(Command::InstantSync(args)) => args.json(),
        Some(Command::BatchSync(args)) => args.json(),
        Some(Command::Deploy(args) | Command::Redeploy(args)) => args.json,
        Some(Command::Watch(args)) => args.json,
        Some(Command::Preview(args)) => args.json,
        Some(Command::Recipe(args)) => args.json(),
        Some(Command::Promote(args)) => args.json,
        Some(Command::Approve(args)) => args.json,
        Some(Command::Rollback(args)) => args.json,
        Some(Command::Status(args)) => args.json,
        Some(Command::Deployments(args)) => args.json,
        Some(Command::Versions(args)) => args.json,
        Some(Command::History(args)) => args.json,
        Some(Command::Events(args)) => args.json,
        Some(Command::Token(args)) => args.json,
        _ => false,
    }
}

/// A problem as people or programs read it.
fn report(problem: &Problem, json: bool) {
    if json {
        let data = serde_json::json!({
            "type": "error",
            "data": { "message": problem.detail, "hint": problem.hint, "type": problem.kind },
        });
        println!("{data}");
    }
    eprintln!("sayso: {}", problem.detail);
    if let Some(hint) = &problem.hint {
        eprintln!("  next: {hint}");
    }
}

/// Which exit code a problem means.
fn exit_of(problem: &Problem) -> Exit {
    if problem.is("nothing-to-commit") || problem.is("nothing-to-deploy") || problem.is("nothing") {
        Exit::Nothing
    } else if problem.is("refused") || problem.status == 409 || problem.status == 403 {
        Exit::Refused
    } else if problem.is("usage") {
        Exit::Usage
    } else {
        Exit::Failed
    }
}
