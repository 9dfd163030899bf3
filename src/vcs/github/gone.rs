//! Folders that lose their last file.
//!
//! git knows no empty folders, and GitHub documents how a *file* is deleted from a tree (`"sha": null`), not how a folder
//! is. So files are deleted one by one, and the id of the tree that comes of it says whether the server left an empty
//! folder behind. Only then the folder is taken away by itself (an entry of type `tree` with `"sha": null`), which some
//! servers take and GitHub is not known to.

use std::collections::{BTreeMap, BTreeSet};

use sha1::{Digest, Sha1};

use super::api::Api;
use super::data::{Change, To};
use crate::model::Problem;
use crate::model::tree::blob_hash;

/// The tree without the folders that `changes` emptied; `tree` itself where there are none. `after` are all paths of the
/// new tree, submodules included.
pub async fn without_empty(
    api: &Api,
    tree: String,
    changes: &[Change],
    after: &BTreeSet<String>,
) -> Result<String, Problem> {
    let folders = emptied(changes, after);
    if folders.is_empty() {
        return Ok(tree);
    }
    api.make_tree(&tree, &folders).await
}

/// The outermost folders that have no file any more.
fn emptied(changes: &[Change], after: &BTreeSet<String>) -> Vec<Change> {
    let empty = |folder: &str| {
        let inside = format!("{folder}/");
        let next = after.range(inside.clone()..).next();
        !next.is_some_and(|path| path.starts_with(&inside))
    };
    let folders: BTreeSet<&str> = changes
        .iter()
        .filter(|change| change.to == To::Gone)
        .filter_map(|change| {
            let mut above = change.path.match_indices('/');
            above
                .find(|(at, _)| empty(&change.path[..*at]))
                .map(|(at, _)| &change.path[..at])
        })
        // A file that is there under its name now has taken its place.
        .filter(|folder| !after.contains(*folder))
        .collect();
    folders
        .into_iter()
        .map(|folder| Change {
            path: folder.to_owned(),
            to: To::FolderGone,
        })
        .collect()
}

/// What `files` (mode and id by path) are after `changes`.
pub fn apply(files: &mut BTreeMap<String, (u32, String)>, changes: &[Change]) {
    // Deletions first: a file may come in the place of a folder, and a folder in the place of a file.
    for change in changes {
        if matches!(change.to, To::Gone | To::FolderGone) {
            files.remove(&change.path);
        }
    }
    for change in changes {
        let entry = match &change.to {
            To::Bytes(mode, bytes) => (*mode, blob_hash(bytes)),
            To::Object(mode, oid) => (*mode, oid.clone()),
            To::Gone | To::FolderGone => continue,
        };
        files.insert(change.path.clone(), entry);
    }
}

/// The id that git gives to the tree of these files (mode and id by path), submodules included.
pub fn tree_id(files: &BTreeMap<String, (u32, String)>) -> String {
    let all: Vec<(&str, u32, &str)> = files
        .iter()
        .map(|(path, (mode, oid))| (path.as_str(), *mode, oid.as_str()))
        .collect();
    id(&all)
}

/// The tree of `files`, whose paths are below it and sorted.
fn id(files: &[(&str, u32, &str)]) -> String {
    // Folders are sorted as if their names ended with a slash.
    let mut entries: BTreeMap<String, (u32, String)> = BTreeMap::new();
    let mut at = 0;
    while at < files.len() {
        let (path, mode, oid) = files[at];
        let Some((folder, _)) = path.split_once('/') else {
            entries.insert(path.to_owned(), (mode, oid.to_owned()));
            at += 1;
            continue;
        };
        let inside = format!("{folder}/");
        let below: Vec<(&str, u32, &str)> = files[at..]
            .iter()
            .map_while(|(path, mode, oid)| Some((path.strip_prefix(&inside)?, *mode, *oid)))
            .collect();
        at += below.len();
        entries.insert(inside, (0o040_000, id(&below)));
    }
    let mut raw = Vec::new();
    for (name, (mode, oid)) in &entries {
        raw.extend_from_slice(format!("{mode:o} {}\0", name.trim_end_matches('/')).as_bytes());
        raw.extend((0..oid.len() / 2).filter_map(|at| {
            let digits = oid.get(2 * at..2 * at + 2)?;
            u8::from_str_radix(digits, 16).ok()
        }));
    }
    let mut hasher = Sha1::new();
    hasher.update(format!("tree {}\0", raw.len()));
    hasher.update(&raw);
    let digest = hasher.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(path: &str) -> Change {
        Change {
            path: path.to_owned(),
            to: To::Gone,
        }
    }

    #[test]
    fn the_outermost_folder_without_files_is_empty() {
        let after: BTreeSet<String> = ["a/keep", "b"].map(str::to_owned).into();
        let changes = [
            gone("a/x"),
            gone("a/c/y"),
            gone("a/c/d/z"),
            gone("b/old"),
            gone("top"),
        ];
        let found = emptied(&changes, &after);
        assert_eq!(
            found,
            [Change {
                path: "a/c".into(),
                to: To::FolderGone
            }]
        );
    }

    #[test]
    fn tree_ids_are_those_of_git() {
        let blob = blob_hash(b"hello\n");
        let tree = |paths: &[(&str, u32)]| {
            let files = paths
                .iter()
                .map(|(path, mode)| ((*path).to_owned(), (*mode, blob.clone())));
            tree_id(&files.collect())
        };
        assert_eq!(tree(&[]), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        // `git write-tree` of the same entries: a folder stands where its name with a slash would.
        assert_eq!(
            tree(&[
                ("a-b", 0o100_644),
                ("a/deep/x", 0o100_755),
                ("a/y", 0o120_000),
                ("a.txt", 0o100_644),
            ]),
            "459bd89e34581ba2cc92375863a6b6290a6e1367"
        );
    }

    #[test]
    fn a_file_takes_the_place_of_a_folder_and_the_other_way_round() {
        let mut files: BTreeMap<String, (u32, String)> = ["a/x", "b"]
            .map(|path| (path.to_owned(), (0o100_644, String::new())))
            .into();
        let new = |path: &str| Change {
            path: path.to_owned(),
            to: To::Bytes(0o100_644, Vec::new()),
        };
        apply(&mut files, &[new("b/x"), gone("b"), gone("a/x"), new("a")]);
        assert_eq!(files.into_keys().collect::<Vec<_>>(), ["a", "b/x"]);
    }
}
