//! Asks the terminal which keyboard flags are on and what its background is, and waits for the answer no longer than a
//! moment.
//!
//! A terminal that knows the kitty keyboard protocol answers `CSI ? flags u`; every terminal answers the question for
//! its attributes (`CSI c`) that follows, which ends the wait at once where the first one is not understood. It is
//! asked on the raw terminal before anything else reads it, and what was typed meanwhile is handed on.

use super::keys::{Code, Key};
use super::theme::Ground;

/// The flag that says: event types are reported, releases among them.
const EVENT_TYPES: u16 = 2;

/// What is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Which keyboard flags are on.
    pub keyboard: bool,
    /// The colour behind the text (OSC 11).
    pub ground: bool,
}

impl Question {
    /// The bytes that ask; every terminal answers the last of them.
    pub fn bytes(self) -> String {
        let mut out = String::new();
        if self.ground {
            out.push_str("\x1b]11;?\x1b\\");
        }
        if self.keyboard {
            out.push_str("\x1b[?u");
        }
        if !out.is_empty() {
            out.push_str("\x1b[c");
        }
        out
    }
}

/// What was read while waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The active keyboard flags, if the terminal told.
    pub flags: Option<u16>,
    /// What is behind the text, if the terminal told.
    pub ground: Option<Ground>,
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
            if let Some(body) = rest.strip_prefix(b"\x1b]") {
                // A string ends with BEL or with ESC \.
                let Some(end) = body.iter().position(|byte| matches!(byte, 0x07 | 0x1b)) else {
                    return answer;
                };
                let said = std::str::from_utf8(&body[..end]).unwrap_or_default();
                answer.ground = ground(said).or(answer.ground);
                rest = &body[end + 1..];
                rest = rest.strip_prefix(b"\\").unwrap_or(rest);
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

/// What `11;rgb:ffff/ffff/ffff` says; of each part one to four digits.
fn ground(said: &str) -> Option<Ground> {
    let colour = said.strip_prefix("11;")?;
    let parts = colour
        .strip_prefix("rgb:")
        .or_else(|| colour.strip_prefix("rgba:"))?;
    let mut parts = parts.split('/').map(|digits| {
        let value = u32::from_str_radix(digits, 16).ok()?;
        let most = 16u32.checked_pow(u32::try_from(digits.len()).ok()?)? - 1;
        Some(value as f32 / most as f32)
    });
    Some(Ground::of(parts.next()??, parts.next()??, parts.next()??))
}

/// An answer that came too late for [`ask`]: the terminal library reads it as keys, and nobody pressed them.
#[derive(Clone, Debug, Default)]
pub struct Late {
    expected: bool,
    text: Option<String>,
}

/// What a key is while an answer may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// A key.
    Key,
    /// A part of an answer.
    Part,
    /// The end of an answer.
    Ground(Ground),
}

impl Late {
    /// What may still come after `answer` to `question`.
    pub fn after(question: Question, answer: &Answer) -> Self {
        Self {
            expected: question.ground && !answer.complete && answer.ground.is_none(),
            text: None,
        }
    }

    /// Looks at a key that was read.
    pub fn take(&mut self, key: Key) -> Caught {
        let plain = !key.ctrl && !key.alt;
        match (&mut self.text, key.code) {
            (None, Code::Char(']')) if self.expected && key.alt => {
                self.text = Some(String::new());
                Caught::Part
            }
            (None, _) => Caught::Key,
            (Some(text), Code::Char(c)) if plain && text.len() < LONGEST => {
                text.push(c);
                Caught::Part
            }
            (Some(text), code) => {
                let end =
                    (code == Code::Char('\\') && key.alt) || (code == Code::Char('g') && key.ctrl);
                let found = ground(text).filter(|_| end);
                *self = Self::default();
                match (found, end) {
                    (Some(found), _) => Caught::Ground(found),
                    (None, true) => Caught::Part,
                    (None, false) => Caught::Key,
                }
            }
        }
    }
}

/// Characters of an answer.
const LONGEST: usize = 40;

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
pub fn ask(question: Question) -> Answer {
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
    if super::terminal::emit(question.bytes().as_bytes()).is_ok() {
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
pub fn ask(_: Question) -> Answer {
    Answer {
        flags: Some(EVENT_TYPES),
        complete: true,
        ..Answer::default()
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

    #[test]
    fn the_background_is_read_however_it_is_written() {
        for (said, found) in [
            (
                "\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62c",
                Some(Ground::Light),
            ),
            ("\x1b]11;rgb:00/2b/36\x07\x1b[?62c", Some(Ground::Dark)),
            (
                "\x1b]11;rgba:fdfd/f6f6/e3e3/ffff\x07\x1b[?62c",
                Some(Ground::Light),
            ),
            ("\x1b]11;?\x07\x1b[?62c", None),
            ("\x1b[?62c", None),
        ] {
            let answer = Answer::parse(said.as_bytes());
            assert_eq!((answer.ground, answer.complete), (found, true), "{said:?}");
            assert_eq!(answer.typed, [], "{said:?}");
        }
        let half = Answer::parse(b"\x1b]11;rgb:ffff");
        assert!(!half.complete && half.ground.is_none());
    }

    #[test]
    fn an_answer_that_comes_late_presses_no_keys() {
        let question = Question {
            keyboard: true,
            ground: true,
        };
        let alt = |c| Key {
            alt: true,
            ..Key::char(c)
        };
        let late = |answer: &Answer, keys: &[Key]| -> Vec<Caught> {
            let mut late = Late::after(question, answer);
            keys.iter().map(|key| late.take(*key)).collect()
        };
        let mut keys = vec![Key::char('d'), alt(']')];
        keys.extend("11;rgb:fafa/fafa/fafa".chars().map(Key::char));
        keys.extend([alt('\\'), Key::char('d')]);
        let caught = late(&Answer::default(), &keys);
        assert_eq!((caught[0], caught[1]), (Caught::Key, Caught::Part));
        assert_eq!(caught[keys.len() - 2], Caught::Ground(Ground::Light));
        assert_eq!(caught[keys.len() - 1], Caught::Key);
        assert!(!caught[2..keys.len() - 2].contains(&Caught::Key));
        // Nothing is awaited any more: the keys are keys.
        let complete = Answer {
            complete: true,
            ..Answer::default()
        };
        assert!(late(&complete, &keys).iter().all(|one| *one == Caught::Key));
        // What begins like an answer and is none gives the keyboard back.
        let pressed = late(
            &Answer::default(),
            &[alt(']'), Key::plain(Code::Esc), Key::char('q')],
        );
        assert_eq!(pressed, [Caught::Part, Caught::Key, Caught::Key]);
    }
}
