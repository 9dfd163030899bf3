//! Finds the files of a release in a folder, without ever looking outside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file that belongs into the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::deploy) struct Found {
    /// Path from the root of the release, `/` between parts.
    pub path: String,
    /// Where its bytes are.
    pub file: PathBuf,
    /// True when the file is reached by a link: its bytes must be copied, not moved.
    pub linked: bool,
}

/// What was found, and what was left out.
#[derive(Debug, Default)]
pub(in crate::deploy) struct Listing {
    /// The files, sorted by path.
    pub files: Vec<Found>,
    /// Why something was left out: one sentence each.
    pub left_out: Vec<String>,
}

/// Folders below folders below …: more is nobody's site.
const DEPTH: usize = 64;

/// Files in one release: links that fan out into each other must not fill the memory.
const FILES: usize = 500_000;

/// Lists the files under `root` that may be published.
///
/// Names that begin with a dot are left out (except `.well-known`), because `.env` and `.git` are never meant for
/// visitors. A symbolic link is followed only when its target is inside `root` and is itself publishable.
/// `plain` is for a commit's files served as they are: what belongs to tools is then left out too.
///
/// # Errors
/// When a folder cannot be read.
pub(in crate::deploy) fn list(root: &Path, plain: bool) -> io::Result<Listing> {
    let root = root.canonicalize()?;
    let mut walk = Walk {
        root: &root,
        plain,
        listing: Listing::default(),
        within: Vec::new(),
    };
    walk.folder(&root, "", false, 0)?;
    let mut listing = walk.listing;
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}

struct Walk<'a> {
    root: &'a Path,
    plain: bool,
    listing: Listing,
    /// The folders that are being walked, outermost first: a link to one of them would never end.
    within: Vec<PathBuf>,
}

impl Walk<'_> {
    fn folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        linked: bool,
        depth: usize,
    ) -> io::Result<()> {
        if depth > DEPTH {
            self.listing
                .left_out
                .push(format!("{prefix} is nested too deeply"));
            return Ok(());
        }
        self.within.push(folder.to_owned());
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                self.listing.left_out.push(format!(
                    "{} has a name that is not UTF-8",
                    entry
                        .path()
                        .strip_prefix(self.root)
                        .unwrap_or(folder)
                        .display()
                ));
                continue;
            };
            let at_root = prefix.is_empty();
            if !publishable(&name, at_root) || (self.plain && of_tools(&name, at_root)) {
                continue;
            }
            let path = if at_root {
                name
            } else {
                format!("{prefix}/{name}")
            };
            let kind = entry.file_type()?;
            if kind.is_symlink() {
                self.link(&entry.path(), path, depth)?;
            } else if kind.is_dir() {
                self.folder(&entry.path(), &path, linked, depth + 1)?;
            } else if kind.is_file() {
                self.listing.files.push(Found {
                    path,
                    file: entry.path(),
                    linked,
                });
            } else {
                self.listing
                    .left_out
                    .push(format!("{path} is neither a file nor a folder"));
            }
            if self.listing.files.len() > FILES {
                return Err(io::Error::other(format!(
                    "the site has more than {FILES} files"
                )));
            }
        }
        self.within.pop();
        Ok(())
    }

    fn link(&mut self, link: &Path, path: String, depth: usize) -> io::Result<()> {
        let Ok(target) = link.canonicalize() else {
            self.listing
                .left_out
                .push(format!("{path} is a link to nothing"));
            return Ok(());
        };
        let Ok(inside) = target.strip_prefix(self.root) else {
            self.listing
                .left_out
                .push(format!("{path} is a link to outside the site"));
            return Ok(());
        };
        let hidden = inside.components().enumerate().any(|(at, part)| {
            let name = part.as_os_str().to_string_lossy();
            !publishable(&name, at == 0) || (self.plain && of_tools(&name, at == 0))
        });
        if hidden {
            self.listing
                .left_out
                .push(format!("{path} is a link to a hidden file"));
        } else if target.is_dir() {
            if self.within.contains(&target) {
                self.listing
                    .left_out
                    .push(format!("{path} is a link to a folder that contains it"));
            } else {
                self.folder(&target, &path, true, depth + 1)?;
            }
        } else if target.is_file() {
            self.listing.files.push(Found {
                path,
                file: target,
                linked: true,
            });
        }
        Ok(())
    }
}

/// Whether a name may be published at all.
fn publishable(name: &str, at_root: bool) -> bool {
    !name.starts_with('.') || (at_root && name == ".well-known")
}

/// Whether a path, as another machine names it, can be one of a release: below its root, publishable, and the same on every
/// system.
pub(super) fn may_be_published(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let plain = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0'])
    };
    path.len() <= 4096
        && parts.len() <= DEPTH
        && parts.iter().all(|part| plain(part))
        && parts
            .iter()
            .enumerate()
            .all(|(at, part)| publishable(part, at == 0))
        && path != ".well-known"
}

/// Whether a name at the root of a repository belongs to a tool rather than to the site.
fn of_tools(name: &str, at_root: bool) -> bool {
    at_root && matches!(name, "node_modules" | "sayso.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(listing: &Listing) -> Vec<&str> {
        listing
            .files
            .iter()
            .map(|found| found.path.as_str())
            .collect()
    }

    #[test]
    fn hidden_files_stay_out_and_well_known_goes_in() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in [
            ".git",
            "a/.secret",
            ".well-known",
            "node_modules/x",
            "docs/node_modules",
        ] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        for path in [
            ".env",
            ".git/config",
            "a/.secret/key",
            "a/.env",
            ".well-known/security.txt",
            "node_modules/x/index.js",
            "docs/node_modules/kept.js",
            "sayso.toml",
            "index.html",
        ] {
            fs::write(root.join(path), "x").unwrap();
        }
        let plain = list(root, true).unwrap();
        assert_eq!(
            paths(&plain),
            [
                ".well-known/security.txt",
                "docs/node_modules/kept.js",
                "index.html"
            ]
        );
        let built = list(root, false).unwrap();
        assert!(paths(&built).contains(&"node_modules/x/index.js"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_only_inside() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("passwd"), "secret").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("pages")).unwrap();
        fs::write(root.join("pages/a.html"), "a").unwrap();
        fs::write(root.join(".env"), "secret").unwrap();
        symlink("pages/a.html", root.join("index.html")).unwrap();
        symlink("pages", root.join("alias")).unwrap();
        symlink(outside.path().join("passwd"), root.join("leak")).unwrap();
        symlink(outside.path(), root.join("leaks")).unwrap();
        symlink(".env", root.join("env.txt")).unwrap();
        symlink("..", root.join("pages/up")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        // Two folders that link to each other.
        fs::create_dir(root.join("other")).unwrap();
        symlink("../pages", root.join("other/pages")).unwrap();
        symlink("../other", root.join("pages/other")).unwrap();

        let listing = list(root, true).unwrap();
        assert_eq!(
            paths(&listing),
            [
                "alias/a.html",
                "index.html",
                "other/pages/a.html",
                "pages/a.html"
            ]
        );
        assert_eq!(
            listing
                .files
                .iter()
                .map(|found| found.linked)
                .collect::<Vec<_>>(),
            [true, true, true, false]
        );
        for left in ["leak ", "leaks ", "env.txt ", "pages/up ", "dangling "] {
            assert!(
                listing.left_out.iter().any(|why| why.starts_with(left)),
                "{left}"
            );
        }
    }
}
