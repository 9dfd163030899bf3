//! Previews of proposals: begun by a person, built anew with every version, ended with the proposal.

use std::sync::{Arc, Weak};

use serde_json::json;
use tokio::sync::mpsc;

use super::Conductor;
use super::records::{self, Change};
use crate::deploy::PreviewOptions;
use crate::deploy::preview::{Order, Previews};
use crate::model::api::StartPreview;
use crate::model::{
    Event, EventKind, NewEvent, Preview, PreviewState, Problem, Proposal, ProposalId, ProposalState,
};
use crate::review;

impl Conductor {
    /// Makes previews possible. What an earlier process left of them is removed.
    ///
    /// # Errors
    /// When the folder for them cannot be emptied.
    pub fn serve_previews(self: &Arc<Self>, options: PreviewOptions) -> Result<(), Problem> {
        let (told, news) = mpsc::unbounded_channel();
        let previews = Previews::open(options, told)?;
        if self.previews.set(previews).is_err() {
            return Err(Problem::internal("previews are served already"));
        }
        tokio::spawn(tell(Arc::downgrade(self), news));
        tokio::spawn(follow(Arc::downgrade(self), self.log.head().seq));
        Ok(())
    }

    pub(super) fn previews(&self) -> Result<&Arc<Previews>, Problem> {
        self.previews.get().ok_or_else(|| {
            Problem::new(501, "no-previews", "this server makes no previews")
                .hint("run `sayso` or `sayso serve` in the site's folder")
        })
    }

    /// The previews that are served or built.
    pub(super) fn previews_now(&self) -> Vec<Preview> {
        self.previews
            .get()
            .map(|previews| previews.list())
            .unwrap_or_default()
    }

    /// Builds and serves an open proposal as it would be committed; returns at once, with the address.
    ///
    /// # Errors
    /// `not-found`; `conflict` when the proposal is not open; `no-previews` (501).
    pub async fn preview(
        self: &Arc<Self>,
        id: &ProposalId,
        start: StartPreview,
    ) -> Result<Preview, Problem> {
        let previews = self.previews()?;
        let proposal = self.open_one(id)?;
        let order = self.order(&proposal, start.allow).await?;
        previews.show(order)
    }

    /// The preview of a proposal.
    ///
    /// # Errors
    /// `not-found` when there is none.
    pub fn preview_of(&self, id: &ProposalId) -> Result<Preview, Problem> {
        self.previews()?.get(id).ok_or_else(|| no_preview(id))
    }

    /// The picture of a preview, as PNG.
    ///
    /// # Errors
    /// `not-found` with the reason when there is none.
    pub fn preview_picture(&self, id: &ProposalId) -> Result<Arc<[u8]>, Problem> {
        let preview = self.preview_of(id)?;
        self.previews()?.picture(id).ok_or_else(|| {
            let why = preview
                .no_picture
                .unwrap_or_else(|| "the picture is being taken".to_owned());
            Problem::not_found(why).hint(format!("the page itself is at {}", preview.url))
        })
    }

    /// Ends a preview.
    ///
    /// # Errors
    /// `not-found` when there is none.
    pub fn end_preview(&self, id: &ProposalId) -> Result<(), Problem> {
        if self.previews()?.end(id, "it was closed") {
            Ok(())
        } else {
            Err(no_preview(id))
        }
    }

    /// Ends all previews, and removes what was built for them.
    pub fn end_previews(&self) {
        for preview in self.previews_now() {
            if let Some(previews) = self.previews.get() {
                previews.end(&preview.proposal, "Sayso ends");
            }
        }
    }

    pub(super) async fn order(&self, proposal: &Proposal, allow: bool) -> Result<Order, Problem> {
        Ok(Order {
            proposal: proposal.id.clone(),
            version: proposal.version,
            kind: proposal.kind,
            source: self.repo.source(&proposal.base).await?,
            files: proposal
                .files
                .iter()
                .filter_map(review::select::accepted)
                .collect(),
            allow,
        })
    }

    /// What an event means for the previews.
    async fn note_for_previews(&self, event: &Event) -> Result<(), Problem> {
        let previews = self.previews()?;
        let Some(id) = &event.proposal else {
            return Ok(());
        };
        match event.kind {
            EventKind::Proposal => {
                // Another try takes the place of the one before, at the same address.
                let of = event.instruction.as_ref();
                let of = of
                    .map(|id| records::instruction(&self.log, id))
                    .transpose()?;
                let before = of.and_then(|instruction| instruction.revises);
                if before.is_some_and(|before| previews.pass_on(&before, id)) {
                    self.renew(id).await?;
                }
            }
            EventKind::ProposalUpdated if previews.get(id).is_some() => self.renew(id).await?,
            EventKind::Rejected => {
                let again = event.data["reason"]
                    .as_str()
                    .is_some_and(|reason| reason.starts_with("revised:"));
                if !again {
                    previews.end(id, "the proposal was rejected");
                }
            }
            EventKind::Commit => {
                previews.end(id, "the proposal was committed");
                for id in event.data["proposals"].as_array().into_iter().flatten() {
                    let id = ProposalId::from(id.as_str().unwrap_or_default());
                    previews.end(&id, "the proposal was committed");
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn renew(&self, id: &ProposalId) -> Result<(), Problem> {
        let proposal = records::proposal(&self.log, id)?;
        if proposal.state == ProposalState::Open {
            let order = self.order(&proposal, false).await?;
            self.previews()?.refresh(order);
        }
        Ok(())
    }
}

fn no_preview(id: &ProposalId) -> Problem {
    Problem::not_found(format!("there is no preview of proposal {id}")).hint(
        "begin one: POST to the same address, `sayso preview`, or say \u{ab}preview changes\u{bb}",
    )
}

/// Writes what becomes of previews into the log.
async fn tell(conductor: Weak<Conductor>, mut news: mpsc::UnboundedReceiver<Preview>) {
    while let Some(preview) = news.recv().await {
        let Some(conductor) = conductor.upgrade() else {
            return;
        };
        let message = match preview.state {
            PreviewState::Building => format!("building the preview at {}", preview.url),
            PreviewState::Ready if preview.picture => {
                format!("the preview is at {}, with a picture", preview.url)
            }
            PreviewState::Ready => format!("the preview is at {}", preview.url),
            PreviewState::Held | PreviewState::Failed => {
                format!("no preview: {}", preview.message)
            }
            PreviewState::Ended => preview.message.clone(),
        };
        let mut data = json!({ "message": message, "preview": preview });
        if let Some(hint) = &preview.hint {
            data["hint"] = json!(hint);
        }
        let event =
            NewEvent::new(EventKind::Notice, "sayso", data).proposal(Some(&preview.proposal));
        if let Err(problem) = Change::new().event(event).store(&conductor.log).await {
            tracing::warn!(%problem, "what became of a preview could not be stored");
        }
    }
}

/// Follows the log, so that previews keep up with their proposals whoever changes those.
async fn follow(conductor: Weak<Conductor>, after: u64) {
    let Some(mut follower) = conductor
        .upgrade()
        .map(|conductor| conductor.log.follow(after))
    else {
        return;
    };
    loop {
        // The conductor may go while nothing happens: it is held between events only.
        let event = match follower.next().await {
            Ok(event) => event,
            Err(problem) => {
                tracing::warn!(%problem, "previews no longer follow their proposals");
                return;
            }
        };
        let Some(conductor) = conductor.upgrade() else {
            return;
        };
        if let Err(problem) = conductor.note_for_previews(&event).await {
            tracing::warn!(%problem, "a preview does not follow its proposal");
        }
    }
}
