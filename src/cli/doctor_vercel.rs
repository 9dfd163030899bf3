//! What `sayso doctor` says about Vercel: whose token, what it reaches and what not, and the project.

use std::path::Path;

use jiff::Timestamp;

use super::doctor::Check;
use super::targets;
use crate::config::credential::{self, Service};
use crate::config::{Config, ProjectPaths};
use crate::deploy::vercel::{Rights, Scope, rights};
use crate::model::Problem;

/// The name of the check.
const NAME: &str = "vercel";

/// A token that ends sooner is worth a word.
const SOON_DAYS: i64 = 7;

/// Looks at every environment that goes to Vercel; nothing where there is none.
pub(super) async fn look(config: &Config, project: &ProjectPaths, root: &Path) -> Vec<Check> {
    let mut checks = Vec::new();
    for environment in config.environments().unwrap_or_default() {
        if environment.target != "vercel" {
            continue;
        }
        let found = match targets::vercel_options(config, project, root, &environment) {
            Ok(options) if options.project.is_empty() => Err(Problem::new(
                422,
                "config",
                format!("{} goes to Vercel, but to which project?", environment.name),
            )
            .hint("set VERCEL_PROJECT_ID, or `project` under [deploy.vercel]; or run `vercel link` once")),
            Ok(options) => match origin().await {
                Some(origin) => told(&environment.name, &origin, rights(&options).await),
                None => Err(Problem::new(
                    401,
                    "no-token",
                    format!("{} goes to Vercel, and there is no token for it", environment.name),
                )
                .hint("make one at vercel.com/account/tokens, then set VERCEL_TOKEN, or: sayso login vercel")),
            },
            Err(problem) => Err(problem),
        };
        checks.push(Check::of(NAME, found));
    }
    checks
}

/// Where the token is found.
async fn origin() -> Option<String> {
    // A keyring may ask a person: not on a thread of the runtime.
    let found = tokio::task::spawn_blocking(|| credential::find(Service::Vercel, "")).await;
    found.ok()?.map(|credential| credential.origin.to_string())
}

fn told(
    environment: &str,
    origin: &str,
    found: Result<Rights, Problem>,
) -> Result<String, Problem> {
    let rights = found.map_err(|mut problem| {
        problem.detail = format!("{} (token from {origin})", problem.detail);
        problem
    })?;
    let reach = match &rights.scopes {
        None => "its reach is not told".to_owned(),
        Some(scopes) if scopes.is_empty() => "it reaches nothing".to_owned(),
        Some(scopes) => {
            let names: Vec<String> = scopes.iter().map(name).collect();
            format!("it reaches {}", names.join(", "))
        }
    };
    let until = rights
        .expires
        .map_or(String::new(), |at| format!(", until {}", date(at)));
    let who = format!(
        "{environment} as {}, token from {origin}: {reach}{until}",
        rights.login
    );
    if let Some(lacking) = rights.lacking() {
        return Err(Problem::new(
            403,
            "vercel-forbidden",
            format!("{who}; it lacks {lacking}"),
        )
        .hint(
            "make a token with that scope at vercel.com/account/tokens, or correct VERCEL_ORG_ID",
        ));
    }
    let project = match &rights.project {
        Ok(project) => project,
        Err(why) => {
            return Err(Problem::new(
                404,
                "vercel-project",
                format!("{who}; the project cannot be seen: {why}"),
            )
            .hint("check VERCEL_PROJECT_ID and VERCEL_ORG_ID; a project that is not there yet is made by its first deployment"));
        }
    };
    let found = format!("{who}; project {project}");
    if rights.pinned {
        return Err(Problem::new(
            409,
            "vercel-pinned",
            format!("{found} is pinned since a rollback: new deployments do not go live"),
        )
        .hint("`sayso promote RELEASE` ends it"));
    }
    let left = rights
        .expires
        .map(|at| (at.as_second() - Timestamp::now().as_second()) / 86_400);
    match left {
        Some(days) if days < SOON_DAYS => Err(Problem::new(
            401,
            "vercel-token",
            format!("{found}; the token ends in {} days", days.max(0)),
        )
        .hint("make a new one at vercel.com/account/tokens")),
        _ => Ok(found),
    }
}

fn name(scope: &Scope) -> String {
    match scope {
        Scope::Account => "the whole account".to_owned(),
        Scope::Team(team) => team.clone(),
    }
}

/// The day.
fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(change: impl FnOnce(&mut Rights)) -> Result<String, Problem> {
        let mut rights = Rights {
            login: "ada".into(),
            scopes: Some(vec![Scope::Team("team_a".into())]),
            team: Some("team_a".into()),
            project: Ok("shop".into()),
            ..Rights::default()
        };
        change(&mut rights);
        told("production", "the environment (VERCEL_TOKEN)", Ok(rights))
    }

    #[test]
    fn reach_project_and_pin_are_told() {
        assert_eq!(
            of(|_| {}).unwrap(),
            "production as ada, token from the environment (VERCEL_TOKEN): it reaches team_a; project shop"
        );
        let other = of(|rights| rights.team = Some("team_b".into())).unwrap_err();
        assert!(other.detail.contains("lacks the team team_b") && other.hint.is_some());
        let gone = of(|rights| rights.project = Err("not found".into())).unwrap_err();
        assert!(gone.detail.contains("cannot be seen: not found"));
        assert!(
            of(|rights| rights.pinned = true)
                .unwrap_err()
                .detail
                .contains("pinned")
        );
        let soon = Timestamp::from_second(Timestamp::now().as_second() + 3 * 86_400 + 60).ok();
        let ends = of(|rights| rights.expires = soon).unwrap_err();
        assert!(ends.detail.contains("ends in 3 days"), "{ends}");
        let late = Timestamp::from_second(Timestamp::now().as_second() + 90 * 86_400).ok();
        assert!(
            of(|rights| rights.expires = late)
                .unwrap()
                .contains("until 20")
        );
        let unsaid = of(|rights| rights.scopes = None).unwrap();
        assert!(unsaid.contains("not told"), "{unsaid}");
    }
}
