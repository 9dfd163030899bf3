//! The server of a team, as a process that can be killed.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sayso::client::{Client, Endpoint};
use sayso::model::{Event, EventKind};
use tokio::runtime::Runtime;

use crate::journey_support::PATIENCE;
use crate::journey_support::machine::Machine;

/// The token of the server.
pub const TOKEN: &str = "a-token-of-this-test-alone";

pub struct Server {
    command: Command,
    child: Child,
    address: SocketAddr,
    client: Client,
    runtime: Runtime,
}

impl Server {
    /// Serves the machine's site.
    pub fn start(machine: &Machine) -> Self {
        // A port that is free now, and stays the same over restarts.
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sayso"));
        command
            .args(["serve", "--listen", &address.to_string()])
            .current_dir(machine.site())
            .env_clear()
            .envs(machine.environment())
            .env("SAYSO_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let endpoint = Endpoint {
            url: format!("http://{address}/").parse().unwrap(),
            token: TOKEN.into(),
        };
        let child = command.spawn().unwrap();
        let server = Self {
            command,
            child,
            address,
            client: Client::new(endpoint).unwrap(),
            runtime: Runtime::new().unwrap(),
        };
        server.answers();
        server
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, where it was.
    pub fn again(&mut self) {
        self.child = self.command.spawn().unwrap();
        self.answers();
    }

    fn answers(&self) {
        self.until("a server that answers", |client, runtime| {
            runtime.block_on(client.status()).ok()
        });
    }

    /// Waits until `look` finds something.
    pub fn until<T>(&self, what: &str, look: impl Fn(&Client, &Runtime) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(&self.client, &self.runtime) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Every event of a kind.
    pub fn events(&self, kind: EventKind) -> Vec<Event> {
        let page = self.client.events(None, 1_000, Duration::ZERO);
        let page = self.runtime.block_on(page).unwrap();
        let events = page.events.into_iter();
        events.filter(|event| event.kind == kind).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Dead already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
