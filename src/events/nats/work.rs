//! Instructions that wait for the server that conducts: a work queue of JetStream.
//!
//! Any server of a project takes an instruction. It is in the queue, on disk, before anything is answered; the one that conducts
//! stores it in the log and only then acknowledges it. Should that one die in between, the next one is given it again, and
//! its key says that it is known.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{AckKind, Message};
use bytes::Bytes;
use futures::StreamExt as _;

use super::link::{Link, trouble};
use super::wire::token;
use super::{Remote, Settings};
use crate::model::Problem;

/// The consumer of the one that conducts.
const CONSUMER: &str = "conductor";

/// Whoever was given a piece of work and is silent for so long is taken for gone, and it is given out again. Should it be done
/// meanwhile, its key says so.
const SILENCE: Duration = Duration::from_secs(3);

/// What could not be done now is given out again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// Said more than once without an answer, NATS forgets that it knew it already.
const WINDOW: Duration = Duration::from_secs(120);

/// A piece of work, and how it is answered.
pub struct Job {
    message: Message,
    key: String,
    answers: String,
    client: async_nats::Client,
}

impl Job {
    /// What is to be done.
    pub fn body(&self) -> &[u8] {
        &self.message.payload
    }

    /// It is done and stored: whoever waits for `answer` is told, and nobody is given it again.
    pub async fn done(self, answer: Vec<u8>) {
        let told = self
            .client
            .publish(self.answers.clone(), answer.into())
            .await;
        if let Err(error) = told {
            tracing::debug!(%error, key = self.key, "an answer was not told");
        }
        // Without it the work is given out again and found to be done.
        if let Err(error) = self.message.double_ack().await {
            tracing::debug!(%error, key = self.key, "done work was not acknowledged");
        }
    }

    /// It cannot be done now.
    pub async fn later(self) {
        let _ = self.message.ack_with(AckKind::Nak(Some(AGAIN))).await;
    }
}

/// The queue of a project.
#[derive(Clone)]
pub(super) struct Queue {
    stream: Stream,
    subject: String,
    answers: String,
}

impl Queue {
    pub(super) async fn open(link: &Link, settings: &Settings) -> Result<Self, Problem> {
        let project = &link.project;
        let subject = format!("sayso.{project}.work");
        let name = format!("sayso_{project}_work");
        let config = Config {
            name: name.clone(),
            subjects: vec![subject.clone()],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            num_replicas: settings.replicas,
            duplicate_window: WINDOW,
            description: Some(
                "Instructions for the server that conducts a project in Sayso".into(),
            ),
            ..Config::default()
        };
        let stream = match link.context.get_or_create_stream(config).await {
            // It may have been made by another server at the same moment.
            Err(error) => link.context.get_stream(&name).await.map_err(|_| error),
            made => made,
        };
        let stream =
            stream.map_err(|error| trouble(format!("the stream {name} cannot be had: {error}")))?;
        Ok(Self {
            stream,
            subject,
            answers: format!("sayso.{project}.answer"),
        })
    }

    async fn consumer(&self) -> Result<PullConsumer, String> {
        let config = pull::Config {
            durable_name: Some(CONSUMER.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: SILENCE,
            max_ack_pending: 1,
            ..pull::Config::default()
        };
        let consumer = self.stream.get_or_create_consumer(CONSUMER, config).await;
        consumer.map_err(|error| error.to_string())
    }
}

impl Remote {
    /// The largest piece of work that can wait, in bytes.
    pub fn most_work(&self) -> usize {
        self.link.most
    }

    /// Puts a piece of work into the queue and waits for `wait` at most until it is done: the answer, `None` when there was none
    /// in time. The same work with the same `key` is in the queue once.
    ///
    /// # Errors
    /// `nats` when the queue does not take it.
    pub async fn queue(
        &self,
        key: &str,
        body: Vec<u8>,
        wait: Duration,
    ) -> Result<Option<Bytes>, Problem> {
        let queue = &self.queue;
        let failed = |error: String| {
            trouble(format!("the queue takes nothing at the moment: {error}"))
                .hint("try again in a moment, with the same Idempotency-Key")
        };
        let answers = format!("{}.{}", queue.answers, token(key));
        let mut told = self
            .link
            .client
            .subscribe(answers)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let put = async |message: PublishMessage| {
            let message = message.header("Sayso-Key", key);
            let context = &self.link.context;
            let sent = context.send_publish(queue.subject.clone(), message);
            let ack = sent.await.map_err(|error| failed(error.to_string()))?;
            ack.await.map_err(|error| failed(error.to_string()))
        };
        let message = PublishMessage::build().payload(body.clone().into());
        if put(message.message_id(key)).await?.duplicate {
            // Whether it still waits or was answered already cannot be told: the log knows its key, so once more does no harm.
            put(PublishMessage::build().payload(body.into())).await?;
        }
        let answer = tokio::time::timeout(wait, told.next()).await;
        Ok(answer.ok().flatten().map(|message| message.payload))
    }

    /// Gives out what waits in the queue, one after the other, for as long as this server conducts.
    pub async fn work<F: Future<Output = ()> + Send>(&self, work_off: impl Fn(Job) -> F + Send) {
        let mut connected = self.link.connected.clone();
        while self.conducts() && !self.state.closed.is_cancelled() {
            connected.mark_unchanged();
            let messages = async {
                let consumer = self.queue.consumer().await?;
                consumer.messages().await.map_err(|error| error.to_string())
            };
            let mut messages = match messages.await {
                Ok(messages) => messages,
                Err(error) => {
                    tracing::debug!(error, "the queue cannot be read");
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            };
            loop {
                let next = tokio::select! {
                    () = self.state.closed.cancelled() => return,
                    _ = connected.changed() => break,
                    next = messages.next() => next,
                };
                let Some(Ok(message)) = next else { break };
                if !self.conducts() {
                    return;
                }
                let headers = message.headers.as_ref();
                let key = headers.and_then(|headers| headers.get("Sayso-Key"));
                let key = key.map(|key| key.as_str().to_owned()).unwrap_or_default();
                work_off(Job {
                    answers: format!("{}.{}", self.queue.answers, token(&key)),
                    key,
                    message,
                    client: self.link.client.clone(),
                })
                .await;
            }
        }
    }
}
