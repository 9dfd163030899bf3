//! NATS servers of the test's own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sayso::events::nats::Settings;

/// Servers of one account: one, or a cluster.
pub struct Nats {
    program: PathBuf,
    nodes: Vec<Node>,
}

/// A server on a port and a folder of its own.
struct Node {
    dir: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Nats {
    /// Starts one; `None`, with a word about it, where none is installed.
    pub fn start() -> Option<Self> {
        Self::begin(1)
    }

    /// Starts a cluster of three.
    pub fn cluster() -> Option<Self> {
        Self::begin(3)
    }

    fn begin(count: usize) -> Option<Self> {
        let Some(program) = program() else {
            println!(
                "SKIPPED: no nats-server of version 2.11 or newer; scripts/setup.sh services installs one"
            );
            return None;
        };
        let ports: Vec<(u16, u16)> = (0..count).map(|_| (free_port(), free_port())).collect();
        let routes: Vec<String> = ports
            .iter()
            .map(|(_, route)| format!("\"nats://127.0.0.1:{route}\""))
            .collect();
        let nodes = ports.iter().map(|(port, route)| {
            let dir = tempfile::tempdir().unwrap();
            let store = dir.path().join("store");
            let mut config = format!(
                "listen: \"127.0.0.1:{port}\"\nserver_name: \"n{port}\"\n\
                 jetstream {{ store_dir: {store:?}, sync_interval: always }}\n"
            );
            if count > 1 {
                config.push_str(&format!(
                    "cluster {{ name: test, listen: \"127.0.0.1:{route}\", routes: [{}] }}\n",
                    routes.join(", ")
                ));
            }
            std::fs::write(dir.path().join("nats.conf"), config).unwrap();
            let child = run(&program, dir.path());
            Node {
                dir,
                port: *port,
                child,
            }
        });
        let nodes: Vec<Node> = nodes.collect();
        nodes.iter().for_each(Node::answers);
        Some(Self { program, nodes })
    }

    /// The addresses of all.
    pub fn url(&self) -> String {
        let urls = self.nodes.iter();
        let urls: Vec<String> = urls
            .map(|node| format!("nats://127.0.0.1:{}", node.port))
            .collect();
        urls.join(",")
    }

    /// How many keep a copy.
    pub fn replicas(&self) -> usize {
        self.nodes.len()
    }

    /// What a server of a project is told of it.
    pub fn settings(&self) -> Settings {
        Settings {
            url: self.url(),
            replicas: self.replicas(),
            credentials: None,
            advertise: "http://127.0.0.1:1/".parse().unwrap(),
        }
    }

    /// Kills the first, as a power cut would.
    pub fn kill(&mut self) {
        self.kill_one(0);
    }

    /// Starts the first again, where it was.
    pub fn again(&mut self) {
        self.one_again(0);
    }

    pub fn kill_one(&mut self, at: usize) {
        self.nodes[at].kill();
    }

    pub fn one_again(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        node.child = run(&self.program, node.dir.path());
        node.answers();
    }
}

impl Node {
    fn kill(&mut self) {
        // Dead already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
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

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
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
