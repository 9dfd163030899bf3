//! The recorder, the recogniser and the loudspeaker as the cockpit's microphone.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::embed::Session;
use super::wiring;
use crate::config::Paths;
use crate::model::Problem;
use crate::speech::Transcriber;
use crate::speech::partial::Partials;
use crate::speech::wake::{self, Overheard};
use crate::tui::voice_port::{Device, MicEvent, Microphone, Sound};
use crate::voice::sounds::{self, Cue};
use crate::voice::speaker::Speaker;
use crate::voice::{Events, Recorder, VoiceEvent, VoiceOptions, monitor, shelf, wav};

/// Events that may wait; levels come fifteen times a second and the cockpit takes them at once.
const WAITING: usize = 64;

/// Names the device that was chosen in the cockpit, in the state folder.
const CHOSEN: &str = "microphone";

/// Starts the recorder.
///
/// # Errors
/// When no thread can be started: then typed text does everything.
pub fn open(session: &Session) -> std::io::Result<(Box<dyn Microphone>, mpsc::Receiver<MicEvent>)> {
    let (cockpit, told) = mpsc::channel(WAITING);
    let options = wiring::voice_options(session);
    let (recorder, events) = Recorder::spawn(options.clone())?;
    let failed = cockpit.clone();
    let speaker = Speaker::spawn(move |problem| {
        // Nobody is there any more, or everything else is more urgent.
        let _ = failed.try_send(MicEvent::Told(problem.to_string()));
    })?;
    let wake = session.config.voice.wake.trim().to_owned();
    let ear = Ear {
        recorder: recorder.clone(),
        speech: Arc::clone(&session.speech),
        cockpit: cockpit.clone(),
        partials: Arc::default(),
        wake,
        options: options.clone(),
    };
    let adapter = Adapter {
        recorder,
        speech: Arc::clone(&session.speech),
        speaker,
        cockpit,
        partials: Arc::clone(&ear.partials),
        tail: options.after,
        device: options.device.clone(),
        configured: session.config.voice.device.clone(),
        paths: session.paths.clone(),
        watching: None,
    };
    if let Some(words) = session.speech.hearing() {
        tokio::spawn(pass_on(words, adapter.cockpit.clone()));
    }
    if !ear.wake.is_empty() {
        tokio::spawn(begin_listening(
            Arc::clone(&session.speech),
            adapter.recorder.clone(),
            adapter.cockpit.clone(),
        ));
    }
    tokio::spawn(ear.run(events));
    tokio::task::spawn_blocking(move || prune(&options));
    Ok((Box::new(adapter), told))
}

/// Removes recordings whose days are over: a new one, with which that is done as well, may be long in coming.
fn prune(options: &VoiceOptions) {
    let keep = shelf::Keep {
        count: options.keep,
        days: options.keep_days,
    };
    let clips = shelf::list(&options.recordings).unwrap_or_default();
    let beside = options
        .recordings
        .parent()
        .map(|folder| shelf::named(folder, "ins_"));
    let sent = beside.and_then(Result::ok).unwrap_or_default();
    let removed = keep.prune(clips) + keep.prune(sent);
    if removed > 0 {
        tracing::info!(removed, "old recordings removed");
    }
}

/// The device chosen in the cockpit, if one was.
pub fn chosen(paths: &Paths) -> Option<String> {
    let text = std::fs::read_to_string(paths.state.join(CHOSEN)).ok()?;
    let id = text.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// Remembers the device; `None`: the system's default.
pub fn remember(paths: &Paths, id: Option<&str>) -> Result<(), Problem> {
    let path = paths.state.join(CHOSEN);
    let written = match id {
        Some(id) => std::fs::create_dir_all(&paths.state).and_then(|()| std::fs::write(&path, id)),
        None => match std::fs::remove_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            result => result,
        },
    };
    written.map_err(|error| {
        Problem::internal(format!("cannot write {}: {error}", path.display()))
            .hint("set `[voice] device` in your config.toml instead")
    })
}

/// Loads the recogniser, which the phrase needs, and only then opens the microphone.
async fn begin_listening(
    speech: Arc<dyn Transcriber>,
    recorder: Recorder,
    cockpit: mpsc::Sender<MicEvent>,
) {
    match speech.ready().await {
        Ok(()) => recorder.listen(true),
        Err(problem) => {
            let words = format!("not listening for the wake phrase: {problem}");
            let _ = cockpit.send(MicEvent::Told(words)).await;
        }
    }
}

/// Shows the words that a server sends one by one.
async fn pass_on(mut words: tokio::sync::watch::Receiver<String>, cockpit: mpsc::Sender<MicEvent>) {
    while words.changed().await.is_ok() {
        let text = words.borrow_and_update().clone();
        if !text.is_empty() && cockpit.send(MicEvent::Partial(text)).await.is_err() {
            return;
        }
    }
}

/// Looks at the clip being spoken, shared by those who may end them.
type Looking = Arc<Mutex<Option<Partials>>>;

fn end(partials: &Looking) {
    drop(
        partials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(),
    );
}

struct Adapter {
    recorder: Recorder,
    speech: Arc<dyn Transcriber>,
    speaker: Speaker,
    cockpit: mpsc::Sender<MicEvent>,
    partials: Looking,
    /// How long a clip goes on after the release.
    tail: Duration,
    /// The one that records; `None`: the system's default.
    device: Option<String>,
    /// The one that the configuration names; empty for none.
    configured: String,
    paths: Paths,
    /// Ends the levels of all microphones when true.
    watching: Option<Arc<AtomicBool>>,
}

impl Adapter {
    fn tell(&self, words: String) {
        let cockpit = self.cockpit.clone();
        tokio::spawn(async move {
            // The cockpit has ended: nobody listens.
            let _ = cockpit.send(MicEvent::Told(words)).await;
        });
    }
}

impl Microphone for Adapter {
    fn press(&mut self) {
        self.recorder.press();
    }

    fn start(&mut self) {
        self.recorder.start();
    }

    fn release(&mut self) {
        self.recorder.release();
        let partials = self.partials.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(partials) = &*partials {
            partials.release(self.tail);
        }
    }

    fn cancel(&mut self) {
        end(&self.partials);
        self.recorder.cancel();
    }

    fn dictate(&mut self, clip: PathBuf) {
        let (speech, cockpit) = (Arc::clone(&self.speech), self.cockpit.clone());
        tokio::spawn(async move {
            let heard = speech.transcribe(&clip).await;
            if let Ok(heard) = &heard
                && let Some(note) = &heard.note
            {
                let _ = cockpit.send(MicEvent::Told(note.clone())).await;
            }
            let words = heard.map(|heard| heard.text);
            let _ = cockpit.send(MicEvent::Words(words)).await;
        });
    }

    fn replay(&mut self, clip: PathBuf) {
        if self.speaker.playing() {
            self.speaker.stop();
            return;
        }
        match wav::read(&clip) {
            Ok(sound) => self.speaker.play(sound),
            Err(problem) => self.tell(format!("the recording is not there any more: {problem}")),
        }
    }

    fn sound(&mut self, sound: Sound) {
        let cue = match sound {
            Sound::Start => Cue::Start,
            Sound::Stop => Cue::Stop,
            Sound::Done => Cue::Done,
            Sound::Error => Cue::Error,
        };
        self.speaker.play(sounds::sound(cue));
    }

    fn watch_devices(&mut self, on: bool) {
        if let Some(stop) = self.watching.take() {
            stop.store(true, Ordering::Relaxed);
        }
        if !on {
            return;
        }
        let stop = Arc::new(AtomicBool::new(false));
        self.watching = Some(Arc::clone(&stop));
        let (cockpit, device) = (self.cockpit.clone(), self.device.clone());
        let spawned = std::thread::Builder::new()
            .name("levels".to_owned())
            .spawn(move || {
                let failed = cockpit.clone();
                let watched = monitor::watch(|heard| {
                    let list = MicEvent::Devices(devices(heard, device.as_deref()));
                    !stop.load(Ordering::Relaxed) && cockpit.blocking_send(list).is_ok()
                });
                if let Err(problem) = watched {
                    let _ = failed.blocking_send(MicEvent::Told(problem.to_string()));
                }
            });
        if let Err(error) = spawned {
            self.tell(format!("no thread for the levels: {error}"));
        }
    }

    fn choose(&mut self, id: Option<String>) {
        self.device.clone_from(&id);
        self.recorder.choose(id.clone());
        if let Err(problem) = remember(&self.paths, id.as_deref()) {
            self.tell(problem.to_string());
        } else if !self.configured.is_empty() {
            let words = "until you quit: at the next start `[voice] device` decides again";
            self.tell(words.to_owned());
        }
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        if let Some(stop) = self.watching.take() {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

/// The list for the screen: what follows the default first, then each by its name.
fn devices(heard: &[monitor::Heard], chosen: Option<&str>) -> Vec<Device> {
    let level = |heard: &monitor::Heard| heard.peak_db.map(|level| level.round() as i16);
    let default = heard.iter().find(|heard| heard.info.default);
    let name = default.map_or("none", |heard| heard.info.name.as_str());
    let mut list = vec![Device {
        id: None,
        name: format!("the system's default ({name})"),
        chosen: chosen.is_none(),
        level: default.and_then(level),
        trouble: default.and_then(|heard| heard.trouble.as_ref().map(ToString::to_string)),
    }];
    let lower = chosen.map(str::to_lowercase);
    list.extend(heard.iter().map(|heard| {
        Device {
            id: Some(heard.info.id.clone()),
            name: heard.info.name.clone(),
            // Named by its id, or by a part of its name in the configuration.
            chosen: lower.as_ref().is_some_and(|wanted| {
                heard.info.id.to_lowercase() == *wanted
                    || heard.info.name.to_lowercase().contains(wanted.as_str())
            }),
            level: level(heard),
            trouble: heard.trouble.as_ref().map(ToString::to_string),
        }
    }));
    list
}

/// What hears the recorder's events and makes the cockpit's of them.
struct Ear {
    recorder: Recorder,
    speech: Arc<dyn Transcriber>,
    cockpit: mpsc::Sender<MicEvent>,
    partials: Looking,
    wake: String,
    options: VoiceOptions,
}

impl Ear {
    async fn run(self, mut events: Events) {
        while let Some(event) = events.recv().await {
            if let Some(told) = self.translate(event).await
                && self.cockpit.send(told).await.is_err()
            {
                return;
            }
        }
    }

    async fn translate(&self, event: VoiceEvent) -> Option<MicEvent> {
        Some(match event {
            VoiceEvent::Opening => MicEvent::Opening,
            VoiceEvent::Recording { .. } => {
                self.look();
                MicEvent::Recording
            }
            VoiceEvent::Level(level) => MicEvent::Level {
                rms_db: level.rms_db,
                peak_db: level.peak_db,
                elapsed: level.elapsed,
            },
            VoiceEvent::Limit => {
                end(&self.partials);
                MicEvent::Limit
            }
            VoiceEvent::Clip {
                path,
                seconds,
                speech,
            } => {
                end(&self.partials);
                MicEvent::Clip {
                    path,
                    seconds: seconds as f32,
                    speech: speech as f32,
                }
            }
            VoiceEvent::NoSpeech { .. } => {
                end(&self.partials);
                MicEvent::NoSpeech
            }
            VoiceEvent::TooShort => {
                end(&self.partials);
                MicEvent::TooShort
            }
            VoiceEvent::Failed(problem) => {
                end(&self.partials);
                MicEvent::Failed(problem)
            }
            VoiceEvent::Muted => MicEvent::Muted,
            VoiceEvent::Interrupted(problem) => MicEvent::Interrupted(problem),
            VoiceEvent::Opened { .. } if !self.wake.is_empty() => MicEvent::Listening(true),
            VoiceEvent::Closed => {
                if !self.wake.is_empty() {
                    let _ = self.cockpit.send(MicEvent::Listening(false)).await;
                }
                MicEvent::Closed
            }
            VoiceEvent::Overheard { sound } => self.overheard(&sound).await?,
            VoiceEvent::Opened { .. } | VoiceEvent::Canceled => return None,
        })
    }

    /// Begins to look at the clip that is being spoken.
    fn look(&self) {
        let cockpit = self.cockpit.clone();
        let tell = move |text| {
            // A level more urgent than words fills the queue: the next look brings them.
            let _ = cockpit.try_send(MicEvent::Partial(text));
        };
        let partials = Partials::begin(self.recorder.clone(), Arc::clone(&self.speech), tell);
        *self.partials.lock().unwrap_or_else(PoisonError::into_inner) = Some(partials);
    }

    /// What was said while listening: it is forgotten unless it begins with the phrase.
    async fn overheard(&self, sound: &[f32]) -> Option<MicEvent> {
        if sound.is_empty() {
            return None;
        }
        match wake::listen(&self.wake, sound, self.speech.as_ref()).await {
            Overheard::Nothing => None,
            Overheard::Phrase => Some(MicEvent::Woken),
            Overheard::Instruction(from) => {
                let keep = shelf::Keep {
                    count: self.options.keep,
                    days: self.options.keep_days,
                };
                let folder = &self.options.recordings;
                Some(
                    match shelf::put(folder, keep, &sound[from..], Timestamp::now()) {
                        Ok(path) => MicEvent::Overheard(path),
                        Err(error) => MicEvent::Failed(Problem::internal(format!(
                            "cannot save the recording in {}: {error}",
                            folder.display()
                        ))),
                    },
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::MicInfo;

    #[test]
    fn the_list_begins_with_the_default_and_marks_the_chosen_one() {
        let heard = |id: &str, name: &str, default| monitor::Heard {
            info: MicInfo {
                id: id.to_owned(),
                name: name.to_owned(),
                default,
                monitor: false,
            },
            peak_db: Some(-31.6),
            trouble: None,
        };
        let heard = [
            heard("pulse:a", "Headset", true),
            heard("pulse:b", "Webcam Mic", false),
        ];
        let list = devices(&heard, Some("webcam"));
        let chosen: Vec<_> = list.iter().map(|device| device.chosen).collect();
        assert_eq!(chosen, [false, false, true]);
        assert_eq!(list[0].name, "the system's default (Headset)");
        assert_eq!((list[0].id.as_deref(), list[0].level), (None, Some(-32)));
        assert!(devices(&heard, None)[0].chosen);
        assert!(devices(&[], None)[0].name.contains("none"));
    }

    #[test]
    fn a_chosen_microphone_is_remembered_until_the_default_is_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths {
            config: folder.path().join("config"),
            state: folder.path().join("state"),
            cache: folder.path().join("cache"),
        };
        assert_eq!(chosen(&paths), None);
        remember(&paths, None).unwrap();
        remember(&paths, Some("pulse:b")).unwrap();
        assert_eq!(chosen(&paths).as_deref(), Some("pulse:b"));
        remember(&paths, None).unwrap();
        assert_eq!(chosen(&paths), None);
    }
}
