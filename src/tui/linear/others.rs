//! The others, in sentences: who came and went, what they mark and say, what waits to be sent.

use std::collections::BTreeMap;

use crate::tui::model::{Model, Overlay};
use crate::tui::panes::people;

/// What was said of the others already.
#[derive(Clone, Debug, Default)]
pub(super) struct Others {
    people: BTreeMap<String, String>,
    notes: BTreeMap<String, String>,
    marks: BTreeMap<String, String>,
    /// The proposal that the notes and marks are of.
    proposal: Option<String>,
    waiting: usize,
    list: Option<String>,
    trouble: Option<String>,
    /// The note that the cursor is on.
    at: Option<String>,
}

impl Others {
    /// What is new.
    pub(super) fn tell(&mut self, model: &Model, out: &mut Vec<String>) {
        self.people(model, out);
        self.proposal(model, out);
        self.lists(model, out);
        let waiting = model.team.outbox.len();
        if waiting != self.waiting {
            match waiting {
                0 => out.push("Nothing waits to be sent any more.".to_owned()),
                1 => out.push("1 thing waits to be sent.".to_owned()),
                many => out.push(format!("{many} things wait to be sent.")),
            }
            self.waiting = waiting;
        }
        let trouble = people::trouble(model);
        if trouble != self.trouble {
            match &trouble {
                Some(words) => out.push(format!("{words}.")),
                None => out.push("Others are shown again.".to_owned()),
            }
            self.trouble = trouble;
        }
    }

    fn people(&mut self, model: &Model, out: &mut Vec<String>) {
        let now: BTreeMap<String, String> = model
            .team
            .people
            .iter()
            .map(|person| (person.key.clone(), person.name.clone()))
            .collect();
        for (key, name) in &now {
            if !self.people.contains_key(key) {
                out.push(format!("{name} is here."));
            }
        }
        for (key, name) in &self.people {
            if !now.contains_key(key) {
                out.push(format!("{name} has left."));
            }
        }
        self.people = now;
    }

    /// Notes and marks of the proposal on the screen.
    fn proposal(&mut self, model: &Model, out: &mut Vec<String>) {
        let Some(review) = model.review() else {
            (self.proposal, self.at) = (None, None);
            (self.notes, self.marks) = Default::default();
            return;
        };
        let id = Some(review.id().to_string());
        if self.proposal != id {
            (self.notes, self.marks) = Default::default();
            self.proposal = id;
        }
        let place = |file: Option<usize>, line: Option<usize>| {
            let path = file.map(|file| review.view.proposal.files[file].path.as_str());
            match (path, line) {
                (Some(path), Some(line)) => format!("{path} line {line}"),
                (Some(path), None) => path.to_owned(),
                (None, _) => "the proposal".to_owned(),
            }
        };
        let mut notes = BTreeMap::new();
        for note in &review.annotations.notes {
            let what = if note.answer { "Answer" } else { "Note" };
            let done = if note.resolved { ", done with" } else { "" };
            let words = format!(
                "{what} on {}{done}: {}",
                place(note.file, note.line),
                note.text
            );
            notes.insert(note.id.clone(), words);
        }
        changes(&self.notes, &notes, "A note was taken away", out);
        self.notes = notes;
        let mut marks: BTreeMap<String, String> = BTreeMap::new();
        for shade in &review.annotations.shades {
            marks.entry(shade.id.clone()).or_insert_with(|| {
                format!(
                    "{} marked {}, {}.",
                    shade.author,
                    place(Some(shade.file), Some(shade.line)),
                    shade.colour
                )
            });
        }
        changes(&self.marks, &marks, "A mark was taken away", out);
        self.marks = marks;
        let row = review.rows().row(review.cursor);
        let at = match row {
            crate::tui::model::DiffRow::Said(_, at) => review.annotations.notes.get(at),
            _ => None,
        };
        let at = at.map(|note| note.id.clone());
        if at != self.at {
            let words = at.as_ref().and_then(|id| self.notes.get(id));
            out.extend(words.map(|words| format!("At: {words}")));
            self.at = at;
        }
    }

    /// The lists that lie over the panes.
    fn lists(&mut self, model: &Model, out: &mut Vec<String>) {
        let list = match &model.overlay {
            Some(Overlay::People(_)) if model.team.people.is_empty() => {
                Some("Nobody else is here. /away closes the list.".to_owned())
            }
            Some(Overlay::People(_)) => {
                let all = model.team.people.iter();
                let lines: Vec<String> = all
                    .map(|person| format!("{}, {}.", person.name, people::doing(model, person)))
                    .collect();
                Some(format!("{} /away closes the list.", lines.join(" ")))
            }
            Some(Overlay::Outbox(_)) => {
                let all = model.team.outbox.iter().enumerate();
                let lines: Vec<String> = all
                    .map(|(at, queued)| format!("{} {}", at + 1, queued.asked.words()))
                    .collect();
                Some(format!("{}. /away closes the list.", lines.join(", ")))
            }
            _ => None,
        };
        if list != self.list {
            out.extend(list.clone());
            self.list = list;
        }
    }
}

/// Says what is new or different, and that something went.
fn changes(
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
    gone: &str,
    out: &mut Vec<String>,
) {
    for (id, words) in now {
        if before.get(id) != Some(words) {
            out.push(words.clone());
        }
    }
    for (id, words) in before {
        if !now.contains_key(id) {
            out.push(format!("{gone}: {words}"));
        }
    }
}
