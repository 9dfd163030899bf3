//! What `sayso doctor` says about GitHub: which repository, whose token, what it may do.

use super::doctor::Check;
use super::repository;
use crate::config::{CommitBy, Config};
use crate::model::Problem;
use crate::vcs::git::Git;
use crate::vcs::github::{Address, Rights, rights};

/// The name of the check.
const NAME: &str = "github";

/// Looks at the token; nothing for a repository that has nothing to do with GitHub.
pub(super) async fn look(
    config: &Config,
    git: Option<&Git>,
    remote: Option<Address>,
) -> Option<Check> {
    let runs = config.environments().unwrap_or_default();
    let runs = runs
        .iter()
        .any(|environment| environment.target == "github_actions");
    let needed = remote.is_some() || config.vcs.commit == CommitBy::GitHub || runs;
    let address = match (remote, git) {
        (Some(address), _) => Ok(address),
        (None, Some(git)) => repository::address(config, git).await,
        (None, None) => return None,
    };
    let address = match address {
        Ok(address) => address,
        Err(problem) if needed => return Some(Check::of(NAME, Err(problem))),
        Err(_) => return None,
    };
    let known = config.github.api.is_empty() && !address.is_public_host();
    let (account, origin) = match repository::account(config, address.clone()).await {
        Ok(found) => found,
        Err(problem) if needed => return Some(Check::of(NAME, Err(problem))),
        // Any host may have a git; of those nobody logged in to nothing is to be said.
        Err(_) if known => return None,
        Err(_) => {
            return Some(Check::new(
                NAME,
                format!("{address}; no token, and none is needed while git makes the commits"),
            ));
        }
    };
    let found = rights(account).await;
    Some(Check::of(NAME, told(&address, &origin.to_string(), found)))
}

fn told(
    address: &Address,
    origin: &str,
    found: Result<Rights, Problem>,
) -> Result<String, Problem> {
    let rights = found.map_err(|mut problem| {
        problem.detail = format!("{} (token from {origin})", problem.detail);
        problem
    })?;
    let scopes = match &rights.scopes {
        Some(scopes) if scopes.is_empty() => "no scopes".to_owned(),
        Some(scopes) => format!("scopes {}", scopes.join(", ")),
        None => "a fine-grained token, without scopes".to_owned(),
    };
    let lacking = rights.lacking();
    let lacks = if lacking.is_empty() {
        String::new()
    } else {
        format!("; lacks {}", lacking.join(", "))
    };
    let found = format!(
        "{address} as {}, token from {origin}: {scopes}{lacks}",
        rights.login
    );
    if let Some(name) = rights.renamed {
        return Err(Problem::new(
            409,
            "github-moved",
            format!("{found}; it is called {name} now"),
        )
        .hint(format!(
            "git remote set-url origin git@{}:{name}.git",
            address.host
        )));
    }
    if rights.archived {
        return Err(Problem::new(
            409,
            "github-archived",
            format!("{found}; it is archived and takes no changes"),
        )
        .hint("unarchive it in its settings on GitHub"));
    }
    if rights.write == Some(false) || lacking.contains(&"repo") {
        return Err(Problem::new(403, "github-forbidden", format!("{found}; it may not write there"))
            .hint("make a token with scope `repo` (classic) or Contents: read and write (fine-grained), then: sayso login github"));
    }
    Ok(match lacking.as_slice() {
        [] => found,
        _ => format!("{found} (for files under .github/workflows)"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(scopes: Option<&[&str]>, write: Option<bool>) -> Result<String, Problem> {
        let address = Address::parse("ada/site").unwrap();
        let rights = Rights {
            login: "ada".into(),
            scopes: scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            write,
            ..Rights::default()
        };
        told(&address, "the environment (GITHUB_PAT)", Ok(rights))
    }

    #[test]
    fn scopes_are_told_with_what_is_lacking() {
        assert_eq!(
            with(Some(&["repo", "workflow"]), Some(true)).unwrap(),
            "ada/site as ada, token from the environment (GITHUB_PAT): scopes repo, workflow"
        );
        let some = with(Some(&["repo"]), Some(true)).unwrap();
        assert!(some.contains("lacks workflow"), "{some}");
        let none = with(Some(&[]), Some(true)).unwrap_err();
        assert!(none.detail.contains("lacks repo") && none.hint.is_some());
        assert!(with(None, Some(false)).is_err());
        assert!(with(None, None).unwrap().contains("fine-grained"));
    }
}
