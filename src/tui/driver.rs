//! The edge: reads keys, events, the microphone and signals, runs the effects, and draws when something changed.
//!
//! Everything that is queued is taken before a frame is drawn, and in the long run no more than sixty frames are drawn
//! in a second.
//! Nothing runs by the clock while nothing moves.

use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use crossterm::event::EventStream;
use futures::Stream;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

use super::effects::Effects;
use super::manners::{Progress, Surroundings};
use super::message::{EditRequest, Effect, Message, Outcome};
use super::model::{Model, Moment, Tone};
use super::pace::Pace;
use super::probe::{Caught, Late};
use super::screen::Screen;
use super::session_file::Remembered;
use super::signals::{Signal, Signals};
use super::terminal::{self, Terminal, Wanted};
use super::voice_port::{MicEvent, Microphone};
use super::{editor, input, motion, probe, update, view};
use crate::client::stream::StreamItem;

/// Time after which a progress mark that fades is told anew, while the bar moves anyway.
const REFRESH: Duration = Duration::from_secs(1);
/// Messages taken before a frame is drawn all the same.
const BATCH: usize = 2_000;
/// How long requests that change something may go on after the end.
const GRACE: Duration = Duration::from_millis(500);

/// What lies around the cockpit: the terminal's kind, and the file that remembers.
pub(super) struct Outside {
    /// Which terminal it is.
    pub surroundings: Surroundings,
    /// The modes that are wanted.
    pub wanted: Wanted,
    /// Whether web addresses are links.
    pub links: bool,
    /// What was open.
    pub remembered: Remembered,
}

/// The running cockpit.
pub(super) struct Driver {
    pub model: Model,
    pub terminal: Terminal,
    pub microphone: Option<Box<dyn Microphone>>,
    pub mic_events: Option<mpsc::Receiver<MicEvent>>,
    pub effects: Effects,
    pub results: mpsc::UnboundedReceiver<Message>,
    outside: Outside,
    /// What the terminal's own progress mark shows.
    progress: Progress,
    /// When it was told last.
    told: Option<Instant>,
    screen: Screen,
    keys: Option<EventStream>,
    events: Option<mpsc::Receiver<StreamItem>>,
    signals: Signals,
    started: Instant,
    pace: Pace,
    /// What the terminal may still answer.
    late: Late,
    over: bool,
}

impl Driver {
    /// A cockpit on a terminal that is taken.
    pub fn new(
        model: Model,
        terminal: Terminal,
        microphone: Option<Box<dyn Microphone>>,
        mic_events: mpsc::Receiver<MicEvent>,
        effects: Effects,
        results: mpsc::UnboundedReceiver<Message>,
        outside: Outside,
    ) -> io::Result<Self> {
        Ok(Self {
            model,
            terminal,
            microphone,
            mic_events: Some(mic_events),
            effects,
            results,
            outside,
            progress: Progress::None,
            told: None,
            screen: Screen::default(),
            keys: None,
            events: None,
            signals: Signals::new()?,
            started: Instant::now(),
            pace: Pace::default(),
            late: Late::default(),
            over: false,
        })
    }

    /// Runs to the end. `first` is what happened before the start (the state, if it is known).
    pub async fn run(mut self, first: Vec<Message>) -> io::Result<()> {
        for message in first {
            self.take(message).await?;
        }
        self.draw()?;
        // The first frame stands; now there is time to ask what the keyboard can do.
        let question = probe::Question {
            keyboard: self.outside.wanted.keyboard,
            ground: self.model.settings.follows_ground && self.outside.surroundings.tells_ground(),
        };
        if question != probe::Question::default() {
            let answer = probe::ask(question);
            if question.keyboard {
                self.take(Message::Keyboard(answer.releases())).await?;
            }
            if let Some(ground) = answer.ground {
                self.take(Message::Ground(ground)).await?;
            }
            self.late = Late::after(question, &answer);
            for key in answer.typed {
                self.take(Message::Key(key, super::keys::Stroke::Press))
                    .await?;
            }
        }
        self.keys = Some(EventStream::new());
        while !self.over {
            let now = Instant::now();
            if self.model.dirty && self.pace.due(now) <= now {
                self.draw()?;
            }
            let message = self.next().await?;
            if let Some(message) = message {
                self.take(message).await?;
            }
            self.drain().await?;
            self.outside.remembered.look(&self.model, Instant::now());
        }
        self.outside.remembered.close(&self.model);
        self.keys = None;
        self.terminal.leave();
        self.effects.finish(GRACE).await;
        Ok(())
    }

    fn now(&self) -> Moment {
        self.started.elapsed()
    }

    /// Waits for the next thing that happens; `None` when it is time to draw.
    async fn next(&mut self) -> io::Result<Option<Message>> {
        let wake = if self.model.dirty {
            Some(self.pace.due(Instant::now()))
        } else {
            let moves = motion::next(&self.model, self.now()).map(|at| self.started + at);
            moves.into_iter().chain(self.outside.remembered.due()).min()
        };
        let dirty = self.model.dirty;
        let keys = &mut self.keys;
        let (events, mic) = (&mut self.events, &mut self.mic_events);
        tokio::select! {
            biased;
            signal = self.signals.next() => Ok(self.signaled(signal)?),
            key = std::future::poll_fn(|context| poll_keys(keys, context)) => Ok(caught(&mut self.late, read(key)?)),
            Some(message) = self.results.recv() => Ok(Some(message)),
            event = receive(mic) => {
                if event.is_none() {
                    *mic = None;
                }
                Ok(event.map(Message::Mic))
            }
            item = receive(events) => {
                if item.is_none() {
                    *events = None;
                }
                Ok(Some(item.map_or(Message::StreamEnded, Message::Stream)))
            }
            () = sleep_until(wake) => Ok((!dirty).then_some(Message::Wake)),
        }
    }

    /// Takes everything that is queued already.
    async fn drain(&mut self) -> io::Result<()> {
        for _ in 0..BATCH {
            if self.over {
                return Ok(());
            }
            let keys = &mut self.keys;
            let polled =
                std::future::poll_fn(|context| Poll::Ready(poll_keys(keys, context))).await;
            let key = match polled {
                Poll::Ready(key) => caught(&mut self.late, read(key)?).map(Some),
                Poll::Pending => Some(None),
            };
            let message = match key {
                // An event that means nothing here.
                None => continue,
                Some(Some(message)) => Some(message),
                Some(None) => self.queued(),
            };
            let Some(message) = message else {
                return Ok(());
            };
            self.take(message).await?;
        }
        Ok(())
    }

    /// The next message of the channels, if one waits.
    fn queued(&mut self) -> Option<Message> {
        if let Ok(message) = self.results.try_recv() {
            return Some(message);
        }
        if let Some(Ok(event)) = self.mic_events.as_mut().map(mpsc::Receiver::try_recv) {
            return Some(Message::Mic(event));
        }
        let item = self.events.as_mut().map(mpsc::Receiver::try_recv)?;
        item.ok().map(Message::Stream)
    }

    async fn take(&mut self, message: Message) -> io::Result<()> {
        let now = self.now();
        if matches!(
            message,
            Message::Key(..) | Message::Mouse(_) | Message::Paste(_)
        ) {
            self.pace.pressed();
        }
        let mut effects = update::update(&mut self.model, now, message);
        // What an effect leads to at once (a return from the editor) may ask for more.
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                more.extend(self.perform(effect).await?);
            }
            effects = more;
        }
        Ok(())
    }

    /// Runs an effect; what the terminal and the microphone have to do with is done here, the rest goes its own way.
    async fn perform(&mut self, effect: Effect) -> io::Result<Vec<Effect>> {
        match effect {
            Effect::Press => self.with_microphone(|microphone| microphone.press()),
            Effect::Start => self.with_microphone(|microphone| microphone.start()),
            Effect::Dictate(clip) => self.with_microphone(|microphone| microphone.dictate(clip)),
            Effect::Replay(clip) => self.with_microphone(|microphone| microphone.replay(clip)),
            Effect::Sound(sound) => self.with_microphone(|microphone| microphone.sound(sound)),
            Effect::WatchDevices(on) => {
                self.with_microphone(|microphone| microphone.watch_devices(on));
            }
            Effect::ChooseDevice(id) => self.with_microphone(|microphone| microphone.choose(id)),
            Effect::Release => self.with_microphone(|microphone| microphone.release()),
            Effect::CancelRecording => self.with_microphone(|microphone| microphone.cancel()),
            Effect::Follow(cursor) => self.events = Some(self.effects.follow(cursor)),
            Effect::Repaint => self.screen.forget(),
            Effect::Quit => self.over = true,
            Effect::Copy(text) => self.copy(text)?,
            Effect::Notify(words) => {
                let how = self.model.settings.notify;
                let told = self.outside.surroundings.notify(how, &words);
                terminal::emit(told.as_bytes())?;
            }
            Effect::Suspend => return self.suspend().await,
            Effect::Edit(request) => return self.edit(request).await,
            other => self.effects.begin(other),
        }
        Ok(Vec::new())
    }

    fn with_microphone(&mut self, act: impl FnOnce(&mut dyn Microphone)) {
        if let Some(microphone) = &mut self.microphone {
            act(microphone.as_mut());
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let now = self.now();
        let area = Rect::new(0, 0, self.model.width, self.model.height);
        let model = &self.model;
        let links = self.outside.links;
        let mut bytes = self.screen.linked(
            area,
            |buf| view::draw(model, now, buf),
            |buf| {
                if links {
                    view::links(model, buf)
                } else {
                    Vec::new()
                }
            },
        )?;
        let progress = Progress::of(model);
        let fades = self.outside.surroundings.progress_fades() && progress != Progress::None;
        let stale = fades && self.told.is_none_or(|told| told.elapsed() >= REFRESH);
        if self.outside.wanted.progress && (progress != self.progress || stale) {
            bytes.extend_from_slice(progress.bytes().as_bytes());
            self.progress = progress;
            self.told = Some(Instant::now());
        }
        if !bytes.is_empty() {
            terminal::emit(&bytes)?;
        }
        self.model.dirty = false;
        self.pace.drawn(Instant::now());
        update::update(&mut self.model, now, Message::Drawn);
        Ok(())
    }

    fn signaled(&mut self, signal: Signal) -> io::Result<Option<Message>> {
        match signal {
            Signal::End => {
                self.over = true;
                Ok(None)
            }
            Signal::Stop => Ok(Some(Message::Key(
                super::keys::Key {
                    ctrl: true,
                    ..super::keys::Key::char('z')
                },
                super::keys::Stroke::Press,
            ))),
            // Somebody stopped us from outside: the shell had the terminal meanwhile.
            Signal::Continued => {
                self.terminal.leave();
                self.back()?;
                Ok(Some(Message::Resumed))
            }
        }
    }

    /// Takes the terminal again, as large as it is now.
    fn back(&mut self) -> io::Result<()> {
        self.terminal.enter()?;
        let (width, height) = self.terminal.size();
        self.model.width = width;
        self.model.height = height;
        self.screen.forget();
        // It was taken away with the modes.
        self.progress = Progress::None;
        Ok(())
    }

    /// Puts text on the clipboard: of the terminal, which may be on another machine, and of this one where there is
    /// a program for it.
    fn copy(&mut self, text: String) -> io::Result<()> {
        let programs = self.outside.surroundings.clipboard_programs();
        match self.outside.surroundings.copy(&text) {
            Some(bytes) => terminal::emit(bytes.as_bytes())?,
            None if programs.is_empty() => {
                let now = self.now();
                self.model.say(
                    now,
                    Tone::Warn,
                    "this is too long for the terminal's clipboard",
                );
                self.model.dirty = true;
            }
            None => {}
        }
        self.effects.clipboard(programs, text);
        Ok(())
    }

    /// Gives the terminal to the shell and stops until it calls.
    async fn suspend(&mut self) -> io::Result<Vec<Effect>> {
        if !super::signals::can_stop() {
            let why = "there is no shell to go back to".to_owned();
            return Ok(self.outcome(Outcome::Told(Tone::Warn, why)));
        }
        self.keys = None;
        self.terminal.leave();
        let stopped = self.signals.stop().await;
        self.back()?;
        stopped?;
        self.keys = Some(EventStream::new());
        let now = self.now();
        Ok(update::update(&mut self.model, now, Message::Resumed))
    }

    /// Lets the person edit a text, and hands it in when it was changed.
    async fn edit(&mut self, request: EditRequest) -> io::Result<Vec<Effect>> {
        // A stream that is only paused would eat what is typed in the editor.
        self.keys = None;
        self.terminal.leave();
        let edited = editor::run(&request, &mut self.signals, &mut self.over).await;
        flush_input();
        self.back()?;
        self.signals = Signals::new()?;
        self.keys = Some(EventStream::new());
        let outcome = match edited {
            Ok(text) if text == request.text => Outcome::Edited(request.proposal, Ok(None)),
            Ok(text) => {
                self.effects.edit(request, text);
                return Ok(self.resumed());
            }
            Err(problem) => Outcome::Edited(request.proposal, Err(problem)),
        };
        let mut effects = self.resumed();
        effects.extend(self.outcome(outcome));
        Ok(effects)
    }

    fn resumed(&mut self) -> Vec<Effect> {
        let now = self.now();
        update::update(&mut self.model, now, Message::Resumed)
    }

    fn outcome(&mut self, outcome: Outcome) -> Vec<Effect> {
        let now = self.now();
        update::update(&mut self.model, now, Message::Done(Box::new(outcome)))
    }
}

type Polled = Option<io::Result<crossterm::event::Event>>;

fn poll_keys(keys: &mut Option<EventStream>, context: &mut std::task::Context<'_>) -> Poll<Polled> {
    match keys {
        Some(keys) => Pin::new(keys).poll_next(context),
        None => Poll::Pending,
    }
}

/// The message, unless it is a part of an answer that came late.
fn caught(late: &mut Late, message: Option<Message>) -> Option<Message> {
    match message {
        Some(Message::Key(key, _)) => match late.take(key) {
            Caught::Key => message,
            Caught::Part => None,
            Caught::Ground(ground) => Some(Message::Ground(ground)),
        },
        other => other,
    }
}

/// The message of what was read; an error when the terminal is gone.
fn read(polled: Polled) -> io::Result<Option<Message>> {
    match polled {
        Some(event) => Ok(input::message(event?)),
        None => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the terminal is gone",
        )),
    }
}

async fn receive<T>(receiver: &mut Option<mpsc::Receiver<T>>) -> Option<T> {
    match receiver {
        Some(receiver) => receiver.recv().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Drops what was typed while the terminal was not ours.
fn flush_input() {
    #[cfg(unix)]
    let _ = rustix::termios::tcflush(
        rustix::stdio::stdin(),
        rustix::termios::QueueSelector::IFlush,
    );
}
