//! What never counts: git's own folder, what `.gitignore` names, and exclusions of our own.
//!
//! git decides when a commit is made; these rules only keep the watcher asleep. So where they know less than git (an
//! excludes file set for one repository, say), git is asked in vain, and nothing worse happens.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::Options;
use crate::model::Problem;

/// What is left out besides what git ignores, unless git tracks it: what programs leave lying about, and build output.
pub const EXCLUDED: [&str; 24] = [
    "*.tmp",
    "*.swp",
    "*~",
    ".#*",
    ".DS_Store",
    ".cache/",
    "node_modules/",
    "*.pid",
    "nohup.out",
    ".venv/",
    "__pycache__/",
    ".parcel-cache/",
    ".turbo/",
    ".astro/",
    ".docusaurus/",
    ".jekyll-cache/",
    ".next/",
    ".nuxt/",
    ".output/",
    ".svelte-kit/",
    ".vercel/",
    "_site/",
    "/build/",
    "/dist/",
];

/// Decides by path alone, for files that may not exist any more.
pub struct Rules {
    root: PathBuf,
    git_dir: PathBuf,
    own: Gitignore,
    /// The person's own excludes file and the repository's.
    global: Gitignore,
    local: Gitignore,
    /// The `.gitignore` of each folder, as it was read.
    folders: RwLock<HashMap<PathBuf, Option<Arc<Gitignore>>>>,
    tracked: HashSet<String>,
    tracked_folders: HashSet<String>,
}

impl Rules {
    /// The rules for a tree.
    ///
    /// # Errors
    /// `config` for a pattern that is none.
    pub fn new(options: &Options) -> Result<Self, Problem> {
        let root = options.root.clone();
        let own = exclusions(&root, &options.exclude)?;
        let (global, _) = Gitignore::global();
        let mut local = GitignoreBuilder::new(&root);
        // Not there: no rules.
        let _ = local.add(options.git_dir.join("info/exclude"));
        let mut tracked_folders = HashSet::new();
        for path in &options.tracked {
            let mut rest = path.as_str();
            while let Some((folder, _)) = rest.rsplit_once('/') {
                tracked_folders.insert(folder.to_owned());
                rest = folder;
            }
        }
        Ok(Self {
            git_dir: options.git_dir.clone(),
            own,
            global,
            local: local.build().unwrap_or_else(|_| Gitignore::empty()),
            folders: RwLock::default(),
            tracked: options.tracked.iter().cloned().collect(),
            tracked_folders,
            root,
        })
    }

    /// The top of the tree.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the path (from the root) can never be part of a commit.
    pub(super) fn ignored(&self, path: &str, is_folder: bool) -> bool {
        if self.tracked.contains(path) {
            return false;
        }
        if is_folder && self.tracked_folders.contains(path) {
            return false;
        }
        if path
            .split('/')
            .any(|part| part.eq_ignore_ascii_case(".git"))
            || self.root.join(path).starts_with(&self.git_dir)
        {
            return true;
        }
        let mut at = 0;
        while let Some(next) = path[at..].find('/') {
            let folder = &path[..at + next];
            // Of a folder that only some tracked files stand in, nothing else counts.
            if self.entry_ignored(folder, true) {
                return true;
            }
            at += next + 1;
        }
        self.entry_ignored(path, is_folder)
    }

    /// Whether a folder is to be gone into: what it has may be tracked even where it is ignored itself.
    pub(super) fn enters(&self, path: &str) -> bool {
        !self.ignored(path, true)
    }

    fn entry_ignored(&self, path: &str, is_folder: bool) -> bool {
        let full = self.root.join(path);
        if self.own.matched(&full, is_folder).is_ignore() {
            return true;
        }
        let mut folder = full.parent();
        while let Some(place) = folder.filter(|place| place.starts_with(&self.root)) {
            if let Some(rules) = self.rules_of(place) {
                match rules.matched(&full, is_folder) {
                    Match::Ignore(_) => return true,
                    Match::Whitelist(_) => return false,
                    Match::None => {}
                }
            }
            folder = place.parent();
        }
        match self.local.matched(&full, is_folder) {
            Match::Ignore(_) => true,
            Match::Whitelist(_) => false,
            Match::None => self.global.matched(&full, is_folder).is_ignore(),
        }
    }

    fn rules_of(&self, folder: &Path) -> Option<Arc<Gitignore>> {
        let known = self
            .folders
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(folder)
            .cloned();
        if let Some(known) = known {
            return known;
        }
        let file = folder.join(".gitignore");
        let rules = fs::symlink_metadata(&file)
            .is_ok_and(|meta| meta.is_file())
            .then(|| {
                let mut builder = GitignoreBuilder::new(folder);
                // A line that is no pattern is git's to complain about.
                let _ = builder.add(&file);
                builder.build().ok().map(Arc::new)
            })
            .flatten();
        self.folders
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(folder.to_path_buf(), rules.clone());
        rules
    }

    /// A `.gitignore` changed: they are read again.
    pub(super) fn forget(&self) {
        self.folders
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// Our own exclusions and a person's, as one matcher for absolute paths below `root`.
///
/// # Errors
/// `config` for a pattern that is none.
pub fn exclusions(root: &Path, more: &[String]) -> Result<Gitignore, Problem> {
    let mut builder = GitignoreBuilder::new(root);
    let wrong = |pattern: &str, error: &dyn std::fmt::Display| {
        Problem::new(
            422,
            "config",
            format!("[watch] exclude: {pattern:?} is no pattern: {error}"),
        )
        .hint("write it as in a .gitignore: \"*.bak\", \"drafts/\", \"/notes.txt\"")
    };
    for pattern in EXCLUDED {
        builder
            .add_line(None, pattern)
            .map_err(|error| wrong(pattern, &error))?;
    }
    for pattern in more {
        builder
            .add_line(None, pattern)
            .map_err(|error| wrong(pattern, &error))?;
    }
    builder.build().map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(root: &Path, exclude: &[&str], tracked: &[&str]) -> Rules {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Rules::new(&Options {
            root: root.to_path_buf(),
            git_dir: root.join(".git"),
            exclude: owned(exclude),
            tracked: owned(tracked),
            poll: None,
        })
        .unwrap()
    }

    #[test]
    fn what_programs_leave_lying_about_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let rules = rules(folder.path(), &["drafts/", "!keep.tmp"], &[]);
        for path in [
            "a.tmp",
            "blog/b.tmp",
            ".cache/x",
            "sub/.cache/x",
            "node_modules/a/b.js",
            "server.pid",
            "nohup.out",
            ".venv/bin/python",
            "_site/index.html",
            "dist/app.js",
            "drafts/one.html",
            ".git/index",
            "sub/.git/HEAD",
        ] {
            assert!(rules.ignored(path, false), "{path}");
        }
        for path in [
            "index.html",
            "keep.tmp",
            "blog/dist/page.html",
            "a.tmpl",
            "drafts",
            ".github/workflows/x.yml",
        ] {
            assert!(!rules.ignored(path, false), "{path}");
        }
    }

    #[test]
    fn the_nearest_gitignore_decides() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("blog")).unwrap();
        fs::write(root.join(".gitignore"), "*.log\n/secret/\n").unwrap();
        fs::write(root.join("blog/.gitignore"), "!kept.log\n*.draft\n").unwrap();
        let rules = rules(root, &[], &[]);
        for path in ["a.log", "blog/b.log", "blog/a.draft", "secret/x.html"] {
            assert!(rules.ignored(path, false), "{path}");
        }
        for path in ["blog/kept.log", "a.draft", "blog/secret/x.html"] {
            assert!(!rules.ignored(path, false), "{path}");
        }
        fs::write(root.join(".gitignore"), "").unwrap();
        assert!(rules.ignored("a.log", false), "read once");
        rules.forget();
        assert!(!rules.ignored("a.log", false), "read again");
    }

    #[test]
    fn tracked_files_count_and_their_folders_are_gone_into() {
        let folder = tempfile::tempdir().unwrap();
        let rules = rules(folder.path(), &[], &["dist/js/app.js"]);
        assert!(rules.enters("dist") && rules.enters("dist/js"));
        assert!(!rules.enters("dist/css"));
        assert!(!rules.ignored("dist/js/app.js", false));
        assert!(rules.ignored("dist/js/other.js", false));
    }
}
