//! Deploying by any program.
#![cfg(unix)]

use std::sync::Arc;
use std::time::Duration;

use sayso::config::{CommandSettings, Config};
use sayso::deploy::{CommandOptions, CommandTarget, DeployTarget, Report};
use tokio_util::sync::CancellationToken;

use super::rig::{CANARY, deploy, deploy_until, health, request, secrets, site, until};
use super::service::{Script, Seen, Service, page};

/// A site whose page is a file.
struct Page(std::path::PathBuf);

impl Script for Page {
    fn answer(&self, _request: &Seen) -> axum::response::Response {
        match std::fs::read_to_string(self.0.join("index.html")) {
            Ok(text) => page(200, &text),
            Err(_) => page(404, "nothing here"),
        }
    }
}

struct Rig {
    dir: tempfile::TempDir,
    service: Service<Page>,
}

impl Rig {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let live = dir.path().join("live");
        std::fs::create_dir(&live).unwrap();
        let service = Service::start(|_| Page(live)).await;
        Self { dir, service }
    }

    fn target(&self, change: impl FnOnce(&mut CommandSettings)) -> Arc<CommandTarget> {
        let mut settings = Config::default().deploy.command;
        settings.url = self.service.url.to_string();
        change(&mut settings);
        CommandTarget::open(CommandOptions {
            environment: "production".to_owned(),
            settings,
            health: health(),
            state_dir: self.dir.path().join("state"),
            secrets: secrets(),
        })
        .unwrap()
    }

    fn live(&self) -> String {
        self.dir.path().join("live").display().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_deploys_with_its_output_its_progress_and_its_address() {
    let rig = Rig::new().await;
    let address = rig.service.url.clone();
    let target = rig.target(|settings| {
        settings.url = String::new();
        settings.run = format!(
            "echo sent 1 of 2 files; cp index.html {0}/; echo sent 2 of 2 files; echo \"$SAYSO_COMMIT $SAYSO_ENVIRONMENT\" >{0}/what; echo Live at: {address}",
            rig.live()
        );
        settings.progress = r"(\d+) of (\d+) files".to_owned();
        settings.address = r"Live at: (\S+)".to_owned();
    });
    let the_request = request(site("hello"));
    let told = deploy(&*target, the_request.clone()).await;
    assert_eq!(told.live().url, address.as_str());
    let permille: Vec<u16> = told
        .reports
        .iter()
        .filter_map(|report| match report {
            Report::Fraction { permille, .. } => Some(*permille),
            _ => None,
        })
        .collect();
    assert_eq!(permille, [500, 1000]);
    assert!(
        told.reports
            .contains(&Report::Log("sent 2 of 2 files".to_owned()))
    );
    let what = std::fs::read_to_string(rig.dir.path().join("live/what")).unwrap();
    assert_eq!(
        what.trim(),
        format!("{} production", the_request.source.commit())
    );
    assert_eq!(
        target.live("production").unwrap().commit,
        the_request.source.commit()
    );
    assert!(
        target
            .reconcile("production", &the_request.id)
            .await
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_exit_is_not_live_when_the_address_is_not_well() {
    let rig = Rig::new().await;
    let target = rig.target(|settings| settings.run = "echo done".to_owned());
    let told = deploy(&*target, request(site("hello"))).await;
    assert!(
        told.failure().message.contains("404"),
        "{:?}",
        told.failure()
    );
    assert!(target.live("production").is_none());
    let target = rig.target(|settings| {
        settings.run = "echo done".to_owned();
        settings.url = String::new();
    });
    let told = deploy(&*target, request(site("hello"))).await;
    assert!(told.failure().message.contains("address is not known"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_page_as_before_is_said() {
    let rig = Rig::new().await;
    std::fs::write(rig.dir.path().join("live/index.html"), "old").unwrap();
    let target = rig.target(|settings| settings.run = "true".to_owned());
    let told = deploy(&*target, request(site("hello"))).await;
    told.live();
    assert!(
        told.text().contains("the same page as before"),
        "{}",
        told.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_and_time_limit_end_the_children_too() {
    for by_time in [false, true] {
        let rig = Rig::new().await;
        let pid = rig.dir.path().join("pid");
        let target = rig.target(|settings| {
            settings.run = format!(
                "sh -c 'echo $$ >{0}.new; mv {0}.new {0}; exec sleep 600' & wait",
                pid.display()
            );
            if by_time {
                settings.time_limit = sayso::config::Span(Duration::from_millis(1500));
            }
        });
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let running =
            tokio::spawn(async move { deploy_until(&*target, request(site("hello")), stop).await });
        until("the child runs", || pid.exists()).await;
        let child = std::fs::read_to_string(&pid).unwrap().trim().to_owned();
        if !by_time {
            cancel.cancel();
        }
        let told = running.await.unwrap();
        assert_eq!(told.failure().canceled, !by_time);
        // A zombie that nobody has waited for is over, too.
        until("the child is over", || {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat"));
            stat.map_or(true, |stat| {
                stat.rsplit(')')
                    .next()
                    .unwrap()
                    .trim_start()
                    .starts_with('Z')
            })
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_prints_a_secret_prints_it_to_nobody() {
    let rig = Rig::new().await;
    let target = rig.target(|settings| settings.run = format!("echo token {CANARY}; exit 3"));
    // `deploy` itself looks for the canary in everything that was said.
    let told = deploy(&*target, request(site("hello"))).await;
    assert!(told.failure().message.contains("exit code 3"));
    assert!(
        told.failure().log_tail.contains(&"token •••".to_owned()),
        "{:?}",
        told.failure()
    );
    assert!(told.failure().hint.contains("pass"), "{:?}", told.failure());
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_runs_its_own_command() {
    let rig = Rig::new().await;
    let live = rig.live();
    let target = rig.target(|settings| {
        settings.run = format!("cp index.html {live}/; cp index.html {live}/$SAYSO_RELEASE");
        settings.rollback = format!("cp {live}/$SAYSO_RELEASE {live}/index.html");
    });
    let first = deploy(&*target, request(site("one")))
        .await
        .live()
        .release
        .clone();
    deploy(&*target, request(site("three"))).await.live();
    assert_eq!(
        target.rollback("production", None).await.unwrap().release,
        first
    );
    assert_eq!(
        std::fs::read_to_string(format!("{live}/index.html")).unwrap(),
        "one"
    );
    let without = rig.target(|settings| settings.run = "true".to_owned());
    assert!(
        without
            .rollback("production", None)
            .await
            .unwrap_err()
            .hint
            .unwrap()
            .contains("rollback")
    );
}
