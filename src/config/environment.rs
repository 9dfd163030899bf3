//! Environments: `[deploy]` describes the default one, `[[environment]]` further ones, each with the settings of its
//! own target over those in `[deploy]`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::freeze::{self, Freeze};
use super::{Config, Health, Span};
use crate::model::{ApprovalRule, Problem};

/// Deploying by any program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSettings {
    /// What the shell runs in a checkout of the commit's files.
    pub run: String,
    /// What the shell runs to go back to an earlier release; empty when it cannot.
    pub rollback: String,
    /// The live address, where it is known beforehand.
    pub url: String,
    /// Finds the live address in a line of output: the first group, or all of the match.
    pub address: String,
    /// Finds the progress in a line of output: a percentage, or two groups "done" and "of all".
    pub progress: String,
    /// Variables with tokens or keys that the program is given; others of that kind are kept from it.
    pub pass: Vec<String>,
    /// How long it may take.
    pub time_limit: Span,
}

/// Deploying to another machine that runs `sayso serve`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSettings {
    /// The address of that server.
    pub url: String,
    /// The project that it must serve; empty for any.
    pub project: String,
    /// The environment there; empty for the same name as here.
    pub environment: String,
    /// The live address, as visitors know it; empty for the one that the server names.
    pub site: String,
    /// A file with certificates to trust besides the system's, in PEM.
    pub ca: String,
    /// Plain HTTP is allowed to a server that is not on this machine.
    pub insecure: bool,
    /// Files that are sent at the same time.
    pub parallel: usize,
    /// How long it may take.
    pub time_limit: Span,
}

/// Deploying to Vercel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VercelSettings {
    /// The project's id or name.
    pub project: String,
    /// The team's id.
    pub team: String,
    /// `production`, `preview`, or a custom environment's slug; empty for the environment's own name.
    pub environment: String,
    /// `files` sends the commit's files, `git` lets Vercel fetch the commit from GitHub.
    pub source: String,
    /// The live address; empty for the one that Vercel names.
    pub url: String,
    /// How long it may take.
    pub time_limit: Span,
}

/// Deploying by GitHub Actions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionsSettings {
    /// `owner/name`; empty for the repository's own `origin`.
    pub repository: String,
    /// The workflow's file name.
    pub workflow: String,
    /// The branch or tag whose workflow runs; empty for the branch checked out.
    pub branch: String,
    /// The workflow's input that is given the environment's name; empty for none.
    pub input: String,
    /// The live address.
    pub url: String,
    /// How long it may take.
    pub time_limit: Span,
}

/// `[[environment]]` as it stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentTable {
    /// Its name.
    pub name: String,
    /// Its target; absent for that of `[deploy]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The embedded host's port for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The branch that it follows; absent for the one that is checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The checks before each step, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<String>>,
    /// Who must say yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalRule>,
    /// The environment that a good release goes to next, by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote_to: Option<String>,
    /// Windows in which nothing new goes to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Vec<String>>,
    /// Over `[health]`.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub health: Table,
    /// Over `[deploy.host]`.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub host: Table,
    /// Over `[deploy.command]`.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub command: Table,
    /// Over `[deploy.vercel]`.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub vercel: Table,
    /// Over `[deploy.github_actions]`.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub github_actions: Table,
}

/// An environment with everything that is set for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// The name of its target.
    pub target: String,
    /// The embedded host's port for it.
    pub port: u16,
    /// The branch that it follows; empty for the one that is checked out.
    pub branch: String,
    /// Its address; empty where the target knows it.
    pub url: String,
    /// The checks before each step, by name.
    pub checks: Vec<String>,
    /// Who must say yes.
    pub approval: ApprovalRule,
    /// The environment that a good release goes to next, by itself.
    pub promote_to: Option<String>,
    /// When nothing new goes to it.
    pub freeze: Freeze,
    /// What "well" means here.
    pub health: Health,
    /// For the target `host`.
    pub host: HostSettings,
    /// For the target `command`.
    pub command: CommandSettings,
    /// For the target `vercel`.
    pub vercel: VercelSettings,
    /// For the target `github_actions`.
    pub github_actions: ActionsSettings,
}

impl Config {
    /// Every environment, the default one first.
    ///
    /// # Errors
    /// `config` when a name is used twice or is none, or when a value is of the wrong kind.
    pub fn environments(&self) -> Result<Vec<Environment>, Problem> {
        let default = &self.deploy.environment;
        let plain = EnvironmentTable {
            name: default.clone(),
            ..EnvironmentTable::default()
        };
        let named = |name: &str| self.environment.iter().find(|entry| entry.name == name);
        let first = named(default).unwrap_or(&plain);
        let mut all = vec![self.resolve(first)?];
        for entry in self
            .environment
            .iter()
            .filter(|entry| entry.name != *default)
        {
            let plain = |c: char| c.is_alphanumeric() || "_-.".contains(c);
            if entry.name.is_empty() || entry.name.len() > 64 || !entry.name.chars().all(plain) {
                return Err(mistake(format!(
                    "[[environment]] name {:?} is no name: letters, digits, `-`, `_` and `.` are",
                    entry.name
                )));
            }
            if all.iter().any(|other| other.name == entry.name) {
                return Err(mistake(format!(
                    "the environment {:?} is described twice",
                    entry.name
                )));
            }
            all.push(self.resolve(entry)?);
        }
        Ok(all)
    }

    fn resolve(&self, entry: &EnvironmentTable) -> Result<Environment, Problem> {
        let deploy = &self.deploy;
        let is_default = entry.name == deploy.environment;
        let port = if is_default { deploy.local.port } else { 0 };
        let at = |name: &str| format!("environment {:?}, {name}", entry.name);
        let windows = entry.freeze.as_deref().unwrap_or_default();
        let zone = freeze::zone(&deploy.timezone);
        let freeze = zone.and_then(|zone| Freeze::parse(windows, zone));
        let url = entry.url.clone().unwrap_or_default();
        // The address of an environment is that of its target, unless that has one of its own.
        let known = |own: &mut String| {
            if own.is_empty() {
                own.clone_from(&url);
            }
        };
        let mut command = over(&deploy.command, &entry.command, &at("command"))?;
        let mut vercel = over(&deploy.vercel, &entry.vercel, &at("vercel"))?;
        let mut actions = over(
            &deploy.github_actions,
            &entry.github_actions,
            &at("github_actions"),
        )?;
        for own in [&mut command.url, &mut vercel.url, &mut actions.url] {
            known(own);
        }
        Ok(Environment {
            name: entry.name.clone(),
            target: entry
                .target
                .clone()
                .unwrap_or_else(|| deploy.target.clone()),
            port: entry.port.unwrap_or(port),
            branch: entry.branch.clone().unwrap_or_default(),
            checks: entry.checks.clone().unwrap_or_default(),
            approval: entry.approval.unwrap_or_default(),
            promote_to: entry.promote_to.clone(),
            freeze: freeze.map_err(|why| mistake(format!("{}: {why}", at("freeze"))))?,
            url,
            health: over(&self.health, &entry.health, &at("health"))?,
            host: over(&deploy.host, &entry.host, &at("host"))?,
            command,
            vercel,
            github_actions: actions,
        })
    }
}

/// `base` with what `own` sets.
fn over<T: Clone + Serialize + DeserializeOwned>(
    base: &T,
    own: &Table,
    place: &str,
) -> Result<T, Problem> {
    if own.is_empty() {
        return Ok(base.clone());
    }
    let mut table = Table::try_from(base).map_err(Problem::internal)?;
    table.extend(own.clone());
    Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| mistake(format!("{place}: {}", error.message())))
}

/// The keys that an `[[environment]]` may have, for the check of a layer.
pub(super) fn known(defaults: &Table) -> Table {
    let mut known = Table::new();
    for key in [
        "name",
        "target",
        "port",
        "branch",
        "url",
        "checks",
        "approval",
        "promote_to",
        "freeze",
    ] {
        known.insert(key.to_owned(), Value::String(String::new()));
    }
    let deploy = defaults.get("deploy").and_then(Value::as_table);
    if let Some(health) = defaults.get("health") {
        known.insert("health".to_owned(), health.clone());
    }
    for key in ["host", "command", "vercel", "github_actions"] {
        if let Some(settings) = deploy.and_then(|deploy| deploy.get(key)) {
            known.insert(key.to_owned(), settings.clone());
        }
    }
    known
}

/// Lays the environments of a later layer over those of the earlier ones, by name.
pub(super) fn merge(into: &mut Vec<Value>, from: Vec<Value>) {
    let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    for entry in from {
        let same = into
            .iter_mut()
            .find(|other| name(other).is_some() && name(other) == name(&entry));
        match (same, entry) {
            (Some(Value::Table(into)), Value::Table(from)) => super::layers::merge(into, from),
            (_, entry) => into.push(entry),
        }
    }
}

fn mistake(message: String) -> Problem {
    Problem::new(422, "config", message).hint(
        "correct it in sayso.toml; every setting is explained in the defaults (`sayso init --print-defaults`)",
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, load_layers};
    use crate::model::ApprovalRule;

    fn load(texts: &[&str]) -> Result<super::Config, super::Problem> {
        let layers: Vec<Layer> = texts
            .iter()
            .map(|text| Layer {
                name: "sayso.toml".into(),
                text: (*text).into(),
            })
            .collect();
        load_layers(&layers)
    }

    #[test]
    fn an_environment_has_the_settings_of_its_target_and_its_own_over_them() {
        let config = load(&[
            "[deploy]\ntarget = \"vercel\"\n[deploy.vercel]\nproject = \"shop\"\n\
             [[environment]]\nname = \"preview\"\n[environment.vercel]\nsource = \"git\"\n\
             [[environment]]\nname = \"here\"\ntarget = \"local\"\nport = 4100",
            "[[environment]]\nname = \"preview\"\n[environment.vercel]\nteam = \"team_1\"",
        ])
        .unwrap();
        let all = config.environments().unwrap();
        let names: Vec<_> = all
            .iter()
            .map(|e| (e.name.as_str(), e.target.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("production", "vercel"),
                ("preview", "vercel"),
                ("here", "local")
            ]
        );
        assert_eq!(all[0].vercel.source, "files");
        assert_eq!(all[1].vercel.source, "git");
        assert_eq!(all[1].vercel.project, "shop");
        assert_eq!(all[1].vercel.team, "team_1");
        assert_eq!(all[2].port, 4100);
    }

    #[test]
    fn an_environment_has_its_own_idea_of_health_and_its_own_host() {
        let config = load(&[
            "[health]\npath = \"/ok\"\nexpect = \"hi\"\n[deploy.host]\nproject = \"shop\"\n\
             [[environment]]\nname = \"staging\"\n[environment.health]\nexpect = \"\"\ninterval = \"5s\"\n\
             [environment.host]\nurl = \"https://h\"",
        ])
        .unwrap();
        let all = config.environments().unwrap();
        assert_eq!(all[0].health, config.health);
        let health = &all[1].health;
        assert_eq!((health.path.as_str(), health.expect.as_str()), ("/ok", ""));
        assert_eq!(health.interval.duration().as_secs(), 5);
        assert_eq!(
            (all[1].host.url.as_str(), all[1].host.project.as_str()),
            ("https://h", "shop")
        );
    }

    #[test]
    fn a_typo_in_an_environment_is_named_with_its_line() {
        let problem =
            load(&["[[environment]]\nname = \"x\"\n[environment.vercel]\nprojekt = \"y\""])
                .unwrap_err();
        assert!(
            problem.detail.contains("line 4")
                && problem.detail.contains("environment.vercel.projekt")
                && problem.detail.contains("did you mean project?"),
            "{problem}"
        );
    }

    #[test]
    fn what_stands_before_an_environment_is_read() {
        let config = load(&[
            "[[check]]\nname = \"lint\"\nrun = \"make lint\"\n\
             [[environment]]\nname = \"staging\"\nbranch = \"staging\"\nchecks = [\"lint\", \"size\"]\n\
             promote_to = \"production\"\nfreeze = [\"22:00 - 06:00\"]\n\
             [[environment]]\nname = \"production\"\napproval = \"two people\"\ntarget = \"command\"\n\
             url = \"https://example.org\"\n[deploy]\ntimezone = \"UTC\"",
            "[[environment]]\nname = \"staging\"\napproval = \"ask\"",
        ])
        .unwrap();
        let all = config.environments().unwrap();
        let (production, staging) = (&all[0], &all[1]);
        assert_eq!(production.approval, ApprovalRule::TwoPeople);
        assert_eq!(production.command.url, "https://example.org");
        assert_eq!(production.branch, "");
        assert_eq!(staging.approval, ApprovalRule::Ask);
        assert_eq!(staging.branch, "staging");
        assert_eq!(staging.checks, ["lint", "size"]);
        assert_eq!(staging.promote_to.as_deref(), Some("production"));
        let night = "2026-11-20T23:00:00Z".parse().unwrap();
        assert!(staging.freeze.until(night).is_some());
        assert_eq!(production.freeze.until(night), None);
        assert_eq!(config.check[0].time_limit.duration().as_secs(), 300);
    }

    #[test]
    fn a_value_of_the_wrong_kind_names_its_environment() {
        let config =
            load(&["[[environment]]\nname = \"x\"\n[environment.command]\nrun = 5"]).unwrap();
        let problem = config.environments().unwrap_err();
        assert!(
            problem.detail.contains("environment \"x\", command"),
            "{problem}"
        );
        for bad in ["", "a/b", "a b"] {
            let config = load(&[&format!("[[environment]]\nname = \"{bad}\"")]).unwrap();
            assert!(config.environments().is_err(), "{bad:?}");
        }
    }
}
