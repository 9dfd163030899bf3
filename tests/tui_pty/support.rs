//! A terminal with a cockpit in it, and a server for it to talk to.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::{any, get};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use sayso::client::{Client, Endpoint};
use sayso::config::Config;
use sayso::model::Problem;
use sayso::tui::voice_port::{MicEvent, Microphone};
use sayso::tui::{self, Cockpit};
use serde_json::{Value, json};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);
const SERVER: &str = "SAYSO_TEST_SERVER";
const PANIC: &str = "SAYSO_TEST_PANIC";
const LOG: &str = "SAYSO_TEST_LOG";
pub const LINEAR: &str = "SAYSO_TEST_LINEAR";
pub const SESSION: &str = "SAYSO_TEST_SESSION";

/// A microphone that tells what was done to it, and that can break on purpose.
struct Told {
    events: tokio::sync::mpsc::Sender<MicEvent>,
    panics: bool,
}

impl Microphone for Told {
    fn press(&mut self) {
        assert!(!self.panics, "this microphone panics on purpose");
        eprintln!("a sound library prints on fd 2");
        for event in [MicEvent::Opening, MicEvent::Recording] {
            let _ = self.events.try_send(event);
        }
    }
    fn release(&mut self) {
        let _ = self.events.try_send(MicEvent::NoSpeech);
    }
    fn cancel(&mut self) {}
}

/// Runs the cockpit, when this process was started for it.
pub fn run_as_child() {
    let Ok(server) = std::env::var(SERVER) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (sender, mic_events) = tokio::sync::mpsc::channel(64);
    let mut config = Config::default();
    config.ui.linear = std::env::var_os(LINEAR).is_some();
    let options = Cockpit {
        client: Client::new(Endpoint {
            url: server.parse().unwrap(),
            token: "t".into(),
        })
        .unwrap(),
        config,
        microphone: Some(Box::new(Told {
            events: sender,
            panics: std::env::var_os(PANIC).is_some(),
        })),
        mic_events,
        first_status: None,
        log_path: std::env::var_os(LOG).map(Into::into),
        themes: None,
        sharing: tui::Sharing::default(),
        company: None,
        doctor: None,
        session: std::env::var_os(SESSION).map(Into::into),
    };
    let ended = runtime.block_on(tui::run(options));
    println!("\r\nended: {ended:?}\r");
}

/// What the server was asked for, and what it answers.
#[derive(Default)]
pub struct Asked {
    pub calls: Mutex<Vec<(String, Value)>>,
    pub status: Mutex<Value>,
    pub answers: Mutex<Vec<(String, Value)>>,
    /// Where the event stream begins, once somebody listens.
    pub listener: Mutex<Option<tokio::sync::mpsc::UnboundedSender<String>>>,
}

/// The event stream: whatever the test sends, and nothing else.
async fn stream(State(asked): State<Arc<Asked>>) -> axum::response::Response {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<String>();
    sender.send(": connected\n\n".to_owned()).unwrap();
    *asked.listener.lock().unwrap() = Some(sender);
    let frames = futures::stream::poll_fn(move |context| receiver.poll_recv(context));
    let frames = futures::StreamExt::map(frames, Ok::<_, std::convert::Infallible>);
    axum::response::Response::builder()
        .header("content-type", "text/event-stream")
        .body(axum::body::Body::from_stream(frames))
        .unwrap()
}

async fn call(
    State(asked): State<Arc<Asked>>,
    request: axum::extract::Request,
) -> axum::response::Response {
    use axum::response::IntoResponse;
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20)
        .await
        .unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    asked.calls.lock().unwrap().push((path.clone(), body));
    let answers = asked.answers.lock().unwrap();
    match answers.iter().find(|(known, _)| *known == path) {
        Some((_, answer)) => axum::Json(answer.clone()).into_response(),
        None => {
            let problem = Problem::not_found(format!("no answer for {path}"));
            (http::StatusCode::NOT_FOUND, axum::Json(problem)).into_response()
        }
    }
}

async fn status(State(asked): State<Arc<Asked>>) -> axum::Json<Value> {
    axum::Json(asked.status.lock().unwrap().clone())
}

/// A server for a cockpit.
pub struct Served {
    pub asked: Arc<Asked>,
    address: std::net::SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Served {
    /// A server that knows what `prepare` tells it before the start.
    pub fn start(prepare: impl FnOnce(&Asked)) -> Self {
        let asked = Arc::new(Asked::default());
        *asked.status.lock().unwrap() = status_json();
        prepare(&asked);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/api/status", get(status))
            .route("/api/realtime-sync", get(stream))
            .route("/{*path}", any(call))
            .with_state(asked.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            asked,
            address,
            _runtime: runtime,
        }
    }

    /// The environment variable that leads a cockpit here.
    pub fn variable(&self) -> (String, String) {
        (SERVER.to_owned(), format!("http://{}/", self.address))
    }

    /// Sends an event of the stream.
    pub fn event(&self, seq: u64, kind: &str, mut fields: Value, data: Value) {
        let listener = wait("a listener", || {
            let listener = self.asked.listener.lock().unwrap().clone();
            listener.ok_or_else(|| "nobody".to_owned())
        });
        let event = json!({
            "seq": seq, "at": "2026-11-21T14:03:05Z", "type": kind, "project": "studio", "actor": "Ada", "data": data
        });
        let fields = fields.as_object_mut().unwrap();
        fields.append(&mut event.as_object().unwrap().clone());
        let event = Value::Object(fields.clone());
        listener
            .send(format!("id: e-{seq}\nevent: {kind}\ndata: {event}\n\n"))
            .unwrap();
    }
}

/// The program and the arguments that start the cockpit of these tests.
pub fn child_command() -> (std::path::PathBuf, [&'static str; 4]) {
    let arguments = [
        "--exact",
        "the_cockpit_of_the_other_tests",
        "--nocapture",
        "--test-threads=1",
    ];
    (std::env::current_exe().unwrap(), arguments)
}

/// A terminal with a cockpit in it.
pub struct Term {
    pub asked: Arc<Asked>,
    parser: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    pub master: Box<dyn MasterPty + Send>,
    pub child: Box<dyn Child + Send + Sync>,
    /// The line's settings before the cockpit.
    pub cooked: String,
    server: Served,
}

/// How the terminal and the child are to be.
#[derive(Clone, Default)]
pub struct Setup {
    /// The terminal knows the kitty keyboard protocol.
    pub keyboard: bool,
    /// The terminal answers no question at all.
    pub silent: bool,
    /// The microphone panics when it is used.
    pub panics: bool,
    /// Environment of the cockpit.
    pub env: Vec<(&'static str, String)>,
    /// Where fd 2 goes.
    pub log: Option<std::path::PathBuf>,
    /// Runs the cockpit from an interactive shell, so that it can be suspended.
    pub shell: bool,
}

impl Term {
    pub fn start(setup: &Setup) -> Self {
        Self::prepared(setup, |_| ())
    }

    /// A cockpit whose server knows what `prepare` tells it before the start.
    pub fn prepared(setup: &Setup, prepare: impl FnOnce(&Asked)) -> Self {
        let server = Served::start(prepare);
        let size = PtySize {
            rows: 24,
            cols: 80,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let (program, arguments) = child_command();
        let mut command = if setup.shell {
            let mut shell = CommandBuilder::new("bash");
            shell.args(["--norc", "--noprofile", "--noediting", "-i"]);
            shell.env("PS1", "SHELL> ");
            shell
        } else {
            let mut command = CommandBuilder::new(&program);
            command.args(arguments);
            command
        };
        command.env("TERM", "xterm-256color");
        let (name, value) = server.variable();
        command.env(name, value);
        command.env_remove("NO_COLOR");
        command.env("RUST_BACKTRACE", "0");
        command.env("LC_ALL", "C.UTF-8");
        for name in [
            "VISUAL",
            "EDITOR",
            tui::PLAIN_KEYS,
            "TMUX",
            "STY",
            "TERM_PROGRAM",
            "WT_SESSION",
            "DISPLAY",
            "WAYLAND_DISPLAY",
        ] {
            command.env_remove(name);
        }
        if setup.panics {
            command.env(PANIC, "1");
        }
        if let Some(log) = &setup.log {
            command.env(LOG, log);
        }
        for (name, value) in &setup.env {
            command.env(name, value);
        }
        let cooked = settings(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let writer = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let parser = Arc::new(Mutex::new(vt100::Parser::new(
            24.try_into().unwrap(),
            80.try_into().unwrap(),
            0,
        )));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (parsed, kept, answers) = (parser.clone(), raw.clone(), writer.clone());
        let (keyboard, silent) = (setup.keyboard, setup.silent);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 {
                    break;
                }
                let bytes = &buffer[..count];
                // A terminal answers what it is asked; this one says yes or nothing to the keyboard question.
                let text = String::from_utf8_lossy(bytes);
                if text.contains("\x1b[c") && !silent {
                    let answer: &[u8] = if keyboard {
                        b"\x1b[?3u\x1b[?62c"
                    } else {
                        b"\x1b[?62c"
                    };
                    let _ = answers.lock().unwrap().write_all(answer);
                }
                kept.lock().unwrap().extend_from_slice(bytes);
                parsed.lock().unwrap().process(bytes);
            }
        });
        let mut term = Self {
            asked: server.asked.clone(),
            parser,
            raw,
            writer,
            master: pair.master,
            child,
            cooked,
            server,
        };
        if setup.shell {
            term.until("the prompt", |screen| screen.contains("SHELL>"));
            let line = format!("{} {}\r", program.display(), arguments.join(" "));
            term.send(&line);
        }
        term
    }

    /// Started, connected and drawn.
    pub fn ready(setup: &Setup) -> Self {
        let mut term = Self::start(setup);
        term.until("the repository's name", |screen| {
            screen.contains("studio  main")
        });
        term
    }

    pub fn send(&mut self, bytes: &str) {
        let mut writer = self.writer.lock().unwrap();
        writer.write_all(bytes.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// The line's settings: what `stty` would show.
    pub fn line_settings(&self) -> String {
        settings(self.master.as_ref())
    }

    pub fn resize(&self, size: PtySize) {
        let (rows, cols) = (size.rows.try_into().unwrap(), size.cols.try_into().unwrap());
        self.parser
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(rows, cols);
        self.master.resize(size).unwrap();
    }

    /// Answers calls of `path` with `answer` from now on.
    pub fn answer(&self, path: &str, answer: Value) {
        self.asked
            .answers
            .lock()
            .unwrap()
            .push((path.to_owned(), answer));
    }

    /// Sends an event of the stream.
    pub fn event(&self, seq: u64, kind: &str, fields: Value, data: Value) {
        self.server.event(seq, kind, fields, data);
    }

    pub fn screen(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    pub fn with<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.parser.lock().unwrap().screen())
    }

    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).into_owned()
    }

    pub fn until(&mut self, what: &str, mut look: impl FnMut(&str) -> bool) {
        wait(what, || {
            let screen = self.screen();
            let seen = || format!("{screen}\n{:?}", self.raw());
            look(&screen).then_some(()).ok_or_else(seen)
        });
    }

    /// The first call of `path`, once it was made.
    pub fn call(&self, path: &str) -> Value {
        wait(path, || {
            let calls = self.asked.calls.lock().unwrap();
            let found = calls
                .iter()
                .find(|(called, _)| called == path)
                .map(|(_, body)| body.clone());
            found.ok_or_else(|| format!("{calls:?}"))
        })
    }

    pub fn ended(&mut self) -> portable_pty::ExitStatus {
        let child = &mut self.child;
        wait("the end", || {
            child.try_wait().unwrap().ok_or_else(String::new)
        })
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// Tries until it works or `PATIENCE` is over; then panics with what was seen last.
pub fn wait<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if start.elapsed() > PATIENCE => {
                panic!("waited in vain for {what}; seen:\n{seen}")
            }
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn settings(master: &(dyn MasterPty + Send)) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

/// A proposal of one hunk, on the wire.
pub fn proposal_json(version: u32) -> Value {
    let line = |tag: &str, text: &str| json!({"tag": tag, "text": text});
    json!({
        "id": "pro_1", "version": version, "kind": "edit", "state": "open", "base": "1a2b3c4d5e6f", "branch": "main",
        "title": "Change the headline", "engine": "offline", "action": "preview",
        "files": [{
            "path": "index.html",
            "before": {"kind": "text", "text": "<h1>Old</h1>\n"},
            "after": {"kind": "text", "text": "<h1>New</h1>\n"},
            "mode_before": 0o100_644, "mode_after": 0o100_644,
            "hunks": [{
                "id": "aaaaaaaaaaaa", "old_start": 1, "old_lines": 1, "new_start": 1, "new_lines": 1,
                "lines": [line("delete", "<h1>Old</h1>"), line("insert", "<h1>New</h1>")], "decision": "accepted"
            }]
        }],
        "created_at": "2026-11-21T14:00:00Z", "updated_at": "2026-11-21T14:00:00Z", "patch": ""
    })
}

pub fn status_json() -> Value {
    json!({
        "version": "0.1.0", "project": "studio",
        "repository": {"name": "studio", "root": "/site", "branch": "main", "head": "1a2b3c4d5e6f", "changes": 0},
        "environment": "production", "live": [],
        "speech": {"engine": "local", "ready": true, "message": ""},
        "proposals": [], "instructions": [], "deployments": [],
        "cursor": "e-0", "oldest": 0
    })
}
