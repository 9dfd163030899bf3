//! Connecting rooms: what the configuration means for the embedded host and the microphone.

use std::path::PathBuf;

use super::embed::Session;
use super::print;
use crate::model::Problem;

/// Serves until Ctrl+C (or SIGTERM), saying where.
pub async fn serve_until_interrupted(session: &Session, json: bool) {
    if !json {
        match session.client.status().await {
            Ok(status) if status.live.is_empty() => print::line("nothing is live yet"),
            Ok(status) => {
                for live in status.live {
                    print::line(&format!("{:<5} {}", live.environment, live.url));
                }
            }
            Err(problem) => eprintln!("sayso: {problem}"),
        }
        eprintln!("serving; Ctrl+C ends it");
    }
    interrupted().await;
}

/// Waits for Ctrl+C, or for SIGTERM where there is one.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the process ends by the signal itself, which is what was asked for.
    let _ = tokio::signal::ctrl_c().await;
}

/// The recordings folder of the project, or of the user's state folder on a remote server.
pub fn recordings(session: &Session) -> PathBuf {
    match &session.project {
        Some(project) => project.recordings(),
        None => session.paths.state.join("recordings"),
    }
}

/// Records one instruction from the microphone: Enter ends it.
pub async fn record_once(_session: &Session) -> Result<Vec<u8>, Problem> {
    Err(Problem::new(501, "no-microphone", "not wired yet"))
}
