//! What to do about an answer that was none: pure, so that each case can be tested.

use std::time::Duration;

/// How a request may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It only reads, or what it makes is named by its own content: freely.
    Freely,
    /// It changes something: whoever sent it looks first, then decides.
    Never,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No answer: no connection, or it broke, or it took too long.
    Nothing,
    /// An answer.
    Answer {
        /// Its status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
        /// `X-RateLimit-Remaining`.
        remaining: Option<u64>,
        /// `X-RateLimit-Reset`, in seconds since 1970.
        reset: Option<u64>,
        /// The text of a refusal speaks of a rate limit: the only sign that some secondary limits give.
        speaks_of_limit: bool,
    },
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Take the answer, or the lack of one, as it is.
    Take,
    /// Ask again after this time.
    Again(Duration),
    /// A limit is used up: nothing was done; ask again after this time.
    Limited(Duration),
}

/// Times a request is repeated for want of an answer.
pub const REPEATS: u32 = 4;

/// Times a limit is waited for.
pub const WAITS: u32 = 4;

/// Decides. `attempt` counts from 0, `waits` the waits for a limit so far; `now` is in seconds since 1970.
pub fn verdict(repeat: Repeat, attempt: u32, waits: u32, now: u64, outcome: &Outcome) -> Verdict {
    let Outcome::Answer {
        status,
        retry_after,
        remaining,
        reset,
        speaks_of_limit,
    } = outcome
    else {
        return again(repeat, attempt, None);
    };
    let limited = match status {
        429 => true,
        403 => retry_after.is_some() || *remaining == Some(0) || *speaks_of_limit,
        _ => false,
    };
    if limited {
        if waits >= WAITS {
            return Verdict::Take;
        }
        let until_reset = reset
            .filter(|_| *remaining == Some(0))
            .map(|reset| reset.saturating_sub(now) + 1);
        // Without a word on how long, GitHub asks for a minute, and for more each time.
        let seconds = retry_after.or(until_reset).unwrap_or(60 << waits.min(4));
        return Verdict::Limited(Duration::from_secs(seconds.max(1)));
    }
    match status {
        500 | 502..=504 => again(repeat, attempt, *retry_after),
        _ => Verdict::Take,
    }
}

fn again(repeat: Repeat, attempt: u32, retry_after: Option<u64>) -> Verdict {
    if repeat == Repeat::Never || attempt >= REPEATS {
        return Verdict::Take;
    }
    let pause = Duration::from_millis(200 << attempt.min(6));
    let asked = Duration::from_secs(retry_after.unwrap_or(0).min(30));
    Verdict::Again(pause.max(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Outcome {
        Outcome::Answer {
            status,
            retry_after: None,
            remaining: Some(4000),
            reset: Some(5000),
            speaks_of_limit: false,
        }
    }

    fn limited(status: u16, after: Option<u64>, left: Option<u64>, speaks: bool) -> Outcome {
        Outcome::Answer {
            status,
            retry_after: after,
            remaining: left,
            reset: Some(1_030),
            speaks_of_limit: speaks,
        }
    }

    fn ask(repeat: Repeat, attempt: u32, outcome: &Outcome) -> Verdict {
        verdict(repeat, attempt, 0, 1_000, outcome)
    }

    #[test]
    fn what_changes_something_is_never_repeated_for_want_of_an_answer() {
        for outcome in [Outcome::Nothing, answer(500), answer(502), answer(503)] {
            assert_eq!(ask(Repeat::Never, 0, &outcome), Verdict::Take);
            assert!(matches!(
                ask(Repeat::Freely, 0, &outcome),
                Verdict::Again(_)
            ));
            assert_eq!(ask(Repeat::Freely, REPEATS, &outcome), Verdict::Take);
        }
    }

    #[test]
    fn a_refusal_is_taken_as_one() {
        for status in [400, 401, 403, 404, 409, 422, 501] {
            assert_eq!(
                ask(Repeat::Freely, 0, &answer(status)),
                Verdict::Take,
                "{status}"
            );
        }
    }

    #[test]
    fn limits_are_waited_for_as_long_as_is_said() {
        let seconds = |outcome: &Outcome| match ask(Repeat::Never, 0, outcome) {
            Verdict::Limited(pause) => pause.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(seconds(&limited(429, Some(7), None, false)), 7);
        assert_eq!(seconds(&limited(403, Some(9), Some(0), false)), 9);
        assert_eq!(seconds(&limited(403, None, Some(0), false)), 31);
        assert_eq!(seconds(&limited(403, None, Some(40), true)), 60);
        // A reset in the past is no reason to ask without end.
        assert_eq!(
            verdict(
                Repeat::Freely,
                0,
                WAITS,
                9,
                &limited(429, Some(7), None, false)
            ),
            Verdict::Take
        );
        let third = verdict(Repeat::Freely, 0, 2, 9, &limited(429, None, None, false));
        assert_eq!(third, Verdict::Limited(Duration::from_secs(240)));
    }
}
