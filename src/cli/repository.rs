//! Which repository a command works on, and what makes its commits: git in a clone, or GitHub.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Place;
use super::embed::repo_dir;
use crate::config::credential::{self, Credential, Service};
use crate::config::{CommitBy, Config, Paths};
use crate::model::Problem;
use crate::vcs::git::Git;
use crate::vcs::github::{Account, Address, Cache, Cloned, Remote};
use crate::vcs::{Pushing, Repository};

/// Where a site's files are.
pub enum Site {
    /// In a clone on this machine.
    Clone(Git),
    /// On GitHub alone.
    Remote(Address),
}

impl Site {
    /// What `place` means: a folder, or `OWNER/NAME` where there is no such folder, or what the configuration names
    /// where there is no repository.
    ///
    /// # Errors
    /// `no-repository` when it is none of them.
    pub async fn find(place: &Place, paths: &Paths) -> Result<Self, Problem> {
        if let Some(address) = remote(place) {
            return Ok(Self::Remote(address));
        }
        match Git::open(&repo_dir(place)?).await {
            Ok(git) => Ok(Self::Clone(git)),
            Err(problem) if problem.is("no-repository") && place.repo.is_none() => {
                let config = crate::config::load(paths, None)?;
                match named(&config)? {
                    Some(address) => Ok(Self::Remote(address)),
                    None => Err(problem),
                }
            }
            Err(problem) => Err(problem),
        }
    }

    /// What stands for the site's folder: state is kept under its name.
    pub fn root(&self) -> PathBuf {
        match self {
            Self::Clone(git) => git.root().to_path_buf(),
            Self::Remote(address) => Path::new(&address.host)
                .join(&address.owner)
                .join(&address.name),
        }
    }

    /// The folder that may hold a `sayso.toml`.
    pub fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Clone(git) => Some(git.root().to_path_buf()),
            Self::Remote(_) => None,
        }
    }

    /// The clone, where there is one.
    pub fn clone_of(&self) -> Option<Git> {
        match self {
            Self::Clone(git) => Some(git.clone()),
            Self::Remote(_) => None,
        }
    }

    /// The repository, as the configuration wants commits to be made.
    ///
    /// # Errors
    /// `config`; `no-token`; without a clone also what GitHub says.
    pub async fn open(
        self,
        config: &Config,
        paths: &Paths,
    ) -> Result<Arc<dyn Repository>, Problem> {
        let cache = |address: &Address| {
            let folder = Path::new("github").join(&address.host);
            Cache::new(
                paths
                    .cache
                    .join(folder.join(&address.owner).join(&address.name)),
            )
        };
        let signed = config.github.signed;
        match self {
            Self::Remote(address) => {
                let cache = cache(&address);
                let (account, _) = account(config, address).await?;
                let remote = Remote::open(account, &config.github.branch, signed, cache).await?;
                Ok(Arc::new(remote))
            }
            Self::Clone(git) if config.vcs.commit == CommitBy::GitHub => {
                let address = address(config, &git).await?;
                let cache = cache(&address);
                let (account, _) = account(config, address).await?;
                Ok(Arc::new(Cloned::new(
                    git,
                    &config.vcs.remote,
                    account,
                    signed,
                    cache,
                )?))
            }
            Self::Clone(git) if config.vcs.push => {
                Ok(Arc::new(Pushing::new(git, &config.vcs.remote)))
            }
            Self::Clone(git) => Ok(Arc::new(git)),
        }
    }
}

/// The repository on GitHub that `place` names; a folder of that name comes first.
pub fn remote(place: &Place) -> Option<Address> {
    let name = place.repo.as_ref()?;
    if name.exists() {
        return None;
    }
    Address::parse(name.to_str()?)
}

/// The repository on GitHub that the configuration names.
fn named(config: &Config) -> Result<Option<Address>, Problem> {
    let text = &config.github.repository;
    if text.is_empty() {
        return Ok(None);
    }
    Address::parse(text).map(Some).ok_or_else(|| {
        Problem::new(
            422,
            "config",
            format!("[github] repository: {text:?} is no repository"),
        )
        .hint("write OWNER/NAME, or HOST/OWNER/NAME for a GitHub Enterprise")
    })
}

/// The repository on GitHub that a clone is one of.
///
/// # Errors
/// `config` when it has none.
pub async fn address(config: &Config, git: &Git) -> Result<Address, Problem> {
    if let Some(address) = named(config)? {
        return Ok(address);
    }
    let remote = &config.vcs.remote;
    let found = git.remote_address(remote).await;
    let missing = |why: String| {
        Problem::new(422, "config", format!("which repository on GitHub this is is not known: {why}"))
            .hint("set [github] repository = \"OWNER/NAME\", or the remote: git remote add origin ADDRESS")
    };
    match found {
        None => Err(missing(format!("there is no remote {remote:?}"))),
        Some(text) => Address::parse(&text)
            .ok_or_else(|| missing(format!("the remote {remote:?} does not lead to a GitHub"))),
    }
}

/// Where and as whom requests are made, and where the token was found.
///
/// # Errors
/// `no-token` when there is none.
pub async fn account(
    config: &Config,
    address: Address,
) -> Result<(Account, credential::Origin), Problem> {
    let api = match config.github.api.as_str() {
        "" => std::env::var("GITHUB_API_URL").unwrap_or_default(),
        api => api.to_owned(),
    };
    // An address that the person set is one that they trust with their token; a remote's host is not.
    let host = if api.is_empty() {
        address.host.clone()
    } else {
        String::new()
    };
    let found = token(&host).await?;
    Ok((
        Account {
            address,
            api,
            token: found.secret,
            patience: config.github.wait.duration(),
        },
        found.origin,
    ))
}

async fn token(host: &str) -> Result<Credential, Problem> {
    let wanted = host.to_owned();
    let found = tokio::task::spawn_blocking(move || credential::find(Service::GitHub, &wanted))
        .await
        .map_err(Problem::internal)?;
    found.ok_or_else(|| {
        let variable = Service::GitHub.variables(host)[0];
        Problem::new(401, "no-token", "there is no token for GitHub").hint(format!(
            "store one: sayso login github; or set {variable}; or log in with GitHub's program: gh auth login"
        ))
    })
}
