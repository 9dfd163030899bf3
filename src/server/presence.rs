//! Who is here: told to event streams with the channel `presence`, and given with a long-poll's page.
//!
//! Nothing of it is in the log: it is true now or not at all. A list stands for one place: a room, whose part of the
//! server says who is in it, or [`SERVER`], where everybody with an open event stream is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::sync::broadcast;

/// The place where everybody is who follows the events of this server.
pub(super) const SERVER: &str = "server";

/// Who comes back so soon was never away: a reader whose connection was cut does not leave and enter.
const AWAY: Duration = Duration::from_secs(2);

/// Changes that a reader may be behind; one that is further behind is told everything anew.
const BEHIND: usize = 64;

/// Everybody, by place.
pub(super) struct Presence {
    lists: Mutex<Lists>,
    news: broadcast::Sender<Bytes>,
    away: Duration,
}

#[derive(Default)]
struct Lists {
    places: BTreeMap<String, Value>,
    /// Open streams by who reads them; 0 for who may still come back.
    streams: BTreeMap<String, usize>,
}

impl Default for Presence {
    fn default() -> Self {
        Self::new(AWAY)
    }
}

impl Presence {
    fn new(away: Duration) -> Self {
        Self {
            lists: Mutex::default(),
            news: broadcast::channel(BEHIND).0,
            away,
        }
    }

    /// Who is in `place` from now on, each an object with at least a `name`; nobody removes the place.
    #[allow(dead_code, reason = "rooms tell it who is in them")]
    pub(super) fn publish(&self, place: &str, here: Vec<Value>) {
        self.tell(&mut self.lock(), place, here);
    }

    /// Everybody as a frame, and the frames of what changes from then on.
    pub(super) fn subscribe(&self) -> (Bytes, broadcast::Receiver<Bytes>) {
        let lists = self.lock();
        let all = json!({ "places": lists.places, "all": true });
        (frame(&all), self.news.subscribe())
    }

    /// Everybody, by place.
    pub(super) fn all(&self) -> Value {
        json!(self.lock().places)
    }

    /// `name` follows the events until the guard is dropped.
    pub(super) fn enter(self: &Arc<Self>, name: &str) -> Here {
        let mut lists = self.lock();
        let count = lists.streams.entry(name.to_owned()).or_insert(0);
        *count += 1;
        let new = *count == 1;
        // Who is listed already, because it may come back, is no news.
        if new && !is_listed(&lists, name) {
            self.tell_streams(&mut lists);
        }
        Here {
            presence: Arc::clone(self),
            name: name.to_owned(),
        }
    }

    /// One stream of `name` ended: it is gone unless another one is there by then.
    fn leave(self: &Arc<Self>, name: String) {
        {
            let mut lists = self.lock();
            let Some(count) = lists.streams.get_mut(&name) else {
                return;
            };
            *count = count.saturating_sub(1);
            if *count > 0 {
                return;
            }
        }
        let presence = Arc::clone(self);
        // At the very end of the process nobody is left to be told.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(presence.away).await;
                let mut lists = presence.lock();
                if lists.streams.get(&name) == Some(&0) {
                    lists.streams.remove(&name);
                    presence.tell_streams(&mut lists);
                }
            });
        }
    }

    fn tell_streams(&self, lists: &mut Lists) {
        let here = lists
            .streams
            .keys()
            .map(|name| json!({ "name": name }))
            .collect();
        self.tell(lists, SERVER, here);
    }

    fn tell(&self, lists: &mut Lists, place: &str, here: Vec<Value>) {
        if here.is_empty() {
            if lists.places.remove(place).is_none() {
                return;
            }
        } else {
            lists.places.insert(place.to_owned(), json!(here));
        }
        let mut places = Map::new();
        places.insert(place.to_owned(), json!(here));
        // No reader is no error.
        let _ = self.news.send(frame(&json!({ "places": places })));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_listed(lists: &Lists, name: &str) -> bool {
    let listed = lists.places.get(SERVER).and_then(Value::as_array);
    listed.is_some_and(|here| here.iter().any(|one| one["name"] == name))
}

/// Without an id: a reader's position is in the log, and this is not.
fn frame(data: &Value) -> Bytes {
    format!("event: presence\ndata: {data}\n\n").into()
}

/// Somebody who follows the events.
pub(super) struct Here {
    presence: Arc<Presence>,
    name: String,
}

impl Drop for Here {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        self.presence.leave(name);
    }
}

/// What a reader of presence waits for.
pub(super) struct Watch {
    presence: Arc<Presence>,
    first: Option<Bytes>,
    news: broadcast::Receiver<Bytes>,
}

impl Watch {
    pub(super) fn new(presence: &Arc<Presence>) -> Self {
        let (first, news) = presence.subscribe();
        Self {
            presence: Arc::clone(presence),
            first: Some(first),
            news,
        }
    }

    /// The next frame: everybody at first, then what changes. Safe to drop half-way.
    pub(super) async fn next(&mut self) -> Bytes {
        if let Some(first) = self.first.take() {
            return first;
        }
        match self.news.recv().await {
            Ok(frame) => frame,
            // `Closed` cannot be: the sender is in the presence that is held here.
            Err(_) => {
                let (all, news) = self.presence.subscribe();
                self.news = news;
                all
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(frame: &Bytes) -> Value {
        let text = std::str::from_utf8(frame).unwrap();
        let data = text.strip_prefix("event: presence\ndata: ").unwrap();
        serde_json::from_str(data.strip_suffix("\n\n").unwrap()).unwrap()
    }

    #[tokio::test]
    async fn who_comes_back_soon_was_never_away() {
        let away = Duration::from_millis(50);
        let presence = Arc::new(Presence::new(away));
        let mut watch = Watch::new(&presence);
        assert_eq!(
            data(&watch.next().await),
            json!({ "places": {}, "all": true })
        );
        let ada = presence.enter("ada");
        let second = presence.enter("ada");
        let server = |names: &[&str]| {
            let here: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
            json!({ "places": { "server": here } })
        };
        assert_eq!(data(&watch.next().await), server(&["ada"]));
        drop(second);
        drop(ada);
        let again = presence.enter("ada");
        tokio::time::sleep(away * 4).await;
        let bob = presence.enter("bob");
        // Nothing was told in between.
        assert_eq!(data(&watch.next().await), server(&["ada", "bob"]));
        drop(again);
        assert_eq!(data(&watch.next().await), server(&["bob"]));
        drop(bob);
        assert_eq!(data(&watch.next().await), server(&[]));
        assert_eq!(presence.all(), json!({}));
    }

    #[tokio::test]
    async fn a_room_tells_who_is_in_it_and_a_slow_reader_is_told_everything() {
        let presence = Arc::new(Presence::default());
        let mut watch = Watch::new(&presence);
        watch.next().await;
        presence.publish(
            "proposal:pro_1",
            vec![json!({ "name": "ada", "pane": "diff" })],
        );
        presence.publish("proposal:pro_2", vec![]);
        assert_eq!(
            data(&watch.next().await)["places"]["proposal:pro_1"][0]["pane"],
            "diff"
        );
        for n in 0..3 * BEHIND {
            presence.publish("project:site", vec![json!({ "name": "bob", "cursor": n })]);
        }
        let all = data(&watch.next().await);
        assert_eq!(all["all"], true);
        assert_eq!(all["places"]["project:site"][0]["cursor"], 3 * BEHIND - 1);
        assert_eq!(all["places"]["proposal:pro_1"][0]["name"], "ada");
    }
}
