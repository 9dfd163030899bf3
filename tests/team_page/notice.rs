//! `/sayso.js` on a site of another origin, with a policy and styles of its own that it did not ask for.

use std::net::SocketAddr;

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::routing::get;
use reqwest::header::ORIGIN;
use tokio::net::TcpListener;

use crate::chromium::Chromium;
use crate::matrix::Served;
use crate::rig::TWO;
use crate::support::{Server, http};

/// A site of one page, which embeds the notice of `server()`.
async fn site(server: impl Fn() -> String + Clone + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let page = move || {
        let server = server();
        // Styles of its own come from a file; everything inline is refused.
        let policy = format!(
            "default-src 'none'; script-src {server}; connect-src {server}; style-src 'self'; img-src data:"
        );
        let page = format!(
            "<!doctype html><html lang=\"en\"><title>The shop</title><link rel=\"icon\" href=\"data:,\">\
             <link rel=\"stylesheet\" href=\"/site.css\"><h1>The shop</h1>\
             <script src=\"{server}/sayso.js\" data-name=\"The shop\" async></script>"
        );
        let headers = [
            (CONTENT_TYPE, "text/html".to_owned()),
            (CONTENT_SECURITY_POLICY, policy),
        ];
        std::future::ready((headers, page))
    };
    let style = || async {
        let rough = "div, span, button, sayso-notice { display: none !important; font-size: 90px !important }";
        ([(CONTENT_TYPE, "text/css")], rough)
    };
    let router = Router::new()
        .route("/", get(page))
        .route("/site.css", get(style));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    addr
}

/// The notice on the page: `box`, or null where there is none.
const BOX: &str =
    "document.querySelector('sayso-notice')?.shadowRoot.querySelector('.box:not([hidden])')";

#[tokio::test(flavor = "multi_thread")]
async fn a_site_shows_that_it_is_being_deployed_and_then_no_more() {
    let Some(chromium) = Chromium::start().await else {
        return;
    };
    let address = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let known = std::sync::Arc::clone(&address);
    let shop = site(move || known.get().cloned().unwrap_or_default()).await;
    let known = std::sync::Arc::clone(&address);
    let stranger = site(move || known.get().cloned().unwrap_or_default()).await;
    let served = Served::start(TWO, |options| {
        options.notice = true;
        options.origins = vec![format!("http://{shop}")];
    })
    .await;
    address.set(served.url("")).unwrap();
    let rig = &served.rig;
    let tab = chromium.tab(360, 640).await;
    tab.open(&format!("http://{shop}/")).await;
    let elsewhere = chromium.tab(360, 640).await;
    elsewhere.open(&format!("http://{stranger}/")).await;
    tab.until("window.__saysoNotice").await;
    elsewhere.until("window.__saysoNotice").await;
    assert_eq!(tab.value(&format!("Boolean({BOX})")).await, false);

    rig.block();
    let id = rig.ask("production", "Ada Lovelace").await.unwrap();
    rig.at_work(&id).await;
    tab.until(BOX).await;
    tab.until(&format!("{BOX}.querySelector('[role=status]').textContent === 'A new version of The shop is going live'")).await;
    assert!(tab.text(&format!("{BOX}.innerText")).await.contains('%'));
    // In sight, at the bottom right, whatever the site's own styles are.
    let place = tab
        .value(&format!("(({{ left, right, top, bottom, width }}) => [left, right, top, bottom, width])({BOX}.getBoundingClientRect())"))
        .await;
    let place: Vec<f64> = place
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_f64().unwrap())
        .collect();
    assert!(
        place[0] > 0.0
            && place[1] <= 344.5
            && place[2] > 320.0
            && place[3] <= 624.5
            && place[4] > 200.0,
        "{place:?}"
    );
    assert_eq!(
        tab.value(&format!("getComputedStyle({BOX}).fontSize"))
            .await,
        "14px"
    );
    rig.unblock();
    tab.until(&format!("{BOX}?.querySelector('[role=status]').textContent === 'The new version of The shop is live'")).await;
    tab.until(&format!("!({BOX})")).await;

    // What fails is told, too; what somebody closed stays closed until the next time.
    std::fs::write(rig.site.path().join("index.html"), "<h1>two</h1>\n").unwrap();
    rig.commit("two");
    rig.block();
    let id = rig.ask("production", "Ada Lovelace").await.unwrap();
    tab.until(BOX).await;
    rig.at_work(&id).await;
    rig.conductor
        .cancel(&id, &sayso::model::Identity::owner("Ada Lovelace"))
        .await
        .unwrap();
    tab.until(&format!("{BOX}?.innerText.includes('stopped')"))
        .await;
    tab.value(&format!("{BOX}.querySelector('button').click()"))
        .await;
    tab.until(&format!("!({BOX})")).await;
    rig.unblock();
    rig.over(&id).await;
    assert_eq!(
        elsewhere.value(&format!("Boolean({BOX})")).await,
        false,
        "its origin is not listed"
    );
    // The stranger's own complaint is that it may not read the stream.
    let complaints = chromium.complaints();
    assert!(
        complaints
            .iter()
            .all(|text| text.contains("CORS") || text.contains("access")),
        "{complaints:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_read_how_it_stands_and_nothing_else() {
    let off = Server::start().await;
    for path in ["/notice", "/sayso.js"] {
        assert_eq!(
            http().get(off.url(path)).send().await.unwrap().status(),
            404,
            "{path}"
        );
    }
    let served = Served::start(TWO, |options| {
        options.notice = true;
        options.origins = vec!["https://www.example.org".into()];
    })
    .await;
    let ask = |origin: &str, path: &str| {
        http()
            .get(served.url(path))
            .header(ORIGIN, origin.to_owned())
            .send()
    };
    for stranger in [
        "https://example.org",
        "http://www.example.org",
        "null",
        "https://www.example.org.evil.example",
    ] {
        assert_eq!(
            ask(stranger, "/notice").await.unwrap().status(),
            403,
            "{stranger}"
        );
    }
    // The list opens this stream without a token, and nothing else.
    assert_eq!(
        ask("https://www.example.org", "/api/status")
            .await
            .unwrap()
            .status(),
        401
    );
    let mut stream = ask("https://www.example.org", "/notice").await.unwrap();
    assert_eq!(stream.status(), 200);
    assert_eq!(
        stream.headers()["access-control-allow-origin"],
        "https://www.example.org"
    );
    assert!(
        stream
            .headers()
            .get("access-control-allow-credentials")
            .is_none()
    );
    assert!(
        stream.headers()["vary"]
            .to_str()
            .unwrap()
            .contains("origin")
    );
    let done = served.rig.deploy("production").await;
    served.rig.deploy("staging").await;
    let mut text = String::new();
    while !text.contains("\"live\"") {
        let piece = tokio::time::timeout(crate::support::DEADLINE, stream.chunk())
            .await
            .unwrap();
        text.push_str(std::str::from_utf8(&piece.unwrap().unwrap()).unwrap());
    }
    for private in [
        "Ada",
        "ada",
        "site",
        "index",
        "<h1>",
        "staging",
        &done.commit[..7],
        done.release.unwrap().as_str(),
        done.id.as_str(),
    ] {
        assert!(!text.contains(private), "{private}: {text}");
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("data: {")) {
        let told: serde_json::Value = serde_json::from_str(&format!("{{{line}")).unwrap();
        let mut names: Vec<&String> = told.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["environment", "percent", "stage", "state"]);
    }
    // Who comes when it is over is told how it stands.
    let mut late = http()
        .get(served.url("/notice?environment=*"))
        .send()
        .await
        .unwrap();
    let first = late.chunk().await.unwrap().unwrap();
    let first = std::str::from_utf8(&first).unwrap();
    assert!(
        first.contains("event: now") && first.contains("staging"),
        "{first}"
    );
}
