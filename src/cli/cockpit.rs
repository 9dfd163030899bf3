//! `sayso`: the cockpit on this repository.

use std::io::IsTerminal;

use tokio::sync::mpsc;

use super::embed::Session;
use super::{Exit, Place, wiring};
use crate::model::Problem;
use crate::tui::voice_port::{MicEvent, Microphone};
use crate::tui::{self, Cockpit};
use crate::voice::{Events, Recorder, VoiceEvent};

/// Events of the microphone that may wait; levels come fifteen times a second and the cockpit takes them at once.
const WAITING: usize = 64;

/// Runs the cockpit; as plain lines when `linear` or the configuration says so.
pub async fn run(place: &Place, linear: bool) -> Result<Exit, Problem> {
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
    if let Some(conductor) = session.conductor() {
        conductor.warm_speech();
    }
    let (sender, mic_events) = mpsc::channel(WAITING);
    let microphone = match Recorder::spawn(wiring::voice_options(&session)) {
        Ok((recorder, events)) => {
            tokio::spawn(translate(events, sender));
            Some(Box::new(Adapter(recorder)) as Box<dyn Microphone>)
        }
        Err(error) => {
            tracing::warn!(%error, "no recorder: typed text does everything");
            None
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
        doctor: Some(std::sync::Arc::new(super::checkup::Machine(place.clone()))),
        session: session
            .project
            .as_ref()
            .map(|project| project.dir.join("cockpit.json")),
    };
    let result = tui::run(cockpit).await;
    session.close().await;
    result
        .map(|()| Exit::Done)
        .map_err(|error| Problem::internal(format!("{error:#}")))
}

/// The recorder as the cockpit's microphone.
struct Adapter(Recorder);

impl Microphone for Adapter {
    fn press(&mut self) {
        self.0.press();
    }

    fn release(&mut self) {
        self.0.release();
    }

    fn cancel(&mut self) {
        self.0.cancel();
    }
}

async fn translate(mut events: Events, cockpit: mpsc::Sender<MicEvent>) {
    while let Some(event) = events.recv().await {
        let told = match event {
            VoiceEvent::Opening => MicEvent::Opening,
            VoiceEvent::Recording { .. } => MicEvent::Recording,
            VoiceEvent::Level(level) => MicEvent::Level {
                rms_db: level.rms_db,
                peak_db: level.peak_db,
                elapsed: level.elapsed,
            },
            VoiceEvent::Limit => MicEvent::Limit,
            VoiceEvent::Clip {
                path,
                seconds,
                speech,
            } => MicEvent::Clip {
                path,
                seconds: seconds as f32,
                speech: speech as f32,
            },
            VoiceEvent::NoSpeech { .. } => MicEvent::NoSpeech,
            VoiceEvent::TooShort => MicEvent::TooShort,
            VoiceEvent::Failed(problem) => MicEvent::Failed(problem),
            VoiceEvent::Closed => MicEvent::Closed,
            // A muted or interrupted microphone is told by what follows; the rest needs no words.
            _ => continue,
        };
        if cockpit.send(told).await.is_err() {
            return;
        }
    }
}
