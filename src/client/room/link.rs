//! The edge of a room's client: opens sockets, waits, asks by HTTP. It knows nothing of what the frames say.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};

use super::http::Calls;
use super::socket::Socket;
use super::way::{Ending, Next, Way};
use super::{RoomItem, RoomLink, RoomOptions, Standing, Told};
use crate::client::Client;
use crate::client::stream::chance;

/// Frames of the server that may wait for the reader; beyond, the socket waits, and the server notices.
const BUFFER: usize = 256;

/// Calls of one conversation by HTTP: what is left to say after them is said in the next one.
const TURNS: usize = 3;
/// How long to wait for the answer to a frame, which comes from a cockpit on this machine.
const ANSWERS: Duration = Duration::from_millis(50);

/// Joins `room`. Dropping the receiver, or the last [`RoomLink`], leaves it. Must be called in a Tokio runtime.
pub fn join(
    client: Client,
    room: String,
    options: RoomOptions,
) -> (RoomLink, mpsc::Receiver<RoomItem>) {
    let (items, receiver) = mpsc::channel(BUFFER);
    let (told, orders) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut link = Link {
            client,
            room,
            way: Way::new(options.stream.clone()),
            options,
            items: items.clone(),
            orders,
            standing: None,
            born: Instant::now(),
            socket: None,
            calls: Calls::new(),
            renewed: Instant::now(),
        };
        // Dropping the attempt at hand closes its connection.
        tokio::select! {
            () = items.closed() => {}
            _ = link.run() => {}
        }
        if let Some(socket) = link.socket.take() {
            socket.close().await;
        }
    });
    (RoomLink { told }, receiver)
}

/// Nobody is interested any more.
struct Gone;

/// What ends an attempt.
enum End {
    Ended(Ending),
    Gone,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Ending> for End {
    fn from(ending: Ending) -> Self {
        Self::Ended(ending)
    }
}

struct Link {
    client: Client,
    room: String,
    options: RoomOptions,
    way: Way,
    items: mpsc::Sender<RoomItem>,
    orders: mpsc::UnboundedReceiver<Told>,
    standing: Option<Standing>,
    born: Instant,
    /// The open socket, kept here so that it can be closed with a word.
    socket: Option<Socket>,
    /// The calls by HTTP.
    calls: Calls,
    /// When those who talk by calls were last told that it is time to be announced again.
    renewed: Instant,
}

impl Link {
    async fn run(&mut self) -> Result<(), Gone> {
        let mut next = self.way.first();
        loop {
            let end = match next {
                Next::Socket { pause } => {
                    self.pause(pause).await?;
                    if self.standing != Some(Standing::ByHttp) {
                        self.tell(Standing::Connecting).await?;
                    }
                    let Err(end) = self.socket().await;
                    self.socket = None;
                    end
                }
                Next::Http { pause } => {
                    self.pause(pause).await?;
                    match self.round().await {
                        Ok(()) => {
                            self.tell(Standing::ByHttp).await?;
                            next = self.way.asked(self.born.elapsed());
                            if matches!(next, Next::Http { .. }) {
                                self.wait_for_news().await?;
                            }
                            continue;
                        }
                        Err(end) => end,
                    }
                }
                Next::Stop { reason } => {
                    self.tell(Standing::Closed { reason }).await?;
                    // Frames are dropped until the room is left.
                    while self.orders.recv().await.is_some() {}
                    return Ok(());
                }
            };
            let End::Ended(ending) = end else {
                return Err(Gone);
            };
            tracing::debug!(%ending, room = self.room, "a room");
            if self.client.look_for_server() {
                next = self.way.first();
                continue;
            }
            next = self.way.ended(self.born.elapsed(), &ending, chance());
            if let Next::Socket { pause } | Next::Http { pause } = &next
                && !pause.is_zero()
            {
                self.tell(Standing::Waiting {
                    reason: ending.to_string(),
                    retry_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                })
                .await?;
            }
        }
    }

    /// Waits; what is to be sent meanwhile is dropped, because the next greeting makes up for it.
    async fn pause(&mut self, pause: Duration) -> Result<(), Gone> {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return Ok(()),
                order = self.orders.recv() => if order.is_none() {
                    return Err(Gone);
                },
            }
        }
    }

    /// One socket, until it ends.
    async fn socket(&mut self) -> Result<std::convert::Infallible, End> {
        let endpoint = self.client.endpoint();
        let opened = Socket::open(&endpoint, &self.room, &self.options).await?;
        self.socket = Some(opened);
        let greeting = self.greeting().await?;
        self.send(greeting).await?;
        let mut renew = interval_at(Instant::now() + self.options.renew, self.options.renew);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let silence = self.options.stream.read_timeout();
        let mut heard = false;
        let mut until = Instant::now() + silence;
        loop {
            let Some(socket) = &mut self.socket else {
                return Err(Ending::Cut.into());
            };
            tokio::select! {
                item = socket.next() => {
                    until = Instant::now() + silence;
                    let frame = item?;
                    if !heard {
                        heard = true;
                        self.way.opened(self.born.elapsed());
                        self.tell(Standing::Live).await?;
                    }
                    if let Some(frame) = frame {
                        self.give(RoomItem::Frame(frame)).await?;
                    }
                }
                order = self.orders.recv() => match order {
                    None => return Err(End::Gone),
                    Some(Told::Greeting(frames) | Told::Frames(frames)) => self.send(frames).await?,
                },
                _ = renew.tick() => self.give(RoomItem::Renew).await?,
                () = sleep_until(until) => return Err(Ending::Silent.into()),
            }
        }
    }

    async fn send(&mut self, frames: Vec<Bytes>) -> Result<(), Ending> {
        match &mut self.socket {
            Some(socket) => socket.send(frames).await,
            None => Err(Ending::Cut),
        }
    }

    /// Asks for the first frames of a conversation; what was to be sent before them is in them.
    async fn greeting(&mut self) -> Result<Vec<Bytes>, Gone> {
        self.give(RoomItem::Open).await?;
        loop {
            match self.orders.recv().await {
                None => return Err(Gone),
                Some(Told::Greeting(frames)) => return Ok(frames),
                Some(Told::Frames(_)) => {}
            }
        }
    }

    /// One conversation by HTTP: a greeting and what it leads to, until nobody has anything to say.
    async fn round(&mut self) -> Result<(), End> {
        if self.renewed.elapsed() >= self.options.renew {
            self.renewed = Instant::now();
            self.give(RoomItem::Renew).await?;
        }
        let mut frames = self.greeting().await?;
        for _ in 0..TURNS {
            let items = self.calls.make(&self.client, &self.room, &frames).await?;
            if items.is_empty() {
                break;
            }
            for item in items {
                self.give(item).await?;
            }
            frames = self.answers().await?;
        }
        Ok(())
    }

    /// What the frames of the server were answered with: whatever comes at once.
    async fn answers(&mut self) -> Result<Vec<Bytes>, Gone> {
        let mut all = Vec::new();
        while let Ok(order) = timeout(ANSWERS, self.orders.recv()).await {
            match order {
                None => return Err(Gone),
                Some(Told::Greeting(frames) | Told::Frames(frames)) => all.extend(frames),
            }
        }
        Ok(all)
    }

    /// By HTTP: waits until there is something to send, or until it is time to ask again. What there is to send is in
    /// the next greeting.
    async fn wait_for_news(&mut self) -> Result<(), Gone> {
        tokio::select! {
            () = sleep(self.options.round) => Ok(()),
            order = self.orders.recv() => order.map(drop).ok_or(Gone),
        }
    }

    async fn tell(&mut self, standing: Standing) -> Result<(), Gone> {
        if self.standing.as_ref() == Some(&standing) {
            return Ok(());
        }
        self.standing = Some(standing.clone());
        self.give(RoomItem::Standing(standing)).await
    }

    async fn give(&self, item: RoomItem) -> Result<(), Gone> {
        self.items.send(item).await.map_err(|_| Gone)
    }
}
