//! The HTTP face.

use std::time::Duration;

use sayso::deploy::DeployTarget;
use sayso::deploy::host::Spa;
use sayso::model::{DeploymentState, Progress, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::*;

#[tokio::test]
async fn equal_size_and_time_never_mean_equal_content() {
    let rig = rig(|_| {}).await;
    rig.deploy(Commit::page("one")).await.unwrap();
    let first = rig.get("/").await;
    let tag = first.header("etag").unwrap().to_owned();
    let again = fetch(rig.port(), "GET", "/", &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    assert_eq!(again.header("cache-control"), Some("no-cache"));

    rig.deploy(Commit::page("two")).await.unwrap();
    let after = fetch(rig.port(), "GET", "/", &[("if-none-match", &tag)]).await;
    assert_eq!((after.status, after.text()), (200, page("two")));
    assert_ne!(after.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn what_must_not_be_reached_is_not() {
    let rig = rig(|_| {}).await;
    std::fs::write(rig.dir.join("secret.txt"), "TOP SECRET").unwrap();
    let source = Commit::of(
        "c",
        [
            ("index.html", page("home")),
            (".env", "TOP SECRET".into()),
            ("docs/.htpasswd", "TOP SECRET".into()),
            (".well-known/security.txt", "Contact: us".into()),
            ("sayso.toml", "TOP SECRET".into()),
        ],
    );
    rig.deploy(source).await.unwrap();
    for path in [
        "/.env",
        "/%2eenv",
        "/docs/.htpasswd",
        "/../secret.txt",
        "/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/docs/../../../secret.txt",
        "//../secret.txt",
        "/./.env",
        "/index.html%00.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/sayso.toml",
        "/manifest.json",
    ] {
        let answer = rig.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("TOP SECRET"), "{path}");
    }
    assert_eq!(
        rig.get("/.well-known/security.txt").await.text(),
        "Contact: us"
    );
    let absolute = format!("http://127.0.0.1:{}/../secret.txt", rig.port());
    assert_eq!(rig.get(&absolute).await.status, 404);
}

#[tokio::test]
async fn addresses_types_and_errors_are_as_expected() {
    let rig = rig(|_| {}).await;
    let source = Commit::of(
        "c",
        [
            ("index.html", page("home")),
            ("about.html", page("about")),
            ("blog/index.html", page("blog")),
            ("404.html", page("lost")),
            ("style.css", "body{}".into()),
            ("latin.html", "<!doctype html><meta charset=latin1>".into()),
        ],
    );
    rig.deploy(source).await.unwrap();
    assert_eq!(rig.get("/about").await.text(), page("about"));
    assert_eq!(rig.get("/about?x=1").await.text(), page("about"));
    assert_eq!(rig.get("/blog/").await.text(), page("blog"));
    let to = rig.get("/blog?a=b&c=d").await;
    assert_eq!(
        (to.status, to.header("location")),
        (308, Some("/blog/?a=b&c=d"))
    );
    assert_eq!(to.header("cache-control"), Some("no-cache"));
    let away = rig.get("//evil.example/%2e%2e").await;
    assert!(away.header("location").is_none(), "{away:?}");

    let css = rig.get("/style.css").await;
    assert_eq!(css.header("content-type"), Some("text/css; charset=utf-8"));
    let missing = rig.get("/assets/gone.js").await;
    assert_eq!((missing.status, missing.text()), (404, page("lost")));
    assert!(missing.header("etag").is_none());

    let head = fetch(rig.port(), "HEAD", "/style.css", &[]).await;
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, Some("6"), 0)
    );
    for method in ["POST", "PUT", "DELETE"] {
        let answer = fetch(rig.port(), method, "/", &[]).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD, OPTIONS"))
        );
    }
    assert_eq!(fetch(rig.port(), "OPTIONS", "/", &[]).await.status, 204);
}

#[tokio::test]
async fn parts_of_small_and_large_files_are_served() {
    let rig = rig(|_| {}).await;
    let large: Vec<u8> = (0..400_000u32).map(|n| (n % 251) as u8).collect();
    let source = Commit::of(
        "c",
        [
            ("index.html", page("home").into_bytes()),
            ("small.txt", b"0123456789".to_vec()),
            ("large.bin", large.clone()),
            ("empty.txt", Vec::new()),
        ],
    );
    rig.deploy(source).await.unwrap();
    let part = |path: &'static str, range: &'static str| {
        let port = rig.port();
        async move { fetch(port, "GET", path, &[("range", range)]).await }
    };
    let answer = part("/small.txt", "bytes=2-4").await;
    assert_eq!((answer.status, answer.text().as_str()), (206, "234"));
    assert_eq!(answer.header("content-range"), Some("bytes 2-4/10"));
    let answer = part("/large.bin", "bytes=300000-").await;
    assert_eq!((answer.status, &answer.body[..]), (206, &large[300_000..]));
    let answer = part("/large.bin", "bytes=-5").await;
    assert_eq!(&answer.body[..], &large[399_995..]);
    let answer = part("/small.txt", "bytes=10-").await;
    assert_eq!(
        (answer.status, answer.header("content-range")),
        (416, Some("bytes */10"))
    );
    assert_eq!(
        part("/small.txt", "bytes=0-1,3-4").await.text(),
        "0123456789"
    );
    assert_eq!(part("/empty.txt", "bytes=0-").await.status, 416);
    assert_eq!(rig.get("/large.bin").await.body, large);
    assert_eq!(
        rig.get("/large.bin").await.header("accept-ranges"),
        Some("bytes")
    );
}

#[tokio::test]
async fn only_requests_to_this_machine_are_answered() {
    let rig = rig(|_| {}).await;
    rig.deploy(Commit::page("one")).await.unwrap();
    for host in ["evil.example", "127.0.0.1.evil.example", ""] {
        let answer = fetch(rig.port(), "GET", "/", &[("host", host)]).await;
        assert_eq!(answer.status, 421, "{host}");
        assert!(!answer.text().contains("one"));
    }
    let named = format!("localhost:{}", rig.port());
    assert_eq!(
        fetch(rig.port(), "GET", "/", &[("host", &named)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_candidate_is_shown_to_nobody_who_guesses_its_name() {
    let rig = rig(|options| options.environments.push(("staging".into(), 0))).await;
    let first = rig.deploy(Commit::page("one")).await.unwrap().release;
    rig.deploy(Commit::page("two")).await.unwrap();
    for value in [
        first.to_string(),
        format!("{first}:"),
        format!("{first}:0000"),
        ":".into(),
    ] {
        let answer = fetch(rig.port(), "GET", "/", &[("x-sayso-candidate", &value)]).await;
        assert_eq!(answer.text(), page("two"), "{value}");
    }
}

#[tokio::test]
async fn open_pages_still_find_the_assets_they_came_with() {
    let rig = rig(|_| {}).await;
    let site = |n: &str| {
        Commit::of(
            n,
            [
                ("index.html".to_owned(), page(n)),
                (format!("app.{n}.js"), format!("// {n}")),
                (format!("{n}.html"), page(n)),
                (format!("{n}.pdf"), n.to_owned()),
            ],
        )
    };
    rig.deploy(site("one")).await.unwrap();
    rig.deploy(site("two")).await.unwrap();
    assert_eq!(rig.get("/app.one.js").await.text(), "// one");
    assert_eq!(rig.get("/app.two.js").await.text(), "// two");
    // Pages and documents that were taken away are gone.
    assert_eq!(rig.get("/one.html").await.status, 404);
    assert_eq!(rig.get("/one").await.status, 404);
    assert_eq!(rig.get("/one.pdf").await.status, 404);
    rig.deploy(site("three")).await.unwrap();
    assert_eq!(rig.get("/app.one.js").await.status, 404);
    let rig = rig.reopen(|_| {}).await;
    let port = rig.port();
    for _ in 0..1000 {
        if fetch(port, "GET", "/app.two.js", &[]).await.status == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the assets of the release before are not served after a start");
}

#[tokio::test]
async fn an_application_of_one_page_answers_navigations_only() {
    let app = "<!doctype html><div id=\"root\"></div><script src=/app.js></script>";
    let site = || Commit::of("c", [("index.html", app), ("app.js", "1")]);
    let html = [("accept", "text/html,application/xhtml+xml")];
    let rig = rig(|_| {}).await;
    rig.deploy(site()).await.unwrap();
    let deep = fetch(rig.port(), "GET", "/user/42", &html).await;
    assert_eq!((deep.status, deep.text().as_str()), (200, app));
    assert_eq!(
        fetch(rig.port(), "GET", "/assets/gone.js", &html)
            .await
            .status,
        404
    );
    assert_eq!(
        fetch(rig.port(), "GET", "/user/42", &[("accept", "*/*")])
            .await
            .status,
        404
    );
    assert_eq!(fetch(rig.port(), "GET", "/.env", &html).await.status, 404);

    let rig = rig.reopen(|options| options.spa = Spa::Off).await;
    assert_eq!(
        fetch(rig.port(), "GET", "/user/42", &html).await.status,
        404
    );

    // A site of pages is not an application.
    let rig = rig.reopen(|_| {}).await;
    rig.deploy(Commit::of("d", [("index.html", app), ("about.html", app)]))
        .await
        .unwrap();
    assert_eq!(
        fetch(rig.port(), "GET", "/user/42", &html).await.status,
        404
    );
}

#[tokio::test]
async fn pages_carry_the_notice_and_nothing_else_does() {
    let rig = rig(|options| options.notice = true).await;
    let waiting = rig.get("/").await;
    assert_eq!(waiting.status, 503);
    assert!(waiting.text().contains("/__sayso/client.js"));
    let site = |css: &str| {
        Commit::of(
            css,
            [
                ("index.html", page("one")),
                ("part.html", "<li>".into()),
                ("a.css", css.to_owned()),
            ],
        )
    };
    let first = rig.deploy(site("a{}")).await.unwrap().release;
    let answer = rig.get("/").await;
    let text = answer.text();
    let script = format!(
        "<script src=\"/__sayso/client.js\" data-release=\"{first}\" async></script></body>"
    );
    assert!(text.contains(&script), "{text}");
    assert_eq!(rig.get("/part.html").await.text(), "<li>");
    assert_eq!(rig.get("/a.css").await.text(), "a{}");
    let head = fetch(rig.port(), "HEAD", "/", &[]).await;
    assert_eq!(
        head.header("content-length"),
        Some(text.len().to_string().as_str())
    );
    let client = rig.get("/__sayso/client.js").await;
    assert_eq!(
        client.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );

    // The page names its release, so the same page of another release is another page.
    let tag = answer.header("etag").unwrap().to_owned();
    rig.deploy(site("b{}")).await.unwrap();
    let after = fetch(rig.port(), "GET", "/", &[("if-none-match", &tag)]).await;
    assert_eq!(after.status, 200);

    let rig = rig.reopen(|_| {}).await;
    assert_eq!(rig.home().await, page("one"));
    assert_eq!(rig.get("/__sayso/client.js").await.status, 404);
    assert_eq!(rig.get("/__sayso/events").await.status, 404);
}

/// Reads the event stream until its text contains `mark`.
async fn read_until(stream: &mut TcpStream, text: &mut String, mark: &str) {
    let mut chunk = [0; 4096];
    while !text.contains(mark) {
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut chunk)).await;
        let read = read
            .unwrap_or_else(|_| panic!("no {mark} in {text}"))
            .unwrap();
        assert!(read > 0, "the stream ended: {text}");
        text.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
    }
}

#[tokio::test]
async fn open_pages_hear_of_progress_and_of_releases() {
    let rig = rig(|options| options.notice = true).await;
    let first = rig.deploy(Commit::page("one")).await.unwrap().release;
    let connect = || async {
        let mut stream = TcpStream::connect(("127.0.0.1", rig.port())).await.unwrap();
        let ask =
            "GET /__sayso/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n";
        stream.write_all(ask.as_bytes()).await.unwrap();
        stream
    };
    let mut stream = connect().await;
    let mut text = String::new();
    read_until(
        &mut stream,
        &mut text,
        &format!("event: release\ndata: {{\"release\":\"{first}\"}}"),
    )
    .await;
    assert!(
        text.contains("text/event-stream") && !text.contains("event: progress"),
        "{text}"
    );

    let progress = Progress {
        percent: 42,
        stage: Stage::Build,
        message: "builds\nthe site".into(),
        eta_ms: Some(900),
    };
    rig.target
        .announce(PRODUCTION, &progress, DeploymentState::Running);
    read_until(&mut stream, &mut text, "\"percent\":42").await;
    assert!(
        text.contains("event: progress") && text.contains("\"stage\":\"build\""),
        "{text}"
    );
    assert!(text.contains("\"state\":\"running\""), "{text}");

    let second = rig.deploy(Commit::page("two")).await.unwrap().release;
    read_until(&mut stream, &mut text, second.as_str()).await;
    rig.target.announce(
        PRODUCTION,
        &Progress {
            percent: 100,
            ..progress
        },
        DeploymentState::Live,
    );
    read_until(&mut stream, &mut text, "\"state\":\"live\"").await;

    // A page that was just loaded anew still hears how it ended.
    let mut late = connect().await;
    let mut text = String::new();
    read_until(&mut late, &mut text, second.as_str()).await;
    assert!(
        text.contains("\"state\":\"live\"") && text.contains("\"ended_ms\":"),
        "{text}"
    );

    rig.target.close().await;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the stream outlived its host");
}

#[tokio::test]
async fn a_name_of_the_sites_own_is_answered_and_no_other() {
    let rig = rig(|options| options.hosts = vec!["www.example.org".into()]).await;
    rig.deploy(Commit::page("one")).await.unwrap();
    for (host, status) in [
        ("www.example.org", 200),
        ("WWW.example.org:8080", 200),
        ("example.org", 421),
        ("www.example.org.evil.example", 421),
        ("localhost", 200),
    ] {
        let answer = fetch(rig.port(), "GET", "/", &[("host", host)]).await;
        assert_eq!(answer.status, status, "{host}");
    }
    // Served to everybody, it has no names to hide behind.
    let rig = rig
        .reopen(|options| options.listen = "0.0.0.0".parse().unwrap())
        .await;
    let answer = fetch(rig.port(), "GET", "/", &[("host", "any.example")]).await;
    assert_eq!(answer.status, 200);
    assert!(
        rig.target
            .url(PRODUCTION)
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
}
