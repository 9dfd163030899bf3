//! `sayso init`: a `sayso.toml` for this repository, and a workflow for GitHub Actions.

use std::path::Path;
use std::process::Stdio;

use super::embed::repo_dir;
use super::{Exit, Place, print};
use crate::config::DEFAULTS;
use crate::model::Problem;
use crate::vcs::git::Git;
use crate::vcs::github::Address;

/// Arguments of `sayso init`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print all settings with their defaults and change nothing.
    #[arg(long)]
    print_defaults: bool,
    /// Write a workflow for GitHub Actions that deploys this site, too: on every push to main, and when Sayso starts it.
    #[arg(long)]
    workflow: bool,
    /// How many environments: one (production), or three (sandbox, staging, production).
    #[arg(long, value_enum, value_name = "HOW MANY")]
    environments: Option<Environments>,
    /// Make a git repository here, if there is none, and the branches that environments follow, without asking.
    #[arg(long, short)]
    yes: bool,
}

/// How many environments a site gets.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environments {
    /// production, on the one branch.
    One,
    /// sandbox (develop), staging (staging), production (main).
    Three,
}

/// The branches of three environments besides that of production.
const MORE: [&str; 2] = ["develop", "staging"];

/// The start of the file that `init` writes: what people change first, commented out where the default is right.
const TEMPLATE: &str = r#"# Sayso's settings for this site. All of them, with their defaults: sayso init --print-defaults

[approve]
# What Enter does with an open proposal: deploy (commit and deploy) or commit.
action = "deploy"

[build]
# Empty: detected from package.json, Hugo, Jekyll, Eleventy, Astro …; "none": the files are the site.
command = ""
# Folder that the build writes.
output = ""

[health]
# Asked before and after a new release takes over; the page must contain `expect`.
path = "/"
expect = ""
"#;

/// One repository, one branch.
const ONE: &str = r#"
# One repository, one branch: what is committed to it goes to production.
[[environment]]
name = "production"
branch = "{trunk}"
# approval = "ask"                       # or "two people"
# checks = ["secrets", "size"]           # and commands of your own: [[check]]
# freeze = ["Fri 16:00 - Mon 08:00"]
"#;

/// Three environments that a release passes one after the other.
const THREE: &str = r#"
[deploy]
environment = "sandbox"

# develop → staging → {trunk}: what is committed to develop goes to the sandbox, and so do the saves of `sayso watch`.
# `sayso promote sandbox staging` moves the very same release on, without building it anew.
[[environment]]
name = "sandbox"
branch = "develop"

[[environment]]
name = "staging"
branch = "staging"
checks = ["secrets", "size"]             # and commands of your own: [[check]]
promote_to = "production"                # a release that stays well goes on by itself, as far as the approval

[[environment]]
name = "production"
branch = "{trunk}"
checks = ["secrets", "size"]
approval = "ask"                         # or "two people"
# freeze = ["Fri 16:00 - Mon 08:00"]     # nothing new goes to it then
"#;

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    if args.print_defaults {
        print::line(DEFAULTS.trim_end());
        return Ok(Exit::Done);
    }
    let dir = repo_dir(place)?;
    let git = match Git::open(&dir).await {
        Ok(git) => git,
        Err(problem) if problem.is("no-repository") => {
            let what = format!("{} is no git repository. Make one?", dir.display());
            match if args.yes {
                Some(true)
            } else {
                print::ask(&what)
            } {
                Some(true) => {}
                Some(false) => return Ok(Exit::Refused),
                None => {
                    return Err(Problem::new(403, "refused", problem.detail)
                        .hint("run `git init`, or `sayso init --yes`"));
                }
            }
            let made = std::process::Command::new("git")
                .args(["init", "--quiet", "--initial-branch=main"])
                .current_dir(&dir)
                .stdin(Stdio::null())
                .status();
            if !made.is_ok_and(|status| status.success()) {
                return Err(Problem::internal(format!(
                    "git init failed in {}",
                    dir.display()
                )));
            }
            Git::open(&dir).await?
        }
        Err(problem) => return Err(problem),
    };
    let workflow = args.workflow || offered(&git).await;
    if workflow {
        let config = crate::config::load(&crate::config::Paths::platform()?, Some(git.root()))?;
        let path = super::workflow::write(git.root(), &config)?;
        print::line(&format!(
            "wrote {path}; commit and push it, then set target = \"github_actions\" under [deploy]"
        ));
    }
    let file = git.root().join("sayso.toml");
    let there = || {
        print::line("sayso.toml is there already; it was not changed");
        if workflow { Exit::Done } else { Exit::Nothing }
    };
    if file.exists() {
        return Ok(there());
    }
    let many = args.environments.unwrap_or_else(offered_three);
    let trunk = trunk(git.root());
    let environments = match many {
        Environments::One => ONE,
        Environments::Three => THREE,
    };
    let text = format!("{TEMPLATE}{}", environments.replace("{trunk}", &trunk));
    let new = std::fs::File::options()
        .write(true)
        .create_new(true)
        .open(&file);
    match new {
        Ok(mut file) => std::io::Write::write_all(&mut file, text.as_bytes())
            .map_err(|error| Problem::internal(format!("sayso.toml cannot be written: {error}")))?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(there()),
        Err(error) => {
            return Err(Problem::internal(format!("{}: {error}", file.display())));
        }
    }
    if many == Environments::Three {
        branches(git.root(), &trunk, args.yes)?;
    }
    print::line("wrote sayso.toml; next: run `sayso`");
    Ok(Exit::Done)
}

/// What a person at a terminal chooses; one without a terminal.
fn offered_three() -> Environments {
    let three = print::ask(
        "Three environments (sandbox on develop, staging, production), and not only production on one branch?",
    );
    if three == Some(true) {
        Environments::Three
    } else {
        Environments::One
    }
}

/// Runs git in `root`; its output when it ends well.
fn git_in(root: &Path, args: &[&str]) -> Option<String> {
    let output = std::process::Command::new("git")
        .args(args)
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

fn has_branch(root: &Path, name: &str) -> bool {
    let place = format!("refs/heads/{name}");
    git_in(root, &["show-ref", "--verify", "--quiet", &place]).is_some()
}

/// The branch that production follows: main, or what this repository has in its place.
fn trunk(root: &Path) -> String {
    if let Some(known) = ["main", "master"]
        .into_iter()
        .find(|name| has_branch(root, name))
    {
        return known.to_owned();
    }
    git_in(root, &["symbolic-ref", "--short", "HEAD"])
        .filter(|name| !name.is_empty() && !MORE.contains(&name.as_str()))
        .unwrap_or_else(|| "main".to_owned())
}

/// Makes the branches that three environments follow and that are not there, when told to.
fn branches(root: &Path, trunk: &str, yes: bool) -> Result<(), Problem> {
    let missing: Vec<&str> = MORE
        .into_iter()
        .filter(|name| !has_branch(root, name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = missing
        .iter()
        .map(|name| format!("git branch {name} {trunk}"));
    let by_hand = by_hand.collect::<Vec<_>>().join("; ");
    if !has_branch(root, trunk) {
        print::line(&format!(
            "after the first commit, make the branches: {by_hand}"
        ));
        return Ok(());
    }
    let what = format!("Make the branches {} at {trunk}?", missing.join(" and "));
    let told = if yes { Some(true) } else { print::ask(&what) };
    if told != Some(true) {
        print::line(&format!(
            "not made: the branches {}: {by_hand}",
            missing.join(" and ")
        ));
        return Ok(());
    }
    for name in missing {
        if git_in(root, &["branch", "--no-track", name, trunk]).is_none() {
            return Err(
                Problem::internal(format!("the branch {name} cannot be made"))
                    .hint(format!("git branch {name} {trunk} says why")),
            );
        }
        print::line(&format!("made the branch {name} at {trunk}"));
    }
    Ok(())
}

/// Whether a person at a terminal wants a workflow: asked where the repository is on GitHub and has none.
async fn offered(git: &Git) -> bool {
    let origin = git.remote_address("origin").await;
    let on_github = origin
        .as_deref()
        .and_then(Address::parse)
        .is_some_and(|address| address.is_public_host());
    let has_one = git.root().join(super::workflow::FOLDER).is_dir();
    on_github
        && !has_one
        && print::ask(
            "Write a workflow for GitHub Actions that deploys this site on every push to main?",
        ) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, load_layers};
    use crate::model::ApprovalRule;

    #[test]
    fn what_is_written_loads_and_means_what_it_says() {
        let load = |environments: &str| {
            let text = format!("{TEMPLATE}{}", environments.replace("{trunk}", "trunk"));
            let name = "sayso.toml".into();
            load_layers(&[Layer { name, text }])
                .unwrap()
                .environments()
                .unwrap()
        };
        let one = load(ONE);
        assert_eq!(one.len(), 1);
        assert_eq!(
            (one[0].name.as_str(), one[0].branch.as_str()),
            ("production", "trunk")
        );
        let three: Vec<_> = load(THREE)
            .into_iter()
            .map(|it| (it.name, it.branch, it.approval, it.promote_to))
            .collect();
        let row = |name: &str, branch: &str, approval, to: Option<&str>| {
            (
                name.to_owned(),
                branch.to_owned(),
                approval,
                to.map(str::to_owned),
            )
        };
        assert_eq!(
            three,
            [
                row("sandbox", "develop", ApprovalRule::None, None),
                row("staging", "staging", ApprovalRule::None, Some("production")),
                row("production", "trunk", ApprovalRule::Ask, None),
            ]
        );
    }
}
