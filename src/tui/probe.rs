//! Asks the terminal which keyboard flags are on, and waits for the answer no longer than a moment.
//!
//! A terminal that knows the kitty keyboard protocol answers `CSI ? flags u`; every terminal answers the question for
//! its attributes (`CSI c`) that follows, which ends the wait at once where the first one is not understood. It is
//! asked on the raw terminal before anything else reads it, and what was typed meanwhile is handed on.

use super::keys::{Code, Key};

/// The flag that says: event types are reported, releases among them.
const EVENT_TYPES: u16 = 2;

/// What was read while waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The active keyboard flags, if the terminal told.
    pub flags: Option<u16>,
    /// True when the terminal said all it has to say.
    pub complete: bool,
    /// Keys that were typed meanwhile.
    pub typed: Vec<Key>,
}

impl Answer {
    /// True when releases of keys are reported.
    pub fn releases(&self) -> bool {
        self.flags.is_some_and(|flags| flags & EVENT_TYPES != 0)
    }

    /// Reads what came from the terminal so far.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut answer = Self::default();
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            if *first != 0x1b {
                answer.typed.extend(key_of(*first));
                rest = after;
                continue;
            }
            let Some(body) = rest.strip_prefix(b"\x1b[") else {
                answer.typed.push(Key::plain(Code::Esc));
                rest = after;
                continue;
            };
            // A control sequence ends with its first byte from 0x40 on.
            let Some(end) = body.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
                return answer;
            };
            let parameters = std::str::from_utf8(&body[..end]).unwrap_or_default();
            match (parameters.strip_prefix('?'), body[end]) {
                (Some(flags), b'u') => answer.flags = flags.parse().ok(),
                (Some(_), b'c') => answer.complete = true,
                _ => {}
            }
            rest = &body[end + 1..];
        }
        answer
    }
}

/// The key behind a plain byte. Keys with escape codes are rare in the first moment, and are dropped.
fn key_of(byte: u8) -> Option<Key> {
    Some(match byte {
        b'\r' => Key::plain(Code::Enter),
        b'\t' => Key::plain(Code::Tab),
        0x7f => Key::plain(Code::Backspace),
        0x01..0x1b => Key {
            ctrl: true,
            ..Key::char(char::from(byte - 1 + b'a'))
        },
        0x20..0x7f => Key::char(char::from(byte)),
        _ => return None,
    })
}

/// Asks, and waits for the answer at most about two tenths of a second; terminals answer within a few milliseconds.
#[cfg(unix)]
pub fn ask() -> Answer {
    use rustix::termios::{OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
    use std::time::{Duration, Instant};

    const PATIENCE: Duration = Duration::from_millis(100);

    let stdin = rustix::stdio::stdin();
    let Ok(before) = tcgetattr(stdin) else {
        return Answer::default();
    };
    // A read that ends after a tenth of a second without a byte: the bound that every terminal line knows.
    let mut patient = before.clone();
    patient.special_codes[SpecialCodeIndex::VMIN] = 0;
    patient.special_codes[SpecialCodeIndex::VTIME] = 1;
    if tcsetattr(stdin, OptionalActions::Now, &patient).is_err() {
        return Answer::default();
    }
    let started = Instant::now();
    let mut bytes = Vec::new();
    let mut answer = Answer::default();
    if super::terminal::emit(b"\x1b[?u\x1b[c").is_ok() {
        let mut buffer = [0; 256];
        while !answer.complete && started.elapsed() < PATIENCE {
            match rustix::io::read(stdin, &mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            }
            answer = Answer::parse(&bytes);
        }
    }
    let _ = tcsetattr(stdin, OptionalActions::Now, &before);
    answer
}

/// Windows reports presses and releases by itself.
#[cfg(not(unix))]
pub fn ask() -> Answer {
    Answer {
        flags: Some(EVENT_TYPES),
        complete: true,
        typed: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_back_and_typing_is_kept() {
        let both = Answer::parse(b"\x1b[?3u\x1b[?62;4c");
        assert_eq!(
            (both.flags, both.complete, both.releases()),
            (Some(3), true, true)
        );
        let typed = Answer::parse(b"d\x1b[?1uq\r\x1b[?6c\x03");
        assert!(!typed.releases() && typed.complete);
        let shown: Vec<String> = typed.typed.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["d", "q", "Enter", "Ctrl+C"]);
    }

    #[test]
    fn a_terminal_that_knows_no_flags_or_says_half_reports_no_releases() {
        for (bytes, complete) in [
            (&b"\x1b[?1;2c"[..], true),
            (b"\x1b[?3", false),
            (b"", false),
            (b"\x1b", false),
        ] {
            let answer = Answer::parse(bytes);
            assert!(!answer.releases(), "{bytes:?}");
            assert_eq!(answer.complete, complete, "{bytes:?}");
        }
    }
}
