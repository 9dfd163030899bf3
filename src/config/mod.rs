//! Layered configuration and the folders Sayso keeps things in.
//!
//! Layers, later wins: built-in defaults (`config.toml` of this repository, compiled in), the user's file,
//! `sayso.toml` in the site's repository, environment variables, flags. A key that nobody knows is an error
//! that names the file and the line: silence would hide a typo for ever.

mod check;
pub mod credential;
mod duration;
mod environment;
mod environment_lines;
mod events;
pub mod freeze;
mod health;
mod keys;
mod layers;
mod paths;
mod phrase;
mod told;
mod watch;

pub use check::{BUILT_IN, Check, Size};
pub use credential::Secret;
pub use duration::Span;
pub use environment::{
    ActionsSettings, CommandSettings, Environment, EnvironmentTable, HostSettings, VercelSettings,
};
pub use events::{Backend, Events};
pub use health::{Health, Notifications, Told, Webhook};
pub use keys::{KeySetting, Keys};
pub use layers::{Layer, load, load_layers};
pub use paths::{Paths, ProjectPaths};
pub use phrase::Phrase;
pub use watch::{Conflicts, Watch};

use serde::{Deserialize, Serialize};

use crate::model::Action;

/// The defaults, as shipped.
pub const DEFAULTS: &str = include_str!("../../config.toml");

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Control phrases of one's own.
    pub phrase: Vec<Phrase>,
    /// Environments besides the default one, and what is set for each.
    pub environment: Vec<EnvironmentTable>,
    /// Commands that must end well before something goes to an environment that names them.
    pub check: Vec<Check>,
    /// Microphone and push-to-talk.
    pub voice: Voice,
    /// Speech recognition.
    pub speech: Speech,
    /// Making changes.
    pub generate: Generate,
    /// Approving changes.
    pub approve: Approve,
    /// Where commits go.
    pub vcs: Vcs,
    /// Committing through GitHub's interface.
    pub github: GitHub,
    /// Deploying.
    pub deploy: Deploy,
    /// Building the site.
    pub build: Build,
    /// Showing proposals before they are approved.
    pub preview: Preview,
    /// Saves that go to a sandbox by themselves.
    pub watch: Watch,
    /// Health checks.
    pub health: Health,
    /// Notifications.
    pub notify: Notifications,
    /// The HTTP server.
    pub server: Server,
    /// The event log.
    pub events: Events,
    /// The cockpit.
    pub ui: Ui,
    /// The keys of the cockpit.
    pub keys: Keys,
}

/// When the push-to-talk key starts and stops a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TalkMode {
    /// Hold where releases are reported, else toggle.
    Auto,
    /// Record while the key is held.
    Hold,
    /// Press to start, press to stop.
    Toggle,
}

/// Microphone and push-to-talk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// The push-to-talk key.
    pub key: String,
    /// Space is push-to-talk too, outside text input.
    pub space: bool,
    /// Hold or toggle.
    pub mode: TalkMode,
    /// Part of a device's name; empty for the default device.
    pub device: String,
    /// How long the microphone stays open after its last use.
    pub warm: Span,
    /// Sound kept from before the press.
    pub pre_roll: Span,
    /// Sound taken after the release.
    pub tail: Span,
    /// Longest recording.
    pub limit: Span,
    /// In toggle mode a recording ends by itself when nobody speaks any more.
    pub auto_end: bool,
    /// How long nobody must speak for that.
    pub silence: Span,
    /// What was heard is read and sent by the person.
    pub confirm: bool,
    /// Short sounds at start, stop, success and failure.
    pub sounds: bool,
    /// The phrase that is always listened for; empty for never.
    pub wake: String,
    /// Recordings kept.
    pub keep: usize,
    /// Days after which a recording is removed; 0 for never.
    pub keep_days: u32,
}

/// Speech recognition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speech {
    /// `auto`, `local` or `openai`.
    pub engine: String,
    /// The model on this machine.
    pub model: String,
    /// The language that is spoken, as two letters; empty when it is not said.
    pub language: String,
    /// Address of the server's API.
    pub url: String,
    /// The server's model.
    pub cloud_model: String,
    /// Whether words are asked for as they are heard.
    pub stream: bool,
}

/// Making changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// `auto` or an engine's name.
    pub engine: String,
    /// The folder in the site's repository that holds its own component templates.
    pub components: String,
    /// Files that one change of a model may touch.
    pub max_files: usize,
    /// Lines that one change of a model may take out and put in.
    pub max_lines: usize,
    /// A change in more files than so many is shown as a plan first; 0: never.
    pub plan_files: usize,
    /// Tokens of the site that a model is shown.
    pub context_tokens: usize,
    /// Anthropic's API.
    pub anthropic: Service,
    /// OpenAI's API.
    pub openai: Service,
    /// Google's Gemini API.
    pub gemini: Service,
    /// Any server with the Chat Completions API.
    pub compatible: Service,
    /// An agent that works in a copy of the site.
    pub agent: Agent,
}

/// An agent: any program that changes files in a folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// How it is talked to: `acp` (the Agent Client Protocol) or `command` (`{words}` becomes the instruction).
    pub protocol: String,
    /// The program and its arguments. Empty for none.
    pub command: Vec<String>,
    /// Variables of the environment that it gets, besides what every program needs; `NAME*` for all that begin so.
    pub env: Vec<String>,
    /// With `acp`: kinds of work that it may do without a question.
    pub allow: Vec<String>,
    /// How long it may take.
    pub time_limit: Span,
}

/// A service with language models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Address of the API.
    pub url: String,
    /// The model; empty: this service is not asked.
    pub model: String,
    /// The environment variable with the key; empty: the server wants none.
    pub key: String,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// How much the model thinks: `low`, `medium`, `high`, or empty for its own choice.
    pub effort: String,
    /// Whether the model is asked to call a tool; without, it answers in text.
    pub tools: bool,
    /// What a million tokens read cost; 0 when it is not known.
    pub price_input: f64,
    /// What a million tokens read from the service's cache cost.
    pub price_cached: f64,
    /// What a million tokens written cost.
    pub price_output: f64,
}

/// Approving changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// What the approve key does: commit, or commit and deploy.
    pub action: Action,
}

/// Who makes commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitBy {
    /// git, in the clone.
    Git,
    /// GitHub, through its interface; a clone follows.
    #[serde(rename = "github")]
    GitHub,
}

/// Where commits go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vcs {
    /// Who makes them.
    pub commit: CommitBy,
    /// Whether git pushes them at once.
    pub push: bool,
    /// The remote that is pushed to, and that names the repository on GitHub.
    pub remote: String,
}

/// Committing through GitHub's interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitHub {
    /// `OWNER/NAME`; empty: read from the remote's address.
    pub repository: String,
    /// Without a clone: the branch; empty for the default one.
    pub branch: String,
    /// The interface's address; empty for the host's usual one.
    pub api: String,
    /// GitHub makes and signs the commits.
    pub signed: bool,
    /// The longest wait for a limit of GitHub's.
    pub wait: Span,
}

/// Deploying.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The default environment.
    pub environment: String,
    /// Its target: `local`, `host`, `command`, `vercel` or `github_actions`.
    pub target: String,
    /// How often it is looked for deployments made elsewhere; zero for never.
    pub look: Span,
    /// Addresses that are told of deployments, each message signed.
    pub webhooks: Vec<String>,
    /// The time zone of the freeze windows; empty for the system's.
    pub timezone: String,
    /// Checks that run at a time; 0 for as many as there are processors, at most four.
    pub checks_at_once: usize,
    /// The largest file that the check `size` lets through.
    pub max_file: Size,
    /// The most that all files together may have for the check `size`.
    pub max_total: Size,
    /// The embedded host.
    pub local: LocalHost,
    /// Another machine that runs `sayso serve`.
    pub host: HostSettings,
    /// Any program.
    pub command: CommandSettings,
    /// Vercel.
    pub vercel: VercelSettings,
    /// GitHub Actions.
    pub github_actions: ActionsSettings,
}

/// The embedded host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalHost {
    /// Port; 0 for one of the site's own.
    pub port: u16,
    /// The address that it listens on.
    pub listen: String,
    /// Names under which the site is reached, besides the loopback ones.
    pub hosts: Vec<String>,
    /// Releases kept.
    pub keep: usize,
    /// Live reload and the deployment notice.
    pub notice: bool,
}

/// Building the site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The command; empty to detect it, `none` for no build.
    pub command: String,
    /// The folder it writes.
    pub output: String,
    /// How long it may take.
    pub time_limit: Span,
}

/// Showing proposals before they are approved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// Previews at a time.
    pub keep: usize,
    /// How long one is served that is not asked for again.
    pub lifetime: Span,
    /// The browser that takes pictures; empty to find one, `none` for no pictures.
    pub browser: String,
}

/// The HTTP server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Port; 0 for any.
    pub port: u16,
    /// The address that it listens on.
    pub listen: String,
    /// The file with the certificate (and those between it and its root), in PEM; empty for plain HTTP.
    pub tls_cert: String,
    /// The file with its key, in PEM.
    pub tls_key: String,
    /// Plain HTTP beyond this machine: behind a proxy that speaks TLS.
    pub insecure: bool,
    /// Names under which it is reached from outside (through a tunnel), besides the loopback ones.
    pub hosts: Vec<String>,
    /// Origins of pages besides its own that may call it.
    pub origins: Vec<String>,
    /// Visitors of a site are shown its deployments, by the script `/sayso.js`.
    pub notice: bool,
    /// Proxies whose word about where a request comes from is believed.
    pub proxies: Vec<String>,
    /// How often one may ask.
    pub limits: Limits,
}

/// How often one may ask the server, in requests a minute; 0 for no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// With one token.
    pub token: u32,
    /// From one address.
    pub address: u32,
    /// From one address with what is no token.
    pub failed: u32,
    /// Messages to rooms with one token.
    pub messages: u32,
}

/// The cockpit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ui {
    /// A built-in theme, or the name of a file in the themes folder.
    pub theme: String,
    /// Whether anything moves.
    pub motion: bool,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// Signs of ASCII only; `auto`: where the locale knows no Unicode.
    pub ascii: Toggle,
    /// Whether web addresses are links of the terminal.
    pub links: bool,
    /// How pictures are shown.
    pub pictures: Pictures,
    /// Whether the terminal shows a deployment's progress; `auto`: where it is known to.
    pub progress: Toggle,
    /// How a person who looks elsewhere is told.
    pub notify: Notify,
    /// Plain lines instead of a screen, for screen readers.
    pub linear: bool,
}

/// How pictures are shown in the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pictures {
    /// By the protocol that the terminal is known to have.
    #[default]
    Auto,
    /// By kitty's protocol.
    Kitty,
    /// By iTerm2's protocol.
    Iterm2,
    /// By sixel.
    Sixel,
    /// By coloured blocks, which every terminal has.
    Blocks,
    /// Not at all.
    Off,
}

/// On, off, or whatever fits the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Toggle {
    /// Whatever fits.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// How a person who looks elsewhere is told that something ended or waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// By the terminal's own notification where it is known to have one, else by the bell.
    #[default]
    Auto,
    /// By the bell.
    Bell,
    /// Not at all.
    Off,
}

impl Default for Config {
    fn default() -> Self {
        // The compiled-in file is checked by a test, so a failure here is a broken build.
        toml::from_str(DEFAULTS).unwrap_or_else(|error| panic!("built-in config.toml: {error}"))
    }
}

/// Names of the environment variables that hold keys and tokens.
pub const SECRETS: [&str; 14] = [
    "SAYSO_HOST_TOKEN",
    "SAYSO_TOKEN",
    "SAYSO_TOKEN_SECRET",
    "GITHUB_PAT",
    "GITHUB_WEBHOOK_SECRET",
    "SAYSO_WEBHOOK_SECRET",
    "VERCEL_AUTOMATION_BYPASS_SECRET",
    "VERCEL_WEBHOOK_SECRET",
    "VERCEL_TOKEN",
    "VERCEL_ORG_ID",
    "VERCEL_PROJECT_ID",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GOOGLE_GEMINI_API_KEY",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_parse_and_name_every_setting() {
        let config = Config::default();
        assert_eq!(config.voice.key, "F5");
        let shipped: toml::Table = toml::from_str(DEFAULTS).unwrap();
        let full = toml::Table::try_from(&config).unwrap();
        for (section, keys) in &full {
            for key in keys.as_table().into_iter().flat_map(toml::Table::keys) {
                assert!(
                    shipped[section].get(key).is_some(),
                    "config.toml does not name {section}.{key}"
                );
            }
        }
    }
}
