//! Refusals, limits, broken connections, rivals: each ends in a stated outcome, and nothing is there twice.

use std::sync::Arc;

use futures::FutureExt;
use sayso::model::Problem;
use sayso::vcs::{Committed, Repository};
use serde_json::json;
use tokio::sync::mpsc;

use super::clone::commit;
use super::hub::Hub;
use super::relay::{Act, refusal};
use super::remote;
use super::vcs_support::{Site, file};

const TITLE: &str = "Change the headline";

fn world() -> Option<(Arc<Hub>, Site)> {
    let hub = Hub::new()?;
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    Some((hub, site))
}

async fn try_commit(hub: &Hub, site: &Site) -> Result<Committed, Problem> {
    let repo = hub.cloned(site.open().await, false);
    commit(&repo, site, vec![site.replace("index.html", "Old", "New")]).await
}

/// The requests of a commit with a clone, by method and a part of their path.
const REQUESTS: [(&str, &str); 4] = [
    ("GET", "/git/ref/heads/main"),
    ("POST", "/git/trees"),
    ("POST", "/git/commits"),
    ("PATCH", "/git/refs/heads/main"),
];

#[tokio::test]
async fn a_connection_that_breaks_at_any_request_makes_one_commit() {
    for (method, part) in REQUESTS {
        for act in [
            Act::DropBefore,
            Act::DropAfter,
            Act::Torn,
            Act::Answer(502, Vec::new(), json!("<html>bad gateway</html>")),
            Act::Answer(503, vec![("retry-after", "1".into())], json!({})),
        ] {
            let Some((hub, site)) = world() else { return };
            hub.relay.rule(method, part, act);
            let done = try_commit(&hub, &site).await;
            let done = done.unwrap_or_else(|problem| panic!("{method} {part}: {problem}"));
            assert_eq!(done.commit, hub.head(), "{method} {part}");
            assert_eq!(done.commit, site.head());
            assert_eq!(hub.count(TITLE), 1);
            assert_eq!(site.status(), "");
            hub.relay.assert_described();
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_at_any_request_without_a_clone_makes_one_commit() {
    let acts = [Act::DropBefore, Act::DropAfter, Act::Torn];
    for (number, act) in (0..4).flat_map(|number| acts.clone().map(|act| (number, act))) {
        let Some(hub) = Hub::new() else { return };
        let cache = tempfile::tempdir().unwrap();
        let repo = hub.remote(cache.path(), false).await;
        hub.relay.nth("*", "/git/", number, 1, act);
        let new = sayso::model::Content::text("a\n");
        let change = file("a.html", sayso::model::Content::Absent, new);
        let done = remote::commit(&repo, vec![change]).await;
        let done = done.unwrap_or_else(|problem| panic!("request {number}: {problem}"));
        assert_eq!(done.commit, hub.head(), "request {number}");
        assert_eq!(hub.count(TITLE), 1, "request {number}");
        hub.relay.assert_described();
    }
}

#[tokio::test]
async fn a_token_that_expires_half_way_commits_nothing_and_says_so() {
    for (method, part) in REQUESTS {
        let Some((hub, site)) = world() else { return };
        let before = hub.head();
        let no = Act::Answer(401, Vec::new(), refusal("Bad credentials"));
        hub.relay.nth(method, part, 0, usize::MAX, no.clone());
        // From then on it is refused everywhere.
        hub.relay.nth(
            "GET",
            "/git/ref",
            usize::from(method != "GET"),
            usize::MAX,
            no,
        );
        let problem = try_commit(&hub, &site).await.unwrap_err();
        assert!(problem.is("github-token"), "{method} {part}: {problem}");
        assert_eq!(
            (hub.head(), hub.count(TITLE)),
            (before, 0),
            "{method} {part}"
        );
        assert_eq!(site.read("index.html"), "<h1>Old</h1>\n");
    }
}

#[tokio::test]
async fn a_network_that_is_gone_commits_nothing_and_says_so() {
    let Some((hub, site)) = world() else { return };
    hub.relay
        .nth("POST", "/git/trees", 0, usize::MAX, Act::DropBefore);
    let problem = try_commit(&hub, &site).await.unwrap_err();
    assert!(
        problem.is("github-unreachable") && problem.status == 503,
        "{problem}"
    );
    assert!(problem.hint.unwrap().contains("nothing was committed"));
    assert_eq!(hub.count(TITLE), 0);
    assert_eq!(site.read("index.html"), "<h1>Old</h1>\n");
}

#[tokio::test]
async fn an_outcome_that_cannot_be_known_is_called_unknown_and_found_out_later() {
    let Some((hub, site)) = world() else { return };
    let repo = hub.cloned(site.open().await, false);
    let (send, _lines) = mpsc::unbounded_channel();
    let request = site.request(vec![site.replace("index.html", "Old", "New")]);
    let prepared = repo.prepare(&request, send).await.unwrap();
    // It arrives, its answer does not, and then there is no network.
    hub.relay.rule("PATCH", "/git/refs", Act::DropAfter);
    hub.relay
        .nth("GET", "/git/ref/", 0, usize::MAX, Act::DropBefore);
    let problem = repo.finish(&prepared).await.unwrap_err();
    assert!(problem.is("outcome-unknown"), "{problem}");
    assert_eq!(site.read("index.html"), "<h1>Old</h1>\n");
    // The network is back, and somebody has gone on from our commit.
    hub.relay.clear();
    let theirs = hub.rival(&[("b.html", "b\n")], "Theirs");
    let done = repo.finish(&prepared).await.unwrap();
    assert_eq!(done.commit, prepared.commit);
    assert_eq!(site.head(), prepared.commit);
    assert_eq!(hub.head(), theirs);
    assert_eq!(hub.count(TITLE), 1);
}

#[tokio::test]
async fn a_rival_between_the_look_and_the_move_wins_and_is_not_overwritten() {
    let Some((hub, site)) = world() else { return };
    let rival = Arc::clone(&hub);
    let act = Act::First(Arc::new(move || {
        rival.rival(&[("rival.html", "rival\n")], "Rival");
        async {}.boxed()
    }));
    hub.relay.rule("PATCH", "/git/refs", act);
    let problem = try_commit(&hub, &site).await.unwrap_err();
    assert!(problem.is("stale-base"), "{problem}");
    assert_eq!(hub.messages()[0], "Rival");
    assert_eq!(hub.count(TITLE), 0);
    assert_eq!(site.read("index.html"), "<h1>Old</h1>\n");
}

#[tokio::test]
async fn a_branch_that_vanishes_or_is_set_back_is_not_made_again() {
    let Some((hub, site)) = world() else { return };
    let gone = |message: &str, status| Act::Answer(status, Vec::new(), refusal(message));
    hub.relay
        .rule("PATCH", "/git/refs", gone("Reference does not exist", 422));
    hub.relay
        .nth("GET", "/git/ref/", 1, usize::MAX, gone("Not Found", 404));
    let problem = try_commit(&hub, &site).await.unwrap_err();
    assert!(problem.is("branch-gone"), "{problem}");

    // Set back to before the base while a commit was waiting: a move would bring back what was taken away.
    let Some((hub, site)) = world() else { return };
    let start = site.head();
    let theirs = hub.rival(&[("a.html", "a\n")], "Taken back later");
    assert!(try_commit(&hub, &site).await.unwrap_err().is("stale-base"));
    assert_eq!(site.head(), theirs);
    let repo = hub.cloned(site.open().await, false);
    let (send, _lines) = mpsc::unbounded_channel();
    let request = site.request(vec![site.replace("index.html", "Old", "New")]);
    let prepared = repo.prepare(&request, send).await.unwrap();
    hub.point(&start);
    // As after a restart: nothing is known of when it was prepared.
    let later = hub.cloned(site.open().await, false);
    let problem = later.finish(&prepared).await.unwrap_err();
    assert!(problem.is("stale-base"), "{problem}");
    assert_eq!(hub.head(), start);
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let cases: [(&str, &str, u16, &str, &str, &str); 8] = [
        (
            "GET",
            "/git/ref/",
            401,
            "Bad credentials",
            "github-token",
            "sayso login github",
        ),
        (
            "POST",
            "/git/trees",
            401,
            "Bad credentials",
            "github-token",
            "GITHUB_PAT",
        ),
        (
            "POST",
            "/git/trees",
            404,
            "Not Found",
            "github-not-found",
            "no right",
        ),
        (
            "POST",
            "/git/trees",
            403,
            "Resource not accessible",
            "github-forbidden",
            "Contents: read and write",
        ),
        (
            "GET",
            "/git/ref/",
            409,
            "Git Repository is empty.",
            "github-empty",
            "first commit",
        ),
        (
            "PATCH",
            "/git/refs/",
            422,
            "Reference cannot be updated",
            "branch-protected",
            "signed = true",
        ),
        (
            "PATCH",
            "/git/refs/",
            409,
            "Protected branch",
            "branch-protected",
            "pull request",
        ),
        (
            "PATCH",
            "/git/refs/",
            403,
            "Resource not accessible",
            "github-forbidden",
            "workflow",
        ),
    ];
    for (method, part, status, message, kind, hint) in cases {
        let Some((hub, site)) = world() else { return };
        let before = hub.head();
        hub.relay.rule(
            method,
            part,
            Act::Answer(status, Vec::new(), refusal(message)),
        );
        let problem = try_commit(&hub, &site).await.unwrap_err();
        assert!(problem.is(kind), "{status} at {part}: {problem:?}");
        let told = problem.hint.as_deref().unwrap_or_default();
        assert!(told.contains(hint), "{kind}: {told}");
        assert_eq!(hub.head(), before);
        assert_eq!(site.read("index.html"), "<h1>Old</h1>\n");
    }
    // A repository that cannot be seen answers 404 to everything.
    let Some((hub, site)) = world() else { return };
    hub.relay.nth(
        "*",
        "/repos/",
        0,
        usize::MAX,
        Act::Answer(404, Vec::new(), refusal("Not Found")),
    );
    let problem = try_commit(&hub, &site).await.unwrap_err();
    assert!(problem.is("github-not-found"), "{problem}");
}

#[tokio::test]
async fn limits_are_waited_for_in_sight_of_the_person() {
    let limits = [
        (429, vec![("retry-after", "1".to_owned())], "slow down"),
        (
            403,
            vec![("retry-after", "1".to_owned())],
            "You have exceeded a secondary rate limit",
        ),
    ];
    for (status, headers, message) in limits {
        for (method, part) in REQUESTS {
            let Some((hub, site)) = world() else { return };
            hub.relay.rule(
                method,
                part,
                Act::Answer(status, headers.clone(), refusal(message)),
            );
            let repo = hub.cloned(site.open().await, false);
            let mut told = repo.told().unwrap();
            let change = vec![site.replace("index.html", "Old", "New")];
            let done = commit(&repo, &site, change).await.unwrap();
            assert_eq!(done.commit, hub.head());
            let words = told.recv().await.unwrap();
            assert!(words.contains("1 s"), "{words}");
        }
    }
}

#[tokio::test]
async fn a_limit_that_takes_an_hour_is_told_at_once() {
    let Some((hub, site)) = world() else { return };
    let reset = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        + 3_000;
    let headers = vec![
        ("x-ratelimit-remaining", "0".to_owned()),
        ("x-ratelimit-reset", reset.to_string()),
    ];
    hub.relay.rule(
        "POST",
        "/git/commits",
        Act::Answer(403, headers, refusal("API rate limit exceeded")),
    );
    let problem = try_commit(&hub, &site).await.unwrap_err();
    assert!(problem.is("github-limit"), "{problem}");
    assert!(
        problem.detail.contains("51 minutes") || problem.detail.contains("50 minutes"),
        "{problem}"
    );
    assert_eq!(hub.count(TITLE), 0);
}

#[tokio::test]
async fn a_repository_that_was_renamed_is_followed() {
    for status in [301, 307] {
        let Some(hub) = Hub::new() else { return };
        let cache = tempfile::tempdir().unwrap();
        let repo = hub.remote(cache.path(), false).await;
        let old = format!("/repos/{}", hub.full_name());
        let new = "/repositories/77";
        for (method, route) in [
            ("GET", "/git/ref/heads/main"),
            ("POST", "/git/trees"),
            ("POST", "/git/commits"),
            ("PATCH", "/git/refs/heads/main"),
        ] {
            let place = format!("{}{new}{route}", hub.relay.url);
            let moved = Act::Answer(status, vec![("location", place)], refusal("Moved"));
            hub.relay
                .nth(method, &format!("{old}{route}"), 0, usize::MAX, moved);
        }
        hub.relay
            .nth("*", new, 0, usize::MAX, Act::Elsewhere(new.into(), old));
        let mut told = repo.told().unwrap();
        let change = file(
            "a.html",
            sayso::model::Content::Absent,
            sayso::model::Content::text("a\n"),
        );
        let done = remote::commit(&repo, vec![change]).await.unwrap();
        assert_eq!(done.commit, hub.head());
        assert!(told.recv().await.unwrap().contains("another name"));
        hub.relay.assert_described();
    }
    // The token goes to no other host.
    let Some(hub) = Hub::new() else { return };
    let cache = tempfile::tempdir().unwrap();
    let repo = hub.remote(cache.path(), false).await;
    let place = "http://127.0.0.1:9/repositories/77/git/ref/heads/main".to_owned();
    hub.relay.rule(
        "GET",
        "/git/ref/",
        Act::Answer(301, vec![("location", place)], refusal("Moved")),
    );
    let problem = repo.status().await.unwrap_err();
    assert!(problem.is("github-moved"), "{problem}");
}

#[tokio::test]
async fn a_token_without_the_right_to_write_is_told_before_anything_is_sent() {
    let Some(hub) = Hub::new() else { return };
    let about = json!({
        "default_branch": "main", "full_name": hub.full_name(), "permissions": { "push": false },
    });
    hub.relay.rule(
        "GET",
        &format!("/repos/{}", hub.full_name()),
        Act::Answer(200, Vec::new(), about),
    );
    let cache = tempfile::tempdir().unwrap();
    let repo = hub.remote(cache.path(), false).await;
    let change = file(
        "a.html",
        sayso::model::Content::Absent,
        sayso::model::Content::text("a\n"),
    );
    let problem = remote::commit(&repo, vec![change]).await.unwrap_err();
    assert!(problem.is("github-forbidden"), "{problem}");
    assert!(
        hub.relay
            .take()
            .iter()
            .all(|seen| seen.method == "GET" && seen.status == 200)
    );
}
