//! Two sides that moved apart: what each changed goes together file by file and line by line, in an index of our own.

use std::collections::{BTreeMap, BTreeSet};

use super::super::changes::{Blob, LINK, RawChange};
use super::super::prepare::OWN_INDEX;
use super::super::run::Call;
use super::Sandbox;
use crate::model::{Problem, merge};

/// Which side's lines are taken where both changed the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What was saved here.
    Ours,
    /// What came from elsewhere.
    Theirs,
}

/// A place where both sides changed the same.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Clash {
    /// The file.
    pub path: String,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What clashes, for people: `the same lines`, `changed here, removed there` …
    pub what: String,
}

/// What came of going together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The tree of both; where they clash and no side was favoured, it is not to be used.
    pub tree: String,
    /// Where they clash.
    pub clashes: Vec<Clash>,
}

/// What a path becomes.
enum Next {
    /// This.
    Set(Option<Blob>),
    /// As on their side.
    Same,
    /// Both want something else of it.
    Clash(Clash),
}

impl Sandbox {
    /// Both sides' changes against `base`, together. Each is a commit or a tree.
    ///
    /// # Errors
    /// When they cannot be read, or the result cannot be stored.
    pub async fn join(
        &self,
        base: &str,
        ours: &str,
        theirs: &str,
        favour: Option<Side>,
    ) -> Result<Joined, Problem> {
        let (here, there) =
            tokio::try_join!(self.git.between(base, ours), self.git.between(base, theirs))?;
        let elsewhere: BTreeMap<&str, &RawChange> = there
            .iter()
            .map(|change| (change.path.as_str(), change))
            .collect();
        let mut set: Vec<(String, Option<Blob>)> = Vec::new();
        let mut clashes = Vec::new();
        for change in &here {
            let next = match elsewhere.get(change.path.as_str()) {
                None => Next::Set(change.after.clone()),
                Some(other) if other.after == change.after => Next::Same,
                Some(other) => self.both(change, other, favour).await?,
            };
            match next {
                Next::Same => {}
                Next::Set(blob) => set.push((change.path.clone(), blob)),
                Next::Clash(clash) => {
                    match favour {
                        Some(Side::Ours) => set.push((change.path.clone(), change.after.clone())),
                        Some(Side::Theirs) | None => {}
                    }
                    clashes.push(clash);
                }
            }
        }
        for (file, folder) in crossed(&here, &there) {
            clashes.push(Clash {
                path: file.clone(),
                line: None,
                what: format!("a file on one side, a folder ({folder}) on the other"),
            });
            if favour == Some(Side::Ours) {
                // What stands in its way goes.
                let theirs = |path: &str| elsewhere.contains_key(path);
                if theirs(&file) {
                    set.push((file, None));
                } else {
                    set.push((folder, None));
                }
            } else {
                set.retain(|(path, _)| *path != file && *path != folder);
            }
        }
        let tree = self.put_onto(theirs, &set).await?;
        Ok(Joined { tree, clashes })
    }

    /// Both sides changed the file, and differently.
    async fn both(
        &self,
        ours: &RawChange,
        theirs: &RawChange,
        favour: Option<Side>,
    ) -> Result<Next, Problem> {
        let clash = |line: Option<usize>, what: &str| {
            Next::Clash(Clash {
                path: ours.path.clone(),
                line,
                what: what.to_owned(),
            })
        };
        let (Some(mine), Some(other)) = (&ours.after, &theirs.after) else {
            return Ok(clash(
                None,
                if ours.after.is_none() {
                    "removed here, changed there"
                } else {
                    "changed here, removed there"
                },
            ));
        };
        if mine.mode == LINK || other.mode == LINK || ours.is_submodule() || theirs.is_submodule() {
            return Ok(clash(None, "no file with lines"));
        }
        let before = ours.before.as_ref();
        let mode = match before {
            Some(before) if before.mode == mine.mode => other.mode,
            _ => mine.mode,
        };
        if mine.oid == other.oid {
            let oid = mine.oid.clone();
            return Ok(Next::Set(Some(Blob { mode, oid })));
        }
        if before.is_some_and(|before| before.oid == mine.oid) {
            let oid = other.oid.clone();
            return Ok(Next::Set(Some(Blob { mode, oid })));
        }
        if before.is_some_and(|before| before.oid == other.oid) {
            let oid = mine.oid.clone();
            return Ok(Next::Set(Some(Blob { mode, oid })));
        }
        let mut texts = Vec::new();
        for oid in [
            before.map(|blob| &blob.oid),
            Some(&mine.oid),
            Some(&other.oid),
        ] {
            let bytes = match oid {
                None => Vec::new(),
                Some(oid) => {
                    let object = self.git.object(oid, u64::MAX).await?;
                    object.and_then(|object| object.bytes).unwrap_or_default()
                }
            };
            if bytes.contains(&0) {
                return Ok(clash(None, "no text"));
            }
            texts.push(bytes);
        }
        let [base, mine, other] = &texts[..] else {
            return Ok(Next::Same);
        };
        let merged = match self.git.merge(mine, base, other).await? {
            Some(merged) => Some(merged),
            None => match favour {
                Some(side) => Some(
                    self.git
                        .merge_for(mine, base, other, side == Side::Ours)
                        .await?,
                ),
                None => None,
            },
        };
        match merged {
            Some(merged) => {
                let call =
                    Call::new(["hash-object", "-w", "--stdin", "--no-filters"]).stdin(merged);
                let oid = self.git.run(call).await?.checked()?.text();
                Ok(Next::Set(Some(Blob { mode, oid })))
            }
            None => Ok(clash(line(base, mine, other), "the same lines")),
        }
    }

    /// `onto` (a commit or a tree) with these entries set, as a tree.
    async fn put_onto(
        &self,
        onto: &str,
        set: &[(String, Option<Blob>)],
    ) -> Result<String, Problem> {
        let index = self.folder.path().join("joined");
        let none = self.git.no_id();
        let own = || Call::new(OWN_INDEX).index(&index);
        // Left over from a call that was ended.
        let _ = std::fs::remove_file(index.with_extension("lock"));
        self.git
            .run(own().args(["read-tree", "--empty"]))
            .await?
            .checked()?;
        self.git
            .run(own().args(["read-tree", onto]))
            .await?
            .checked()?;
        let (mut gone, mut there) = (String::new(), String::new());
        for (path, blob) in set {
            match blob {
                None => gone.push_str(&format!("0 {none}\t{path}\0")),
                Some(blob) => there.push_str(&format!("{:o} {}\t{path}\0", blob.mode, blob.oid)),
            }
        }
        let call = own()
            .args(["update-index", "--add", "--replace", "-z", "--index-info"])
            .stdin(gone + &there);
        self.git.run(call).await?.checked()?;
        let written = self.git.run(own().args(["write-tree"])).await?;
        if let Some(problem) = super::look::full(&written) {
            return Err(problem);
        }
        Ok(written.checked()?.text())
    }
}

/// The first line both changed, where that can be said.
fn line(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<usize> {
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let found = merge::merge(text(base)?, text(ours)?, text(theirs)?);
    found.err().map(|conflict| conflict.line)
}

/// Files that one side made where the other made a folder: the file, and a path in that folder.
fn crossed(here: &[RawChange], there: &[RawChange]) -> Vec<(String, String)> {
    let made = |changes: &[RawChange]| -> BTreeSet<String> {
        changes
            .iter()
            .filter(|change| change.after.is_some())
            .map(|change| change.path.clone())
            .collect()
    };
    let (ours, theirs) = (made(here), made(there));
    let mut found = Vec::new();
    for (files, others) in [(&ours, &theirs), (&theirs, &ours)] {
        for path in others {
            let mut rest = path.as_str();
            while let Some((folder, _)) = rest.rsplit_once('/') {
                if files.contains(folder) {
                    found.push((folder.to_owned(), path.clone()));
                }
                rest = folder;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(path: &str) -> RawChange {
        RawChange {
            path: path.into(),
            before: None,
            after: Some(Blob {
                mode: 0o100_644,
                oid: "a".into(),
            }),
        }
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_is_seen() {
        let found = crossed(&[added("blog")], &[added("blog/one/a.html"), added("x")]);
        assert_eq!(found, [("blog".to_owned(), "blog/one/a.html".to_owned())]);
        let found = crossed(&[added("blog/a.html")], &[added("blog")]);
        assert_eq!(found, [("blog".to_owned(), "blog/a.html".to_owned())]);
        assert!(crossed(&[added("blog2/a")], &[added("blog")]).is_empty());
    }

    #[test]
    fn the_line_of_a_clash_is_named() {
        assert_eq!(line(b"a\nb\n", b"a\nX\n", b"a\nY\n"), Some(2));
        assert_eq!(line(b"a\n", b"\xff\n", b"b\n"), None);
    }
}
