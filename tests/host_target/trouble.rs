//! Connections that break, a host that dies, a disk that fills.

use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::sending::pair;
use crate::world::*;

const LARGE: usize = 3_500_000;

#[test]
fn a_cut_connection_costs_a_piece_and_no_more() {
    let (mut host, relay, sender) = pair(&[("index.html", "<h1>one</h1>")]);
    sender.commit("large.bin", &noise(LARGE, 1));
    host.start(&[]);
    relay.cut_after(1_700_000);
    let url = sender.live();
    assert_eq!(relay.counts.cuts.load(Ordering::SeqCst), 1);
    let up = relay.up();
    // All of it once, and again at most the piece that was torn.
    assert!(up > LARGE as u64 && up < LARGE as u64 + 1_500_000, "{up}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let large = runtime.block_on(async {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{url}large.bin")).send().await.unwrap();
        answer.bytes().await.unwrap()
    });
    assert!(large == noise(LARGE, 1), "{} bytes", large.len());
}

#[test]
fn what_came_before_the_sender_ended_is_not_sent_again() {
    let (mut host, relay, sender) = pair(&[("index.html", "<h1>one</h1>")]);
    sender.commit("large.bin", &noise(LARGE, 2));
    host.start(&[]);
    let mut child = sender
        .command(&["deploy", "--yes", "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = std::time::Instant::now();
    while relay.counts.up.load(Ordering::SeqCst) < 2_300_000 {
        assert!(began.elapsed() < PATIENCE);
        assert!(child.try_wait().unwrap().is_none(), "it was too quick");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = relay.up();
    assert_eq!(fetch(&sender.live()), "<h1>one</h1>");
    let after = relay.up();
    assert!(
        before + after < 2 * LARGE as u64 - 500_000,
        "{before} and {after}"
    );
}

#[cfg(feature = "failpoints")]
#[test]
fn a_host_that_dies_on_the_way_goes_on_when_it_is_back() {
    // Before traffic moved nothing came of it, and it is asked for once more; after it, it is live already.
    for point in ["receive.gathered", "deploy.pointer", "deploy.verified"] {
        let (mut host, relay, sender) = pair(&[("index.html", "<h1>one</h1>")]);
        host.start(&[]);
        let url = sender.live();
        host.kill();
        host.start(&[("SAYSO_FAILPOINT", point)]);
        sender.commit("index.html", b"<h1>two</h1>");
        let deploying = sender
            .command(&["deploy", "--yes", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        host.ended();
        host.start(&[]);
        let (last, all) = last(&deploying.wait_with_output().unwrap());
        assert_eq!(last["type"], "deploy_complete", "{point}: {all:#?}");
        assert_eq!(fetch(&url), "<h1>two</h1>", "{point}");
        // What came of the second is sent again at most once: the host clears away what belonged to no release.
        let pieces = relay.pieces();
        assert!((2..=3).contains(&pieces), "{point}: {pieces}");
    }
}

/// A small file system, taken away with its test.
struct Small(std::path::PathBuf);

impl Small {
    fn mount(place: &std::path::Path, size: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "sayso-test"])
            .arg(place)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(place.to_owned()))
    }

    fn grow(&self, size: &str) {
        let grown = Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(&self.0)
            .status();
        assert!(grown.unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_said_and_the_old_release_stays() {
    let (mut host, _relay, sender) = pair(&[("index.html", "<h1>one</h1>")]);
    let state = host.home.path().join("STATE");
    std::fs::create_dir_all(&state).unwrap();
    let Some(small) = Small::mount(&state, "6m") else {
        println!("skipped: no small file system can be mounted here");
        return;
    };
    host.start(&[]);
    let url = sender.live();
    sender.commit("index.html", b"<h1>two</h1>");
    sender.commit("large.bin", &noise(9_000_000, 3));
    let (last, all) = sender.deploy();
    assert_eq!(last["type"], "deploy_error", "{all:#?}");
    let (message, hint) = (&last["data"]["message"], &last["data"]["hint"]);
    assert!(message.as_str().unwrap().contains("disk is full"), "{last}");
    assert!(hint.as_str().unwrap().contains("make room"), "{last}");
    assert_eq!(fetch(&url), "<h1>one</h1>");

    small.grow("64m");
    assert_eq!(sender.live(), url);
    assert_eq!(fetch(&url), "<h1>two</h1>");
    host.kill();
    drop(small);
}
