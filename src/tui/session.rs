//! What is there again after the cockpit was left or crashed: the text and what it is, what was said before, the panes,
//! the filter, the batch, the place in the proposal, and decisions that the server had not confirmed yet. Plain data; who
//! reads and writes it is at the edge.

use serde::{Deserialize, Serialize};

use super::model::notes::Noting;
use super::model::timeline::{Filter, Place as Row};
use super::model::wording::Wording;
use super::model::{Focus, Model, Pane, Sizes};
use super::text;
use crate::model::api::Decide;
use crate::model::{DeploymentId, ProposalId};

/// The form of [`Saved`]; another one is not read.
const VERSION: u32 = 1;
/// Decisions kept.
const DECISIONS: usize = 1_000;
/// Earlier lines kept.
const LINES: usize = 100;
/// Characters kept of each.
const CHARACTERS: usize = 2_000;
/// Bytes kept of all of them: the file is read as a whole or not at all, and must not become too long for that.
const HISTORY: usize = 256 * 1024;
/// Proposals of the batch kept.
const PICKED: usize = 1_000;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    version: u32,
    /// The text being written.
    #[serde(default)]
    text: String,
    /// The keyboard writes into it.
    #[serde(default)]
    writing: bool,
    /// What was written and said before, the oldest first.
    #[serde(default)]
    history: Vec<String>,
    /// The text is the message of a commit; or one was written and waits for its commit.
    #[serde(default)]
    wording: Option<Wording>,
    /// The text is a note in a proposal.
    #[serde(default)]
    noting: Option<Noting>,
    /// The batch: its proposals in the versions that were looked at.
    #[serde(default)]
    picked: Vec<(ProposalId, u32)>,
    /// The proposal whose instruction the text revises.
    #[serde(default)]
    revising: Option<ProposalId>,
    /// The pane in front, and the one in the strip.
    #[serde(default)]
    pane: Name,
    #[serde(default)]
    strip: Name,
    #[serde(default)]
    zoom: bool,
    /// The proposal takes the whole screen, old beside new.
    #[serde(default)]
    reading: bool,
    #[serde(default)]
    sides: bool,
    /// Sizes of say, timeline, deploy and the right column.
    #[serde(default)]
    sizes: [i8; 4],
    /// The filter of the timeline.
    #[serde(default)]
    filter: String,
    /// Where the timeline was read, and of which log.
    #[serde(default)]
    timeline: Option<(String, Row)>,
    /// The selected deployment, and the one marked for a comparison.
    #[serde(default)]
    deployments: (Option<DeploymentId>, Option<DeploymentId>),
    /// Where the proposal on the screen was read.
    #[serde(default)]
    place: Option<Place>,
    /// Decisions that the server did not know yet.
    #[serde(default)]
    decisions: Vec<Decided>,
}

/// A pane by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Say,
    #[default]
    Proposal,
    Timeline,
    Deploy,
}

impl From<Pane> for Name {
    fn from(pane: Pane) -> Self {
        match pane {
            Pane::Say => Self::Say,
            Pane::Proposal => Self::Proposal,
            Pane::Timeline => Self::Timeline,
            Pane::Deploy => Self::Deploy,
        }
    }
}

impl From<Name> for Pane {
    fn from(name: Name) -> Self {
        match name {
            Name::Say => Self::Say,
            Name::Proposal => Self::Proposal,
            Name::Timeline => Self::Timeline,
            Name::Deploy => Self::Deploy,
        }
    }
}

/// Where a proposal was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The proposal.
    pub proposal: ProposalId,
    /// The selected hunk.
    pub selected: usize,
    /// The first row in sight.
    pub top: usize,
    /// Lines of it that are above the window.
    #[serde(default)]
    pub skip: usize,
    /// The row that the cursor is on in the full view.
    #[serde(default)]
    pub cursor: usize,
}

/// A decision on hunks or lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The proposal.
    pub proposal: ProposalId,
    /// What was decided on what.
    pub decide: Decide,
}

/// What waits for the server's state before it can be there again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Returning {
    /// Where the timeline was read, and of which log.
    pub timeline: Option<(String, Row)>,
    /// Where the proposal on the screen was read.
    pub place: Option<Place>,
    /// Decisions that the server may not know.
    pub decisions: Vec<Decided>,
}

impl Saved {
    /// What there is to remember of `model`.
    pub fn of(model: &Model) -> Self {
        // What was remembered and could not be shown yet is still remembered.
        let place = model.reviews.current().map(|review| Place {
            proposal: review.id().clone(),
            selected: review.selected,
            top: review.top,
            skip: review.skip,
            cursor: review.cursor,
        });
        let deciding = model.reviews.deciding.iter().map(|deciding| Decided {
            proposal: deciding.proposal.clone(),
            decide: deciding.decide.clone(),
        });
        let waiting = model.board.returning.decisions.iter().cloned();
        let sizes = model.board.sizes;
        Self {
            version: VERSION,
            text: model.line.text().to_owned(),
            writing: model.focus == Focus::Input,
            history: latest(model.line.history()),
            wording: model.wording.clone(),
            noting: model.team.noting.clone(),
            picked: model.batch.picked().iter().take(PICKED).cloned().collect(),
            revising: model.revising.clone(),
            pane: model.pane.into(),
            strip: model.board.strip.into(),
            zoom: model.board.zoom,
            reading: model.reading,
            sides: model.sides,
            sizes: [sizes.say, sizes.timeline, sizes.deploy, sizes.column],
            filter: model.timeline.filter().written().to_owned(),
            timeline: match &model.board.returning.timeline {
                Some(waiting) => Some(waiting.clone()),
                None => Some((model.epoch.clone(), model.timeline.place())),
            },
            deployments: model.deploys.place(),
            place: place.or_else(|| model.board.returning.place.clone()),
            decisions: waiting.chain(deciding).take(DECISIONS).collect(),
        }
    }

    /// The bytes of a file.
    pub fn bytes(&self) -> Vec<u8> {
        // A struct of strings and numbers always serialises.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What a file holds; nothing when it is of another version or no such file.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let saved: Self = serde_json::from_slice(bytes).ok()?;
        (saved.version == VERSION).then_some(saved)
    }

    /// Puts it into `model`, which is fresh; what needs the server's state waits in [`Returning`].
    pub fn restore(self, model: &mut Model) {
        let [say, timeline, deploy, column] =
            self.sizes.map(|size| size.clamp(-Sizes::MOST, Sizes::MOST));
        for line in latest(&self.history) {
            model.line.remember(&text::clean(&line));
        }
        model.line.set(&self.text);
        // Without what it is, a message or a note would be sent as an instruction.
        model.wording = self.wording;
        // Its notes are shared: they are loaded before it can be written into them.
        model.team.wanted |= self.noting.is_some();
        model.team.noting = self.noting;
        model.batch.come_back(self.picked);
        model.revising = self.revising;
        if self.writing {
            model.focus = Focus::Input;
        }
        model.pane = self.pane.into();
        model.board.strip = self.strip.into();
        model.board.zoom = self.zoom;
        model.reading = self.reading;
        model.sides = self.sides;
        model.board.sizes = Sizes {
            column,
            timeline,
            deploy,
            say,
        };
        model.timeline.set_filter(Filter::read(&self.filter));
        model.deploys.come_back(self.deployments);
        model.board.returning = Returning {
            timeline: self.timeline.filter(|(epoch, _)| !epoch.is_empty()),
            place: self.place,
            decisions: self.decisions,
        };
    }
}

/// The latest of `lines`, as many and as much of each as is kept.
fn latest(lines: &[String]) -> Vec<String> {
    let mut room = HISTORY;
    let mut kept: Vec<String> = Vec::new();
    for line in lines.iter().rev().take(LINES) {
        let end = line.char_indices().nth(CHARACTERS);
        let line = &line[..end.map_or(line.len(), |(at, _)| at)];
        let Some(rest) = room.checked_sub(line.len()) else {
            break;
        };
        room = rest;
        kept.push(line.to_owned());
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::tui::keymap::LineCommand;
    use crate::tui::model::Settings;
    use crate::tui::model::notes::NotingWhat;

    fn model() -> Model {
        Model::new(Settings::new(&Config::default(), false).unwrap(), 80, 24)
    }

    fn again(model: &Model) -> Model {
        let mut fresh = self::model();
        let saved = Saved::read(&Saved::of(model).bytes()).unwrap();
        saved.restore(&mut fresh);
        assert_eq!(Saved::of(&fresh), Saved::of(model));
        fresh
    }

    #[test]
    fn what_was_said_before_is_there_again() {
        let mut before = model();
        for line in ["make the header blue", "deploy  it"] {
            before.line.remember(line);
        }
        before.line.set("half a");
        let mut fresh = again(&before);
        assert_eq!(fresh.line.history(), before.line.history());
        fresh.line.apply(LineCommand::Older);
        assert_eq!(fresh.line.text(), "deploy  it");
        fresh.line.apply(LineCommand::Newer);
        assert_eq!(fresh.line.text(), "half a");
    }

    #[test]
    fn the_file_stays_short_however_much_was_said() {
        let mut before = model();
        for at in 0..150 {
            before
                .line
                .remember(&format!("{at} {}", "\"語".repeat(3_000)));
        }
        let saved = Saved::of(&before);
        assert!(saved.bytes().len() < 1024 * 1024);
        let last = saved.history.last().unwrap();
        assert!(last.starts_with("149 ") && last.chars().count() == CHARACTERS);
        let mut before = model();
        for at in 0..150 {
            before.line.remember(&format!("line {at}"));
        }
        let fresh = again(&before);
        assert_eq!(fresh.line.history().len(), LINES);
        assert_eq!(fresh.line.history()[0], "line 50");
    }

    #[test]
    fn a_message_and_a_note_stay_what_they_are() {
        let mut before = model();
        before.line.set("Rename the button, half of");
        before.wording = Some(Wording {
            proposal: "pro_1".into(),
            message: Some("Rename the button".into()),
            draft: Some("make it".into()),
        });
        let fresh = again(&before);
        assert!(fresh.wording_now());
        assert_eq!(fresh.wording, before.wording);
        before.wording = None;
        before.team.noting = Some(Noting {
            proposal: "pro_1".into(),
            what: NotingWhat::New {
                file: "index.html".into(),
                line: Some(3),
            },
            draft: "make it".into(),
        });
        let fresh = again(&before);
        assert_eq!(fresh.team.noting, before.team.noting);
        assert!(fresh.team.wanted);
    }

    #[test]
    fn the_batch_is_there_again() {
        let mut before = model();
        before.batch.toggle(&"pro_1".into(), 2);
        let fresh = again(&before);
        assert_eq!(fresh.batch.picked(), before.batch.picked());
        assert!(fresh.batch.has_seen(&"pro_1".into(), 2));
    }

    #[test]
    fn a_file_from_before_these_is_still_read() {
        let saved = Saved::read(b"{\"version\": 1, \"text\": \"hello\"}").unwrap();
        let mut fresh = model();
        saved.restore(&mut fresh);
        assert_eq!(fresh.line.text(), "hello");
        assert!(fresh.line.history().is_empty() && fresh.wording.is_none());
    }
}
