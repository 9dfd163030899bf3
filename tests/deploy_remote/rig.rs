//! What the tests of all places share: commits, requests, reports, a wait with a deadline.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use sayso::deploy::health::HealthOptions;
use sayso::deploy::remote::{Pace, Redactor, Token};
use sayso::deploy::{DeployFailure, DeployRequest, DeployTarget, Deployed, Report};
use sayso::model::{DeploymentId, FileTree, MemoryTree, Problem, Source};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What must never be seen anywhere.
pub const CANARY: &str = "canary-token-0123456789";

/// A commit held in memory.
pub struct Commit {
    id: String,
    tree: String,
    files: BTreeMap<String, Vec<u8>>,
}

/// A commit of `files`.
pub fn commit(id: &str, files: &[(&str, &str)]) -> Arc<dyn Source> {
    let files: BTreeMap<String, Vec<u8>> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    let tree = MemoryTree::new(files.clone()).id().to_owned();
    Arc::new(Commit {
        id: id.to_owned(),
        tree,
        files,
    })
}

/// A site that is not sent inside the creation.
pub fn site(text: &str) -> Arc<dyn Source> {
    commit(
        &format!("{:0>40}", text.len()),
        &[
            ("index.html", text),
            ("style.css", "body{}"),
            ("img/a.txt", "a"),
            ("img/b.txt", "a"),
        ],
    )
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

pub fn request(source: Arc<dyn Source>) -> DeployRequest {
    DeployRequest {
        id: DeploymentId::new(),
        environment: "production".to_owned(),
        source,
        force: false,
    }
}

/// As patient as a test can wait for.
pub fn pace() -> Pace {
    Pace {
        least: Duration::from_millis(5),
        most: Duration::from_millis(50),
        skew: Duration::ZERO,
        failed: Duration::from_millis(10),
        tries: 4,
        timeout: Duration::from_secs(5),
        poll: Duration::from_millis(10),
        looks: 6,
    }
}

pub fn health() -> HealthOptions {
    HealthOptions {
        deadline: Duration::from_secs(2),
        timeout: Duration::from_secs(10),
        ..HealthOptions::default()
    }
}

pub fn token() -> Token {
    Arc::new(|| async { Ok::<_, Problem>(CANARY.to_owned()) }.boxed())
}

pub fn secrets() -> Redactor {
    Redactor::new([CANARY.to_owned()])
}

/// A deployment with everything it said.
pub struct Told {
    pub outcome: Result<Deployed, DeployFailure>,
    pub reports: Vec<Report>,
}

impl Told {
    /// Everything that was said, a line each.
    pub fn text(&self) -> String {
        let mut text: String = self
            .reports
            .iter()
            .map(|report| format!("{report:?}\n"))
            .collect();
        text.push_str(&format!("{:?}", self.outcome));
        text
    }

    pub fn live(&self) -> &Deployed {
        match &self.outcome {
            Ok(deployed) => deployed,
            Err(failure) => panic!("{failure:?}\n{}", self.text()),
        }
    }

    pub fn failure(&self) -> &DeployFailure {
        match &self.outcome {
            Err(failure) => failure,
            Ok(deployed) => panic!("it went live: {deployed:?}"),
        }
    }
}

/// Deploys to its end; nothing that was said has the canary.
pub async fn deploy(target: &dyn DeployTarget, request: DeployRequest) -> Told {
    deploy_until(target, request, CancellationToken::new()).await
}

/// The same, with a token that stops it.
pub async fn deploy_until(
    target: &dyn DeployTarget,
    request: DeployRequest,
    cancel: CancellationToken,
) -> Told {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let work = target.deploy(request, sender, cancel);
    let outcome = tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .expect("it never ended");
    let mut reports = Vec::new();
    while let Ok(report) = receiver.try_recv() {
        reports.push(report);
    }
    let told = Told { outcome, reports };
    assert!(!told.text().contains(CANARY), "{}", told.text());
    told
}

/// Waits until `holds`.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
