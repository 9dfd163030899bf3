//! `sayso doctor`: what works on this machine, and what to do about what does not.

use std::io::IsTerminal;
use std::time::Duration;

use serde::Serialize;

use super::embed::repo_dir;
use super::{Exit, Place, print, wiring};
use crate::config::{self, Config, Paths};
use crate::model::Problem;
use crate::speech::Transcriber;
use crate::tui;
use crate::vcs::Repository;
use crate::vcs::git::Git;
use crate::voice::probe::{Probe, probe};
use crate::voice::{self, diagnose, diagnose::Surroundings};

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
    pub(super) fn new(name: &'static str, found: impl Into<String>) -> Self {
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

    pub(super) fn of(name: &'static str, result: Result<String, Problem>) -> Self {
        match result {
            Ok(found) => Self::new(name, found),
            Err(problem) => Self::bad(name, &problem),
        }
    }
}

/// Runs the command. Done when all is well, failed when something is not.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let checks = look(place, true).await?;
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

/// Looks at everything; the microphone is opened only to `listen`.
pub(super) async fn look(place: &Place, listen: bool) -> Result<Vec<Check>, Problem> {
    let paths = Paths::platform()?;
    let mut checks = Vec::new();
    let remote = super::repository::remote(place);
    let git = match &remote {
        None => Git::open(&repo_dir(place)?).await,
        Some(address) => Err(Problem::not_found(format!(
            "{address} is used without a clone"
        ))),
    };
    let root = git.as_ref().ok().map(|git| git.root().to_path_buf());
    match &git {
        Ok(git) => {
            let status = git.status().await;
            checks.push(Check::of(
                "repository",
                status.map(|status| {
                    let head = status.head.get(..7).unwrap_or("no commit yet");
                    let changes = match status.changes {
                        1 => "1 change".to_owned(),
                        count => format!("{count} changes"),
                    };
                    format!("{} on {} at {head}, {changes}", status.root, status.branch)
                }),
            ));
            checks.push(Check::of("git identity", git.identity().await));
        }
        Err(_) if remote.is_some() => {}
        Err(problem) => checks.push(Check::bad("repository", problem)),
    }
    let loaded = config::load(&paths, root.as_deref());
    // Keys and colours are understood by the cockpit alone.
    let understood = loaded.and_then(|config| {
        tui::understood(&config, Some(&paths.config.join("themes")))
            .map_err(|error| Problem::new(422, "config", error).hint("mend the line that it names"))
    });
    checks.push(Check::of(
        "configuration",
        understood.map(|()| "no mistakes".to_owned()),
    ));
    if let Some(root) = &root {
        checks.push(state(&paths, root));
    }
    // With a mistake in the configuration the defaults tell as much as can be told.
    let config = config::load(&paths, root.as_deref()).unwrap_or_default();
    checks.extend(super::doctor_github::look(&config, git.as_ref().ok(), remote).await);
    if let Some(root) = &root {
        checks.extend(super::doctor_vercel::look(&config, &paths.project(root), root).await);
        checks.extend(super::doctor_site::look(&config, root));
    }
    checks.extend(super::doctor_models::look(&config, &paths));
    checks.push(speech(&config, &paths));
    checks.extend(microphone(&config, &paths, listen).await);
    checks.push(terminal());
    checks.push(notifications(&config));
    Ok(checks)
}

/// Who is told what happens.
fn notifications(config: &Config) -> Check {
    let notify = &config.notify;
    let webhooks = notify.webhook.urls.len();
    let desktop = match notify.desktop.events.len() {
        0 => "off".to_owned(),
        count => format!("{count} kinds of events"),
    };
    let mut check = Check::new(
        "notifications",
        format!("desktop {desktop}, {webhooks} webhooks"),
    );
    if webhooks > 0
        && crate::server::WebhookSecrets::from_environment()
            .generic
            .is_none()
    {
        check.ok = false;
        check.next = Some("set SAYSO_WEBHOOK_SECRET, here and at the receivers".to_owned());
    } else if webhooks > 0 || !notify.desktop.events.is_empty() {
        check.next = Some("whether they arrive: sayso notify --test".to_owned());
    }
    check
}

fn state(paths: &Paths, root: &std::path::Path) -> Check {
    let dir = paths.project(root).dir;
    let result = super::embed::private_dir(&dir)
        .and_then(|()| tempfile::tempfile_in(&dir).map_err(Problem::internal))
        .map(|_| dir.display().to_string());
    Check::of("state folder", result)
}

fn speech(config: &Config, paths: &Paths) -> Check {
    let chosen = wiring::recogniser(config, paths, &wiring::vocabulary(config));
    match chosen.map(|chosen| chosen.status()) {
        Ok(status) => Check {
            name: "speech",
            ok: status.ready,
            found: format!("{}: {}", status.engine, status.message),
            next: (!status.ready).then(|| format!("sayso speech install {}", config.speech.model)),
        },
        Err(problem) => Check::bad("speech", &problem),
    }
}

/// How long the microphone is listened to.
const LISTEN: Duration = Duration::from_millis(700);

/// Which microphones there are, and how long a press of the key waits for the one that is used.
async fn microphone(config: &Config, paths: &Paths, listen: bool) -> Vec<Check> {
    let voice = &config.voice;
    let wanted = Some(voice.device.clone())
        .filter(|device| !device.is_empty())
        .or_else(|| super::microphone::chosen(paths));
    // Sound systems may block or print: both stay away from the list.
    let looked = tokio::task::spawn_blocking(move || {
        #[cfg(unix)]
        let quiet = voice::stderr::Quiet::begin(None);
        let listed = voice::microphones();
        let probed = match &listed {
            Ok(found) if listen && !found.is_empty() => Some(probe(wanted, LISTEN)),
            _ => None,
        };
        #[cfg(unix)]
        drop(quiet);
        (listed, probed)
    })
    .await;
    let (listed, probed) = match looked {
        Ok(looked) => looked,
        Err(error) => return vec![Check::bad("microphone", &Problem::internal(error))],
    };
    let names = listed.and_then(|found| {
        let name = |info: &voice::MicInfo| {
            if info.default {
                format!("{} (default)", info.name)
            } else {
                info.name.clone()
            }
        };
        let names: Vec<String> = found.iter().map(name).collect();
        diagnose::among(&found, Surroundings::here())?;
        Ok(names.join(", "))
    });
    let mut checks = vec![Check::of("microphone", names)];
    match probed {
        Some(Ok(probe)) => checks.extend(delays(&probe, voice)),
        Some(Err(problem)) => checks.push(Check::bad("recording", &problem)),
        None => {}
    }
    checks
}

/// What was measured, against what is recorded from before a press and after a release.
fn delays(probe: &Probe, voice: &config::Voice) -> [Check; 2] {
    let (before, after) = (voice.pre_roll.duration(), voice.tail.duration());
    let ms = |time: Duration| time.as_millis();
    let heard = if probe.muted {
        Check::bad("recording", &diagnose::muted(&probe.device))
    } else {
        let found = format!(
            "{}, {} Hz, loudest {:.0} dB",
            probe.device, probe.rate, probe.peak_db
        );
        Check::new("recording", found)
    };
    let cold = format!(
        "cold, {} ms from the press to the first sample: speak once «REC» is shown",
        ms(probe.cold)
    );
    // A sample is as old as the longest pause at most when the key is pressed.
    let lost = probe.pause.saturating_sub(before);
    let warm = match voice.warm.duration() {
        Duration::ZERO => "always cold ([voice] warm = \"0s\")".to_owned(),
        warm => format!(
            "warm (for {} s after a recording), {} ms: {} ms of pre-roll against pauses of {} ms",
            warm.as_secs(),
            ms(lost),
            ms(before),
            ms(probe.pause)
        ),
    };
    let tail = format!("after the release {} ms of tail", ms(after));
    let mut delay = Check::new("press to sound", format!("{cold}; {warm}; {tail}"));
    if !lost.is_zero() {
        delay.ok = false;
        delay.next = Some(format!(
            "set [voice] pre_roll to {} ms or more",
            ms(probe.pause) + 100
        ));
    }
    [heard, delay]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn probed(pause: u64, muted: bool) -> Probe {
        Probe {
            device: "Headset".to_owned(),
            rate: 16_000,
            cold: Duration::from_millis(34),
            pause: Duration::from_millis(pause),
            peak_db: -31.0,
            muted,
        }
    }

    #[test]
    fn the_measured_gap_is_told_cold_and_warm() {
        let voice = Config::default().voice;
        let [heard, delay] = delays(&probed(21, false), &voice);
        assert!(heard.ok && heard.found.contains("Headset"));
        assert!(delay.ok, "{delay:?}");
        for part in [
            "cold, 34 ms",
            "0 ms: 300 ms of pre-roll",
            "pauses of 21 ms",
            "250 ms of tail",
        ] {
            assert!(delay.found.contains(part), "{part}: {}", delay.found);
        }
        let [_, slow] = delays(&probed(420, false), &voice);
        assert!(!slow.ok && slow.found.contains("120 ms: 300"), "{slow:?}");
        assert!(slow.next.unwrap().contains("520 ms"));
        let [muted, _] = delays(&probed(21, true), &voice);
        assert!(!muted.ok && muted.found.contains("zeros"));
    }
}
