//! Against PyPI's `llmock`, which watches how its clients behave and says what they did wrong.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Bench, PAGE};

const DEADLINE: Duration = Duration::from_secs(60);

/// The judge.
struct Judge {
    child: Child,
    port: u16,
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Judge {
    fn start() -> Option<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/services/python");
        let program = folder.join("bin/llmock");
        if !program.is_file() {
            println!("SKIPPED: the package llmock is not installed: scripts/setup.sh test");
            return None;
        }
        for _ in 0..5 {
            let port = std::net::TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let mut child = Command::new("python3")
                .arg(&program)
                .args([
                    "serve",
                    "-h",
                    "127.0.0.1",
                    "--response-style",
                    "echo",
                    "-p",
                    &port.to_string(),
                ])
                .env("PYTHONPATH", &folder)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("python3 runs");
            let began = Instant::now();
            while began.elapsed() < DEADLINE && child.try_wait().unwrap().is_none() {
                if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Some(Self { child, port });
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("the judge did not start");
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Value {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let text = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

#[test]
fn busy_services_cut_streams_and_refusals_are_met_as_they_should_be() {
    let Some(judge) = Judge::start() else {
        return;
    };
    let url = format!("http://127.0.0.1:{}", judge.port);
    let config = format!(
        "[generate.anthropic]\nurl = \"{url}/anthropic\"\n[generate.openai]\nurl = \"{url}/v1\"\n\
         [generate.gemini]\nurl = \"{url}/gemini\"\n[generate.compatible]\nurl = \"{url}/v1\"\nmodel = \"local\"\n"
    );
    let faults = [
        json!({ "type": "fail", "status": 529, "retry_after": 1, "times": 1 }),
        json!({ "type": "stream_fault", "kind": "truncate", "after_chunks": 3 }),
        json!({ "type": "fail", "status": 401, "times": 1 }),
    ];
    for engine in ["anthropic", "openai", "gemini", "compatible"] {
        // A key that is wrong is wrong in the same way everywhere.
        let count = if engine == "anthropic" { 3 } else { 2 };
        for fault in &faults[..count] {
            let scenario = json!({ "behaviors": [fault] }).to_string();
            judge.call("POST", "/_llmock/scenario", &scenario);
            let bench = Bench::with(&config, &[("index.html", PAGE)]);
            // What it echoes is no change: nothing is proposed in the end.
            let said = bench.say(engine, "make the heading nicer");
            assert!(
                said.events.iter().all(|event| event["type"] != "proposal"),
                "{engine}: {}",
                said.all
            );
        }
    }
    let verdict = judge.call("GET", "/_llmock/verdict", "");
    println!("{verdict}");
    assert_eq!(verdict["passed"], true, "{verdict:#}");
    assert!(
        verdict["faults_injected"].as_u64().unwrap() >= 8,
        "{verdict:#}"
    );
}
