//! A sound server of the test's own, with a virtual microphone: what is played into the null sink is heard by
//! whoever records. The process that uses it must have been started with [`environment`], because the audio
//! libraries read theirs from there.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::VecDeque;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The virtual microphone's sink.
pub const SINK: &str = "vmic";

/// The variables a process needs to use the server whose folder is `folder`.
pub fn environment(folder: &Path) -> [(&'static str, PathBuf); 2] {
    let server = PathBuf::from(format!("unix:{}", socket(folder).display()));
    [
        ("PULSE_SERVER", server),
        ("XDG_RUNTIME_DIR", folder.to_owned()),
    ]
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("pulse").join("native")
}

/// The programs that these tests need and this machine lacks.
pub fn lacking() -> Vec<&'static str> {
    let there = |name: &&str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
    };
    ["pulseaudio", "pactl", "parec", "paplay", "espeak-ng"]
        .into_iter()
        .filter(|name| !there(name))
        .collect()
}

/// A running server.
pub struct Server {
    folder: PathBuf,
    daemon: Child,
    listener: Option<Listener>,
}

impl Server {
    /// Starts one with its socket in `folder`, and listens to the virtual microphone, which keeps it awake.
    pub fn start(folder: &Path) -> Self {
        std::fs::create_dir_all(folder.join("pulse")).unwrap();
        let _ = std::fs::remove_file(socket(folder));
        let load = format!(
            "module-native-protocol-unix socket={} auth-anonymous=1",
            socket(folder).display()
        );
        let daemon = Command::new("pulseaudio")
            .args([
                "-n",
                "--daemonize=no",
                "--use-pid-file=no",
                "--exit-idle-time=-1",
                "--disable-shm=yes",
            ])
            .args([
                "-L",
                &load,
                "-L",
                &format!("module-null-sink sink_name={SINK} rate=48000"),
            ])
            .env("HOME", folder)
            .env("XDG_RUNTIME_DIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self {
            folder: folder.to_owned(),
            daemon,
            listener: None,
        };
        server.wait_for("the sound server", |server| {
            server.pactl(&["info"]).is_some()
        });
        server.listener = Some(Listener::start(&server));
        server
    }

    /// A program that talks to this server.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .envs(environment(&self.folder))
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// What `pactl` says, if it succeeds.
    pub fn pactl(&self, args: &[&str]) -> Option<String> {
        let output = self.command("pactl").args(args).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Plays a WAV file into a sink; the child ends when all was played.
    pub fn play(&self, wav: &Path, sink: &str) -> Child {
        self.command("paplay")
            .args(["--latency-msec=250", "-d", sink])
            .arg(wav)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Stops the server where it is (`true`), or lets it go on: one that hangs.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let status = Command::new("kill")
            .args([signal, &self.daemon.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// A microphone of any format: raw samples that are written to the file it returns are what it hears. With nobody
    /// writing it sends nothing at all.
    pub fn pipe_source(&self, name: &str, format: &str, rate: u32, channels: u8) -> PathBuf {
        let fifo = self.folder.join(format!("{name}.fifo"));
        self.pactl(&[
            "load-module",
            "module-pipe-source",
            &format!("source_name={name}"),
            &format!("file={}", fifo.display()),
            &format!("format={format}"),
            &format!("rate={rate}"),
            &format!("channels={channels}"),
        ])
        .expect("a microphone from a pipe");
        fifo
    }

    /// A further virtual microphone, kept awake as long as the guard lives. `more` are arguments of its module, e.g. a
    /// rate; what is played into the sink is heard by `<name>.monitor`. Also gives the module's number.
    pub fn null_sink(&self, name: &str, more: &[&str]) -> (String, Awake) {
        let named = format!("sink_name={name}");
        let mut args = vec!["load-module", "module-null-sink", &named];
        args.extend(more);
        let module = self.pactl(&args).expect("a virtual microphone");
        let listening = self
            .command("parec")
            .args(["--latency-msec=10", "-d", &format!("{name}.monitor")])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        (module.trim().to_owned(), Awake(listening))
    }

    /// What the virtual microphone hears.
    pub fn listener(&self) -> &Listener {
        self.listener.as_ref().unwrap()
    }

    fn wait_for(&mut self, what: &str, ready: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !ready(self) {
            assert!(Instant::now() < deadline, "{what} did not come up");
            if let Ok(Some(status)) = self.daemon.try_wait() {
                panic!("the sound server ended: {status}");
            }
            thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.listener.take());
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Somebody who listens, so that a null sink delivers every few milliseconds and not every two seconds.
pub struct Awake(Child);

impl Drop for Awake {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Hears the virtual microphone all the time, at 16 kHz mono.
pub struct Listener {
    recorder: Child,
    heard: Arc<(Mutex<Heard>, Condvar)>,
}

#[derive(Default)]
struct Heard {
    /// Samples heard so far.
    count: u64,
    /// The last ten seconds.
    recent: VecDeque<f32>,
    ended: bool,
}

impl Listener {
    fn start(server: &Server) -> Self {
        let mut recorder = server
            .command("parec")
            .args([
                "--latency-msec=10",
                "--format=s16le",
                "--rate=16000",
                "--channels=1",
            ])
            .args(["-d", &format!("{SINK}.monitor")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut sound = recorder.stdout.take().unwrap();
        let heard = Arc::new((Mutex::new(Heard::default()), Condvar::new()));
        let shared = Arc::clone(&heard);
        thread::spawn(move || {
            let mut bytes = [0; 320];
            while sound.read_exact(&mut bytes).is_ok() {
                let mut state = shared.0.lock().unwrap();
                for pair in bytes.chunks_exact(2) {
                    state
                        .recent
                        .push_back(f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0);
                }
                state.count += bytes.len() as u64 / 2;
                let extra = state.recent.len().saturating_sub(160_000);
                state.recent.drain(..extra);
                drop(state);
                shared.1.notify_all();
            }
            shared.0.lock().unwrap().ended = true;
            shared.1.notify_all();
        });
        let listener = Self { recorder, heard };
        listener.wait(|count, _| count > 1_600);
        listener
    }

    /// How many samples were heard so far.
    pub fn count(&self) -> u64 {
        self.heard.0.lock().unwrap().count
    }

    /// The last ten seconds.
    pub fn recent(&self) -> Vec<f32> {
        let state = self.heard.0.lock().unwrap();
        state.recent.iter().copied().collect()
    }

    /// Waits until `ready` says so of the count of samples and the last 10 ms; returns the count.
    pub fn wait(&self, ready: impl Fn(u64, &[f32]) -> bool) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.heard.0.lock().unwrap();
        loop {
            let last: Vec<f32> = state.recent.iter().rev().take(160).copied().collect();
            if ready(state.count, &last) {
                return state.count;
            }
            assert!(!state.ended, "the virtual microphone ended");
            let left = deadline
                .checked_duration_since(Instant::now())
                .expect("nothing was heard in time");
            state = self.heard.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits for the first sound after silence and returns its position.
    pub fn wait_for_sound(&self) -> u64 {
        self.wait(|_, last| last.iter().any(|sample| sample.abs() > 0.02))
    }

    /// Waits until `samples` more than `from` were heard.
    pub fn wait_until(&self, from: u64, samples: u64) {
        self.wait(|count, _| count >= from + samples);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.recorder.kill();
        let _ = self.recorder.wait();
    }
}

/// Runs the ignored test `name` of this very program with the variables that its sound server needs.
pub fn run_inside(name: &str) {
    let lacking = lacking();
    if !lacking.is_empty() {
        println!("SKIPPED: not installed: {}", lacking.join(", "));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .envs(environment(folder.path()))
        .env("SAYSO_TEST_FOLDER", folder.path())
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{text}");
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{name} failed:\n{text}"
    );
}

/// The folder given by [`run_inside`].
pub fn folder() -> PathBuf {
    PathBuf::from(
        std::env::var_os("SAYSO_TEST_FOLDER").expect("started by another test, never by hand"),
    )
}
