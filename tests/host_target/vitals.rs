//! What is live is asked as long as Sayso runs; when it is unwell it goes back once, and a person is told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sayso::config::Config;
use sayso::deploy::health::HealthOptions;
use sayso::deploy::{DeployTarget, LocalOptions, LocalTarget};
use sayso::model::api::{Rollback, SyncRequest};
use sayso::model::news::Topic;
use sayso::model::{Event, EventKind, Identity, ReleaseId};
use sayso::pipeline::{Conductor, Setup};
use sayso::vcs::git::Git;
use tokio::sync::mpsc;

use crate::stage::{self, wait_for};

const PRODUCTION: &str = "production";

/// A conductor with an embedded host, whose health is a script of the test's.
struct Rig {
    site: tempfile::TempDir,
    state: tempfile::TempDir,
    conductor: Arc<Conductor>,
    target: Arc<LocalTarget>,
}

/// Well unless the file `bad` in the folder says the release's name (or `all`).
fn health(folder: &Path) -> HealthOptions {
    let bad = folder.join("bad");
    let bad = bad.display();
    HealthOptions {
        command: Some(format!(
            "test ! -e {bad} || {{ ! grep -q all {bad} && ! grep -q \"$SAYSO_RELEASE\" {bad}; }}"
        )),
        folder: PathBuf::from("/"),
        interval: Duration::from_millis(20),
        watch: Duration::from_millis(60),
        probes: 2,
        failures: 3,
        cooldown: Duration::from_secs(600),
        ..HealthOptions::default()
    }
}

async fn open(
    site: &Path,
    state: &Path,
    health: HealthOptions,
) -> (Arc<Conductor>, Arc<LocalTarget>) {
    let (sender, notices) = mpsc::unbounded_channel();
    let options = LocalOptions {
        notice: false,
        health: health.clone(),
        notices: Some(sender),
        ..LocalOptions::new(state.join("host"))
    };
    let target = LocalTarget::open(options).await.unwrap();
    let conductor = Conductor::open(Setup {
        log: stage::log(state),
        config: Config::default(),
        repo: Arc::new(Git::open_with(site, stage::options()).await.unwrap()),
        generators: Vec::new(),
        transcriber: None,
        targets: BTreeMap::from([(
            PRODUCTION.to_owned(),
            Arc::clone(&target) as Arc<dyn DeployTarget>,
        )]),
        recordings: state.join("recordings"),
        notices: Some(notices),
    })
    .await
    .unwrap();
    let checks = BTreeMap::from([(PRODUCTION.to_owned(), health)]);
    conductor.check_regularly(checks).unwrap();
    (conductor, target)
}

impl Rig {
    async fn new(change: impl FnOnce(&mut HealthOptions)) -> Self {
        let site = stage::site(&[("index.html", "<h1>0</h1>")]);
        let state = tempfile::tempdir().unwrap();
        let mut health = health(state.path());
        change(&mut health);
        let (conductor, target) = open(site.path(), state.path(), health).await;
        Self {
            site,
            state,
            conductor,
            target,
        }
    }

    /// Ends the process, as far as it goes here, and begins another.
    async fn again(self) -> Self {
        self.conductor.settled().await;
        self.target.close().await;
        drop((self.conductor, self.target));
        let health = health(self.state.path());
        let (conductor, target) = open(self.site.path(), self.state.path(), health).await;
        Self {
            conductor,
            target,
            ..self
        }
    }

    /// Deploys a new commit; the release that went live.
    async fn deploy(&self, text: &str) -> ReleaseId {
        stage::write(self.site.path(), "index.html", text);
        stage::git(self.site.path(), &["commit", "-q", "-a", "-m", text]);
        let synced = self
            .conductor
            .deploy(SyncRequest::default(), false, &Identity::owner("Ada"))
            .await;
        let id = synced.unwrap().deployment.unwrap();
        wait_for("the end of the deployment", async || {
            let deployment = self.conductor.deployment(&id).unwrap();
            deployment.state.is_final().then_some(deployment)
        })
        .await
        .release
        .expect("it goes live")
    }

    async fn proven(&self, release: &ReleaseId) {
        wait_for("the end of its watch", async || {
            self.target.proven(PRODUCTION, release).then_some(())
        })
        .await;
    }

    fn spoil(&self, what: &str) {
        std::fs::write(self.state.path().join("bad"), what).unwrap();
    }

    fn heal(&self) {
        std::fs::remove_file(self.state.path().join("bad")).unwrap();
    }

    fn events(&self, kind: EventKind) -> Vec<Event> {
        let all = self.conductor.log().read(0, 10_000).unwrap();
        all.into_iter().filter(|event| event.kind == kind).collect()
    }

    async fn event(&self, kind: EventKind, at: usize) -> Event {
        wait_for(kind.as_str(), async || {
            self.events(kind).into_iter().nth(at)
        })
        .await
    }

    fn live(&self) -> ReleaseId {
        self.target.live(PRODUCTION).unwrap().release
    }

    fn answers(&self) -> usize {
        let listed = self.conductor.deployments().unwrap();
        let health = listed.releases[0].health.as_ref();
        health.map_or(0, |vitals| vitals.answers.len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_release_that_turns_bad_is_taken_back_once_and_not_offered_again() {
    let rig = Rig::new(|_| {}).await;
    let one = rig.deploy("<h1>1</h1>").await;
    rig.proven(&one).await;
    let two = rig.deploy("<h1>2</h1>").await;
    rig.proven(&two).await;
    // Good answers are kept, and are no events.
    wait_for("some answers", async || (rig.answers() > 5).then_some(())).await;
    assert!(rig.events(EventKind::Error).is_empty());
    let before = rig.events(EventKind::Health).len();

    rig.spoil(two.as_str());
    let rollback = rig.event(EventKind::Rollback, 0).await;
    assert_eq!(rollback.data["automatic"], true);
    assert_eq!(
        (rollback.data["from"].as_str(), rollback.data["to"].as_str()),
        (Some(two.as_str()), Some(one.as_str()))
    );
    assert_eq!(rig.live(), one);
    let called = rig.event(EventKind::Error, 0).await;
    assert_eq!(Topic::of(&called), Some(Topic::Unwell));
    assert!(
        called.data["hint"]
            .as_str()
            .unwrap()
            .contains("deploy again"),
        "{called:?}"
    );
    // One event for the first bad answer, not one for each.
    assert_eq!(rig.events(EventKind::Health).len(), before + 1);
    let listed = rig.conductor.deployments().unwrap();
    let releases = &listed.releases[0].releases;
    assert!(releases[0].bad && releases[1].current, "{releases:?}");
    assert_eq!(
        serde_json::to_value(listed.deployments[0].state).unwrap(),
        "rolled_back"
    );

    // Within the cool-down the next bad one stays, and a person is told what to do.
    let three = rig.deploy("<h1>3</h1>").await;
    rig.proven(&three).await;
    rig.spoil("all");
    let called = rig.event(EventKind::Error, 1).await;
    let hint = called.data["hint"].as_str().unwrap();
    assert!(
        hint.contains("once in 10 min") && hint.contains("sayso rollback"),
        "{hint}"
    );
    assert_eq!(
        (rig.live(), rig.events(EventKind::Rollback).len()),
        (three.clone(), 1)
    );
    let status = rig.conductor.status().await.unwrap();
    assert!(status.health[0].failing >= 3 && status.health[0].note.is_some());
    assert!(
        status.health[0].words().starts_with("UNWELL"),
        "{}",
        status.health[0].words()
    );

    // The cool-down, what is bad and the history outlive the process; a person goes back whenever they want.
    let rig = rig.again().await;
    assert!(rig.answers() > 5);
    let called = rig.event(EventKind::Error, 2).await;
    assert!(
        called.data["hint"]
            .as_str()
            .unwrap()
            .contains("once in 10 min"),
        "{called:?}"
    );
    assert_eq!(rig.live(), three);
    rig.heal();
    let health = wait_for("it is well again", async || {
        let health = rig.events(EventKind::Health);
        health.into_iter().find(|event| event.data["again"] == true)
    });
    assert_eq!(Topic::of(&health.await), Some(Topic::WellAgain));
    let live = rig
        .conductor
        .rollback(PRODUCTION, Rollback::default(), &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(live.release, one, "the bad one between them is skipped");
    // By its name it can be had.
    let named = Rollback {
        to: Some(two.clone()),
    };
    let live = rig
        .conductor
        .rollback(PRODUCTION, named, &Identity::owner("Ada"))
        .await
        .unwrap();
    assert_eq!(live.release, two);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_flaps_stays_and_what_was_never_good_is_not_gone_back_to() {
    let rig = Rig::new(|health| {
        // Two bad answers of four, never three in a row.
        let folder = health.command.as_ref().unwrap().split(' ').nth(3).unwrap().to_owned();
        let count = folder.replace("/bad", "/count");
        health.command = Some(format!(
            "test -n \"$SAYSO_HEADER\" || {{ n=$(cat {count} 2>/dev/null || echo 0); echo $((n+1)) > {count}; \
             test ! -e {folder} || test $((n % 4)) -lt 2; }}"
        ));
    })
    .await;
    let one = rig.deploy("<h1>1</h1>").await;
    rig.proven(&one).await;
    let two = rig.deploy("<h1>2</h1>").await;
    rig.proven(&two).await;
    rig.spoil("flap");
    let flapped = wait_for("some good and bad answers", async || {
        let health = rig.events(EventKind::Health);
        let again = health
            .iter()
            .filter(|event| event.data["again"] == true)
            .count();
        (again > 3).then_some(())
    });
    flapped.await;
    assert!(rig.events(EventKind::Rollback).is_empty());
    assert_eq!(rig.live(), two);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_release_that_is_known_to_be_good_it_says_so_and_stays() {
    // Watched for long: nothing is proven while the test runs.
    let rig = Rig::new(|health| {
        health.watch = Duration::from_secs(600);
        health.probes = 12_000;
    })
    .await;
    rig.deploy("<h1>1</h1>").await;
    let two = rig.deploy("<h1>2</h1>").await;
    rig.spoil(two.as_str());
    let called = rig.event(EventKind::Error, 0).await;
    let hint = called.data["hint"].as_str().unwrap();
    assert!(
        hint.contains("no earlier release that is known to be good"),
        "{hint}"
    );
    assert!(rig.events(EventKind::Rollback).is_empty());
    assert_eq!(rig.live(), two);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_bad_right_after_the_switch_is_undone_every_time() {
    let rig = Rig::new(|health| {
        // Before the switch all is well; after it only the first release is.
        let folder = health
            .command
            .as_ref()
            .unwrap()
            .split(' ')
            .nth(3)
            .unwrap()
            .to_owned();
        health.command = Some(format!(
            "test -n \"$SAYSO_HEADER\" || test ! -e {folder} || grep -q \"$SAYSO_RELEASE\" {folder}"
        ));
        health.deadline = Duration::from_millis(100);
        health.interval = Duration::ZERO;
    })
    .await;
    let one = rig.deploy("<h1>1</h1>").await;
    rig.proven(&one).await;
    rig.spoil(one.as_str());
    for text in ["<h1>2</h1>", "<h1>3</h1>"] {
        stage::write(rig.site.path(), "index.html", text);
        stage::git(rig.site.path(), &["commit", "-q", "-a", "-m", text]);
        let synced = rig
            .conductor
            .deploy(SyncRequest::default(), false, &Identity::owner("Ada"))
            .await
            .unwrap();
        let id = synced.deployment.unwrap();
        let state = wait_for("the end of the deployment", async || {
            let deployment = rig.conductor.deployment(&id).unwrap();
            deployment.state.is_final().then_some(deployment.state)
        });
        assert_eq!(serde_json::to_value(state.await).unwrap(), "rolled_back");
        assert_eq!(rig.live(), one);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_news_is_shown_on_the_desktop() {
    let rig = Rig::new(|health| health.interval = Duration::ZERO).await;
    let shown = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&shown);
    let show: sayso::pipeline::Show = Arc::new(move |title, words| {
        taken.lock().unwrap().push(format!("{title} | {words}"));
        Ok(())
    });
    rig.conductor
        .show_news(vec![Topic::Live, Topic::RolledBack], show, 0.01);
    rig.deploy("<h1>1</h1>").await;
    rig.deploy("<h1>2</h1>").await;
    rig.conductor
        .rollback(PRODUCTION, Rollback::default(), &Identity::owner("Ada"))
        .await
        .unwrap();
    wait_for("all of it", async || {
        (shown.lock().unwrap().len() == 3).then_some(())
    })
    .await;
    let shown = shown.lock().unwrap();
    assert!(
        shown[0].starts_with("site: live | LIVE on production: http://"),
        "{shown:?}"
    );
    assert!(
        shown[2].starts_with("site: rolled back | production went back"),
        "{shown:?}"
    );
}
