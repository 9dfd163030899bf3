//! A NATS server of the test's own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sayso::events::nats::Settings;

/// A server on a port and a folder of its own.
pub struct Nats {
    program: PathBuf,
    dir: tempfile::TempDir,
    pub port: u16,
    child: Child,
}

impl Nats {
    /// Starts one; `None`, with a word about it, where none is installed.
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            println!(
                "SKIPPED: no nats-server of version 2.11 or newer; scripts/setup.sh services installs one"
            );
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let store = dir.path().join("store");
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: {store:?}, sync_interval: always }}\n"
        );
        std::fs::write(dir.path().join("nats.conf"), config).unwrap();
        let child = run(&program, dir.path());
        let nats = Self {
            program,
            dir,
            port,
            child,
        };
        nats.answers();
        Some(nats)
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// What a server of a project is told of it.
    pub fn settings(&self) -> Settings {
        Settings {
            url: self.url(),
            replicas: 1,
            credentials: None,
            advertise: "http://127.0.0.1:1/".parse().unwrap(),
        }
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, where it was.
    pub fn again(&mut self) {
        self.child = run(&self.program, self.dir.path());
        self.answers();
    }

    fn answers(&self) {
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "nats-server does not answer"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        // Dead already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(program: &Path, dir: &Path) -> Child {
    Command::new(program)
        .arg("-c")
        .arg(dir.join("nats.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn program() -> Option<PathBuf> {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/python/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(services).chain(std::env::split_paths(&path));
    let mut programs = folders.map(|folder| folder.join("nats-server"));
    programs.find(|program| program.is_file() && new_enough(program))
}

fn new_enough(program: &Path) -> bool {
    let Ok(output) = Command::new(program).arg("--version").output() else {
        return false;
    };
    // nats-server: v2.15.1
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.rsplit('v').next().unwrap_or_default().trim();
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0_u32));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (2, 11)
}
