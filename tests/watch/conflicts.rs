//! Two clones of one repository, over a real remote, whose sandboxes meet.

use sayso::config::{Config, Conflicts};
use sayso::model::{EventKind, Identity, InstructionState};

use crate::stage::{git, wait_for};
use crate::support::{Desk, own, quick, shared, show};

const PAGE: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";

fn with(line: &str, text: &str) -> String {
    PAGE.replace(line, text)
}

async fn desks(config: impl Fn() -> Config) -> (tempfile::TempDir, Desk, Desk, std::path::PathBuf) {
    let (folder, ada, bob) = shared(&[("index.html", PAGE), ("other.html", "other\n")]);
    let bare = folder.path().join("origin.git");
    let (ada, bob) = (
        Desk::at(&ada, config()).await,
        Desk::at(&bob, config()).await,
    );
    (folder, ada, bob, bare)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clones_that_race_lose_nothing() {
    let (_folder, ada, bob, bare) = desks(quick).await;
    race(ada, bob, &bare).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_do_they_over_http() {
    let (folder, ada, bob) = shared(&[("index.html", PAGE), ("other.html", "other\n")]);
    let address = crate::http_git::serve(folder.path()).await;
    for clone in [&ada, &bob] {
        let origin = format!("{address}/origin.git");
        git(clone, &["remote", "set-url", "origin", &origin]);
    }
    let bare = folder.path().join("origin.git");
    let (ada, bob) = (Desk::at(&ada, quick()).await, Desk::at(&bob, quick()).await);
    race(ada, bob, &bare).await;
}

async fn race(ada: Desk, bob: Desk, bare: &std::path::Path) {
    tokio::join!(ada.turn(true), bob.turn(true));
    for round in 0..3 {
        ada.write("index.html", &with("one", &format!("ada {round}")));
        bob.write("index.html", &with("eight", &format!("bob {round}")));
        ada.write(&format!("ada-{round}.html"), "ada\n");
        bob.write(&format!("bob-{round}.html"), "bob\n");
    }
    let wanted = with("one", "ada 2").replace("eight", "bob 2");
    wait_for("both on the server", async || {
        show(bare, "sandbox", "index.html").filter(|text| *text == wanted)
    })
    .await;
    let all = wait_for("all files on the server", async || {
        let names = git(bare, &["ls-tree", "-r", "--name-only", "sandbox"]);
        (names.lines().count() == 8).then_some(names)
    })
    .await;
    assert!(
        all.contains("ada-2.html") && all.contains("bob-0.html"),
        "{all}"
    );
    tokio::join!(ada.conductor.end_watch(), bob.conductor.end_watch());
    for (desk, mine) in [(&ada, "bob"), (&bob, "ada")] {
        // Files are only read: what the other saved is on the branch, not in the working tree.
        assert!(!desk.site.join(format!("{mine}-0.html")).exists());
        assert!(
            desk.of(EventKind::Error).is_empty(),
            "{:?}",
            desk.of(EventKind::Error)
        );
        let made: Vec<String> = desk
            .of(EventKind::Commit)
            .iter()
            .map(|event| event.data["commit"].as_str().unwrap().to_owned())
            .collect();
        for commit in made {
            // Every commit that was told of is part of what the server has.
            git(bare, &["merge-base", "--is-ancestor", &commit, "sandbox"]);
        }
    }
}

/// Ada's save is on the server; Bob saves the same line.
async fn clash(config: impl Fn() -> Config) -> (tempfile::TempDir, Desk, Desk, std::path::PathBuf) {
    let (folder, ada, bob, bare) = desks(config).await;
    ada.write("index.html", &with("three", "ADA"));
    ada.once().await.unwrap();
    bob.turn(true).await;
    bob.told(EventKind::Notice, "watching").await;
    wait_for("ada's save here", async || {
        bob.sandbox("index.html")
            .filter(|text| text.contains("ADA"))
    })
    .await;
    bob.write("index.html", &with("three", "BOB"));
    (folder, ada, bob, bare)
}

async fn question(bob: &Desk) -> sayso::model::Instruction {
    wait_for("the question", async || {
        let open = bob.conductor.status().await.unwrap().instructions;
        open.into_iter()
            .find(|open| open.state == InstructionState::Asking)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_lines_are_asked_about_and_yes_takes_what_was_saved_here() {
    let (_folder, _ada, bob, bare) = clash(quick).await;
    let asked = question(&bob).await;
    let text = asked.question.clone().unwrap().text;
    assert!(
        text.contains("index.html line 3") && text.contains("by Ada"),
        "{text}"
    );
    // The branch waits, whatever else is saved; and nothing is asked twice.
    let tip = bob.git(&["rev-parse", "sandbox"]);
    bob.write("other.html", "saved meanwhile\n");
    let before = own(&bob.site);
    assert_eq!(
        bob.once().await.unwrap_err().kind,
        "about:sayso/sandbox-conflict"
    );
    assert_eq!(bob.git(&["rev-parse", "sandbox"]), tip);
    assert_eq!(question(&bob).await.id, asked.id);

    bob.conductor
        .answer(&asked.id, true, &Identity::owner("bob"))
        .await
        .unwrap();
    bob.until("index.html", &with("three", "BOB")).await;
    assert_eq!(
        bob.sandbox("other.html").as_deref(),
        Some("saved meanwhile\n")
    );
    let kept = bob.told(EventKind::Notice, "is kept on the branch").await;
    let kept = kept.data["kept"].as_str().unwrap().to_owned();
    assert!(kept.starts_with("sayso/kept/"), "{kept}");
    assert!(
        show(&bob.site, &kept, "index.html")
            .unwrap()
            .contains("ADA")
    );
    wait_for("bob's on the server", async || {
        show(&bare, "sandbox", "index.html").filter(|text| text.contains("BOB"))
    })
    .await;
    assert_eq!(own(&bob.site), before);
    bob.conductor.end_watch().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_takes_what_came_from_there_and_keeps_what_was_saved_here() {
    let (_folder, _ada, bob, _bare) = clash(quick).await;
    let asked = question(&bob).await;
    bob.write("other.html", "of no dispute\n");
    bob.conductor
        .answer(&asked.id, false, &Identity::owner("bob"))
        .await
        .unwrap();
    bob.until("other.html", "of no dispute\n").await;
    assert_eq!(bob.sandbox("index.html"), Some(with("three", "ADA")));
    let kept = bob.told(EventKind::Notice, "is kept on the branch").await;
    let kept = kept.data["kept"].as_str().unwrap().to_owned();
    assert!(
        show(&bob.site, &kept, "index.html")
            .unwrap()
            .contains("BOB")
    );
    // The file itself is as the person saved it, and later saves of other lines go on.
    let file = std::fs::read_to_string(bob.site.join("index.html")).unwrap();
    assert_eq!(file, with("three", "BOB"));
    bob.write(
        "index.html",
        &with("three", "BOB").replace("eight", "later"),
    );
    bob.until(
        "index.html",
        &with("three", "ADA").replace("eight", "later"),
    )
    .await;
    bob.conductor.end_watch().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_request_what_was_saved_here_wins() {
    let wins = || {
        let mut config = quick();
        config.watch.conflicts = Conflicts::SandboxWins;
        config
    };
    let (_folder, _ada, bob, bare) = clash(wins).await;
    bob.until("index.html", &with("three", "BOB")).await;
    let kept = bob.told(EventKind::Notice, "is kept on the branch").await;
    let kept = kept.data["kept"].as_str().unwrap().to_owned();
    assert!(
        show(&bob.site, &kept, "index.html")
            .unwrap()
            .contains("ADA")
    );
    bob.told(EventKind::Notice, "changed on sandbox too").await;
    wait_for("bob's on the server", async || {
        show(&bare, "sandbox", "index.html").filter(|text| text.contains("BOB"))
    })
    .await;
    assert!(
        bob.conductor
            .status()
            .await
            .unwrap()
            .instructions
            .is_empty()
    );
    bob.conductor.end_watch().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_on_both_sides_are_joined_or_asked_about() {
    let (_folder, ada, bob, bare) = desks(quick).await;
    // Bob is offline: his commits are made all the same.
    let address = bob.git(&["remote", "get-url", "origin"]);
    bob.git(&["remote", "set-url", "origin", "file:///nowhere/at/all.git"]);
    bob.write("index.html", &with("three", "BOB"));
    bob.write("bob.html", "bob\n");
    let offline = bob.once().await.unwrap();
    assert!(offline.commit.is_some(), "offline is no error");
    assert!(offline.waiting.unwrap().contains("origin"));
    ada.write("index.html", &with("three", "ADA"));
    ada.once().await.unwrap();
    bob.git(&["remote", "set-url", "origin", &address]);

    let problem = bob.once().await.unwrap_err();
    assert!(problem.is("sandbox-conflict"), "{problem}");
    let asked = question(&bob).await;
    bob.conductor
        .answer(&asked.id, true, &Identity::owner("bob"))
        .await
        .unwrap();
    bob.once().await.unwrap();
    assert_eq!(
        show(&bare, "sandbox", "index.html"),
        Some(with("three", "BOB"))
    );
    assert_eq!(show(&bare, "sandbox", "bob.html").as_deref(), Some("bob\n"));
    let kept = bob.git(&[
        "for-each-ref",
        "--format=%(refname:short)",
        "refs/heads/sayso/kept",
    ]);
    assert!(
        show(&bob.site, &kept, "index.html")
            .unwrap()
            .contains("ADA")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_that_is_over_is_asked_about_no_longer() {
    let (_folder, _ada, bob, _bare) = clash(quick).await;
    let asked = question(&bob).await;
    // Bob takes the line of his own accord.
    bob.write("index.html", &with("three", "ADA").replace("eight", "BOB"));
    bob.until("index.html", &with("three", "ADA").replace("eight", "BOB"))
        .await;
    wait_for("the end of the question", async || {
        let now = bob.conductor.instruction(&asked.id).unwrap();
        now.state.is_final().then_some(())
    })
    .await;
    bob.conductor.end_watch().await;
}
