//! `sayso doctor`: what works on this machine, and what to do about what does not.

use std::io::IsTerminal;

use serde::Serialize;

use super::embed::repo_dir;
use super::{Exit, Place, print};
use crate::config::{self, Paths};
use crate::model::Problem;
use crate::speech::Transcriber;
use crate::speech::local::Local;
use crate::vcs::Repository;
use crate::vcs::git::Git;
use crate::voice;

/// Arguments of `sayso doctor`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The list as JSON.
    #[arg(long)]
    pub json: bool,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    /// What.
    pub(super) name: &'static str,
    /// Whether it is as it should be.
    pub(super) ok: bool,
    /// What was found.
    pub(super) found: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

impl Check {
    fn new(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            ok: true,
            found: found.into(),
            next: None,
        }
    }

    fn bad(name: &'static str, problem: &Problem) -> Self {
        Self {
            name,
            ok: false,
            found: problem.detail.clone(),
            next: problem.hint.clone(),
        }
    }

    fn of(name: &'static str, result: Result<String, Problem>) -> Self {
        match result {
            Ok(found) => Self::new(name, found),
            Err(problem) => Self::bad(name, &problem),
        }
    }
}

/// Runs the command. Done when all is well, failed when something is not.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let checks = look(place).await?;
    if args.json {
        print::line(&serde_json::to_string(&checks).map_err(Problem::internal)?);
    } else {
        for check in &checks {
            let mark = if check.ok { "ok" } else { "!!" };
            print::line(&format!(
                "{mark}  {:<14} {}",
                check.name,
                print::clean(&check.found)
            ));
            if let Some(next) = &check.next {
                print::line(&format!("    next: {}", print::clean(next)));
            }
        }
    }
    Ok(if checks.iter().all(|check| check.ok) {
        Exit::Done
    } else {
        Exit::Failed
    })
}

pub(super) async fn look(place: &Place) -> Result<Vec<Check>, Problem> {
    let paths = Paths::platform()?;
    let mut checks = Vec::new();
    let git = Git::open(&repo_dir(place)?).await;
    let root = git.as_ref().ok().map(|git| git.root().to_path_buf());
    match &git {
        Ok(git) => {
            let status = git.status().await;
            checks.push(Check::of(
                "repository",
                status.map(|status| {
                    let head = status.head.get(..7).unwrap_or("no commit yet");
                    format!(
                        "{} on {} at {head}, {} changes",
                        status.root, status.branch, status.changes
                    )
                }),
            ));
            checks.push(Check::of("git identity", git.identity().await));
        }
        Err(problem) => checks.push(Check::bad("repository", problem)),
    }
    let loaded = config::load(&paths, root.as_deref());
    checks.push(Check::of(
        "configuration",
        loaded.map(|_| "no mistakes".to_owned()),
    ));
    if let Some(root) = &root {
        checks.push(state(&paths, root));
    }
    let speech = Local::new(paths.models()).status();
    checks.push(Check {
        name: "speech model",
        ok: speech.ready,
        found: speech.message,
        next: (!speech.ready).then(|| "sayso speech install".to_owned()),
    });
    checks.push(microphone().await);
    checks.push(terminal());
    Ok(checks)
}

fn state(paths: &Paths, root: &std::path::Path) -> Check {
    let dir = paths.project(root).dir;
    let result = super::embed::private_dir(&dir)
        .and_then(|()| tempfile::tempfile_in(&dir).map_err(Problem::internal))
        .map(|_| dir.display().to_string());
    Check::of("state folder", result)
}

async fn microphone() -> Check {
    // Sound systems may block or print: both stay away from the list.
    let listed = tokio::task::spawn_blocking(|| {
        let quiet = voice::stderr::Quiet::begin(None);
        let listed = voice::microphones();
        drop(quiet);
        listed
    })
    .await
    .unwrap_or_else(|error| Err(Problem::internal(error)));
    Check::of(
        "microphone",
        listed.and_then(|found| {
            let name = |info: &voice::MicInfo| {
                if info.default {
                    format!("{} (default)", info.name)
                } else {
                    info.name.clone()
                }
            };
            let names: Vec<String> = found.iter().map(name).collect();
            if names.is_empty() {
                return Err(Problem::not_found("there is no microphone")
                    .hint("connect one, or type instructions: typed text does everything"));
            }
            Ok(names.join(", "))
        }),
    )
}

fn terminal() -> Check {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Check::new(
            "terminal",
            "none attached: `sayso say`, `commit`, `deploy` work; the cockpit needs one",
        );
    }
    let kind = std::env::var("TERM").unwrap_or_default();
    if kind.is_empty() || kind == "dumb" {
        let problem = Problem::new(422, "terminal", format!("TERM is {kind:?}"))
            .hint("use a terminal that can address the cursor, or `sayso say`");
        return Check::bad("terminal", &problem);
    }
    let inside = if std::env::var_os("TMUX").is_some() {
        ", inside tmux (keys report no release: press to start, press to stop)"
    } else {
        ""
    };
    Check::new("terminal", format!("{kind}{inside}"))
}
