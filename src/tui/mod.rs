//! The cockpit: one screen, from the spoken word to the live page.
//!
//! [`model`] is the state, [`update`] takes a message and gives effects, [`view`] draws the state: all three are pure.
//! The edge is thin: `driver` reads keys, events, the microphone and signals and draws when something changed,
//! `effects` calls the server. [`terminal`] alone owns the terminal's modes, [`theme`] the colours, [`motion`] all that
//! moves, [`keymap`] the keys.

pub mod checkup;
mod driver;
mod editor;
mod effects;
pub mod highlight;
pub mod input;
pub mod keymap;
pub mod keys;
pub mod linear;
pub mod manners;
pub mod message;
pub mod model;
pub mod motion;
mod pace;
pub mod painter;
pub mod panes;
pub mod pictures;
pub mod probe;
pub mod screen;
pub mod session;
mod session_file;
mod shared;
mod signals;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;
pub mod voice_port;

use std::io::{IsTerminal, stdin, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use self::driver::{Driver, Outside};
use self::effects::Effects;
use self::manners::Surroundings;
use self::message::{Effect, Message, Outcome};
use self::model::{Model, Settings, Taking};
use self::terminal::{Terminal, Wanted};
use self::voice_port::{MicEvent, Microphone};
use crate::client::Client;
use crate::config::Config;
use crate::model::InstructionId;
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
    /// The folder of the person's own themes.
    pub themes: Option<PathBuf>,
    /// The file that remembers what was open; without one nothing is remembered.
    pub session: Option<PathBuf>,
    /// How it takes part in a team.
    pub sharing: Sharing,
    /// Ends once somebody else has come to the server, where that runs in this process.
    pub company: Option<BoxFuture<'static, ()>>,
    /// Who looks at this machine, if anybody can.
    pub doctor: Option<Arc<dyn checkup::Doctor>>,
}

/// How the cockpit takes part in a team.
#[derive(Clone, Debug, Default)]
pub struct Sharing {
    /// The server is another process's, where others are expected.
    pub remote: bool,
    /// What is asked while the server is away is kept in `folder`, and sent later.
    pub keeps: bool,
    /// How the others see the person.
    pub name: String,
    /// Where what the server does not have yet is kept; without a folder nothing is.
    pub folder: Option<PathBuf>,
}

impl Sharing {
    fn taking(&self) -> Taking {
        Taking {
            remote: self.remote,
            keeps: self.keeps && self.folder.is_some(),
            name: self.name.clone(),
            seed: InstructionId::new().0,
            began: Timestamp::now(),
        }
    }
}

/// The environment variable that keeps the keyboard as plain as it was, for terminals that claim more than they do.
pub const PLAIN_KEYS: &str = "SAYSO_PLAIN_KEYS";

/// Runs the cockpit until the person quits or a signal ends it. The terminal is given back on every way out.
///
/// # Errors
/// When a setting is not understood, when standard input or output is no terminal, or when the terminal goes away.
pub async fn run(options: Cockpit) -> anyhow::Result<()> {
    if options.config.ui.linear {
        return run_linear(options).await;
    }
    if !stdin().is_terminal() || !stdout().is_terminal() {
        bail!(
            "the cockpit needs a terminal; without one use `sayso say`, `sayso deploy` and the other commands"
        );
    }
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let own = |name: &str| own_theme(options.themes.as_deref(), name);
    let mut settings =
        Settings::with_themes(&options.config, no_color, &own).map_err(|error| anyhow!(error))?;
    let variable = |name: &str| std::env::var(name).ok();
    settings.pictures = pictures::way(options.config.ui.pictures, variable);
    settings.ascii = manners::ascii_wanted(options.config.ui.ascii, variable);
    let surroundings = Surroundings::read(variable);
    settings.microphone = options.microphone.is_some();
    settings.zone = TimeZone::system();
    settings.taking = options.sharing.taking();
    let plain = std::env::var_os(PLAIN_KEYS).is_some_and(|value| !value.is_empty());
    let wanted = Wanted {
        mouse: options.config.ui.mouse,
        keyboard: !plain,
        progress: manners::progress_wanted(options.config.ui.progress, &surroundings),
    };
    let links = options.config.ui.links;
    let cockpit = async move {
        let terminal = Terminal::take(wanted, options.log_path.as_deref())
            .context("the terminal cannot be used")?;
        let (width, height) = terminal.size();
        let (sender, results) = mpsc::unbounded_channel();
        let can_look = options.doctor.is_some();
        let effects = Effects::new(options.client, sender)
            .with_doctor(options.doctor)
            .with_folder(options.sharing.folder)
            .with_company(options.company)
            .with_pictures(settings.pictures);
        let mut model = Model::new(settings, width, height);
        let remembered = session_file::Remembered::open(options.session, &mut model);
        if remembered.is_first() && can_look {
            model.board.first_start = true;
            model.board.checkup = Some(checkup::Checkup::begin());
            effects.begin(Effect::Checkup);
        }
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
            Outside {
                surroundings,
                wanted,
                links,
                remembered,
            },
        )?;
        driver.run(first).await.context("the terminal went away")
    };
    terminal::as_cockpit(cockpit).await
}

/// Whether the cockpit understands its part of `config`: keys and colours, with the person's own themes in `themes`.
///
/// # Errors
/// When it does not; the text names the place.
pub fn understood(config: &Config, themes: Option<&Path>) -> Result<(), String> {
    Settings::with_themes(config, false, &|name| own_theme(themes, name)).map(drop)
}

/// The text of the person's own theme `name`; names that lead out of the folder are none.
fn own_theme(folder: Option<&Path>, name: &str) -> Option<String> {
    let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    std::fs::read_to_string(folder?.join(format!("{name}.toml"))).ok()
}

/// Runs the cockpit as plain lines.
async fn run_linear(options: Cockpit) -> anyhow::Result<()> {
    let own = |name: &str| own_theme(options.themes.as_deref(), name);
    let mut settings =
        Settings::with_themes(&options.config, true, &own).map_err(|error| anyhow!(error))?;
    settings.microphone = options.microphone.is_some();
    settings.zone = TimeZone::system();
    settings.taking = options.sharing.taking();
    let (sender, results) = mpsc::unbounded_channel();
    let effects = Effects::new(options.client, sender)
        .with_folder(options.sharing.folder)
        .with_company(options.company);
    // Lines have no end; the size only says that everything that is said has been seen.
    let mut model = Model::new(settings, 160, 60);
    let remembered = session_file::Remembered::open(options.session, &mut model);
    model.pane = model::Pane::Proposal;
    model.focus = model::Focus::Cockpit;
    let first = match options.first_status {
        Some(status) => vec![Message::Done(Box::new(Outcome::Status(Ok(status))))],
        None => {
            effects.begin(Effect::LoadStatus(Duration::ZERO));
            Vec::new()
        }
    };
    let linear = linear::Linear::new(
        model,
        options.microphone,
        options.mic_events,
        effects,
        results,
        remembered,
    );
    linear.run(first).await.context("standard output went away")
}
