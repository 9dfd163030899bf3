//! The log in NATS JetStream, for several servers of one project.
//!
//! One server at a time conducts a project: it holds a [`lease`] and is the only one that appends. Each append is one message of a
//! stream, published with the sequence number that the writer believes to be the last one: should another have written meanwhile,
//! NATS refuses it, and the writer knows that it conducts no more. So there is one order and one numbering, whoever conducts. Every server
//! follows the stream into its own database and reads from there.

mod aside;
pub mod base64;
mod command;
mod keeper;
mod lease;
mod link;
mod wire;
mod work;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Live, Place, Put, RoomRow, sql};
use crate::model::{Event, NewEvent, Problem};
use crate::store::Store;
use command::{Append, Command};
use keeper::Keeper;
use link::Link;
pub use work::Job;
use work::Queue;

/// Changes of documents that a listener may be behind.
const CHANGES: usize = 1024;

/// How long a request waits for a stream that takes nothing.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// What is known of the NATS servers and of this one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses of the servers, with commas between them.
    pub url: String,
    /// Members of the cluster that keep a copy of each stream.
    pub replicas: usize,
    /// `user:password`, a token, the seed of an NKey, or the text of a credentials file.
    pub credentials: Option<String>,
    /// Where the other servers of the project reach this one.
    pub advertise: Url,
}

/// What this server is for the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It follows.
    Follows,
    /// It alone appends.
    Conducts,
    /// It conducted and does no more: what it has begun must end, and it must begin anew.
    Deposed,
}

/// What the tasks of a log share.
pub(crate) struct State {
    role: watch::Sender<Role>,
    /// Who conducts, when it is another one.
    leader: watch::Sender<Option<Url>>,
    /// Whatever this server has to do before it takes what changes the project is done.
    open: watch::Sender<bool>,
    /// The stream takes what is published.
    available: watch::Sender<bool>,
    /// The last sequence number of the stream that the database has.
    position: watch::Sender<u64>,
    /// Kinds and ids of the documents that another server changed.
    changes: broadcast::Sender<(String, String)>,
    /// Canceled when the log is closed.
    closed: CancellationToken,
}

/// The stream's side of a log.
pub struct Remote {
    advertise: Url,
    commands: mpsc::Sender<Command>,
    state: Arc<State>,
    link: Link,
    queue: Queue,
    lease: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.state.closed.cancel();
    }
}

impl Remote {
    pub(super) async fn join(
        path: &Path,
        project: &str,
        settings: &Settings,
    ) -> Result<(Store, Arc<Live>, Self), Problem> {
        let link = Link::open(project, settings).await?;
        let queue = Queue::open(&link, settings).await?;
        let store = store_of(path, &link.epoch)?;
        let live = Arc::new(Live::open(&store)?);
        let position = store.read(sql::position)?.unwrap_or(0);
        let state = Arc::new(State {
            role: watch::Sender::new(Role::Follows),
            leader: watch::Sender::new(None),
            open: watch::Sender::new(false),
            available: watch::Sender::new(true),
            position: watch::Sender::new(position),
            changes: broadcast::Sender::new(CHANGES),
            closed: CancellationToken::new(),
        });
        let (commands, received) = mpsc::channel(1024);
        let mut keeper = Keeper::new(
            link.clone(),
            store.clone(),
            project.to_owned(),
            Arc::clone(&live),
            Arc::clone(&state),
            position,
        );
        keeper.catch_up().await?;
        tokio::spawn(keeper.run(received));
        let remote = Self {
            advertise: settings.advertise.clone(),
            commands,
            state,
            link,
            queue,
            lease: Mutex::default(),
        };
        Ok((store, live, remote))
    }

    /// Wants to conduct from now on: as soon as nobody else does.
    ///
    /// # Errors
    /// `nats` when the lease's place cannot be made.
    pub async fn stand(&self, settings: &Settings) -> Result<(), Problem> {
        let lease = lease::Lease::open(&self.link, settings, Arc::clone(&self.state)).await?;
        let task = tokio::spawn(lease.keep(self.commands.clone()));
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(())
    }

    /// Takes the turn without a lease; returns once this log alone can append. Whoever had the turn before finds out by its next append.
    ///
    /// # Errors
    /// `store` when the database cannot follow.
    pub async fn lead(&self) -> Result<(), Problem> {
        lead(&self.commands).await
    }

    /// Returns once this server conducts.
    pub async fn led(&self) {
        let mut role = self.state.role.subscribe();
        // An error means that the log is gone, and whoever waits with it.
        let _ = role.wait_for(|role| *role == Role::Conducts).await;
    }

    /// Returns once this server conducts no more, having done so.
    pub async fn deposed(&self) {
        let mut role = self.state.role.subscribe();
        if role.wait_for(|role| *role == Role::Deposed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// From now on what changes the project may come.
    pub fn open(&self) {
        self.state.open.send_replace(true);
    }

    /// Gives the lease back, so that another server need not wait for its end.
    pub async fn leave(&self) {
        self.state.role.send_replace(Role::Deposed);
        self.state.closed.cancel();
        let task = self
            .lease
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    pub(super) fn conducts(&self) -> bool {
        *self.state.role.borrow() == Role::Conducts
    }

    pub(super) fn place(&self) -> Place {
        let role = *self.state.role.borrow();
        match role {
            Role::Conducts if !*self.state.available.borrow() => {
                Place::Nowhere("NATS takes nothing at the moment")
            }
            Role::Conducts if *self.state.open.borrow() => Place::Here,
            Role::Conducts => Place::Nowhere("this server is taking the project over"),
            Role::Deposed => Place::Nowhere("this server begins anew"),
            Role::Follows => match &*self.state.leader.borrow() {
                Some(url) => Place::There(url.clone()),
                None => Place::Nowhere("no server conducts this project at the moment"),
            },
        }
    }

    /// Where the server is that conducts, as far as this one knows.
    pub fn conductor(&self) -> Option<Url> {
        match *self.state.role.borrow() {
            Role::Conducts => Some(self.advertise.clone()),
            _ => self.state.leader.borrow().clone(),
        }
    }

    /// Ends once another server may conduct than when it was asked for.
    pub fn turned(&self) -> impl Future<Output = ()> + Send + use<> {
        let (mut role, mut leader) = (self.state.role.subscribe(), self.state.leader.subscribe());
        async move {
            tokio::select! {
                _ = role.changed() => {}
                _ = leader.changed() => {}
            }
        }
    }

    /// The last sequence number of the stream that this server's copy has.
    pub fn position(&self) -> u64 {
        *self.state.position.borrow()
    }

    /// Returns once the copy has the stream up to `position`.
    pub async fn reached(&self, position: u64) {
        let mut at = self.state.position.subscribe();
        let _ = at.wait_for(|at| *at >= position).await;
    }

    /// Returns once the stream has taken nothing for some seconds.
    pub async fn away(&self) {
        let mut available = self.state.available.subscribe();
        loop {
            if available.wait_for(|available| !available).await.is_err() {
                return;
            }
            let back = available.wait_for(|available| *available);
            if tokio::time::timeout(PATIENCE, back).await.is_err() {
                return;
            }
        }
    }

    /// Another server is to conduct, and this one to begin anew.
    pub fn resign(&self) {
        self.state.role.send_replace(Role::Deposed);
    }

    /// Kinds and ids of the documents that another server changes from now on.
    pub fn changes(&self) -> broadcast::Receiver<(String, String)> {
        self.state.changes.subscribe()
    }

    pub(super) async fn append(
        &self,
        events: Vec<NewEvent>,
        puts: Vec<Put>,
    ) -> Result<Vec<Event>, Problem> {
        self.ask(events, puts, Vec::new()).await
    }

    pub(super) async fn append_rows(
        &self,
        room: String,
        rows: Vec<RoomRow>,
    ) -> Result<(), Problem> {
        let asked = self.ask(Vec::new(), Vec::new(), vec![(room, rows)]).await;
        asked.map(drop)
    }

    async fn ask(
        &self,
        events: Vec<NewEvent>,
        puts: Vec<Put>,
        rooms: Vec<(String, Vec<RoomRow>)>,
    ) -> Result<Vec<Event>, Problem> {
        let (reply, answer) = oneshot::channel();
        let append = Append {
            events,
            puts,
            rooms,
            reply,
        };
        let sent = self.commands.send(Command::Append(append)).await;
        sent.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

async fn lead(commands: &mpsc::Sender<Command>) -> Result<(), Problem> {
    let (reply, answer) = oneshot::channel();
    let sent = commands.send(Command::Lead(reply)).await;
    sent.map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

fn gone() -> Problem {
    Problem::internal("the event log was closed")
}

/// Why a server that does not conduct appends nothing.
pub(crate) fn not_conducting() -> Problem {
    Problem::new(
        503,
        "not-conducting",
        "another server conducts this project now",
    )
    .hint("try again in a moment")
}

/// The database at `path` as the copy of the stream of `epoch`.
fn store_of(path: &Path, epoch: &str) -> Result<Store, Problem> {
    let store = Store::open(path)?;
    if store.epoch() == epoch {
        return Ok(store);
    }
    let (copy, content) = store.read(|c| {
        let content: bool = c.query_row(
            "SELECT EXISTS(SELECT 1 FROM events) OR EXISTS(SELECT 1 FROM documents)
                 OR EXISTS(SELECT 1 FROM room_updates)",
            [],
            |row| row.get(0),
        )?;
        Ok((sql::position(c)?.is_some(), content))
    })?;
    if content && !copy {
        return Err(Problem::conflict(format!(
            "{} has a history of its own, which the stream in NATS does not have",
            path.display()
        ))
        .hint("servers with [events] backend = \"nats\" begin with an empty state folder: move that file away, and keep it"));
    }
    let before = store.epoch().to_owned();
    drop(store);
    if content {
        // A copy of a stream that is no more: kept beside, for a person to look at.
        for end in ["", "-wal", "-shm"] {
            let mut from = path.as_os_str().to_owned();
            from.push(end);
            let mut to = path.as_os_str().to_owned();
            to.push(format!(".{before}{end}"));
            match std::fs::rename(&from, &to) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(
                        Problem::new(500, "store", format!("{}: {error}", path.display()))
                            .hint("check that the state folder can be written"),
                    );
                }
                _ => {}
            }
        }
        tracing::warn!(
            before,
            epoch,
            "the stream in NATS is another one than before; its copy is made anew"
        );
    }
    Store::open_as(path, epoch)
}
