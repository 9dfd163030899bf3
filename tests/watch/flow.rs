//! Saves on their way through a conductor: committed, deployed, told.

use std::time::{Duration, Instant};

use sayso::config::Span;
use sayso::model::api::WatchRequest;
use sayso::model::{EventKind, Identity};

use crate::stage::{git, wait_for, write};
use crate::support::{Desk, own, quick};

#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_committed_deployed_and_told() {
    let desk = Desk::new(&[("index.html", "one\n")], quick()).await;
    let before = desk.git(&["rev-parse", "HEAD"]);
    let status = desk.turn(true).await;
    assert!(status.on && status.branch == "sandbox" && status.environment == "sandbox");
    assert!(status.message.contains("watching"), "{}", status.message);
    // The branch begins where the person's is, and there is a page to look at.
    wait_for("the branch", async || {
        desk.git(&["for-each-ref", "refs/heads/sandbox"])
            .contains(&before)
            .then_some(())
    })
    .await;
    desk.told(EventKind::DeployComplete, &before).await;

    desk.write("index.html", "two\n");
    desk.until("index.html", "two\n").await;
    let commit = desk.told(EventKind::Commit, "Change index.html").await;
    assert_eq!(commit.data["branch"], "sandbox");
    assert_eq!(commit.data["sandbox"], true);
    assert_eq!(commit.environment.as_deref(), Some("sandbox"));
    assert_eq!(commit.actor, "ada");
    let id = commit.data["commit"].as_str().unwrap().to_owned();
    assert_eq!(id, desk.git(&["rev-parse", "sandbox"]));
    desk.told(EventKind::DeployComplete, &id).await;
    desk.write("about.html", "new\n");
    std::fs::remove_file(desk.site.join("index.html")).unwrap();
    wait_for("both", async || {
        (desk.sandbox("index.html").is_none() && desk.sandbox("about.html").is_some()).then_some(())
    })
    .await;
    assert_eq!(desk.git(&["rev-parse", "HEAD"]), before);
    assert_eq!(desk.git(&["branch", "--show-current"]), "main");

    let off = desk.turn(false).await;
    assert!(!off.on);
    let tip = desk.git(&["rev-parse", "sandbox"]);
    desk.write("about.html", "after the end\n");
    // It is taken by the next watch, not by this one.
    desk.told(EventKind::Notice, "watching ended").await;
    assert_eq!(desk.git(&["rev-parse", "sandbox"]), tip);
    desk.turn(true).await;
    desk.until("about.html", "after the end\n").await;
    desk.conductor.end_watch().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_git_ignores_and_what_is_left_out_stays_out() {
    let mut config = quick();
    config.watch.exclude = vec!["drafts/".into()];
    let desk = Desk::new(
        &[("index.html", "one\n"), (".gitignore", "*.log\n")],
        config,
    )
    .await;
    for name in [
        "a.log",
        "drafts/x.html",
        "node_modules/x/y.js",
        ".cache/z",
        "nohup.out",
        "server.pid",
        ".venv/bin/python",
        "x.tmp",
        "dist/app.js",
    ] {
        desk.write(name, "not part of the site\n");
    }
    desk.write("kept.html", "part of it\n");
    desk.once().await.unwrap();
    let names = desk.git(&["ls-tree", "-r", "--name-only", "sandbox"]);
    assert_eq!(names, ".gitignore\nindex.html\nkept.html");
    // Once more: there is nothing to do.
    assert_eq!(desk.once().await.unwrap().commit, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_key_is_held_back_and_told() {
    let desk = Desk::new(&[("app.js", "const a = 1;\n")], quick()).await;
    // Joined here, so that no scanner trips over this file.
    let key = format!(
        "const token = '{}_{}';\n",
        "ghp", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    );
    desk.write("app.js", &key);
    desk.write("page.html", "fine\n");
    let answer = desk.once().await.unwrap();
    assert!(answer.commit.is_some());
    assert_eq!(desk.sandbox("page.html").as_deref(), Some("fine\n"));
    assert_eq!(desk.sandbox("app.js").as_deref(), Some("const a = 1;\n"));
    let told = desk.told(EventKind::Error, "held back").await;
    let words = told.data["message"].as_str().unwrap();
    assert!(
        words.contains("app.js line 1 looks like a GitHub token"),
        "{words}"
    );
    assert!(
        !told.data.to_string().contains("ghp_"),
        "the key itself is told"
    );
    // Without the key it goes.
    desk.write("app.js", "const token = read();\n");
    desk.once().await.unwrap();
    assert_eq!(
        desk.sandbox("app.js").as_deref(),
        Some("const token = read();\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebase_is_waited_for() {
    let desk = Desk::new(&[("index.html", "one\n")], quick()).await;
    let site = desk.site.clone();
    git(&site, &["switch", "-q", "-c", "side"]);
    write(&site, "index.html", "side\n");
    git(&site, &["commit", "-q", "-am", "side"]);
    git(&site, &["switch", "-q", "main"]);
    write(&site, "index.html", "main\n");
    git(&site, &["commit", "-q", "-am", "main"]);
    desk.turn(true).await;
    desk.until("index.html", "main\n").await;
    let tip = desk.git(&["rev-parse", "sandbox"]);
    // It stops at the conflict, with markers in the file.
    let rebase = std::process::Command::new("git")
        .current_dir(&site)
        .args(["rebase", "side"])
        .envs(crate::stage::git_env())
        .output()
        .unwrap();
    assert!(!rebase.status.success());
    desk.told(EventKind::Notice, "a rebase is in progress")
        .await;
    assert_eq!(
        desk.git(&["rev-parse", "sandbox"]),
        tip,
        "markers were committed"
    );
    let waiting = desk.conductor.watch_status().unwrap().waiting.unwrap();
    assert!(waiting.contains("rebase"), "{waiting}");
    write(&site, "index.html", "both\n");
    git(&site, &["add", "index.html"]);
    git(&site, &["-c", "core.editor=true", "rebase", "--continue"]);
    desk.until("index.html", "both\n").await;
    desk.conductor.end_watch().await;
    let told = desk.of(EventKind::Notice);
    let told = told
        .iter()
        .filter(|event| event.data.to_string().contains("rebase is in progress"));
    assert_eq!(told.count(), 1, "told more than once");
    assert_eq!(
        git(&site, &["log", "--format=%H", "-S<<<<<<<", "sandbox", "--"]),
        "",
        "markers were committed on the way"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_persons_own_commits_are_taken_in() {
    let desk = Desk::new(&[("index.html", "one\n"), ("x", "x\n")], quick()).await;
    desk.write("index.html", "two\n");
    desk.once().await.unwrap();
    // What was saved is committed by hand, and more is saved.
    desk.git(&["commit", "-q", "-am", "by hand"]);
    let head = desk.git(&["rev-parse", "HEAD"]);
    assert_eq!(
        desk.once().await.unwrap().commit,
        None,
        "nothing new to see"
    );
    desk.write("index.html", "three\n");
    let before = own(&desk.site);
    desk.once().await.unwrap();
    assert_eq!(own(&desk.site), before);
    let contained = desk.git(&["merge-base", "main", "sandbox"]);
    assert_eq!(contained, head, "the sandbox lacks the person's commit");
    assert_eq!(
        desk.titles()[0],
        format!("Change index.html; take in main at {}", &head[..7])
    );
    // Another branch, with other files.
    desk.git(&["stash", "-q"]);
    desk.git(&["switch", "-q", "-c", "other"]);
    desk.write("other.html", "other\n");
    desk.git(&["add", "other.html"]);
    desk.git(&["commit", "-q", "-m", "other"]);
    desk.once().await.unwrap();
    assert_eq!(desk.sandbox("other.html").as_deref(), Some("other\n"));
    assert_eq!(desk.sandbox("index.html").as_deref(), Some("two\n"));
    assert_eq!(desk.git(&["stash", "list"]).lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_changes_is_a_handful_of_commits() {
    let mut config = quick();
    config.watch.settle = Span(Duration::from_secs(2));
    config.watch.batch = Span(Duration::from_secs(1));
    let desk = Desk::new(&[("index.html", "one\n")], config).await;
    desk.turn(true).await;
    desk.told(EventKind::Commit, "Begin where main is").await;
    // 100,000 changes of 100 files.
    let site = desk.site.clone();
    let storm = move || {
        use std::os::unix::fs::FileExt;
        let make = |n| std::fs::File::create(site.join(format!("f{n}.html"))).unwrap();
        let files: Vec<std::fs::File> = (0..100).map(make).collect();
        for round in 0..1000 {
            for file in &files {
                file.write_all_at(format!("{round:04}").as_bytes(), 0)
                    .unwrap();
            }
        }
    };
    tokio::task::spawn_blocking(storm).await.unwrap();
    desk.until("f99.html", "0999").await;
    // All of them have the same text, so one blob.
    wait_for("all of it", async || {
        let tree = desk.git(&["ls-tree", "sandbox"]);
        let files = tree.lines().filter(|line| !line.ends_with("index.html"));
        let blobs: Vec<&str> = files
            .filter_map(|line| line.split_whitespace().nth(2))
            .collect();
        (blobs.len() == 100 && blobs.iter().all(|blob| *blob == blobs[0])).then_some(())
    })
    .await;
    let titles = desk.titles();
    assert!(titles.len() <= 10, "{titles:?}");
    desk.conductor.end_watch().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_for_long_waits_and_holds_up_nobody() {
    let mut config = quick();
    config.watch.settle = Span(Duration::from_millis(1500));
    config.watch.bound = Span(Duration::from_secs(3600));
    let desk = Desk::new(&[("index.html", "one\n")], config).await;
    desk.turn(true).await;
    desk.told(EventKind::Commit, "Begin where main is").await;
    let movie = desk.site.join("movie.bin");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        use std::io::Write;
        let mut file = std::fs::File::create(&movie).unwrap();
        let mut written = 0;
        while stopped.recv_timeout(Duration::from_millis(5)).is_err() {
            file.write_all(b"0123456789").unwrap();
            written += 10;
        }
        written
    });
    desk.write("index.html", "two\n");
    desk.until("index.html", "two\n").await;
    assert_eq!(desk.sandbox("movie.bin"), None, "half a file was committed");
    stop.send(()).unwrap();
    let written = writer.join().unwrap();
    wait_for("the whole file", async || {
        desk.sandbox("movie.bin")
            .filter(|text| text.len() == written)
    })
    .await;
    let with_movie = desk.git(&["log", "--format=%H", "sandbox", "--", "movie.bin"]);
    assert_eq!(with_movie.lines().count(), 1, "it was committed in pieces");
    desk.conductor.end_watch().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_watched_is_said() {
    let desk = Desk::new(&[("index.html", "one\n")], quick()).await;
    let request = WatchRequest {
        on: Some(true),
        environment: Some("nowhere".into()),
        ..WatchRequest::default()
    };
    let problem = desk
        .conductor
        .watch(request, &Identity::owner("ada"))
        .await
        .unwrap_err();
    assert!(problem.is("not-found"), "{problem}");
    desk.git(&["switch", "-q", "-c", "sandbox"]);
    let problem = desk.once().await.unwrap_err();
    assert!(problem.is("sandbox-checked-out"), "{problem}");
    desk.git(&["switch", "-q", "main"]);
    desk.git(&["config", "user.useConfigOnly", "true"]);
    desk.git(&["config", "--unset", "user.email"]);
    desk.write("index.html", "two\n");
    let problem = desk.once().await.unwrap_err();
    assert!(problem.is("identity-missing"), "{problem}");
    assert_eq!(desk.sandbox("index.html").as_deref(), Some("one\n"));
}

/// A file system of its own that can be filled; `None`, with a word why, where that is not allowed.
struct Small(tempfile::TempDir);

impl Small {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr).into_owned();
                println!("skipped: a small file system cannot be mounted here: {why}");
                None
            }
            Err(error) => {
                println!("skipped: a small file system cannot be mounted here: {error}");
                None
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.0.path())
            .status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing() {
    let Some(small) = Small::new() else { return };
    let first = crate::stage::site(&[("index.html", "one\n")]);
    let site = small.0.path().join("site");
    git(
        small.0.path(),
        &["clone", "-q", first.path().to_str().unwrap(), "site"],
    );
    git(&site, &["remote", "remove", "origin"]);
    git(&site, &["config", "user.name", "Ada"]);
    git(&site, &["config", "user.email", "ada@example.org"]);
    let desk = Desk::at(&site, quick()).await;
    desk.turn(true).await;
    desk.told(EventKind::Commit, "Begin where main is").await;
    let tip = desk.git(&["rev-parse", "sandbox"]);
    // First the files, then everything that is left.
    // What does not become smaller when it is stored.
    let mut chance = 1_u32;
    let mut letter = || {
        chance ^= chance << 13;
        chance ^= chance >> 17;
        chance ^= chance << 5;
        char::from(b' ' + u8::try_from(chance % 94).unwrap())
    };
    let text: String = (0..40_000).map(|_| letter()).collect();
    let filler = site.join("filler.tmp");
    let mut size = 4 << 20;
    while size > 0 {
        use std::io::Write;
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&filler)
            .unwrap();
        if file.write_all(&vec![b'x'; size]).is_err() {
            size /= 2;
        }
    }
    // The file is replaced in place: its old pages make room for the new ones.
    let room = std::fs::File::options().write(true).open(&filler).unwrap();
    let long = room.metadata().unwrap().len();
    room.set_len(long - 48 * 1024).unwrap();
    drop(room);
    std::fs::write(site.join("index.html"), &text).unwrap();
    let told = desk.told(EventKind::Error, "disk").await;
    assert!(told.data["hint"].as_str().is_some(), "{told:?}");
    assert_eq!(
        desk.git(&["rev-parse", "sandbox"]),
        tip,
        "something half was committed"
    );
    git(&site, &["fsck", "--strict"]);
    std::fs::remove_file(&filler).unwrap();
    let began = Instant::now();
    desk.until("index.html", &text).await;
    println!("taken {:?} after there was room", began.elapsed());
    desk.conductor.end_watch().await;
}
