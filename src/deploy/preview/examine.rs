//! What is wrong with a site as it would be published: the build fails, links lead nowhere, scripts fail, a check does not
//! pass. Looked at before a repair and after it, in the same way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use regex::Regex;
use std::sync::LazyLock;
use tokio_util::sync::CancellationToken;

use super::{Order, Previews, make};
use crate::deploy::disk;
use crate::deploy::health::{HealthOptions, Prober, Question};
use crate::deploy::host::{Front, Serving};

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Whether the site can be built.
    Build,
    /// Links and files that pages name.
    Links,
    /// What pages write to their consoles as errors.
    Console,
    /// The health check of deployments.
    Check(Box<HealthOptions>),
}

/// Pages that a browser is sent to.
const PAGES: usize = 4;

/// Problems that are told.
const TOLD: usize = 40;

/// Lines of a failed build that are told.
const LINES: usize = 40;

/// Files larger than this are no pages.
const LARGEST: u64 = 4 * 1024 * 1024;

impl Previews {
    /// Looks at a proposal (or, without files, at its base) as it would be published. Each problem is a line; none when
    /// all is well.
    ///
    /// # Errors
    /// Why it cannot be looked at, in a sentence.
    pub async fn examine(&self, look: &Look, order: &Order) -> Result<Vec<String>, String> {
        let serial = getrandom::u64().map_err(|error| error.to_string())?;
        let folder = self.options.folder.join(format!("look-{serial:x}"));
        let scratch = Scratch(folder.clone());
        let alone = self.building.lock().await;
        // Dropping this future ends the build with all that it started.
        let cancel = CancellationToken::new();
        let ended = cancel.clone().drop_guard();
        let made = make::make(&self.options, order, &folder, &|_| order.allow, &cancel).await;
        drop(alone);
        let found = match (look, made) {
            (_, Err(error)) if error.held => Err(error.message),
            (Look::Build, Err(error)) => Ok(failure(error)),
            (_, Err(error)) => Err(format!("the site cannot be built: {}", error.message)),
            (Look::Build, Ok(_)) => Ok(Vec::new()),
            (Look::Links, Ok(made)) => {
                tokio::task::spawn_blocking(move || broken_links(&made.output))
                    .await
                    .map_err(|error| error.to_string())
            }
            (Look::Console, Ok(made)) => self.complaints(made).await,
            (Look::Check(options), Ok(made)) => check(options, made).await,
        };
        drop(ended);
        drop(scratch);
        found
    }

    async fn complaints(&self, made: make::Made) -> Result<Vec<String>, String> {
        let browser = self.options.browser.clone()?;
        let pages = pages(&made.output);
        let stop = CancellationToken::new();
        let _served = stop.clone().drop_guard();
        let front = serve(&made, &stop)?;
        let mut found = Vec::new();
        for page in pages.iter().take(PAGES) {
            let url = format!("{}{}", front.url(), address(page));
            for complaint in browser.complaints(&url).await? {
                // The port is another one each time; what is wrong is the same.
                let base = front.url();
                let source = complaint.source.replace(&base, "/");
                let message = complaint.message.replace(&base, "/");
                let line = format!("/{}: {message} ({source})", address(page));
                if !found.contains(&line) && found.len() < TOLD {
                    found.push(line);
                }
            }
        }
        Ok(found)
    }
}

/// A folder that is removed whatever happens.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = disk::remove_tree(&self.0);
    }
}

fn serve(made: &make::Made, stop: &CancellationToken) -> Result<Arc<Front>, String> {
    // As it is published: without the script that loads pages anew.
    let serving = Serving::default();
    let (front, _) = Front::open("the preview", &[], None, serving, stop.clone())
        .map_err(|error| format!("no port to serve it on: {error}"))?;
    front.show(made.plain.clone(), None);
    Ok(front)
}

async fn check(options: &HealthOptions, made: make::Made) -> Result<Vec<String>, String> {
    let stop = CancellationToken::new();
    let _served = stop.clone().drop_guard();
    let front = serve(&made, &stop)?;
    let prober = Prober::new(options.clone()).map_err(|error| error.to_string())?;
    let base = front.url();
    let probe = prober
        .probe(&Question {
            base: &base,
            release: &made.plain.id,
            candidate: None,
        })
        .await;
    Ok(if probe.ok {
        Vec::new()
    } else {
        vec![format!("{}: {}", options.path, probe.message)]
    })
}

fn failure(error: make::NotMade) -> Vec<String> {
    let from = error.log_tail.len().saturating_sub(LINES);
    let tail = error.log_tail[from..].iter();
    let tail = tail.map(|line| crate::model::ansi::strip(line).into_owned());
    std::iter::once(error.message).chain(tail).collect()
}

/// The pages of a built site, the start page first.
fn pages(root: &Path) -> Vec<String> {
    let mut out: Vec<String> = files(root)
        .into_iter()
        .filter(|file| file.ends_with(".html") || file.ends_with(".htm"))
        .collect();
    out.sort_by_key(|page| {
        (
            page.matches('/').count(),
            page != "index.html",
            page.clone(),
        )
    });
    out
}

/// A page's address below the root.
fn address(page: &str) -> String {
    page.strip_suffix("index.html").unwrap_or(page).to_owned()
}

fn files(root: &Path) -> BTreeSet<String> {
    crate::deploy::local::walk::list(root, false)
        .map(|listing| listing.files.into_iter().map(|found| found.path).collect())
        .unwrap_or_default()
}

static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?is)<(a|link|img|script|source|video|audio|iframe)\b[^>]*?\s(href|src|poster)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))"#).ok()
});

static COMMENTS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?s)<!--.*?-->").ok());

/// What pages of the built site name and what is not there: `about.html: /contcat.html leads nowhere`.
fn broken_links(root: &Path) -> Vec<String> {
    let all = files(root);
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for file in &all {
        let at = root.join(file);
        let small = std::fs::metadata(&at).is_ok_and(|found| found.len() <= LARGEST);
        if small
            && (file.ends_with(".html") || file.ends_with(".htm"))
            && let Ok(text) = std::fs::read_to_string(&at)
        {
            texts.insert(file, text);
        }
    }
    // A single page that answers for every address has no links of files.
    let alone = texts.len() == 1;
    let mut out = Vec::new();
    for (page, text) in &texts {
        for (target, navigates) in named(text) {
            if alone && navigates {
                continue;
            }
            let Some(why) = leads_nowhere(page, &target, &all, &texts) else {
                continue;
            };
            let line = format!("{page}: {target} {why}");
            if !out.contains(&line) && out.len() < TOLD {
                out.push(line);
            }
        }
    }
    out
}

/// The addresses in a page, and whether a person follows them.
fn named(text: &str) -> Vec<(String, bool)> {
    let (Some(names), Some(comments)) = (NAMES.as_ref(), COMMENTS.as_ref()) else {
        return Vec::new();
    };
    let text = comments.replace_all(text, "");
    names
        .captures_iter(&text)
        .filter_map(|found| {
            let value = found
                .get(3)
                .or_else(|| found.get(4))
                .or_else(|| found.get(5))?;
            let value = value.as_str().trim().replace("&amp;", "&");
            Some((value, found[1].eq_ignore_ascii_case("a")))
        })
        .collect()
}

/// Why an address leads nowhere; `None` when it leads somewhere, or elsewhere on the web.
fn leads_nowhere(
    page: &str,
    target: &str,
    all: &BTreeSet<String>,
    texts: &BTreeMap<&str, String>,
) -> Option<&'static str> {
    let scheme = target.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if target.is_empty() || scheme || target.starts_with("//") || target == "#" {
        return None;
    }
    let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
    let path = path.split('?').next().unwrap_or(path);
    let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
    let file = if path.is_empty() {
        Some(page.to_owned())
    } else {
        let mut parts: Vec<&str> = if path.starts_with('/') {
            Vec::new()
        } else {
            let mut folder: Vec<&str> = page.split('/').collect();
            folder.pop();
            folder
        };
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        let plain = parts.join("/");
        let index = |path: &str| {
            if path.is_empty() {
                "index.html".to_owned()
            } else {
                format!("{path}/index.html")
            }
        };
        [plain.clone(), index(&plain), format!("{plain}.html")]
            .into_iter()
            .find(|file| all.contains(file))
    };
    let Some(file) = file else {
        return Some("leads nowhere");
    };
    let fragment = percent_decode_str(fragment).decode_utf8_lossy();
    if fragment.is_empty() || fragment == "top" || fragment.starts_with([':', '!', '/']) {
        return None;
    }
    let text = texts.get(file.as_str())?;
    let there = ["id", "name"].iter().any(|name| {
        text.contains(&format!("{name}=\"{fragment}\""))
            || text.contains(&format!("{name}='{fragment}'"))
            || text.contains(&format!("{name}={fragment}"))
    });
    (!there).then_some("leads to a place that the page does not have")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let at = root.path().join(path);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            std::fs::write(at, text).unwrap();
        };
        put(
            "index.html",
            "<a href=\"about.html\">a</a><a href='/blog/'>b</a><a class=x href=gone.html>c</a>\
             <a href=\"https://example.org/x\">d</a><a href=\"mailto:a@b.c\">e</a><a href=\"#\">f</a>\
             <img alt='' src=\"/img/no.png?x=1\"><!-- <a href=\"never.html\">g</a> --><a href=\"#here\">h</a>\
             <a href=\"about.html#team\">i</a><a href=\"about.html#nobody\">j</a><a href=\"/about\">k</a>",
        );
        put(
            "about.html",
            "<h2 id=\"team\">t</h2><p id=here></p><a href=\"../index.html\">up</a>",
        );
        put(
            "blog/index.html",
            "<a href=\"../about.html\">x</a><a href=\"post.html\">y</a>",
        );
        assert_eq!(
            broken_links(root.path()),
            [
                "blog/index.html: post.html leads nowhere",
                "index.html: gone.html leads nowhere",
                "index.html: /img/no.png?x=1 leads nowhere",
                "index.html: #here leads to a place that the page does not have",
                "index.html: about.html#nobody leads to a place that the page does not have",
            ]
        );
    }

    #[test]
    fn pages_begin_with_the_first() {
        let root = tempfile::tempdir().unwrap();
        for page in ["z.html", "index.html", "a/index.html"] {
            let at = root.path().join(page);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            std::fs::write(at, "x").unwrap();
        }
        assert_eq!(pages(root.path()), ["index.html", "z.html", "a/index.html"]);
        assert_eq!(address("a/index.html"), "a/");
    }
}
