//! Following one instruction or deployment to its end, printing what happens.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Exit, print};
use crate::client::Client;
use crate::client::stream::{self, StreamItem};
use crate::model::{
    Cursor, DeploymentId, DeploymentState, Event, EventKind, Instruction, InstructionId,
    InstructionState, Problem,
};

/// Some steps change the state without an event of their own: look again after so long.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// After so many looks without an event, the record alone is believed.
const PATIENCE: u32 = 50;

/// Reads the event stream and prints what belongs to one job.
pub struct Watcher {
    client: Client,
    items: mpsc::Receiver<StreamItem>,
    json: bool,
    quiet: bool,
    last_percent: Option<u64>,
    /// The last commit that was shown.
    commit: Option<String>,
    /// A commit was made, but something after it went wrong.
    trouble: bool,
}

impl Watcher {
    /// Watches from `cursor` on. With `json`, events are printed as JSON lines and nothing else is.
    pub fn new(client: &Client, cursor: Cursor, json: bool) -> Self {
        Self {
            client: client.clone(),
            items: stream::follow(client.clone(), Some(cursor)),
            json,
            quiet: false,
            last_percent: None,
            commit: None,
            trouble: false,
        }
    }

    /// The next event; `None` after a while without one.
    async fn next(&mut self) -> Result<Option<std::sync::Arc<Event>>, Problem> {
        loop {
            match tokio::time::timeout(LOOK_AGAIN, self.items.recv()).await {
                Err(_) => return Ok(None),
                Ok(Some(StreamItem::Event(event))) => return Ok(Some(event)),
                Ok(Some(StreamItem::Connection(stream::Connection::Closed { reason }))) => {
                    return Err(Problem::new(503, "stream-closed", reason));
                }
                Ok(Some(_)) => {}
                Ok(None) => {
                    return Err(Problem::new(503, "stream-closed", "the event stream ended"));
                }
            }
        }
    }

    fn show(&mut self, event: &Event) {
        if self.json {
            print::json(event);
            return;
        }
        if self.quiet {
            return;
        }
        match event.kind {
            EventKind::Proposal | EventKind::ProposalUpdated => {
                print::event(event);
                if let Some(patch) = event.data.get("patch").and_then(serde_json::Value::as_str) {
                    print::diff(patch);
                }
                for key in ["notes", "warnings"] {
                    for note in event
                        .data
                        .get(key)
                        .and_then(serde_json::Value::as_array)
                        .into_iter()
                        .flatten()
                    {
                        print::line(&format!(
                            "  {}",
                            print::clean(note.as_str().unwrap_or_default())
                        ));
                    }
                }
            }
            EventKind::Error => print::error(&event.data),
            _ => print::event(event),
        }
    }

    /// Follows an instruction until it is final or waits for a person.
    pub async fn instruction(&mut self, id: &InstructionId) -> Result<Instruction, Problem> {
        let mut told = None;
        let mut silent = 0;
        loop {
            let event = self.next().await?;
            silent = if event.is_none() { silent + 1 } else { 0 };
            if let Some(event) = &event
                && event.instruction.as_ref() == Some(id)
            {
                self.show(event);
                told = Some(event.kind);
            }
            let settled_by_event = event.as_ref().is_some_and(|event| {
                event.instruction.as_ref() == Some(id)
                    && !matches!(event.kind, EventKind::Transcript)
            });
            if settled_by_event || event.is_none() {
                let now = self.client.instruction(id).await?;
                let waits = matches!(
                    now.state,
                    InstructionState::Proposed | InstructionState::Asking
                );
                // The record may be ahead of the stream: what it ended with is still to be shown.
                let shown = match now.state {
                    InstructionState::Proposed => told == Some(EventKind::Proposal),
                    InstructionState::Refused | InstructionState::Failed => {
                        told == Some(EventKind::Error)
                    }
                    _ => true,
                };
                if (waits || now.state.is_final()) && (shown || silent > PATIENCE) {
                    if now.state == InstructionState::Done {
                        self.catch_up(id, event.map_or(0, |event| event.seq))
                            .await?;
                    }
                    return Ok(now);
                }
            }
        }
    }

    /// Shows what the log has of an instruction that is done: an answer may come with the end itself. `seen` is the last
    /// event that was shown.
    async fn catch_up(&mut self, id: &InstructionId, seen: u64) -> Result<(), Problem> {
        let end = self.client.status().await?.cursor.seq;
        let mut seen = seen;
        while seen < end {
            let Some(event) = self.next().await? else {
                return Ok(());
            };
            if event.instruction.as_ref() == Some(id) {
                self.show(&event);
            }
            seen = event.seq;
        }
        Ok(())
    }

    /// Follows a deployment to its end.
    pub async fn deployment(&mut self, id: &DeploymentId) -> Result<Exit, Problem> {
        let mut over = None;
        loop {
            match self.next().await? {
                Some(event) if event.deployment.as_ref() == Some(id) => {
                    // A bar that only repeats itself is noise on paper.
                    let percent = event
                        .data
                        .get("percent")
                        .and_then(serde_json::Value::as_u64);
                    if self.json || percent.is_none() || percent != self.last_percent {
                        self.show(&event);
                    }
                    self.last_percent = percent.or(self.last_percent);
                    match event.kind {
                        EventKind::DeployComplete => return Ok(Exit::Done),
                        EventKind::DeployError => {
                            if !self.json {
                                deploy_error(&event);
                            }
                            return Ok(Exit::Failed);
                        }
                        EventKind::Canceled => return Ok(Exit::Failed),
                        _ => {}
                    }
                }
                Some(event) => {
                    // What else happens on the way (the commit, the approval) belongs to the story.
                    if event.deployment.is_none() {
                        self.story(&event);
                    }
                }
                // The end may have come before the stream did: the record is the truth.
                None => {
                    let now = self.client.deployment(id).await?;
                    if now.state == DeploymentState::Waiting {
                        if !self.json {
                            eprintln!("{}: `sayso approve {id}`", now.progress.message);
                        }
                        return Ok(Exit::Refused);
                    }
                    if now.state.is_final() && over.replace(()).is_some() {
                        let live = now.state == DeploymentState::Live;
                        return Ok(if live { Exit::Done } else { Exit::Failed });
                    }
                }
            }
        }
    }

    /// Waits for an answer of the server, and shows meanwhile what there is to see: a commit through a service may have
    /// to wait for it.
    ///
    /// # Errors
    /// The answer's own.
    pub async fn during<T>(
        &mut self,
        answer: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let mut answer = std::pin::pin!(answer);
        loop {
            tokio::select! {
                biased;
                done = &mut answer => return done,
                event = self.next() => match event {
                    Ok(Some(event)) => self.story(&event),
                    Ok(None) => {}
                    // The answer counts, with or without events.
                    Err(_) => return answer.await,
                },
            }
        }
    }

    /// Shows an event that leads to a commit.
    fn story(&mut self, event: &Event) {
        if !matches!(
            event.kind,
            EventKind::Approved | EventKind::Commit | EventKind::Proposal | EventKind::Notice
        ) {
            return;
        }
        self.show(event);
        if event.kind != EventKind::Commit {
            return;
        }
        let commit = event.data.get("commit").and_then(serde_json::Value::as_str);
        self.commit = commit.map(str::to_owned);
        if let Some(trouble) = event.data.get("trouble").filter(|data| data.is_object()) {
            self.trouble = true;
            if !self.json {
                print::error(trouble);
                if let Some(hint) = trouble.get("hint").and_then(serde_json::Value::as_str) {
                    eprintln!("  next: {}", print::clean(hint));
                }
            }
        }
    }

    /// Prints what is still to come of events up to the commit. Failed when something after it went wrong: a push.
    pub async fn commit(&mut self, commit: &str) -> Result<Exit, Problem> {
        while self.commit.as_deref() != Some(commit) {
            let Some(event) = self.next().await? else {
                break;
            };
            self.story(&event);
        }
        Ok(if self.trouble {
            Exit::Failed
        } else {
            Exit::Done
        })
    }
}

fn deploy_error(event: &Event) {
    let text = |key: &str| {
        event
            .data
            .get(key)
            .and_then(serde_json::Value::as_str)
            .map(print::clean)
    };
    for line in event
        .data
        .get("log_tail")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
    {
        eprintln!("  | {}", print::clean(line.as_str().unwrap_or_default()));
    }
    if let Some(hint) = text("hint").filter(|hint| !hint.is_empty()) {
        eprintln!("  next: {hint}");
    }
}
