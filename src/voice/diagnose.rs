//! Why the microphone does not work, and what to do: said for the machine at hand.

use std::time::Duration;

use cpal::ErrorKind;

use super::MicInfo;
use crate::model::Problem;

/// What about this machine changes the advice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The terminal is on another machine.
    pub remote: bool,
    /// Linux inside Windows.
    pub wsl: bool,
    /// A container.
    pub container: bool,
}

impl Surroundings {
    /// Those of this process.
    pub fn here() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            remote: set("SSH_CONNECTION") || set("SSH_TTY"),
            wsl: set("WSL_DISTRO_NAME") || set("WSL_INTEROP"),
            container: std::path::Path::new("/.dockerenv").exists()
                || set("container")
                || set("REMOTE_CONTAINERS"),
        }
    }
}

/// The problem for an error of the audio system.
pub fn explain(kind: ErrorKind, message: &str, around: Surroundings) -> Problem {
    match kind {
        ErrorKind::HostUnavailable | ErrorKind::DeviceNotAvailable => absent(message, around),
        ErrorKind::PermissionDenied => {
            let hint = if cfg!(target_os = "macos") {
                "allow this terminal under System Settings › Privacy & Security › Microphone, then start it again"
            } else if cfg!(windows) {
                "allow desktop apps under Settings › Privacy & security › Microphone"
            } else {
                "add yourself to the group `audio` and log in again, or start your sound server"
            };
            Problem::new(
                503,
                "microphone-denied",
                format!("the microphone is not allowed: {message}"),
            )
            .hint(hint)
        }
        ErrorKind::DeviceBusy => Problem::new(
            503,
            "microphone-busy",
            format!("the microphone is in use by another program: {message}"),
        )
        .hint("close the other program, or choose another microphone"),
        _ => Problem::new(
            503,
            "microphone-failed",
            format!("the microphone failed: {message}"),
        )
        .hint("run `sayso doctor`, or type instead"),
    }
}

/// There is no microphone.
pub fn absent(message: &str, around: Surroundings) -> Problem {
    let hint = if around.remote {
        "this shell is on another machine than your microphone: run sayso there, or type instead"
    } else if around.wsl {
        "Windows offers no microphone to Linux: update WSL (`wsl --update`), allow the microphone in Windows, or type instead"
    } else if around.container {
        "a container has no microphone unless its sound server's socket is mounted: run sayso outside, or type instead"
    } else {
        "plug one in, or type instead"
    };
    Problem::new(
        503,
        "microphone-absent",
        format!("there is no microphone: {message}"),
    )
    .hint(hint)
}

/// Whether there is a microphone among what the system lists: what a loudspeaker plays is none.
///
/// # Errors
/// `microphone-absent`.
pub fn among(found: &[MicInfo], around: Surroundings) -> Result<(), Problem> {
    let Some(first) = found.first() else {
        return Err(absent("the system lists none", around));
    };
    if found.iter().any(|info| !info.monitor) {
        return Ok(());
    }
    let what = format!(
        "the only source of sound is «{}», which hears what this machine plays and nobody who speaks",
        first.name
    );
    Err(absent(&what, around))
}

/// The microphone delivers exact zeros.
pub fn muted(device: &str) -> Problem {
    muted_in(device, Surroundings::here())
}

/// The same, with advice for a place.
fn muted_in(device: &str, around: Surroundings) -> Problem {
    let hint = if around.wsl {
        "allow desktop apps under Settings › Privacy & security › Microphone in Windows, and unmute it there, or choose another microphone"
    } else if cfg!(target_os = "macos") {
        "unmute it, or allow this terminal under System Settings › Privacy & Security › Microphone"
    } else if cfg!(target_os = "linux") {
        "unmute it (`pactl set-source-mute @DEFAULT_SOURCE@ 0`), or choose another microphone"
    } else {
        "unmute it, allow this program to use it, or choose another microphone"
    };
    Problem::new(
        503,
        "microphone-muted",
        format!("{device} delivers nothing but zeros: it is muted or not allowed"),
    )
    .hint(hint)
}

/// The microphone is open but sends nothing.
pub fn stuck(device: &str, waited: Duration) -> Problem {
    Problem::new(
        503,
        "microphone-stuck",
        format!(
            "{device} has sent nothing for {:.1} s",
            waited.as_secs_f64()
        ),
    )
    .hint(
        "another program may hold it; unplug it and plug it in again, or choose another microphone",
    )
}

/// Opening it does not come to an end.
pub fn hung(waited: Duration) -> Problem {
    Problem::new(
        503,
        "microphone-stuck",
        format!(
            "the microphone could not be opened in {} s",
            waited.as_secs()
        ),
    )
    .hint("restart the sound server, or choose another microphone")
}

/// It was let go before the microphone was open.
pub fn slow(waited: Duration) -> Problem {
    Problem::new(
        503,
        "microphone-slow",
        format!("the microphone needed more than the {:.1} s that the key was held, so nothing was recorded", waited.as_secs_f64()),
    )
    .hint("it is being opened now: wait for «recording», then speak")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_own_name_and_next_step() {
        let home = Surroundings::default();
        let kinds = [
            (ErrorKind::DeviceNotAvailable, "microphone-absent"),
            (ErrorKind::HostUnavailable, "microphone-absent"),
            (ErrorKind::PermissionDenied, "microphone-denied"),
            (ErrorKind::DeviceBusy, "microphone-busy"),
            (ErrorKind::BackendError, "microphone-failed"),
        ];
        for (kind, name) in kinds {
            let problem = explain(kind, "it said so", home);
            assert!(problem.is(name), "{problem}");
            assert!(problem.detail.contains("it said so") && problem.hint.is_some());
        }
    }

    #[test]
    fn the_advice_fits_the_place() {
        let hint = |around| absent("none", around).hint.unwrap();
        assert!(
            hint(Surroundings {
                remote: true,
                wsl: true,
                container: true
            })
            .contains("another machine")
        );
        assert!(
            hint(Surroundings {
                wsl: true,
                ..Surroundings::default()
            })
            .contains("wsl --update")
        );
        assert!(
            hint(Surroundings {
                container: true,
                ..Surroundings::default()
            })
            .contains("container")
        );
        assert!(hint(Surroundings::default()).contains("plug one in"));
    }

    #[test]
    fn in_wsl_it_is_windows_that_allows_a_microphone() {
        let wsl = Surroundings {
            wsl: true,
            ..Surroundings::default()
        };
        let hint = muted_in("Headset", wsl).hint.unwrap();
        assert!(
            hint.contains("Windows") && !hint.contains("pactl"),
            "{hint}"
        );
    }

    #[test]
    fn what_a_loudspeaker_plays_is_no_microphone() {
        let info = |name: &str, monitor| MicInfo {
            id: name.to_owned(),
            name: name.to_owned(),
            default: monitor,
            monitor,
        };
        let remote = Surroundings {
            remote: true,
            ..Surroundings::default()
        };
        let none = among(&[], remote).unwrap_err();
        assert!(none.is("microphone-absent"), "{none}");
        assert!(none.hint.unwrap().contains("another machine"));
        let speaker = info("Monitor of Speakers", true);
        let only = among(std::slice::from_ref(&speaker), Surroundings::default()).unwrap_err();
        assert!(only.detail.contains("Monitor of Speakers"), "{only}");
        assert!(only.hint.unwrap().contains("plug one in"));
        assert!(among(&[speaker, info("Headset", false)], remote).is_ok());
    }
}
