//! How long each step of an instruction took, from the spoken word to the live page: read off the events.
//!
//! Nothing here depends on the order in which events become known: history may come after what is new.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{Event, EventKind, Stage};

/// Journeys kept.
const KEPT: usize = 256;

/// A step of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// Sound became text.
    Speech,
    /// Text became meaning.
    Understanding,
    /// The change was made.
    Proposal,
    /// A person read and decided.
    Waiting,
    /// The project's checks ran.
    Checks,
    /// The commit was made.
    Commit,
    /// A stage of the deployment.
    Deploy(Stage),
}

impl Leg {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Leg::Speech => "speech",
            Leg::Understanding => "understanding",
            Leg::Proposal => "proposal",
            Leg::Waiting => "waiting for you",
            Leg::Checks => "checks",
            Leg::Commit => "commit",
            Leg::Deploy(stage) => stage.as_str(),
        }
    }
}

/// A step with its place in time, in milliseconds since the journey began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lap {
    /// The step.
    pub leg: Leg,
    /// Its begin.
    pub from: u64,
    /// Its length.
    pub took: u64,
}

/// What a journey took, by the parts that have a target. Milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// From the approval to the commit.
    pub commit: Option<u64>,
    /// The build; nothing without one.
    pub build: Option<u64>,
    /// Everything of the deployment but the build.
    pub deploy: Option<u64>,
    /// From the end of the words to live, without the time a person took to decide.
    pub total: Option<u64>,
}

/// The part of a journey that a target is for.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Milliseconds that it should take at most.
    pub most: u64,
    /// The target in words.
    pub words: &'static str,
    /// Reads it.
    pub read: fn(&Figures) -> Option<u64>,
}

/// The targets: commit < 5 s, build 10–15 s, deploy 5–10 s, all of it < 30 s.
pub const TARGETS: [Target; 4] = [
    Target {
        name: "total",
        most: 30_000,
        words: "< 30 s",
        read: |figures| figures.total,
    },
    Target {
        name: "commit",
        most: 5_000,
        words: "< 5 s",
        read: |figures| figures.commit,
    },
    Target {
        name: "build",
        most: 15_000,
        words: "10-15 s",
        read: |figures| figures.build,
    },
    Target {
        name: "deploy",
        most: 10_000,
        words: "5-10 s",
        read: |figures| figures.deploy,
    },
];

/// One instruction, or one deployment by hand, on its way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journey {
    key: String,
    seq: u64,
    said: Option<Timestamp>,
    heard: Option<Timestamp>,
    understood: Option<Timestamp>,
    proposed: Option<Timestamp>,
    approved: Option<Timestamp>,
    checked: Option<Timestamp>,
    committed: Option<Timestamp>,
    started: Option<Timestamp>,
    live: Option<Timestamp>,
    stages: Vec<(Stage, u64)>,
    /// The commit that went live.
    pub commit: String,
    /// Where.
    pub environment: String,
}

impl Journey {
    /// True when it went all the way.
    pub fn is_live(&self) -> bool {
        self.live.is_some()
    }

    fn note(&mut self, event: &Event) {
        self.seq = self.seq.max(event.seq);
        let at = Some(event.at);
        let earliest = |known: &mut Option<Timestamp>| {
            if known.is_none_or(|known| event.at < known) {
                *known = at;
            }
        };
        let latest = |known: &mut Option<Timestamp>| {
            if known.is_none_or(|known| event.at > known) {
                *known = at;
            }
        };
        match event.kind {
            EventKind::Transcript => {
                earliest(&mut self.heard);
                let ms = event.data["ms"].as_i64().unwrap_or(0).clamp(0, 600_000);
                let said = event.at.checked_sub(jiff::SignedDuration::from_millis(ms));
                self.said = said.ok().or(at);
            }
            EventKind::Intent => earliest(&mut self.understood),
            EventKind::Proposal => latest(&mut self.proposed),
            // Those of a deployment are part of it.
            EventKind::Approved | EventKind::Check if event.deployment.is_some() => {}
            EventKind::Approved => latest(&mut self.approved),
            EventKind::Check => latest(&mut self.checked),
            EventKind::Commit => {
                latest(&mut self.committed);
                self.commit = short(&event.data["commit"]);
            }
            EventKind::DeployStart => latest(&mut self.started),
            EventKind::DeployComplete => {
                self.live = at;
                self.commit = short(&event.data["commit"]);
                self.environment = event.environment.clone().unwrap_or_default();
                self.stages = Stage::EVERY
                    .into_iter()
                    .filter_map(|stage| {
                        let ms = u64::deserialize(&event.data["stages"][stage.as_str()]).ok()?;
                        Some((stage, ms))
                    })
                    .collect();
            }
            _ => {}
        }
    }

    fn begun(&self) -> Option<Timestamp> {
        self.said.or(self.started)
    }

    /// Its steps, in order; empty until something is known.
    pub fn laps(&self) -> Vec<Lap> {
        let Some(begun) = self.begun() else {
            return Vec::new();
        };
        let since = |at: Timestamp| millis(begun, at);
        let mut laps = Vec::new();
        let mut last = begun;
        let checks_first = self
            .checked
            .filter(|checked| self.approved.is_some_and(|approved| *checked >= approved));
        for (leg, end) in [
            (Leg::Speech, self.heard),
            (Leg::Understanding, self.understood),
            (Leg::Proposal, self.proposed),
            (Leg::Waiting, self.approved),
            (Leg::Checks, checks_first),
            (Leg::Commit, self.committed),
        ] {
            let Some(end) = end.filter(|end| *end >= last) else {
                continue;
            };
            // Words that were typed took no time to be heard.
            if leg == Leg::Speech && end == last {
                continue;
            }
            laps.push(Lap {
                leg,
                from: since(last),
                took: millis(last, end),
            });
            last = end;
        }
        let mut at = self.started.map_or_else(|| since(last), since);
        for (stage, took) in &self.stages {
            laps.push(Lap {
                leg: Leg::Deploy(*stage),
                from: at,
                took: *took,
            });
            at += took;
        }
        laps
    }

    /// What it took.
    pub fn figures(&self) -> Figures {
        let stage = |wanted: Stage| {
            let found = self.stages.iter().find(|(stage, _)| *stage == wanted);
            found.map(|(_, ms)| *ms)
        };
        let between = |from: Option<Timestamp>, to: Option<Timestamp>| Some(millis(from?, to?));
        let waited = match (self.proposed, self.approved) {
            (Some(from), Some(to)) => millis(from, to),
            _ => 0,
        };
        let rest: u64 = self
            .stages
            .iter()
            .filter(|(stage, _)| *stage != Stage::Build)
            .map(|(_, ms)| ms)
            .sum();
        Figures {
            commit: between(self.approved, self.committed),
            build: stage(Stage::Build).filter(|ms| *ms > 0),
            deploy: (!self.stages.is_empty()).then_some(rest),
            total: between(self.said, self.live).map(|ms| ms.saturating_sub(waited)),
        }
    }
}

/// The journeys that events told of, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Journeys {
    all: VecDeque<Journey>,
}

impl Journeys {
    /// Notes an event; events may come in any order and twice.
    pub fn note(&mut self, event: &Event) {
        let key = match (&event.instruction, &event.deployment) {
            (Some(instruction), _) => instruction.to_string(),
            (None, Some(deployment)) => deployment.to_string(),
            (None, None) => return,
        };
        if !matters(event.kind) {
            return;
        }
        if let Some(known) = self.all.iter_mut().rev().find(|known| known.key == key) {
            known.note(event);
            return;
        }
        let mut journey = Journey {
            key,
            ..Journey::default()
        };
        journey.note(event);
        let at = self.all.partition_point(|known| known.seq < journey.seq);
        self.all.insert(at, journey);
        if self.all.len() > KEPT {
            self.all.pop_front();
        }
    }

    /// Forgets everything: another log begins.
    pub fn clear(&mut self) {
        self.all.clear();
    }

    /// The newest one that went live.
    pub fn last(&self) -> Option<&Journey> {
        let live = self.all.iter().filter(|journey| journey.is_live());
        live.max_by_key(|journey| journey.live)
    }

    /// What those that went live took by `target`, oldest first.
    pub fn times(&self, target: &Target) -> Vec<u64> {
        let mut live: Vec<&Journey> = self.all.iter().filter(|j| j.is_live()).collect();
        live.sort_by_key(|journey| journey.live);
        let times = live.into_iter();
        times
            .filter_map(|journey| (target.read)(&journey.figures()))
            .collect()
    }
}

/// The value below which `percent` of `times` lie (nearest rank).
pub fn percentile(times: &[u64], percent: usize) -> Option<u64> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn matters(kind: EventKind) -> bool {
    use EventKind as E;
    matches!(
        kind,
        E::Transcript
            | E::Intent
            | E::Proposal
            | E::Approved
            | E::Check
            | E::Commit
            | E::DeployStart
            | E::DeployComplete
    )
}

fn short(commit: &serde_json::Value) -> String {
    let commit = commit.as_str().unwrap_or_default();
    crate::tui::text::clean_prose(crate::tui::text::short(commit))
}

fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(seq: u64, at_ms: i64, kind: EventKind, data: Value) -> Event {
        Event {
            seq,
            at: Timestamp::from_millisecond(1_700_000_000_000 + at_ms).unwrap(),
            kind,
            project: "p".into(),
            instruction: Some("ins_1".into()),
            proposal: None,
            deployment: None,
            environment: Some("production".into()),
            actor: "Ada".into(),
            data,
        }
    }

    fn way() -> Vec<Event> {
        let stages = json!({"queue": 1, "fetch": 9, "build": 400, "upload": 60, "activate": 5, "verify": 25});
        vec![
            event(
                1,
                100,
                EventKind::Transcript,
                json!({"text": "t", "ms": 100}),
            ),
            event(2, 150, EventKind::Intent, json!({})),
            event(3, 250, EventKind::Proposal, json!({})),
            event(4, 5_250, EventKind::Approved, json!({})),
            event(5, 5_450, EventKind::Check, json!({"ok": true})),
            event(6, 5_550, EventKind::Commit, json!({"commit": "abcdef0123"})),
            event(7, 5_560, EventKind::DeployStart, json!({})),
            event(
                8,
                6_060,
                EventKind::DeployComplete,
                json!({"commit": "abcdef0123", "stages": stages}),
            ),
        ]
    }

    #[test]
    fn the_steps_follow_each_other_and_the_person_is_not_counted() {
        let mut journeys = Journeys::default();
        for event in way() {
            journeys.note(&event);
        }
        let last = journeys.last().unwrap();
        let laps: Vec<(&str, u64, u64)> = last
            .laps()
            .iter()
            .map(|lap| (lap.leg.name(), lap.from, lap.took))
            .collect();
        assert_eq!(
            laps[..6],
            [
                ("speech", 0, 100),
                ("understanding", 100, 50),
                ("proposal", 150, 100),
                ("waiting for you", 250, 5_000),
                ("checks", 5_250, 200),
                ("commit", 5_450, 100),
            ]
        );
        assert_eq!(laps[6], ("queue", 5_560, 1));
        assert_eq!(laps[8], ("build", 5_570, 400));
        assert_eq!(
            last.figures(),
            Figures {
                commit: Some(300),
                build: Some(400),
                deploy: Some(100),
                total: Some(1_060),
            }
        );
    }

    #[test]
    fn history_may_come_later_and_twice() {
        let (mut forward, mut backward) = (Journeys::default(), Journeys::default());
        for event in way() {
            forward.note(&event);
        }
        for event in way().iter().rev().chain(&way()) {
            backward.note(event);
        }
        assert_eq!(forward.last(), backward.last());
        assert_eq!(backward.times(&TARGETS[0]), [1_060]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut journeys = Journeys::default();
        for at in 0..KEPT as u64 + 50 {
            let mut event = event(at + 1, at as i64, EventKind::DeployComplete, json!({}));
            event.instruction = Some(format!("ins_{at}").as_str().into());
            journeys.note(&event);
        }
        assert_eq!(journeys.all.len(), KEPT);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7], 95), Some(7));
        let times: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(percentile(&times, 50), Some(50));
        assert_eq!(percentile(&times, 95), Some(95));
    }
}
