//! Where a proposed change may go.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::Fault;
use crate::model::FileTree;

/// The longest path that is taken.
const LONGEST: usize = 400;

/// What makes a file one that deserves a look of its own before it is changed.
pub fn guarded(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    let below = |folder: &str| path.starts_with(folder) || path.contains(&format!("/{folder}"));
    if lower == ".env" || lower.starts_with(".env.") || lower == ".npmrc" || lower == ".netrc" {
        return Some("keys and tokens");
    }
    if below(".github/") || below(".gitlab/") || below(".circleci/") || lower == ".gitlab-ci.yml" {
        return Some("a workflow that runs on a server");
    }
    if below(".husky/") || below(".githooks/") || below("git-hooks/") || lower == "lefthook.yml" {
        return Some("a hook that runs on your machine");
    }
    let locks = [
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "bun.lockb",
        "gemfile.lock",
        "cargo.lock",
        "composer.lock",
        "poetry.lock",
        "uv.lock",
        "go.sum",
    ];
    if locks.contains(&lower.as_str()) {
        return Some("a lock file");
    }
    let scripts = [
        "package.json",
        "makefile",
        "dockerfile",
        "gemfile",
        "requirements.txt",
    ];
    if scripts.contains(&lower.as_str())
        || lower.ends_with(".sh")
        || lower.ends_with(".ps1")
        || lower.ends_with(".bat")
    {
        return Some("a script or a list of what is installed");
    }
    let settings = [
        "vercel.json",
        "netlify.toml",
        "wrangler.toml",
        "sayso.toml",
        ".gitattributes",
        ".gitmodules",
    ];
    if settings.contains(&lower.as_str()) {
        return Some("settings of how the site is built and served");
    }
    None
}

/// Whether what is in a file must not be shown to a service.
pub fn secret(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let ends = [".pem", ".key", ".p12", ".pfx", ".keystore", ".jks"];
    let samples = [".env.example", ".env.sample", ".env.template"];
    (name == ".env" || name.starts_with(".env.")) && !samples.contains(&name.as_str())
        || matches!(
            name.as_str(),
            ".npmrc" | ".netrc" | ".pypirc" | "id_rsa" | "id_ed25519"
        )
        || ends.iter().any(|end| name.ends_with(end))
}

/// What the tree's own `.gitignore` files leave out.
pub struct Ignored(Vec<(String, Gitignore)>);

impl Ignored {
    /// Reads all `.gitignore` files of a tree.
    pub fn of(tree: &dyn FileTree) -> Self {
        let mut all = Vec::new();
        for entry in tree.files() {
            let Some(folder) = entry.path.strip_suffix(".gitignore") else {
                continue;
            };
            if !(folder.is_empty() || folder.ends_with('/')) {
                continue;
            }
            let Ok(Some(bytes)) = tree.read(&entry.path) else {
                continue;
            };
            let mut rules = GitignoreBuilder::new("");
            for line in String::from_utf8_lossy(&bytes).lines() {
                // A line that git would not understand either leaves nothing out.
                let _ = rules.add_line(None, line);
            }
            if let Ok(rules) = rules.build() {
                all.push((folder.to_owned(), rules));
            }
        }
        Self(all)
    }

    /// Whether a new file at `path` would be left out of every commit.
    pub fn covers(&self, path: &str) -> bool {
        // The innermost folder decides.
        self.0.iter().rev().find_map(|(folder, rules)| {
            let inside = path.strip_prefix(folder.as_str())?;
            match rules.matched_path_or_any_parents(inside, false) {
                ignore::Match::None => None,
                found => Some(found.is_ignore()),
            }
        }) == Some(true)
    }
}

/// The path in its plain form, when it stays inside the site.
///
/// # Errors
/// A grave fault for a path that leaves the repository or goes into git's own folder.
pub fn checked(path: &str) -> Result<String, Fault> {
    let plain = path.trim().trim_start_matches("./");
    let bad = plain.is_empty()
        || plain.len() > LONGEST
        || plain.starts_with(['/', '~'])
        || plain.contains(['\\', '\0', '\n', '\r'])
        || plain.as_bytes().get(1) == Some(&b':')
        || plain.split('/').any(|part| {
            part.is_empty()
                || part == "."
                || part == ".."
                || part.ends_with(['.', ' '])
                || part.eq_ignore_ascii_case(".git")
                || part.to_ascii_lowercase().starts_with("git~")
        });
    if bad {
        let shown: String = path.chars().take(80).collect();
        return Err(Fault::grave(
            &shown,
            "the path leaves the site: only files inside the repository can be changed",
        ));
    }
    Ok(plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MemoryTree;

    #[test]
    fn a_path_that_leaves_the_site_is_not_taken() {
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a/..",
            ".git/config",
            "a/.GIT/hooks/x",
            "GIT~1/config",
            "C:/x",
            "C:x",
            "a\\b",
            "a\0b",
            "~/x",
            "a//b",
            "a/./b",
            "a/b.",
            "a /b",
            "x\ny",
        ] {
            let fault = checked(bad);
            assert!(fault.is_err_and(|fault| fault.grave), "{bad:?}");
        }
        assert_eq!(checked("./src/app.js").unwrap(), "src/app.js");
        assert_eq!(checked("a/.gitkeep").unwrap(), "a/.gitkeep");
        assert_eq!(
            checked("src/pages/[slug].astro").unwrap(),
            "src/pages/[slug].astro"
        );
    }

    #[test]
    fn what_git_leaves_out_is_known_per_folder() {
        let tree = MemoryTree::new([
            (".gitignore", "dist/\n*.log\n"),
            ("docs/.gitignore", "!keep.log\nout\n"),
        ]);
        let ignored = Ignored::of(&tree);
        for (path, out) in [
            ("dist/index.html", true),
            ("a.log", true),
            ("docs/keep.log", false),
            ("docs/out/x.html", true),
            ("out/x.html", false),
            ("index.html", false),
        ] {
            assert_eq!(ignored.covers(path), out, "{path}");
        }
    }

    #[test]
    fn files_that_run_or_hold_keys_are_guarded() {
        for path in [
            ".env",
            "web/.env.local",
            ".github/workflows/ci.yml",
            "package.json",
            "site/package-lock.json",
            ".husky/pre-commit",
            "scripts/deploy.sh",
            "Dockerfile",
            "vercel.json",
        ] {
            assert!(guarded(path).is_some(), "{path}");
        }
        for path in [
            "index.html",
            "src/env.ts",
            "src/pages/package.astro",
            "docs/github.md",
        ] {
            assert!(guarded(path).is_none(), "{path}");
        }
        assert!(secret(".env") && secret("a/.env.production") && secret("tls/site.pem"));
        assert!(!secret(".env.example") && !secret("src/env.js"));
    }
}
