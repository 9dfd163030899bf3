//! The microphone itself, and the loudspeaker. The only files that talk to an audio system are here.
//!
//! Each opening has a thread of its own, because starting a stream may block for seconds and, when a sound server
//! hangs, for ever. What comes from an opening carries its generation, so an abandoned one disturbs nobody.
//!
//! [`pulse`] speaks to PulseAudio and to PipeWire, which serves the same protocol; [`native`] to everything else
//! (ALSA, Core Audio, WASAPI) through cpal.

mod native;
#[cfg(target_os = "linux")]
mod pulse;

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use super::core::Input;
use crate::model::Problem;

/// An opened (or opening) microphone; dropping it closes it.
pub struct Mic {
    _stop: Sender<()>,
}

/// A microphone of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MicInfo {
    /// What to name it by in the configuration.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// True for the system's default.
    pub default: bool,
    /// True when it is no microphone but what a loudspeaker plays.
    pub monitor: bool,
}

/// One opening: who it is, how it tells, when it ends.
struct Session<T> {
    generation: u64,
    /// Id or a part of the name; `None` follows the default.
    wanted: Option<String>,
    tell: T,
    /// Disconnected once the microphone is no longer wanted.
    stopped: Receiver<()>,
}

/// Begins to open a microphone in the background; `tell` gets everything that comes of it.
pub fn open(
    generation: u64,
    wanted: Option<String>,
    tell: impl Fn(Input) + Clone + Send + 'static,
) -> Mic {
    let (stop, stopped) = mpsc::channel();
    let failed = tell.clone();
    let session = Session {
        generation,
        wanted,
        tell,
        stopped,
    };
    let spawned = thread::Builder::new()
        .name("microphone".to_owned())
        .spawn(move || {
            let tell = session.tell.clone();
            if let Err(problem) = run(session) {
                tell(Input::Lost {
                    generation,
                    problem,
                });
            }
        });
    if let Err(error) = spawned {
        let problem =
            Problem::internal(format!("cannot start a thread for the microphone: {error}"));
        failed(Input::Lost {
            generation,
            problem,
        });
    }
    Mic { _stop: stop }
}

/// Records until the session is stopped.
fn run(session: Session<impl Fn(Input) + Clone + Send + 'static>) -> Result<(), Problem> {
    #[cfg(target_os = "linux")]
    if let Some(server) = pulse::Server::connect()? {
        return pulse::run(server, &session);
    }
    native::run(&session)
}

/// All microphones of this machine, the default first. Blocks for up to a tenth of a second, or for two when a sound
/// server hangs.
///
/// # Errors
/// When the audio system cannot be reached.
pub fn list() -> Result<Vec<MicInfo>, Problem> {
    #[cfg(target_os = "linux")]
    let mut found = match pulse::Server::connect()? {
        Some(server) => pulse::list(server)?,
        None => native::list()?,
    };
    #[cfg(not(target_os = "linux"))]
    let mut found = native::list()?;
    found.sort_by_key(|info| (!info.default, info.monitor, info.name.clone()));
    Ok(found)
}

/// Plays `samples` (16 kHz mono) on the default loudspeaker to the end, or until `stop` is true. Blocks.
///
/// # Errors
/// When there is no loudspeaker.
pub fn play(samples: &[f32], stop: &AtomicBool) -> Result<(), Problem> {
    #[cfg(target_os = "linux")]
    if let Some(server) = pulse::Server::connect()? {
        return pulse::play::play(server, samples, stop);
    }
    native::play(samples, stop)
}

/// The place in `names` (id and name each) that is meant by `wanted`: its id, its name, or a part of its name.
///
/// # Errors
/// `microphone-absent`, with the names there are.
fn choose(wanted: &str, names: &[(String, String)]) -> Result<usize, Problem> {
    let lower = wanted.to_lowercase();
    let find = |test: &dyn Fn(&(String, String)) -> bool| names.iter().position(test);
    find(&|(id, _)| id == wanted)
        .or_else(|| find(&|(_, name)| name.to_lowercase() == lower))
        .or_else(|| find(&|(_, name)| name.to_lowercase().contains(&lower)))
        .ok_or_else(|| {
            let there: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
            Problem::new(
                503,
                "microphone-absent",
                format!("there is no microphone «{wanted}»"),
            )
            .hint(format!("there are: {}", there.join(", ")))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_microphone_is_found_by_id_name_or_part() {
        let names = [
            ("alsa:hw0", "USB Mic"),
            ("alsa:hw1", "Mic"),
            ("alsa:hw2", "Webcam"),
        ]
        .map(|(id, name)| (id.to_owned(), name.to_owned()));
        assert_eq!(choose("alsa:hw2", &names), Ok(2));
        assert_eq!(choose("mic", &names), Ok(1));
        assert_eq!(choose("usb", &names), Ok(0));
        let problem = choose("Studio", &names).unwrap_err();
        assert!(
            problem.is("microphone-absent")
                && problem.hint.unwrap().contains("USB Mic, Mic, Webcam")
        );
    }
}
