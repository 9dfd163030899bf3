//! Previews of proposals, as the server tells of them.

use std::collections::HashMap;
use std::sync::Arc;

use image::DynamicImage;

use crate::model::{Preview, PreviewState, ProposalId};

/// A picture of a page.
#[derive(Clone)]
pub struct Picture {
    /// The version of the proposal that it shows.
    pub version: u32,
    /// Counts the pictures, so that a drawn one is known again.
    pub serial: u64,
    /// The picture.
    pub image: Arc<DynamicImage>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("version", &self.version)
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

/// The previews, by proposal.
#[derive(Clone, Debug, Default)]
pub struct Previews {
    known: HashMap<ProposalId, Preview>,
    pictures: HashMap<ProposalId, Picture>,
    serial: u64,
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
                .is_none_or(|picture| picture.version != preview.version);
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

    /// Keeps a picture; what is no PNG is none.
    pub fn put_picture(&mut self, id: &ProposalId, version: u32, png: &[u8]) {
        if !self.known.contains_key(id) {
            return;
        }
        if let Ok(image) = image::load_from_memory_with_format(png, image::ImageFormat::Png) {
            self.serial += 1;
            let picture = Picture {
                version,
                serial: self.serial,
                image: Arc::new(image),
            };
            self.pictures.insert(id.clone(), picture);
        }
    }

    /// The picture of a proposal.
    pub fn picture(&self, id: &ProposalId) -> Option<&Picture> {
        self.pictures.get(id)
    }
}
