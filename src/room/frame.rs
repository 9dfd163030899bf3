//! The frames of a room: one message of the Yjs sync or awareness protocol (y-protocols 1.0) in one binary WebSocket message.
//!
//! A frame begins with its kind: 0 sync, 1 awareness, 2 authentication, 3 a question for everyone's presence. A sync frame goes on with
//! 0 (state vector), 1 (what it lacks) or 2 (an update) and a buffer. Other clients read only the first message of a frame, so there is
//! never a second one; bytes after the first are an error.

use super::wire::{Reader, WireError, put_buffer, put_number};

/// The largest frame: the whole of the largest document with something to spare.
pub const MAX_FRAME: usize = super::MAX_DOCUMENT + 64 * 1024;

/// The largest presence of one client: JSON, in bytes.
pub const MAX_PRESENCE: usize = 4 * 1024;

const SYNC: u64 = 0;
const AWARENESS: u64 = 1;
const AUTH: u64 = 2;
const QUERY: u64 = 3;

/// The presence of one client, as the awareness protocol tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The client; at most 53 bits.
    pub client: u64,
    /// Counts what this client said about itself.
    pub clock: u32,
    /// JSON, checked; none when the client is gone.
    pub json: Option<String>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// What the sender has: a state vector. The answer is a [`Frame::Step2`].
    Step1(&'a [u8]),
    /// What the receiver lacks: an update.
    Step2(&'a [u8]),
    /// What is new: an update.
    Update(&'a [u8]),
    /// Presence.
    Awareness(Vec<State>),
    /// The server refuses, and says why.
    Denied(String),
    /// The sender wants everyone's presence.
    Query,
}

impl<'a> Frame<'a> {
    /// Reads a frame. State vectors and updates are looked at when a document takes them; presence is known to be JSON.
    ///
    /// # Errors
    /// When anything is missing, left over, too large or not what it should be.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, WireError> {
        if bytes.len() > MAX_FRAME {
            return Err(WireError::TooLarge("the message"));
        }
        let mut reader = Reader::new(bytes);
        let frame = match reader.number("its kind")? {
            SYNC => {
                let step = reader.number("its step")?;
                let buffer = reader.buffer("its content")?;
                match step {
                    0 => Self::Step1(buffer),
                    1 => Self::Step2(buffer),
                    2 => Self::Update(buffer),
                    _ => return Err(WireError::Invalid("step")),
                }
            }
            AWARENESS => Self::Awareness(decode_states(reader.buffer("presence")?)?),
            AUTH => match reader.number("its kind")? {
                0 => Self::Denied(reader.text("a reason")?.to_owned()),
                _ => return Err(WireError::Invalid("kind")),
            },
            QUERY => Self::Query,
            _ => return Err(WireError::Invalid("kind")),
        };
        reader.end()?;
        Ok(frame)
    }

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Step1(bytes) => sync(&mut out, 0, bytes),
            Self::Step2(bytes) => sync(&mut out, 1, bytes),
            Self::Update(bytes) => sync(&mut out, 2, bytes),
            Self::Awareness(states) => {
                put_number(&mut out, AWARENESS);
                put_buffer(&mut out, &encode_states(states));
            }
            Self::Denied(reason) => {
                put_number(&mut out, AUTH);
                put_number(&mut out, 0);
                put_buffer(&mut out, reason.as_bytes());
            }
            Self::Query => put_number(&mut out, QUERY),
        }
        out
    }
}

fn sync(out: &mut Vec<u8>, step: u64, bytes: &[u8]) {
    out.reserve(bytes.len() + 8);
    put_number(out, SYNC);
    put_number(out, step);
    put_buffer(out, bytes);
}

/// Reads what the awareness protocol calls an update.
///
/// # Errors
/// When it is malformed, or a presence is no JSON or larger than [`MAX_PRESENCE`].
pub fn decode_states(bytes: &[u8]) -> Result<Vec<State>, WireError> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(3, "presence")?;
    let mut states = Vec::with_capacity(count);
    for _ in 0..count {
        let client = reader.number("a client")?;
        let clock = reader.number("a clock")?;
        let clock = u32::try_from(clock).map_err(|_| WireError::Invalid("clock"))?;
        let json = reader.text("presence")?;
        if json.len() > MAX_PRESENCE {
            return Err(WireError::TooLarge("presence"));
        }
        let json = match json {
            "null" => None,
            // Other clients parse it without asking, and stop at what is none.
            json => match serde_json::from_str::<serde::de::IgnoredAny>(json) {
                Ok(_) => Some(json.to_owned()),
                Err(_) => return Err(WireError::Invalid("presence")),
            },
        };
        states.push(State {
            client,
            clock,
            json,
        });
    }
    reader.end()?;
    Ok(states)
}

/// Writes what the awareness protocol calls an update.
pub fn encode_states(states: &[State]) -> Vec<u8> {
    let mut out = Vec::new();
    put_number(&mut out, states.len() as u64);
    for state in states {
        put_number(&mut out, state.client);
        put_number(&mut out, u64::from(state.clock));
        put_buffer(&mut out, state.json.as_deref().unwrap_or("null").as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(client: u64, clock: u32, json: Option<&str>) -> State {
        State {
            client,
            clock,
            json: json.map(str::to_owned),
        }
    }

    #[test]
    fn frames_round_trip() {
        for frame in [
            Frame::Step1(&[0]),
            Frame::Step1(&[1, 5, 3]),
            Frame::Step2(&[0, 0]),
            Frame::Update(&[0, 1, 5, 1, 0, 3]),
            Frame::Awareness(vec![]),
            Frame::Awareness(vec![
                state(1 << 52, 7, Some(r#"{"user":{"name":"Ädä"}}"#)),
                state(2, 0, None),
            ]),
            Frame::Denied("no".into()),
            Frame::Query,
        ] {
            let bytes = frame.encode();
            assert_eq!(Frame::decode(&bytes), Ok(frame.clone()), "{bytes:?}");
            for len in 0..bytes.len() {
                assert!(Frame::decode(&bytes[..len]).is_err(), "{frame:?} to {len}");
            }
            let mut longer = bytes.clone();
            longer.push(0);
            assert!(Frame::decode(&longer).is_err(), "{frame:?} and more");
        }
    }

    #[test]
    fn hostile_frames_are_refused() {
        // Awareness of 10^8 clients in six bytes.
        assert!(Frame::decode(&[1, 4, 128, 194, 215, 47]).is_err());
        assert!(Frame::decode(&[0, 2, 128, 194, 215, 47]).is_err());
        assert!(Frame::decode(&[0, 3, 0]).is_err());
        assert!(Frame::decode(&[4]).is_err());
        assert!(Frame::decode(&[]).is_err());
        let large = format!("\"{}\"", "x".repeat(MAX_PRESENCE));
        for json in [large.as_str(), "{", "", "{}x", "nul"] {
            let bytes = Frame::Awareness(vec![state(1, 1, Some(json))]).encode();
            assert!(Frame::decode(&bytes).is_err(), "{json:.20}");
        }
    }
}
