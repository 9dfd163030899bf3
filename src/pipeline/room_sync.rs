//! A proposal and the document of its room: two faces of one text.
//!
//! What people write in the room becomes the proposal's text after a moment's rest; what comes by other ways (an edit, a version
//! taken back, a merge with a moved branch) goes into the document as few small edits. Whoever does anything with a
//! proposal settles the two first, so what is decided, revised or approved is what stands in the document.
//!
//! Both sides are on disk at different moments. What they last agreed on is kept with the proposal, in the same transaction
//! as its text, and the document is always written down before the proposal learns of it: after a crash
//! the newer side is known, and nothing is taken twice.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;

use super::propose::{proposal_event, view};
use super::records::{self, Change};
use super::room_live::{Captured, Told};
use super::rooms::{Kind, OpenRoom, SYNCED, Seed, Synced};
use super::{Conductor, room_store, versions};
use crate::events::{EventLog, RoomRow};
use crate::model::api::Approval;
use crate::model::room::{HistoryStep, HistoryTexts};
use crate::model::{
    Content, DeploymentId, EventKind, Problem, Proposal, ProposalId, ProposalState,
};
use crate::review;
use crate::room::RoomDoc;

/// The proposal follows its document after so long a rest …
const REST: Duration = Duration::from_secs(1);

/// … and at least so often while people write on.
const AT_LEAST: Duration = Duration::from_secs(5);

/// A proposal and its document, settled.
pub(super) struct Settled {
    /// The document's state vector at that moment.
    state_vector: Vec<u8>,
    /// The first version of those that differ from this one in nothing but the document's text.
    follows: u32,
}

fn room_of(id: &ProposalId) -> String {
    format!("proposal:{id}")
}

/// The texts of a proposal that people can write in.
fn texts(proposal: &Proposal) -> BTreeMap<String, String> {
    let text = |content: &Content| content.as_text().map(str::to_owned);
    let files = proposal.files.iter();
    files
        .filter_map(|file| Some((file.path.clone(), text(&file.after)?)))
        .collect()
}

/// Gives a proposal the texts of its document; true when that changes anything. Files that it does not have stay out of it, and the
/// ones that the document lost stay as they are.
fn follow(proposal: &mut Proposal, written: &BTreeMap<String, String>) -> bool {
    let mut changed = false;
    for file in &mut proposal.files {
        let Some(text) = written.get(&file.path) else {
            continue;
        };
        if file.after.as_text().is_some_and(|now| now != text) {
            file.after = Content::text(text);
            // A decision outlives an edit elsewhere in the file: ids stay with unchanged hunks.
            review::diff::refresh(file);
            changed = true;
        }
    }
    changed
}

impl Conductor {
    /// The room `name`, loaded.
    ///
    /// # Errors
    /// `not-found` when it is no name of a room, or what it is of does not exist; `store`.
    pub async fn open_room(self: &Arc<Self>, name: &str) -> Result<OpenRoom, Problem> {
        let none = || {
            Problem::not_found(format!("there is no room {name:?}")).hint(
                "rooms are called project:NAME, proposal:ID, build:ID, deployment:ID, preview:ID or presence",
            )
        };
        let kind = Kind::of(name).ok_or_else(none)?;
        self.keep_rooms();
        match &kind {
            Kind::Proposal(id) => {
                let state = records::proposal(&self.log, id).map_err(|_| none())?.state;
                let fresh = !self.rooms.is_live(name);
                let (log, of) = (self.log.clone(), id.clone());
                let id = id.clone();
                let room = self.rooms.open(name, kind, move || seed(&log, &of)).await?;
                if fresh {
                    room.set_writable(state == ProposalState::Open);
                    // What happened while nobody was here; whoever comes need not wait for it.
                    self.settle_soon(id);
                }
                return Ok(room);
            }
            Kind::Project(project) if project != self.log.project() => return Err(none()),
            Kind::Of("preview", of) => {
                records::proposal(&self.log, &ProposalId(of.clone())).map_err(|_| none())?;
            }
            Kind::Of(_, of) => {
                let of = DeploymentId(of.clone());
                records::deployment_if_any(&self.log, &of)?.ok_or_else(none)?;
            }
            Kind::Project(_) | Kind::Presence | Kind::Free => {}
        }
        self.rooms.open(name, kind, || Ok(None)).await
    }

    /// Starts what keeps proposals and documents together, once.
    fn keep_rooms(self: &Arc<Self>) {
        let mut edits = self
            .rooms
            .edits
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(edits) = edits.take() {
            tokio::spawn(keep_up(Arc::downgrade(self), self.log.clone(), edits));
        }
    }

    pub(super) fn settle_soon(self: &Arc<Self>, id: ProposalId) {
        let conductor = Arc::clone(self);
        self.tasks.spawn(async move {
            let _one_at_a_time = conductor.reviewing.lock().await;
            if let Err(problem) = conductor.settle_room(&id, false).await {
                tracing::warn!(%problem, %id, "a proposal does not follow its document");
            }
        });
    }

    /// Lets people write in a proposal's room again after an approval came to nothing.
    pub(super) fn reopen_room(&self, id: &ProposalId) {
        let state = records::proposal(&self.log, id).map(|proposal| proposal.state);
        if let (Some(room), Ok(ProposalState::Open)) = (self.rooms.loaded(&room_of(id)), state) {
            room.set_writable(true);
        }
    }

    /// Brings a proposal and its document together; nothing for a proposal that was never opened in a room. With `closing`,
    /// the room takes nothing more until it is settled again. The caller holds [`Conductor::reviewing`].
    ///
    /// # Errors
    /// `not-found`, `store`, or `event-too-large` when the text has become too long for a proposal.
    pub(super) async fn settle_room(
        &self,
        id: &ProposalId,
        closing: bool,
    ) -> Result<Option<Settled>, Problem> {
        let name = room_of(id);
        if !self.rooms.known(&name)? {
            return Ok(None);
        }
        let (log, of) = (self.log.clone(), id.clone());
        let kind = Kind::Proposal(id.clone());
        let room = self
            .rooms
            .open(&name, kind, move || seed(&log, &of))
            .await?;
        let proposal = records::proposal(&self.log, id)?;
        let theirs = texts(&proposal);
        let synced: Synced = self.log.get(SYNCED, id.as_str())?.unwrap_or_default();
        let behind = synced.version != proposal.version;
        let broken = |error| Problem::internal(format!("the document of {name}: {error}"));
        if behind && theirs != synced.texts {
            room.take_up(&synced.texts, &theirs, "sayso")
                .map_err(broken)?;
        }
        let mut captured = self.rooms.capture(&room, closing).await?;
        let open = proposal.state == ProposalState::Open;
        if !closing {
            room.set_writable(open);
        }
        let lost = |(path, _): &(&String, &String)| !captured.texts.contains_key(*path);
        let lost: BTreeMap<String, String> = theirs
            .iter()
            .filter(lost)
            .map(|(path, text)| (path.clone(), text.clone()))
            .collect();
        if !lost.is_empty() {
            // Whoever took a file out of the map did not take it out of the proposal.
            room.take_up(&BTreeMap::new(), &lost, "sayso")
                .map_err(broken)?;
            let editors = captured.editors;
            captured = self.rooms.capture(&room, closing).await?;
            captured.editors.splice(0..0, editors);
        }
        let follows = match behind {
            true => proposal.version,
            false => synced.follows,
        };
        let settled = Settled {
            state_vector: captured.state_vector.clone(),
            follows,
        };
        let mut followed = proposal;
        if open && follow(&mut followed, &captured.texts) {
            self.follow_room(followed, captured, follows).await?;
        } else if behind {
            let synced = Synced {
                version: followed.version,
                follows,
                texts: theirs,
            };
            Change::new()
                .put(SYNCED, id.as_str(), &synced)?
                .store(&self.log)
                .await?;
        }
        Ok(Some(settled))
    }

    /// Stores a proposal with the text of its document.
    async fn follow_room(
        &self,
        mut proposal: Proposal,
        captured: Captured,
        follows: u32,
    ) -> Result<(), Problem> {
        proposal.version += 1;
        proposal.updated_at = Timestamp::now();
        let view = view(proposal);
        let actor = captured.editors.last().map_or("sayso", String::as_str);
        let mut event = proposal_event(EventKind::ProposalUpdated, &view, None, actor);
        event.data["room"] = json!(true);
        if captured.editors.len() > 1 {
            event.data["editors"] = json!(captured.editors);
        }
        let synced = Synced {
            version: view.proposal.version,
            follows,
            texts: texts(&view.proposal),
        };
        let change = Change::new().event(event).proposal(&view.proposal)?;
        let change = change.put(SYNCED, view.proposal.id.as_str(), &synced)?;
        let change = versions::keep_written(change, &self.log, &view.proposal, actor)?;
        change.store(&self.log).await?;
        Ok(())
    }

    /// That what was reviewed is what stands there now: the version, and for those in its room the document.
    ///
    /// # Errors
    /// `bad-request` when the state vector is none; `conflict` when there is anything newer.
    pub(super) fn as_reviewed(
        &self,
        approval: &Approval,
        proposal: &Proposal,
        settled: Option<&Settled>,
    ) -> Result<(), Problem> {
        let changed = || {
            Problem::conflict("the proposal changed since it was reviewed")
                .hint("look at it again, then approve it")
        };
        let mut same = approval.version.is_none_or(|seen| seen == proposal.version);
        if let Some(reviewed) = &approval.state_vector {
            let bytes = STANDARD
                .decode(reviewed)
                .map_err(|_| Problem::bad_request("the state_vector is not base64"))?;
            let settled = settled.ok_or_else(changed)?;
            match RoomDoc::same_state(&bytes, &settled.state_vector) {
                // Versions since then that only followed the document have the text that was reviewed.
                Ok(true) => same |= approval.version.is_some_and(|seen| seen >= settled.follows),
                Ok(false) => return Err(changed()),
                Err(error) => {
                    return Err(Problem::bad_request(format!("the state_vector: {error}")));
                }
            }
        }
        if same { Ok(()) } else { Err(changed()) }
    }

    /// The steps in which the text of a proposal was written, the oldest first.
    ///
    /// # Errors
    /// `not-found`, `store`.
    pub fn history_of(&self, id: &ProposalId) -> Result<Vec<HistoryStep>, Problem> {
        records::proposal(&self.log, id)?;
        let rows = room_store::history(self.log.store(), &room_of(id))?;
        Ok(rows.into_iter().map(step).collect())
    }

    /// The texts of a proposal after a step of its history.
    ///
    /// # Errors
    /// `not-found`, `store`.
    pub fn history_at(&self, id: &ProposalId, number: u64) -> Result<HistoryTexts, Problem> {
        records::proposal(&self.log, id)?;
        let mut rows = room_store::until(self.log.store(), &room_of(id), number)?;
        let document = RoomDoc::load(rows.iter().map(|row| &*row.body)).map_err(|error| {
            Problem::new(
                500,
                "store",
                format!("the history of {id} is damaged: {error}"),
            )
            .hint("restore the database from a copy")
        })?;
        let last = rows.pop().filter(|row| row.seq == number).ok_or_else(|| {
            Problem::not_found(format!("the history of {id} has no step {number}"))
                .hint("GET /api/proposals/{id}/history lists them")
        })?;
        Ok(HistoryTexts {
            step: step(last),
            files: document.files(),
        })
    }

    /// Tells `told` from now on who is in which room, whenever that changes.
    pub fn tell_presence(&self, told: Box<Told>) {
        self.rooms.tell(told);
    }

    /// Returns once somebody has come into the room of the project. Whoever runs this in their own process needs no room
    /// before that.
    pub fn company(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut company = self.rooms.company();
        async move {
            if company.wait_for(|came| *came).await.is_err() {
                // The project is closed: nobody will come.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Writes down what rooms hold; for the end of the program.
    pub async fn save_rooms(&self) {
        self.rooms.save_all().await;
    }
}

fn step(row: RoomRow) -> HistoryStep {
    HistoryStep {
        number: row.seq,
        at: Timestamp::from_millisecond(row.at).unwrap_or(Timestamp::UNIX_EPOCH),
        author: row.actor,
    }
}

/// What the document of a proposal begins with.
fn seed(log: &EventLog, id: &ProposalId) -> Result<Option<Seed>, Problem> {
    let proposal = records::proposal(log, id)?;
    let synced = Synced {
        version: proposal.version,
        follows: proposal.version,
        texts: texts(&proposal),
    };
    let author = match proposal.engine {
        engine if engine.is_empty() => "sayso".to_owned(),
        engine => engine,
    };
    Ok(Some(Seed { synced, author }))
}

/// Settles proposals whose document was written, and documents whose proposal changed.
async fn keep_up(
    conductor: Weak<Conductor>,
    log: EventLog,
    mut edits: mpsc::UnboundedReceiver<String>,
) {
    let mut events = log.follow(log.head().seq);
    // By proposal: when it was first written since, and when it is due.
    let mut due: HashMap<ProposalId, (Instant, Instant)> = HashMap::new();
    loop {
        let next = due.values().map(|(_, at)| *at).min();
        let now = Instant::now();
        tokio::select! {
            edited = edits.recv() => {
                let Some(id) = edited else { return };
                let (first, at) = due.entry(ProposalId(id)).or_insert((now, now));
                *at = (now + REST).min(*first + AT_LEAST);
            }
            event = events.next() => match event {
                Ok(event) => {
                    let Some(id) = &event.proposal else { continue };
                    let own = event.data["room"] == json!(true);
                    let Some(conductor) = conductor.upgrade() else { return };
                    if !own && conductor.rooms.is_live(&room_of(id)) {
                        due.insert(id.clone(), (now, now));
                    }
                }
                Err(problem) => {
                    tracing::warn!(%problem, "rooms do not see what happens to proposals");
                    tokio::time::sleep(REST).await;
                    events = log.follow(log.head().seq);
                }
            },
            () = at(next) => {
                let Some(conductor) = conductor.upgrade() else { return };
                let now = Instant::now();
                due.retain(|id, (_, at)| {
                    let later = *at > now;
                    if !later {
                        conductor.settle_soon(id.clone());
                    }
                    later
                });
            }
        }
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
