//! One WebSocket in a room: frames in, frames out, and the times after which silence means something.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures::SinkExt as _;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite;
use tokio_util::sync::CancellationToken;

use super::limits::Limits;
use super::realtime::Ending;
use crate::model::Identity;
use crate::pipeline::room_live::{Ends, Joined, Room, Speaker};

/// After so long a silence the other side is asked for a sign of life.
const ASK: Duration = Duration::from_secs(2);

/// After so long a silence nobody believes that it is there: its presence ends. It comes back with the next word.
const SILENT: Duration = Duration::from_millis(4_500);

/// After so long a silence the connection is given up.
const DEAD: Duration = Duration::from_secs(30);

/// Clients give a connection up that has told them nothing for 30 s, pings not counted: so long before, they are told nothing.
const REASSURE: Duration = Duration::from_secs(20);

/// How long a client may take to read what it is sent.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the other side may take to say goodbye.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);

/// Frames sent in one go.
const BATCH: usize = 64;

/// Messages a second that a client may send on the whole; what is more waits in its own socket.
const RATE: f64 = 10_000.0;

/// The same for one that may not write.
const VIEWER_RATE: f64 = 100.0;

/// Awareness of nobody: a message that means nothing.
const NOTHING: Bytes = Bytes::from_static(&[1, 1, 0]);

/// A connection in a room.
pub(super) struct Connection<'a> {
    pub(super) room: &'a Room,
    pub(super) speaker: Speaker,
    /// Canceled when the token ends.
    pub(super) ended: CancellationToken,
    /// Canceled when the server ends.
    pub(super) shutdown: CancellationToken,
    /// How often one may speak with this token, on all its connections.
    pub(super) limits: Arc<Limits>,
    pub(super) identity: Identity,
}

/// Leaves the room however the connection ends.
struct Member<'a> {
    room: &'a Room,
    number: u64,
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.room.leave(self.number);
    }
}

/// What is known of the other side.
struct Times {
    heard: Instant,
    asked: Instant,
    sent: Instant,
    hushed: bool,
}

impl Connection<'_> {
    /// Serves until either side ends it; how to, when it is ours to.
    pub(super) async fn run(self, socket: &mut WebSocket) -> Option<Ending> {
        let mut joined = match self.room.join() {
            Ok(joined) => joined,
            Err(ends) => return Some(ending(ends)),
        };
        let member = Member {
            room: self.room,
            number: joined.member,
        };
        let hello = std::mem::take(&mut joined.hello);
        match send(socket, hello, &joined.cut).await {
            Ok(()) => self.serve(socket, &mut joined, member.number).await,
            Err(ending) => ending,
        }
    }

    async fn serve(
        &self,
        socket: &mut WebSocket,
        joined: &mut Joined,
        member: u64,
    ) -> Option<Ending> {
        let now = Instant::now();
        let mut times = Times {
            heard: now,
            asked: now,
            sent: now,
            hushed: false,
        };
        let rate = match self.speaker.writes {
            true => RATE,
            false => VIEWER_RATE,
        };
        let mut budget = Budget::new(rate, now);
        let mut batch = Vec::with_capacity(BATCH);
        // Made once: a member of a busy room is woken thousands of times a second.
        let mut ended = pin!(self.ended.cancelled());
        let mut shutdown = pin!(self.shutdown.cancelled());
        let cut = joined.cut.clone();
        let mut cut_off = pin!(cut.cancelled());
        let mut look = pin!(sleep_until(times.next()));
        loop {
            let paused = match budget.is_spent() {
                true => budget.paused_until(Instant::now()),
                false => None,
            };
            tokio::select! {
                () = &mut ended => {
                    return Some(Ending::new(4403, "the token has ended or was revoked"));
                }
                () = &mut shutdown => {
                    return Some(Ending::new(1012, "the server is restarting; come back"));
                }
                () = &mut cut_off => {
                    return Some(Ending::new(4500, "too slow; come back and synchronise"));
                }
                many = joined.queue.recv_many(&mut batch, BATCH) => {
                    if many == 0 {
                        return Some(Ending::new(4500, "come back and synchronise"));
                    }
                    times.sent = Instant::now();
                    if let Err(ending) = send(socket, batch.drain(..), &joined.cut).await {
                        return ending;
                    }
                }
                message = socket.recv(), if paused.is_none() => {
                    times.heard = Instant::now();
                    times.hushed = false;
                    budget.spend();
                    if let Some(wait) = self.limits.message(&self.identity) {
                        budget.pause(Instant::now() + wait);
                    }
                    match message {
                        None => return None,
                        Some(Err(error)) => return too_large(error),
                        Some(Ok(Message::Binary(frame))) => {
                            let frames = match self.room.receive(member, &self.speaker, &frame) {
                                Ok(reply) => reply.frames,
                                Err(ends) => return Some(ending(ends)),
                            };
                            if !frames.is_empty()
                                && let Err(ending) = send(socket, frames, &joined.cut).await
                            {
                                return ending;
                            }
                        }
                        Some(Ok(Message::Text(_))) => {
                            return Some(Ending::new(4400, "a room speaks binary frames"));
                        }
                        Some(Ok(Message::Close(_))) => {
                            // Until it has ended by itself: who stops here leaves the other side in doubt.
                            let _ = timeout(GOODBYE, drain(socket)).await;
                            return None;
                        }
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    }
                }
                () = until(paused), if paused.is_some() => {}
                // What was heard meanwhile only makes it too early.
                () = &mut look => {
                    if let Err(ending) = self.look(socket, joined, member, &mut times).await {
                        return ending;
                    }
                    look.as_mut().reset(times.next());
                }
            }
        }
    }

    /// Does what silence asks for.
    async fn look(
        &self,
        socket: &mut WebSocket,
        joined: &Joined,
        member: u64,
        times: &mut Times,
    ) -> Result<(), Option<Ending>> {
        let now = Instant::now();
        let silent = now.duration_since(times.heard);
        if silent >= DEAD {
            return Err(Some(Ending::new(4500, "nothing was heard for 30 s")));
        }
        if silent >= SILENT && !times.hushed {
            times.hushed = true;
            self.room.hush(member);
        }
        if silent >= ASK && now.duration_since(times.asked) >= ASK {
            times.asked = now;
            let ping = timeout(PATIENCE, socket.send(Message::Ping(Bytes::new()))).await;
            if !matches!(ping, Ok(Ok(()))) {
                return Err(None);
            }
        }
        if now.duration_since(times.sent) >= REASSURE {
            times.sent = now;
            send(socket, [NOTHING], &joined.cut).await?;
        }
        Ok(())
    }
}

impl Times {
    /// When something is to be done next, if nothing is heard.
    fn next(&self) -> Instant {
        let silent = match self.hushed {
            true => self.heard + DEAD,
            false => self.heard + SILENT,
        };
        let ask = (self.heard + ASK).max(self.asked + ASK);
        silent.min(ask).min(self.sent + REASSURE)
    }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        sleep_until(at).await;
    }
}

/// Sends frames together; `Err` ends the connection.
async fn send(
    socket: &mut WebSocket,
    frames: impl IntoIterator<Item = Bytes>,
    cut: &CancellationToken,
) -> Result<(), Option<Ending>> {
    let sending = async {
        for frame in frames {
            socket.feed(Message::Binary(frame)).await?;
        }
        socket.flush().await
    };
    tokio::select! {
        sent = timeout(PATIENCE, sending) => match sent {
            Ok(Ok(())) => Ok(()),
            // Gone, or as good as gone.
            Ok(Err(_)) | Err(_) => Err(None),
        },
        () = cut.cancelled() => Err(Some(Ending::new(4500, "too slow; come back and synchronise"))),
    }
}

/// How to end after an error of the connection: one that sent too much would send it again after every other end.
fn too_large(error: axum::Error) -> Option<Ending> {
    let inner = error.into_inner().downcast::<tungstenite::Error>().ok()?;
    matches!(*inner, tungstenite::Error::Capacity(_))
        .then(|| Ending::new(4400, "the message is too large"))
}

/// Reads until the connection has ended.
pub(super) async fn drain(socket: &mut WebSocket) {
    while let Some(Ok(_)) = socket.recv().await {}
}

fn ending(ends: Ends) -> Ending {
    match ends {
        Ends::Malformed(why) => Ending::new(4400, why),
        Ends::Again(why) => Ending::new(4500, why),
    }
}

/// A bucket of messages: full at first, refilled with time.
struct Budget {
    rate: f64,
    left: f64,
    filled: Instant,
    paused: Option<Instant>,
}

impl Budget {
    fn new(rate: f64, now: Instant) -> Self {
        Self {
            rate,
            left: rate * 2.0,
            filled: now,
            paused: None,
        }
    }

    /// Nothing is read before `until`.
    fn pause(&mut self, until: Instant) {
        self.paused = Some(until);
    }

    fn spend(&mut self) {
        self.left -= 1.0;
    }

    fn is_spent(&self) -> bool {
        self.left < 1.0 || self.paused.is_some()
    }

    /// When the next message may be read, if not at `now`.
    fn paused_until(&mut self, now: Instant) -> Option<Instant> {
        self.paused = self.paused.filter(|until| *until > now);
        if self.paused.is_some() {
            return self.paused;
        }
        if !self.is_spent() {
            return None;
        }
        let passed = now.duration_since(self.filled).as_secs_f64();
        self.left = (self.left + passed * self.rate).min(self.rate * 2.0);
        self.filled = now;
        // A tenth of a second's worth at a time, not one by one.
        let lacking = (self.rate / 10.0).max(1.0) - self.left;
        (self.left < 1.0).then(|| now + Duration::from_secs_f64(lacking / self.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_in_a_hurry_waits_in_its_own_socket() {
        let mut now = Instant::now();
        let mut budget = Budget::new(100.0, now);
        for _ in 0..200 {
            assert_eq!(budget.paused_until(now), None);
            budget.spend();
        }
        now = budget.paused_until(now).expect("the budget is spent");
        for _ in 0..9 {
            assert_eq!(budget.paused_until(now), None);
            budget.spend();
        }
        // Give or take one, for the rounding of seconds.
        budget.spend();
        budget.spend();
        assert!(budget.paused_until(now).is_some());
    }

    #[test]
    fn silence_is_looked_at_in_time() {
        let now = Instant::now();
        let mut times = Times {
            heard: now,
            asked: now,
            sent: now,
            hushed: false,
        };
        assert_eq!(times.next(), now + ASK);
        times.asked = now + ASK * 2;
        assert_eq!(times.next(), now + SILENT);
        times.hushed = true;
        assert_eq!(times.next(), now + ASK * 3);
    }
}
