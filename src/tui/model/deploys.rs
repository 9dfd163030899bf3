//! The deployments of the project and the releases kept, as the deploy pane lists them.

use crate::model::api::{DeploymentList, EnvironmentReleases};
use crate::model::{Deployment, DeploymentId, DeploymentState, ReleaseInfo, Vitals};

/// Deployments kept.
const KEPT: usize = 100;

/// The list of deployments, newest first, and the place in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deploys {
    list: Vec<Deployment>,
    releases: Vec<EnvironmentReleases>,
    /// The selected deployment; the newest one when it is not in the list.
    selected: Option<DeploymentId>,
    /// The one that another is to be compared with.
    pub marked: Option<DeploymentId>,
    /// True once the list was loaded.
    pub loaded: bool,
    /// True while it is being loaded.
    pub loading: bool,
    /// True when something happened since it was asked for.
    pub fresh: bool,
}

impl Deploys {
    /// Takes the list that the server told.
    pub fn put(&mut self, told: DeploymentList) {
        self.list = told.deployments;
        self.list.truncate(KEPT);
        self.releases = told.releases;
        self.loaded = true;
        self.loading = false;
        let known = |id: &Option<DeploymentId>| {
            id.as_ref()
                .is_some_and(|id| self.list.iter().any(|deployment| deployment.id == *id))
        };
        if !known(&self.marked) {
            self.marked = None;
        }
        if !known(&self.selected) {
            self.selected = None;
        }
    }

    /// The selected deployment and the marked one, to be there again.
    pub fn place(&self) -> (Option<DeploymentId>, Option<DeploymentId>) {
        (self.selected.clone(), self.marked.clone())
    }

    /// Selects and marks what was selected and marked.
    pub fn come_back(&mut self, place: (Option<DeploymentId>, Option<DeploymentId>)) {
        (self.selected, self.marked) = place;
    }

    /// The deployments, newest first.
    pub fn list(&self) -> &[Deployment] {
        &self.list
    }

    /// Place of the selected one.
    pub fn at(&self) -> usize {
        let selected = self.selected.as_ref();
        let at = selected.and_then(|id| self.list.iter().position(|other| other.id == *id));
        at.unwrap_or(0)
    }

    /// The selected one.
    pub fn selected(&self) -> Option<&Deployment> {
        self.list.get(self.at())
    }

    /// Moves the selection by `rows`.
    pub fn select(&mut self, rows: i64) {
        let most = self.list.len().saturating_sub(1);
        let at = (self.at() as i64).saturating_add(rows);
        let at = usize::try_from(at).unwrap_or(0).min(most);
        self.selected = self.list.get(at).map(|deployment| deployment.id.clone());
    }

    /// The one called `id`.
    pub fn find(&self, id: &DeploymentId) -> Option<&Deployment> {
        self.list.iter().find(|deployment| deployment.id == *id)
    }

    /// What is still kept of the release that `deployment` made.
    pub fn release(&self, deployment: &Deployment) -> Option<&ReleaseInfo> {
        let id = deployment.release.as_ref()?;
        self.releases
            .iter()
            .filter(|kept| kept.environment == deployment.environment)
            .flat_map(|kept| &kept.releases)
            .find(|release| release.id == *id)
    }

    /// What people should know about `environment`: that a rollback pinned it, say.
    pub fn note(&self, environment: &str) -> Option<&str> {
        let kept = self
            .releases
            .iter()
            .find(|kept| kept.environment == environment)?;
        kept.note.as_deref()
    }

    /// Why what `deployment` made cannot go on to the next environment; nothing when it can.
    pub fn not_moved_on(&self, deployment: &Deployment) -> Option<&'static str> {
        match self.release(deployment) {
            Some(release) if release.bad => Some("this release failed after it went live"),
            Some(_) => None,
            None if deployment.target != "local" => None,
            None => Some("this release is not kept any more; deploy its commit instead"),
        }
    }

    /// How `environment` has been lately, where it is asked.
    pub fn health(&self, environment: &str) -> Option<&Vitals> {
        let kept = self
            .releases
            .iter()
            .find(|kept| kept.environment == environment)?;
        kept.health.as_ref()
    }

    /// Why what `deployment` made cannot be made live; nothing when it can, or only the place knows.
    pub fn not_promoted(&self, deployment: &Deployment) -> Option<&'static str> {
        if deployment.target == "local" {
            return Some("on the embedded host R goes back to it");
        }
        match (deployment.state, self.release(deployment)) {
            (DeploymentState::Waiting, _) => Some("this deployment waits for approval"),
            (DeploymentState::Queued | DeploymentState::Running, _) => {
                Some("this deployment is still running")
            }
            (_, Some(release)) if release.current => Some("this release is live"),
            _ => None,
        }
    }

    /// Why the environment cannot go back to what `deployment` made; nothing when it can.
    pub fn not_back_to(&self, deployment: &Deployment) -> Option<&'static str> {
        match (deployment.state, self.release(deployment)) {
            (DeploymentState::Waiting, _) => Some("this deployment waits for approval"),
            (DeploymentState::Queued | DeploymentState::Running, _) => {
                Some("this deployment is still running")
            }
            (_, Some(release)) if release.current => Some("this release is live"),
            (_, Some(release)) if release.bad => Some("this release failed after it went live"),
            (_, Some(_)) => None,
            (DeploymentState::Live, None) => {
                Some("this release is not kept any more; deploy its commit again")
            }
            (_, None) => Some("this deployment never went live"),
        }
    }
}

/// A state in a word, with the mark that says it without colour.
pub fn state(state: DeploymentState) -> (&'static str, &'static str) {
    match state {
        DeploymentState::Waiting => ("?", "asks"),
        DeploymentState::Queued => ("·", "waits"),
        DeploymentState::Running => ("●", "running"),
        DeploymentState::Live => ("✓", "live"),
        DeploymentState::Failed => ("✗", "failed"),
        DeploymentState::Canceled => ("!", "stopped"),
        DeploymentState::RolledBack => ("!", "taken back"),
        DeploymentState::Unknown => ("?", "unknown"),
    }
}
