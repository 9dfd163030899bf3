//! Push-to-talk. A recording is ended by the release of the key where releases are reported, by a second press where
//! they are not, by Enter, by the loss of focus and by its longest length; never by a guess from key repeat.

use super::Turn;
use crate::tui::keymap::repeats_are_told;
use crate::tui::keys::Key;
use crate::tui::message::Effect;
use crate::tui::model::{Phase, TalkBy, Tone};
use crate::tui::voice_port::MicEvent;

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
        let trial = self.m.overlay == Some(crate::tui::model::Overlay::Checkup);
        if self.m.loaded && !self.m.site.speech.ready && !trial {
            let why = self.m.site.speech.message.clone();
            self.say(Tone::Warn, format!("speech is not ready: {why}"));
            // It may have been installed a moment ago in another window.
            self.load(0);
            return;
        }
        self.m.notice = None;
        self.m.talk.begin(key.code);
        self.out.push(Effect::Press);
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
            MicEvent::Recording => {
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
                    self.begin_work("sending the recording");
                    self.m.card = None;
                    self.out.push(Effect::SendClip(path));
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
                self.m.talk.end();
                self.m.talk.open = false;
                self.m.talk.open_until = None;
                self.say(Tone::Bad, format!("microphone: {problem}"));
            }
        }
    }

    fn recording_over(&mut self) {
        self.m.talk.end();
        if self.m.talk.open {
            self.m.talk.open_until = Some(self.now + self.m.settings.warm);
        }
    }
}
