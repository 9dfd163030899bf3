//! `sayso speech`: recognisers and models, microphones, and the recordings with what became of them.

mod devices;
mod recordings;
mod report;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::embed::repo_dir;
use super::{Exit, Place, print, wiring};
use crate::config::{self, Config, Paths};
use crate::model::Problem;
use crate::speech::Transcriber;
use crate::speech::install::{self, Step, catalog};
use crate::speech::local::Local;
use crate::speech::local::files::{KINDS, Kind, ModelFiles};
use crate::vcs::git::Git;

/// Arguments of `sayso speech`.
#[derive(Clone, Debug, Args)]
pub struct SpeechArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SpeechCommand,
}

/// What `sayso speech` does.
#[derive(Clone, Debug, Subcommand)]
pub enum SpeechCommand {
    /// Get a speech model and its runtime
    Install {
        /// The model (default: `[speech] model`); `sayso speech models` lists them
        #[arg(value_name = "MODEL")]
        name: Option<String>,
        /// Take them from this moonshine-voice wheel instead of the network
        #[arg(long, value_name = "WHEEL")]
        from: Option<PathBuf>,
        /// Accept the model's licence without being asked
        #[arg(long, short)]
        yes: bool,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// List the models there are: language, size, licence, source
    Models {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Say which recogniser is used, why, and whether it is ready
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what a WAV file says
    Transcribe {
        /// The WAV file, of any rate and channel count
        file: PathBuf,
        /// As JSON, with the certainty of each word
        #[arg(long)]
        json: bool,
    },
    /// List the microphones with their levels, or choose one
    Devices {
        /// Record from this one from now on: its id or a part of its name; "default" follows the system
        #[arg(long = "use", value_name = "NAME")]
        choose: Option<String>,
        /// How long to show the levels
        #[arg(long, value_name = "SECONDS", default_value_t = 5)]
        seconds: u64,
        /// As JSON, once
        #[arg(long)]
        json: bool,
    },
    /// List the recordings that are kept for this site
    Recordings {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Play a recording
    Replay {
        /// Which one, or the beginning of its name; the newest when left out
        id: Option<String>,
    },
    /// Delete recordings
    Delete {
        /// Which ones
        #[arg(required_unless_present = "all")]
        ids: Vec<String>,
        /// All of this site
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
    /// Tell what was heard, taken for and corrected, as a table
    Report {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs it.
///
/// # Errors
/// When a model cannot be installed or run, a file is no sound, there is no microphone, or no repository where one is
/// needed.
pub async fn run(args: SpeechArgs, place: &Place, paths: &Paths) -> Result<Exit, Problem> {
    use SpeechCommand as C;
    match args.command {
        C::Recordings { json } => recordings::list(place, json).await,
        C::Replay { id } => recordings::replay(place, id.as_deref()).await,
        C::Delete { ids, all } => recordings::delete(place, &ids, all).await,
        C::Report { json } => report::run(place, json).await,
        other => {
            // Outside a repository the user's own settings hold.
            let root = match repo_dir(place) {
                Ok(dir) => Git::open(&dir).await.ok(),
                Err(_) => None,
            };
            let root = root.as_ref().map(|git| git.root().to_path_buf());
            let config = config::load(paths, root.as_deref())?;
            with_config(other, &config, paths).await
        }
    }
}

async fn with_config(
    command: SpeechCommand,
    config: &Config,
    paths: &Paths,
) -> Result<Exit, Problem> {
    use SpeechCommand as C;
    match command {
        C::Install {
            name,
            from,
            yes,
            json,
        } => {
            let kind = Kind::named(name.as_deref().unwrap_or(&config.speech.model))?;
            if !accepted(kind, yes, json) {
                return Ok(Exit::Refused);
            }
            install(&paths.models(), kind, from.as_deref(), json).await
        }
        C::Models { json } => models(config, &paths.models(), json),
        C::Status { json } => status(config, paths, json),
        C::Transcribe { file, json } => {
            let recogniser = recogniser(config, paths)?;
            transcribe(&recogniser, &file, json).await
        }
        C::Devices {
            choose: Some(name), ..
        } => devices::choose(config, paths, &name).await,
        C::Devices { seconds, json, .. } => devices::list(config, paths, seconds, json).await,
        C::Recordings { .. } | C::Replay { .. } | C::Delete { .. } | C::Report { .. } => {
            Ok(Exit::Usage)
        }
    }
}

fn recogniser(config: &Config, paths: &Paths) -> Result<impl Transcriber, Problem> {
    wiring::recogniser(config, paths, &wiring::vocabulary(config))
}

/// Whether the person takes the licence of a model that is not free for every use.
fn accepted(kind: &Kind, yes: bool, json: bool) -> bool {
    let licence = catalog::licence(kind);
    if yes || licence.free {
        return true;
    }
    eprintln!(
        "{} ({}) is under the {}: {}",
        kind.name, kind.called, licence.name, licence.terms
    );
    let answer = if json {
        None
    } else {
        print::ask("Do you accept it?")
    };
    if answer.is_none() {
        eprintln!("  next: read it, then install again with --yes");
    }
    answer == Some(true)
}

async fn install(
    models: &Path,
    kind: &'static Kind,
    from: Option<&Path>,
    json: bool,
) -> Result<Exit, Problem> {
    let mut bar = Bar {
        terminal: std::io::stderr().is_terminal(),
        shown: false,
        last: None,
    };
    let mut watch = |step: Step| {
        if json {
            println!("{}", as_json(&step));
        } else {
            bar.show(&step);
        }
    };
    let result = install::install(models, kind, from, &mut watch).await;
    bar.clear();
    let placed = result?;
    // What was installed is tried at once, so that a library that this system cannot load is known now.
    let local = Local::of_kind(models, kind);
    tokio::task::spawn_blocking(move || local.with_model(|_| Ok(())))
        .await
        .map_err(Problem::internal)??;
    if json {
        println!(
            "{}",
            json!({"type": "ready", "model": kind.name, "models": models})
        );
    } else {
        let bytes: u64 = placed.iter().map(|placed| placed.bytes).sum();
        println!(
            "Speech recognition with {} is ready: {} MB in {}",
            kind.name,
            bytes / 1_000_000,
            models.display()
        );
    }
    Ok(Exit::Done)
}

fn models(config: &Config, models: &Path, json: bool) -> Result<Exit, Problem> {
    for kind in &KINDS {
        let installed = ModelFiles::find_in(models, kind.folder).is_ok();
        let used = kind.name == config.speech.model;
        let (licence, size) = (catalog::licence(kind), catalog::size(kind));
        if json {
            println!(
                "{}",
                json!({"name": kind.name, "language": kind.language, "called": kind.called,
                       "megabytes": size.megabytes, "measured": size.measured, "licence": licence.name,
                       "terms": licence.terms, "source": catalog::source(kind),
                       "installed": installed, "used": used})
            );
            continue;
        }
        let mark = match (used, installed) {
            (true, _) => "*",
            (false, true) => "+",
            (false, false) => " ",
        };
        let about = if size.measured { " " } else { "≈" };
        println!(
            "{mark} {:<8} {:<11} {about}{:>4} MB  {:<27} {}",
            kind.name,
            kind.called,
            size.megabytes,
            licence.name,
            catalog::source(kind)
        );
    }
    if !json {
        println!("* used ([speech] model), + installed; `sayso speech install MODEL` gets one");
        println!(
            "≈ not measured here: the publisher tells the size, and its sums are kept from the first download"
        );
    }
    Ok(Exit::Done)
}

fn as_json(step: &Step) -> serde_json::Value {
    match step {
        Step::Note(message) => json!({"type": "note", "message": message}),
        Step::Bytes { what, done, total } => {
            json!({"type": "progress", "what": what, "done": done, "total": total})
        }
        Step::Placed(placed) => {
            json!({"type": "placed", "file": placed.file, "from": placed.from, "bytes": placed.bytes})
        }
    }
}

/// A progress line on a terminal, lines of text elsewhere. On standard error, as standard output is for results.
struct Bar {
    terminal: bool,
    shown: bool,
    last: Option<(String, u64)>,
}

impl Bar {
    fn show(&mut self, step: &Step) {
        match step {
            Step::Note(message) => self.line(message),
            Step::Placed(placed) => {
                self.line(&format!(
                    "{} ({:.1} MB): {}",
                    placed.file,
                    placed.bytes as f64 / 1e6,
                    placed.from
                ));
            }
            Step::Bytes { what, done, total } if self.terminal => {
                let percent = done * 100 / (*total).max(1);
                if self.last.as_ref() != Some(&(what.clone(), percent)) {
                    let filled = (percent / 4) as usize;
                    let (full, empty) = ("█".repeat(filled), "░".repeat(25 - filled.min(25)));
                    eprint!(
                        "\r\x1b[K{full}{empty} {percent:>3} % of {:.0} MB  {what}",
                        *total as f64 / 1e6
                    );
                    let _ = std::io::stderr().flush();
                    self.last = Some((what.clone(), percent));
                    self.shown = true;
                }
            }
            Step::Bytes { .. } => {}
        }
    }

    fn line(&mut self, text: &str) {
        self.clear();
        eprintln!("{text}");
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r\x1b[K");
        }
    }
}

fn status(config: &Config, paths: &Paths, json: bool) -> Result<Exit, Problem> {
    let status = recogniser(config, paths)?.status();
    let (models, kind) = (paths.models(), Kind::named(&config.speech.model)?);
    let parts = install::survey(&models, kind)?;
    if json {
        let parts: Vec<_> = parts
            .iter()
            .map(|(part, there)| json!({"file": part.path, "installed": there, "bytes": part.bytes, "licence": part.licence}))
            .collect();
        let mut value = serde_json::to_value(&status).map_err(Problem::internal)?;
        value["models"] = json!(models);
        value["parts"] = json!(parts);
        println!("{value}");
    } else {
        println!("{}: {}", status.engine, status.message);
        println!(
            "models: {} (from {})",
            models.display(),
            catalog::source(kind)
        );
        for (part, there) in parts {
            let mark = if there { "installed" } else { "missing" };
            println!(
                "  {mark:9}  {:>5.1} MB  {}  {}",
                part.bytes as f64 / 1e6,
                part.licence,
                part.path
            );
        }
    }
    Ok(if status.ready {
        Exit::Done
    } else {
        Exit::Failed
    })
}

async fn transcribe(
    recogniser: &impl Transcriber,
    file: &Path,
    json: bool,
) -> Result<Exit, Problem> {
    let heard = recogniser.transcribe(file).await?;
    if json {
        let value = json!({
            "text": heard.text,
            "seconds": heard.seconds,
            "ms": heard.millis,
            "engine": heard.engine,
            "doubtful": heard.doubtful,
            "words": heard.words,
            "note": heard.note,
        });
        println!("{value}");
        return Ok(Exit::Done);
    }
    if let Some(note) = &heard.note {
        eprintln!("{note}");
    }
    if heard.text.is_empty() {
        eprintln!("no speech heard");
    } else {
        println!("{}", heard.text);
        if heard.doubtful {
            eprintln!("(doubtful)");
        }
    }
    Ok(Exit::Done)
}
