//! A room by HTTP, where WebSockets do not get through: `POST /api/rooms/{room}/sync`. The frames are those of a socket; here they
//! are put into calls, and the answers back into frames.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;

use super::RoomItem;
use super::way::Ending;
use crate::client::Client;
use crate::client::stream::root_cause;
use crate::model::Problem;
use crate::model::room::{RoomSync, RoomSynced};
use crate::room::{Frame, decode_states, encode_states};

/// The longest time for a call.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(15);

/// A client that talks by calls.
#[derive(Debug)]
pub(super) struct Calls {
    /// Names it between its calls.
    session: String,
    /// What was sent last: the same again is not sent.
    last: Option<Vec<u8>>,
}

impl Calls {
    /// A client that has said nothing yet.
    pub(super) fn new() -> Self {
        let random = getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()));
        Self {
            session: format!("{random:016x}"),
            last: None,
        }
    }

    /// Makes the calls that `frames` come to; what the server says to them.
    pub(super) async fn make(
        &mut self,
        client: &Client,
        room: &str,
        frames: &[Bytes],
    ) -> Result<Vec<RoomItem>, Ending> {
        let mut items = Vec::new();
        for call in self.calls(frames) {
            let answer = call_server(client, room, &call).await?;
            items.extend(answered(&answer, call.state_vector.is_some())?);
        }
        Ok(items)
    }

    /// The calls: presence and the question go along with the first update.
    fn calls(&mut self, frames: &[Bytes]) -> Vec<RoomSync> {
        let mut first = RoomSync {
            session: Some(self.session.clone()),
            ..RoomSync::default()
        };
        let mut more = Vec::new();
        let mut anything = false;
        for frame in frames {
            match Frame::decode(frame) {
                Ok(Frame::Step1(vector)) => {
                    first.state_vector = Some(STANDARD.encode(vector));
                    anything = true;
                }
                Ok(Frame::Awareness(states)) => {
                    first.awareness = Some(STANDARD.encode(encode_states(&states)));
                    anything = true;
                }
                Ok(Frame::Step2(update) | Frame::Update(update)) => {
                    // Neither blocks nor deletions, or what the server has got a moment ago.
                    if update == [0, 0] || self.last.as_deref() == Some(update) {
                        continue;
                    }
                    self.last = Some(update.to_vec());
                    more.push(STANDARD.encode(update));
                }
                Ok(Frame::Denied(_) | Frame::Query) | Err(_) => {}
            }
        }
        let mut more = more.into_iter();
        first.update = more.next();
        let mut calls = Vec::new();
        if anything || first.update.is_some() {
            calls.push(first);
        }
        calls.extend(more.map(|update| RoomSync {
            session: Some(self.session.clone()),
            update: Some(update),
            ..RoomSync::default()
        }));
        calls
    }
}

/// An answer as what a socket would have brought; `asked` is true when the client said what it has.
fn answered(answer: &RoomSynced, asked: bool) -> Result<Vec<RoomItem>, Ending> {
    let read = |text: &str| {
        let bytes = STANDARD.decode(text);
        bytes.map_err(|error| Ending::Garbled(error.to_string()))
    };
    let frame = |frame: &Frame<'_>| RoomItem::Frame(frame.encode().into());
    let mut items = Vec::new();
    if let Some(update) = &answer.update {
        items.push(frame(&Frame::Step2(&read(update)?)));
    }
    let states = decode_states(&read(&answer.awareness)?);
    let states = states.map_err(|error| Ending::Garbled(error.to_string()))?;
    let everyone = Frame::Awareness(states).encode();
    items.push(RoomItem::Everyone(everyone.into()));
    if asked {
        items.push(frame(&Frame::Step1(&read(&answer.state_vector)?)));
    }
    if let Some(reason) = &answer.denied {
        items.push(frame(&Frame::Denied(reason.clone())));
    }
    Ok(items)
}

async fn call_server(client: &Client, room: &str, call: &RoomSync) -> Result<RoomSynced, Ending> {
    let name = utf8_percent_encode(room, NON_ALPHANUMERIC);
    let request = client
        .request(Method::POST, &format!("api/rooms/{name}/sync"))
        .map_err(|problem| Ending::Unreachable(problem.detail))?;
    let unreachable = |error: reqwest::Error| Ending::Unreachable(root_cause(&error).to_string());
    let answer = request.json(call).timeout(LIMIT).send().await;
    let answer = answer.map_err(unreachable)?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(unreachable)?;
    if status != 200 {
        let problem: Option<Problem> = serde_json::from_slice(&body).ok();
        return Err(Ending::Refused {
            status,
            detail: problem.map(|problem| problem.detail),
        });
    }
    serde_json::from_slice(&body)
        .map_err(|error| Ending::Garbled(format!("the answer is not understood: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::room::replica::Replica;
    use crate::model::room::Presence;

    #[test]
    fn a_greeting_is_one_call_and_the_same_update_is_not_sent_twice() {
        let mut replica = Replica::new();
        let update = replica.write("a", "text").unwrap().unwrap();
        let mut presence = Presence::default();
        presence.user.name = "Ada".into();
        drop(replica.show(Some(&presence), 0));
        let mut calls = Calls::new();
        let made = calls.calls(&replica.greeting());
        assert_eq!(made.len(), 1);
        assert!(made[0].state_vector.is_some() && made[0].awareness.is_some());
        assert_eq!(made[0].update, None);
        assert_eq!(calls.calls(std::slice::from_ref(&update)).len(), 1);
        assert_eq!(calls.calls(std::slice::from_ref(&update)), []);
        let other = replica.write("a", "other text").unwrap().unwrap();
        let third = replica.write("b", "more").unwrap().unwrap();
        assert_eq!(calls.calls(&[other, third]).len(), 2);
        assert_eq!(calls.calls(&[]), []);
    }

    #[test]
    fn an_answer_brings_text_people_and_the_question() {
        let mut other = Replica::new();
        other.write("a", "text").unwrap();
        let state = other.kept().unwrap();
        let answer = RoomSynced {
            update: Some(STANDARD.encode(&state)),
            state_vector: STANDARD.encode(other.state_vector()),
            awareness: STANDARD.encode(encode_states(&[])),
            revision: "1".into(),
            denied: Some("you may only read".into()),
        };
        let mut here = Replica::new();
        let mut denied = None;
        for item in answered(&answer, true).unwrap() {
            match item {
                RoomItem::Frame(frame) => {
                    let taken = here.take(&frame, 0).unwrap();
                    denied = denied.or(taken.denied);
                }
                RoomItem::Everyone(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(here.text("a").as_deref(), Some("text"));
        assert_eq!(denied.as_deref(), Some("you may only read"));
        let broken = RoomSynced {
            awareness: "no base64!".into(),
            ..answer
        };
        assert!(answered(&broken, true).is_err());
    }
}
