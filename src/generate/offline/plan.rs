//! A change as byte splices, and its application.

use std::collections::BTreeMap;

use super::doc::Span;
use super::parse;
use super::site::Site;
use crate::generate::{FileChange, Generated};
use crate::model::{Candidate, Refusal, RefusalReason};

/// A splice: these bytes become that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The file.
    pub path: String,
    /// The bytes replaced; empty to insert.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// A change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What it does, in one line.
    pub title: String,
    /// What was understood, where, and why there.
    pub notes: Vec<String>,
    /// Things to know before approving.
    pub warnings: Vec<String>,
    /// True when only a part of a text is changed: other readings of the request may fit better.
    pub part: bool,
    /// The splices.
    pub edits: Vec<Edit>,
    /// New files with their text.
    pub files: Vec<(String, String)>,
}

impl Plan {
    /// A plan of one splice.
    pub fn one(title: String, path: &str, span: Span, text: String) -> Self {
        Self {
            title,
            edits: vec![Edit {
                path: path.to_owned(),
                span,
                text,
            }],
            ..Self::default()
        }
    }

    /// Whether all of its splices are on the lines of `list`.
    pub fn within(&self, site: &Site, list: &[Candidate]) -> bool {
        self.edits.iter().all(|edit| {
            site.doc(&edit.path).is_some_and(|doc| {
                let (first, last) = (doc.line(edit.span.start), doc.line(edit.span.end));
                list.iter()
                    .any(|one| one.file == edit.path && (first..=last).contains(&one.line))
            })
        })
    }

    /// How many bytes it takes out.
    pub fn replaced(&self) -> usize {
        self.edits.iter().map(|edit| edit.span.len()).sum()
    }
}

/// Carries a plan out on the site's files, in memory.
///
/// # Errors
/// When splices overlap, nothing would change, or a file would parse worse than before.
pub fn apply(site: &Site, plan: Plan) -> Result<Generated, Refusal> {
    let mut notes = plan.notes;
    if notes.is_empty() {
        // Where it is made is always said.
        for edit in &plan.edits {
            if let Some(doc) = site.doc(&edit.path) {
                notes.push(format!("{}:{}", edit.path, doc.line(edit.span.start)));
            }
        }
        notes.dedup();
    }
    let mut by_file: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
    for edit in plan.edits {
        by_file.entry(edit.path.clone()).or_default().push(edit);
    }
    let mut files = Vec::new();
    for (path, mut edits) in by_file {
        let Some(before) = site.text(&path) else {
            return Err(Refusal::new(
                RefusalReason::OutOfScope,
                format!("{path} cannot be read as text"),
            ));
        };
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        edits.dedup();
        let mut after = String::with_capacity(before.len() + 64);
        let mut at = 0;
        for edit in &edits {
            let sound = edit.span.start >= at
                && edit.span.end <= before.len()
                && before.is_char_boundary(edit.span.start)
                && before.is_char_boundary(edit.span.end);
            if !sound {
                return Err(Refusal::new(
                    RefusalReason::Ambiguous,
                    format!("two changes to {path} overlap; ask for one at a time"),
                ));
            }
            after.push_str(&before[at..edit.span.start]);
            after.push_str(&edit.text);
            at = edit.span.end;
        }
        after.push_str(&before[at..]);
        if *before == *after {
            continue;
        }
        if parse::errors(&path, &after) > parse::errors(&path, &before) {
            return Err(Refusal::new(
                RefusalReason::Unclear,
                format!("the new text would break the syntax of {path}"),
            )
            .hint("say it without markup or special characters"));
        }
        files.push(FileChange {
            path,
            after: Some(after),
        });
    }
    for (path, text) in plan.files {
        if site.has(&path) {
            return Err(Refusal::new(
                RefusalReason::Ambiguous,
                format!("{path} exists already"),
            ));
        }
        files.push(FileChange {
            path,
            after: Some(text),
        });
    }
    if files.is_empty() {
        return Err(Refusal::new(
            RefusalReason::Unclear,
            "it says that already: nothing would change",
        ));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Generated {
        title: plan.title,
        notes,
        warnings: plan.warnings,
        files,
    })
}

/// The line end of a file.
pub fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if at > 0 && text.as_bytes()[at - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}

/// The white space at the start of the line that holds `at`.
pub fn indent(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
    let line = &text[start..at];
    let length = line.len() - line.trim_start_matches([' ', '\t']).len();
    &text[start..start + length]
}

/// `span` widened to whole lines when nothing else stands on them.
pub fn lines(text: &str, span: &Span) -> Span {
    let start = text[..span.start].rfind('\n').map_or(0, |found| found + 1);
    let end = text[span.end..]
        .find('\n')
        .map_or(text.len(), |found| span.end + found + 1);
    let alone = text[start..span.start].trim().is_empty() && text[span.end..end].trim().is_empty();
    if alone { start..end } else { span.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_only_when_alone() {
        let text = "<ul>\n  <li>a</li>\n  <li>b</li> <li>c</li>\n</ul>\n";
        assert_eq!(&text[lines(text, &(7..17))], "  <li>a</li>\n");
        assert_eq!(lines(text, &(20..30)), 20..30);
        assert_eq!(indent(text, 7), "  ");
        assert_eq!(line_end("a\r\nb"), "\r\n");
    }
}
