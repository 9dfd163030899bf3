//! Whatever people write, whenever the network goes, in whatever order things arrive, wherever the server is killed: in the end all
//! documents are the same.

use proptest::prelude::*;

use super::{Frame, RoomDoc};
use crate::model::room::Highlight;

const PEOPLE: usize = 3;
const PATH: &str = "a.txt";

/// What happens next.
#[derive(Clone, Debug)]
enum Act {
    /// Somebody replaces some text at some place.
    Edit(usize, usize, usize, String),
    /// Somebody's editor saves the file as a whole.
    Rewrite(usize, String),
    /// Somebody marks something, or changes the mark.
    Mark(usize, usize),
    /// Of what is under way to the server from somebody, this one arrives; sometimes twice.
    Up(usize, usize, bool),
    /// The same, on its way back.
    Down(usize, usize, bool),
    /// Somebody's connection breaks with all that is under way.
    Away(usize),
    /// It is back.
    Back(usize),
    /// The server is killed, and has on disk all but the last so many updates.
    Killed(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0..PEOPLE;
    prop_oneof![
        6 => (who.clone(), 0_usize..40, 0_usize..6, "[a-c\n🦀é]{0,5}")
            .prop_map(|(who, at, delete, insert)| Act::Edit(who, at, delete, insert)),
        1 => (who.clone(), "[a-c\n🦀 ]{0,30}").prop_map(|(who, text)| Act::Rewrite(who, text)),
        1 => (who.clone(), 0_usize..3).prop_map(|(who, id)| Act::Mark(who, id)),
        6 => (who.clone(), 0_usize..8, any::<bool>())
            .prop_map(|(who, which, twice)| Act::Up(who, which, twice)),
        6 => (who.clone(), 0_usize..8, any::<bool>())
            .prop_map(|(who, which, twice)| Act::Down(who, which, twice)),
        1 => who.clone().prop_map(Act::Away),
        1 => who.prop_map(Act::Back),
        1 => (0_usize..4).prop_map(Act::Killed),
    ]
}

struct Person {
    doc: RoomDoc,
    here: bool,
    up: Vec<Vec<u8>>,
    down: Vec<Vec<u8>>,
}

struct World {
    server: RoomDoc,
    disk: Vec<Vec<u8>>,
    people: Vec<Person>,
}

impl World {
    fn new() -> Self {
        let mut server = RoomDoc::with_client(100);
        let first = server
            .set_text(PATH, "one\ntwo 🦀\nthree\n")
            .unwrap()
            .unwrap();
        let people = (0..PEOPLE).map(|n| Person {
            doc: RoomDoc::with_client(n as u64 + 1),
            here: false,
            up: Vec::new(),
            down: Vec::new(),
        });
        let mut world = Self {
            server,
            disk: vec![first],
            people: people.collect(),
        };
        // Everyone has the file: two who make it at once make two.
        for who in 0..PEOPLE {
            world.back(who);
            while !(world.people[who].up.is_empty() && world.people[who].down.is_empty()) {
                world.up(who, 0, false);
                world.down(who, 0, false);
            }
        }
        world
    }

    /// Sends what somebody did, if the line is up.
    fn said(&mut self, who: usize, update: Option<Vec<u8>>) {
        let person = &mut self.people[who];
        if let Some(update) = update
            && person.here
        {
            person.up.push(Frame::Update(&update).encode());
        }
    }

    fn back(&mut self, who: usize) {
        let person = &mut self.people[who];
        if !person.here {
            person.here = true;
            person
                .up
                .push(Frame::Step1(&person.doc.state_vector()).encode());
            person
                .down
                .push(Frame::Step1(&self.server.state_vector()).encode());
        }
    }

    fn away(&mut self, who: usize) {
        let person = &mut self.people[who];
        person.here = false;
        person.up.clear();
        person.down.clear();
    }

    fn up(&mut self, who: usize, which: usize, twice: bool) {
        let count = self.people[who].up.len();
        if count == 0 {
            return;
        }
        let bytes = self.people[who].up.remove(which % count);
        for _ in 0..=usize::from(twice) {
            match Frame::decode(&bytes).unwrap() {
                Frame::Step1(vector) => {
                    let update = self.server.diff(vector).unwrap();
                    self.people[who].down.push(Frame::Step2(&update).encode());
                }
                Frame::Step2(update) | Frame::Update(update) => {
                    // As the server does: what waited for this is new to its writer, too.
                    let waited = self.server.waits();
                    if let Some(new) = self.server.apply(update).unwrap() {
                        for (other, person) in self.people.iter_mut().enumerate() {
                            if (other != who || waited) && person.here {
                                person.down.push(Frame::Update(&new).encode());
                            }
                        }
                        self.disk.push(new);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn down(&mut self, who: usize, which: usize, twice: bool) {
        let person = &mut self.people[who];
        let count = person.down.len();
        if count == 0 {
            return;
        }
        let bytes = person.down.remove(which % count);
        for _ in 0..=usize::from(twice) {
            match Frame::decode(&bytes).unwrap() {
                Frame::Step1(vector) => {
                    let update = person.doc.diff(vector).unwrap();
                    person.up.push(Frame::Step2(&update).encode());
                }
                Frame::Step2(update) | Frame::Update(update) => {
                    person.doc.apply(update).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Edit(who, at, delete, insert) => {
                let doc = &mut self.people[who].doc;
                let len = super::utf16_len(&doc.text(PATH).unwrap());
                let at = at.min(len);
                let update = doc.edit(PATH, at, delete.min(len - at), &insert).unwrap();
                self.said(who, update);
            }
            Act::Rewrite(who, text) => {
                let update = self.people[who].doc.set_text(PATH, &text).unwrap();
                assert_eq!(self.people[who].doc.text(PATH).unwrap(), text);
                self.said(who, update);
            }
            Act::Mark(who, id) => {
                let mark = Highlight {
                    id: format!("h{id}"),
                    file: PATH.into(),
                    from: self.people[who].doc.position(PATH, 0).unwrap(),
                    to: String::new(),
                    colour: "sky".into(),
                    author: format!("person {who}"),
                    created: String::new(),
                    updated: String::new(),
                };
                let update = self.people[who].doc.put_highlight(&mark).unwrap();
                self.said(who, update);
            }
            Act::Up(who, which, twice) => self.up(who, which, twice),
            Act::Down(who, which, twice) => self.down(who, which, twice),
            Act::Away(who) => self.away(who),
            Act::Back(who) => self.back(who),
            Act::Killed(lost) => {
                // The first one, with the file in it, was on disk before anyone came.
                self.disk
                    .truncate(self.disk.len().saturating_sub(lost).max(1));
                self.server = RoomDoc::load(self.disk.iter().map(|row| &**row)).unwrap();
                for who in 0..PEOPLE {
                    self.away(who);
                }
            }
        }
    }

    /// The network is good again, and everyone waits.
    fn end(&mut self) {
        for who in 0..PEOPLE {
            self.away(who);
            self.back(who);
        }
        while self
            .people
            .iter()
            .any(|one| !one.up.is_empty() || !one.down.is_empty())
        {
            for who in 0..PEOPLE {
                self.up(who, 0, false);
                self.down(who, 0, false);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(200)
    })]

    #[test]
    fn all_documents_are_the_same_in_the_end(acts in prop::collection::vec(act(), 1..80)) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
        }
        world.end();
        let server = &world.server;
        let kept = RoomDoc::load(world.disk.iter().map(|row| &**row)).unwrap();
        for doc in world.people.iter().map(|one| &one.doc).chain([&kept]) {
            prop_assert_eq!(doc.files(), server.files());
            prop_assert_eq!(doc.highlights(), server.highlights());
            prop_assert!(RoomDoc::same_state(&doc.state_vector(), &server.state_vector()).unwrap());
            prop_assert!(!doc.waits());
        }
    }

    /// Bytes of anyone: refused or taken, never a panic, and never much memory for few of them.
    #[test]
    fn no_bytes_break_a_document(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        flip in any::<u8>(),
    ) {
        let mut author = RoomDoc::with_client(3);
        author.set_text(PATH, "some text").unwrap();
        author.edit(PATH, 4, 2, "🦀").unwrap();
        let mut mutated = author.state();
        let at = at.index(mutated.len());
        mutated[at] ^= flip;
        let mut doc = RoomDoc::with_client(4);
        for hostile in [&bytes, &mutated] {
            let _ = Frame::decode(hostile);
            let _ = doc.apply(hostile);
            let _ = doc.diff(hostile);
        }
        prop_assert!(!doc.is_broken());
    }
}
