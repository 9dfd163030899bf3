//! When to try again, how, and when to stop: the decisions of the event stream's client, without any I/O.
//!
//! Time is a [`Duration`] since some fixed moment, chance is a number that the caller draws, so that every path is a
//! row of a table in the tests.

use std::time::Duration;

pub use super::options::StreamOptions;

/// The longest time a server may ask for with `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer: refused, no route, no such name, too slow.
    Unreachable(String),
    /// An answer that is not 200.
    Status {
        /// Its status.
        code: u16,
        /// What it says, if it says something.
        detail: Option<String>,
        /// What its `Retry-After` asks for.
        retry_after: Option<Duration>,
    },
    /// Another address, which is not followed: it would get the token.
    Redirected,
    /// 200, but something else than an event stream.
    NotAStream(String),
    /// The server or something on the way closed the connection.
    Ended,
    /// Nothing came for longer than three heartbeats.
    Stalled,
    /// Connected, and not even a heartbeat: something on the way collects the stream.
    HeldBack,
    /// What came cannot be used: too large, not JSON, out of order.
    Garbled(String),
}

impl Failure {
    /// Whether it says that streams do not get through here. That nobody answers, or that the server is unwell,
    /// is no reason to ask in another way.
    fn blames_the_stream(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Status { .. } => false,
            Self::Redirected
            | Self::NotAStream(_)
            | Self::Ended
            | Self::Stalled
            | Self::HeldBack
            | Self::Garbled(_) => true,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "the server cannot be reached: {why}"),
            Self::Status { code, detail, .. } => {
                write!(f, "the server answered {code}")?;
                detail.iter().try_for_each(|detail| write!(f, ": {detail}"))
            }
            Self::Redirected => f.write_str("the server sends us elsewhere, which is not followed"),
            Self::NotAStream(kind) => write!(f, "something else than the server answered ({kind})"),
            Self::Ended => f.write_str("the connection was closed"),
            Self::Stalled => f.write_str("the connection went silent"),
            Self::HeldBack => f.write_str("something on the way holds the event stream back"),
            Self::Garbled(what) => write!(f, "the event stream is damaged: {what}"),
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Open the stream after a pause; if nothing is heard on it for `patience`, it is held back.
    Stream {
        /// The pause.
        pause: Duration,
        /// See above.
        patience: Duration,
    },
    /// Long-poll after a pause, letting the server wait for at most `wait`.
    Poll {
        /// The pause.
        pause: Duration,
        /// See above.
        wait: Duration,
    },
    /// Give up: trying again would not help.
    Stop {
        /// Why, and what a person can do.
        reason: String,
    },
}

/// How events are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Streaming,
    Polling {
        /// When the stream is to be tried again.
        until: Duration,
    },
    /// The stream is being tried; polling goes on if it fails.
    Trying,
}

/// The state between attempts.
#[derive(Debug)]
pub struct Reconnect {
    options: StreamOptions,
    mode: Mode,
    /// Attempts that failed since the last good connection.
    failures: u32,
    /// Streams that broke since the last good one.
    broken: u32,
    opened: Option<Duration>,
    delivered: bool,
}

impl Reconnect {
    /// Nothing tried yet.
    pub fn new(options: StreamOptions) -> Self {
        Self {
            options,
            mode: Mode::Streaming,
            failures: 0,
            broken: 0,
            opened: None,
            delivered: false,
        }
    }

    /// The very first step.
    pub fn first(&self) -> Step {
        Step::Stream {
            pause: Duration::ZERO,
            patience: self.options.patience,
        }
    }

    /// The stream gave its first sign of life.
    pub fn opened(&mut self, now: Duration) {
        self.opened.get_or_insert(now);
        self.mode = Mode::Streaming;
    }

    /// The stream gave an event that is new.
    pub fn delivered(&mut self) {
        self.delivered = true;
        self.failures = 0;
        self.broken = 0;
    }

    /// A long-poll was answered: what next. `idle`: with nothing, and long before its time.
    pub fn polled(&mut self, now: Duration, idle: bool) -> Step {
        self.failures = 0;
        let pause = if idle {
            self.options.delay
        } else {
            Duration::ZERO
        };
        self.poll(now, pause, self.options.poll_wait)
    }

    /// The attempt ended with `failure`: what next. `chance` is a random number from 0 to 999.
    pub fn failed(&mut self, now: Duration, failure: &Failure, chance: u32) -> Step {
        let good = self.delivered
            || self
                .opened
                .is_some_and(|opened| now.saturating_sub(opened) >= self.options.good);
        self.opened = None;
        self.delivered = false;
        let retry_after = match failure {
            Failure::Status {
                code, retry_after, ..
            } => {
                if let Some(reason) = final_reason(*code) {
                    return Step::Stop {
                        reason: format!("{failure}; {reason}"),
                    };
                }
                retry_after.unwrap_or_default().min(MAX_RETRY_AFTER)
            }
            _ => Duration::ZERO,
        };
        if good {
            self.failures = 0;
            self.broken = 0;
        }
        let pause = if good && retry_after.is_zero() {
            // Most cuts are short: a server that restarted, a switch of networks.
            self.options.quick + self.options.quick * chance * 3 / 2 / 1000
        } else {
            let full = self
                .options
                .delay
                .saturating_mul(1 << self.failures.min(16))
                .min(self.options.max_delay);
            self.failures = self.failures.saturating_add(1);
            // Half to all of it, so that many clients do not come back in one moment.
            (full / 2 + full / 2 * chance / 1000).max(retry_after)
        };
        if failure.blames_the_stream() && !good {
            self.broken = self.broken.saturating_add(1);
        }
        let held_back = *failure == Failure::HeldBack;
        match self.mode {
            Mode::Streaming if held_back || self.broken >= self.options.broken_streams => {
                self.begin_polling(now)
            }
            Mode::Streaming => Step::Stream {
                pause,
                patience: self.options.patience,
            },
            Mode::Trying => self.begin_polling(now),
            Mode::Polling { .. } => self.poll(now, pause, Duration::ZERO),
        }
    }

    fn begin_polling(&mut self, now: Duration) -> Step {
        self.failures = 0;
        self.broken = 0;
        self.mode = Mode::Polling {
            until: now + self.options.retry_stream,
        };
        self.poll(now, Duration::ZERO, Duration::ZERO)
    }

    /// `wait` is zero where it is not known yet whether polling works: an answer at once tells.
    fn poll(&mut self, now: Duration, pause: Duration, wait: Duration) -> Step {
        let until = match self.mode {
            Mode::Polling { until } => until,
            Mode::Streaming | Mode::Trying => now + self.options.retry_stream,
        };
        if now + pause >= until {
            self.mode = Mode::Trying;
            return Step::Stream {
                pause,
                patience: self.options.trial,
            };
        }
        self.mode = Mode::Polling { until };
        Step::Poll {
            pause,
            wait: wait.min(until - now),
        }
    }
}

/// Why a status ends all attempts, if it does.
fn final_reason(code: u16) -> Option<&'static str> {
    match code {
        204 => Some("it has nothing to stream"),
        401 => Some("give the right token and connect again"),
        403 => Some("this token or address is not allowed to read events"),
        404 => Some("it has no event stream: check its address and version"),
        408 | 425 | 429 => None,
        400..=499 => Some("client and server may be of different versions"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn status(code: u16) -> Failure {
        Failure::Status {
            code,
            detail: None,
            retry_after: None,
        }
    }

    fn refused() -> Failure {
        Failure::Unreachable("refused".into())
    }

    fn pause(step: &Step) -> u64 {
        match step {
            Step::Stream { pause, .. } | Step::Poll { pause, .. } => pause.as_millis() as u64,
            Step::Stop { reason } => panic!("stopped: {reason}"),
        }
    }

    fn streams(step: &Step) -> bool {
        matches!(step, Step::Stream { .. })
    }

    #[test]
    fn delays_double_to_a_limit_with_jitter_below() {
        for (chance, expected) in [
            (999, [999, 1999, 3998, 7996, 15992, 15992]),
            (0, [500, 1000, 2000, 4000, 8000, 8000]),
        ] {
            let mut machine = Reconnect::new(StreamOptions::default());
            for expected in expected {
                let step = machine.failed(ms(0), &refused(), chance);
                assert!(streams(&step));
                assert_eq!(pause(&step), expected);
            }
        }
    }

    #[test]
    fn the_first_attempt_after_a_good_connection_is_quick() {
        let mut machine = Reconnect::new(StreamOptions::default());
        for _ in 0..5 {
            machine.failed(ms(0), &refused(), 0);
        }
        // Good by an event.
        machine.opened(ms(100));
        machine.delivered();
        assert_eq!(pause(&machine.failed(ms(101), &Failure::Ended, 0)), 100);
        // Then the usual delays, from the first.
        assert_eq!(pause(&machine.failed(ms(200), &refused(), 999)), 999);
        // Good by its length, without events.
        machine.opened(ms(1000));
        let step = machine.failed(ms(6000), &Failure::Ended, 1000);
        assert_eq!(pause(&step), 250);
        // Not good: it closed at once. A server that does so is not asked ten times a second.
        machine.opened(ms(7000));
        assert_eq!(pause(&machine.failed(ms(7001), &Failure::Ended, 0)), 500);
    }

    #[test]
    fn statuses() {
        for (code, stops) in [
            (204, true),
            (400, true),
            (401, true),
            (403, true),
            (404, true),
            (410, true),
            (408, false),
            (425, false),
            (429, false),
            (301, false),
            (500, false),
            (502, false),
            (503, false),
            (205, false),
        ] {
            let step = Reconnect::new(StreamOptions::default()).failed(ms(0), &status(code), 0);
            assert_eq!(matches!(step, Step::Stop { .. }), stops, "{code}");
        }
        // Even after a good connection: the token may have been revoked meanwhile.
        let mut machine = Reconnect::new(StreamOptions::default());
        machine.delivered();
        let step = machine.failed(ms(0), &status(401), 0);
        assert!(matches!(step, Step::Stop { reason } if reason.contains("token")));
    }

    #[test]
    fn retry_after_is_honoured_within_reason() {
        for (asked, expected) in [(0, 500), (7_000, 7_000), (99_999_000, 300_000)] {
            let failure = Failure::Status {
                code: 503,
                detail: None,
                retry_after: Some(ms(asked)),
            };
            let mut machine = Reconnect::new(StreamOptions::default());
            assert_eq!(pause(&machine.failed(ms(0), &failure, 0)), expected);
            machine.delivered();
            assert_eq!(
                pause(&machine.failed(ms(0), &failure, 0)),
                expected
                    .max(100)
                    .min(if asked == 0 { 100 } else { u64::MAX })
            );
        }
    }

    #[test]
    fn three_broken_streams_lead_to_polling_but_an_absent_server_does_not() {
        let broken = [
            Failure::NotAStream("text/html".into()),
            Failure::Ended,
            Failure::Stalled,
            Failure::Garbled("x".into()),
            Failure::Redirected,
        ];
        for failure in &broken {
            let mut machine = Reconnect::new(StreamOptions::default());
            assert!(streams(&machine.failed(ms(0), failure, 0)), "{failure}");
            assert!(streams(&machine.failed(ms(0), failure, 0)), "{failure}");
            let step = machine.failed(ms(0), failure, 0);
            assert_eq!(
                step,
                Step::Poll {
                    pause: ms(0),
                    wait: ms(0)
                },
                "{failure}"
            );
        }
        for failure in [refused(), status(500), status(503), status(429)] {
            let mut machine = Reconnect::new(StreamOptions::default());
            for _ in 0..20 {
                assert!(streams(&machine.failed(ms(0), &failure, 0)), "{failure}");
            }
        }
        // Streams that bring something before they end are not broken.
        let mut machine = Reconnect::new(StreamOptions::default());
        for _ in 0..20 {
            machine.opened(ms(0));
            machine.delivered();
            assert!(streams(&machine.failed(ms(0), &Failure::Ended, 0)));
        }
    }

    #[test]
    fn a_stream_that_is_held_back_is_left_at_once_and_tried_again_each_minute() {
        let mut machine = Reconnect::new(StreamOptions::default());
        let second = Duration::from_secs(1);
        let step = machine.failed(20 * second, &Failure::HeldBack, 0);
        assert_eq!(
            step,
            Step::Poll {
                pause: ms(0),
                wait: ms(0)
            }
        );
        assert_eq!(
            machine.polled(45 * second, false),
            Step::Poll {
                pause: ms(0),
                wait: 25 * second
            }
        );
        assert_eq!(
            machine.polled(70 * second, false),
            Step::Poll {
                pause: ms(0),
                wait: 10 * second
            }
        );
        let trial = Step::Stream {
            pause: ms(0),
            patience: 3 * second,
        };
        assert_eq!(machine.polled(80 * second, false), trial);
        // Still held back: polling goes on at once, for another minute.
        let step = machine.failed(83 * second, &Failure::HeldBack, 0);
        assert_eq!(
            step,
            Step::Poll {
                pause: ms(0),
                wait: ms(0)
            }
        );
        assert_eq!(machine.polled(143 * second, false), trial);
        // This time it flows.
        machine.opened(143 * second);
        machine.delivered();
        let step = machine.failed(200 * second, &Failure::Ended, 0);
        assert_eq!(
            step,
            Step::Stream {
                pause: ms(100),
                patience: 20 * second
            }
        );
    }

    #[test]
    fn polling_survives_a_server_that_goes_away() {
        let mut machine = Reconnect::new(StreamOptions::default());
        machine.failed(ms(0), &Failure::HeldBack, 0);
        for expected in [500, 1000, 2000] {
            let step = machine.failed(ms(1), &refused(), 0);
            assert!(!streams(&step));
            assert_eq!(pause(&step), expected);
        }
        assert_eq!(pause(&machine.polled(ms(5000), false)), 0);
        assert_eq!(pause(&machine.failed(ms(5001), &refused(), 0)), 500);
        assert_eq!(pause(&machine.polled(ms(6000), true)), 1000);
        // When the minute is over the stream's turn comes, even without an answer to a poll.
        let step = machine.failed(ms(59_900), &refused(), 0);
        assert!(streams(&step) && pause(&step) == 500);
    }
}
