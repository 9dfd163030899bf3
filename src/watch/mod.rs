//! Watching a working tree: that something changed, and when it has settled.
//!
//! Which files count is decided by git when a commit is made of them; this room only says when to ask it, and keeps
//! what can never count (`node_modules/`, what `.gitignore` names) from asking all the time. [`Settle`] is pure: moments
//! in, moments out. [`Watch`] is the thin edge: a thread that the system tells of changes, or that looks by itself
//! where the system tells nothing.

mod native;
mod poll;
mod rules;
mod settle;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

pub use rules::{EXCLUDED, Rules, exclusions};
pub use settle::{Pace, Settle, Taken};

use crate::model::Problem;

/// More changed paths than these are not told one by one.
const MANY: usize = 20_000;

/// What is watched.
#[derive(Clone, Debug)]
pub struct Options {
    /// The top of the working tree.
    pub root: PathBuf,
    /// git's own folder: changes in it are none of the tree's.
    pub git_dir: PathBuf,
    /// Patterns of what is left out besides [`EXCLUDED`], as `.gitignore` has them.
    pub exclude: Vec<String>,
    /// Files that git tracks though a pattern leaves them out: they count.
    pub tracked: Vec<String>,
    /// Look so often instead of being told; `None`: only where the system tells nothing.
    pub poll: Option<Duration>,
}

/// How changes are noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// The system tells.
    Told {
        /// Folders it was asked about; 0 where one question is enough.
        folders: usize,
    },
    /// Every file is looked at now and then.
    Looking {
        /// How often at least.
        every: Duration,
        /// Why, for people.
        why: String,
    },
}

/// What changed since it was asked for last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Paths from the root.
    pub paths: Vec<String>,
    /// More than can be named, or nobody knows what.
    pub all: bool,
    /// How changes are noticed from now on, when that became another.
    pub how: Option<How>,
}

/// What the thread found and nobody has asked for yet.
#[derive(Default)]
struct Found {
    paths: BTreeSet<String>,
    all: bool,
    how: Option<How>,
}

#[derive(Default)]
struct Shared {
    found: Mutex<Found>,
    news: Notify,
}

impl Shared {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, paths: impl IntoIterator<Item = String>, all: bool) {
        let mut found = self.found();
        found.all |= all;
        for path in paths {
            if found.paths.len() >= MANY {
                found.all = true;
                break;
            }
            found.paths.insert(path);
        }
        drop(found);
        self.news.notify_one();
    }

    fn noticed_by(&self, how: How) {
        let mut found = self.found();
        found.how = Some(how);
        found.all = true;
        drop(found);
        self.news.notify_one();
    }
}

/// What the thread hears.
enum Signal {
    /// From the system.
    Event(notify::Result<notify::Event>),
    /// Nobody watches any more.
    Stop,
}

/// A tree that is watched, until this is dropped.
pub struct Watch {
    shared: Arc<Shared>,
    stop: Sender<Signal>,
    how: How,
}

impl Watch {
    /// Begins to watch; returns when no later change can be missed.
    ///
    /// # Errors
    /// `config` for a pattern that is none; when the folder cannot be read.
    pub async fn start(options: Options) -> Result<Self, Problem> {
        let rules = Arc::new(Rules::new(&options)?);
        let shared = Arc::new(Shared::default());
        let (stop, signals) = channel();
        let (ready, started) = oneshot::channel();
        let (told, sender) = (Arc::clone(&shared), stop.clone());
        std::thread::Builder::new()
            .name("sayso-watch".to_owned())
            .spawn(move || native::run(&options, rules, &told, sender, &signals, ready))
            .map_err(Problem::internal)?;
        let how = started.await.map_err(|_| {
            Problem::internal("the thread that watches the files ended before it began")
        })??;
        Ok(Self { shared, stop, how })
    }

    /// How changes were noticed at the start.
    pub fn how(&self) -> &How {
        &self.how
    }

    /// Waits for changes; all that came since the last call are one answer. Nothing is lost when the wait is called off.
    pub async fn changes(&self) -> Changes {
        loop {
            {
                let mut found = self.shared.found();
                if found.all || !found.paths.is_empty() || found.how.is_some() {
                    let found = std::mem::take(&mut *found);
                    return Changes {
                        paths: found.paths.into_iter().collect(),
                        all: found.all,
                        how: found.how,
                    };
                }
            }
            self.shared.news.notified().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It has ended already: as good.
        let _ = self.stop.send(Signal::Stop);
    }
}

/// A path below the root as git writes it; `None` for the root itself, what lies outside, and names that are no text.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let rest = path.strip_prefix(root).ok()?;
    let mut out = String::new();
    for part in rest.components() {
        if !out.is_empty() {
            out.push('/');
        }
        out.push_str(part.as_os_str().to_str()?);
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn options(root: &Path) -> Options {
        Options {
            root: root.to_path_buf(),
            git_dir: root.join(".git"),
            exclude: Vec::new(),
            tracked: Vec::new(),
            poll: None,
        }
    }

    /// Waits until one of the answers names `path`.
    async fn until(watch: &Watch, path: &str) -> Vec<String> {
        let mut seen = Vec::new();
        let found = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                let changes = watch.changes().await;
                seen.extend(changes.paths);
                if seen.iter().any(|seen| seen == path) {
                    return;
                }
            }
        });
        assert!(found.await.is_ok(), "{path} was not noticed, only {seen:?}");
        seen
    }

    async fn notices(poll: Option<Duration>) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in [".git", "blog", "node_modules/x"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        fs::write(root.join(".gitignore"), "*.log\n").unwrap();
        let watch = Watch::start(Options {
            poll,
            ..options(&root)
        })
        .await
        .unwrap();
        assert_eq!(matches!(watch.how(), How::Told { .. }), poll.is_none());
        // What cannot count first: were it told, it would come before what can.
        fs::write(root.join(".git/HEAD"), "x").unwrap();
        fs::write(root.join("node_modules/x/y.js"), "x").unwrap();
        fs::write(root.join("debug.log"), "x").unwrap();
        fs::write(root.join("nohup.out"), "x").unwrap();
        fs::write(root.join("blog/one.html"), "x").unwrap();
        let seen = until(&watch, "blog/one.html").await;
        let stray = |path: &&String| {
            !path.starts_with("blog") && !["node_modules", ".git"].contains(&path.as_str())
        };
        assert_eq!(seen.iter().find(stray), None, "{seen:?}");
        // A folder that is made later, and one that comes by a move, are watched too.
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/c.html"), "x").unwrap();
        if poll.is_some() {
            until(&watch, "a/b/c.html").await;
        } else {
            until(&watch, "a").await;
        }
        fs::rename(root.join("a"), root.join("moved")).unwrap();
        let moved = if poll.is_some() {
            "moved/b/c.html"
        } else {
            "moved"
        };
        until(&watch, moved).await;
        fs::write(root.join("moved/b/later.html"), "x").unwrap();
        until(&watch, "moved/b/later.html").await;
        fs::remove_file(root.join("blog/one.html")).unwrap();
        until(&watch, "blog/one.html").await;
    }

    #[tokio::test]
    async fn the_system_tells_of_changes() {
        notices(None).await;
    }

    #[tokio::test]
    async fn where_it_tells_nothing_files_are_looked_at() {
        notices(Some(Duration::from_millis(20))).await;
    }

    #[tokio::test]
    async fn a_file_that_git_tracks_counts_though_a_pattern_leaves_it_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("node_modules/kept")).unwrap();
        let watch = Watch::start(Options {
            tracked: vec!["node_modules/kept/a.js".to_owned()],
            ..options(&root)
        })
        .await
        .unwrap();
        fs::write(root.join("node_modules/kept/b.js"), "x").unwrap();
        fs::write(root.join("node_modules/kept/a.js"), "x").unwrap();
        let seen = until(&watch, "node_modules/kept/a.js").await;
        assert!(!seen.iter().any(|path| path.ends_with("b.js")), "{seen:?}");
    }

    #[tokio::test]
    async fn a_pattern_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let wrong = Options {
            exclude: vec!["a{b".to_owned()],
            ..options(folder.path())
        };
        let Err(problem) = Watch::start(wrong).await else {
            panic!("it was taken");
        };
        assert!(
            problem.is("config") && problem.detail.contains("a{b"),
            "{problem}"
        );
    }
}
