//! Looks for secrets in the lines that a change adds.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::{LineTag, ProposedFile};

/// Something that looks like a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// The line on the new side, counted from 1.
    pub line: usize,
    /// What it looks like. The secret itself is not repeated.
    pub what: &'static str,
}

/// Prefixes and shapes that the issuers document for their tokens.
const SHAPES: [(&str, &str); 9] = [
    ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    ("AWS access key", r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    (
        "GitHub token",
        r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})\b",
    ),
    ("Slack token", r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    ("Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    ("OpenAI key", r"\bsk-(proj-)?[A-Za-z0-9_-]{32,}"),
    ("Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    ("Google API key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    (
        "JSON Web Token",
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    ),
];

static PATTERNS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    SHAPES
        .iter()
        .filter_map(|(what, shape)| Some((*what, Regex::new(shape).ok()?)))
        .collect()
});

/// The findings in the lines that `files` add.
pub fn scan(files: &[ProposedFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        for hunk in &file.hunks {
            let mut number = hunk.new_start;
            for line in &hunk.lines {
                if line.tag == LineTag::Insert {
                    let found = PATTERNS
                        .iter()
                        .find(|(_, pattern)| pattern.is_match(&line.text));
                    findings.extend(found.map(|(what, _)| Finding {
                        path: file.path.clone(),
                        line: number,
                        what,
                    }));
                }
                number += usize::from(line.tag != LineTag::Delete);
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::select::tests::file;

    #[test]
    fn every_shape_compiles() {
        assert_eq!(PATTERNS.len(), SHAPES.len());
    }

    #[test]
    fn only_added_lines_are_looked_at() {
        // Built at run time, so that no scanner takes this file for a leak.
        let key = format!("AKIA{}", "Q".repeat(16));
        let added = file("a\n", &format!("a\nkey = {key}\n"));
        assert_eq!(
            scan(&[added]),
            [Finding {
                path: "f.html".into(),
                line: 2,
                what: "AWS access key"
            }]
        );
        assert_eq!(scan(&[file(&format!("{key}\n"), "")]), []);
        assert_eq!(scan(&[file("", "a headline, nothing more\n")]), []);
    }
}
