//! Keys and tokens that are about to be committed.
//!
//! Only lines that a proposal adds are read: what is in the repository already is not news. A finding is a
//! warning with the place, never the secret itself.

use crate::model::secret::look;
use crate::model::{LineTag, ProposedFile};

use super::diff;

/// Something in an added line that looks like a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Path from the root of the repository.
    pub path: String,
    /// Line on the new side, counted from 1.
    pub line: usize,
    /// What it looks like: `GitHub token`, `private key` … The secret itself is not repeated.
    pub what: &'static str,
}

/// What looks like a secret in the lines that `files` add, at most one finding a line.
pub fn scan(files: &[ProposedFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let fresh;
        let hunks = if file.hunks.is_empty() {
            fresh = diff::hunks(file);
            &fresh
        } else {
            &file.hunks
        };
        for hunk in hunks {
            let mut number = hunk.new_start;
            for line in &hunk.lines {
                if line.tag == LineTag::Delete {
                    continue;
                }
                if line.tag == LineTag::Insert
                    && let Some(what) = look(&line.text)
                {
                    findings.push(Finding {
                        path: file.path.clone(),
                        line: number,
                        what,
                    });
                }
                number += 1;
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Content;

    fn added(text: &str) -> ProposedFile {
        ProposedFile {
            path: "app.js".into(),
            before: Content::text("const a = 1;\n"),
            after: Content::text(format!("const a = 1;\n{text}\n")),
            mode_before: 0o100_644,
            mode_after: 0o100_644,
            hunks: Vec::new(),
        }
    }

    fn kind(text: &str) -> Option<&'static str> {
        scan(&[added(text)]).first().map(|finding| finding.what)
    }

    /// Not a token: the alphabet, as long as asked for. Joined at run time so that no scanner trips over this file.
    fn filler(length: usize) -> String {
        "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"
            .chars()
            .cycle()
            .take(length)
            .collect()
    }

    #[test]
    fn known_shapes_are_found_and_not_shown() {
        let cases = [
            (
                "private key",
                format!("-----BEGIN {}PRIVATE KEY-----", "OPENSSH "),
            ),
            (
                "AWS access key",
                format!("id = {}IOSFODNN7EXAMPLE", "AKIA").replace('0', "A"),
            ),
            ("GitHub token", format!("x {}_{}", "ghp", filler(36))),
            ("GitHub token", format!("{}_pat_{}", "github", filler(82))),
            ("Slack token", format!("\"{}-123456789012-abcdef\"", "xoxb")),
            (
                "Anthropic key",
                format!("{}-ant-api03-{}", "sk", filler(40)),
            ),
            ("OpenAI key", format!("key: {}-proj-{}", "sk", filler(48))),
            ("OpenAI key", format!("{}-{}", "sk", filler(48))),
            ("Stripe key", format!("{}_live_{}", "sk", filler(24))),
            ("Google key", format!("{}{}", "AIza", filler(35))),
            ("npm token", format!("{}_{}", "npm", filler(36))),
            (
                "password in a URL",
                format!("postgres://admin:{}@db/site", filler(12)),
            ),
            ("secret value", format!("const apiKey = '{}';", filler(32))),
        ];
        for (expected, line) in cases {
            assert_eq!(kind(&line), Some(expected), "{expected}");
            let found = scan(&[added(&line)]).remove(0);
            assert_eq!((found.path.as_str(), found.line), ("app.js", 2));
        }
    }

    #[test]
    fn ordinary_lines_are_left_alone() {
        for line in [
            "<a href=\"https://example.com/a:b@c\">mail me</a>",
            "token = 'your-token-goes-here-please'",
            "password: \"${DATABASE_PASSWORD_FROM_ENV}\"",
            "https://user:password@example.com",
            "<img src=\"sk-line.png\" alt=\"desk-organizer-with-many-compartments-for-pens\">",
            "<p>Our secret: 'fresh bread every single morning'</p>",
        ] {
            assert_eq!(kind(line), None, "{line}");
        }
    }

    #[test]
    fn only_added_lines_count() {
        let mut file = added("const b = 2;");
        file.before = Content::text(format!("{}_{}\n", "ghp", filler(36)));
        assert!(scan(&[file]).is_empty());
    }
}
