//! Push-to-talk. A recording is ended by the release of the key where releases are reported, by a second press where
//! they are not, by Enter, by the loss of focus and by its longest length; never by a guess from key repeat.

use super::Turn;
use crate::client::outbox::Asked;
use crate::model::{EventKind, Problem};
use crate::tui::keymap::{repeats_are_told, spoken};
use crate::tui::keys::{Code, Key};
use crate::tui::message::Effect;
use crate::tui::model::{Mics, Overlay, Phase, TalkBy, Tone};
use crate::tui::voice_port::{MicEvent, Sound};

impl Turn<'_> {
    pub(super) fn talk_pressed(&mut self, key: Key) {
        match self.m.talk.phase {
            Phase::Idle => self.begin_recording(key),
            Phase::Opening | Phase::Recording => match self.m.talk.by {
                TalkBy::Toggle => self.finish_recording(),
                // A further press of a held text key is its repeat. Of a key whose repeats are told apart it is a
                // real press: the release was lost on the way.
                TalkBy::Hold if repeats_are_told(key.code) => self.finish_recording(),
                TalkBy::Hold => {}
            },
            Phase::Finishing => {}
        }
    }

    fn begin_recording(&mut self, key: Key) {
        if !self.m.settings.microphone {
            self.say(
                Tone::Warn,
                "no microphone in this session; press Tab and type instead",
            );
            return;
        }
        let trial = self.m.overlay == Some(Overlay::Checkup);
        if self.m.loaded && !self.m.site.speech.ready && !trial {
            let why = self.m.site.speech.message.clone();
            self.say(Tone::Warn, format!("speech is not ready: {why}"));
            // It may have been installed a moment ago in another window.
            self.load(0);
            return;
        }
        self.m.notice = None;
        self.m.talk.begin(key.code);
        self.m.talk.dictating = self.m.text_field().is_some();
        let by_itself = self.m.talk.by == TalkBy::Toggle && self.m.settings.voice.auto_end;
        self.out.push(if by_itself {
            Effect::Start
        } else {
            Effect::Press
        });
    }

    /// A key went up.
    pub(super) fn released(&mut self, key: Key) {
        let active = self.m.talk.active();
        if active && self.m.talk.by == TalkBy::Hold && self.m.talk.held == Some(key.code) {
            self.m.dirty = true;
            self.finish_recording();
        } else if !active && self.m.talk.undecided {
            // Seen with our own eyes: this terminal does report releases.
            self.m.dirty = true;
            self.m.talk.releases_reported(true);
        }
    }

    pub(super) fn finish_recording(&mut self) {
        if self.m.talk.active() {
            self.m.talk.phase = Phase::Finishing;
            self.m.talk.held = None;
            self.out.push(Effect::Release);
        }
    }

    pub(super) fn cancel_recording(&mut self) {
        if self.m.talk.active() {
            self.m.talk.end();
            self.out.push(Effect::CancelRecording);
            self.say(Tone::Plain, "recording thrown away");
        }
    }

    pub(super) fn mic(&mut self, event: MicEvent) {
        let running = self.m.talk.phase != Phase::Idle;
        if let MicEvent::Level {
            rms_db,
            peak_db,
            elapsed,
        } = event
        {
            if running {
                let said = self.m.talk.loudness();
                let due = self.m.talk.level(self.now, rms_db, peak_db, elapsed);
                let motion = self.m.settings.motion;
                self.m.dirty |= due && (motion || said != self.m.talk.loudness());
            }
            return;
        }
        self.m.dirty = true;
        match event {
            MicEvent::Opening | MicEvent::Level { .. } => {}
            MicEvent::Partial(words) => {
                if running || self.m.work.is_some() || self.m.talk.reading {
                    self.m.talk.partial = Some(words);
                }
            }
            MicEvent::Muted => self.say(
                Tone::Warn,
                "the microphone delivers nothing but zeros: is it muted?",
            ),
            MicEvent::Interrupted(problem) => self.say(
                Tone::Warn,
                format!(
                    "{}; what was said is kept, looking for it again",
                    problem.detail
                ),
            ),
            MicEvent::Words(words) => self.dictated(words),
            MicEvent::Devices(devices) => {
                if let Some(Overlay::Mics(mics)) = &mut self.m.overlay {
                    if !mics.moved {
                        let chosen = devices.iter().position(|device| device.chosen);
                        mics.selected = chosen.unwrap_or(0);
                    }
                    mics.selected = mics.selected.min(devices.len().saturating_sub(1));
                    mics.devices = devices;
                }
            }
            MicEvent::Listening(listening) => self.m.talk.listening = listening,
            MicEvent::Woken => {
                if !running && self.m.settings.microphone {
                    self.m.notice = None;
                    // No key is held: Enter, the talk key or silence ends it.
                    self.m.talk.begin(Code::Enter);
                    self.m.talk.held = None;
                    self.m.talk.dictating = false;
                    self.out.push(Effect::Start);
                }
            }
            MicEvent::Overheard(path) => {
                if !running {
                    self.recorded(path);
                }
            }
            MicEvent::Told(words) => self.say(Tone::Plain, words),
            MicEvent::Recording => {
                self.sound(Sound::Start);
                self.m.talk.open = true;
                self.m.talk.open_until = None;
                if self.m.talk.phase == Phase::Opening {
                    self.m.talk.phase = Phase::Recording;
                }
            }
            MicEvent::Limit => {
                if running {
                    self.m.talk.phase = Phase::Finishing;
                    self.m.talk.held = None;
                    self.say(Tone::Warn, "the recording reached its longest length");
                }
            }
            MicEvent::Clip { path, .. } => {
                self.recording_over();
                // A clip of a recording that was thrown away is not sent.
                if running {
                    self.recorded(path);
                }
            }
            MicEvent::NoSpeech => {
                self.recording_over();
                self.say(Tone::Warn, "no speech heard; nothing was sent");
            }
            MicEvent::TooShort => {
                self.recording_over();
                let how = match self.m.talk.by {
                    TalkBy::Hold => "hold the key while you speak",
                    TalkBy::Toggle => "press to start, speak, press to stop",
                };
                self.say(Tone::Warn, format!("too short to hold a word: {how}"));
            }
            MicEvent::Closed => {
                self.m.talk.open = false;
                self.m.talk.open_until = None;
            }
            MicEvent::Failed(problem) => {
                self.sound(Sound::Error);
                self.m.talk.end();
                self.m.talk.open = false;
                self.m.talk.open_until = None;
                self.say(Tone::Bad, format!("microphone: {problem}"));
            }
        }
    }

    fn recording_over(&mut self) {
        self.sound(Sound::Stop);
        self.m.talk.end();
        if self.m.talk.open {
            self.m.talk.open_until = Some(self.now + self.m.settings.warm);
        }
    }

    /// A recording is there: an instruction, or words for a text.
    fn recorded(&mut self, path: std::path::PathBuf) {
        self.m.talk.last = Some(path.clone());
        if self.m.talk.dictating || self.m.settings.voice.confirm {
            self.m.talk.reading = true;
            self.out.push(Effect::Dictate(path));
        } else {
            self.m.card = None;
            if self.keeps() {
                self.enqueue(Asked::Recording { file: path }, "sending the recording");
                return;
            }
            self.begin_work("sending the recording");
            self.out.push(Effect::SendClip(path));
        }
    }

    /// Words for the text that has the focus; without one they begin an instruction that the person sends.
    fn dictated(&mut self, words: Result<String, Problem>) {
        self.m.talk.partial = None;
        if !std::mem::take(&mut self.m.talk.reading) {
            return;
        }
        let words = match words {
            Ok(words) => words,
            Err(problem) => {
                self.sound(Sound::Error);
                self.say(Tone::Bad, format!("not understood: {problem}"));
                return;
            }
        };
        if words.trim().is_empty() {
            self.say(Tone::Warn, "no speech heard");
            return;
        }
        if self.m.text_field().is_none() {
            if let Some((command, true)) = spoken::command(&words) {
                self.understood(&words, command);
                return;
            }
            self.focus_input();
        }
        let fits = self
            .m
            .text_field()
            .is_some_and(|field| field.dictate(&words));
        self.filter_changed();
        self.share_edit();
        if !fits {
            self.say(Tone::Warn, "not all of it fits into the text");
        }
    }

    /// Puts what was heard last into the line, to be changed and sent again.
    pub(super) fn edit_heard(&mut self) {
        match self.m.heard.as_ref().map(|heard| heard.text.clone()) {
            Some(text) => {
                self.m.line.set(&text);
                self.focus_input();
            }
            None => self.say(Tone::Plain, "nothing was heard yet"),
        }
    }

    /// Plays the last recording.
    pub(super) fn replay(&mut self) {
        match self.m.talk.last.clone() {
            Some(path) => self.out.push(Effect::Replay(path)),
            None => self.say(Tone::Plain, "nothing was recorded yet"),
        }
    }

    fn sound(&mut self, sound: Sound) {
        if self.m.settings.voice.sounds {
            self.out.push(Effect::Sound(sound));
        }
    }

    /// The sound that an event makes.
    pub(super) fn sound_of(&mut self, kind: EventKind) {
        match kind {
            EventKind::Proposal | EventKind::Commit | EventKind::DeployComplete => {
                self.sound(Sound::Done);
            }
            EventKind::Error | EventKind::DeployError => self.sound(Sound::Error),
            _ => {}
        }
    }

    pub(super) fn open_microphones(&mut self) {
        if !self.m.settings.microphone {
            self.say(Tone::Warn, "no microphone in this session");
            return;
        }
        self.m.overlay = Some(Overlay::Mics(Mics::default()));
    }

    pub(super) fn close_microphones(&mut self) {
        if self.in_microphones() {
            self.m.overlay = None;
        }
    }

    pub(super) fn in_microphones(&self) -> bool {
        matches!(self.m.overlay, Some(Overlay::Mics(_)))
    }

    pub(super) fn step_microphone(&mut self, down: bool) {
        if let Some(Overlay::Mics(mics)) = &mut self.m.overlay {
            let last = mics.devices.len().saturating_sub(1);
            mics.moved = true;
            mics.selected = if down {
                (mics.selected + 1).min(last)
            } else {
                mics.selected.saturating_sub(1)
            };
        }
    }

    pub(super) fn choose_microphone(&mut self) {
        let Some(Overlay::Mics(mics)) = &self.m.overlay else {
            return;
        };
        if let Some(device) = mics.devices.get(mics.selected).cloned() {
            self.say(Tone::Good, format!("recording from {}", device.name));
            self.out.push(Effect::ChooseDevice(device.id));
            self.close_microphones();
        }
    }

    /// Microphones are open for their levels as long as their list is on the screen, however it goes away.
    pub(super) fn settle_microphones(&mut self) {
        let watching = self.in_microphones();
        if watching != self.m.talk.watching {
            self.m.talk.watching = watching;
            self.out.push(Effect::WatchDevices(watching));
        }
    }
}
