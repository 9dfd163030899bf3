//! The cockpit: one screen, from the spoken word to the live page.
//!
//! [`model`] is the state, [`update`] takes a message and gives effects, [`view`] draws the state: all three are pure.
//! The edge is thin: `driver` reads keys, events, the microphone and signals and draws when something changed,
//! `effects` calls the server. [`terminal`] alone owns the terminal's modes, [`theme`] the colours, [`motion`] all that
//! moves, [`keymap`] the keys.

mod driver;
mod editor;
mod effects;
pub mod highlight;
pub mod input;
pub mod keymap;
pub mod keys;
pub mod message;
pub mod model;
pub mod motion;
pub mod painter;
pub mod panes;
pub mod probe;
pub mod screen;
mod signals;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;
pub mod voice_port;

use std::io::{IsTerminal, stdin, stdout};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use self::driver::Driver;
use self::effects::Effects;
use self::message::{Effect, Message, Outcome};
use self::model::{Model, Settings};
use self::terminal::{Terminal, Wanted};
use self::voice_port::{MicEvent, Microphone};
use crate::client::Client;
use crate::config::Config;
use crate::model::api::Status;

/// What the cockpit is made of.
pub struct Cockpit {
    /// The server.
    pub client: Client,
    /// The settings.
    pub config: Config,
    /// The microphone, if there is one to ask.
    pub microphone: Option<Box<dyn Microphone>>,
    /// What the microphone tells; a channel whose other end is dropped tells nothing.
    pub mic_events: mpsc::Receiver<MicEvent>,
    /// The state, if it is known already: the first frame then shows it.
    pub first_status: Option<Status>,
    /// Where what is printed to standard error goes while the screen is ours; without a file it is dropped.
    pub log_path: Option<PathBuf>,
}

/// The environment variable that keeps the keyboard as plain as it was, for terminals that claim more than they do.
pub const PLAIN_KEYS: &str = "SAYSO_PLAIN_KEYS";

/// Runs the cockpit until the person quits or a signal ends it. The terminal is given back on every way out.
///
/// # Errors
/// When a setting is not understood, when standard input or output is no terminal, or when the terminal goes away.
pub async fn run(options: Cockpit) -> anyhow::Result<()> {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        bail!(
            "the cockpit needs a terminal; without one use `sayso say`, `sayso deploy` and the other commands"
        );
    }
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let mut settings = Settings::new(&options.config, no_color).map_err(|error| anyhow!(error))?;
    settings.microphone = options.microphone.is_some();
    settings.zone = TimeZone::system();
    let plain = std::env::var_os(PLAIN_KEYS).is_some_and(|value| !value.is_empty());
    let wanted = Wanted {
        mouse: options.config.ui.mouse,
        keyboard: !plain,
    };
    let cockpit = async move {
        let terminal = Terminal::take(wanted, options.log_path.as_deref())
            .context("the terminal cannot be used")?;
        let (width, height) = terminal.size();
        let (sender, results) = mpsc::unbounded_channel();
        let effects = Effects::new(options.client, sender);
        let model = Model::new(settings, width, height);
        let first = match options.first_status {
            Some(status) => vec![Message::Done(Box::new(Outcome::Status(Ok(status))))],
            None => {
                effects.begin(Effect::LoadStatus(Duration::ZERO));
                Vec::new()
            }
        };
        let driver = Driver::new(
            model,
            terminal,
            options.microphone,
            options.mic_events,
            effects,
            results,
        )?;
        driver
            .run(first, wanted.keyboard)
            .await
            .context("the terminal went away")
    };
    terminal::as_cockpit(cockpit).await
}
