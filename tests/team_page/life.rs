//! The page behind a proxy that has it below a path, answers 502 for a while, and keeps event streams back.

use sayso::model::{EventKind, NewEvent};
use serde_json::json;

use crate::chromium::{Chromium, Tab};
use crate::matrix::{Served, sign_in};
use crate::relay::{BELOW, Mode, Relay};
use crate::rig::TWO;

/// The page's clock runs eight times as fast: its patience is made for people.
const FAST: &str = "(() => {
  window.__streams = 0;
  window.EventSource = class extends window.EventSource {
    constructor(...given) { super(...given); __streams += 1; }
  };
  const later = window.setTimeout, now = Date.now, began = now();
  window.setTimeout = (run, ms, ...rest) => later(run, ms / 8, ...rest);
  Date.now = () => began + (now() - began) * 8;
})()";

async fn tell(served: &Served, message: &str) {
    let event = NewEvent::new(EventKind::Notice, "Bob", json!({ "message": message }));
    served
        .rig
        .conductor
        .log()
        .append(vec![event], vec![])
        .await
        .unwrap();
}

/// Waits for the message in the timeline, where it must be once.
async fn told(tab: &Tab, message: &str) {
    let rows = format!(
        "[...document.querySelectorAll('#timeline .what')].filter(row => row.textContent === '{message}').length"
    );
    tab.until(&format!("{rows} > 0")).await;
    assert_eq!(tab.value(&rows).await, 1, "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_outlives_a_bad_gateway_and_goes_round_one_that_holds_streams_back() {
    let Some(chromium) = Chromium::start().await else {
        return;
    };
    let relay = Relay::start().await;
    let name = relay.addr.to_string();
    let served = Served::start(TWO, |options| {
        options.allowed_hosts.push(name);
        options.heartbeat = std::time::Duration::from_millis(300);
    })
    .await;
    relay.lead_to(served.running.addr);
    let tab = chromium.tab(800, 600).await;
    tab.before_pages(FAST).await;
    tab.open(&format!("http://{}{BELOW}/matrix", relay.addr))
        .await;
    sign_in(&tab).await;
    let link = |state: &str| format!("document.documentElement.dataset.link === '{state}'");
    tab.until(&link("live")).await;
    tell(&served, "before the storm").await;
    told(&tab, "before the storm").await;

    // An event of the log that is called as the browser calls a lost connection.
    let event = NewEvent::new(
        EventKind::Error,
        "Bob",
        json!({ "message": "not understood" }),
    );
    let log = served.rig.conductor.log();
    log.append(vec![event], vec![]).await.unwrap();
    told(&tab, "not understood").await;
    tell(&served, "still there").await;
    told(&tab, "still there").await;
    assert_eq!(tab.value("__streams").await, 1);

    // A restart behind a proxy: one bad answer ends a browser's stream for good.
    relay.turn(Mode::Bad);
    tab.until(&link("waiting")).await;
    assert!(
        tab.text("document.getElementById('link-text').textContent")
            .await
            .contains("trying again")
    );
    tell(&served, "while it was away").await;
    relay.turn(Mode::Pass);
    tab.until(&link("live")).await;
    told(&tab, "while it was away").await;

    // A proxy that keeps streams back: the page asks again and again instead, and nothing is missing.
    relay.turn(Mode::Hold);
    tab.until(&link("polling")).await;
    tell(&served, "behind the dam").await;
    told(&tab, "behind the dam").await;

    // When streams pass again, one is tried after a while.
    relay.turn(Mode::Pass);
    let mut count = 0;
    while tab.value(&link("live")).await != true {
        count += 1;
        assert!(count < 200, "the page stays with polling");
        tell(&served, &format!("drop {count}")).await;
        told(&tab, &format!("drop {count}")).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    tell(&served, "open sea").await;
    for message in [
        "before the storm",
        "while it was away",
        "behind the dam",
        "open sea",
    ] {
        told(&tab, message).await;
    }
    assert_eq!(chromium.complaints(), [] as [String; 0]);
}
