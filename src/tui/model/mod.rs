//! The state of the cockpit: plain data, no clock, no I/O. Everything the screen shows can be read off it.

mod asked;
pub mod available;
pub mod batch;
pub mod board;
pub mod complete;
pub mod deploy;
pub mod deploys;
mod dictation;
pub mod draft;
pub mod entries;
pub mod hunk_edit;
pub mod journey;
pub mod line;
pub mod marks;
pub mod menu;
pub mod notes;
mod overlay;
pub mod painting;
pub mod previews;
pub mod review;
pub mod reviews;
pub mod rows;
mod seen;
pub mod site;
pub mod spoken;
pub mod talk;
pub mod tally;
pub mod team;
pub mod timeline;
mod window;
pub mod wording;
mod work;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::tz::TimeZone;

pub use asked::OpenQuestion;
pub use batch::Batch;
pub use board::{Board, Details, Sizes, Subject};
pub use deploy::{Deploy, Ending};
pub use deploys::Deploys;
pub use draft::Draft;
pub use hunk_edit::HunkEdit;
pub use journey::Journeys;
pub use line::Line;
pub use menu::{Menu, MenuKind};
pub use overlay::{Confirm, Overlay, Summary, Waits};
pub use previews::Previews;
pub use review::{DiffRow, Review};
pub use reviews::{Deciding, Reviews};
pub use seen::{Busy, Seen};
pub use site::Site;
pub use spoken::Spoken;
pub use talk::{Mics, Phase, Said, Talk, TalkBy};
pub use team::{Taking, Team};
pub use timeline::{Timeline, Tone};
pub use work::Work;

use super::keymap::{Command, Context, Keymap};
use super::pictures;
use super::theme::Theme;
use crate::client::stream::Connection;
use crate::config;
use crate::model::api::{RecipeInfo, SiteWords};
use crate::model::news::Topic;
use crate::model::{Action, InstructionId, ProposalId};

/// A point in time: since the cockpit started.
pub type Moment = Duration;

/// What was set before the start and does not change.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The keys.
    pub keymap: Keymap,
    /// The colours.
    pub theme: Theme,
    /// Whether the colours follow what the terminal says of its background.
    pub follows_ground: bool,
    /// Hold or toggle, as configured.
    pub talk: config::TalkMode,
    /// What approving does when the instruction said nothing about it.
    pub approve: Action,
    /// How long the microphone stays open after its last use.
    pub warm: Duration,
    /// The microphone and push-to-talk, as configured.
    pub voice: config::Voice,
    /// Whether anything moves.
    pub motion: bool,
    /// Whether only signs of ASCII are shown.
    pub ascii: bool,
    /// How the terminal shows pictures.
    pub pictures: pictures::Way,
    /// How a person who looks elsewhere is told.
    pub notify: config::Notify,
    /// Of what.
    pub told: Vec<Topic>,
    /// Whether there is a microphone to ask.
    pub microphone: bool,
    /// Every setting with its value and what it is, for the palette.
    pub listed: Vec<entries::Setting>,
    /// Where the person's clock is.
    pub zone: TimeZone,
    /// How the cockpit takes part in a team.
    pub taking: Taking,
}

impl Settings {
    /// The settings that `config` makes.
    ///
    /// # Errors
    /// When a key or a theme is not understood; the text names the setting.
    pub fn new(config: &config::Config, no_color: bool) -> Result<Self, String> {
        Self::with_themes(config, no_color, &|_| None)
    }

    /// As [`Settings::new`]; `own` gives the text of the person's own theme of a name.
    ///
    /// # Errors
    /// When a key or a theme is not understood; the text names the setting.
    pub fn with_themes(
        config: &config::Config,
        no_color: bool,
        own: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        Ok(Self {
            keymap: Keymap::configured(&config.voice, &config.keys)?,
            theme: Theme::find(&config.ui.theme, no_color, own)?,
            follows_ground: config.ui.theme == "auto" && !no_color,
            talk: config.voice.mode,
            approve: config.approve.action,
            warm: config.voice.warm.duration(),
            voice: config.voice.clone(),
            motion: config.ui.motion,
            ascii: config.ui.ascii == config::Toggle::On,
            pictures: pictures::Way::No("no terminal was asked"),
            notify: config.ui.notify,
            told: config.notify.terminal.events.clone(),
            microphone: false,
            listed: entries::settings(config),
            zone: TimeZone::UTC,
            taking: Taking::default(),
        })
    }
}

/// Where typed characters go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// To the cockpit's keys.
    Cockpit,
    /// Into the text.
    Input,
}

/// The panes that can be the one in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// Voice and text.
    Say,
    /// The proposal.
    Proposal,
    /// What happened.
    Timeline,
    /// Deployments: the running one, the last one's steps, the history.
    Deploy,
}

impl Pane {
    /// All, in the order of their keys.
    pub const ALL: [Pane; 4] = [Pane::Say, Pane::Proposal, Pane::Timeline, Pane::Deploy];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Pane::Say => "Say",
            Pane::Proposal => "Proposal",
            Pane::Timeline => "Timeline",
            Pane::Deploy => "Deploy",
        }
    }
}

/// What was heard or typed last, and what it was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The instruction.
    pub instruction: Option<InstructionId>,
    /// The words.
    pub text: String,
    /// What they were taken for.
    pub reading: Option<String>,
    /// True when they were spoken.
    pub spoken: bool,
}

/// An answer that takes the place of the proposal until it is put away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// How to take it.
    pub tone: Tone,
    /// The first line.
    pub title: String,
    /// What follows, a paragraph each.
    pub body: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// How many of the first paragraphs are candidates to choose from by their number.
    pub choices: u8,
}

/// A line that passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How to take it.
    pub tone: Tone,
    /// What it says.
    pub text: String,
    /// When it goes.
    pub until: Moment,
}

/// The state.
#[derive(Clone, Debug)]
pub struct Model {
    /// What was set before the start.
    pub settings: Settings,
    /// Columns of the terminal.
    pub width: u16,
    /// Rows of the terminal.
    pub height: u16,
    /// True while the terminal's window has the focus, as far as is known.
    pub focused: bool,
    /// Where typed characters go.
    pub focus: Focus,
    /// The pane in front: it scrolls, and on a narrow screen it is the one shown.
    pub pane: Pane,
    /// What lies over the panes.
    pub overlay: Option<Overlay>,
    /// The server's questions, oldest first.
    pub questions: VecDeque<OpenQuestion>,
    /// Repository, releases, speech.
    pub site: Site,
    /// The event stream.
    pub connection: Connection,
    /// Push-to-talk.
    pub talk: Talk,
    /// The text being written.
    pub line: Line,
    /// The proposal whose instruction the text in the line will revise.
    pub revising: Option<ProposalId>,
    /// The message of the next commit, where it is not the proposal's title.
    pub wording: Option<wording::Wording>,
    /// What was heard last.
    pub heard: Option<Heard>,
    /// Proposals.
    pub reviews: Reviews,
    /// True while the proposal takes the whole screen.
    pub reading: bool,
    /// True for old beside new, where there is room.
    pub sides: bool,
    /// The hunk whose text is being edited here.
    pub editing: Option<HunkEdit>,
    /// What goes out as one commit.
    pub batch: Batch,
    /// Who else is here, and what waits to be sent.
    pub team: Team,
    /// What was said to the cockpit itself.
    pub spoken: Option<Spoken>,
    /// Words for a cockpit of which it is not known yet whether they are ours.
    pub said_elsewhere: Option<(InstructionId, String, Command)>,
    /// Previews of proposals.
    pub previews: Previews,
    /// What may be said on this site, as far as it was loaded.
    pub words: SiteWords,
    /// The head that it was asked for at.
    pub words_at: Option<String>,
    /// Recipes, as far as they were loaded.
    pub recipes: Vec<RecipeInfo>,
    /// What stands in the proposal's place.
    pub card: Option<Card>,
    /// What is being written for the person.
    pub draft: Option<Draft>,
    /// What happened.
    pub timeline: Timeline,
    /// How long instructions took, step by step.
    pub journeys: Journeys,
    /// The newest deployment.
    pub deploy: Option<Deploy>,
    /// The deployments so far.
    pub deploys: Deploys,
    /// How the screen is divided, and what is open on it.
    pub board: Board,
    /// Which log the events are of.
    pub epoch: String,
    /// What is being worked on.
    pub work: Option<Work>,
    /// A line that passes.
    pub notice: Option<Notice>,
    /// What has been drawn.
    pub seen: Seen,
    /// What is under way.
    pub busy: Busy,
    /// Ctrl+C was pressed and means it until then.
    pub interrupted: Option<Moment>,
    /// The last event that the state contains; older ones only enter the timeline.
    pub state_seq: u64,
    /// True once the state was loaded.
    pub loaded: bool,
    /// True while the timeline lacks what happened before the state.
    pub history_due: bool,
    /// When the state was asked for last.
    pub asked_at: Option<Moment>,
    /// True when the screen no longer shows the state.
    pub dirty: bool,
}

impl Model {
    /// The state before anything is known.
    pub fn new(settings: Settings, width: u16, height: u16) -> Self {
        let talk = Talk::new(settings.talk);
        let timeline = Timeline::new(settings.zone.clone());
        let team = Team::new(&settings.taking);
        Self {
            settings,
            width,
            height,
            focused: true,
            focus: Focus::Cockpit,
            pane: Pane::Proposal,
            overlay: None,
            questions: VecDeque::new(),
            site: Site::default(),
            connection: Connection::Connecting,
            talk,
            line: Line::default(),
            revising: None,
            wording: None,
            heard: None,
            reviews: Reviews::default(),
            reading: false,
            sides: false,
            editing: None,
            batch: Batch::default(),
            team,
            spoken: None,
            said_elsewhere: None,
            previews: Previews::default(),
            words: SiteWords::default(),
            words_at: None,
            recipes: Vec::new(),
            card: None,
            draft: None,
            timeline,
            journeys: Journeys::default(),
            deploy: None,
            deploys: Deploys::default(),
            board: Board::default(),
            epoch: String::new(),
            work: None,
            notice: None,
            seen: Seen::default(),
            busy: Busy::default(),
            interrupted: None,
            state_seq: 0,
            loaded: false,
            history_due: true,
            asked_at: None,
            dirty: true,
        }
    }

    /// What the keyboard talks to now.
    pub fn context(&self) -> Context {
        if self.talk.active() {
            return Context::Talk;
        }
        match (&self.overlay, self.focus) {
            (Some(Overlay::Menu(_)), _) => Context::Help,
            (Some(Overlay::Confirm(_)), _) => Context::Ask,
            (Some(Overlay::Details), _) => Context::Details,
            (Some(Overlay::Checkup), _) => Context::Checkup,
            (None, _) if self.board.filter.is_some() => Context::Filter,
            (Some(Overlay::Summary(_)), _) => Context::Summary,
            (Some(Overlay::Queue(_)), _) => Context::Queue,
            (Some(Overlay::Mics(_)), _) => Context::Mics,
            (Some(Overlay::People(_)), _) => Context::People,
            (Some(Overlay::Outbox(_)), _) => Context::Outbox,
            (None, Focus::Input) => Context::Input,
            (None, Focus::Cockpit) if self.editing.is_some() && self.full_view() => Context::Edit,
            (None, Focus::Cockpit) if !self.questions.is_empty() => Context::Ask,
            (None, Focus::Cockpit) if self.full_view() => Context::Review,
            (None, Focus::Cockpit) if self.card.as_ref().is_some_and(|card| card.choices > 0) => {
                Context::Choices
            }
            (None, Focus::Cockpit) => match self.pane {
                Pane::Say | Pane::Proposal => Context::Cockpit,
                Pane::Timeline => Context::Timeline,
                Pane::Deploy => Context::Deploy,
            },
        }
    }

    /// True when the proposal takes the whole screen: it was asked to, and there is one in sight.
    pub fn full_view(&self) -> bool {
        self.reading && self.focus == Focus::Cockpit && self.review().is_some()
    }

    /// The proposal on the screen, unless a card stands in its place.
    pub fn review(&self) -> Option<&Review> {
        self.reviews.current().filter(|_| self.card.is_none())
    }

    /// The deployment that is still under way.
    pub fn deploying(&self) -> Option<&Deploy> {
        self.deploy
            .as_ref()
            .filter(|deploy| deploy.ending.is_none())
    }

    /// What Enter does with `review`.
    pub fn approve_action(&self, review: &Review) -> Action {
        match (review.view.proposal.action, self.settings.approve) {
            (Action::Preview, Action::Deploy) => Action::Deploy,
            (Action::Preview, _) => Action::Commit,
            (said, _) => said,
        }
    }

    /// Says something for a few seconds.
    pub fn say(&mut self, now: Moment, tone: Tone, text: impl AsRef<str>) {
        self.notice = Some(Notice {
            tone,
            text: super::text::clean_prose(super::text::head(text.as_ref(), 600)),
            until: now + NOTICE,
        });
    }
}

/// How long a notice stays.
pub const NOTICE: Duration = Duration::from_secs(6);
