//! The cockpit as plain lines, for screen readers and for terminals that keep no screen: what happens is said in
//! order, nothing is drawn over, the cursor is never moved. What is typed is a line: an instruction, or a command.
//!
//! State and update are those of the screen; [`tell`] says what changed, [`read`] takes a line.

mod others;
mod read;
mod tell;

use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

pub use read::{Said, read};
pub use tell::Teller;

use super::effects::Effects;
use super::keys::{Code, Key, Stroke};
use super::message::{EditRequest, Effect, Message, Outcome};
use super::model::{Model, Moment, Tone};
use super::session_file::Remembered;
use super::signals::{self, Signal, Signals};
use super::voice_port::{MicEvent, Microphone};
use super::{editor, motion, update};
use crate::client::stream::StreamItem;

/// Lines that may wait.
const WAITING: usize = 64;
/// How long requests that change something may go on after the end.
const GRACE: Duration = Duration::from_millis(500);

/// The cockpit as lines.
pub(super) struct Linear {
    pub model: Model,
    pub microphone: Option<Box<dyn Microphone>>,
    pub mic_events: Option<mpsc::Receiver<MicEvent>>,
    pub effects: Effects,
    pub results: mpsc::UnboundedReceiver<Message>,
    pub remembered: Remembered,
    events: Option<mpsc::Receiver<StreamItem>>,
    teller: Teller,
    started: Instant,
    /// A line was asked for and did not come yet.
    reading: bool,
    /// A text to be edited by the person.
    to_edit: Option<EditRequest>,
    over: bool,
}

impl Linear {
    /// A cockpit that has said nothing yet.
    pub fn new(
        model: Model,
        microphone: Option<Box<dyn Microphone>>,
        mic_events: mpsc::Receiver<MicEvent>,
        effects: Effects,
        results: mpsc::UnboundedReceiver<Message>,
        remembered: Remembered,
    ) -> Self {
        Self {
            model,
            microphone,
            mic_events: Some(mic_events),
            effects,
            results,
            remembered,
            events: None,
            teller: Teller::default(),
            started: Instant::now(),
            reading: false,
            to_edit: None,
            over: false,
        }
    }

    /// Runs to the end.
    pub async fn run(mut self, first: Vec<Message>) -> io::Result<()> {
        let mut signals = Signals::new()?;
        let (ask, mut lines) = lines();
        say("Sayso, as lines. Type what should change, or /help.")?;
        for message in first {
            self.take(message);
        }
        self.tell()?;
        while !self.over {
            if !self.reading {
                // A thread that has ended says so by its other channel.
                let _ = ask.send(());
                self.reading = true;
            }
            let wake =
                motion::next(&self.model, self.now()).filter(|_| self.model.notice.is_some());
            let wake = wake.map(|at| self.started + at);
            let wake = wake.into_iter().chain(self.remembered.due()).min();
            let (events, mic) = (&mut self.events, &mut self.mic_events);
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::End => self.over = true,
                    Signal::Stop if signals::can_stop() => signals.stop().await?,
                    Signal::Stop | Signal::Continued => {}
                },
                line = lines.recv() => match line {
                    Some(line) => {
                        self.reading = false;
                        self.said(&line)?;
                    }
                    None => self.over = true,
                },
                Some(message) = self.results.recv() => self.take(message),
                event = receive(mic) => match event {
                    Some(event) => self.take(Message::Mic(event)),
                    None => *mic = None,
                },
                item = receive(events) => match item {
                    Some(item) => self.take(Message::Stream(item)),
                    None => {
                        *events = None;
                        self.take(Message::StreamEnded);
                    }
                },
                () = sleep_until(wake) => self.take(Message::Wake),
            }
            if let Some(request) = self.to_edit.take() {
                self.edit(request, &mut signals).await?;
            }
            self.tell()?;
            self.remembered.look(&self.model, Instant::now());
        }
        self.remembered.close(&self.model);
        self.effects.finish(GRACE).await;
        Ok(())
    }

    fn now(&self) -> Moment {
        self.started.elapsed()
    }

    /// Says what is new, and notes that it was said: from then on it can be approved.
    fn tell(&mut self) -> io::Result<()> {
        let new = self.teller.tell(&self.model);
        if !new.is_empty() {
            say(&new.join("\n"))?;
        }
        self.model.dirty = false;
        let now = self.now();
        update::update(&mut self.model, now, Message::Drawn);
        Ok(())
    }

    fn said(&mut self, line: &str) -> io::Result<()> {
        match read(line, &self.model) {
            Said::Nothing => Ok(()),
            Said::Tell(words) => say(&words),
            Said::Instruction(words) => {
                self.model.line.set(&words);
                self.press(super::keymap::Command::FocusInput);
                self.take(Message::Key(Key::plain(Code::Enter), Stroke::Press));
                Ok(())
            }
            Said::Command(command) => {
                use super::keymap::Command as C;
                let about_lines = matches!(
                    command,
                    C::Note
                        | C::ChangeNote
                        | C::Highlight
                        | C::Unmark
                        | C::Resolve
                        | C::NextNote
                        | C::PreviousNote
                );
                // Lines have a cursor in the full view alone, and everything else its keys outside of it.
                if about_lines != self.model.full_view() && self.model.overlay.is_none() {
                    self.press(if about_lines {
                        C::OpenReview
                    } else {
                        C::CloseReview
                    });
                }
                self.press(command);
                Ok(())
            }
        }
    }

    /// Does what a key would do.
    fn press(&mut self, command: super::keymap::Command) {
        let context = self.model.context();
        if let Some(key) = self.model.settings.keymap.shown(context, command) {
            self.take(Message::Key(key, Stroke::Press));
        }
    }

    fn take(&mut self, message: Message) {
        let now = self.now();
        for effect in update::update(&mut self.model, now, message) {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
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
            Effect::Quit => self.over = true,
            Effect::Copy(text) => {
                // The terminal's own ways to copy work on plain lines.
                let _ = say(&text);
            }
            // While a line is being read the keyboard is not the editor's.
            Effect::Edit(_) if self.reading => {
                let now = self.now();
                self.model
                    .say(now, Tone::Plain, "type /edit to open it in your editor");
            }
            Effect::Edit(request) => self.to_edit = Some(request),
            Effect::Repaint | Effect::Suspend | Effect::Notify(_) => {}
            other => self.effects.begin(other),
        }
    }

    /// Lets the person edit a text, and hands it in when it was changed.
    async fn edit(&mut self, request: EditRequest, signals: &mut Signals) -> io::Result<()> {
        say(&format!("Your editor has {} now.", request.path))?;
        let edited = editor::run(&request, signals, &mut self.over).await;
        // What it was told while the editor had the keyboard is not meant for us.
        *signals = Signals::new()?;
        let outcome = match edited {
            Ok(text) if text == request.text => Outcome::Edited(request.proposal, Ok(None)),
            Ok(text) => {
                say("Your edit is taken.")?;
                self.effects.edit(request, text);
                return Ok(());
            }
            Err(problem) => Outcome::Edited(request.proposal, Err(problem)),
        };
        self.take(Message::Done(Box::new(outcome)));
        Ok(())
    }

    fn with_microphone(&mut self, act: impl FnOnce(&mut dyn Microphone)) {
        if let Some(microphone) = &mut self.microphone {
            act(microphone.as_mut());
        }
    }
}

/// The lines of standard input, each when it is asked for: meanwhile the keyboard may be an editor's. A blocking read
/// cannot be called off, so it has a thread of its own that ends with the process.
fn lines() -> (std::sync::mpsc::Sender<()>, mpsc::Receiver<String>) {
    let (ask, asked) = std::sync::mpsc::channel();
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::spawn(move || {
        let mut lines = io::stdin().lock().lines();
        while asked.recv().is_ok() {
            let Some(Ok(line)) = lines.next() else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    (ask, receiver)
}

fn say(words: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{words}")?;
    out.flush()
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
