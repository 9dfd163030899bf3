//! `sayso init`: a `sayso.toml` for this repository, and a workflow for GitHub Actions.

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
    /// Make a git repository here, if there is none, without asking.
    #[arg(long, short)]
    yes: bool,
}

/// The file that `init` writes: what people change first, commented out where the default is right.
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
    let new = std::fs::File::options()
        .write(true)
        .create_new(true)
        .open(&file);
    match new {
        Ok(mut file) => std::io::Write::write_all(&mut file, TEMPLATE.as_bytes())
            .map_err(|error| Problem::internal(format!("sayso.toml cannot be written: {error}")))?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            print::line("sayso.toml is there already; it was not changed");
            return Ok(if workflow { Exit::Done } else { Exit::Nothing });
        }
        Err(error) => {
            return Err(Problem::internal(format!("{}: {error}", file.display())));
        }
    }
    print::line("wrote sayso.toml; next: run `sayso`");
    Ok(Exit::Done)
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
