//! The others: who is here, the rooms that are shared with them, what waits to be sent while the server is away.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use super::notes::Noting;
use super::{Focus, Model, Moment, Pane};
use crate::client::outbox::Outbox;
use crate::client::room::Standing;
use crate::client::room::replica::Replica;
use crate::model::ProposalId;
use crate::model::room::{COLOURS, Place, Presence, User, colour_of};

/// How long after a key somebody is typing.
pub const TYPING: Moment = Moment::from_secs(3);
/// Time between two announcements.
pub const THROTTLE: Moment = Moment::from_millis(100);

/// How the cockpit takes part in a team; set before the start.
#[derive(Clone, Debug, Default)]
pub struct Taking {
    /// Others are expected: the server is another process's, or somebody has come to the one in this process.
    pub remote: bool,
    /// What is asked while the server is away is kept and sent later.
    pub keeps: bool,
    /// How the others see the person.
    pub name: String,
    /// The beginning of the names that this run gives: sorts by time, and is no other's.
    pub seed: String,
    /// When the cockpit started.
    pub began: Timestamp,
}

/// A room that is joined, or that was and will be again.
#[derive(Clone, Debug, Default)]
pub struct Room {
    /// This cockpit's copy.
    pub replica: Replica,
    /// How it is reached.
    pub standing: Standing,
    /// The server has told what it has, once at least.
    pub synced: bool,
    /// What is kept of it on disk was asked to be written; false when there is nothing to keep.
    pub kept: bool,
}

/// Somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Names the place that they are at: the same in every room.
    pub key: String,
    /// The name.
    pub name: String,
    /// One of [`COLOURS`] by name.
    pub colour: &'static str,
    /// What they show of themselves.
    pub presence: Presence,
    /// The line of the cursor and of the other end of the selection, as far as they are known.
    pub lines: (Option<usize>, Option<usize>),
}

impl Person {
    /// Two letters for them.
    pub fn initials(&self) -> String {
        initials(&self.name)
    }

    /// One letter for them, where there is room for no more.
    pub fn letter(&self) -> char {
        initials(&self.name).chars().next().unwrap_or('?')
    }
}

/// Two letters for a name: of its first two words, or the first two of its only one.
pub fn initials(name: &str) -> String {
    let mut words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let (Some(first), second) = (words.next(), words.next()) else {
        return "?".to_owned();
    };
    let upper = |c: char| c.to_uppercase().next().unwrap_or(c);
    let mut letters = first.chars();
    let one = letters.next().map(upper);
    let two = match second {
        Some(word) => word.chars().next().map(upper),
        None => letters.next(),
    };
    one.into_iter().chain(two).collect()
}

/// The name of a colour: of those that people have where it is one of them, else the nearest by the person's name.
fn colour(user: &User) -> &'static str {
    let known = COLOURS
        .iter()
        .find(|(_, hex)| hex.eq_ignore_ascii_case(&user.color));
    known.map_or_else(|| colour_of(&user.name).0, |(name, _)| name)
}

/// The others, and what is shared with them.
#[derive(Clone, Debug, Default)]
pub struct Team {
    /// The rooms that are joined, by name.
    pub rooms: BTreeMap<String, Room>,
    /// Who else is here, by name.
    pub people: Vec<Person>,
    /// Whose view is followed.
    pub following: Option<String>,
    /// What the others were told last, and when.
    pub told: Option<(Moment, Presence)>,
    /// When it is time to tell them something newer.
    pub due: Option<Moment>,
    /// When a key was pressed in a text last.
    pub typed: Option<Moment>,
    /// What waits to be sent.
    pub outbox: Outbox,
    /// The rooms of which an earlier run kept something, as long as it was not read.
    pub unsent: BTreeSet<String>,
    /// A note that is being written.
    pub noting: Option<Noting>,
    /// When the connection became what it is.
    pub since: Moment,
    /// Marks and notes of proposals are wanted, although nobody else may be there.
    pub wanted: bool,
    /// Texts, marks, notes or people are others than those that the diff shows.
    pub stale: bool,
    /// The proposal, in which version, that shows them.
    pub annotated: Option<(ProposalId, u32)>,
    /// Decisions on hunks wait for the server to be back.
    pub decisions_wait: bool,
    /// Names given so far.
    made: u32,
}

impl Team {
    /// Nobody is known to be there.
    pub fn new(taking: &Taking) -> Self {
        Self {
            outbox: Outbox::new(taking.seed.clone()),
            ..Self::default()
        }
    }

    /// The room of a proposal, if it is joined.
    pub fn room_of(&self, proposal: &ProposalId) -> Option<&Room> {
        self.rooms.get(&room_name(proposal))
    }

    /// What the document of a proposal has, as an approval names it; nothing while it is not shared.
    pub fn state_vector(&self, proposal: &ProposalId) -> Option<String> {
        let room = self.room_of(proposal).filter(|room| room.synced)?;
        let shared = !room.replica.files().is_empty();
        shared.then(|| STANDARD.encode(room.replica.state_vector()))
    }

    /// The room of a proposal with its name, if it is joined.
    pub fn room_of_mut(&mut self, proposal: &ProposalId) -> Option<(String, &mut Room)> {
        let name = room_name(proposal);
        let room = self.rooms.get_mut(&name)?;
        Some((name, room))
    }

    /// The one whose view is followed, while they are here.
    pub fn followed(&self) -> Option<&Person> {
        let key = self.following.as_deref()?;
        self.people.iter().find(|person| person.key == key)
    }

    /// A name that nobody else gives.
    pub fn name(&mut self, seed: &str, kind: &str) -> String {
        self.made += 1;
        format!("{kind}_{seed}-{}", self.made)
    }

    /// Who is here, from what the rooms tell. True when that is something else than before.
    pub fn meet(&mut self) -> bool {
        let mut people: BTreeMap<String, Person> = BTreeMap::new();
        for (name, room) in &self.rooms {
            for other in room.replica.others() {
                let presence = other.presence;
                let key = match presence.session.as_str() {
                    "" => format!("{name}/{}", other.client),
                    session => session.to_owned(),
                };
                let line = |place: &Option<Place>| {
                    let place = place.as_ref()?;
                    Some(room.replica.line_of(place)).filter(|line| *line > 0)
                };
                let lines = (line(&presence.cursor), line(&presence.selection));
                let person = Person {
                    name: match presence.user.name.trim() {
                        "" => "somebody".to_owned(),
                        name => crate::tui::text::clean_prose(crate::tui::text::head(name, 80)),
                    },
                    colour: colour(&presence.user),
                    key: key.clone(),
                    presence,
                    lines,
                };
                // Where a text is at hand, the cursor stands where the text says.
                let has_text = person
                    .presence
                    .cursor
                    .as_ref()
                    .is_some_and(|place| room.replica.text(&place.file).is_some());
                if has_text || !people.contains_key(&key) {
                    people.insert(key, person);
                }
            }
        }
        let mut people: Vec<Person> = people.into_values().collect();
        people.sort_by(|a, b| (&a.name, &a.key).cmp(&(&b.name, &b.key)));
        let changed = people != self.people;
        self.people = people;
        changed
    }

    /// How the rooms are reached, where that is worth a word: all is well, or nothing is joined: nothing.
    pub fn trouble(&self) -> Option<&Standing> {
        let standings = self.rooms.values().map(|room| &room.standing);
        standings
            .filter(|standing| !matches!(standing, Standing::Live | Standing::Connecting))
            .max_by_key(|standing| match standing {
                Standing::Closed { .. } => 2,
                Standing::Waiting { .. } => 1,
                _ => 0,
            })
    }
}

/// How the names of proposals' rooms begin.
const PROPOSAL: &str = "proposal:";

/// The name of a proposal's room.
pub fn room_name(proposal: &ProposalId) -> String {
    format!("{PROPOSAL}{proposal}")
}

/// The rooms that this cockpit should be in. Alone with its own server it needs none, until marks and notes of a proposal
/// are wanted. Where something was written that the server may lack, it stays until the server has it, whichever proposal
/// is shown: somebody else could approve the text without it.
pub fn wanted(model: &Model) -> Vec<String> {
    let mut rooms = Vec::new();
    if !model.loaded {
        return rooms;
    }
    let remote = model.settings.taking.remote;
    if remote {
        rooms.push(format!("project:{}", model.site.project));
    }
    if let Some(review) = model.reviews.current()
        && (remote || model.team.wanted)
    {
        rooms.push(room_name(review.id()));
    }
    let team = &model.team;
    let kept = team.rooms.iter().filter(|(_, room)| room.kept);
    for name in kept.map(|(name, _)| name).chain(&team.unsent) {
        let proposal = name.strip_prefix(PROPOSAL).map(ProposalId::from);
        let open = proposal.is_some_and(|id| model.reviews.get(&id).is_some());
        if open && !rooms.contains(name) {
            rooms.push(name.clone());
        }
    }
    rooms
}

/// The wall clock, as documents have it.
pub fn clock(model: &Model, now: Moment) -> String {
    let passed = SignedDuration::try_from(now).unwrap_or_default();
    let at = model.settings.taking.began.checked_add(passed);
    format!("{:.0}", at.unwrap_or(model.settings.taking.began))
}

/// Milliseconds of a clock that does not go back.
pub fn millis(now: Moment) -> u64 {
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// How the others see this cockpit.
pub fn presence(model: &Model, now: Moment) -> Presence {
    let taking = &model.settings.taking;
    let full = model.full_view();
    let pane = match (full, model.focus, model.pane) {
        (true, _, _) => "diff",
        (_, Focus::Input, _) | (_, _, Pane::Say) => "say",
        (_, _, Pane::Proposal) => "proposal",
        (_, _, Pane::Timeline) => "timeline",
        (_, _, Pane::Deploy) => "deploy",
    };
    let review = model.review();
    let place = |row: usize| {
        let review = review?;
        let (file, line) = review.spot(row)?;
        let path = &review.view.proposal.files.get(file)?.path;
        let room = model.team.room_of(review.id());
        Some(match room {
            Some(room) => room.replica.place(path, line, 0),
            None => Place {
                file: path.clone(),
                at: String::new(),
                line,
            },
        })
    };
    let editing = model.editing.as_ref().filter(|_| full);
    let cursor = match editing {
        Some(edit) => {
            let line = edit.first + edit.area.cursor().0;
            let room = model.team.room_of(&edit.proposal);
            Some(match room {
                Some(room) => room.replica.place(&edit.path, line, edit.area.cursor().1),
                None => Place {
                    file: edit.path.clone(),
                    at: String::new(),
                    line,
                },
            })
        }
        None => review
            .filter(|_| full)
            .and_then(|review| place(review.cursor)),
    };
    Presence {
        user: User {
            name: taking.name.clone(),
            color: colour_of(&taking.name).1.to_owned(),
        },
        session: taking.seed.clone(),
        pane: Some(pane.to_owned()),
        proposal: review.map(|review| review.id().to_string()),
        cursor,
        selection: review
            .filter(|_| full && editing.is_none())
            .and_then(|review| place(review.anchor?)),
        typing: model.team.typed.is_some_and(|at| now < at + TYPING),
        speaking: model.talk.active(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_two_letters_of_any_name() {
        for (name, letters) in [
            ("Ada Lovelace", "AL"),
            ("ada", "Ad"),
            ("grace brewster hopper", "GB"),
            ("Émile", "Ém"),
            ("x", "X"),
            ("ada@example.org", "AE"),
            ("", "?"),
            ("\u{1b}[31m", "3"),
        ] {
            let found = initials(name);
            assert!(found.starts_with(letters), "{name:?}: {found}");
        }
    }

    #[test]
    fn a_colour_of_ours_is_taken_and_any_other_is_that_of_the_name() {
        let user = |color: &str| User {
            name: "Ada".into(),
            color: color.into(),
        };
        assert_eq!(colour(&user("#E69F00")), "orange");
        assert_eq!(colour(&user("#123456")), colour_of("Ada").0);
        assert_eq!(colour(&user("")), colour_of("Ada").0);
    }
}
