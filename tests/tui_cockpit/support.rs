//! A cockpit on a table: it takes messages, and shows what it draws as text and styles.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use sayso::client::stream::{Connection, StreamItem};
use sayso::config::Config;
use sayso::model::api::{
    DeploymentList, EnvironmentReleases, ProposalView, RepositoryStatus, SpeechStatus, Status,
    WatchStatus,
};
use sayso::model::{
    Action, Content, Cursor, Decision, Deployment, DeploymentState, DiffLine, Event, EventKind,
    Hunk, LineTag, LiveRelease, Problem, Progress, Proposal, ProposalKind, ProposalState,
    ProposedFile, ReleaseInfo, Stage,
};
use sayso::tui::keys::{Key, Stroke};
use sayso::tui::message::{Effect, Message, Outcome};
use sayso::tui::model::{Model, Settings};
use sayso::tui::painter::Sources;
use sayso::tui::{update, view};
use serde_json::{Value, json};

pub const AT: &str = "2026-11-21T14:03:05Z";

pub struct Desk {
    pub model: Model,
    pub now: Duration,
    pub seq: u64,
    /// Works out colours at once, where the cockpit has a thread for it.
    pub colours: Sources,
}

impl Desk {
    /// A cockpit of this size that knows nothing yet.
    pub fn bare(width: u16, height: u16) -> Self {
        Self::with(&Config::default(), false, width, height)
    }

    pub fn with(config: &Config, no_color: bool, width: u16, height: u16) -> Self {
        let mut settings = Settings::new(config, no_color).unwrap();
        settings.microphone = true;
        Self {
            model: Model::new(settings, width, height),
            now: Duration::ZERO,
            seq: 0,
            colours: Sources::default(),
        }
    }

    /// A cockpit that is connected to the sample site.
    pub fn new(width: u16, height: u16) -> Self {
        let mut desk = Self::bare(width, height);
        desk.connect();
        desk
    }

    pub fn connect(&mut self) {
        self.take(Message::Done(Box::new(Outcome::Status(Ok(status())))));
        self.take(Message::Stream(StreamItem::Connection(
            Connection::Streaming,
        )));
        self.draw();
    }

    pub fn take(&mut self, message: Message) -> Vec<Effect> {
        let mut effects = update::update(&mut self.model, self.now, message);
        let mut jobs = Vec::new();
        effects.retain(|effect| match effect {
            Effect::Paint(job) => {
                jobs.push(job.clone());
                false
            }
            _ => true,
        });
        for job in jobs {
            let painted = Outcome::Painted(self.colours.paint(&job));
            let more = update::update(&mut self.model, self.now, Message::Done(Box::new(painted)));
            assert_eq!(more, []);
        }
        effects
    }

    pub fn done(&mut self, outcome: Outcome) -> Vec<Effect> {
        self.take(Message::Done(Box::new(outcome)))
    }

    /// Presses keys by name, drawing after each one, as a person sees it.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for key in keys.split(' ') {
            effects.extend(self.stroke(key, Stroke::Press));
            self.draw();
        }
        effects
    }

    pub fn stroke(&mut self, key: &str, stroke: Stroke) -> Vec<Effect> {
        let key: Key = key.parse().unwrap();
        self.take(Message::Key(key, stroke))
    }

    pub fn write(&mut self, text: &str) {
        for c in text.chars() {
            self.take(Message::Key(Key::char(c), Stroke::Press));
        }
        self.draw();
    }

    /// An event of the instruction `ins_1`, and a frame.
    pub fn event(&mut self, kind: EventKind, data: Value) -> Vec<Effect> {
        let event = self.event_of(kind, data);
        self.stream(event)
    }

    pub fn event_of(&mut self, kind: EventKind, data: Value) -> Event {
        self.seq += 1;
        let proposal = matches!(
            kind,
            EventKind::Proposal
                | EventKind::ProposalUpdated
                | EventKind::Approved
                | EventKind::Rejected
                | EventKind::Commit
        );
        let deployment = kind.as_str().starts_with("deploy") || kind == EventKind::Health;
        Event {
            seq: self.seq,
            at: AT.parse::<jiff::Timestamp>().unwrap()
                + jiff::SignedDuration::from_millis(self.seq as i64 * 120),
            kind,
            project: "studio".into(),
            instruction: Some("ins_1".into()),
            proposal: proposal.then(|| data["id"].as_str().unwrap_or("pro_1").into()),
            deployment: deployment.then(|| "dep_1".into()),
            environment: deployment.then(|| "production".to_owned()),
            actor: "Ada".into(),
            data,
        }
    }

    pub fn stream(&mut self, event: Event) -> Vec<Effect> {
        let effects = self.take(Message::Stream(StreamItem::Event(Arc::new(event))));
        self.draw();
        effects
    }

    /// Says the words that lead to the proposal `view`.
    pub fn propose(&mut self, view: &ProposalView) {
        self.event(
            EventKind::Transcript,
            json!({"text": "change the headline to Welcome to 3000 Studios", "ms": 96, "seconds": 2.6, "engine": "local"}),
        );
        self.event(
            EventKind::Intent,
            json!({"text": "change the headline to Welcome to 3000 Studios",
                   "intent": {"kind": "edit", "request": "change the headline to Welcome to 3000 Studios"},
                   "reading": "change the headline"}),
        );
        self.event(EventKind::Proposal, serde_json::to_value(view).unwrap());
    }

    pub fn draw(&mut self) -> (Buffer, Option<Position>) {
        let area = Rect::new(0, 0, self.model.width, self.model.height);
        let mut buffer = Buffer::empty(area);
        let cursor = view::draw(&self.model, self.now, &mut buffer);
        self.model.dirty = false;
        self.take(Message::Drawn);
        (buffer, cursor)
    }

    /// What is on the screen, as text.
    pub fn text(&mut self) -> String {
        text(&self.draw().0)
    }

    /// What is on the screen, as text and styles.
    pub fn dump(&mut self) -> String {
        let (buffer, cursor) = self.draw();
        let mut out = text(&buffer);
        let _ = writeln!(out, "cursor: {cursor:?}");
        out.push_str(&styles(&buffer));
        out
    }
}

/// The rows of a buffer; what follows a wide character is left out.
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = sayso::tui::text::width(symbol).saturating_sub(1);
            row.push_str(symbol);
        }
        let _ = writeln!(out, "{}", row.trim_end());
    }
    out
}

/// The runs of cells that are not in the plain style: row, columns, style.
pub fn styles(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in 0..buffer.area.width {
            let named = style_name(buffer[(x, y)].style());
            match runs.last_mut() {
                Some((_, to, last)) if *last == named => *to = x,
                _ => runs.push((x, x, named)),
            }
        }
        let runs: Vec<String> = runs
            .into_iter()
            .filter(|(_, _, style)| !style.is_empty())
            .map(|(from, to, style)| format!("{from}-{to} {style}"))
            .collect();
        if !runs.is_empty() {
            let _ = writeln!(out, "{y:>3}: {}", runs.join(", "));
        }
    }
    out
}

/// A style in words; nothing for the plain one.
pub fn style_name(style: Style) -> String {
    let mut parts = Vec::new();
    for (ground, color) in [("", style.fg), ("on ", style.bg)] {
        if let Some(color) = color.filter(|color| *color != Color::Reset) {
            parts.push(format!("{ground}{color:?}").to_lowercase());
        }
    }
    for (modifier, name) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::REVERSED, "reversed"),
        (Modifier::UNDERLINED, "underlined"),
    ] {
        if style.add_modifier.contains(modifier) {
            parts.push(name.to_owned());
        }
    }
    parts.join(" ")
}

pub fn status() -> Status {
    Status {
        version: "0.1.0".into(),
        project: "studio".into(),
        repository: RepositoryStatus {
            name: "studio".into(),
            root: "/site".into(),
            branch: "main".into(),
            head: "1a2b3c4d5e6f".into(),
            changes: 0,
        },
        environment: "production".into(),
        live: vec![LiveRelease {
            environment: "production".into(),
            release: "rel_0".into(),
            commit: "9f8e7d6c5b4a".into(),
            url: "http://127.0.0.1:4000/".into(),
            since: AT.parse().unwrap(),
        }],
        speech: SpeechStatus {
            engine: "local".into(),
            ready: true,
            message: String::new(),
        },
        proposals: Vec::new(),
        instructions: Vec::new(),
        deployments: Vec::new(),
        environments: Vec::new(),
        cursor: Cursor {
            epoch: "e".into(),
            seq: 0,
        },
        previews: Vec::new(),
        health: Vec::new(),
        watch: Some(WatchStatus::default()),
        conductor: None,
        oldest: 0,
    }
}

pub fn line(tag: LineTag, text: &str) -> DiffLine {
    DiffLine {
        tag,
        text: text.into(),
        no_newline: false,
    }
}

pub fn hunk(id: &str, at: usize, lines: Vec<DiffLine>) -> Hunk {
    let count = |without: LineTag| lines.iter().filter(|line| line.tag != without).count();
    Hunk {
        id: id.into(),
        old_start: at,
        old_lines: count(LineTag::Insert),
        new_start: at,
        new_lines: count(LineTag::Delete),
        lines,
        decision: Decision::Accepted,
        left_out: Vec::new(),
    }
}

pub fn file(path: &str, hunks: Vec<Hunk>) -> ProposedFile {
    ProposedFile {
        path: path.into(),
        before: Content::text("<h1>Studio</h1>\n"),
        after: Content::text("<h1>Welcome to 3000 Studios</h1>\n"),
        mode_before: 0o100_644,
        mode_after: 0o100_644,
        hunks,
    }
}

pub fn proposal(files: Vec<ProposedFile>) -> ProposalView {
    ProposalView {
        proposal: Proposal {
            id: "pro_1".into(),
            instruction: Some("ins_1".into()),
            version: 1,
            kind: ProposalKind::Edit,
            state: ProposalState::Open,
            base: "1a2b3c4d5e6f".into(),
            branch: "main".into(),
            title: "Change the headline to “Welcome to 3000 Studios”".into(),
            notes: vec!["index.html holds the only top heading".into()],
            warnings: Vec::new(),
            engine: "offline".into(),
            action: Action::Preview,
            files,
            commit: None,
            created_at: AT.parse().unwrap(),
            updated_at: AT.parse().unwrap(),
        },
        patch: String::new(),
    }
}

/// One hunk in one file.
pub fn headline() -> ProposalView {
    let lines = vec![
        line(LineTag::Context, "  <header>"),
        line(LineTag::Delete, "    <h1>Studio</h1>"),
        line(LineTag::Insert, "    <h1>Welcome to 3000 Studios</h1>"),
        line(LineTag::Context, "    <p>We make things.</p>"),
        line(LineTag::Context, "  </header>"),
    ];
    proposal(vec![file(
        "index.html",
        vec![hunk("aaaaaaaaaaaa", 9, lines)],
    )])
}

/// Three hunks in two files.
pub fn three_hunks() -> ProposalView {
    let change = |old: &str, new: &str| {
        vec![
            line(LineTag::Context, "  <main>"),
            line(LineTag::Delete, old),
            line(LineTag::Insert, new),
            line(LineTag::Context, "  </main>"),
        ]
    };
    let mut view = proposal(vec![
        file(
            "about.html",
            vec![
                hunk(
                    "bbbbbbbbbbbb",
                    4,
                    change("    <a>Contact</a>", "    <a>Write to us</a>"),
                ),
                hunk(
                    "cccccccccccc",
                    31,
                    change("    <b>Contact</b>", "    <b>Write to us</b>"),
                ),
            ],
        ),
        file(
            "index.html",
            vec![hunk(
                "dddddddddddd",
                12,
                change("    <i>Contact</i>", "    <i>Write to us</i>"),
            )],
        ),
    ]);
    view.proposal.title = "Rename the contact button to “Write to us”".into();
    view.proposal.warnings = vec!["index.html has uncommitted changes near this place".into()];
    view
}

/// Four deployments: one that is live, two that were, one that failed; the oldest release is not kept any more.
pub fn deployments() -> DeploymentList {
    let deployment = |number: u64, state: DeploymentState| Deployment {
        id: format!("dep_{number}").as_str().into(),
        instruction: None,
        environment: "production".into(),
        target: "local".into(),
        commit: format!("{number}b2c3d4e5f60718293a4b5c6d7e8f90112233445"),
        release: (state == DeploymentState::Live).then(|| format!("rel_{number}").as_str().into()),
        force: number == 2,
        state,
        attempts: 1,
        progress: Progress {
            percent: 100,
            stage: Stage::Verify,
            message: String::new(),
            eta_ms: None,
        },
        url: (state == DeploymentState::Live).then(|| "http://127.0.0.1:4000/".to_owned()),
        stages: [(Stage::Fetch, 20), (Stage::Build, 400), (Stage::Verify, 90)].into(),
        problem: (state == DeploymentState::Failed)
            .then(|| Problem::internal("npm run build ended with 1")),
        log_tail: vec!["> build".into(), "\u{1b}[31merror\u{1b}[0m: no".into()],
        actor: "Ada".into(),
        gate: None,
        promotion: None,
        during_freeze: None,
        started_at: AT.parse::<jiff::Timestamp>().unwrap()
            + jiff::SignedDuration::from_secs(number as i64 * 60),
        ended_at: Some(
            AT.parse::<jiff::Timestamp>().unwrap()
                + jiff::SignedDuration::from_millis(number as i64 * 60_000 + 640),
        ),
    };
    let release = |number: u64| ReleaseInfo {
        id: format!("rel_{number}").as_str().into(),
        commit: format!("{number}b2c3d4e5f60718293a4b5c6d7e8f90112233445"),
        created_at: AT.parse().unwrap(),
        files: 12,
        bytes: 34_567,
        bad: false,
        current: number == 4,
    };
    DeploymentList {
        deployments: vec![
            deployment(4, DeploymentState::Live),
            deployment(3, DeploymentState::Failed),
            deployment(2, DeploymentState::Live),
            deployment(1, DeploymentState::Live),
        ],
        releases: vec![EnvironmentReleases {
            environment: "production".into(),
            releases: vec![release(4), release(2)],
            note: None,
            health: None,
        }],
    }
}

/// An instruction from its words to live.
pub fn whole_way(desk: &mut Desk, instruction: &str, words: &str) {
    let steps = [
        (
            EventKind::Transcript,
            json!({"text": words, "ms": 96, "engine": "local"}),
        ),
        (
            EventKind::Intent,
            json!({"text": words, "reading": words, "intent": {"kind": "edit"}}),
        ),
        (EventKind::Approved, json!({"action": "deploy"})),
        (
            EventKind::Commit,
            json!({"commit": "abcdef0123", "branch": "main", "message": words}),
        ),
        (
            EventKind::DeployStart,
            json!({"commit": "abcdef0123", "force": false}),
        ),
        (
            EventKind::DeployComplete,
            json!({"url": "http://127.0.0.1:4000/", "release": "rel_1", "commit": "abcdef0123", "total_ms": 620,
                   "stages": {"queue": 1, "fetch": 20, "build": 410, "upload": 60, "activate": 4, "verify": 90}}),
        ),
    ];
    for (kind, data) in steps {
        let mut event = desk.event_of(kind, data);
        event.instruction = Some(instruction.into());
        desk.stream(event);
    }
}
