//! What the repository's part of a deployment takes. Not run with the other tests; on a quiet machine: `cargo test --release --test vcs_speed -- --ignored --nocapture`.
#![cfg(unix)]

mod vcs_support;

use std::time::{Duration, Instant};

use sayso::vcs::Repository;
use vcs_support::*;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn report(what: &str, bar: u64, times: Vec<Duration>) {
    let median = median(times);
    println!(
        "{what:<44} {:>8.1} ms (bar {bar} ms)",
        median.as_secs_f64() * 1_000.0
    );
}

fn big_site(files: usize) -> Site {
    let site = Site::new();
    for n in 0..files {
        let body = lines(60);
        site.write(
            &format!("pages/{}/page-{n}.html", n % 20),
            format!("<h1>{n}</h1>\n{body}"),
        );
    }
    site.commit_all("Start");
    site
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures time"]
async fn a_commit_and_its_surroundings_are_quick() {
    let site = big_site(200);
    let git = site.open().await;
    let (mut prepares, mut finishes, mut both) = (vec![], vec![], vec![]);
    let (mut starts, mut folders) = (vec![], vec![]);
    let (mut exports, mut statuses, mut opens) = (vec![], vec![], vec![]);
    for n in 0..15 {
        let from = if n == 0 {
            "line 20\n".to_owned()
        } else {
            format!("round {}\n", n - 1)
        };
        let change = site.replace("pages/3/page-3.html", &from, &format!("round {n}\n"));
        let request = site.request(vec![change]);
        let begun = Instant::now();
        let prepared = prepare(&git, request).await.unwrap();
        prepares.push(begun.elapsed());
        let middle = Instant::now();
        git.finish(&prepared).await.unwrap();
        finishes.push(middle.elapsed());
        both.push(begun.elapsed());

        let folder = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        git.source(&prepared.commit)
            .await
            .unwrap()
            .export(folder.path())
            .unwrap();
        exports.push(begun.elapsed());
        // Kept to the end: ext4 is slow to give out inodes freed a moment ago.
        folders.push(folder);
        let begun = Instant::now();
        assert_eq!(git.status().await.unwrap().changes, 0);
        statuses.push(begun.elapsed());
        let begun = Instant::now();
        site.git(["rev-parse", "HEAD"]);
        starts.push(begun.elapsed());
        let begun = Instant::now();
        site.open().await;
        opens.push(begun.elapsed());
    }
    report("one git process, for comparison", 5, starts);
    report("prepare, one file of 200", 60, prepares);
    report("finish, one file of 200", 60, finishes);
    report("prepare and finish, one file of 200", 60, both);
    report("source and export, 200 files", 25, exports);
    report("status, 200 files", 25, statuses);
    report("open", 25, opens);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures time"]
async fn a_thousand_files_are_listed_and_read_quickly() {
    let site = big_site(1_000);
    let mut times = vec![];
    for _ in 0..7 {
        let git = site.open().await;
        let begun = Instant::now();
        let tree = git.tree(&site.head()).await.unwrap();
        let mut bytes = 0;
        for entry in tree.files() {
            bytes += tree.read(&entry.path).unwrap().unwrap().len();
        }
        times.push(begun.elapsed());
        assert!(bytes > 400_000);
    }
    report("list and read 1,000 files (loose objects)", 90, times);
    site.git(["gc", "-q"]);
    let mut times = vec![];
    for _ in 0..7 {
        let git = site.open().await;
        let begun = Instant::now();
        let tree = git.tree(&site.head()).await.unwrap();
        for entry in tree.files() {
            tree.read(&entry.path).unwrap().unwrap();
        }
        times.push(begun.elapsed());
    }
    report("list and read 1,000 files (packed)", 60, times);
}
