//! The target of each environment: chosen by the configuration, in one table.

mod github;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::sync::mpsc;

use self::github::{actions_repository, interface, on_github, without_clone};
use super::wiring;
use crate::config::credential::{self, Service};
use crate::config::{Config, Environment, ProjectPaths, SECRETS};
use crate::deploy::health::HealthOptions;
use crate::deploy::remote::{Pace, Redactor, Token};
use crate::deploy::{
    ActionsOptions, ActionsTarget, CommandOptions, CommandTarget, DeployTarget, HostOptions,
    HostTarget, LocalNotice, LocalTarget, VercelOptions, VercelTarget,
};
use crate::model::Problem;
use crate::vcs::github::Address;

/// How long an address on the web may take to show what was deployed.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// The target of each environment by name.
type Targets = BTreeMap<String, Arc<dyn DeployTarget>>;

/// What targets are made from.
struct Site<'a> {
    config: &'a Config,
    project: &'a ProjectPaths,
    root: &'a Path,
    notices: Option<mpsc::UnboundedSender<LocalNotice>>,
    /// The site's repository on GitHub, or why it is not known.
    repository: Result<Address, Problem>,
}

/// Makes the target of one environment.
type Make = fn(&Site<'_>, &Environment) -> Result<Arc<dyn DeployTarget>, Problem>;

/// Every target but the embedded host, which serves all of its environments together.
const TARGETS: [(&str, Make); 4] = [
    ("host", host),
    ("command", command),
    ("vercel", vercel),
    ("github_actions", github_actions),
];

/// The embedded host's name.
const LOCAL: &str = "local";

/// The configured targets, and what the embedded host tells after a deployment has returned.
///
/// # Errors
/// `config` when an environment names no target that there is; the target's own.
pub async fn open(
    config: &Config,
    project: &ProjectPaths,
    root: &Path,
) -> Result<(Targets, mpsc::UnboundedReceiver<LocalNotice>), Problem> {
    let (sender, notices) = mpsc::unbounded_channel();
    let environments = config.environments()?;
    // Git is asked for it only where it counts: every start would wait for that.
    let asked = |target: &str| matches!(target, "vercel" | "github_actions");
    let repository = if environments.iter().any(|one| asked(&one.target)) {
        on_github(config, root).await
    } else {
        Err(Problem::not_found("not looked for"))
    };
    let site = Site {
        config,
        project,
        root,
        notices: Some(sender.clone()),
        repository,
    };
    let mut targets = Targets::new();
    let mut local = Vec::new();
    for environment in environments {
        if environment.target == LOCAL {
            local.push(environment);
            continue;
        }
        let Some((_, make)) = TARGETS.iter().find(|(name, _)| *name == environment.target) else {
            let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            return Err(Problem::new(
                422,
                "config",
                format!(
                    "the environment {:?} has an unknown target {:?}",
                    environment.name, environment.target
                ),
            )
            .hint(format!("target takes: {LOCAL}, {}", names.join(", "))));
        };
        targets.insert(environment.name.clone(), make(&site, &environment)?);
    }
    if !local.is_empty() {
        let options = wiring::local_options(config, project, root, &local, sender)?;
        let target = LocalTarget::open(options).await?;
        for environment in local {
            targets.insert(
                environment.name,
                Arc::clone(&target) as Arc<dyn DeployTarget>,
            );
        }
    }
    Ok((targets, notices))
}

fn health(site: &Site<'_>, environment: &Environment) -> Result<HealthOptions, Problem> {
    Ok(HealthOptions {
        deadline: SHOWN_WITHIN,
        ..wiring::health_options(&environment.health, &environment.name, site.root)?
    })
}

/// How each environment is asked whether it is well, for as long as it is live.
///
/// # Errors
/// `config` when a header is named that cannot be one.
pub fn checks(config: &Config, root: &Path) -> Result<BTreeMap<String, HealthOptions>, Problem> {
    let environments = config.environments()?.into_iter();
    let checks = environments.map(|environment| {
        let options = wiring::health_options(&environment.health, &environment.name, root)?;
        Ok((environment.name, options))
    });
    checks.collect()
}

/// The first of these variables that is set, with its value.
fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        std::env::var(name)
            .ok()
            .filter(|value| !value.trim().is_empty())
    })
}

/// After so long it is looked again for a token that was not found.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// A token that is looked for when it is first needed: the keyring, and a program that is asked, take their time.
/// `host` is empty for the service's usual one.
fn token(service: Service, host: &str, redactor: &Redactor) -> Token {
    #[derive(Default)]
    struct Found {
        token: Option<String>,
        missed: Option<Instant>,
    }
    let found = Arc::new(tokio::sync::Mutex::new(Found::default()));
    let (host, redactor) = (host.to_owned(), redactor.clone());
    Arc::new(move || {
        let (found, redactor, host) = (Arc::clone(&found), redactor.clone(), host.clone());
        async move {
            let mut found = found.lock().await;
            let missed = found.missed.is_some_and(|at| at.elapsed() < LOOK_AGAIN);
            if found.token.is_none() && !missed {
                let wanted = host.clone();
                let looked =
                    tokio::task::spawn_blocking(move || credential::find(service, &wanted));
                let credential = looked.await.map_err(Problem::internal)?;
                match credential {
                    Some(credential) => {
                        let secret = credential.secret.expose().to_owned();
                        redactor.learn(&secret);
                        found.token = Some(secret);
                    }
                    None => found.missed = Some(Instant::now()),
                }
            }
            found.token.clone().ok_or_else(|| {
                let name = service.name();
                let (at, login) = match host.as_str() {
                    "" | "github.com" => (String::new(), name.to_owned()),
                    host => (format!(" at {host}"), format!("{name} --host {host}")),
                };
                let what = format!("there is no token for {name}{at}");
                let variable = service.variables(&host)[0];
                Problem::new(401, "no-token", what)
                    .hint(format!("set {variable}, or: sayso login {login}"))
            })
        }
        .boxed()
    })
}

/// Everything in the environment that must not be shown.
fn secrets(more: &[String]) -> Redactor {
    // The ids of project and team are no secrets, and stand in addresses that people need to read.
    let names = SECRETS
        .iter()
        .copied()
        .filter(|name| !name.ends_with("_ID"));
    let names = names.chain(["GITHUB_TOKEN", "GH_TOKEN"]);
    let values = names
        .chain(more.iter().map(String::as_str))
        .filter_map(|name| std::env::var(name).ok());
    Redactor::new(values)
}

/// The address of a service's API: the environment's, so that no repository can send a token elsewhere.
fn api(name: &str, default: &str) -> Result<url::Url, Problem> {
    let text = variable(&[name]).unwrap_or_else(|| default.to_owned());
    url::Url::parse(&text).map_err(|error| {
        Problem::new(422, "config", format!("{name} is no address: {error}"))
            .hint("correct or remove the variable")
    })
}

fn host(site: &Site<'_>, environment: &Environment) -> Result<Arc<dyn DeployTarget>, Problem> {
    let set = &environment.host;
    let mistake = |what: String, hint: &str| {
        let what = format!("the environment {:?}: {what}", environment.name);
        Problem::new(422, "config", what).hint(hint)
    };
    if set.url.is_empty() {
        return Err(mistake(
            "it is deployed to another machine, but to which?".to_owned(),
            "set `url` under [deploy.host] in your own configuration, or SAYSO_DEPLOY__HOST__URL; docs/deploy.md shows how",
        ));
    }
    let url = url::Url::parse(&set.url).map_err(|error| {
        let what = format!("{:?} is no address: {error}", set.url);
        mistake(
            what,
            "write it whole, as in https://deploy.example.org:8443",
        )
    })?;
    let roots = match set.ca.as_str() {
        "" => None,
        path => Some(std::fs::read(path).map_err(|error| {
            mistake(
                format!("{path}: {error}"),
                "`ca` under [deploy.host] names a file in PEM",
            )
        })?),
    };
    let there = |environment: &Environment| match environment.host.environment.as_str() {
        "" => environment.name.clone(),
        name => name.to_owned(),
    };
    // What can be promoted there: the environments of the same server.
    let all = site.config.environments()?;
    let names = all
        .iter()
        .filter(|other| other.target == "host" && other.host.url == set.url)
        .map(|other| (other.name.clone(), there(other)));
    let actor = git(site.root, &["config", "user.name"]);
    let secrets = secrets(&[]);
    let target = HostTarget::open(HostOptions {
        environment: environment.name.clone(),
        names: names.collect(),
        url,
        project: set.project.clone(),
        site: Some(set.site.clone()).filter(|site| !site.is_empty()),
        roots,
        insecure: set.insecure,
        parallel: set.parallel,
        time_limit: set.time_limit.duration(),
        token: token(Service::Host, "", &secrets),
        actor: actor.unwrap_or_else(|| "someone".to_owned()),
        build: wiring::build_options(site.config),
        cache: site.project.host().join("cache"),
        health: health(site, environment)?,
        state_dir: site.project.targets(),
        secrets,
        pace: Pace {
            least: Duration::from_secs(1),
            skew: Duration::from_secs(1),
            failed: Duration::from_secs(1),
            tries: 10,
            poll: Duration::from_millis(50),
            ..Pace::default()
        },
        notices: site.notices.clone(),
    })?;
    Ok(target)
}

fn command(site: &Site<'_>, environment: &Environment) -> Result<Arc<dyn DeployTarget>, Problem> {
    let target = CommandTarget::open(CommandOptions {
        environment: environment.name.clone(),
        settings: environment.command.clone(),
        health: health(site, environment)?,
        state_dir: site.project.targets(),
        secrets: secrets(&environment.command.pass),
    })?;
    Ok(target)
}

fn vercel(site: &Site<'_>, environment: &Environment) -> Result<Arc<dyn DeployTarget>, Problem> {
    let repository = site.repository.as_ref().ok();
    let options = VercelOptions {
        repository: repository.map(|address| (address.owner.clone(), address.name.clone())),
        ..vercel_options(site.config, site.project, site.root, environment)?
    };
    Ok(VercelTarget::open(options)?)
}

/// How an environment is deployed to Vercel; of which repository is not looked up.
pub(super) fn vercel_options(
    config: &Config,
    project: &ProjectPaths,
    root: &Path,
    environment: &Environment,
) -> Result<VercelOptions, Problem> {
    /// What `vercel link` writes.
    #[derive(Default, serde::Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Linked {
        project_id: String,
        org_id: String,
    }
    let linked: Linked = std::fs::read(root.join(".vercel/project.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let first = |set: &str, name: &str, linked: &str| {
        [
            set.to_owned(),
            variable(&[name]).unwrap_or_default(),
            linked.to_owned(),
        ]
        .into_iter()
        .find(|value| !value.is_empty())
        .unwrap_or_default()
    };
    let set = &environment.vercel;
    let named = first(&set.project, "VERCEL_PROJECT_ID", &linked.project_id);
    let team = first(&set.team, "VERCEL_ORG_ID", &linked.org_id);
    let secrets = secrets(&[]);
    Ok(VercelOptions {
        base: api("VERCEL_API_URL", "https://api.vercel.com")?,
        token: token(Service::Vercel, "", &secrets),
        environment: environment.name.clone(),
        project: named,
        team: Some(team).filter(|team| team.starts_with("team_")),
        place: Some(set.environment.clone())
            .filter(|place| !place.is_empty())
            .unwrap_or_else(|| environment.name.clone()),
        git: match set.source.as_str() {
            "git" => true,
            "files" => false,
            other => {
                return Err(Problem::new(
                    422,
                    "config",
                    format!("[deploy.vercel] source takes files or git, not {other:?}"),
                )
                .hint("correct it in sayso.toml"));
            }
        },
        repository: None,
        url: Some(set.url.clone()).filter(|url| !url.is_empty()),
        bypass: variable(&["VERCEL_AUTOMATION_BYPASS_SECRET"]),
        time_limit: set.time_limit.duration(),
        health: health(
            &Site {
                config,
                project,
                root,
                notices: None,
                repository: Err(Problem::not_found("not looked for")),
            },
            environment,
        )?,
        state_dir: project.targets(),
        secrets,
        pace: Pace::default(),
    })
}

fn github_actions(
    site: &Site<'_>,
    environment: &Environment,
) -> Result<Arc<dyn DeployTarget>, Problem> {
    let set = &environment.github_actions;
    let address = actions_repository(&set.repository, &site.repository).map_err(|problem| {
        let name = &environment.name;
        let what = format!("the environment {name:?} is deployed by GitHub Actions: {}", problem.detail);
        Problem::new(422, "config", what)
            .hint("set `repository = \"owner/name\"` under [deploy.github_actions], or add a remote: git remote add origin …")
    })?;
    let (base, host) = interface(site.config, &address)?;
    let secrets = secrets(&[]);
    // Without a branch of its own it is the one that is checked out; without a clone that of [github], or the default.
    let here = || match without_clone(site.root) {
        Some(_) => Some(site.config.github.branch.clone()),
        None => git(site.root, &["symbolic-ref", "--short", "HEAD"]),
    };
    let branch = Some(set.branch.clone()).filter(|branch| !branch.is_empty());
    let target = ActionsTarget::open(ActionsOptions {
        base,
        token: token(Service::GitHub, &host, &secrets),
        environment: environment.name.clone(),
        repository: (address.owner, address.name),
        workflow: set.workflow.clone(),
        branch: branch.or_else(here).filter(|branch| !branch.is_empty()),
        input: Some(set.input.clone()).filter(|input| !input.is_empty()),
        url: Some(set.url.clone()).filter(|url| !url.is_empty()),
        time_limit: set.time_limit.duration(),
        health: health(site, environment)?,
        state_dir: site.project.targets(),
        secrets,
        pace: Pace::default(),
    })?;
    Ok(target)
}

/// One line that git says about the repository.
fn git(root: &Path, args: &[&str]) -> Option<String> {
    let output = std::process::Command::new("git")
        .args(args)
        .current_dir(root)
        .stdin(std::process::Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
