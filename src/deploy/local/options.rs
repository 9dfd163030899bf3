//! How the local host is set up, and what it tells.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::deploy::build::BuildOptions;
use crate::deploy::health::{HealthOptions, Probe};
use crate::deploy::host::Spa;
use crate::model::ReleaseId;

/// How the local host is set up.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// Where releases and pointers are kept; used by one process at a time.
    pub state_dir: PathBuf,
    /// Each environment's name and port; port 0 takes any, and the same again at the next start.
    pub environments: Vec<(String, u16)>,
    /// The address of the interface that it is served on.
    pub listen: IpAddr,
    /// Names under which it is reached, besides the loopback ones.
    pub hosts: Vec<String>,
    /// Releases to keep for each environment, besides those that are pointed at.
    pub keep: usize,
    /// How sites are built.
    pub build: BuildOptions,
    /// What "well" means.
    pub health: HealthOptions,
    /// What it means for an environment that has its own idea of it.
    pub healths: BTreeMap<String, HealthOptions>,
    /// Pages show running deployments and reload when a release goes live.
    pub notice: bool,
    /// Addresses of no file.
    pub spa: Spa,
    /// Where to tell what happens after a deployment has returned.
    pub notices: Option<mpsc::UnboundedSender<LocalNotice>>,
}

impl LocalOptions {
    /// One environment, `production`, on any port; five releases; the default build and health.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            environments: vec![("production".to_owned(), 0)],
            listen: Ipv4Addr::LOCALHOST.into(),
            hosts: Vec::new(),
            keep: 5,
            build: BuildOptions::default(),
            health: HealthOptions::default(),
            healths: BTreeMap::new(),
            notice: true,
            spa: Spa::Auto,
            notices: None,
        }
    }

    /// What "well" means in `environment`.
    pub(super) fn health_of(&self, environment: &str) -> HealthOptions {
        let own = self.healths.get(environment);
        HealthOptions {
            environment: environment.to_owned(),
            ..own.unwrap_or(&self.health).clone()
        }
    }
}

/// What happens to an environment outside a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalNotice {
    /// A release that just went live was asked how it is.
    Health {
        /// The environment.
        environment: String,
        /// The release.
        release: ReleaseId,
        /// The answer.
        probe: Probe,
    },
    /// A release was well for as long as it was watched.
    Watched {
        /// The environment.
        environment: String,
        /// The release.
        release: ReleaseId,
    },
    /// A release was found unwell and taken back. This happens once for a release; it is not offered again.
    RolledBack {
        /// The environment.
        environment: String,
        /// The unwell release.
        from: ReleaseId,
        /// What is served now.
        to: ReleaseId,
        /// What was wrong with it.
        reason: String,
    },
    /// A release was found unwell and there is no earlier good one, or it was taken back already a short while ago: it
    /// is still served, and a person must act.
    Unwell {
        /// The environment.
        environment: String,
        /// The release.
        release: ReleaseId,
        /// What is wrong with it.
        reason: String,
        /// Why nothing was done, and what to do.
        hint: String,
    },
}
