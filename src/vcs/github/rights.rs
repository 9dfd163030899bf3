//! What a token may do, for the check-up.

use super::api::{Account, Api, Ask};
use crate::model::Problem;

/// What GitHub says of a token and a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Whose token it is.
    pub login: String,
    /// The scopes it has; `None` for tokens that have none (fine-grained ones, those of apps).
    pub scopes: Option<Vec<String>>,
    /// Whether it may write to the repository; `None` when GitHub does not say.
    pub write: Option<bool>,
    /// The repository's name today, where that is another than the one asked for.
    pub renamed: Option<String>,
    /// The repository takes no changes.
    pub archived: bool,
}

impl Rights {
    /// Scopes that are of use and not there; none for tokens without scopes.
    pub fn lacking(&self) -> Vec<&'static str> {
        let Some(scopes) = &self.scopes else {
            return Vec::new();
        };
        let has = |wanted: &str| scopes.iter().any(|scope| scope == wanted);
        ["repo", "workflow"]
            .into_iter()
            .filter(|scope| !(has(scope) || *scope == "repo" && has("public_repo")))
            .collect()
    }
}

/// Asks GitHub whose token this is, and what it may do in the repository.
///
/// # Errors
/// `github-token` for one that is not accepted; `github-not-found`; `github-unreachable` …
pub async fn rights(account: Account) -> Result<Rights, Problem> {
    let wanted = account.address.full_name();
    let api = Api::new(account)?;
    let user = api.call(&Ask::get("read the account", "//user")).await?;
    let scopes = user.header("x-oauth-scopes").map(|scopes| {
        scopes
            .split(',')
            .map(str::trim)
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect()
    });
    let about = api.about().await?;
    let name = about.body["full_name"].as_str().unwrap_or_default();
    Ok(Rights {
        login: user.text("/login")?.to_owned(),
        scopes,
        write: about.body["permissions"]["push"].as_bool(),
        renamed: (!name.is_empty() && !name.eq_ignore_ascii_case(&wanted)).then(|| name.to_owned()),
        archived: about.body["archived"].as_bool() == Some(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_named() {
        let with = |scopes: &[&str]| Rights {
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            ..Rights::default()
        };
        assert_eq!(with(&["repo", "workflow"]).lacking(), [""; 0]);
        assert_eq!(with(&["gist"]).lacking(), ["repo", "workflow"]);
        assert_eq!(with(&["public_repo"]).lacking(), ["workflow"]);
        assert_eq!(Rights::default().lacking(), [""; 0]);
    }
}
