//! Keeps tokens and keys out of everything that is shown or stored.

use std::sync::Arc;

/// What stands in place of a secret.
const MASK: &str = "•••";

/// Shorter values are none: hiding every `abc` would only hide the text.
const SHORTEST: usize = 6;

/// Knows the secrets of one target.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Arc<[String]>,
}

impl Redactor {
    /// A redactor of `secrets`.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<String> = secrets
            .into_iter()
            .map(|secret| secret.trim().to_owned())
            .filter(|secret| secret.len() >= SHORTEST)
            .collect();
        // The longest first: one may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self {
            secrets: secrets.into(),
        }
    }

    /// `text` without the secrets.
    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), MASK);
            }
        }
        text
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} secrets)", self.secrets.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_never_shown() {
        let redactor = Redactor::new(["token-1".into(), "token-1-longer".into(), "ab".into()]);
        assert_eq!(
            redactor.clean("a token-1-longer b token-1 c ab"),
            "a ••• b ••• c ab"
        );
        assert!(!format!("{redactor:?}").contains("token"));
    }
}
