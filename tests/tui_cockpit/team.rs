//! With others: the table that they sit at, who is here, and whose view is followed.

use std::time::Duration;

use bytes::Bytes;
use sayso::client::room::replica::Replica;
use sayso::client::room::{RoomItem, Standing};
use sayso::config::Config;
use sayso::model::api::ProposalView;
use sayso::model::room::{Place, Presence, User, colour_of};
use sayso::model::{Content, EventKind};
use sayso::tui::keys::Stroke;
use sayso::tui::message::{Effect, Message, Outcome};
use sayso::tui::model::Pane;
use sayso::tui::voice_port::MicEvent;

use super::support::*;

/// The page of the proposal that the tests share.
const BEFORE: &str = "<header>\n  <h1>Studio</h1>\n  <p>We make things.</p>\n</header>\n";
pub const AFTER: &str = "<header>\n  <h1>Welcome</h1>\n  <p>We make things.</p>\n</header>\n";
pub const PROJECT: &str = "project:studio";
pub const ROOM: &str = "proposal:pro_1";

/// The proposal that makes the page be `after`.
pub fn page(after: &str) -> ProposalView {
    let mut file = file("index.html", Vec::new());
    file.before = Content::text(BEFORE);
    file.after = Content::text(after);
    sayso::review::diff::refresh(&mut file);
    proposal(vec![file])
}

/// A cockpit on a server where others are, with another person's copies of its rooms.
pub struct Table {
    pub desk: Desk,
    /// The server and everybody else in the room of the proposal.
    pub room: Replica,
}

impl Table {
    pub fn new(width: u16, height: u16) -> Self {
        Self::with(&Config::default(), false, width, height)
    }

    pub fn with(config: &Config, no_color: bool, width: u16, height: u16) -> Self {
        let mut desk = Desk::with(config, no_color, width, height);
        desk.model.settings.taking.remote = true;
        desk.model.settings.taking.name = "Ada Lovelace".into();
        desk.model.settings.taking.seed = "ins_0".into();
        desk.model.settings.taking.began = AT.parse().unwrap();
        desk.connect();
        let mut room = Replica::new();
        room.write("index.html", AFTER).unwrap();
        Self { desk, room }
    }

    /// With the proposal, whose room is joined and told everything.
    pub fn proposed(width: u16, height: u16) -> Self {
        let mut table = Self::new(width, height);
        table.propose();
        table
    }

    pub fn propose(&mut self) {
        let view = page(AFTER);
        self.desk.propose(&view);
        self.live(PROJECT);
        self.live(ROOM);
        self.meet();
    }

    pub fn live(&mut self, name: &str) {
        self.item(name, RoomItem::Standing(Standing::Live));
    }

    pub fn item(&mut self, name: &str, item: RoomItem) -> Vec<Effect> {
        self.desk.take(Message::Room(name.into(), item))
    }

    /// Both copies of the proposal's room tell each other everything.
    pub fn meet(&mut self) {
        let effects = self.item(ROOM, RoomItem::Open);
        let mut to_cockpit = self.room.greeting();
        let mut to_room = frames(&effects);
        for _ in 0..4 {
            let said: Vec<Bytes> = to_room
                .iter()
                .flat_map(|frame| self.room.take(frame, 0).unwrap().answers)
                .collect();
            to_room = self.tell(std::mem::take(&mut to_cockpit));
            to_cockpit = said;
        }
        self.desk.draw();
    }

    /// Tells the cockpit frames of the room; what it answers.
    pub fn tell(&mut self, told: Vec<Bytes>) -> Vec<Bytes> {
        let mut answers = Vec::new();
        for frame in told {
            answers.extend(frames(&self.item(ROOM, RoomItem::Frame(frame))));
        }
        self.desk.draw();
        answers
    }

    /// Gives the room what the cockpit's effects send to it.
    pub fn hear(&mut self, effects: &[Effect]) {
        for frame in frames(effects) {
            self.room.take(&frame, 0).unwrap();
        }
    }

    /// Presses keys, and lets the room hear what comes of it.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        let effects = self.desk.press(keys);
        self.hear(&effects);
        effects
    }

    /// Somebody is here, and looks so.
    pub fn here(&mut self, other: &mut Replica, presence: &Presence) {
        let frame = other.show(Some(presence), 0);
        self.item(PROJECT, RoomItem::Frame(frame));
        self.desk.draw();
    }

    /// Puts the cursor of the full view on the row that shows `text`.
    pub fn cursor_on(&mut self, text: &str) {
        self.press("g");
        for _ in 0..60 {
            let screen = self.desk.text();
            if screen
                .lines()
                .any(|line| line.starts_with('▶') && line.contains(text))
            {
                return;
            }
            self.press("j");
        }
        panic!("{text} is not there:\n{}", self.desk.text());
    }
}

/// The frames for the proposal's room in effects.
pub fn frames(effects: &[Effect]) -> Vec<Bytes> {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::ToRoom(name, frames) | Effect::GreetRoom(name, frames) if name == ROOM => {
            Some(frames.clone())
        }
        _ => None,
    });
    sent.flatten().collect()
}

pub fn person(name: &str) -> Presence {
    Presence {
        user: User {
            name: name.into(),
            color: colour_of(name).1.into(),
        },
        session: format!("at {name}"),
        pane: Some("proposal".into()),
        ..Presence::default()
    }
}

fn picture(name: &str, dump: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("tui_{name}"), dump));
}

#[test]
fn alone_with_its_own_server_a_cockpit_joins_no_room_until_marks_are_wanted() {
    let mut desk = Desk::bare(80, 24);
    let effects = desk.done(Outcome::Status(Ok(status())));
    let joins = |effects: &[Effect]| -> Vec<String> {
        let joined = effects.iter().filter_map(|effect| match effect {
            Effect::JoinRoom(name) => Some(name.clone()),
            _ => None,
        });
        joined.collect()
    };
    assert_eq!(joins(&effects), [""; 0]);
    desk.propose(&headline());
    assert!(desk.model.team.rooms.is_empty());
    assert_eq!(joins(&desk.press("f")), [ROOM]);
    assert_eq!(
        desk.model.team.rooms.keys().collect::<Vec<_>>(),
        [ROOM],
        "nobody else is expected in the project"
    );
}

#[test]
fn on_a_server_of_others_it_joins_the_project_and_the_proposal_on_the_screen() {
    let mut table = Table::new(80, 24);
    assert!(table.desk.model.team.rooms.contains_key(PROJECT));
    assert_eq!(table.desk.model.team.rooms.len(), 1);
    table.propose();
    assert!(table.desk.model.team.rooms.contains_key(ROOM));
    let effects = table.desk.event(
        EventKind::Commit,
        serde_json::json!({"id": "pro_1", "commit": "abc", "branch": "main", "message": "x"}),
    );
    assert!(
        effects.contains(&Effect::LeaveRoom(ROOM.into())),
        "{effects:?}"
    );
}

#[test]
fn who_is_here_stands_in_the_header_and_goes_with_the_connection() {
    let mut table = Table::proposed(80, 24);
    let mut others: Vec<Replica> = (0..5).map(|_| Replica::new()).collect();
    let names = [
        "Grace Hopper",
        "Linus",
        "Margaret Hamilton",
        "Barbara Liskov",
        "Ken",
    ];
    for (other, name) in others.iter_mut().zip(names) {
        table.here(other, &person(name));
    }
    let header = table.desk.text().lines().next().unwrap().to_owned();
    assert!(header.contains("BL GH Ke +2 online"), "{header}");
    // The same again changes nothing, and so draws nothing.
    table.desk.model.dirty = false;
    let frame = others[0].show(Some(&person("Grace Hopper")), 0);
    table.item(PROJECT, RoomItem::Frame(frame));
    assert!(!table.desk.model.dirty);
    // One goes, and then the connection.
    let frame = others[4].show(None, 0);
    table.item(PROJECT, RoomItem::Frame(frame));
    assert!(table.desk.model.dirty);
    assert_eq!(table.desk.model.team.people.len(), 4);
    let reason = "the connection was closed".to_owned();
    let waiting = Standing::Waiting {
        reason,
        retry_ms: 1_000,
    };
    table.item(PROJECT, RoomItem::Standing(waiting));
    assert!(table.desk.model.team.people.is_empty());
    let header = table.desk.text().lines().next().unwrap().to_owned();
    assert!(header.contains("online, alone"), "{header}");
}

#[test]
fn a_person_in_two_rooms_is_one_and_one_without_a_name_is_somebody() {
    let mut table = Table::proposed(120, 40);
    let mut grace = Replica::new();
    table.here(&mut grace, &person("Grace Hopper"));
    let frame = table.room.show(Some(&person("Grace Hopper")), 0);
    table.tell(vec![frame]);
    assert_eq!(table.desk.model.team.people.len(), 1);
    let frame = Replica::new().show(Some(&Presence::default()), 0);
    table.item(PROJECT, RoomItem::Frame(frame));
    assert_eq!(table.desk.model.team.people[1].name, "somebody");
}

#[test]
fn what_the_cockpit_shows_of_itself_is_told_at_most_ten_times_a_second() {
    let mut table = Table::proposed(120, 40);
    let told = |effects: &[Effect]| frames(effects).len();
    table.desk.now += Duration::from_secs(1);
    assert_eq!(told(&table.desk.press("3")), 1, "another pane");
    // At once again: later.
    assert_eq!(told(&table.desk.press("4")), 0);
    let due = table.desk.model.team.due.expect("a moment to tell it at");
    assert!(due <= table.desk.now + Duration::from_millis(100));
    table.desk.model.dirty = false;
    table.desk.now = due;
    let effects = table.desk.take(Message::Wake);
    assert_eq!(told(&effects), 1);
    assert!(!table.desk.model.dirty, "nothing changed on this screen");
    table.hear(&effects);
    let seen = &table.room.others()[0].presence;
    assert_eq!(seen.user.name, "Ada Lovelace");
    assert_eq!(seen.pane.as_deref(), Some("deploy"));
    // Nothing new is not told.
    table.desk.now += Duration::from_secs(5);
    assert_eq!(told(&table.desk.take(Message::Wake)), 0);
}

#[test]
fn typing_and_speaking_are_told_and_end() {
    let mut table = Table::proposed(120, 40);
    let see = |table: &mut Table, effects: Vec<Effect>| {
        table.hear(&effects);
        let presence = table.room.others()[0].presence.clone();
        (presence.typing, presence.speaking)
    };
    table.desk.now += Duration::from_secs(1);
    table.press("Tab");
    table.desk.now += Duration::from_secs(1);
    let effects = table.desk.stroke("x", Stroke::Press);
    assert_eq!(see(&mut table, effects), (true, false));
    let due = table.desk.model.team.due.expect("the end of typing");
    table.desk.now = due;
    let effects = table.desk.take(Message::Wake);
    assert_eq!(see(&mut table, effects), (false, false));
    table.press("Esc");
    table.desk.now += Duration::from_secs(1);
    let mut effects = table.desk.stroke("F5", Stroke::Press);
    effects.extend(table.desk.take(Message::Mic(MicEvent::Recording)));
    assert_eq!(see(&mut table, effects), (false, true));
}

#[test]
fn a_followed_view_is_shown_until_one_moves_oneself() {
    let mut table = Table::proposed(120, 40);
    let mut grace = Replica::new();
    let mut presence = person("Grace Hopper");
    presence.pane = Some("timeline".into());
    table.here(&mut grace, &presence);
    table.press("F3 Enter");
    assert!(table.desk.text().contains("following Grace Hopper"));
    assert_eq!(table.desk.model.pane, Pane::Timeline);
    // She opens the proposal and goes to a line.
    presence.pane = Some("diff".into());
    presence.proposal = Some("pro_1".into());
    presence.cursor = Some(Place {
        file: "index.html".into(),
        at: String::new(),
        line: 3,
    });
    table.here(&mut grace, &presence);
    let screen = table.desk.text();
    assert!(
        screen
            .lines()
            .any(|line| line.starts_with('▶') && line.contains("We make things")),
        "{screen}"
    );
    // A move of one's own ends it, and what she does then stays hers.
    table.press("k");
    assert_eq!(table.desk.model.team.following, None);
    presence.pane = Some("deploy".into());
    table.here(&mut grace, &presence);
    assert_ne!(table.desk.model.pane, Pane::Deploy);
    // Esc ends it too, and does nothing else.
    table.press("F3 Enter");
    assert_eq!(table.desk.model.pane, Pane::Deploy);
    table.press("Esc");
    assert_eq!(table.desk.model.team.following, None);
    assert_eq!(table.desk.model.pane, Pane::Deploy);
    table.press("F3 Esc");
    assert_eq!(table.desk.model.overlay, None);
}

#[test]
fn pictures_with_others() {
    let mut all = String::new();
    let looks = [
        ("80x24", false, 80, 24),
        ("120x40", false, 120, 40),
        ("80x24 without colours", true, 80, 24),
    ];
    for (name, no_color, width, height) in looks {
        let mut table = Table::with(&Config::default(), no_color, width, height);
        table.propose();
        let mut others: Vec<Replica> = (0..4).map(|_| Replica::new()).collect();
        for (other, name) in others.iter_mut().zip(["Linus", "Margaret H", "Ken T"]) {
            table.here(other, &person(name));
        }
        let mut presence = person("Grace Hopper");
        presence.pane = Some("diff".into());
        presence.proposal = Some("pro_1".into());
        presence.typing = true;
        let place = |line| {
            Some(Place {
                file: "index.html".into(),
                at: String::new(),
                line,
            })
        };
        (presence.cursor, presence.selection) = (place(3), place(4));
        table.here(&mut others[3], &presence);
        table.press("f");
        table.cursor_on("Welcome");
        table.press("m M");
        table.desk.write("louder, please");
        table.press("Enter");
        let notice = table.desk.model.notice.take();
        assert!(notice.is_some());
        all.push_str(&format!("== {name}\n{}", table.desk.dump()));
        table.press("F3");
        all.push_str(&format!("== who is here, {name}\n{}", table.desk.dump()));
    }
    picture("team", &all);
}

/// The shared texts are those of the proposal.
#[test]
fn the_table_is_set() {
    let view = page(AFTER);
    assert_eq!(view.proposal.files[0].after, Content::text(AFTER));
}
