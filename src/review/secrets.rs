//! Keys and tokens that are about to be committed.
//!
//! Only lines that a proposal adds are read: what is in the repository already is not news. A finding is a
//! warning with the place, never the secret itself.

use std::sync::LazyLock;

use regex::Regex;

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

/// What a key looks like. The first group, where there is one, is the secret itself.
const PATTERNS: [(&str, &str); 19] = [
    (
        "private key",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    ),
    ("AWS access key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    (
        "AWS secret key",
        r#"(?i)aws.{0,24}(?:secret|key)["']?\s*[:=]\s*["']?([A-Za-z0-9/+]{40})\b"#,
    ),
    (
        "GitHub token",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b",
    ),
    ("GitLab token", r"\bgl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,}"),
    (
        "Slack token",
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[0-9]-[A-Za-z0-9-]{10,}",
    ),
    (
        "Slack webhook",
        r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,}",
    ),
    ("Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    (
        "OpenAI key",
        r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}|\bsk-[A-Za-z0-9]{40,}\b",
    ),
    (
        "Stripe key",
        r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9]{32,}",
    ),
    ("Google key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("Google OAuth secret", r"\bGOCSPX-[A-Za-z0-9_-]{28}"),
    ("npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("PyPI token", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    (
        "SendGrid key",
        r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    ),
    ("Telegram bot token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    ("Hugging Face token", r"\bhf_[A-Za-z]{34}\b"),
    (
        "password in a URL",
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@<>{}$]{1,64}:([^\s/:@<>{}$]{4,})@",
    ),
    (
        "secret value",
        r#"(?i)\b[a-z0-9_-]*(?:secret|token|passw(?:or)?d|api[_-]?key)["']?\s*(?::|=>?)\s*["']([A-Za-z0-9+/_=.-]{20,})["']"#,
    ),
];

/// The kinds that any long value would fit: they are only believed when the value looks random.
const WEAK: [&str; 2] = ["secret value", "password in a URL"];

static RULES: LazyLock<Vec<(&'static str, Regex)>> = LazyLock::new(|| {
    PATTERNS
        .iter()
        .filter_map(|(kind, pattern)| Regex::new(pattern).ok().map(|regex| (*kind, regex)))
        .collect()
});

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

fn look(line: &str) -> Option<&'static str> {
    RULES.iter().find_map(|(kind, regex)| {
        let found = regex.captures(line)?;
        let secret = found.get(1).or_else(|| found.get(0))?.as_str();
        (!WEAK.contains(kind) || looks_random(secret)).then_some(*kind)
    })
}

/// Letters and digits mixed, no words: `changeme`, `your-token-here` and the like are no secrets.
fn looks_random(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = value.len() as f64;
    // Shannon entropy in bits a character; English words in a row stay near 3.5 without digits.
    let entropy: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum();
    digits >= 2 && letters >= 2 && entropy >= 2.8
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
    fn every_pattern_compiles() {
        assert_eq!(RULES.len(), PATTERNS.len());
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
