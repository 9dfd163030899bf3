//! `[watch]`: saves that go to a sandbox by themselves.

use serde::{Deserialize, Serialize};

use super::{Config, Span};
use crate::model::Problem;

/// Watching the working tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The cockpit and the server watch from the start.
    pub on: bool,
    /// How long nothing must have touched a file.
    pub settle: Span,
    /// At least so much time is between two commits.
    pub batch: Span,
    /// How long a file that is written to all the time is waited for.
    pub bound: Span,
    /// What is left out, besides what git ignores and what programs leave lying about.
    pub exclude: Vec<String>,
    /// The branch that saves go to.
    pub branch: String,
    /// The environment that follows it; empty for the one that fits.
    pub environment: String,
    /// What is done when both sides changed the same lines.
    pub conflicts: Conflicts,
    /// Whether the branch is pushed, where there is a remote.
    pub push: bool,
    /// Look at all files so often instead of being told; zero: only where the system tells nothing.
    pub poll: Span,
}

/// Who wins where both sides changed the same lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conflicts {
    /// The person is asked, and the branch waits.
    #[serde(rename = "ask")]
    Ask,
    /// What was saved here; the other side is kept on a branch of its own.
    #[serde(rename = "sandbox wins")]
    SandboxWins,
}

/// The name of the environment that saves go to, unless it is said.
const SANDBOX: &str = "sandbox";

/// Targets that nobody but this machine sees.
const LOCAL: &str = "local";

impl Config {
    /// The environment that saves are deployed to: the one asked for, else the configured one, else the one that follows
    /// their branch, else one called `sandbox`, else the default one where only this machine sees it.
    ///
    /// # Errors
    /// `not-found` for a name that is not configured; `no-sandbox` (422) when every save would go to a place that others
    /// see without anybody having said so.
    pub fn sandbox_environment(&self, asked: Option<&str>) -> Result<String, Problem> {
        let all = self.environments()?;
        let named = asked
            .map(str::to_owned)
            .or_else(|| Some(self.watch.environment.clone()).filter(|name| !name.is_empty()));
        if let Some(name) = named {
            if all.iter().any(|environment| environment.name == name) {
                return Ok(name);
            }
            let known: Vec<&str> = all.iter().map(|known| known.name.as_str()).collect();
            return Err(
                Problem::not_found(format!("there is no environment {name:?}"))
                    .hint(format!("configured: {}", known.join(", "))),
            );
        }
        let follows = all
            .iter()
            .find(|environment| environment.branch == self.watch.branch)
            .or_else(|| all.iter().find(|environment| environment.name == SANDBOX));
        if let Some(found) = follows {
            return Ok(found.name.clone());
        }
        match all.first() {
            Some(first) if first.target == LOCAL => Ok(first.name.clone()),
            _ => Err(Problem::new(
                422,
                "no-sandbox",
                format!(
                    "every save would go to {}, which others see",
                    self.deploy.environment
                ),
            )
            .hint(
                "give the saves a place of their own in sayso.toml: [[environment]] name = \"sandbox\", target = \"local\"; or say which: sayso watch --env NAME",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, load_layers};
    use super::*;

    fn config(text: &str) -> Config {
        load_layers(&[Layer {
            name: "sayso.toml".into(),
            text: text.into(),
        }])
        .unwrap()
    }

    #[test]
    fn saves_go_to_the_sandbox_where_there_is_one() {
        let plain = config("");
        assert_eq!(plain.sandbox_environment(None).unwrap(), "production");
        let one = config("[[environment]]\nname = \"sandbox\"\n");
        assert_eq!(one.sandbox_environment(None).unwrap(), "sandbox");
        assert_eq!(
            one.sandbox_environment(Some("production")).unwrap(),
            "production"
        );
        let follows = config(
            "[[environment]]\nname = \"sandbox\"\n[[environment]]\nname = \"try\"\nbranch = \"sandbox\"\n",
        );
        assert_eq!(follows.sandbox_environment(None).unwrap(), "try");
        let set = config("[watch]\nenvironment = \"try\"\n[[environment]]\nname = \"try\"\n");
        assert_eq!(set.sandbox_environment(None).unwrap(), "try");
        assert!(
            set.sandbox_environment(Some("nowhere"))
                .unwrap_err()
                .is("not-found")
        );
    }

    #[test]
    fn a_place_that_others_see_must_be_named() {
        let far = config("[deploy]\ntarget = \"vercel\"\n");
        assert!(far.sandbox_environment(None).unwrap_err().is("no-sandbox"));
        assert_eq!(
            far.sandbox_environment(Some("production")).unwrap(),
            "production"
        );
        let near = config(
            "[deploy]\ntarget = \"vercel\"\n[[environment]]\nname = \"sandbox\"\ntarget = \"local\"\n",
        );
        assert_eq!(near.sandbox_environment(None).unwrap(), "sandbox");
    }

    #[test]
    fn conflicts_are_asked_about_or_the_sandbox_wins() {
        assert_eq!(config("").watch.conflicts, Conflicts::Ask);
        let wins = config("[watch]\nconflicts = \"sandbox wins\"\n");
        assert_eq!(wins.watch.conflicts, Conflicts::SandboxWins);
    }
}
