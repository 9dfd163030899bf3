//! When to come back to a room, and by which way: the decisions, without any I/O.
//!
//! The delays and the change to another way are those of the event stream's [`Reconnect`]; here stands what the end of
//! a WebSocket means.

use std::time::Duration;

use crate::client::reconnect::{Failure, Reconnect, Step, StreamOptions};

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// No answer: refused, no route, no such name, too slow.
    Unreachable(String),
    /// The upgrade was answered with another status than 101.
    Refused {
        /// The status.
        status: u16,
        /// What it says, if it says something.
        detail: Option<String>,
    },
    /// The server closed, with a code of RFC 6455, 7.4.
    Closed {
        /// The code.
        code: u16,
        /// What it says.
        reason: String,
    },
    /// The connection ended without a word.
    Cut,
    /// Nothing came for longer than three heartbeats.
    Silent,
    /// What came cannot be used.
    Garbled(String),
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = |f: &mut std::fmt::Formatter<'_>, words: &str| {
            if words.is_empty() {
                Ok(())
            } else {
                write!(f, ": {words}")
            }
        };
        match self {
            Self::Unreachable(why) => write!(f, "the server cannot be reached: {why}"),
            Self::Refused { status, detail } => {
                write!(f, "the server answered {status}")?;
                said(f, detail.as_deref().unwrap_or_default())
            }
            Self::Closed { code, reason } => {
                write!(f, "the server closed the room ({code})")?;
                said(f, reason)
            }
            Self::Cut => f.write_str("the connection was closed"),
            Self::Silent => f.write_str("the connection went silent"),
            Self::Garbled(what) => write!(f, "the room's messages are damaged: {what}"),
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Open a WebSocket after a pause.
    Socket {
        /// The pause.
        pause: Duration,
    },
    /// Ask by HTTP after a pause.
    Http {
        /// The pause.
        pause: Duration,
    },
    /// Give up: trying again would not help.
    Stop {
        /// Why, and what a person can do.
        reason: String,
    },
}

/// The state between attempts.
#[derive(Debug)]
pub struct Way {
    machine: Reconnect,
}

impl Way {
    /// Nothing tried yet.
    pub fn new(options: StreamOptions) -> Self {
        Self {
            machine: Reconnect::new(options),
        }
    }

    /// The very first step, and the one after the server has moved.
    pub fn first(&self) -> Next {
        next(self.machine.first())
    }

    /// The server said its first word on a WebSocket.
    pub fn opened(&mut self, now: Duration) {
        self.machine.opened(now);
        // A room may be silent for hours; that it answered at all says that sockets get through.
        self.machine.delivered();
    }

    /// A round by HTTP was answered.
    pub fn asked(&mut self, now: Duration) -> Next {
        next(self.machine.polled(now, false))
    }

    /// The attempt ended: what next. `chance` is a random number from 0 to 999.
    pub fn ended(&mut self, now: Duration, ending: &Ending, chance: u32) -> Next {
        if let Some(reason) = last(ending) {
            return Next::Stop { reason };
        }
        next(self.machine.failed(now, &failure(ending), chance))
    }
}

fn next(step: Step) -> Next {
    match step {
        Step::Stream { pause, .. } => Next::Socket { pause },
        Step::Poll { pause, .. } => Next::Http { pause },
        Step::Stop { reason } => Next::Stop { reason },
    }
}

/// Why an ending is for good, if it is.
fn last(ending: &Ending) -> Option<String> {
    let why = match ending {
        // The codes of 4400 to 4499 say what was wrong with the client, as the statuses of HTTP do.
        Ending::Closed {
            code: code @ 4400..=4499,
            ..
        } => match code {
            4401 => "give the right token and connect again",
            4403 => "this token is not allowed in this room any more, or never was",
            4404 => "there is no such room",
            4413 => "something in it grew too large",
            _ => "coming back would not help",
        },
        Ending::Refused { status, .. } => match status {
            401 => "give the right token and connect again",
            403 => "this token is not allowed in this room",
            404 => "the server has no rooms: it may be of an older version",
            _ => return None,
        },
        _ => return None,
    };
    Some(format!("{ending}; {why}"))
}

/// The same ending in the words of the event stream: what blames the way there, and what does not.
fn failure(ending: &Ending) -> Failure {
    match ending {
        Ending::Unreachable(why) => Failure::Unreachable(why.clone()),
        Ending::Refused {
            status: status @ (429 | 500..=599),
            detail,
        } => Failure::Status {
            code: *status,
            detail: detail.clone(),
            retry_after: None,
        },
        // Something on the way does not know upgrades.
        Ending::Refused { status, .. } => Failure::NotAStream(format!("status {status}")),
        // Going away, restarting, try again later; and our own "too slow, come back". The way itself is good.
        Ending::Closed {
            code: 1001 | 1012 | 1013 | 4500..=4599,
            reason,
        } => Failure::Unreachable(reason.clone()),
        Ending::Closed { .. } | Ending::Cut => Failure::Ended,
        Ending::Silent => Failure::Stalled,
        Ending::Garbled(what) => Failure::Garbled(what.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn pause(next: &Next) -> Duration {
        match next {
            Next::Socket { pause } | Next::Http { pause } => *pause,
            Next::Stop { reason } => panic!("{reason}"),
        }
    }

    fn refused() -> Ending {
        Ending::Unreachable("connection refused".into())
    }

    #[test]
    fn the_delays_double_up_to_sixteen_seconds_and_the_first_after_a_good_connection_is_quick() {
        let mut way = Way::new(StreamOptions::default());
        assert_eq!(pause(&way.first()), Duration::ZERO);
        way.opened(MS(10));
        // The server is killed while the room is good: back within two seconds whatever chance says.
        let quick = way.ended(MS(20), &Ending::Cut, 999);
        assert!(pause(&quick) <= MS(250), "{quick:?}");
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(pause(&way.ended(MS(30), &refused(), 999)));
        }
        let full = [1, 2, 4, 8, 16, 16].map(Duration::from_secs);
        for (seen, full) in seen.iter().zip(full) {
            assert!(*seen <= full && *seen >= full / 2, "{seen:?} of {full:?}");
        }
        let other = way.ended(MS(40), &refused(), 0);
        assert_eq!(pause(&other), Duration::from_secs(8), "jitter");
    }

    #[test]
    fn a_code_of_4400_to_4499_is_final_and_says_why_and_4500_comes_back() {
        for (code, words) in [
            (4400, "4400"),
            (4401, "right token"),
            (4403, "not allowed"),
            (4404, "no such room"),
            (4499, "would not help"),
        ] {
            let mut way = Way::new(StreamOptions::default());
            let closed = Ending::Closed {
                code,
                reason: "ada was here".into(),
            };
            match way.ended(MS(1), &closed, 0) {
                Next::Stop { reason } => {
                    assert!(
                        reason.contains(words) && reason.contains("ada was here"),
                        "{reason}"
                    );
                }
                other => panic!("{code}: {other:?}"),
            }
        }
        for code in [1000, 1001, 1006, 1011, 1012, 4399, 4500, 4501] {
            let mut way = Way::new(StreamOptions::default());
            let reason = String::new();
            let next = way.ended(MS(1), &Ending::Closed { code, reason }, 0);
            assert!(matches!(next, Next::Socket { .. }), "{code}: {next:?}");
        }
    }

    #[test]
    fn sockets_that_are_cut_lead_to_http_and_are_tried_again() {
        let mut way = Way::new(StreamOptions::default());
        let cut = Ending::Refused {
            status: 426,
            detail: None,
        };
        for _ in 0..2 {
            assert!(matches!(way.ended(MS(1), &cut, 0), Next::Socket { .. }));
        }
        assert!(matches!(way.ended(MS(1), &cut, 0), Next::Http { .. }));
        assert!(matches!(way.asked(MS(2)), Next::Http { .. }));
        // After a minute a socket is tried, and by HTTP it goes on when that fails too.
        assert!(matches!(way.asked(MS(61_000)), Next::Socket { .. }));
        assert!(matches!(way.ended(MS(61_100), &cut, 0), Next::Http { .. }));
        // A server that is away is no reason to ask in another way, however long.
        let mut way = Way::new(StreamOptions::default());
        for _ in 0..20 {
            let next = way.ended(MS(1), &refused(), 500);
            assert!(matches!(next, Next::Socket { .. }), "{next:?}");
        }
    }

    #[test]
    fn what_is_refused_for_good_stops_at_once() {
        for (status, words) in [(401, "token"), (403, "not allowed"), (404, "older version")] {
            let mut way = Way::new(StreamOptions::default());
            let detail = Some("no".to_owned());
            match way.ended(MS(1), &Ending::Refused { status, detail }, 0) {
                Next::Stop { reason } => assert!(reason.contains(words), "{reason}"),
                other => panic!("{status}: {other:?}"),
            }
        }
        for status in [429, 500, 502, 503] {
            let mut way = Way::new(StreamOptions::default());
            let ending = Ending::Refused {
                status,
                detail: None,
            };
            assert!(matches!(way.ended(MS(1), &ending, 0), Next::Socket { .. }));
        }
    }
}
