//! A local host in a temporary folder, sites made of text, and HTTP down to the bytes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sayso::deploy::{
    DeployFailure, DeployRequest, DeployTarget, Deployed, LocalNotice, LocalOptions, LocalTarget,
    Report,
};
use sayso::model::{DeploymentId, FileTree, MemoryTree, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub const PRODUCTION: &str = "production";

/// A commit held in memory.
pub struct Commit {
    id: String,
    tree: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Commit {
    pub fn of<P: Into<String>, B: Into<Vec<u8>>>(
        id: &str,
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Arc<dyn Source> {
        let files: BTreeMap<String, Vec<u8>> = files
            .into_iter()
            .map(|(path, bytes)| (path.into(), bytes.into()))
            .collect();
        let tree = MemoryTree::new(files.clone()).id().to_owned();
        Arc::new(Self {
            id: id.to_owned(),
            tree,
            files,
        })
    }

    /// A site of one page.
    pub fn page(text: &str) -> Arc<dyn Source> {
        Self::of(text, [("index.html", page(text))])
    }
}

/// A whole page around `text`.
pub fn page(text: &str) -> String {
    format!("<!doctype html><html><body><h1>{text}</h1></body></html>")
}

impl Source for Commit {
    fn commit(&self) -> &str {
        &self.id
    }

    fn tree(&self) -> &str {
        &self.tree
    }

    fn export(&self, into: &Path) -> io::Result<()> {
        for (path, bytes) in &self.files {
            let path = into.join(path);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(path, bytes)?;
        }
        Ok(())
    }
}

pub struct Rig {
    pub dir: PathBuf,
    pub target: Arc<LocalTarget>,
    pub notices: mpsc::UnboundedReceiver<LocalNotice>,
    // The folder goes last.
    _root: Option<tempfile::TempDir>,
}

/// A local host with one environment, no notice and no watch, changed by `with`.
pub async fn rig(with: impl FnOnce(&mut LocalOptions)) -> Rig {
    let root = tempfile::tempdir().unwrap();
    let mut rig = open(root.path(), with).await;
    rig._root = Some(root);
    rig
}

/// The same in a given folder.
pub async fn open(dir: &Path, with: impl FnOnce(&mut LocalOptions)) -> Rig {
    let (sender, notices) = mpsc::unbounded_channel();
    let mut options = LocalOptions::new(dir);
    options.notice = false;
    options.health.watch = Duration::ZERO;
    options.notices = Some(sender);
    with(&mut options);
    let target = LocalTarget::open(options).await.unwrap();
    Rig {
        dir: dir.to_owned(),
        target,
        notices,
        _root: None,
    }
}

impl Rig {
    /// Closes this host and opens another in its folder.
    pub async fn reopen(self, with: impl FnOnce(&mut LocalOptions)) -> Rig {
        self.target.close().await;
        let Rig { dir, _root, .. } = self;
        let mut rig = open(&dir, with).await;
        rig._root = _root;
        rig
    }

    pub async fn deploy(&self, source: Arc<dyn Source>) -> Result<Deployed, DeployFailure> {
        self.deploy_as(request(source), CancellationToken::new())
            .await
            .0
    }

    /// Deploys, and returns what was reported as well.
    pub async fn deploy_as(
        &self,
        request: DeployRequest,
        cancel: CancellationToken,
    ) -> (Result<Deployed, DeployFailure>, Vec<Report>) {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let outcome = self.target.deploy(request, sender, cancel).await;
        let mut reports = Vec::new();
        while let Ok(report) = receiver.try_recv() {
            reports.push(report);
        }
        (outcome, reports)
    }

    pub fn port(&self) -> u16 {
        self.target.port(PRODUCTION).unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        fetch(self.port(), "GET", path, &[]).await
    }

    /// The text of the start page.
    pub async fn home(&self) -> String {
        let answer = self.get("/").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text()
    }

    /// Names in a folder of the state.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.dir.join(folder))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub fn request(source: Arc<dyn Source>) -> DeployRequest {
    DeployRequest {
        id: DeploymentId::new(),
        environment: PRODUCTION.to_owned(),
        source,
        force: false,
    }
}

/// Waits until `holds`, for at most ten seconds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// One request on a connection of its own, byte for byte as written: no client tidies the path.
pub async fn fetch(port: u16, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        text.push_str(&format!("host: 127.0.0.1:{port}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await.unwrap();
    parse(&raw, method)
}

fn parse(raw: &[u8], method: &str) -> Answer {
    let at = raw
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a whole head");
    let head = std::str::from_utf8(&raw[..at]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let answer = Answer {
        status,
        headers,
        body: raw[at + 4..].to_vec(),
    };
    if let Some(length) = answer.header("content-length")
        && method != "HEAD"
        && status != 304
    {
        assert_eq!(
            length.parse::<usize>().unwrap(),
            answer.body.len(),
            "{head}"
        );
    }
    answer
}
