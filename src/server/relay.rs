//! Several servers of one project: who is in which room is known where the rooms are, and told to the others.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::App;

/// What servers call it among each other.
const TOPIC: &str = "here";

/// All of it is told so often: for servers that have just begun.
const ALL: Duration = Duration::from_secs(4);

/// A place that nobody has told anything of for so long is empty: the server it was at is gone.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// Who is in a place.
pub(super) type List = (String, Vec<Value>);

/// Tells the other servers `told`, and takes what they tell, until the server ends.
pub(super) async fn relay(app: App, mut told: mpsc::UnboundedReceiver<List>) {
    let log = app.conductor.log().clone();
    let Some(remote) = log.remote() else { return };
    let mut heard = match remote.heard(TOPIC).await {
        Ok(heard) => Box::pin(heard),
        Err(problem) => {
            tracing::error!(%problem, "who is at other servers is not known here");
            return;
        }
    };
    let say = async |list: &List| match serde_json::to_vec(list) {
        Ok(bytes) => remote.tell(TOPIC, bytes).await,
        Err(error) => tracing::error!(%error, "who is here cannot be told"),
    };
    let mut ours: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut theirs: BTreeMap<String, (Instant, Vec<Value>)> = BTreeMap::new();
    let mut tick = interval(ALL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            list = told.recv() => {
                let Some((place, here)) = list else { return };
                say(&(place.clone(), here.clone())).await;
                match here.is_empty() {
                    true => ours.remove(&place),
                    false => ours.insert(place, here),
                };
            }
            list = heard.next() => {
                let list: Option<List> = list.and_then(|bytes| serde_json::from_slice(&bytes).ok());
                let Some((place, here)) = list.filter(|_| !log.conducts()) else { continue };
                let before = theirs.insert(place.clone(), (Instant::now(), here.clone()));
                if before.is_none_or(|(_, before)| before != here) {
                    app.presence.publish(&place, here);
                }
            }
            _ = tick.tick() => {
                if log.conducts() {
                    for (place, here) in &ours {
                        say(&(place.clone(), here.clone())).await;
                    }
                }
                theirs.retain(|place, (at, _)| {
                    let known = at.elapsed() < FORGOTTEN;
                    if !known && !ours.contains_key(place) {
                        app.presence.publish(place, Vec::new());
                    }
                    known
                });
            }
        }
    }
}
