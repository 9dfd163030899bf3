//! `sayso speech devices`: the microphones with their levels, and which one is used.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Exit;
use crate::cli::{microphone, print};
use crate::config::{Config, Paths};
use crate::model::Problem;
use crate::voice::diagnose::{self, Surroundings};
use crate::voice::{self, monitor};

/// Columns of a level.
const METER: usize = 20;

/// Lists them, live for `seconds` on a terminal.
pub async fn list(
    config: &Config,
    paths: &Paths,
    seconds: u64,
    as_json: bool,
) -> Result<Exit, Problem> {
    let wanted = wanted(config, paths);
    let live = std::io::stdout().is_terminal() && !as_json;
    let watched = tokio::task::spawn_blocking(move || {
        // Sound libraries print; a guard keeps it off the list.
        #[cfg(unix)]
        let quiet = voice::stderr::Quiet::begin(None);
        let began = Instant::now();
        let (mut last, mut loudest, mut rows) = (Vec::new(), Vec::new(), 0);
        let result = monitor::watch(|heard| {
            loudest.resize(heard.len(), None::<f32>);
            for (most, now) in loudest.iter_mut().zip(heard) {
                *most = match (*most, now.peak_db) {
                    (Some(most), Some(now)) => Some(most.max(now)),
                    (most, now) => most.or(now),
                };
            }
            last = heard.to_vec();
            if live {
                show(&last, wanted.as_deref(), &mut rows);
            }
            began.elapsed() < Duration::from_secs(seconds)
        });
        #[cfg(unix)]
        drop(quiet);
        result.map(|()| (last, loudest, wanted))
    });
    let (last, loudest, wanted) = watched.await.map_err(Problem::internal)??;
    if as_json {
        let rows: Vec<_> = last
            .iter()
            .zip(&loudest)
            .map(|(one, peak)| {
                json!({"id": one.info.id, "name": one.info.name, "default": one.info.default,
                       "monitor": one.info.monitor, "used": used(one, wanted.as_deref()),
                       "peak_db": peak, "trouble": one.trouble.as_ref().map(|p| &p.detail)})
            })
            .collect();
        print::line(&json!(rows).to_string());
    } else if !live {
        for (one, peak) in last.iter().zip(&loudest) {
            print::line(&row(one, *peak, wanted.as_deref()));
        }
    }
    if last.is_empty() {
        diagnose::among(&[], Surroundings::here())?;
    }
    Ok(Exit::Done)
}

/// Uses the microphone called `name` from now on; `default`: the system's default.
pub async fn choose(config: &Config, paths: &Paths, name: &str) -> Result<Exit, Problem> {
    if name == "default" {
        microphone::remember(paths, None)?;
        print::line("recording from the system's default microphone");
    } else {
        let found = tokio::task::spawn_blocking(voice::microphones)
            .await
            .map_err(Problem::internal)??;
        let lower = name.to_lowercase();
        let fits: Vec<_> = found
            .iter()
            .filter(|info| info.id == name || info.name.to_lowercase().contains(&lower))
            .collect();
        let [one] = fits.as_slice() else {
            let names: Vec<&str> = found.iter().map(|info| info.name.as_str()).collect();
            return Err(Problem::not_found(format!(
                "{} microphones are called «{name}»",
                fits.len()
            ))
            .hint(format!("there are: {}", names.join(", "))));
        };
        microphone::remember(paths, Some(&one.id))?;
        print::line(&format!("recording from {}", one.name));
    }
    if !config.voice.device.is_empty() {
        eprintln!("`[voice] device` in your configuration decides; empty it to use this choice");
    }
    Ok(Exit::Done)
}

fn wanted(config: &Config, paths: &Paths) -> Option<String> {
    Some(config.voice.device.clone())
        .filter(|device| !device.is_empty())
        .or_else(|| microphone::chosen(paths))
}

fn used(heard: &monitor::Heard, wanted: Option<&str>) -> bool {
    match wanted {
        None => heard.info.default,
        Some(wanted) => {
            heard.info.id == wanted
                || heard
                    .info
                    .name
                    .to_lowercase()
                    .contains(&wanted.to_lowercase())
        }
    }
}

fn row(heard: &monitor::Heard, peak: Option<f32>, wanted: Option<&str>) -> String {
    let mark = if used(heard, wanted) { "*" } else { " " };
    let level = match (&heard.trouble, peak) {
        (Some(problem), _) => print::clean(&problem.detail),
        (None, None) => "no sound yet".to_owned(),
        (None, Some(peak)) if peak <= voice::level::SILENCE => "silent (zeros)".to_owned(),
        (None, Some(peak)) => {
            let full = ((peak + 60.0) / 60.0).clamp(0.0, 1.0) * METER as f32;
            let full = full.round() as usize;
            format!(
                "{}{} {peak:>4.0} dB",
                "█".repeat(full),
                "·".repeat(METER - full)
            )
        }
    };
    let default = if heard.info.default { " (default)" } else { "" };
    let name = print::clean(&heard.info.name);
    format!("{mark} {level}  {name}{default}")
}

/// Draws the list over the last one.
fn show(heard: &[monitor::Heard], wanted: Option<&str>, rows: &mut usize) {
    let mut out = String::new();
    if *rows > 0 {
        out.push_str(&format!("\x1b[{rows}A"));
    }
    for one in heard {
        out.push_str(&format!("\r\x1b[K{}\n", row(one, one.peak_db, wanted)));
    }
    *rows = heard.len();
    let mut stdout = std::io::stdout();
    // A closed terminal ends the command by itself.
    let _ = stdout
        .write_all(out.as_bytes())
        .and_then(|()| stdout.flush());
}
