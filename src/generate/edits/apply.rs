//! An answer made on a tree, in memory.

use std::collections::BTreeMap;
use std::ops::Range;

use super::path::{self, Ignored};
use super::{Answer, Edit, Fault, NewFile, near};
use crate::generate::FileChange;
use crate::generate::offline::parse;
use crate::model::{FileEntry, FileTree};

/// Larger files are not changed, in bytes.
const LARGEST: usize = 1 << 20;

/// The largest file that may be written anew as a whole instead of edited, in bytes.
const WHOLE: usize = 2_048;

const SYMLINK: u32 = 0o120_000;

/// How much one answer may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files.
    pub files: usize,
    /// Lines taken out and put in, together.
    pub lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files: 20,
            lines: 2_000,
        }
    }
}

/// An answer that fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The files as they shall be, each path once, sorted.
    pub files: Vec<FileChange>,
    /// Things to know before approving.
    pub warnings: Vec<String>,
    /// How many edits were made already in the files as they are.
    pub already: usize,
}

/// Makes an answer's edits on `tree`: all of them, or none.
///
/// # Errors
/// Every fault that was found; the tree is never written.
pub fn apply(tree: &dyn FileTree, answer: &Answer, limits: Limits) -> Result<Applied, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut applied = Applied::default();
    let mut changed = 0;
    let mut edits: BTreeMap<String, Vec<&Edit>> = BTreeMap::new();
    for edit in &answer.edits {
        match path::checked(&edit.file) {
            Ok(path) => edits.entry(path).or_default().push(edit),
            Err(fault) => faults.push(fault),
        }
    }
    for (path, edits) in &edits {
        match edited(tree, path, edits) {
            Ok(one) => {
                changed += one.lines;
                applied.already += one.already;
                applied.files.extend(one.file);
            }
            Err(found) => faults.extend(found),
        }
    }
    let ignored = Ignored::of(tree);
    for file in &answer.new_files {
        let made = path::checked(&file.file).and_then(|path| {
            if edits.contains_key(&path) || applied.files.iter().any(|one| one.path == path) {
                return Err(Fault::new(
                    &path,
                    "stands twice in the answer: edit it or write it anew, not both",
                ));
            }
            written(tree, &ignored, path, file)
        });
        match made {
            Ok(Some(file)) => {
                changed += file.after.as_deref().map_or(0, |text| text.lines().count());
                applied.files.push(file);
            }
            Ok(None) => applied.already += 1,
            Err(fault) => faults.push(fault),
        }
    }
    for path in &answer.delete_files {
        let gone = path::checked(path).and_then(|path| {
            let entry = tree.entry(&path);
            let entry =
                entry.ok_or_else(|| Fault::new(&path, "is not there, so it cannot be removed"))?;
            regular(entry)?;
            if applied.files.iter().any(|one| one.path == path) {
                return Err(Fault::new(&path, "is changed and removed in one answer"));
            }
            Ok(path)
        });
        match gone {
            Ok(path) => applied.files.push(FileChange { path, after: None }),
            Err(fault) => faults.push(fault),
        }
    }
    if applied.files.len() > limits.files {
        faults.push(Fault::new(
            "",
            format!(
                "the answer changes {} files; at most {} at a time",
                applied.files.len(),
                limits.files
            ),
        ));
    }
    if changed > limits.lines {
        faults.push(Fault::new(
            "",
            format!(
                "the answer changes {changed} lines; at most {} at a time",
                limits.lines
            ),
        ));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    applied.files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in &applied.files {
        if let Some(what) = path::guarded(&file.path) {
            applied.warnings.push(format!(
                "{} is {what}: it is left out until you accept it",
                file.path
            ));
        }
    }
    Ok(applied)
}

/// A file after its edits.
struct Edited {
    file: Option<FileChange>,
    lines: usize,
    already: usize,
}

fn edited(tree: &dyn FileTree, path: &str, edits: &[&Edit]) -> Result<Edited, Vec<Fault>> {
    let before = text_of(tree, path).map_err(|fault| vec![fault])?;
    let ends = Ends::of(&before);
    let mut faults = Vec::new();
    let mut places: Vec<(Range<usize>, String)> = Vec::new();
    let mut already = 0;
    let mut lines = 0;
    for edit in edits {
        match place(path, &before, ends, edit) {
            Ok(Place::At(range, new)) => {
                if !places
                    .iter()
                    .any(|(place, text)| *place == range && *text == new)
                {
                    lines += before[range.clone()].lines().count() + new.lines().count();
                    places.push((range, new));
                }
            }
            Ok(Place::Done) => already += 1,
            Err(fault) => faults.push(fault),
        }
    }
    places.sort_by_key(|(range, _)| (range.start, range.end));
    for pair in places.windows(2) {
        if pair[1].0.start < pair[0].0.end {
            faults.push(Fault::new(
                path,
                format!(
                    "two edits overlap at line {}: make one of them",
                    line(&before, pair[1].0.start)
                ),
            ));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut after = String::with_capacity(before.len());
    let mut at = 0;
    for (range, new) in &places {
        after.push_str(&before[at..range.start]);
        after.push_str(new);
        at = range.end;
    }
    after.push_str(&before[at..]);
    if after.len() > LARGEST {
        return Err(vec![Fault::new(
            path,
            "the file would become larger than 1 MiB",
        )]);
    }
    if parse::errors(path, &after) > parse::errors(path, &before) {
        return Err(vec![Fault::new(
            path,
            "the file no longer parses after these edits: look for what is opened and not closed",
        )]);
    }
    let file = (after != before).then(|| FileChange {
        path: path.to_owned(),
        after: Some(after),
    });
    Ok(Edited {
        file,
        lines,
        already,
    })
}

enum Place {
    At(Range<usize>, String),
    Done,
}

/// Where the old text stands, and the new text with the file's own line ends.
fn place(path: &str, text: &str, ends: Ends, edit: &Edit) -> Result<Place, Fault> {
    if edit.old.is_empty() {
        return Err(Fault::new(
            path,
            "`old` is empty: take the lines beside the place, or new_files for a new file",
        ));
    }
    if ends == Ends::Mixed && edit.old.trim_end_matches('\n').contains('\n') {
        return Err(Fault::new(
            path,
            "the file mixes two kinds of line ends: take a single line as `old`",
        ));
    }
    let old = ends.adapt(&edit.old);
    let new = ends.adapt(&edit.new);
    let found: Vec<usize> = find_all(text, &old);
    match found.as_slice() {
        [at] => Ok(Place::At(*at..*at + old.len(), new)),
        [] if !new.trim().is_empty() && new.len() > 3 && find_all(text, &new).len() == 1 => {
            Ok(Place::Done)
        }
        [] => {
            let mut why = "`old` does not occur in the file".to_owned();
            if let Some(near) = near::nearest(text, &old) {
                why.push_str("; ");
                why.push_str(&near);
            }
            if let Some(hint) = otherwise(text, &old) {
                why.push_str("; ");
                why.push_str(hint);
            }
            Err(Fault::new(path, why))
        }
        many => {
            let lines: Vec<String> = many
                .iter()
                .take(8)
                .map(|at| line(text, *at).to_string())
                .collect();
            Err(Fault::new(
                path,
                format!(
                    "`old` occurs {} times (lines {}): take more lines around the one that is meant",
                    many.len(),
                    lines.join(", ")
                ),
            ))
        }
    }
}

/// Every place of `what`, overlapping ones too.
fn find_all(text: &str, what: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(what) {
        found.push(from + at);
        let step = text[from + at..].chars().next().map_or(1, char::len_utf8);
        from += at + step;
    }
    found
}

/// What would have matched: told, never done.
fn otherwise(text: &str, old: &str) -> Option<&'static str> {
    let plain = |text: &str| {
        text.replace("&amp;", "&")
            .replace("&#39;", "'")
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
    };
    if plain(text).contains(&plain(old)) {
        return Some("entities (&amp; …) must be copied as they stand in the file");
    }
    let quotes = |text: &str| {
        text.replace(['\u{2018}', '\u{2019}'], "'")
            .replace(['\u{201c}', '\u{201d}'], "\"")
    };
    if quotes(text).contains(&quotes(old)) {
        return Some("quotation marks must be copied as they stand in the file");
    }
    let blank = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    if blank(text).contains(&blank(old)) {
        return Some("blanks and line breaks must be copied as they stand in the file");
    }
    None
}

/// How a file's lines end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Lf,
    CrLf,
    Mixed,
}

impl Ends {
    fn of(text: &str) -> Self {
        let all = text.matches('\n').count();
        match text.matches("\r\n").count() {
            0 => Self::Lf,
            both if both == all => Self::CrLf,
            _ => Self::Mixed,
        }
    }

    /// The same text with these line ends.
    fn adapt(self, text: &str) -> String {
        match self {
            Self::Lf => text.replace("\r\n", "\n"),
            Self::CrLf => text.replace("\r\n", "\n").replace('\n', "\r\n"),
            Self::Mixed => text.to_owned(),
        }
    }
}

/// A file of its own, or a small one written anew; `None` when it says so already.
fn written(
    tree: &dyn FileTree,
    ignored: &Ignored,
    path: String,
    file: &NewFile,
) -> Result<Option<FileChange>, Fault> {
    // A folder on the way that is a link leads who knows where.
    for (at, _) in path.match_indices('/') {
        if let Some(entry) = tree.entry(&path[..at]) {
            regular(entry)?;
            return Err(Fault::new(
                &path,
                format!("{} is a file, not a folder", &path[..at]),
            ));
        }
    }
    if tree.entry(&path).is_none() {
        let folder = format!("{path}/");
        if tree
            .files()
            .iter()
            .any(|entry| entry.path.starts_with(&folder))
        {
            return Err(Fault::new(&path, "is a folder"));
        }
        if let Some(other) = tree
            .files()
            .iter()
            .find(|entry| entry.path.eq_ignore_ascii_case(&path))
        {
            return Err(Fault::new(
                &path,
                format!("differs from {} only in capital letters", other.path),
            ));
        }
        if ignored.covers(&path) {
            return Err(Fault::new(
                &path,
                "is ignored by git: it would never be part of the site",
            ));
        }
    }
    if file.content.len() > LARGEST / 4 {
        return Err(Fault::new(&path, "a new file may have 256 KiB at most"));
    }
    if file.content.contains('\0') {
        return Err(Fault::new(&path, "is not text"));
    }
    let mut content = file.content.clone();
    if tree.entry(&path).is_some() {
        let before = text_of(tree, &path)?;
        if before.len() > WHOLE {
            return Err(Fault::new(
                &path,
                format!(
                    "exists and has {} bytes: use edits, not new_files",
                    before.len()
                ),
            ));
        }
        content = match Ends::of(&before) {
            Ends::Mixed => content,
            ends => ends.adapt(&content),
        };
        if let Some(rest) = before.strip_prefix('\u{feff}')
            && !content.starts_with('\u{feff}')
            && !rest.is_empty()
        {
            content.insert(0, '\u{feff}');
        }
        if content == before {
            return Ok(None);
        }
        if parse::errors(&path, &content) > parse::errors(&path, &before) {
            return Err(Fault::new(&path, "the new text does not parse"));
        }
    } else if path.ends_with(".json")
        && serde_json::from_str::<serde_json::Value>(&content).is_err()
    {
        return Err(Fault::new(&path, "is not JSON"));
    }
    Ok(Some(FileChange {
        path,
        after: Some(content),
    }))
}

/// The text of a file that may be changed.
fn text_of(tree: &dyn FileTree, path: &str) -> Result<String, Fault> {
    let Some(entry) = tree.entry(path) else {
        let name = path.rsplit('/').next().unwrap_or(path);
        let like: Vec<&str> = tree
            .files()
            .iter()
            .map(|entry| entry.path.as_str())
            .filter(|other| other.rsplit('/').next() == Some(name))
            .take(3)
            .collect();
        let mut why = "there is no such file".to_owned();
        if !like.is_empty() {
            why.push_str(&format!("; there is {}", like.join(", ")));
        }
        return Err(Fault::new(path, why));
    };
    regular(entry)?;
    if entry.size.is_some_and(|size| size > LARGEST as u64) {
        return Err(Fault::new(path, "is larger than 1 MiB"));
    }
    let bytes = tree
        .read(path)
        .map_err(|error| Fault::new(path, format!("cannot be read: {error}")))?
        .unwrap_or_default();
    if bytes.len() > LARGEST {
        return Err(Fault::new(path, "is larger than 1 MiB"));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) if !text.contains('\0') => Ok(text.to_owned()),
        _ => Err(Fault::new(path, "is not text")),
    }
}

fn regular(entry: &FileEntry) -> Result<(), Fault> {
    if entry.mode == SYMLINK {
        return Err(Fault::grave(
            &entry.path,
            "is a symbolic link: it may lead out of the site",
        ));
    }
    Ok(())
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests;
