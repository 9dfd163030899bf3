//! The recorder: one thread between the keys, the microphone and whoever listens to the events.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::{mpsc as events, oneshot};

use super::core::{Clip, Core, Input, Output};
use super::{VoiceEvent, VoiceOptions, finish, mic};

/// The events of a [`Recorder`]; ends when the recorder does.
pub type Events = events::UnboundedReceiver<VoiceEvent>;

enum Message {
    Input(Input, Instant),
    SoFar(oneshot::Sender<Option<Clip>>),
    Device(Option<String>),
    Quit,
}

/// Records clips while a key is held. Cheap to clone; never blocks its caller. The microphone is closed when the
/// last clone is dropped.
#[derive(Clone)]
pub struct Recorder {
    line: Arc<Line>,
}

struct Line(Sender<Message>);

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.0.send(Message::Quit);
    }
}

impl Recorder {
    /// Starts the recorder's thread. The microphone is opened by the first [`Recorder::press`], not before.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn spawn(options: VoiceOptions) -> io::Result<(Self, Events)> {
        let (sender, inbox) = mpsc::channel();
        let (tell, heard) = events::unbounded_channel();
        let mics = sender.clone();
        thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || run(options, &inbox, &mics, &tell))?;
        Ok((
            Self {
                line: Arc::new(Line(sender)),
            },
            heard,
        ))
    }

    /// The key went down: a clip begins with what was said shortly before. Without effect while one is recorded.
    pub fn press(&self) {
        self.send(Input::Press);
    }

    /// Like [`Recorder::press`], but the clip ends by itself when nobody has spoken for a while.
    pub fn start(&self) {
        self.send(Input::Start);
    }

    /// The key came up: the clip ends with what is said shortly after.
    pub fn release(&self) {
        self.send(Input::Release);
    }

    /// Drops the clip that is being recorded.
    pub fn cancel(&self) {
        self.send(Input::Cancel);
    }

    /// Records from this microphone (its id or a part of its name) from the next clip on; `None` follows the default.
    pub fn choose(&self, device: Option<String>) {
        let _ = self.line.0.send(Message::Device(device));
    }

    /// From now on, or no longer, tells [`VoiceEvent::Overheard`] of whatever somebody says. The microphone stays
    /// open as long.
    pub fn listen(&self, on: bool) {
        self.send(Input::Listen(on));
    }

    /// Closes the microphone now, whatever is being recorded.
    pub fn close(&self) {
        self.send(Input::Close);
    }

    /// The sound of the clip so far (16 kHz mono), for a preview of its words; `None` when none is being recorded.
    pub async fn so_far(&self) -> Option<Vec<f32>> {
        let (answer, answered) = oneshot::channel();
        self.line.0.send(Message::SoFar(answer)).ok()?;
        let clip = answered.await.ok()??;
        tokio::task::spawn_blocking(move || finish::join(clip).ok())
            .await
            .ok()?
    }

    fn send(&self, input: Input) {
        let _ = self.line.0.send(Message::Input(input, Instant::now()));
    }
}

fn run(
    mut options: VoiceOptions,
    inbox: &Receiver<Message>,
    mics: &Sender<Message>,
    tell: &events::UnboundedSender<VoiceEvent>,
) {
    let mut core = Core::new(options.clone(), Instant::now());
    let mut open = None;
    loop {
        let message = match core.deadline() {
            Some(deadline) => {
                inbox.recv_timeout(deadline.saturating_duration_since(Instant::now()))
            }
            None => inbox.recv().map_err(RecvTimeoutError::from),
        };
        let (input, at) = match message {
            Ok(Message::Input(input, at)) => (input, at),
            Ok(Message::SoFar(answer)) => {
                let _ = answer.send(core.so_far());
                continue;
            }
            Ok(Message::Device(device)) => {
                options.device = device;
                (Input::Changed, Instant::now())
            }
            Err(RecvTimeoutError::Timeout) => (Input::Tick, Instant::now()),
            Ok(Message::Quit) | Err(RecvTimeoutError::Disconnected) => return,
        };
        for output in core.handle(input, at) {
            let event = match output {
                Output::Open { generation } => {
                    let line = mics.clone();
                    let report = move |input| {
                        let _ = line.send(Message::Input(input, Instant::now()));
                    };
                    open = Some(mic::open(generation, options.device.clone(), report));
                    continue;
                }
                Output::Close => {
                    drop(open.take());
                    continue;
                }
                Output::Event(event) => event,
                Output::Finish(clip) => finish::finish(clip, &options, Timestamp::now()),
            };
            if tell.send(event).is_err() {
                return;
            }
        }
    }
}
