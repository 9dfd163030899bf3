//! Previews of proposals, as the server tells of them.

use crate::model::{Preview, PreviewState, ProposalId};
use crate::tui::pictures::Drawing;
use std::collections::HashMap;

/// The previews, by proposal.
#[derive(Clone, Debug, Default)]
pub struct Previews {
    known: HashMap<ProposalId, Preview>,
    pictures: HashMap<ProposalId, (u32, Drawing)>,
}

impl Previews {
    /// Takes what the server tells; true when there is a picture to be loaded.
    pub fn put(&mut self, preview: Preview) -> bool {
        let id = preview.proposal.clone();
        if preview.state == PreviewState::Ended {
            self.known.remove(&id);
            self.pictures.remove(&id);
            return false;
        }
        let due = preview.picture
            && self
                .pictures
                .get(&id)
                .is_none_or(|(version, _)| *version != preview.version);
        self.known.insert(id, preview);
        due
    }

    /// Takes all that there are.
    pub fn replace(&mut self, previews: Vec<Preview>) -> Vec<(ProposalId, u32)> {
        self.known.clear();
        let mut due = Vec::new();
        for preview in previews {
            let (id, version) = (preview.proposal.clone(), preview.version);
            if self.put(preview) {
                due.push((id, version));
            }
        }
        let known = &self.known;
        self.pictures.retain(|id, _| known.contains_key(id));
        due
    }

    /// The preview of a proposal.
    pub fn get(&self, id: &ProposalId) -> Option<&Preview> {
        self.known.get(id)
    }

    /// Their addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &str> + Clone {
        self.known.values().map(|preview| preview.url.as_str())
    }

    /// Keeps a picture.
    pub fn put_picture(&mut self, id: &ProposalId, version: u32, drawing: Drawing) {
        if self.known.contains_key(id) {
            self.pictures.insert(id.clone(), (version, drawing));
        }
    }

    /// The picture of a proposal.
    pub fn picture(&self, id: &ProposalId) -> Option<&Drawing> {
        self.pictures.get(id).map(|(_, drawing)| drawing)
    }
}
