//! GitHub's Git Data interface: the files of a commit. Text goes along with a tree; all else is stored before it, some
//! files at a time.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::json;

use super::api::{Api, Ask};
use super::data::{Change, To};
use crate::model::Problem;

/// Bytes of text that go into one tree. GitHub refuses bodies of a few megabytes.
const INLINE: usize = 1_000_000;

/// Entries of one tree request.
const ENTRIES: usize = 1_000;

/// A text longer than this goes as a blob of its own.
const LONG_TEXT: usize = 300_000;

/// Files that are stored at a time. GitHub slows down those who ask for much at once.
const AT_ONCE: usize = 6;

/// From more files than this on it is told how many are stored, after each so many.
const MANY: usize = 20;

/// An entry of a tree request. The client library's own leaves out `"sha": null`, which is what deletes.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    path: &'a str,
    mode: String,
    r#type: &'static str,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum What<'a> {
    Content(&'a str),
    Sha(Option<String>),
}

impl Api {
    /// Makes a blob; its id.
    pub async fn make_blob(&self, bytes: &[u8]) -> Result<String, Problem> {
        use base64::Engine;
        let content = base64::engine::general_purpose::STANDARD.encode(bytes);
        let body = json!({ "content": content, "encoding": "base64" });
        let answer = self
            .call(&Ask::make("store a file", "/git/blobs", &body))
            .await?;
        Ok(answer.text("/sha")?.to_owned())
    }

    /// Makes the tree that `base` becomes by these changes; its id. Text goes along with the request; all else, and
    /// what is long, is stored before it.
    pub async fn make_tree(&self, base: &str, changes: &[Change]) -> Result<String, Problem> {
        let stored = self.store(changes).await?;
        let mut tree = base.to_owned();
        let mut entries: Vec<Entry<'_>> = Vec::new();
        let mut size = 0;
        for change in changes {
            let entry = entry(change, &stored)?;
            let more = change.path.len()
                + 60
                + match &entry.what {
                    What::Content(text) => text.len(),
                    What::Sha(_) => 40,
                };
            if !entries.is_empty() && (size + more > INLINE || entries.len() >= ENTRIES) {
                tree = self.one_tree(&tree, &entries).await?;
                entries.clear();
                size = 0;
            }
            size += more;
            entries.push(entry);
        }
        self.one_tree(&tree, &entries).await
    }

    /// Stores the files that do not go along with a tree, some at a time; their ids by path.
    async fn store<'a>(&self, changes: &'a [Change]) -> Result<HashMap<&'a str, String>, Problem> {
        let alone: Vec<(&str, &[u8])> = changes
            .iter()
            .filter_map(|change| match &change.to {
                To::Bytes(_, bytes) if inline(bytes).is_none() => {
                    Some((change.path.as_str(), bytes.as_slice()))
                }
                _ => None,
            })
            .collect();
        let all = alone.len();
        let each = MANY.max(all.div_ceil(10));
        let requests: Vec<_> = alone
            .iter()
            .map(|(_, bytes)| self.make_blob(bytes))
            .collect();
        let mut made = stream::iter(requests).buffered(AT_ONCE);
        let mut ids = Vec::with_capacity(all);
        while let Some(id) = made.try_next().await? {
            ids.push(id);
            if all > MANY && (ids.len() % each == 0 || ids.len() == all) {
                self.say(format!("stored {} of {all} files", ids.len()));
            }
        }
        drop(made);
        Ok(alone.into_iter().map(|(path, _)| path).zip(ids).collect())
    }

    async fn one_tree(&self, base: &str, entries: &[Entry<'_>]) -> Result<String, Problem> {
        let body = json!({ "base_tree": base, "tree": entries });
        let ask = Ask::make("store the files", "/git/trees", &body);
        Ok(self.call(&ask).await?.text("/sha")?.to_owned())
    }
}

/// The text that goes along with a tree; `None` for what is stored before it.
fn inline(bytes: &[u8]) -> Option<&str> {
    // An empty text is no text to some servers.
    let fits = |text: &&str| !text.is_empty() && text.len() <= LONG_TEXT && !text.contains('\0');
    std::str::from_utf8(bytes).ok().filter(fits)
}

/// A change as an entry of a tree request.
fn entry<'a>(change: &'a Change, stored: &HashMap<&str, String>) -> Result<Entry<'a>, Problem> {
    let (mode, what) = match &change.to {
        To::Gone => (0o100_644, What::Sha(None)),
        To::FolderGone => (0o040_000, What::Sha(None)),
        To::Object(mode, oid) => (*mode, What::Sha(Some(oid.clone()))),
        To::Bytes(mode, bytes) => match inline(bytes) {
            Some(text) => (*mode, What::Content(text)),
            None => {
                let id = stored.get(change.path.as_str()).ok_or_else(|| {
                    Problem::internal(format!("{} was not stored on GitHub", change.path))
                })?;
                (*mode, What::Sha(Some(id.clone())))
            }
        },
    };
    Ok(Entry {
        path: &change.path,
        mode: format!("{mode:06o}"),
        r#type: match mode {
            0o160_000 => "commit",
            0o040_000 => "tree",
            _ => "blob",
        },
        what,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use axum::routing::post;
    use axum::{Json, Router};
    use tokio::sync::mpsc::unbounded_channel;

    use super::super::address::Address;
    use super::super::api::Account;
    use serde_json::Value;

    use super::*;
    use crate::config::Secret;

    #[test]
    fn a_deletion_says_null() {
        let entry = |what| {
            serde_json::to_value(Entry {
                path: "a",
                mode: "100644".into(),
                r#type: "blob",
                what,
            })
            .unwrap()
        };
        assert_eq!(
            entry(What::Sha(None)),
            json!({ "path": "a", "mode": "100644", "type": "blob", "sha": null })
        );
        assert_eq!(
            entry(What::Content("x")),
            json!({ "path": "a", "mode": "100644", "type": "blob", "content": "x" })
        );
    }

    /// A GitHub that takes files and trees; the most that it was asked to store at a time, and the trees.
    async fn hub() -> (String, Arc<AtomicUsize>, Arc<Mutex<Vec<Value>>>) {
        let (now, most): (AtomicUsize, Arc<AtomicUsize>) = Default::default();
        let now = Arc::new(now);
        let trees: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (count, kept) = (Arc::clone(&most), Arc::clone(&trees));
        let store = move |Json(body): Json<Value>| {
            let (now, count) = (Arc::clone(&now), Arc::clone(&count));
            async move {
                count.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Later files are faster: their answers come out of order.
                let text = body["content"].as_str().unwrap_or_default().to_owned();
                let pause = 10 + u64::from(text.bytes().last().unwrap_or_default() % 3) * 5;
                tokio::time::sleep(Duration::from_millis(pause)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Json(json!({ "sha": text }))
            }
        };
        let tree = move |Json(body): Json<Value>| {
            kept.lock().unwrap().push(body);
            async { Json(json!({ "sha": "tree" })) }
        };
        let app = Router::new()
            .route("/repos/ada/site/git/blobs", post(store))
            .route("/repos/ada/site/git/trees", post(tree));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (url, most, trees)
    }

    #[tokio::test]
    async fn files_are_stored_some_at_a_time_and_keep_their_places() {
        use base64::Engine;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (api, most, trees) = hub().await;
        let api = Api::new(Account {
            address: Address::parse("ada/site").unwrap(),
            api,
            token: Secret::new("ghp_canary"),
            patience: Duration::from_secs(1),
        })
        .unwrap();
        let (sender, mut told) = unbounded_channel();
        api.tell(sender);
        let bytes = |n: u8| vec![0xff, 0, n];
        let mut changes: Vec<Change> = (0..45)
            .map(|n| Change {
                path: format!("{n}.png"),
                to: To::Bytes(0o100_644, bytes(n)),
            })
            .collect();
        changes.push(Change {
            path: "a.txt".to_owned(),
            to: To::Bytes(0o100_755, b"text".to_vec()),
        });
        assert_eq!(api.make_tree("base", &changes).await.unwrap(), "tree");
        let most = most.load(Ordering::SeqCst);
        assert!(most > 1 && most <= AT_ONCE, "{most} at a time");
        let trees = trees.lock().unwrap();
        let entries = trees[0]["tree"].as_array().unwrap();
        for n in 0..45 {
            let id = base64::engine::general_purpose::STANDARD.encode(bytes(n));
            assert_eq!(entries[usize::from(n)]["sha"], id.as_str());
        }
        assert_eq!((trees.len(), &entries[45]["content"]), (1, &json!("text")));
        let mut words = Vec::new();
        while let Ok(word) = told.try_recv() {
            words.push(word);
        }
        assert_eq!(
            words,
            [20, 40, 45].map(|n| format!("stored {n} of 45 files"))
        );
    }
}
