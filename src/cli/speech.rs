//! `sayso speech`: install the recogniser, ask how it is, transcribe a file.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::speech::Transcriber;
use crate::speech::install::{self, Step, catalog};
use crate::speech::local::Local;

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
    /// Get the speech model and its runtime
    Install {
        /// Take them from this moonshine-voice wheel instead of the network
        #[arg(long, value_name = "WHEEL")]
        from: Option<PathBuf>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Say whether speech recognition is ready
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what a WAV file says
    Transcribe {
        /// The WAV file, of any rate and channel count
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs it with the models in the folder `models`. Returns the exit code.
///
/// # Errors
/// When the model cannot be installed or run, or the file is no sound.
pub async fn run(args: SpeechArgs, models: &Path) -> Result<u8> {
    match args.command {
        SpeechCommand::Install { from, json } => install(models, from.as_deref(), json).await,
        SpeechCommand::Status { json } => status(models, json),
        SpeechCommand::Transcribe { file, json } => transcribe(models, &file, json).await,
    }
}

async fn install(models: &Path, from: Option<&Path>, json: bool) -> Result<u8> {
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
    let result = install::install(models, from, &mut watch).await;
    bar.clear();
    let placed = result?;
    // What was installed is tried at once, so that a library that this system cannot load is known now.
    let local = Local::new(models);
    tokio::task::spawn_blocking(move || local.with_model(|_| Ok(()))).await??;
    if json {
        println!("{}", json!({"type": "ready", "models": models}));
    } else {
        let bytes: u64 = placed.iter().map(|placed| placed.bytes).sum();
        println!(
            "Speech recognition is ready: {} MB in {}",
            bytes / 1_000_000,
            models.display()
        );
    }
    Ok(0)
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

fn status(models: &Path, json: bool) -> Result<u8> {
    let status = Local::new(models).status();
    let parts = install::survey(models)?;
    if json {
        let parts: Vec<_> = parts
            .iter()
            .map(|(part, there)| json!({"file": part.path, "installed": there, "bytes": part.bytes, "licence": part.licence}))
            .collect();
        let mut value = serde_json::to_value(&status)?;
        value["models"] = json!(models);
        value["parts"] = json!(parts);
        println!("{value}");
    } else {
        println!("{}: {}", status.engine, status.message);
        println!("models: {} (from {})", models.display(), catalog::PACKAGE);
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
    Ok(u8::from(!status.ready))
}

async fn transcribe(models: &Path, file: &Path, json: bool) -> Result<u8> {
    let heard = Local::new(models).transcribe(file).await?;
    if json {
        let value = json!({
            "text": heard.text,
            "seconds": heard.seconds,
            "ms": heard.millis,
            "engine": heard.engine,
            "doubtful": heard.doubtful,
        });
        println!("{value}");
    } else if heard.text.is_empty() {
        eprintln!("no speech heard");
    } else {
        println!("{}", heard.text);
        if heard.doubtful {
            eprintln!("(doubtful)");
        }
    }
    Ok(0)
}
