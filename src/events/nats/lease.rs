//! Whose turn it is to conduct a project: an entry in a bucket of NATS that its holder renews.
//!
//! Nobody compares clocks. Whoever waits counts by its own clock how long the entry's revision has stayed the same while NATS
//! answered, and takes over by naming that revision: of two who try, one succeeds. Two servers that both believe to hold it
//! for a moment do no harm: the stream takes the appends of one of them only.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::{Config, CreateErrorKind, Store, UpdateErrorKind};
use async_nats::jetstream::stream::{LastRawMessageErrorKind, StorageType};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use url::Url;

use super::command::Command;
use super::link::{Link, trouble};
use super::{Role, Settings, State, lead};
use crate::model::Problem;

/// How often the holder renews it, and the others look.
const TICK: Duration = Duration::from_secs(1);

/// So many looks at the same revision, and the holder is taken for gone.
const LOOKS: u32 = 5;

/// The same when the entry names this server's own address: it was this one, before it was started anew.
const OWN_LOOKS: u32 = 2;

/// The bucket of all projects.
const BUCKET: &str = "sayso_leases";

/// What stands in the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    /// One run of a server.
    id: String,
    /// Where it is reached.
    url: Url,
}

/// What a look at the entry means.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// It is held; wait.
    Held,
    /// Its holder is gone.
    Stale,
}

/// Counts looks; pure.
#[derive(Debug, Default)]
struct Watch {
    revision: u64,
    looks: u32,
}

impl Watch {
    /// An entry was there at `revision`.
    fn look(&mut self, revision: u64, patience: u32) -> Seen {
        if revision != self.revision {
            *self = Self { revision, looks: 0 };
            return Seen::Held;
        }
        self.looks += 1;
        match self.looks >= patience {
            true => Seen::Stale,
            false => Seen::Held,
        }
    }

    /// NATS did not answer: the holder could not renew either.
    fn blind(&mut self) {
        self.looks = 0;
    }
}

/// This server's part in it.
pub(crate) struct Lease {
    bucket: Store,
    key: String,
    me: Holder,
    state: Arc<State>,
    watch: Watch,
    /// The revision of the entry, while it is this server's.
    held: Option<u64>,
}

impl Lease {
    pub(super) async fn open(
        link: &Link,
        settings: &Settings,
        state: Arc<State>,
    ) -> Result<Self, Problem> {
        let context = &link.context;
        let config = Config {
            bucket: BUCKET.to_owned(),
            description: "Which server conducts which project in Sayso".to_owned(),
            history: 1,
            storage: StorageType::File,
            num_replicas: settings.replicas,
            ..Config::default()
        };
        let bucket = match context.get_key_value(BUCKET).await {
            Ok(bucket) => bucket,
            Err(_) => match context.create_key_value(config).await {
                Ok(bucket) => bucket,
                // Made by another server at the same moment.
                Err(error) => context.get_key_value(BUCKET).await.map_err(|_| {
                    trouble(format!("the bucket {BUCKET} cannot be had: {error}"))
                        .hint("replicas under [events] wants a cluster of so many servers")
                })?,
            },
        };
        Ok(Self {
            bucket,
            key: link.project.clone(),
            me: Holder {
                id: format!("{:016x}", getrandom::u64().map_err(Problem::internal)?),
                url: settings.advertise.clone(),
            },
            state,
            watch: Watch::default(),
            held: None,
        })
    }

    /// Looks, takes and renews until the log is closed or the turn is lost.
    pub(super) async fn keep(mut self, commands: mpsc::Sender<Command>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.state.closed.cancelled() => break,
                _ = tick.tick() => {}
            }
            match self.held {
                Some(revision) => self.renew(revision).await,
                None => self.look().await,
            }
            let role = *self.state.role.borrow();
            match (self.held, role) {
                (Some(_), Role::Follows) => {
                    if let Err(problem) = lead(&commands).await {
                        tracing::warn!(%problem, "the turn is this server's, and cannot be taken");
                    }
                }
                (_, Role::Deposed) => break,
                (None, Role::Conducts) => {
                    self.state.role.send_replace(Role::Deposed);
                    break;
                }
                _ => {}
            }
        }
        if let Some(revision) = self.held {
            let _ = self
                .bucket
                .delete_expect_revision(&self.key, Some(revision))
                .await;
        }
    }

    fn value(&self) -> Bytes {
        serde_json::to_vec(&self.me).unwrap_or_default().into()
    }

    async fn renew(&mut self, revision: u64) {
        match self.bucket.update(&self.key, self.value(), revision).await {
            Ok(revision) => {
                self.held = Some(revision);
                self.state
                    .available
                    .send_if_modified(|was| !std::mem::replace(was, true));
            }
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                match self.entry().await {
                    // The answer to an earlier renewal was lost.
                    Ok(Some((revision, holder))) if holder.id == self.me.id => {
                        self.held = Some(revision);
                    }
                    Ok(_) => {
                        tracing::warn!("another server has taken this project over");
                        self.held = None;
                    }
                    Err(error) => tracing::debug!(error, "the lease cannot be read"),
                }
            }
            // While NATS is away nobody else can have it; whoever had it when it is back may keep it.
            Err(error) => {
                tracing::debug!(%error, "the lease cannot be renewed");
                self.state
                    .available
                    .send_if_modified(|was| std::mem::replace(was, false));
            }
        }
    }

    async fn look(&mut self) {
        let entry = match self.entry().await {
            Ok(entry) => entry,
            Err(error) => {
                tracing::debug!(error, "the lease cannot be read");
                self.watch.blind();
                return;
            }
        };
        let Some((revision, holder)) = entry else {
            self.state
                .leader
                .send_if_modified(|leader| leader.take().is_some());
            match self.bucket.create(&self.key, self.value()).await {
                Ok(revision) => self.held = Some(revision),
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
                Err(error) => tracing::debug!(%error, "the lease cannot be taken"),
            }
            return;
        };
        let patience = match holder.url == self.me.url {
            true => OWN_LOOKS,
            false => LOOKS,
        };
        let stale = self.watch.look(revision, patience) == Seen::Stale;
        let leader = Some(holder.url).filter(|url| !stale && *url != self.me.url);
        self.state.leader.send_if_modified(|now| {
            let news = *now != leader;
            now.clone_from(&leader);
            news
        });
        if stale {
            match self.bucket.update(&self.key, self.value(), revision).await {
                Ok(revision) => self.held = Some(revision),
                Err(error) => tracing::debug!(%error, "the lease cannot be taken"),
            }
        }
    }

    /// The entry as the leader of its stream has it: when that answers, a holder could have renewed.
    async fn entry(&self) -> Result<Option<(u64, Holder)>, String> {
        let subject = format!("{}{}", self.bucket.prefix, self.key);
        let last = self
            .bucket
            .stream
            .get_last_raw_message_by_subject(&subject)
            .await;
        let last = match last {
            Ok(last) => last,
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                return Ok(None);
            }
            Err(error) => return Err(error.to_string()),
        };
        let gone = last.headers.get("KV-Operation").is_some();
        match serde_json::from_slice(&last.payload) {
            Ok(holder) if !gone => Ok(Some((last.sequence, holder))),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_that_does_not_renew_is_gone_after_some_looks_and_not_before() {
        let mut watch = Watch::default();
        for revision in 1..20 {
            assert_eq!(watch.look(revision, LOOKS), Seen::Held);
        }
        for _ in 1..LOOKS {
            assert_eq!(watch.look(19, LOOKS), Seen::Held);
        }
        assert_eq!(watch.look(19, LOOKS), Seen::Stale);
        // While NATS was away the holder could not renew: it gets its time anew.
        watch.blind();
        assert_eq!(watch.look(19, LOOKS), Seen::Held);
        assert_eq!(watch.look(20, LOOKS), Seen::Held);
    }
}
