//! Proposals that go out together: as one commit and one deployment, each in the version that was looked at.

use crate::model::ProposalId;

/// The proposals of the batch, in the order in which they are applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    picked: Vec<(ProposalId, u32)>,
    /// The newest version of each proposal whose diff was on the screen.
    looked: Vec<(ProposalId, u32)>,
}

impl Batch {
    /// Proposals with the version that was looked at.
    pub fn picked(&self) -> &[(ProposalId, u32)] {
        &self.picked
    }

    /// The version in which `id` was picked.
    pub fn version(&self, id: &ProposalId) -> Option<u32> {
        let found = self.picked.iter().find(|(picked, _)| picked == id);
        found.map(|(_, version)| *version)
    }

    /// Puts it in, or takes it out; true when it is in now.
    pub fn toggle(&mut self, id: &ProposalId, version: u32) -> bool {
        if self.version(id).is_some() {
            self.remove(id);
            return false;
        }
        self.picked.push((id.clone(), version));
        true
    }

    /// The diff of `id` was on the screen in this version.
    pub fn look(&mut self, id: &ProposalId, version: u32) {
        self.moved(id, version);
        match self.looked.iter_mut().find(|(known, _)| known == id) {
            Some((_, at)) => *at = version,
            None => self.looked.push((id.clone(), version)),
        }
    }

    /// True when the diff of `id` was on the screen in this version.
    pub fn has_seen(&self, id: &ProposalId, version: u32) -> bool {
        self.looked
            .iter()
            .any(|(known, at)| known == id && *at == version)
    }

    /// The proposal is closed.
    pub fn close(&mut self, id: &ProposalId) {
        self.remove(id);
        self.looked.retain(|(known, _)| known != id);
    }

    /// Takes it out.
    pub fn remove(&mut self, id: &ProposalId) {
        self.picked.retain(|(picked, _)| picked != id);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.picked.clear();
    }

    /// A picked proposal was looked at in a newer version, or the person's own decision made one.
    pub fn moved(&mut self, id: &ProposalId, version: u32) {
        for (picked, at) in &mut self.picked {
            if picked == id {
                *at = version;
            }
        }
    }
}
