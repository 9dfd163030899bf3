//! How a site is built: what to run, and where the result is. Deciding is pure; running is in [`run`].
//!
//! The person's own settings win, then what the repository says to other hosts (`netlify.toml`, `vercel.json`), then
//! what its files show. A folder that shows nothing of a build is served as it is.

mod generators;
pub(crate) mod job;
pub(crate) mod modules;
pub(crate) mod node;
pub(crate) mod output;
pub(crate) mod run;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// The person's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// The command, run by the shell in the root of the commit's files. `None` finds it, an empty one means no build.
    pub command: Option<String>,
    /// The folder with the result, from that root. `None` finds it.
    pub output: Option<String>,
    /// How long it may take.
    pub timeout: Duration,
    /// Variables for the build. Tokens and keys of the environment are kept from it; what it needs is named here.
    pub env: BTreeMap<String, String>,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self {
            command: None,
            output: None,
            timeout: Duration::from_secs(15 * 60),
            env: BTreeMap::new(),
        }
    }
}

/// A folder as the detection sees it.
pub(crate) trait Folder {
    /// True when there is a file or folder at `path`.
    fn has(&self, path: &str) -> bool;
    /// The text of the file at `path`.
    fn text(&self, path: &str) -> Option<String>;
}

impl Folder for PathBuf {
    fn has(&self, path: &str) -> bool {
        self.join(path).exists()
    }

    fn text(&self, path: &str) -> Option<String> {
        // Settings are small; what is larger is none.
        let path = self.join(path);
        if std::fs::metadata(&path).ok()?.len() > 4 * 1024 * 1024 {
            return None;
        }
        std::fs::read_to_string(path).ok()
    }
}

/// What is to be done with a commit's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What was recognised, for people: `Astro with npm`, `your build command`, `static files`.
    pub label: String,
    /// The folder to run in, from the root.
    pub base: String,
    /// What installs the dependencies.
    pub install: Option<String>,
    /// What installs them when the lock file does not fit the package file.
    pub install_anyway: Option<String>,
    /// What builds. `None`: the files are served as they are.
    pub command: Option<String>,
    /// Where the result may be, from `base`, the likeliest first. Empty: the usual places are looked through.
    pub outputs: Vec<String>,
    /// True when `outputs` is the person's own word: nothing else is looked at.
    pub exact: bool,
    /// True when the result may be in a folder of its own below the output (`dist/<name>/browser`).
    pub nested: bool,
    /// Variables for the build.
    pub env: BTreeMap<String, String>,
    /// What the installed dependencies depend on; equal keys mean they can be used again.
    pub dependencies: Option<String>,
    /// What to do when the result is not found.
    pub hint: Option<&'static str>,
}

/// What the site in `root` is, and the commands that build it (the dependencies first), for people.
pub fn recognised(root: &std::path::Path, options: &BuildOptions) -> (String, Vec<String>) {
    let plan = plan(&root.to_path_buf(), options);
    let commands = plan.install.into_iter().chain(plan.command);
    (plan.label, commands.collect())
}

/// Finds out how to build `folder`.
pub(crate) fn plan(folder: &dyn Folder, options: &BuildOptions) -> Plan {
    let mut plan = match options.command.as_deref().map(str::trim) {
        Some("") => Plan {
            label: "static files".to_owned(),
            ..Plan::default()
        },
        Some(command) => Plan {
            label: "your build command".to_owned(),
            command: Some(command.to_owned()),
            ..Plan::default()
        },
        None => ROWS
            .iter()
            .find_map(|row| row(folder))
            .unwrap_or_else(|| Plan {
                label: "static files".to_owned(),
                ..Plan::default()
            }),
    };
    if let Some(output) = options
        .output
        .as_deref()
        .map(str::trim)
        .filter(|output| !output.is_empty())
    {
        plan.outputs = vec![output.trim_end_matches('/').to_owned()];
        plan.exact = true;
        plan.nested = false;
        if !plan.base.is_empty() {
            // The person counts from the root.
            plan.outputs[0] = format!(
                "{}{}",
                "../".repeat(plan.base.split('/').count()),
                plan.outputs[0]
            );
        }
    }
    plan.env.extend(options.env.clone());
    plan
}

/// What makes a change of this file a change of what a build runs, in a word for people. `None` for a file that is only
/// read by what runs already.
pub fn steers(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let below = |folder: &str| path.starts_with(folder) || path.contains(&format!("/{folder}"));
    const COMMANDS: [&str; 12] = [
        "package.json",
        "deno.json",
        "deno.jsonc",
        "makefile",
        "rakefile",
        "gemfile",
        "netlify.toml",
        "vercel.json",
        "book.toml",
        "mkdocs.yml",
        "pyproject.toml",
        "requirements.txt",
    ];
    const INSTALLERS: [&str; 5] = [
        ".npmrc",
        ".yarnrc",
        ".yarnrc.yml",
        ".pnpmfile.cjs",
        "bunfig.toml",
    ];
    const PROGRAMS: [&str; 6] = [
        ".eleventy.js",
        "conf.py",
        "pelicanconf.py",
        "publishconf.py",
        "gatsby-node.js",
        "gatsby-node.ts",
    ];
    const SCRIPTS: [&str; 9] = ["js", "cjs", "mjs", "ts", "cts", "mts", "sh", "py", "rb"];
    const LOCKS: [&str; 8] = [
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "bun.lockb",
        "deno.lock",
        "gemfile.lock",
    ];
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    let script = SCRIPTS.contains(&extension);
    if COMMANDS.contains(&name.as_str()) || name.ends_with(".mk") {
        Some("the commands of the build")
    } else if LOCKS.contains(&name.as_str()) || INSTALLERS.contains(&name.as_str()) {
        Some("what is installed for the build")
    } else if PROGRAMS.contains(&name.as_str())
        || extension == "sh"
        || script && (stem.ends_with(".config") || stem == "gulpfile" || stem == "gruntfile")
        || script && (below("scripts/") || below("_plugins/") || below(".vitepress/"))
    {
        Some("a program that the build runs")
    } else {
        None
    }
}

/// A way to recognise a site; the first that does decides.
type Row = fn(&dyn Folder) -> Option<Plan>;

/// All of them, the surest first.
const ROWS: [Row; 12] = [
    |folder| netlify(folder),
    |folder| vercel(folder),
    |folder| node::detect(folder, ""),
    |folder| generators::zola(folder),
    |folder| generators::hugo(folder),
    |folder| generators::hugo_theme(folder),
    |folder| generators::jekyll(folder),
    |folder| generators::mkdocs(folder),
    |folder| generators::mdbook(folder),
    |folder| generators::pelican(folder),
    |folder| generators::lume(folder),
    |folder| generators::sphinx(folder),
];

/// `netlify.toml`: `[build] base, command, publish, environment`.
fn netlify(folder: &dyn Folder) -> Option<Plan> {
    #[derive(Deserialize)]
    struct File {
        build: Option<Build>,
    }
    #[derive(Deserialize)]
    struct Build {
        base: Option<String>,
        command: Option<String>,
        publish: Option<String>,
        environment: Option<BTreeMap<String, toml::Value>>,
    }
    let build = toml::from_str::<File>(&folder.text("netlify.toml")?)
        .ok()?
        .build?;
    let base = clean(build.base.as_deref().unwrap_or(""));
    let detected = node::detect(folder, &base);
    let mut plan = match build.command.filter(|command| !command.trim().is_empty()) {
        // The command says what to run, the package file what must be installed for it.
        Some(command) => Plan {
            command: Some(command),
            outputs: Vec::new(),
            nested: false,
            hint: None,
            ..detected.unwrap_or_default()
        },
        None if build.publish.is_some() => detected.unwrap_or_default(),
        None => return None,
    };
    plan.label = "netlify.toml".to_owned();
    plan.base = base;
    if let Some(publish) = build.publish {
        plan.outputs = vec![clean(&publish)];
        plan.nested = false;
    }
    for (name, value) in build.environment.unwrap_or_default() {
        if let toml::Value::String(value) = value {
            plan.env.insert(name, value);
        }
    }
    Some(plan)
}

/// `vercel.json`: `buildCommand, outputDirectory, installCommand`.
fn vercel(folder: &dyn Folder) -> Option<Plan> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct File {
        build_command: Option<String>,
        output_directory: Option<String>,
        install_command: Option<String>,
    }
    let file = serde_json::from_str::<File>(&folder.text("vercel.json")?).ok()?;
    if file.build_command.is_none() && file.output_directory.is_none() {
        return None;
    }
    let mut plan = node::detect(folder, "").unwrap_or_default();
    plan.label = "vercel.json".to_owned();
    if let Some(command) = file.build_command {
        plan.command = Some(command).filter(|command| !command.trim().is_empty());
    }
    if let Some(install) = file.install_command {
        plan.install = Some(install).filter(|install| !install.trim().is_empty());
        plan.install_anyway = None;
        plan.dependencies = None;
    }
    if let Some(output) = file.output_directory {
        plan.outputs = vec![clean(&output)];
        plan.nested = false;
    }
    Some(plan)
}

/// A relative folder without `./` and slashes at its ends.
fn clean(path: &str) -> String {
    let path = path.trim().trim_matches('/');
    let path = path.strip_prefix("./").unwrap_or(path);
    if path == "." {
        String::new()
    } else {
        path.trim_matches('/').to_owned()
    }
}

/// `base/path`, or `path` in the root.
fn under(base: &str, path: &str) -> String {
    if base.is_empty() {
        path.to_owned()
    } else {
        format!("{base}/{path}")
    }
}

#[cfg(test)]
#[path = "build/tests.rs"]
mod tests;
