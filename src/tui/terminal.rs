//! The one owner of the terminal's modes.
//!
//! What is switched on here is switched off here, by one function that may be called twice and goes on past errors.
//! The guard's end, the panic hook, signals, suspension and the person's editor all use it. While the terminal is
//! ours, fd 2 points into the log file: nothing that a library prints may tear the screen.

use std::cell::Cell;
use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, Once, PoisonError};
use std::task::Poll;

/// Which modes are wanted beside those that are always on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The terminal's own progress mark was used: it is taken away with the modes.
    pub progress: bool,
    /// Report clicks and the wheel.
    pub mouse: bool,
    /// Tell keys apart and report their release, where the terminal can (the kitty keyboard protocol).
    pub keyboard: bool,
}

/// Alternate screen. It comes first: terminals keep a keyboard stack per screen.
const SCREEN: (&str, &str) = ("\x1b[?1049h", "\x1b[?1049l");
/// Keyboard flags 1 (tell escape codes apart) and 2 (report event types), on a stack.
const KEYBOARD: (&str, &str) = ("\x1b[>3u", "\x1b[<1u");
/// A paste arrives in brackets.
const PASTE: (&str, &str) = ("\x1b[?2004h", "\x1b[?2004l");
/// Focus is reported.
const FOCUS: (&str, &str) = ("\x1b[?1004h", "\x1b[?1004l");
/// Clicks, the wheel, and motion while a button is down, in the form that has no limit of columns.
const MOUSE: (&str, &str) = (
    "\x1b[?1000h\x1b[?1002h\x1b[?1006h",
    "\x1b[?1006l\x1b[?1002l\x1b[?1000l",
);
/// The cursor is hidden.
const CURSOR: (&str, &str) = ("\x1b[?25l", "\x1b[?25h");
/// A frame that was begun is ended, colours are reset: the state in which a panic may leave the screen.
const LOOSE_ENDS: &str = "\x1b[?2026l\x1b]8;;\x1b\\\x1b[0m";

/// The bytes that switch the modes on.
pub fn enter_bytes(wanted: Wanted) -> String {
    let mut out = String::from(SCREEN.0);
    if wanted.keyboard {
        out.push_str(KEYBOARD.0);
    }
    out.push_str(PASTE.0);
    out.push_str(FOCUS.0);
    if wanted.mouse {
        out.push_str(MOUSE.0);
    }
    out.push_str(CURSOR.0);
    out
}

/// The bytes that switch them off, in the opposite order.
pub fn leave_bytes(wanted: Wanted) -> String {
    let mut out = String::from(LOOSE_ENDS);
    if wanted.progress {
        out.push_str(super::manners::CLEAR_PROGRESS);
    }
    out.push_str(CURSOR.1);
    if wanted.mouse {
        out.push_str(MOUSE.1);
    }
    out.push_str(FOCUS.1);
    out.push_str(PASTE.1);
    if wanted.keyboard {
        out.push_str(KEYBOARD.1);
    }
    out.push_str(SCREEN.1);
    out
}

/// What has to be given back; `None` while the terminal is not ours.
static OWNED: Mutex<Option<Owned>> = Mutex::new(None);

struct Owned {
    wanted: Wanted,
    #[cfg(unix)]
    stderr: Option<std::os::fd::OwnedFd>,
}

/// Gives the terminal back. Does nothing when it is not ours; goes on past errors, there is nothing better to do.
pub fn restore() {
    let owned = OWNED.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(owned) = owned else { return };
    let _ = emit(leave_bytes(owned.wanted).as_bytes());
    let _ = crossterm::terminal::disable_raw_mode();
    #[cfg(unix)]
    if let Some(stderr) = owned.stderr {
        let _ = rustix::stdio::dup2_stderr(stderr);
    }
}

/// Writes bytes to the terminal at once.
///
/// # Errors
/// When the terminal is gone.
pub fn emit(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// The terminal, while it is ours. Its end gives it back.
#[derive(Debug)]
pub struct Terminal {
    wanted: Wanted,
    log: Option<std::path::PathBuf>,
}

impl Terminal {
    /// Takes the terminal; what is printed to fd 2 goes into the file `log` from now on (without one: nowhere).
    ///
    /// # Errors
    /// When standard input or output is no terminal.
    pub fn take(wanted: Wanted, log: Option<&Path>) -> io::Result<Self> {
        hook_panics();
        let terminal = Self {
            wanted,
            log: log.map(Path::to_owned),
        };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Takes the terminal again after [`Terminal::leave`].
    ///
    /// # Errors
    /// When it does not let itself be taken.
    pub fn enter(&self) -> io::Result<()> {
        let mut owned = OWNED.lock().unwrap_or_else(PoisonError::into_inner);
        if owned.is_some() {
            return Ok(());
        }
        crossterm::terminal::enable_raw_mode()?;
        *owned = Some(Owned {
            wanted: self.wanted,
            #[cfg(unix)]
            stderr: redirect_stderr(self.log.as_deref()),
        });
        drop(owned);
        emit(enter_bytes(self.wanted).as_bytes())
    }

    /// Gives the terminal back for a while.
    pub fn leave(&self) {
        restore();
    }

    /// Columns and rows; nothing when the terminal does not say.
    pub fn size(&self) -> (u16, u16) {
        crossterm::terminal::size().unwrap_or((0, 0))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Points fd 2 into the log file; what it pointed to before, to be put back.
#[cfg(unix)]
fn redirect_stderr(log: Option<&Path>) -> Option<std::os::fd::OwnedFd> {
    use std::fs::OpenOptions;
    use std::os::fd::AsFd;

    let file = log
        .and_then(|log| OpenOptions::new().append(true).create(true).open(log).ok())
        .or_else(|| OpenOptions::new().write(true).open("/dev/null").ok())?;
    let before = io::stderr().as_fd().try_clone_to_owned().ok()?;
    rustix::stdio::dup2_stderr(&file).ok()?;
    Some(before)
}

thread_local! {
    /// True while this thread runs the cockpit.
    static COCKPIT: Cell<bool> = const { Cell::new(false) };
}

/// Gives the terminal back before a panic of the cockpit is reported. A panic elsewhere in the process (a task of the
/// server, say) is only reported: the cockpit lives on, and the report goes into the log.
fn hook_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if COCKPIT.with(Cell::get) {
                restore();
            }
            before(info);
        }));
    });
}

/// Runs `future` as the cockpit: a panic in it gives the terminal back first.
pub async fn as_cockpit<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |context| {
        let _mark = Mark::set();
        match future.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

struct Mark;

impl Mark {
    fn set() -> Self {
        COCKPIT.with(|cockpit| cockpit.set(true));
        Self
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        COCKPIT.with(|cockpit| cockpit.set(false));
    }
}

/// A character's size in pixels, where the terminal tells.
pub(super) fn character() -> Option<(u16, u16)> {
    let size = crossterm::terminal::window_size().ok()?;
    let (width, height) = (
        size.width.checked_div(size.columns)?,
        size.height.checked_div(size.rows)?,
    );
    (width > 0 && height > 0).then_some((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_switched_on_is_switched_off_in_the_opposite_order() {
        for (mouse, keyboard) in [(true, true), (true, false), (false, true), (false, false)] {
            let wanted = Wanted {
                mouse,
                keyboard,
                progress: keyboard,
            };
            let (on, off) = (enter_bytes(wanted), leave_bytes(wanted));
            let modes: Vec<&str> = on
                .split('\x1b')
                .filter(|part| part.ends_with('h'))
                .collect();
            let mut last = usize::MAX;
            for mode in modes {
                let end = mode.replace('h', "l");
                let at = off
                    .find(&end)
                    .unwrap_or_else(|| panic!("{end} is missing in {off:?}"));
                assert!(at < last || mode == "[?1006h", "{mode}");
                last = at;
            }
            assert_eq!(on.contains("[>3u"), off.contains("[<1u"));
            assert!(on.starts_with(SCREEN.0) && off.ends_with(SCREEN.1));
        }
    }
}
