//! The workflow that `sayso init --workflow` writes: it deploys on every push to `main` and whenever Sayso starts it.

mod vercel;

use std::io::Write as _;
use std::path::Path;

use super::wiring;
use crate::config::Config;
use crate::deploy::build;
use crate::model::Problem;

/// Where GitHub looks for it.
pub(super) const FOLDER: &str = ".github/workflows";

/// The environment that a push to `main` is for, and the name of Vercel's own for the live site.
const PRODUCTION: &str = "production";

/// How the site is put on line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Vercel,
    Pages,
}

/// Writes the workflow that `[deploy.github_actions]` names, unless there is one.
///
/// # Errors
/// When it cannot be written; `conflict` when it is there already.
pub fn write(root: &Path, config: &Config) -> Result<String, Problem> {
    let name = &config.deploy.github_actions.workflow;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_workflow = name.ends_with(".yml") || name.ends_with(".yaml");
    if !is_workflow || !name.chars().all(plain) {
        return Err(Problem::new(
            422,
            "config",
            format!("{name:?} is no workflow's file name"),
        )
        .hint("set `workflow = \"deploy.yml\"` under [deploy.github_actions]"));
    }
    let folder = root.join(FOLDER);
    let failed = |error: std::io::Error| Problem::internal(format!("{FOLDER}/{name}: {error}"));
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .open(folder.join(name));
    match file {
        Ok(mut file) => file
            .write_all(text(root, config).as_bytes())
            .map_err(failed)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Problem::conflict(format!(
                "{FOLDER}/{name} is there already; it was not changed"
            ))
            .hint("compare it by hand, or set another `workflow` under [deploy.github_actions]"));
        }
        Err(error) => return Err(failed(error)),
    }
    Ok(format!("{FOLDER}/{name}"))
}

/// The workflow for the site in `root`.
fn text(root: &Path, config: &Config) -> String {
    let plan = build::plan(&root.to_path_buf(), &wiring::build_options(config));
    let to = if root.join("vercel.json").exists() || root.join(".vercel").exists() {
        To::Vercel
    } else {
        To::Pages
    };
    let has = |file: &str| root.join(file).exists();
    let node = has("package.json");
    let cache = [
        ("package-lock.json", "npm"),
        ("npm-shrinkwrap.json", "npm"),
        ("yarn.lock", "yarn"),
        ("pnpm-lock.yaml", "pnpm"),
    ]
    .into_iter()
    .find(|(file, _)| has(file))
    .map(|(_, tool)| tool);
    let output = plan
        .outputs
        .first()
        .filter(|output| !output.is_empty())
        .cloned()
        .unwrap_or_else(|| if plan.command.is_some() { "dist" } else { "." }.to_owned());
    let input = &config.deploy.github_actions.input;
    let default = match to {
        To::Vercel => PRODUCTION.to_owned(),
        To::Pages => served(config),
    };
    let inputs = if input.is_empty() {
        String::new()
    } else {
        format!(
            "    inputs:\n      {input}:\n        description: The environment\n        default: {default}\n"
        )
    };
    let environment = if input.is_empty() {
        default.clone()
    } else {
        format!("${{{{ inputs.{input} || '{default}' }}}}")
    };
    let refuse = match to {
        To::Pages if !input.is_empty() => refuse(input, &default),
        _ => String::new(),
    };
    let set_up = set_up(node, cache);
    let check = check(node, plan.install.as_deref(), &set_up, &refuse);
    let (build, deploy) = match to {
        To::Vercel => vercel::jobs(&set_up, &environment),
        To::Pages => pages(
            &set_up,
            plan.install.as_deref(),
            plan.command.as_deref(),
            &output,
        ),
    };
    let permissions = match to {
        To::Vercel => "  contents: read\n",
        To::Pages => "  contents: read\n  pages: write\n  id-token: write\n",
    };
    format!(
        "# Written by `sayso init --workflow` for this site ({label}); it is yours to change.
name: Deploy
run-name: Deploy {environment}

on:
  push:
    branches: [main]
  workflow_dispatch:
{inputs}
permissions:
{permissions}
# A newer commit waits for the deployment before it; a deployment is never cut off.
concurrency:
  group: deploy-{environment}
  cancel-in-progress: false

jobs:
{check}{build}{deploy}{tell}",
        label = plan.label,
        tell = tell(&environment),
    )
}

const CHECKOUT: &str = "      - uses: actions/checkout@v4\n";

fn set_up(node: bool, cache: Option<&str>) -> String {
    if !node {
        return String::new();
    }
    let mut text = String::new();
    if cache == Some("pnpm") {
        text.push_str("      - uses: pnpm/action-setup@v4\n");
    }
    text.push_str(
        "      - uses: actions/setup-node@v4\n        with:\n          node-version: 22\n",
    );
    if let Some(cache) = cache {
        text.push_str(&format!("          cache: {cache}\n"));
    }
    text
}

/// The environment that GitHub Pages serves, which is one: the production, or the first that goes through GitHub Actions.
fn served(config: &Config) -> String {
    let plain = |name: &String| {
        name.chars()
            .all(|c| c.is_alphanumeric() || "-_.".contains(c))
    };
    let environments = config.environments().unwrap_or_default();
    let names: Vec<String> = environments
        .into_iter()
        .filter(|environment| environment.target == "github_actions")
        .map(|environment| environment.name)
        .filter(plain)
        .collect();
    match names.first() {
        Some(first) if !names.iter().any(|name| name == PRODUCTION) => first.clone(),
        _ => PRODUCTION.to_owned(),
    }
}

/// A step that keeps every other environment from being put over the one that GitHub Pages serves.
fn refuse(input: &str, served: &str) -> String {
    format!(
        "      - name: GitHub Pages serves {served} alone
        if: (inputs.{input} || '{served}') != '{served}'
        run: |
          echo \"::error::GitHub Pages serves one environment, {served}: give the other one a workflow or a target of its own\"
          exit 1
"
    )
}

/// A job beside the build: both run at the same time, and nothing goes live unless both are well.
fn check(node: bool, install: Option<&str>, set_up: &str, refuse: &str) -> String {
    let steps = if node {
        format!(
            "{set_up}      - run: {}\n      - run: npm run lint --if-present\n      - run: npm test --if-present\n",
            install.unwrap_or("npm ci")
        )
    } else {
        "      - name: No file is empty by mistake\n        run: test -z \"$(git ls-files -z '*.html' | xargs -0 -r -I{} find {} -size 0)\"\n"
            .to_owned()
    };
    format!(
        "  check:\n    runs-on: ubuntu-latest\n    timeout-minutes: 15\n    steps:\n{refuse}{CHECKOUT}{steps}\n"
    )
}

fn pages(
    set_up: &str,
    install: Option<&str>,
    command: Option<&str>,
    output: &str,
) -> (String, String) {
    let run = |command: Option<&str>| {
        command.map_or(String::new(), |command| {
            format!("      - run: {}\n", quoted(command))
        })
    };
    let build = format!(
        "  build:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
{CHECKOUT}{set_up}{install}{build}      - uses: actions/upload-pages-artifact@v3
        with:
          path: {output}

",
        install = run(install),
        build = run(command),
        output = quoted(output),
    );
    let deploy = "  deploy:
    needs: [check, build]
    runs-on: ubuntu-latest
    timeout-minutes: 15
    environment:
      name: github-pages
      url: ${{ steps.pages.outputs.page_url }}
    steps:
      - id: pages
        uses: actions/deploy-pages@v4

"
    .to_owned();
    (build, deploy)
}

/// Text as a YAML scalar.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The last job tells Sayso how it ended, signed as `POST /api/webhooks/generic` wants it.
fn tell(environment: &str) -> String {
    format!(
        "  tell:
    # Set the secrets SAYSO_WEBHOOK_URL (https://…/api/webhooks/generic) and SAYSO_WEBHOOK_SECRET to be told at once;
    # without them Sayso finds out by asking GitHub.
    if: always()
    needs: [check, build, deploy]
    runs-on: ubuntu-latest
    timeout-minutes: 5
    env:
      SAYSO_WEBHOOK_URL: ${{{{ secrets.SAYSO_WEBHOOK_URL }}}}
      SAYSO_WEBHOOK_SECRET: ${{{{ secrets.SAYSO_WEBHOOK_SECRET }}}}
      STATE: ${{{{ needs.deploy.result }}}}
      ENVIRONMENT: {environment}
    steps:
      - if: env.SAYSO_WEBHOOK_URL != ''
        run: |
          delivery=\"run-$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT\"
          time=$(date +%s)
          body=$(printf '{{\"kind\":\"deployment\",\"state\":\"%s\",\"environment\":\"%s\",\"commit\":\"%s\",\"url\":\"%s\"}}' \\
            \"$STATE\" \"$ENVIRONMENT\" \"$GITHUB_SHA\" \"$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID\")
          signature=$(printf '%s.%s.%s' \"$delivery\" \"$time\" \"$body\" \\
            | openssl dgst -sha256 -hmac \"$SAYSO_WEBHOOK_SECRET\" -r | cut -d' ' -f1)
          curl --fail --silent --show-error --retry 5 --retry-all-errors --max-time 20 \\
            -H 'content-type: application/json' -H \"x-sayso-delivery: $delivery\" \\
            -H \"x-sayso-timestamp: $time\" -H \"x-sayso-signature: sha256=$signature\" \\
            --data \"$body\" \"$SAYSO_WEBHOOK_URL\"
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workflow_fits_the_site() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::default();
        std::fs::write(dir.path().join("index.html"), "x").unwrap();
        let plain = text(dir.path(), &config);
        assert!(
            plain.contains("deploy-pages")
                && plain.contains("path: '.'")
                && !plain.contains("setup-node")
        );
        std::fs::write(
            dir.path().join("package.json"),
            r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"5"}}"#,
        )
        .unwrap();
        std::fs::write(dir.path().join("package-lock.json"), "{}").unwrap();
        let built = text(dir.path(), &config);
        for wanted in [
            "cache: npm",
            "needs: [check, build]",
            "branches: [main]",
            "'npm run build'",
            "path: 'dist'",
        ] {
            assert!(built.contains(wanted), "{wanted} is missing in\n{built}");
        }
    }

    #[test]
    fn pages_refuses_what_is_for_another_environment() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("index.html"), "x").unwrap();
        let plain = text(dir.path(), &Config::default());
        assert!(
            plain.contains("if: (inputs.environment || 'production') != 'production'"),
            "{plain}"
        );
        let mut config = Config::default();
        config.environment.push(crate::config::EnvironmentTable {
            name: "pages".to_owned(),
            target: Some("github_actions".to_owned()),
            ..Default::default()
        });
        let named = text(dir.path(), &config);
        assert!(
            named.contains("if: (inputs.environment || 'pages') != 'pages'")
                && named.contains("default: pages\n"),
            "{named}"
        );
        config.deploy.github_actions.input = String::new();
        assert!(!text(dir.path(), &config).contains("inputs."));
    }

    #[test]
    fn a_workflow_that_is_there_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::default();
        assert_eq!(
            write(dir.path(), &config).unwrap(),
            ".github/workflows/deploy.yml"
        );
        let file = dir.path().join(".github/workflows/deploy.yml");
        std::fs::write(&file, "mine").unwrap();
        assert_eq!(write(dir.path(), &config).unwrap_err().status, 409);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    }
}
