//! The repository as a set of sites: its files, what they are built with, their pages, and parsed files on demand.

pub mod detect;
pub mod pages;
pub mod resolve;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};

use super::doc::{Doc, Kind, NodeId};
use super::parse;
use super::view::{View, render};
use crate::model::FileTree;

pub use detect::{App, Framework};
pub use pages::Page;

/// Larger files are not read.
const LIMIT: u64 = 1 << 20;

/// A repository at one commit.
pub struct Site {
    tree: Arc<dyn FileTree>,
    /// Paths of the files the engine may read, sorted.
    pub files: Vec<String>,
    /// All paths, for checking whether a link leads somewhere.
    pub all: Vec<String>,
    texts: Mutex<HashMap<String, Option<Arc<str>>>>,
    docs: Mutex<HashMap<String, Option<Arc<Doc>>>>,
    /// What is built here, outermost folder first.
    pub apps: Vec<App>,
    pages: OnceLock<Vec<Page>>,
    entries: OnceLock<HashSet<String>>,
    words: Mutex<HashMap<String, Arc<str>>>,
    views: Mutex<HashMap<usize, Arc<View>>>,
    alone: Mutex<HashMap<String, Arc<View>>>,
}

impl Site {
    /// Looks at a tree. Reads only what tells the frameworks apart.
    pub fn new(tree: Arc<dyn FileTree>) -> Self {
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
            files,
            all,
            texts: Mutex::default(),
            docs: Mutex::default(),
            apps: Vec::new(),
            pages: OnceLock::new(),
            entries: OnceLock::new(),
            words: Mutex::default(),
            views: Mutex::default(),
            alone: Mutex::default(),
        };
        site.apps = detect::apps(&site);
        site
    }

    /// Whether the tree has this file.
    pub fn has(&self, path: &str) -> bool {
        self.all
            .binary_search_by(|known| known.as_str().cmp(path))
            .is_ok()
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
        lock(&self.texts).insert(path.to_owned(), text.clone());
        text
    }

    /// A file's text folded for comparing ([`super::text::folded`] without its trimming).
    pub fn folded(&self, path: &str) -> Option<Arc<str>> {
        if let Some(known) = lock(&self.words).get(path) {
            return Some(known.clone());
        }
        let text = self.text(path)?;
        let folded: Arc<str> = Arc::from(text.chars().map(super::text::fold).collect::<String>());
        lock(&self.words).insert(path.to_owned(), folded.clone());
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
        lock(&self.docs).insert(path.to_owned(), doc.clone());
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
