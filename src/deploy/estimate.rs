//! How far a deployment has come, in percent, and how long it will take: from what earlier ones took. Pure.
//!
//! No service says how far a build is, so the bar is a model. Each stage gets a share of the bar as long as the
//! median of what it took in earlier deployments; within a stage the time spent in it counts against that median,
//! slowing down when the stage takes longer than it used to. The percentage never goes back and stops at 99: what is
//! live and verified is said by the deployment, not by a clock.

use std::collections::BTreeMap;

use crate::model::Stage;

/// Milliseconds each stage takes when nothing is known, about what a small site takes on the local host.
const DEFAULTS: [(Stage, u64); 6] = [
    (Stage::Queue, 1),
    (Stage::Fetch, 20),
    (Stage::Build, 0),
    (Stage::Upload, 20),
    (Stage::Activate, 10),
    (Stage::Verify, 10),
];

/// Earlier deployments that count: sites and machines change.
const RECENT: usize = 10;

/// The bar never says more before the end.
const CAP: u8 = 99;

/// Up to here a stage moves in step with the clock; after it, ever more slowly.
const STEADY: f64 = 0.8;

/// How far a deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// 0 to 99.
    pub percent: u8,
    /// Milliseconds to the end; `None` when no earlier deployment is known.
    pub eta_ms: Option<u64>,
}

/// Follows one deployment.
#[derive(Clone, Debug)]
pub struct Estimator {
    /// The stages in the order in which they come.
    order: Vec<Stage>,
    /// Expected milliseconds, in that order.
    expected: Vec<f64>,
    known: bool,
    percent: u8,
    reached: usize,
}

impl Estimator {
    /// An estimator from the stage durations (milliseconds) of earlier successful deployments, oldest first.
    pub fn new(history: &[BTreeMap<Stage, u64>]) -> Self {
        Self::ordered(history, Stage::ALL)
    }

    /// As [`Self::new`], for a place where the stages come in another order.
    pub fn ordered(
        history: &[BTreeMap<Stage, u64>],
        order: impl IntoIterator<Item = Stage>,
    ) -> Self {
        let order: Vec<Stage> = order.into_iter().collect();
        let recent = &history[history.len().saturating_sub(RECENT)..];
        let mut expected = vec![0.0; order.len()];
        for (at, stage) in order.iter().copied().enumerate() {
            let default = DEFAULTS
                .iter()
                .find(|(other, _)| *other == stage)
                .map_or(0, |(_, default)| *default);
            expected[at] = if recent.is_empty() {
                default as f64
            } else {
                // A deployment without the stage skipped it.
                let mut times: Vec<u64> = recent
                    .iter()
                    .map(|stages| stages.get(&stage).copied().unwrap_or(0))
                    .collect();
                times.sort_unstable();
                times[times.len() / 2] as f64
            };
        }
        Self {
            order,
            expected,
            known: !recent.is_empty(),
            percent: 0,
            reached: 0,
        }
    }

    /// How long `stage` usually takes, in milliseconds; `None` when no earlier deployment is known.
    pub fn usual(&self, stage: Stage) -> Option<u64> {
        let at = self.order.iter().position(|other| *other == stage)?;
        self.known.then_some(self.expected[at] as u64)
    }

    /// The estimate `in_stage_ms` after `stage` began; `fraction` (0 to 1) is how much of it is done, where known.
    pub fn update(&mut self, stage: Stage, in_stage_ms: u64, fraction: Option<f64>) -> Estimate {
        let at = self
            .order
            .iter()
            .position(|other| *other == stage)
            .unwrap_or(0);
        // A stage entered again (a queue left and joined) does not make earlier work undone.
        self.reached = self.reached.max(at);
        let at = self.reached;
        let spent = in_stage_ms as f64;
        let mut expected = self.expected.clone();
        let known = fraction
            .filter(|fraction| fraction.is_finite())
            .map(|fraction| fraction.clamp(0.0, 1.0));
        if expected[at] == 0.0 {
            // A stage that earlier deployments did not have: it takes about what it has taken already, and more.
            expected[at] = (spent * 2.0).max(1.0);
        }
        let done = known.unwrap_or_else(|| ease(spent / expected[at]));
        let before: f64 = expected[..at].iter().sum();
        let after: f64 = expected[at + 1..].iter().sum();
        let total = before + expected[at] + after;
        let share = if total > 0.0 {
            (before + done * expected[at]) / total
        } else {
            0.0
        };
        let percent = (share * 100.0).floor().clamp(0.0, f64::from(CAP)) as u8;
        self.percent = self.percent.max(percent);

        let left = match known {
            // What is done tells the pace, once there is enough of it.
            Some(done) if done >= 0.1 => spent / done * (1.0 - done),
            _ => (expected[at] - spent).max(spent * 0.1),
        };
        let eta_ms = self.known.then_some((left + after).round() as u64);
        Estimate {
            percent: self.percent,
            eta_ms,
        }
    }
}

/// Of a stage's share: the clock's up to [`STEADY`], then towards 1 without reaching it.
fn ease(of_expected: f64) -> f64 {
    if of_expected <= STEADY {
        return of_expected.max(0.0);
    }
    let left = 1.0 - STEADY;
    STEADY + left * (1.0 - (-(of_expected - STEADY) / left / 2.0).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn took(times: [u64; 6]) -> BTreeMap<Stage, u64> {
        Stage::ALL.into_iter().zip(times).collect()
    }

    #[test]
    fn stages_get_what_they_used_to_take() {
        let mut estimator = Estimator::new(&[took([0, 100, 700, 100, 50, 50])]);
        assert_eq!(
            estimator.update(Stage::Fetch, 0, None),
            Estimate {
                percent: 0,
                eta_ms: Some(1000)
            }
        );
        assert_eq!(
            estimator.update(Stage::Build, 0, None),
            Estimate {
                percent: 10,
                eta_ms: Some(900)
            }
        );
        assert_eq!(
            estimator.update(Stage::Build, 350, None),
            Estimate {
                percent: 45,
                eta_ms: Some(550)
            }
        );
        assert_eq!(estimator.update(Stage::Upload, 0, None).percent, 80);
        assert_eq!(estimator.update(Stage::Verify, 0, None).percent, 95);
    }

    #[test]
    fn the_median_forgives_one_slow_deployment() {
        let usual = took([0, 10, 100, 10, 10, 10]);
        let slow = took([0, 10, 90_000, 10, 10, 10]);
        let mut estimator = Estimator::new(&[usual.clone(), slow, usual]);
        assert_eq!(estimator.update(Stage::Build, 0, None).eta_ms, Some(130));
    }

    #[test]
    fn only_the_newest_deployments_count() {
        let mut history = vec![took([0, 0, 9000, 0, 0, 0]); 20];
        history.extend(vec![took([0, 0, 100, 0, 0, 100]); 10]);
        assert_eq!(
            Estimator::new(&history)
                .update(Stage::Build, 0, None)
                .eta_ms,
            Some(200)
        );
    }

    #[test]
    fn a_stage_that_takes_too_long_slows_down_but_never_ends_by_itself() {
        let mut estimator = Estimator::new(&[took([0, 10, 100, 10, 10, 10])]);
        let late = estimator.update(Stage::Build, 150, None);
        let later = estimator.update(Stage::Build, 100_000, None);
        assert!(
            late.percent < 78 && later.percent <= 78,
            "{late:?} {later:?}"
        );
        assert!(later.eta_ms.is_some_and(|left| left >= 10_000), "{later:?}");
    }

    #[test]
    fn what_is_known_to_be_done_beats_the_clock() {
        let mut estimator = Estimator::new(&[took([0, 0, 1000, 0, 0, 1000])]);
        assert_eq!(
            estimator.update(Stage::Build, 4000, Some(0.5)),
            Estimate {
                percent: 25,
                eta_ms: Some(5000)
            }
        );
    }

    #[test]
    fn without_history_there_is_a_bar_but_no_promise() {
        let mut estimator = Estimator::new(&[]);
        let start = estimator.update(Stage::Fetch, 0, None);
        let middle = estimator.update(Stage::Activate, 0, None);
        let end = estimator.update(Stage::Verify, 60_000, None);
        assert!(
            start.percent < 10 && (40..90).contains(&middle.percent),
            "{start:?} {middle:?}"
        );
        assert!(end.percent <= 99 && end.percent > middle.percent);
        assert_eq!(end.eta_ms, None);
    }

    #[test]
    fn a_build_nobody_expected_leaves_room_for_itself() {
        let mut estimator = Estimator::new(&[]);
        assert!(estimator.update(Stage::Build, 10_000, None).percent < 60);
    }

    #[test]
    fn a_place_with_another_order_has_its_bar_in_that_order() {
        use Stage::{Activate, Build, Fetch, Queue, Upload, Verify};
        let history = [BTreeMap::from([(Upload, 100), (Queue, 100), (Build, 800)])];
        let order = [Fetch, Upload, Queue, Build, Activate, Verify];
        let mut estimator = Estimator::ordered(&history, order);
        assert_eq!(estimator.update(Upload, 50, None).percent, 5);
        assert_eq!(estimator.update(Queue, 0, None).percent, 10);
        assert_eq!(estimator.update(Build, 400, None).percent, 60);
        assert_eq!(estimator.usual(Build), Some(800));
        assert_eq!(Estimator::new(&[]).usual(Build), None);
    }

    proptest! {
        #[test]
        fn the_percentage_never_goes_back_and_never_says_done(
            history in prop::collection::vec(prop::array::uniform6(0u64..100_000), 0..4),
            steps in prop::collection::vec((0usize..6, 0u64..1_000_000, prop::option::of(-1.0f64..2.0)), 1..60),
        ) {
            let history: Vec<_> = history.into_iter().map(took).collect();
            let mut estimator = Estimator::new(&history);
            let mut last = 0;
            for (stage, spent, fraction) in steps {
                let estimate = estimator.update(Stage::ALL[stage], spent, fraction);
                prop_assert!(estimate.percent >= last && estimate.percent <= 99, "{last} then {estimate:?}");
                prop_assert_eq!(estimate.eta_ms.is_some(), !history.is_empty());
                last = estimate.percent;
            }
        }
    }
}
