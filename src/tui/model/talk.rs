//! Push-to-talk: by holding a key where the terminal reports its release, else by pressing it twice.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use super::Moment;
use crate::config::TalkMode;
use crate::model::{Event, InstructionId};
use crate::tui::keys::Code;
use crate::tui::voice_port::Device;

/// Levels kept for the meter.
const LEVELS: usize = 48;
/// Least time between two pictures of the meter.
const METER: Duration = Duration::from_millis(90);

/// A word less certain than this is marked.
const UNCERTAIN: f32 = 0.5;
/// From this much time before the longest length on, the rest is counted down.
const COUNTDOWN: Duration = Duration::from_secs(10);

/// What the recogniser said of its own words.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The instruction.
    pub instruction: Option<InstructionId>,
    /// Each word with its certainty, 0 to 1.
    pub words: Vec<(String, f32)>,
}

impl Said {
    /// The mean certainty in percent.
    pub fn percent(&self) -> u32 {
        let sum: f32 = self.words.iter().map(|(_, certainty)| certainty).sum();
        (sum / self.words.len().max(1) as f32 * 100.0).round() as u32
    }

    /// `text`, if it is what was said, with its uncertain words marked.
    pub fn marked(&self, text: &str) -> Option<String> {
        let same = text
            .split_whitespace()
            .eq(self.words.iter().map(|(word, _)| word.as_str()));
        let marked = |(word, certainty): &(String, f32)| {
            if *certainty < UNCERTAIN {
                format!("{word}‹{:.0} %?›", certainty * 100.0)
            } else {
                word.clone()
            }
        };
        let words: Vec<String> = self.words.iter().map(marked).collect();
        (same && !words.is_empty()).then(|| words.join(" "))
    }
}

/// The list of microphones on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mics {
    /// Those there are; none before they are known.
    pub devices: Vec<Device>,
    /// The one that Enter chooses.
    pub selected: usize,
    /// True once the person moved the selection.
    pub moved: bool,
}

/// How a recording is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TalkBy {
    /// By letting go.
    Hold,
    /// By another press.
    Toggle,
}

/// How far a recording is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// None runs.
    #[default]
    Idle,
    /// The key is down; no sound arrives yet.
    Opening,
    /// Sound arrives.
    Recording,
    /// The key is up; the recording is being finished.
    Finishing,
}

/// The state of push-to-talk.
#[derive(Clone, Debug, PartialEq)]
pub struct Talk {
    /// How a recording is ended.
    pub by: TalkBy,
    /// True while nobody decided on hold or toggle and the terminal may still show that it reports releases.
    pub undecided: bool,
    /// How far the recording is.
    pub phase: Phase,
    /// The key that is held, so far as is known.
    pub held: Option<Code>,
    /// Length so far.
    pub elapsed: Duration,
    /// Mean levels in dB below full scale, oldest first.
    pub levels: VecDeque<f32>,
    /// Peak level in dB below full scale.
    pub peak: f32,
    /// True while the device is open.
    pub open: bool,
    /// When the device is taken as closed, if nothing says so before.
    pub open_until: Option<Moment>,
    /// What was said so far, not for sure.
    pub partial: Option<String>,
    /// True while the recording is for the text that has the focus, not an instruction.
    pub dictating: bool,
    /// True while a recording is being read for a text.
    pub reading: bool,
    /// The last recording.
    pub last: Option<PathBuf>,
    /// What the recogniser said of its own words.
    pub said: Option<Said>,
    /// True while the phrase that wakes is listened for.
    pub listening: bool,
    /// True while the microphones tell their levels.
    pub watching: bool,
    metered: Option<Moment>,
}

impl Talk {
    /// No recording; hold or toggle as configured. Until the terminal is known, `Auto` means toggle.
    pub fn new(mode: TalkMode) -> Self {
        Self {
            by: match mode {
                TalkMode::Hold => TalkBy::Hold,
                TalkMode::Auto | TalkMode::Toggle => TalkBy::Toggle,
            },
            undecided: mode == TalkMode::Auto,
            phase: Phase::Idle,
            held: None,
            elapsed: Duration::ZERO,
            levels: VecDeque::new(),
            peak: f32::NEG_INFINITY,
            open: false,
            open_until: None,
            partial: None,
            dictating: false,
            reading: false,
            last: None,
            said: None,
            listening: false,
            watching: false,
            metered: None,
        }
    }

    /// Takes the words of a `transcript` event with their certainty.
    pub fn said(&mut self, event: &Event) {
        self.partial = None;
        let words = event.data["words"].as_array().into_iter().flatten();
        let words: Vec<(String, f32)> = words
            .filter_map(|word| {
                let certainty = word["certainty"].as_f64()? as f32;
                Some((word["text"].as_str()?.to_owned(), certainty))
            })
            .collect();
        self.said = (!words.is_empty()).then(|| Said {
            instruction: event.instruction.clone(),
            words,
        });
    }

    /// What the recogniser said of the words of `instruction`.
    pub fn certainty_of(&self, instruction: Option<&InstructionId>) -> Option<&Said> {
        let said = self.said.as_ref()?;
        (instruction.is_some() && said.instruction.as_ref() == instruction).then_some(said)
    }

    /// Seconds until the longest length is reached, near its end.
    pub fn countdown(&self, limit: Duration) -> Option<u64> {
        let left = limit.saturating_sub(self.elapsed);
        (self.phase == Phase::Recording && left <= COUNTDOWN).then_some(left.as_secs())
    }

    /// True while the key's next meaning is to end a recording.
    pub fn active(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Recording)
    }

    /// Releases are reported, or not: decides what `Auto` means.
    pub fn releases_reported(&mut self, reported: bool) {
        if self.undecided && reported {
            self.by = TalkBy::Hold;
            self.undecided = false;
        }
    }

    /// A recording begins with the key `held`.
    pub fn begin(&mut self, held: Code) {
        self.phase = Phase::Opening;
        self.held = Some(held);
        self.elapsed = Duration::ZERO;
        self.levels.clear();
        self.peak = f32::NEG_INFINITY;
        self.partial = None;
        self.metered = None;
    }

    /// No recording runs any more.
    pub fn end(&mut self) {
        self.phase = Phase::Idle;
        self.held = None;
    }

    /// Notes a level; true when the meter is due to be drawn.
    pub fn level(&mut self, now: Moment, rms: f32, peak: f32, elapsed: Duration) -> bool {
        if self.levels.len() == LEVELS {
            self.levels.pop_front();
        }
        self.levels.push_back(rms);
        self.peak = peak;
        self.elapsed = elapsed;
        let due = self
            .metered
            .is_none_or(|last| now.saturating_sub(last) >= METER);
        if due {
            self.metered = Some(now);
        }
        due
    }

    /// The newest level in words, for those who see no bars move.
    pub fn loudness(&self) -> &'static str {
        match self.levels.back() {
            None => "no sound yet",
            Some(level) if *level < -55.0 => "very quiet",
            Some(_) if self.peak > -1.0 => "too loud",
            Some(level) if *level < -40.0 => "quiet",
            Some(_) => "good level",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[(&str, f32)]) -> Said {
        Said {
            instruction: None,
            words: words
                .iter()
                .map(|(word, certainty)| ((*word).to_owned(), *certainty))
                .collect(),
        }
    }

    #[test]
    fn uncertain_words_are_marked_and_others_texts_are_left_alone() {
        let said = said(&[("Deploy", 0.98), ("that.", 0.41)]);
        assert_eq!(
            said.marked("Deploy that.").as_deref(),
            Some("Deploy that.‹41 %?›")
        );
        assert_eq!(said.marked("Deploy it."), None);
        assert_eq!(said.percent(), 70);
    }

    #[test]
    fn the_last_ten_seconds_are_counted_down() {
        let mut talk = Talk::new(TalkMode::Hold);
        talk.phase = Phase::Recording;
        let limit = Duration::from_secs(30);
        for (elapsed, left) in [(19_900, None), (20_000, Some(10)), (29_500, Some(0))] {
            talk.elapsed = Duration::from_millis(elapsed);
            assert_eq!(talk.countdown(limit), left, "{elapsed}");
        }
    }
}
