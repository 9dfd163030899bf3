//! A terminal in which the cockpit runs, read as a person reads it: by its screen.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;
use super::machine::Machine;

const ROWS: u16 = 36;
const COLUMNS: u16 = 160;

/// A terminal with the cockpit in it.
pub struct Terminal {
    seen: Arc<Seen>,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    master: Box<dyn MasterPty + Send>,
    pid: Pid,
    end: Receiver<ExitStatus>,
    ended: bool,
    /// The line's modes before the start.
    modes: String,
}

/// What came out of the program so far.
struct Seen {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser,
    raw: Vec<u8>,
}

impl Terminal {
    /// Starts the cockpit on the machine's site and waits until it is connected.
    pub fn cockpit(machine: &Machine) -> Self {
        let terminal = Self::start(&machine.site(), machine.environment(), &[]);
        terminal.until("a connected cockpit", |screen| {
            screen.contains("site  main") && screen.contains("online")
        });
        terminal
    }

    /// Starts the program in `folder` with these variables, and no others, and arguments.
    pub fn start(
        folder: &Path,
        environment: Vec<(&'static str, PathBuf)>,
        arguments: &[&str],
    ) -> Self {
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sayso"));
        command.args(arguments);
        command.cwd(folder);
        command.env_clear();
        for (name, value) in environment {
            command.env(name, value);
        }
        let modes = format!("{:?}", pair.master.get_termios());
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let pid = i32::try_from(child.process_id().unwrap()).unwrap();
        let (ended, end) = channel();
        std::thread::spawn(move || ended.send(child.wait().unwrap()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let seen = Arc::new(Seen {
            state: Mutex::new(State {
                parser: vt100::Parser::new(
                    ROWS.try_into().unwrap(),
                    COLUMNS.try_into().unwrap(),
                    0,
                ),
                raw: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let (shared, answers) = (Arc::clone(&seen), Arc::clone(&writer));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            let mut answered = false;
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut state = shared.state.lock().unwrap();
                state.raw.extend_from_slice(&buffer[..count]);
                state.parser.process(&buffer[..count]);
                let asked = state.raw.windows(3).any(|bytes| bytes == b"\x1b[c");
                drop(state);
                shared.changed.notify_all();
                if asked && !answered {
                    // A terminal without the kitty keyboard protocol: it reports no releases of keys.
                    answered = true;
                    let _ = answers.lock().unwrap().write_all(b"\x1b[?62c");
                }
            }
        });
        Self {
            seen,
            writer,
            master: pair.master,
            pid: Pid::from_raw(pid).unwrap(),
            end,
            ended: false,
            modes,
        }
    }

    /// Types `keys`.
    pub fn send(&self, keys: &str) {
        let mut writer = self.writer.lock().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// The screen as it is now.
    pub fn screen(&self) -> String {
        self.state().parser.screen().contents()
    }

    /// Waits until the screen is as `wanted`; returns it.
    pub fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let screen = self.wait(what, |state| {
            let screen = state.parser.screen().contents();
            wanted(&screen).then_some(screen)
        });
        println!("---- {what}\n{screen}");
        screen
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.seen.state.lock().unwrap()
    }

    fn wait<T>(&self, what: &str, look: impl Fn(&State) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state();
        loop {
            if let Some(found) = look(&state) {
                return found;
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                let screen = state.parser.screen().contents();
                panic!("waited in vain for {what}; the screen:\n{screen}");
            };
            state = self.seen.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits until a file below `folder` holds `text`.
    #[allow(dead_code, reason = "not every test looks at files")]
    pub fn until_written(&self, text: &str, folder: &Path) {
        fn holds(folder: &Path, text: &[u8]) -> bool {
            let Ok(entries) = std::fs::read_dir(folder) else {
                return false;
            };
            entries.flatten().any(|entry| {
                let path = entry.path();
                if path.is_dir() {
                    return holds(&path, text);
                }
                // Not the one beside it that will replace it: nobody reads that before.
                if path.extension().is_none_or(|end| end != "yjs")
                    || entry.file_name().to_string_lossy().starts_with(".new-")
                {
                    return false;
                }
                let bytes = std::fs::read(&path).unwrap_or_default();
                bytes.windows(text.len()).any(|window| window == text)
            })
        }
        let deadline = Instant::now() + PATIENCE;
        while !holds(folder, text.as_bytes()) {
            assert!(Instant::now() < deadline, "{text} is in no file");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Sends a signal to the cockpit.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Waits for the end of the cockpit.
    pub fn ended(&mut self) -> ExitStatus {
        let status = self
            .end
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("the cockpit does not end; the screen:\n{}", self.screen()));
        self.ended = true;
        status
    }

    /// Quits as a person does, and checks that all is as it was before.
    pub fn quit(&mut self) {
        self.send("q");
        let status = self.ended();
        self.given_back();
        assert!(
            status.success(),
            "{status:?}; the screen:\n{}",
            self.screen()
        );
    }

    /// Waits until every mode that was switched on is switched off, and checks that the line is as before.
    pub fn given_back(&self) {
        self.wait("a terminal as it was", |state| {
            let screen = state.parser.screen();
            (!screen.alternate_screen() && !screen.hide_cursor()).then_some(())
        });
        let raw = String::from_utf8_lossy(&self.state().raw).into_owned();
        let mut modes = std::collections::BTreeMap::new();
        for part in raw.split("\x1b[?").skip(1) {
            let end = part.find(|letter: char| !letter.is_ascii_digit());
            if let Some((mode, rest)) = end.map(|end| part.split_at(end)) {
                match rest.as_bytes()[0] {
                    b'h' => modes.insert(mode, true),
                    b'l' => modes.insert(mode, false),
                    _ => None,
                };
            }
        }
        for mode in ["1049", "25", "2004", "1004", "1000", "1006"] {
            assert!(modes.contains_key(mode), "{mode} was never switched");
        }
        for (mode, on) in modes {
            assert_eq!(on, mode == "25", "mode {mode} at the end: {on}");
        }
        let count = |what: &str| raw.matches(what).count();
        assert_eq!(count("\x1b[>3u"), count("\x1b[<1u"), "keyboard flags");
        assert_eq!(format!("{:?}", self.master.get_termios()), self.modes);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // After a failed test nothing stays behind; gone already is as good.
        if !self.ended {
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}
