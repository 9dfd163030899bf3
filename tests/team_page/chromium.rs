//! Chromium without a window, driven over its DevTools protocol: only what these tests need of it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

/// How long a page may take for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Browsers are large: one at a time.
static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

/// The browser; it ends with this.
pub struct Chromium {
    child: Child,
    wire: Arc<Wire>,
    _home: tempfile::TempDir,
    _one: tokio::sync::MutexGuard<'static, ()>,
}

struct Wire {
    send: mpsc::UnboundedSender<String>,
    waiting: Waiting,
    /// Errors of scripts and refusals by a policy, whichever tab they are of.
    complaints: Arc<Mutex<Vec<String>>>,
    count: AtomicU64,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It is many processes, in a group of their own.
        if let Some(group) = self
            .child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(id as i32))
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ]
    .iter()
    .find_map(|name| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    })
}

impl Chromium {
    /// A fresh browser, or nothing where none is installed: then the test says that it is skipped.
    pub async fn start() -> Option<Self> {
        let Some(program) = program() else {
            println!("SKIPPED: Chromium is not installed: scripts/setup.sh test");
            return None;
        };
        let one = ONE.lock().await;
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command
            .args([
                "--headless",
                "--disable-gpu",
                "--no-first-run",
                "--mute-audio",
            ])
            .args([
                "--disable-background-networking",
                "--disable-sync",
                "--disable-extensions",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--no-proxy-server",
                "--remote-debugging-port=0",
            ])
            .arg(format!(
                "--user-data-dir={}",
                home.path().join("profile").display()
            ))
            .arg("about:blank");
        if rustix::process::geteuid().is_root() {
            command.arg("--no-sandbox");
        }
        let mut child = command
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = tokio::time::timeout(PATIENCE, async {
            loop {
                let line = lines
                    .next_line()
                    .await
                    .unwrap()
                    .expect("Chromium says where it listens");
                if let Some(address) = line.strip_prefix("DevTools listening on ") {
                    return address.to_owned();
                }
            }
        })
        .await
        .expect("Chromium starts");
        // Its pipe must not fill up.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (socket, _) = tokio_tungstenite::connect_async(&address).await.unwrap();
        let (mut out, mut from) = socket.split();
        let (send, mut sends) = mpsc::unbounded_channel::<String>();
        let waiting = Waiting::default();
        let complaints: Arc<Mutex<Vec<String>>> = Arc::default();
        tokio::spawn(async move {
            while let Some(text) = sends.recv().await {
                if out.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
        });
        let (answers, heard) = (Arc::clone(&waiting), Arc::clone(&complaints));
        tokio::spawn(async move {
            while let Some(Ok(message)) = from.next().await {
                let Ok(text) = message.into_text() else {
                    continue;
                };
                let Ok(value) = serde_json::from_str::<Value>(&text) else {
                    continue;
                };
                if let Some(id) = value["id"].as_u64() {
                    if let Some(answer) = answers.lock().unwrap().remove(&id) {
                        let _ = answer.send(value);
                    }
                } else if let Some(complaint) = complaint(&value) {
                    heard.lock().unwrap().push(complaint);
                }
            }
            answers.lock().unwrap().clear();
        });
        let wire = Arc::new(Wire {
            send,
            waiting,
            complaints,
            count: AtomicU64::new(1),
        });
        Some(Self {
            child,
            wire,
            _home: home,
            _one: one,
        })
    }

    /// A tab of `width` × `height`, on nothing yet.
    pub async fn tab(&self, width: u32, height: u32) -> Tab {
        let made = self
            .wire
            .call(None, "Target.createTarget", json!({ "url": "about:blank" }))
            .await;
        let target = &made["targetId"];
        let attached = self
            .wire
            .call(
                None,
                "Target.attachToTarget",
                json!({ "targetId": target, "flatten": true }),
            )
            .await;
        let tab = Tab {
            wire: Arc::clone(&self.wire),
            session: attached["sessionId"].as_str().unwrap().to_owned(),
        };
        for domain in ["Page", "Runtime", "Log"] {
            tab.call(&format!("{domain}.enable"), json!({})).await;
        }
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        tab.call("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        // A tab in the background has no focus of its own.
        tab.call(
            "Emulation.setFocusEmulationEnabled",
            json!({ "enabled": true }),
        )
        .await;
        tab
    }

    /// What scripts and policies complained about so far. Answers that were errors are not among it: tests cause those.
    pub fn complaints(&self) -> Vec<String> {
        self.wire.complaints.lock().unwrap().clone()
    }
}

fn complaint(event: &Value) -> Option<String> {
    let told = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(told["exceptionDetails"].to_string()),
        "Log.entryAdded" => {
            let entry = &told["entry"];
            let loud = entry["level"] == "error" && entry["source"] != "network";
            loud.then(|| entry["text"].to_string())
        }
        _ => None,
    }
}

impl Wire {
    async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        let id = self.count.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id, answer);
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.send.send(message.to_string()).unwrap();
        let mut answer = tokio::time::timeout(PATIENCE, answered)
            .await
            .unwrap_or_else(|_| panic!("{method} is not answered"))
            .unwrap_or_else(|_| panic!("Chromium ended at {method}"));
        assert!(
            answer.get("error").is_none(),
            "{method}: {}",
            answer["error"]
        );
        answer["result"].take()
    }
}

/// A page.
pub struct Tab {
    wire: Arc<Wire>,
    session: String,
}

impl Tab {
    pub async fn call(&self, method: &str, params: Value) -> Value {
        self.wire.call(Some(&self.session), method, params).await
    }

    /// Goes to `url`; what it loads may take longer.
    pub async fn open(&self, url: &str) {
        let gone = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(
            gone.get("errorText").is_none_or(Value::is_null),
            "{url}: {gone}"
        );
        self.until("document.readyState !== 'loading' && location.href !== 'about:blank'")
            .await;
    }

    /// Runs `script` before any script of every page that is opened from now on.
    pub async fn before_pages(&self, script: &str) {
        self.call(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": script }),
        )
        .await;
    }

    /// The value of an expression; of a promise what it comes to.
    pub async fn value(&self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", asked).await;
        if let Some(thrown) = answer.get("exceptionDetails") {
            panic!("{expression}: {thrown}");
        }
        answer["result"]["value"].take()
    }

    /// The text of an expression.
    pub async fn text(&self, expression: &str) -> String {
        self.value(expression)
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Waits until `expression` is true.
    pub async fn until(&self, expression: &str) {
        let began = Instant::now();
        loop {
            // Between two documents there is nothing to ask.
            let asked =
                json!({ "expression": format!("Boolean({expression})"), "returnByValue": true });
            let answer = self.call("Runtime.evaluate", asked).await;
            if answer["result"]["value"] == true {
                return;
            }
            if began.elapsed() > PATIENCE {
                let page = self.text("document.body?.innerText").await;
                panic!("waited in vain for {expression}; the page says:\n{page}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Presses and releases a key: `Tab`, `Enter`, `Escape`, ` `, `ArrowDown`.
    pub async fn press(&self, key: &str) {
        self.press_with(key, 0).await;
    }

    /// The same with the modifiers of the protocol (8: Shift).
    pub async fn press_with(&self, key: &str, modifiers: u32) {
        let (code, number, text) = match key {
            "Tab" => ("Tab", 9, ""),
            "Enter" => ("Enter", 13, "\r"),
            "Escape" => ("Escape", 27, ""),
            " " => ("Space", 32, " "),
            "ArrowDown" => ("ArrowDown", 40, ""),
            other => panic!("no key {other}"),
        };
        let event = |kind: &str| {
            json!({
                "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers,
            })
        };
        let mut down = event(if text.is_empty() {
            "rawKeyDown"
        } else {
            "keyDown"
        });
        if !text.is_empty() {
            down["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", down).await;
        self.call("Input.dispatchKeyEvent", event("keyUp")).await;
    }

    /// Types text where the focus is.
    pub async fn type_text(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses Tab until what has the focus fits `condition` (of `it`, the element).
    pub async fn tab_to(&self, condition: &str) {
        let fits = format!("(it => it && ({condition}))(document.activeElement)");
        for _ in 0..60 {
            if self.value(&fits).await == true {
                return;
            }
            self.press("Tab").await;
        }
        let now = self.text("document.activeElement?.outerHTML").await;
        panic!("Tab does not lead to {condition}; the focus is at {now}");
    }
}
