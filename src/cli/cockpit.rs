//! `sayso`: the cockpit on this repository.

use std::io::IsTerminal;

use tokio::sync::mpsc;

use super::embed::Session;
use super::{Exit, Place, microphone};
use crate::model::Problem;
use crate::tui::{self, Cockpit};

/// Runs the cockpit; as plain lines when `linear`, the terminal or the configuration says so.
pub async fn run(place: &Place, linear: bool) -> Result<Exit, Problem> {
    // A terminal that calls itself dumb moves no cursor.
    let linear = linear || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !terminal && !linear {
        return Err(
            Problem::new(422, "usage", "the cockpit needs a terminal").hint(
                "without one use `sayso say`, `sayso commit`, `sayso deploy`; see `sayso --help`",
            ),
        );
    }
    let mut session = Session::open(place).await?;
    session.config.ui.linear |= linear;
    session.speech.warm();
    session.watch_if_wanted().await;
    let (microphone, mic_events) = match microphone::open(&session) {
        Ok((microphone, events)) => (Some(microphone), events),
        Err(error) => {
            tracing::warn!(%error, "no recorder: typed text does everything");
            (None, mpsc::channel(1).1)
        }
    };
    let cockpit = Cockpit {
        client: session.client.clone(),
        config: session.config.clone(),
        microphone,
        mic_events,
        first_status: None,
        log_path: session
            .project
            .as_ref()
            .map(crate::config::ProjectPaths::log),
        themes: Some(session.paths.config.join("themes")),
        doctor: Some(std::sync::Arc::new(super::checkup::Machine {
            place: place.clone(),
            model: session.config.speech.model.clone(),
        })),
        session: session
            .project
            .as_ref()
            .map(|project| project.dir.join("cockpit.json")),
    };
    let heir = session.heir(place);
    let result = tui::run(cockpit).await;
    if let Some(heir) = heir {
        heir.close().await;
    }
    session.close().await;
    result
        .map(|()| Exit::Done)
        .map_err(|error| Problem::internal(format!("{error:#}")))
}
