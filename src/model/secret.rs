//! What keys and tokens look like: before they are committed, and before a text goes to a service.

use std::sync::LazyLock;

use regex::Regex;

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

/// The kind of secret that stands in a line, if any.
pub fn look(line: &str) -> Option<&'static str> {
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

/// A text without its secrets: each line that holds one is taken out and named. `None` when there are none.
pub fn redacted(text: &str) -> Option<String> {
    let mut found = false;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match look(line) {
            Some(what) => {
                found = true;
                out.push_str("[a line with a secret (");
                out.push_str(what);
                out.push_str(") is not shown]");
                if line.ends_with('\n') {
                    out.push('\n');
                }
            }
            None => out.push_str(line),
        }
    }
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(RULES.len(), PATTERNS.len());
    }

    #[test]
    fn a_line_with_a_secret_is_not_shown() {
        let key = format!("AKIA{}", "IOSFODNN7EXAMPLE");
        let text = format!("a\nid = {key}\nb\n");
        let shown = redacted(&text).unwrap();
        assert!(
            !shown.contains(&key) && shown.starts_with("a\n[a line") && shown.ends_with("\nb\n"),
            "{shown}"
        );
        assert_eq!(redacted("a\nb"), None);
    }
}
