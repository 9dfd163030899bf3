//! The repository as a set of sites: its files, what they are built with, their pages, and parsed files on demand.

pub mod detect;
pub mod pages;
pub mod resolve;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::doc::{Doc, Kind, NodeId};
use super::find::style::{Ruled, ruled};
use super::parse;
use super::view::{View, render};
use crate::model::FileTree;

pub use detect::{App, Framework};
pub use pages::Page;

/// Larger files are not read.
const LIMIT: u64 = 1 << 20;

/// So many bytes of text, folded text and parsed source are kept; what is beyond is read again when it is needed.
const BUDGET: usize = 96 << 20;

/// A repository at one commit.
pub struct Site {
    tree: Arc<dyn FileTree>,
    /// The folder of the site's own component templates, ending in `/`.
    pub components: String,
    /// Paths of the files the engine may read, sorted.
    pub files: Vec<String>,
    /// All paths, for checking whether a link leads somewhere.
    pub all: Vec<String>,
    held: AtomicUsize,
    texts: Mutex<HashMap<String, Option<Arc<str>>>>,
    docs: Mutex<HashMap<String, Option<Arc<Doc>>>>,
    /// What is built here, outermost folder first.
    pub apps: Vec<App>,
    pages: OnceLock<Vec<Page>>,
    entries: OnceLock<HashSet<String>>,
    words: Mutex<HashMap<String, Arc<str>>>,
    views: Mutex<HashMap<usize, Arc<View>>>,
    alone: Mutex<HashMap<String, Arc<View>>>,
    content: OnceLock<HashSet<String>>,
    sources: OnceLock<Vec<String>>,
    sheets: OnceLock<Vec<Arc<Doc>>>,
    rules: Mutex<HashMap<String, Arc<Vec<Ruled>>>>,
}

impl Site {
    /// Looks at a tree. Reads only what tells the frameworks apart, and of the tree `before` keeps what is unchanged.
    pub fn new(tree: Arc<dyn FileTree>, components: &str, before: Option<&Self>) -> Self {
        let mut files = Vec::new();
        let mut all = Vec::new();
        for entry in tree.files() {
            all.push(entry.path.clone());
            let regular = entry.mode != 0o120_000;
            if regular
                && entry.size.is_none_or(|size| size <= LIMIT)
                && !detect::foreign(&entry.path)
            {
                files.push(entry.path.clone());
            }
        }
        let mut site = Self {
            tree,
            components: format!("{}/", components.trim_start_matches("./").trim_matches('/')),
            files,
            all,
            held: AtomicUsize::new(0),
            texts: Mutex::default(),
            docs: Mutex::default(),
            apps: Vec::new(),
            pages: OnceLock::new(),
            entries: OnceLock::new(),
            words: Mutex::default(),
            views: Mutex::default(),
            alone: Mutex::default(),
            content: OnceLock::new(),
            sources: OnceLock::new(),
            sheets: OnceLock::new(),
            rules: Mutex::default(),
        };
        if let Some(before) = before {
            site.keep(before);
        }
        site.apps = detect::apps(&site);
        site
    }

    /// Takes over the texts and the parsed files that are the same as before.
    fn keep(&mut self, before: &Self) {
        let same = |path: &str| match (self.tree.entry(path), before.tree.entry(path)) {
            (Some(now), Some(then)) => now.oid == then.oid && now.mode == then.mode,
            _ => false,
        };
        let kept = |(path, value): (&String, &Option<Arc<str>>)| {
            same(path).then(|| (path.clone(), value.clone()))
        };
        let texts: HashMap<String, Option<Arc<str>>> =
            lock(&before.texts).iter().filter_map(kept).collect();
        let docs: HashMap<String, Option<Arc<Doc>>> = lock(&before.docs)
            .iter()
            .filter(|(path, _)| same(path))
            .map(|(path, doc)| (path.clone(), doc.clone()))
            .collect();
        let words: HashMap<String, Arc<str>> = lock(&before.words)
            .iter()
            .filter(|(path, _)| same(path))
            .map(|(path, folded)| (path.clone(), folded.clone()))
            .collect();
        let rules = lock(&before.rules)
            .iter()
            .filter(|(path, _)| same(path))
            .map(|(path, rules)| (path.clone(), rules.clone()))
            .collect();
        let held = texts
            .values()
            .flatten()
            .map(|text| text.len())
            .sum::<usize>()
            + docs
                .values()
                .flatten()
                .map(|doc| doc.src.len() * 4)
                .sum::<usize>()
            + words.values().map(|folded| folded.len()).sum::<usize>();
        self.held = AtomicUsize::new(held);
        self.texts = Mutex::new(texts);
        self.docs = Mutex::new(docs);
        self.words = Mutex::new(words);
        self.rules = Mutex::new(rules);
    }

    /// Whether there is room to keep another `bytes` of a file; counts them when there is.
    fn room(&self, bytes: usize) -> bool {
        let held = self.held.fetch_add(bytes, Ordering::Relaxed);
        if held + bytes > BUDGET {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// Whether the tree has this file.
    pub fn has(&self, path: &str) -> bool {
        self.all
            .binary_search_by(|known| known.as_str().cmp(path))
            .is_ok()
    }

    /// A file's size in bytes, where known.
    pub fn size(&self, path: &str) -> Option<u64> {
        self.tree.entry(path)?.size
    }

    /// A file's text; `None` when it is absent, too large or not UTF-8.
    pub fn text(&self, path: &str) -> Option<Arc<str>> {
        if let Some(known) = lock(&self.texts).get(path) {
            return known.clone();
        }
        let entry = self.tree.entry(path)?;
        let text = (entry.mode != 0o120_000 && entry.size.is_none_or(|size| size <= LIMIT))
            .then(|| self.tree.read(path).ok().flatten())
            .flatten()
            .filter(|bytes| bytes.len() as u64 <= LIMIT && !bytes.contains(&0))
            .and_then(|bytes| std::str::from_utf8(&bytes).ok().map(Arc::from));
        if self.room(text.as_ref().map_or(0, |text: &Arc<str>| text.len())) {
            lock(&self.texts).insert(path.to_owned(), text.clone());
        }
        text
    }

    /// A file's text folded for comparing ([`super::text::folded`] without its trimming).
    pub fn folded(&self, path: &str) -> Option<Arc<str>> {
        if let Some(known) = lock(&self.words).get(path) {
            return Some(known.clone());
        }
        let text = self.text(path)?;
        let folded: Arc<str> = Arc::from(text.chars().map(super::text::fold).collect::<String>());
        if self.room(folded.len()) {
            lock(&self.words).insert(path.to_owned(), folded.clone());
        }
        Some(folded)
    }

    /// A parsed file; `None` when it is not one the engine reads.
    pub fn doc(&self, path: &str) -> Option<Arc<Doc>> {
        if let Some(known) = lock(&self.docs).get(path) {
            return known.clone();
        }
        let doc = parse::lang(path)
            .zip(self.text(path))
            .map(|(lang, text)| Arc::new(parse::parse(path, lang, text)));
        // A parsed file takes several times the room of its text.
        if self.room(doc.as_ref().map_or(0, |doc| doc.src.len() * 4)) {
            lock(&self.docs).insert(path.to_owned(), doc.clone());
        }
        doc
    }

    /// All pages of all sites.
    pub fn pages(&self) -> &[Page] {
        self.pages.get_or_init(|| pages::pages(self))
    }

    /// The files of entries of collections: posts and documents.
    pub fn entries(&self) -> &HashSet<String> {
        self.entries.get_or_init(|| {
            self.pages()
                .iter()
                .filter(|page| page.entry)
                .map(|page| page.file.clone())
                .collect()
        })
    }

    /// A page as a visitor sees it.
    pub fn view(&self, page: usize) -> Arc<View> {
        if let Some(known) = lock(&self.views).get(&page) {
            return known.clone();
        }
        let view = Arc::new(render::page(self, page, &self.pages()[page]).indexed());
        lock(&self.views).insert(page, view.clone());
        view
    }

    /// A file as it is written, nothing followed.
    pub fn alone(&self, doc: &Arc<Doc>) -> Arc<View> {
        if let Some(known) = lock(&self.alone).get(&doc.path) {
            return known.clone();
        }
        let view = Arc::new(render::alone(self, doc).indexed());
        lock(&self.alone).insert(doc.path.clone(), view.clone());
        view
    }

    /// The files for which `test` holds, which is asked once.
    pub fn content(&self, test: impl Fn(&str) -> bool) -> &HashSet<String> {
        self.content.get_or_init(|| {
            self.files
                .iter()
                .filter(|path| test(path))
                .cloned()
                .collect()
        })
    }

    /// The files a person writes; `make` is asked once.
    pub fn sources(&self, make: impl FnOnce() -> Vec<String>) -> &[String] {
        self.sources.get_or_init(make)
    }

    /// The files that hold styles; `make` is asked once.
    pub fn sheets(&self, make: impl FnOnce() -> Vec<Arc<Doc>>) -> &[Arc<Doc>] {
        self.sheets.get_or_init(make)
    }

    /// The style rules of a file.
    pub fn rules(&self, doc: &Doc) -> Arc<Vec<Ruled>> {
        if let Some(known) = lock(&self.rules).get(&doc.path) {
            return known.clone();
        }
        let rules = Arc::new(ruled(doc));
        lock(&self.rules).insert(doc.path.clone(), rules.clone());
        rules
    }

    /// Has `work` done for many things on all processors.
    pub fn spread<T: Sync>(&self, things: &[T], work: impl Fn(&T) + Sync) {
        let workers = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(8);
        if things.len() < 16 || workers < 2 {
            things.iter().for_each(work);
            return;
        }
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) {
                        work(thing);
                    }
                });
            }
        });
    }

    /// Renders pages ahead of their use, on all processors.
    pub fn view_ahead(&self, pages: &[usize]) {
        let open: Vec<usize> = {
            let views = lock(&self.views);
            pages
                .iter()
                .copied()
                .filter(|page| !views.contains_key(page))
                .collect()
        };
        self.spread(&open, |page| drop(self.view(*page)));
    }

    /// Folds files ahead of their use, on all processors.
    pub fn fold_ahead(&self, paths: &[&String]) {
        let open: Vec<&&String> = {
            let words = lock(&self.words);
            paths
                .iter()
                .filter(|path| !words.contains_key(**path))
                .collect()
        };
        self.spread(&open, |path| drop(self.folded(path)));
    }

    /// Parses files ahead of their use, on all processors.
    pub fn parse_ahead(&self, paths: &[String]) {
        let open: Vec<&String> = {
            let docs = lock(&self.docs);
            paths
                .iter()
                .filter(|path| !docs.contains_key(*path))
                .collect()
        };
        self.spread(&open, |path| drop(self.doc(path)));
    }

    /// The site a file belongs to: the one with the deepest folder around it.
    pub fn app(&self, path: &str) -> Option<usize> {
        (0..self.apps.len())
            .filter(|app| path.starts_with(&self.apps[*app].root))
            .max_by_key(|app| self.apps[*app].root.len())
    }

    /// The files below a folder (`""` or ending in `/`).
    pub fn under<'s>(&'s self, folder: &'s str) -> impl Iterator<Item = &'s str> + 's {
        let from = self.files.partition_point(|path| path.as_str() < folder);
        self.files[from..]
            .iter()
            .map(String::as_str)
            .take_while(move |path| path.starts_with(folder))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The value at the top of a data document, or its front matter.
pub fn data_root(doc: &Doc) -> Option<NodeId> {
    doc.front.or_else(|| {
        doc.nodes[0]
            .children
            .iter()
            .copied()
            .find(|child| matches!(doc.nodes[*child].kind, Kind::Object | Kind::Array))
    })
}

/// The folder of a path, ending in `/`, or empty.
pub fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..=at])
}

/// A file's name without folder and extension.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('.')
        .map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}
