//! How a live environment has been: the answers of its checks, as they are kept and drawn. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::ReleaseId;

/// Heights of a good answer, from quick to slow.
const HEIGHTS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];

/// The sign of a bad answer: another shape, so that no colour is needed to see it.
pub const BAD: char = '✗';

/// One answer of a live environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthAnswer {
    /// When it was asked.
    pub at: Timestamp,
    /// Whether the answer was good.
    pub ok: bool,
    /// HTTP status, 0 when there was no answer.
    pub status: u16,
    /// Milliseconds it took.
    pub ms: u64,
    /// What was wrong; empty when nothing was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// How an environment has been lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vitals {
    /// The environment.
    pub environment: String,
    /// What it served when it was asked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseId>,
    /// Bad answers in a row, up to the last one.
    #[serde(default)]
    pub failing: u32,
    /// What a person has to know or do, while it is unwell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The answers, oldest first.
    #[serde(default)]
    pub answers: Vec<HealthAnswer>,
}

impl Vitals {
    /// Answers that are kept: an hour, asked every 20 seconds.
    pub const KEPT: usize = 180;

    /// Nothing known yet of `environment`.
    pub fn new(environment: &str) -> Self {
        Self {
            environment: environment.to_owned(),
            release: None,
            failing: 0,
            note: None,
            answers: Vec::new(),
        }
    }

    /// Adds an answer; the oldest one goes when there are too many.
    pub fn add(&mut self, answer: HealthAnswer) {
        self.failing = if answer.ok {
            0
        } else {
            self.failing.saturating_add(1)
        };
        if self.answers.len() >= Self::KEPT {
            let over = self.answers.len() + 1 - Self::KEPT;
            self.answers.drain(..over);
        }
        self.answers.push(answer);
    }

    /// The last `width` answers as one line: the height of a good one is its time beside the slowest of them, a bad one
    /// is [`BAD`].
    pub fn strip(&self, width: usize) -> String {
        let from = self.answers.len().saturating_sub(width);
        let shown = &self.answers[from..];
        let good = shown.iter().filter(|answer| answer.ok);
        let slowest = good.map(|answer| answer.ms).max().unwrap_or(0).max(1);
        let steps = HEIGHTS.len() as u64;
        shown
            .iter()
            .map(|answer| match answer.ok {
                true => {
                    let step = answer.ms.saturating_mul(steps - 1) / slowest;
                    HEIGHTS[usize::try_from(step.min(steps - 1)).unwrap_or(0)]
                }
                false => BAD,
            })
            .collect()
    }

    /// The same in words: how it is, how quick, and how many answers of those kept were bad.
    pub fn words(&self) -> String {
        let Some(last) = self.answers.last() else {
            return "not asked yet".to_owned();
        };
        let bad = self.answers.iter().filter(|answer| !answer.ok).count();
        let of = self.answers.len();
        let now = match (last.ok, self.failing) {
            (true, _) => format!("well, {} ms", self.median()),
            (false, 1) => format!("1 bad answer: {}", last.message),
            (false, failing) => format!("UNWELL, {failing} bad answers in a row: {}", last.message),
        };
        match bad {
            0 => format!("{now}, all of {of} good"),
            bad => format!("{now}, {bad} of {of} bad"),
        }
    }

    fn median(&self) -> u64 {
        let good = self.answers.iter().filter(|answer| answer.ok);
        let mut times: Vec<u64> = good.map(|answer| answer.ms).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(ok: bool, ms: u64) -> HealthAnswer {
        HealthAnswer {
            at: Timestamp::UNIX_EPOCH,
            ok,
            status: if ok { 200 } else { 500 },
            ms,
            message: if ok {
                String::new()
            } else {
                "/ answered 500".into()
            },
        }
    }

    #[test]
    fn the_strip_tells_bad_answers_by_their_shape_and_slow_ones_by_their_height() {
        let mut vitals = Vitals::new("production");
        assert_eq!(
            (vitals.strip(10).as_str(), vitals.words().as_str()),
            ("", "not asked yet")
        );
        for (ok, ms) in [(true, 10), (true, 60), (false, 9000), (true, 30)] {
            vitals.add(answer(ok, ms));
        }
        assert_eq!(vitals.strip(10), "▂▇✗▄");
        assert_eq!(vitals.strip(2), "✗▇");
        assert_eq!(vitals.words(), "well, 30 ms, 1 of 4 bad");
        vitals.add(answer(false, 1));
        vitals.add(answer(false, 1));
        assert!(
            vitals
                .words()
                .starts_with("UNWELL, 2 bad answers in a row: / answered 500")
        );
    }

    #[test]
    fn the_oldest_answers_go() {
        let mut vitals = Vitals::new("production");
        for ms in 0..1000 {
            vitals.add(answer(true, ms));
        }
        assert_eq!(vitals.answers.len(), Vitals::KEPT);
        assert_eq!(vitals.answers.last().map(|answer| answer.ms), Some(999));
    }
}
