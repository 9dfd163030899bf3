//! The page at `/matrix` in Chromium: by keyboard alone, at 320 pixels, from signing in to LIVE.

use std::sync::Arc;

use sayso::model::Identity;
use sayso::model::api::ApproveDeployment;
use sayso::server::{Running, ServerOptions, serve};
use tokio_util::sync::CancellationToken;

use crate::chromium::{Chromium, Tab};
use crate::rig::{Rig, rig};
use crate::support::{TOKEN, http};

/// Two places, one of them with a gate before it.
const PLACES: &str = "[[environment]]\nname = \"production\"\n\
                      [[environment]]\nname = \"shop\"\napproval = \"ask\"\n";

/// A server on a real site.
pub struct Served {
    pub rig: Rig,
    pub running: Running,
    shutdown: CancellationToken,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Served {
    pub async fn start(text: &str, change: impl FnOnce(&mut ServerOptions)) -> Self {
        let rig = rig(text).await;
        let mut options = ServerOptions::local(TOKEN, "Ada Lovelace");
        change(&mut options);
        let shutdown = CancellationToken::new();
        let running = serve(Arc::clone(&rig.conductor), options, shutdown.clone())
            .await
            .unwrap();
        Self {
            rig,
            running,
            shutdown,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr)
    }
}

/// Signs in by keyboard: the field has the focus already.
pub async fn sign_in(tab: &Tab) {
    tab.until("document.activeElement?.id === 'token'").await;
    tab.type_text(TOKEN).await;
    tab.press("Enter").await;
    tab.until("!document.getElementById('room').hidden").await;
}

/// True while nothing is wider than the window.
async fn fits(tab: &Tab) {
    let width = tab.value("document.documentElement.scrollWidth").await;
    let window = tab.value("innerWidth").await;
    assert!(
        width.as_u64() <= window.as_u64(),
        "{width} in a window of {window}"
    );
}

/// Notes every position of the bar and all that is read out.
const WATCH: &str = r##"(() => {
  window.__bars = [];
  window.__said = [];
  const look = () => {
    for (const bar of document.querySelectorAll("#jobs progress")) if (__bars.at(-1) !== bar.value) __bars.push(bar.value);
    const said = document.getElementById("said").textContent;
    if (said && __said.at(-1) !== said) __said.push(said);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
})()"##;

#[tokio::test(flavor = "multi_thread")]
async fn from_signing_in_to_live_by_keyboard_at_320_pixels() {
    let Some(chromium) = Chromium::start().await else {
        return;
    };
    let served = Served::start(PLACES, |_| {}).await;
    let rig = &served.rig;
    let tab = chromium.tab(320, 640).await;
    tab.open(&served.url("/matrix")).await;
    tab.until("document.activeElement?.id === 'token'").await;
    fits(&tab).await;
    // A token that is not known is refused in words, and may be corrected at once.
    tab.type_text("no-token-of-this-server").await;
    tab.press("Enter").await;
    tab.until("document.getElementById('door-problem').textContent.includes('What to do')")
        .await;
    tab.value("document.getElementById('token').value = ''")
        .await;
    sign_in(&tab).await;
    tab.until("document.documentElement.dataset.link === 'live'")
        .await;
    tab.until("document.getElementById('me').textContent === 'Ada Lovelace, admin'")
        .await;
    assert_eq!(tab.text("localStorage.length + document.cookie").await, "0");
    fits(&tab).await;
    tab.value(WATCH).await;

    // Deploy now: the question names what goes where.
    let commit = rig.commit("two");
    rig.block();
    tab.tab_to("it.id === 'deploy'").await;
    tab.press("Enter").await;
    tab.until("document.getElementById('dialog').open").await;
    tab.press("Escape").await;
    tab.until("!document.getElementById('dialog').open && document.activeElement?.id === 'deploy'")
        .await;
    tab.press("Enter").await;
    tab.until("document.activeElement?.id === 'target'").await;
    let asked = tab
        .text("document.getElementById('dialog').innerText")
        .await;
    assert!(asked.contains("goes to production"), "{asked}");
    fits(&tab).await;
    tab.tab_to("it.id === 'dialog-yes'").await;
    assert_eq!(
        tab.text("document.activeElement.textContent").await,
        "Deploy to production"
    );
    tab.press("Enter").await;
    // The branch moved since the page was loaded: what is confirmed must be what goes.
    tab.until("!document.getElementById('dialog').open || document.getElementById('dialog-problem').textContent.includes('once more')").await;
    if tab.value("document.getElementById('dialog').open").await == true {
        let asked = tab
            .text("document.getElementById('dialog').innerText")
            .await;
        assert!(asked.contains(&commit[..7]), "{asked}");
        tab.tab_to("it.id === 'dialog-yes'").await;
        tab.press("Enter").await;
        tab.until("!document.getElementById('dialog').open").await;
    }
    tab.until(
        "document.querySelector('#jobs .state')?.textContent.includes('Deploying to production')",
    )
    .await;
    tab.until("document.querySelector('#jobs [aria-current=step]')?.textContent.includes('build')")
        .await;
    fits(&tab).await;
    rig.unblock();
    tab.until("document.getElementById('state').textContent === 'Live: production'")
        .await;
    assert_eq!(
        tab.value("document.getElementById('jobs').childElementCount")
            .await,
        0
    );
    let bars = tab.value("__bars").await;
    let bars: Vec<f64> = bars
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|bar| bar.as_f64())
        .collect();
    assert!(
        bars.len() >= 2 && bars.is_sorted() && bars.last() > Some(&0.0),
        "{bars:?}"
    );
    tab.until("__said.includes('Deploying to production') && __said.includes('Live: production')")
        .await;
    // Percentages are for the eye.
    assert_eq!(
        tab.value("__said.some(text => text.includes('%'))").await,
        false
    );
    let site = tab.text("document.getElementById('site').href").await;
    assert_eq!(
        site.trim_end_matches('/'),
        rig.live("production").unwrap().url.trim_end_matches('/')
    );

    // The history says who, what, where, how long and how it ended; a row opens.
    tab.until("document.querySelector('#history summary')")
        .await;
    let row = tab
        .text("document.querySelector('#history summary').innerText")
        .await;
    for part in [
        "live",
        "two",
        &commit[..7],
        "production",
        "Ada Lovelace",
        "ms",
    ] {
        assert!(
            row.contains(part) || (part == "ms" && row.contains(" s")),
            "{part}: {row}"
        );
    }
    tab.tab_to("it.matches('#history summary')").await;
    tab.press("Enter").await;
    let release = rig.live("production").unwrap().release;
    tab.until(&format!(
        "document.querySelector('#history .inside').innerText.includes('{release}')"
    ))
    .await;
    fits(&tab).await;

    a_running_one_is_stopped(&tab, rig).await;
    what_waits_is_approved(&tab, rig).await;
    compact_and_full(&tab, &served).await;

    tab.tab_to("it.id === 'leave'").await;
    tab.press("Enter").await;
    tab.until("!document.getElementById('door').hidden && document.getElementById('room').hidden")
        .await;
    who_may_only_look_is_offered_nothing_else(&tab, &served).await;
    assert_eq!(chromium.complaints(), [] as [String; 0]);
}

async fn who_may_only_look_is_offered_nothing_else(tab: &Tab, served: &Served) {
    served.rig.commit("five");
    let waits = served.rig.ask("shop", "Bob").await.unwrap();
    let asked = serde_json::json!({ "name": "Vera", "role": "viewer" });
    let made = http()
        .post(served.url("/api/tokens"))
        .bearer_auth(TOKEN)
        .json(&asked);
    let made: serde_json::Value = made.send().await.unwrap().json().await.unwrap();
    let token = made["token"].as_str().unwrap();
    tab.open(&served.url("/matrix")).await;
    tab.until("document.activeElement?.id === 'token'").await;
    tab.type_text(token).await;
    tab.press("Enter").await;
    tab.until("document.getElementById('me').textContent === 'Vera, viewer'")
        .await;
    // Everything is seen; nothing is offered; why is said.
    tab.until("document.querySelector('[data-name=shop] .wait')?.innerText.includes('Bob')")
        .await;
    let offered =
        "[...document.querySelectorAll('#room button')].filter(one => one.offsetParent).length";
    assert_eq!(tab.value(offered).await, 0);
    let why = tab.text("document.getElementById('may').textContent").await;
    assert!(why.contains("viewer") && why.contains("deployer"), "{why}");
    // What the page does not offer the server refuses, in words.
    let refused = tab
        .text("call('POST', 'api/sync/deploy', {}).catch(refusal => refusal.message)")
        .await;
    assert!(refused.contains("What to do"), "{refused}");
    // A token that is revoked ends what it opened: the page asks for another one.
    let id = made["id"].as_str().unwrap();
    let revoke = http()
        .delete(served.url(&format!("/api/tokens/{id}")))
        .bearer_auth(TOKEN);
    assert_eq!(revoke.send().await.unwrap().status(), 200);
    tab.until("!document.getElementById('door').hidden").await;
    let conductor = &served.rig.conductor;
    conductor
        .cancel(&waits, &Identity::owner("Bob"))
        .await
        .unwrap();
}

async fn a_running_one_is_stopped(tab: &Tab, rig: &Rig) {
    rig.commit("three");
    rig.block();
    let id = rig.ask("production", "Bob").await.unwrap();
    rig.at_work(&id).await;
    tab.until("document.querySelector('#jobs button')").await;
    tab.tab_to("it.textContent === 'Stop …'").await;
    tab.press("Enter").await;
    tab.until("document.getElementById('dialog').open").await;
    let asked = tab
        .text("document.getElementById('dialog').innerText")
        .await;
    assert!(
        asked.contains("to production") && asked.contains("Bob"),
        "{asked}"
    );
    tab.tab_to("it.id === 'dialog-yes'").await;
    tab.press("Enter").await;
    tab.until("document.getElementById('state').textContent.includes('was stopped')")
        .await;
    rig.over(&id).await;
    rig.unblock();
}

async fn what_waits_is_approved(tab: &Tab, rig: &Rig) {
    // What waits is compared with what is there: so something is there.
    let first = rig.ask("shop", "Bob").await.unwrap();
    rig.conductor
        .approve_deployment(
            &first,
            ApproveDeployment::default(),
            &Identity::owner("Cleo"),
        )
        .await
        .unwrap();
    rig.over(&first).await;
    rig.commit("four");
    let id = rig.ask("shop", "Bob").await.unwrap();
    tab.until("document.querySelector('[data-act=approve]')")
        .await;
    tab.until("__said.includes('Waiting for approval: shop')")
        .await;
    let gate = tab
        .text("document.querySelector('[data-name=shop]').innerText")
        .await;
    assert!(
        gate.contains("one person") && gate.contains("Bob"),
        "{gate}"
    );
    tab.tab_to("it.dataset.act === 'approve'").await;
    tab.press(" ").await;
    tab.until("document.getElementById('dialog').open").await;
    let asked = tab
        .text("document.getElementById('dialog').innerText")
        .await;
    assert!(
        asked.contains("index.html") && asked.contains("four") && asked.contains("to shop"),
        "{asked}"
    );
    tab.tab_to("it.id === 'dialog-yes'").await;
    tab.press("Enter").await;
    let over = rig.over(&id).await;
    assert_eq!(over.gate.unwrap().given[0].actor, "Ada Lovelace");
    tab.until("document.getElementById('state').textContent === 'Live: shop'")
        .await;
}

async fn compact_and_full(tab: &Tab, served: &Served) {
    tab.tab_to("it.id === 'view'").await;
    tab.press("Enter").await;
    let compact = "document.documentElement.dataset.view === 'compact'";
    tab.until(compact).await;
    assert_eq!(
        tab.value("getComputedStyle(document.getElementById('timeline').parentElement).display")
            .await,
        "none"
    );
    assert_eq!(
        tab.value("new URLSearchParams(location.search).get('view')")
            .await,
        "compact"
    );
    // It is remembered, and the address beats the memory.
    tab.open(&served.url("/matrix")).await;
    tab.until(compact).await;
    tab.open(&served.url("/matrix?view=full")).await;
    tab.until("document.documentElement.dataset.view === 'full'")
        .await;
    // A small window, and a frame of a page of this server.
    tab.open(&served.url("/healthz")).await;
    tab.value("document.body.append(Object.assign(document.createElement('iframe'), { src: '/matrix?view=compact', width: 240, height: 160 }))").await;
    let inside = "document.querySelector('iframe').contentDocument";
    tab.until(&format!(
        "{inside}?.documentElement.dataset.link === 'live'"
    ))
    .await;
    tab.until(&format!(
        "{inside}.getElementById('state').textContent === 'Live: shop'"
    ))
    .await;
    assert_eq!(
        tab.value(&format!("{inside}.documentElement.scrollWidth <= 240"))
            .await,
        true
    );
    // Light and dark.
    tab.open(&served.url("/matrix?view=full")).await;
    tab.until("document.documentElement.dataset.link === 'live'")
        .await;
    let mut colours = Vec::new();
    for scheme in ["light", "dark"] {
        let features = serde_json::json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        tab.call("Emulation.setEmulatedMedia", features).await;
        colours.push(
            tab.text("getComputedStyle(document.body).backgroundColor")
                .await,
        );
    }
    assert_ne!(colours[0], colours[1]);
    tab.value(WATCH).await;
}
