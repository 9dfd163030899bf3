//! Which repository on GitHub a target is about, where that GitHub's interface is, and whose token it gets.

use std::path::Path;

use crate::cli::repository;
use crate::config::Config;
use crate::model::Problem;
use crate::vcs::git::Git;
use crate::vcs::github::Address;

/// The repository that `root` names where there is no clone: folders of clones are absolute.
pub(super) fn without_clone(root: &Path) -> Option<Address> {
    if root.is_absolute() {
        return None;
    }
    let parts: Option<Vec<&str>> = root.iter().map(std::ffi::OsStr::to_str).collect();
    Address::parse(&format!("https://{}", parts?.join("/")))
}

/// The site's repository on GitHub: the one that is used without a clone, or the clone's.
pub(super) async fn on_github(config: &Config, root: &Path) -> Result<Address, Problem> {
    match without_clone(root) {
        Some(address) => Ok(address),
        None => repository::address(config, &Git::open(root).await?).await,
    }
}

/// The repository whose workflow runs: `set`, on the site's own GitHub where it names no host; else the site's.
pub(super) fn actions_repository(
    set: &str,
    site: &Result<Address, Problem>,
) -> Result<Address, Problem> {
    if set.is_empty() {
        return site.clone();
    }
    let named = Address::parse(set)
        .ok_or_else(|| Problem::bad_request(format!("{set:?} is no repository")))?;
    Ok(match site {
        Ok(own) if set.matches('/').count() == 1 => Address {
            host: own.host.clone(),
            ..named
        },
        _ => named,
    })
}

/// Where GitHub's interface for `address` is, and the host whose token it gets. A variable moves the public GitHub alone:
/// a company's is where its address says.
pub(super) fn interface(config: &Config, address: &Address) -> Result<(url::Url, String), Problem> {
    let api = match config.github.api.as_str() {
        "" if address.is_public_host() => super::variable(&["GITHUB_API_URL"]).unwrap_or_default(),
        api => api.to_owned(),
    };
    let (rest, _) = address.bases(&api)?;
    let host = address.token_host(&rest);
    Ok((rest, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[tokio::test]
    async fn without_a_clone_the_repository_is_the_one_that_was_named() {
        let mut config = Config::default();
        config.github.repository = "bob/other".to_owned();
        let root = Path::new("git.example.org").join("ada").join("shop");
        let found = on_github(&config, &root).await.unwrap();
        assert_eq!(found, address("git.example.org/ada/shop"));
    }

    #[tokio::test]
    async fn a_clones_remote_is_the_configured_one() {
        let dir = tempfile::tempdir().unwrap();
        for args in [
            &["init", "-q"][..],
            &["remote", "add", "origin", "https://github.com/ada/fork"],
            &[
                "remote",
                "add",
                "upstream",
                "git@git.example.org:web/shop.git",
            ],
        ] {
            super::super::git(dir.path(), args);
        }
        let mut config = Config::default();
        config.vcs.remote = "upstream".to_owned();
        let found = on_github(&config, dir.path()).await.unwrap();
        assert_eq!(found, address("git.example.org/web/shop"));
        let (base, host) = interface(&config, &found).unwrap();
        assert_eq!(base.as_str(), "https://git.example.org/api/v3");
        assert_eq!(host, "git.example.org");
        config.github.api = "https://api.github.com".to_owned();
        assert_eq!(interface(&config, &found).unwrap().1, "github.com");
    }

    #[test]
    fn a_workflow_may_be_in_another_repository() {
        let site = Ok(address("git.example.org/ada/shop"));
        let named = |set: &str| actions_repository(set, &site).map(|found| found.to_string());
        assert_eq!(named("").unwrap(), "git.example.org/ada/shop");
        assert_eq!(named("ada/deploys").unwrap(), "git.example.org/ada/deploys");
        assert_eq!(named("github.com/ada/deploys").unwrap(), "ada/deploys");
        assert!(named("shop").is_err());
        let none = Err(Problem::not_found("none"));
        assert_eq!(
            actions_repository("ada/shop", &none).unwrap().host,
            "github.com"
        );
        assert!(actions_repository("", &none).is_err());
    }
}
