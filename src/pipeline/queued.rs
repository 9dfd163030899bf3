//! Instructions given at a server that does not conduct: they wait in a queue that all servers of the project share.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Conductor, records};
use crate::events::nats::Job;
use crate::model::api::{Accepted, Submission};
use crate::model::{Identity, InstructionId, Problem};

/// How long an answer is waited for: longer than it takes until another server conducts.
const WAIT: Duration = Duration::from_secs(15);

/// How long this server's copy of the log may take to have what was answered, and how often it is looked.
const CATCH_UP: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(5);

/// An instruction as it waits.
#[derive(Serialize, Deserialize)]
struct Queued {
    submission: Submission,
    /// In base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audio: Option<String>,
    key: String,
    by: Identity,
}

/// What whoever waits is told.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Answer {
    Taken(Accepted),
    Refused(Problem),
}

impl Conductor {
    /// Takes an instruction for the server that conducts; returns its id once that one has stored it.
    ///
    /// # Errors
    /// As [`Self::submit`]; `waiting` when nobody has stored it in time: it stays in the queue, and the same key finds it.
    pub async fn queue(
        &self,
        submission: Submission,
        audio: Option<&Bytes>,
        key: &str,
        by: &Identity,
    ) -> Result<InstructionId, Problem> {
        if let Some(known) = records::by_key(&self.log, key)? {
            return Ok(known);
        }
        let remote = self
            .log
            .remote()
            .ok_or_else(|| Problem::internal("there is no queue"))?;
        let queued = Queued {
            submission,
            audio: audio.map(|audio| STANDARD.encode(audio)),
            key: key.to_owned(),
            by: by.clone(),
        };
        let body = serde_json::to_vec(&queued).map_err(Problem::internal)?;
        let answer = remote.queue(key, body, WAIT).await?;
        // The answer itself may have been lost.
        let known = records::by_key(&self.log, key)?;
        match (answer, known) {
            (Some(answer), _) => match serde_json::from_slice(&answer) {
                Ok(Answer::Taken(accepted)) => {
                    // What was answered is to be found here from now on.
                    let here = self.known_here(key);
                    let _ = tokio::time::timeout(CATCH_UP, here).await;
                    Ok(accepted.instruction)
                }
                Ok(Answer::Refused(problem)) => Err(problem),
                Err(error) => Err(Problem::internal(error)),
            },
            (None, Some(known)) => Ok(known),
            (None, None) => Err(Problem::new(
                503,
                "waiting",
                "no server conducts this project at the moment; the instruction waits for one",
            )
            .hint("send it again with the same Idempotency-Key to learn what came of it")),
        }
    }

    /// Returns once this server's copy of the log knows the key.
    async fn known_here(&self, key: &str) {
        while let Ok(None) = records::by_key(&self.log, key) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Takes what waits in the queue, for as long as this process conducts.
    pub async fn work_off(self: &Arc<Self>) {
        let Some(remote) = self.log.remote() else {
            return;
        };
        remote.work(|job| self.take_queued(job)).await;
    }

    async fn take_queued(self: &Arc<Self>, job: Job) {
        let taken = match serde_json::from_slice::<Queued>(job.body()) {
            Ok(queued) => {
                let audio = queued.audio.map(|audio| STANDARD.decode(audio));
                match audio.transpose() {
                    Ok(audio) => {
                        let audio = audio.map(Bytes::from);
                        self.submit(queued.submission, audio, Some(&queued.key), &queued.by)
                            .await
                    }
                    Err(error) => Err(Problem::bad_request(format!("the sound: {error}"))),
                }
            }
            Err(error) => Err(Problem::bad_request(format!("the instruction: {error}"))),
        };
        let answer = match taken {
            Ok(instruction) => Answer::Taken(Accepted { instruction }),
            // What is not its own fault is tried again, by this server or the next one.
            Err(problem) if problem.status >= 500 => {
                tracing::warn!(%problem, "an instruction in the queue cannot be taken now");
                return job.later().await;
            }
            Err(problem) => Answer::Refused(problem),
        };
        match serde_json::to_vec(&answer) {
            Ok(bytes) => job.done(bytes).await,
            Err(error) => tracing::error!(%error, "an answer cannot be written"),
        }
    }
}
