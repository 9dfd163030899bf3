//! What one Sayso asks of another that serves its site: the bodies of `/api/host`. Contents go by their SHA-256, so only
//! what the other one lacks is sent.

use serde::{Deserialize, Serialize};

use super::deployment::{LiveRelease, ReleaseInfo};
use super::id::{DeploymentId, ReleaseId};

/// The largest piece of a content that goes in one request, before it is compressed. A request that breaks off costs so
/// much at most; the next one goes on where the host stands.
pub const PIECE: usize = 1024 * 1024;

/// The header that says at which byte of the content a piece begins.
pub const OFFSET: &str = "upload-offset";

/// The header that says how many bytes the whole content has.
pub const LENGTH: &str = "upload-length";

/// What is said of a deployment that its process did not survive: its sender may ask for it once more.
pub const INTERRUPTED: &str = "it was interrupted and is not begun again";

/// A file of a release. It has no mode: a release is served, never run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostFile {
    /// Path from the root of the release, `/` between parts.
    pub path: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// `POST /api/host/{name}/missing`: which of these files' contents are not there?
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostManifest {
    /// The files.
    pub files: Vec<HostFile>,
}

/// A content that is not there, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostContent {
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// Bytes of it that are there: where to go on.
    pub have: u64,
}

/// The answer to a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostMissing {
    /// What is to be sent.
    pub missing: Vec<HostContent>,
}

/// `POST /api/host/{name}/release`: make these files a release, check it, and make it live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRelease {
    /// The deployment, as its sender calls it: asking twice is one deployment.
    pub deployment: DeploymentId,
    /// The commit that it was built from.
    pub commit: String,
    /// The id of that commit's tree.
    pub tree: String,
    /// A digest of how it was built.
    pub recipe: String,
    /// True when a build made it.
    pub built: bool,
    /// A new release even when the same files are live.
    #[serde(default)]
    pub force: bool,
    /// Who deploys.
    pub actor: String,
    /// Its files.
    pub files: Vec<HostFile>,
}

/// `POST /api/host/{name}/promote`: what another environment of the same host serves goes on to this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostPromote {
    /// The deployment, as its sender calls it.
    pub deployment: DeploymentId,
    /// The environment that it comes from.
    pub from: String,
    /// Who promotes.
    pub actor: String,
}

/// The answer to a release or a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostAccepted {
    /// The deployment that is under way.
    pub deployment: DeploymentId,
}

/// `GET /api/host/{name}`: how an environment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostState {
    /// The host's version.
    pub version: String,
    /// The project that it serves.
    pub project: String,
    /// What is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveRelease>,
    /// The releases kept, newest first.
    pub releases: Vec<ReleaseInfo>,
}

/// `POST /api/host/{name}/retreat`: the release is unwell, as its sender sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostUnwell {
    /// The release.
    pub release: ReleaseId,
    /// What is wrong with it.
    pub reason: String,
}

/// What became of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum HostRetreat {
    /// The host went back to this release.
    Returned {
        /// The release.
        release: ReleaseId,
    },
    /// Something else was live already.
    Moved,
    /// The unwell release is still served.
    Stays {
        /// Why, and what to do.
        why: String,
    },
}
