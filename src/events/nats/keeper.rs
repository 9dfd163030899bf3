//! The one task of a log that writes: into the stream when this server conducts, and from the stream into the database.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::command::{Append, Command};
use super::link::{Link, trouble};
use super::wire::{self, Parts};
use super::{Role, State, not_conducting};
use crate::events::{Live, Transaction, sql};
use crate::model::Problem;
use crate::store::Store;

/// The header by which NATS knows a message that it has already.
const ID: &str = "Nats-Msg-Id";

/// Messages that are stored in one transaction of the database.
const BATCH: usize = 128;

/// Appends that share a message …
const GROUP: usize = 64;

/// … as long as they have at most so many bytes.
const GROUP_BYTES: usize = 128 * 1024;

/// After a silence of the stream it is asked whether it is one.
const SILENCE: Duration = Duration::from_secs(3);

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(250);

/// Why a message is not in the stream.
enum Lost {
    /// Another one wrote first.
    Overtaken,
    /// Nobody waits any more.
    Closed,
}

type Messages = std::pin::Pin<Box<dyn Stream<Item = Result<jetstream::Message, String>> + Send>>;

/// The task.
pub(crate) struct Keeper {
    link: Link,
    store: Store,
    project: String,
    live: Arc<Live>,
    state: Arc<State>,
    /// The last message seen.
    last: u64,
    parts: Parts,
}

impl Keeper {
    pub(super) fn new(
        link: Link,
        store: Store,
        project: String,
        live: Arc<Live>,
        state: Arc<State>,
        position: u64,
    ) -> Self {
        Self {
            link,
            store,
            project,
            live,
            state,
            last: position,
            parts: Parts::default(),
        }
    }

    /// Serves until the log is closed.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut told = false;
        while !self.state.closed.is_cancelled() {
            let role = *self.state.role.borrow();
            let closed = self.state.closed.clone();
            let step = async {
                match role {
                    Role::Conducts => self.conduct(&mut commands).await,
                    Role::Follows | Role::Deposed => self.follow(&mut commands).await,
                }
            };
            // What is published when the log is closed is either there or not; whoever conducts next sees which.
            tokio::select! {
                () = closed.cancelled() => return,
                ended = step => match ended {
                    Ok(()) => told = false,
                    Err(problem) => {
                        if !std::mem::replace(&mut told, true) {
                            tracing::error!(%problem, "the event stream cannot be followed; it is tried on");
                        }
                        sleep(AGAIN * 4).await;
                    }
                }
            }
        }
    }

    /// Takes appends until the turn is over.
    async fn conduct(&mut self, commands: &mut mpsc::Receiver<Command>) -> Result<(), Problem> {
        let Some(command) = commands.recv().await else {
            self.state.closed.cancel();
            return Ok(());
        };
        let first = match command {
            Command::Lead(reply) => {
                let _ = reply.send(Ok(()));
                return Ok(());
            }
            Command::Append(append) => append,
        };
        if *self.state.role.borrow() != Role::Conducts {
            let _ = first.reply.send(Err(not_conducting()));
            return Ok(());
        }
        let mut bytes = first.bytes();
        let mut group = vec![first];
        let mut leads = Vec::new();
        while group.len() < GROUP && bytes < GROUP_BYTES {
            match commands.try_recv() {
                Ok(Command::Append(append)) => {
                    bytes += append.bytes();
                    group.push(append);
                }
                Ok(Command::Lead(reply)) => leads.push(reply),
                Err(_) => break,
            }
        }
        for reply in leads {
            let _ = reply.send(Ok(()));
        }
        self.append(group).await
    }

    async fn append(&mut self, group: Vec<Append>) -> Result<(), Problem> {
        let mut seq = self.live.head();
        let mut whole = Transaction::default();
        let mut replies = Vec::with_capacity(group.len());
        for append in group {
            let from = whole.events.len();
            for event in append.events {
                seq += 1;
                whole.events.push(sql::stand(event, &self.project, seq));
            }
            whole.puts.extend(append.puts);
            whole.rooms.extend(append.rooms);
            replies.push((append.reply, from..whole.events.len()));
        }
        let stored = match self.publish(&whole).await {
            Ok(()) => self.store(vec![whole.clone()], false).await,
            Err(Lost::Overtaken) => {
                tracing::warn!("another server conducts this project now");
                self.state.role.send_replace(Role::Deposed);
                Err(not_conducting())
            }
            Err(Lost::Closed) => Err(super::gone()),
        };
        for (reply, range) in replies {
            // Who no longer waits has lost nothing.
            let _ = reply.send(match &stored {
                Ok(()) => Ok(whole.events[range].to_vec()),
                Err(problem) => Err(problem.clone()),
            });
        }
        if stored.is_err() && *self.state.role.borrow() == Role::Conducts {
            // It is in the stream and not in the database: only the stream knows how to go on.
            self.state.role.send_replace(Role::Deposed);
        }
        stored
    }

    /// Puts a transaction at the end of the stream, as far as this server knows its end.
    async fn publish(&mut self, transaction: &Transaction) -> Result<(), Lost> {
        let parts = wire::split(transaction, self.link.most).map_err(|problem| {
            tracing::error!(%problem, "a transaction cannot be written");
            Lost::Overtaken
        })?;
        let (id, of) = (getrandom::u64().unwrap_or_default(), parts.len());
        for (part, body) in parts.into_iter().enumerate() {
            let id = format!("{}-{id:016x}-{part}", self.last);
            let header = (of > 1).then(|| wire::part_header(part + 1, of));
            self.publish_part(&id, header.as_deref(), body).await?;
            self.last += 1;
        }
        Ok(())
    }

    /// Publishes a message until it is known whether it is in the stream.
    async fn publish_part(
        &mut self,
        id: &str,
        header: Option<&str>,
        body: Bytes,
    ) -> Result<(), Lost> {
        let mut tries = 0_u32;
        loop {
            let mut message = PublishMessage::build()
                .payload(body.clone())
                .message_id(id)
                .expected_last_sequence(self.last);
            if let Some(header) = header {
                message = message.header(wire::PART, header);
            }
            let sent = self
                .link
                .context
                .send_publish(self.link.subject.clone(), message);
            let failed = match sent.await {
                Ok(ack) => match ack.await {
                    Ok(ack) if ack.sequence == self.last + 1 => {
                        self.state
                            .available
                            .send_if_modified(|was| !std::mem::replace(was, true));
                        return Ok(());
                    }
                    Ok(ack) => format!("it is message {}", ack.sequence),
                    Err(error) => error.to_string(),
                },
                Err(error) => error.to_string(),
            };
            // Whatever was answered: what the stream has in that place decides.
            match self.link.stream.get_raw_message(self.last + 1).await {
                Ok(there) => {
                    let ours = there
                        .headers
                        .get(ID)
                        .is_some_and(|known| known.as_str() == id);
                    self.state
                        .available
                        .send_if_modified(|was| !std::mem::replace(was, true));
                    return if ours { Ok(()) } else { Err(Lost::Overtaken) };
                }
                Err(error) => {
                    tries += 1;
                    if tries == 1 {
                        tracing::warn!(failed, %error, "NATS does not take an event; it is tried on");
                    }
                    self.state
                        .available
                        .send_if_modified(|was| std::mem::replace(was, false));
                }
            }
            if self.state.closed.is_cancelled() || *self.state.role.borrow() == Role::Deposed {
                return Err(Lost::Closed);
            }
            sleep(AGAIN).await;
        }
    }

    /// Stores and announces what the stream has up to `self.last`.
    async fn store(&self, transactions: Vec<Transaction>, foreign: bool) -> Result<(), Problem> {
        let position = self.last;
        let live = Arc::clone(&self.live);
        let mut next = self.live.head();
        for event in transactions.iter().flat_map(|one| &one.events) {
            next += 1;
            if event.seq != next {
                return Err(Problem::new(
                    500,
                    "store",
                    format!("event {} is in the stream where {next} is due", event.seq),
                )
                .hint("end this server, move its database away and start it: it is made anew from the stream"));
            }
        }
        let transactions = Arc::new(transactions);
        let (stored, told) = (Arc::clone(&transactions), Arc::clone(&transactions));
        self.store
            .write_then(
                move |connection| sql::follow(connection, position, &stored),
                move |()| {
                    for transaction in told.iter() {
                        live.announce(&transaction.events);
                    }
                },
            )
            .await?;
        if foreign {
            for put in transactions.iter().flat_map(|one| &one.puts) {
                // Without listeners nobody needs to know.
                let _ = self
                    .state
                    .changes
                    .send((put.kind.to_string(), put.id.clone()));
            }
        }
        self.state.position.send_replace(position);
        Ok(())
    }

    /// Follows the stream until this server is given the turn.
    async fn follow(&mut self, commands: &mut mpsc::Receiver<Command>) -> Result<(), Problem> {
        let mut messages = self.messages().await?;
        let mut connected = self.link.connected.clone();
        connected.mark_unchanged();
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None => {
                        self.state.closed.cancel();
                        return Ok(());
                    }
                    Some(Command::Append(append)) => {
                        let _ = append.reply.send(Err(not_conducting()));
                    }
                    Some(Command::Lead(reply)) => {
                        drop(messages);
                        let led = self.lead().await;
                        let ended = led.clone();
                        let _ = reply.send(led);
                        return ended;
                    }
                },
                next = ready(&mut messages) => {
                    if !self.take(next?).await? {
                        return Ok(());
                    }
                }
                // The consumer may not find out for a long time that its messages do not come any more.
                _ = connected.changed() => return Ok(()),
                () = sleep(SILENCE) => {
                    let info = self.link.stream.get_info().await;
                    if info.is_ok_and(|info| info.state.last_sequence > self.last) {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Reads what the stream has by now.
    ///
    /// # Errors
    /// `nats`, `store`.
    pub(super) async fn catch_up(&mut self) -> Result<(), Problem> {
        let info = self.link.stream.get_info().await;
        let info = info.map_err(|error| trouble(format!("the event stream: {error}")))?;
        let (first, last) = (info.state.first_sequence, info.state.last_sequence);
        if last < self.last || (last > self.last && first > self.last + 1) {
            return Err(Problem::conflict(format!(
                "the event stream begins at message {first} and ends at {last}; this server has it up to {}",
                self.last
            ))
            .hint("restore the stream (nats stream restore), or begin anew: remove the stream and the servers' databases"));
        }
        if last == self.last {
            return Ok(());
        }
        let mut messages = self.messages().await?;
        while self.last < last {
            let next = tokio::time::timeout(SILENCE, ready(&mut messages)).await;
            let more = match next {
                Ok(next) => self.take(next?).await?,
                Err(_) => false,
            };
            if !more {
                return Err(trouble("the event stream stopped while it was read")
                    .hint("look whether the NATS servers are well"));
            }
        }
        Ok(())
    }

    /// Everything after what this server has.
    async fn messages(&self) -> Result<Messages, Problem> {
        let failed = |error: String| trouble(format!("the event stream cannot be read: {error}"));
        let consumer = self
            .link
            .stream
            .create_consumer(pull::OrderedConfig {
                deliver_policy: DeliverPolicy::ByStartSequence {
                    start_sequence: self.last + 1,
                },
                ..Default::default()
            })
            .await
            .map_err(|error| failed(error.to_string()))?;
        let messages = consumer.messages().await;
        let messages = messages.map_err(|error| failed(error.to_string()))?;
        Ok(messages
            .map(|one| one.map_err(|error| error.to_string()))
            .boxed())
    }

    /// Stores messages; false when they do not follow on what is there.
    async fn take(&mut self, messages: Vec<jetstream::Message>) -> Result<bool, Problem> {
        if messages.is_empty() {
            return Ok(false);
        }
        let mut transactions = Vec::new();
        let (mut seen, mut whole) = (self.last, self.last);
        for message in messages {
            let info = message.info();
            let sequence = info
                .map_err(|error| trouble(error.to_string()))?
                .stream_sequence;
            if sequence <= seen {
                continue;
            }
            if sequence != seen + 1 {
                self.rewind();
                return Ok(false);
            }
            seen = sequence;
            let headers = message.headers.as_ref();
            let part = headers.and_then(|headers| headers.get(wire::PART));
            let taken = self
                .parts
                .take(part.map(|part| part.as_str()), &message.payload);
            let taken = taken.inspect_err(|_| self.rewind())?;
            if let Some(transaction) = taken {
                transactions.push(transaction);
                whole = seen;
            }
        }
        if whole > self.last {
            self.last = whole;
            if let Err(problem) = self.store(transactions, true).await {
                self.rewind();
                return Err(problem);
            }
        }
        // Parts of what is not whole are read on; from disk they are read again.
        self.last = seen;
        Ok(true)
    }

    /// Reads on after what the database has.
    fn rewind(&mut self) {
        self.parts = Parts::default();
        self.last = *self.state.position.borrow();
    }

    /// Becomes the one who appends: an empty transaction at the end of the stream refuses everything that whoever appended before
    /// may still have on its way.
    async fn lead(&mut self) -> Result<(), Problem> {
        loop {
            self.catch_up().await?;
            match self.publish(&Transaction::default()).await {
                Ok(()) => {
                    self.parts = Parts::default();
                    self.store(Vec::new(), false).await?;
                    self.state.role.send_replace(Role::Conducts);
                    return Ok(());
                }
                Err(Lost::Overtaken) => {}
                Err(Lost::Closed) => return Err(super::gone()),
            }
        }
    }
}

/// The next messages, as many as are there.
async fn ready(messages: &mut Messages) -> Result<Vec<jetstream::Message>, Problem> {
    let mut batch = Vec::new();
    let mut chunks = messages.ready_chunks(BATCH);
    let Some(chunk) = chunks.next().await else {
        return Ok(batch);
    };
    for message in chunk {
        match message {
            Ok(message) => batch.push(message),
            // What came before it is good; the next look finds out.
            Err(_) if !batch.is_empty() => break,
            Err(error) => return Err(trouble(format!("the event stream cannot be read: {error}"))),
        }
    }
    Ok(batch)
}
