//! A release as it is served: everything that can be known before a request comes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderValue;

use super::inject;
use super::kind;
use super::object::{Held, Object, Objects, hold};
use crate::deploy::manifest::Manifest;
use crate::model::ReleaseId;

/// Pages up to this size get the notice's script.
const PAGE: u64 = 4 * 1024 * 1024;

/// Whether addresses of no file are answered with the start page, as single-page applications need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spa {
    /// When the release looks like one: no `404.html`, one HTML page only, and that page mounts a script.
    #[default]
    Auto,
    /// Always, unless there is a `404.html`.
    On,
    /// Never.
    Off,
}

/// A file of a release, ready to be served.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its content.
    pub object: Arc<Object>,
    /// `Content-Type`.
    pub kind: HeaderValue,
    /// `ETag`: strong, from the content alone (and the release when the script is put in, which names it).
    pub etag: HeaderValue,
    /// `Cache-Control`.
    pub cache: HeaderValue,
    /// True when the notice's script may be put into it.
    injectable: bool,
    page: OnceLock<Held>,
}

/// A release in memory.
#[derive(Debug)]
pub struct Site {
    /// Which one.
    pub id: ReleaseId,
    /// The id as a header.
    pub(super) header: HeaderValue,
    files: HashMap<String, Entry>,
    not_found: Option<String>,
    spa: bool,
    snippet: Option<String>,
    objects: Arc<Objects>,
}

impl Site {
    /// Prepares `manifest` for serving; `file` says where a content is by its digest.
    pub(super) fn new(
        manifest: &Manifest,
        objects: Arc<Objects>,
        notice: bool,
        spa: Spa,
        file: &dyn Fn(&str) -> PathBuf,
    ) -> Self {
        let files: HashMap<String, Entry> = manifest
            .files
            .iter()
            .map(|record| {
                let object = objects.get(record, || file(&record.sha256));
                let injectable = notice && kind::is_html(&record.path) && record.size <= PAGE;
                let digest = &record.sha256[..record.sha256.len().min(32)];
                let etag = if injectable {
                    format!("\"{digest}-{}\"", manifest.id)
                } else {
                    format!("\"{digest}\"")
                };
                let cache = if kind::is_fingerprinted(&record.path, manifest.built) {
                    HeaderValue::from_static("public, max-age=31536000, immutable")
                } else {
                    HeaderValue::from_static("no-cache")
                };
                let entry = Entry {
                    object,
                    kind: header(&kind::media_type(&record.path, record.utf8)),
                    etag: header(&etag),
                    cache,
                    injectable,
                    page: OnceLock::new(),
                };
                (record.path.clone(), entry)
            })
            .collect();
        let not_found = ["404.html", "404/index.html"]
            .into_iter()
            .find(|path| files.contains_key(*path))
            .map(str::to_owned);
        let spa = not_found.is_none()
            && match spa {
                Spa::On => files.contains_key("index.html"),
                Spa::Off => false,
                Spa::Auto => looks_like_spa(&files),
            };
        Self {
            id: manifest.id.clone(),
            header: header(manifest.id.as_str()),
            files,
            not_found,
            spa,
            snippet: notice.then(|| inject::snippet(manifest.id.as_str())),
            objects,
        }
    }

    /// The file at `path`.
    pub(super) fn get(&self, path: &str) -> Option<&Entry> {
        self.files.get(path)
    }

    /// True when there is a file at `path`.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The release's own page for what does not exist.
    pub(super) fn not_found(&self) -> Option<&Entry> {
        self.files.get(self.not_found.as_deref()?)
    }

    /// The start page, when it answers for every address.
    pub(super) fn spa(&self) -> Option<&Entry> {
        if self.spa {
            self.files.get("index.html")
        } else {
            None
        }
    }

    /// The whole body of a small file or page; `None` when it is to be streamed from its object.
    ///
    /// # Errors
    /// When the content cannot be read or is not what it should be.
    pub(super) async fn body(&self, entry: &Entry) -> std::io::Result<Option<Bytes>> {
        if let Some(page) = entry.page.get() {
            return Ok(Some(page.bytes.clone()));
        }
        match &self.snippet {
            Some(snippet) if entry.injectable => {
                let plain = entry.object.read().await?;
                let Some(page) = inject::inject(&plain, snippet) else {
                    return Ok(Some(plain));
                };
                if entry.object.is_small()
                    && let Some(held) = hold(self.objects.budget(), &page)
                {
                    let _ = entry.page.set(held);
                }
                Ok(Some(page))
            }
            _ if entry.object.is_small() => entry.object.read().await.map(Some),
            _ => Ok(None),
        }
    }
}

/// Text as a header; what cannot be one (control characters in a name) becomes empty.
pub(super) fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// One page alone that does nothing but start a script.
fn looks_like_spa(files: &HashMap<String, Entry>) -> bool {
    let pages = files.keys().filter(|path| kind::is_html(path)).count();
    let Some(index) = files.get("index.html") else {
        return false;
    };
    if pages != 1 || !index.object.is_small() {
        return false;
    }
    let Ok(text) = std::fs::read(&index.object.file) else {
        return false;
    };
    let text = String::from_utf8_lossy(&text).to_ascii_lowercase();
    let mount = [
        "id=\"root\"",
        "id=\"app\"",
        "id=root",
        "id=app",
        "id=\"__nuxt\"",
        "id=\"svelte\"",
        "<app-root",
    ];
    text.contains("<script") && mount.iter().any(|mark| text.contains(mark))
}
