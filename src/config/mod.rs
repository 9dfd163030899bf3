//! Layered configuration and the folders Sayso keeps things in.
//!
//! Layers, later wins: built-in defaults (`config.toml` of this repository, compiled in), the user's file,
//! `sayso.toml` in the site's repository, environment variables, flags. A key that nobody knows is an error
//! that names the file and the line: silence would hide a typo for ever.

mod duration;
mod layers;
mod paths;

pub use duration::Span;
pub use layers::{Layer, load, load_layers};
pub use paths::{Paths, ProjectPaths};

use serde::{Deserialize, Serialize};

use crate::model::Action;

/// The defaults, as shipped.
pub const DEFAULTS: &str = include_str!("../../config.toml");

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Microphone and push-to-talk.
    pub voice: Voice,
    /// Speech recognition.
    pub speech: Speech,
    /// Making changes.
    pub generate: Generate,
    /// Approving changes.
    pub approve: Approve,
    /// Deploying.
    pub deploy: Deploy,
    /// Building the site.
    pub build: Build,
    /// Health checks.
    pub health: Health,
    /// The HTTP server.
    pub server: Server,
    /// The cockpit.
    pub ui: Ui,
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
    /// Recordings kept.
    pub keep: usize,
}

/// Speech recognition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speech {
    /// `auto` or an engine's name.
    pub engine: String,
}

/// Making changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// `auto` or an engine's name.
    pub engine: String,
    /// The folder in the site's repository that holds its own component templates.
    pub components: String,
}

/// Approving changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// What the approve key does: commit, or commit and deploy.
    pub action: Action,
}

/// Deploying.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The default environment.
    pub environment: String,
    /// Its target.
    pub target: String,
    /// The embedded host.
    pub local: LocalHost,
}

/// The embedded host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalHost {
    /// Port on the loopback interface; 0 for one of the site's own.
    pub port: u16,
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

/// Health checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// The path asked for.
    pub path: String,
    /// Text the page must contain; empty for none.
    pub expect: String,
    /// For one probe.
    pub timeout: Span,
    /// How long a new release is watched.
    pub watch: Span,
}

/// The HTTP server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Port on the loopback interface; 0 for any.
    pub port: u16,
}

/// The cockpit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ui {
    /// `auto` or `no-color`.
    pub theme: String,
    /// Whether anything moves.
    pub motion: bool,
    /// Whether the mouse is used.
    pub mouse: bool,
}

impl Default for Config {
    fn default() -> Self {
        // The compiled-in file is checked by a test, so a failure here is a broken build.
        toml::from_str(DEFAULTS).unwrap_or_else(|error| panic!("built-in config.toml: {error}"))
    }
}

/// Names of the environment variables that hold keys and tokens.
pub const SECRETS: [&str; 7] = [
    "GITHUB_PAT",
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
            for key in keys.as_table().unwrap().keys() {
                assert!(
                    shipped[section].get(key).is_some(),
                    "config.toml does not name {section}.{key}"
                );
            }
        }
    }
}
