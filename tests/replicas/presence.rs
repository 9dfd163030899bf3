//! Who is in a room, at servers where the room is not.

use serde_json::{Value, json};

use crate::nats::Nats;
use crate::rig::Clients;
use crate::servers::{Call, Replica, TOKEN, until};
use crate::stage::site;

/// Names of who is in the room `presence`, as a server tells those who follow its events.
async fn listed(call: &Call) -> Vec<String> {
    let page = call.get("api/events?channel=presence").await;
    let list = page["presence"]["presence"].as_array().cloned();
    let names = list.unwrap_or_default().into_iter();
    names
        .filter_map(|one| Some(one["name"].as_str()?.to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_here_is_known_at_every_server() {
    let Some(nats) = Nats::start() else { return };
    let Some(clients) = Clients::start() else {
        return;
    };
    let site = site(&[("index.html", "<h1>one</h1>\n")]);
    let mut all = [(); 3].map(|()| Replica::start(&nats, site.path(), ""));
    let at = all[0].conducted().await;
    for replica in &all[1..] {
        replica.conducted().await;
    }
    // Ada is at a server that does not conduct, Bob at the other such one.
    all.sort_by_key(|replica| replica.url == at);
    let ws = |replica: &Replica| {
        let url = replica.url.trim_end_matches('/');
        url.replacen("http", "ws", 1)
    };
    let ada = clients.open("ada", &ws(&all[0]), "presence", TOKEN).await;
    clients.open("bob", &ws(&all[1]), "presence", TOKEN).await;
    let state = json!({ "user": { "name": "Ada", "color": "#e69f00" }, "pane": "diff" });
    clients
        .tell("present", "ada", json!({ "state": state }))
        .await;
    let here = |bob: &Value| bob["others"][ada.to_string()] == state;
    clients.until("bob", "ada is here", here).await;
    for replica in &all {
        let what = format!("ada is listed at {}", replica.url);
        until(&what, async || {
            listed(replica)
                .await
                .contains(&"Ada".to_owned())
                .then_some(())
        })
        .await;
    }
    // The server dies where the room is: another one keeps it from then on, and knows the same people.
    all[2].kill();
    for replica in &all[..2] {
        let what = format!("another one conducts for {}", replica.url);
        until(&what, async || {
            let now = replica.conductor().await;
            (!now.is_empty() && now != at).then_some(())
        })
        .await;
    }
    let back = |state: &Value| state["synced"] == true && state["closes"] != json!([]);
    clients.until("ada", "she is connected again", back).await;
    clients.until("bob", "ada is back", here).await;
    // What is listed is not what the dead one told: she goes elsewhere, and everybody knows.
    let state = json!({ "user": { "name": "Ada", "color": "#e69f00" }, "pane": "timeline" });
    clients
        .tell("present", "ada", json!({ "state": state }))
        .await;
    for replica in &all[..2] {
        let what = format!("ada is listed anew at {}", replica.url);
        until(&what, async || {
            let page = replica.get("api/events?channel=presence").await;
            let list = page["presence"]["presence"].as_array().cloned()?;
            let ada = |one: &Value| one["name"] == "Ada" && one["pane"] == "timeline";
            list.iter().any(ada).then_some(())
        })
        .await;
    }
    // She goes, and is listed nowhere.
    clients.tell("disconnect", "ada", json!({})).await;
    for replica in &all[..2] {
        let what = format!("ada is gone at {}", replica.url);
        until(&what, async || {
            let there = listed(replica).await;
            (!there.contains(&"Ada".to_owned())).then_some(())
        })
        .await;
    }
}
