//! Proposals that go out together: as one commit and one deployment, each in the version that was looked at.

use crate::model::ProposalId;

/// The proposals of the batch, in the order in which they are applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    picked: Vec<(ProposalId, u32)>,
    /// The newest version of each proposal whose diff was on the screen.
    looked: Vec<(ProposalId, u32)>,
    /// Picked by an earlier run, and not seen again since: what changed of these meanwhile goes.
    returned: Vec<ProposalId>,
}

impl Batch {
    /// Proposals with the version that was looked at.
    pub fn picked(&self) -> &[(ProposalId, u32)] {
        &self.picked
    }

    /// Takes up what an earlier run had picked. It was looked at then, in these versions.
    pub fn come_back(&mut self, picked: Vec<(ProposalId, u32)>) {
        for (id, version) in picked {
            if self.version(&id).is_none() {
                self.looked.push((id.clone(), version));
                self.returned.push(id.clone());
                self.picked.push((id, version));
            }
        }
    }

    /// Takes out what is not open any more, and what an earlier run had picked in another version than the one that
    /// is open now; how many went. `open` gives the version of a proposal that is open.
    pub fn tidy(&mut self, open: impl Fn(&ProposalId) -> Option<u32>) -> usize {
        let before = self.picked.len();
        let returned = std::mem::take(&mut self.returned);
        self.picked.retain(|(id, version)| match open(id) {
            None => false,
            Some(now) => now == *version || !returned.contains(id),
        });
        before - self.picked.len()
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
        if let Some(at) = self.returned.iter().position(|returned| returned == id) {
            self.returned.swap_remove(at);
            // Nobody saw it change: it is for the person to pick it again.
            if self.version(id).is_some_and(|picked| picked != version) {
                self.remove(id);
            }
        }
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
        self.returned.retain(|returned| returned != id);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.picked.clear();
        self.returned.clear();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ProposalId {
        ProposalId::from(name)
    }

    #[test]
    fn what_comes_back_goes_when_it_changed_or_is_closed() {
        let mut batch = Batch::default();
        batch.come_back(vec![(id("same"), 2), (id("newer"), 1), (id("gone"), 1)]);
        let open = |of: &ProposalId| match of.as_str() {
            "same" | "newer" => Some(2),
            _ => None,
        };
        assert_eq!(batch.tidy(open), 2);
        assert_eq!(batch.picked(), [(id("same"), 2)]);
        assert!(batch.has_seen(&id("same"), 2));
        assert_eq!(batch.tidy(open), 0);
    }

    #[test]
    fn a_look_at_another_version_does_not_take_up_what_came_back() {
        let mut batch = Batch::default();
        batch.come_back(vec![(id("newer"), 1), (id("same"), 2)]);
        batch.look(&id("newer"), 2);
        batch.look(&id("same"), 2);
        assert_eq!(batch.picked(), [(id("same"), 2)]);
        // From here on it is as any other: what is looked at in a newer version moves on.
        batch.look(&id("same"), 3);
        assert_eq!(batch.version(&id("same")), Some(3));
    }

    #[test]
    fn what_was_picked_in_this_run_stays_when_it_changes() {
        let mut batch = Batch::default();
        batch.toggle(&id("a"), 1);
        assert_eq!(batch.tidy(|_| Some(2)), 0);
        assert_eq!(batch.picked(), [(id("a"), 1)]);
    }
}
