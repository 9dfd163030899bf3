//! Keeps tokens and keys out of everything that is shown or stored.

use std::sync::{Arc, PoisonError, RwLock};

/// What stands in place of a secret.
const MASK: &str = "•••";

/// Shorter values are none: hiding every `abc` would only hide the text.
const SHORTEST: usize = 6;

/// Knows the secrets of one target.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Arc<RwLock<Vec<String>>>,
}

impl Redactor {
    /// A redactor of `secrets`.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let redactor = Self::default();
        for secret in secrets {
            redactor.learn(&secret);
        }
        redactor
    }

    /// One more: a token that was found later. Every clone of this redactor knows it.
    pub fn learn(&self, secret: &str) {
        let secret = secret.trim();
        if secret.len() < SHORTEST {
            return;
        }
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        if !secrets.iter().any(|other| other == secret) {
            secrets.push(secret.to_owned());
            // The longest first: one may be a part of another.
            secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// `text` without the secrets.
    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets.iter() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), MASK);
            }
        }
        text
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(…)")
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
        let clone = redactor.clone();
        redactor.learn("found-later");
        assert_eq!(clone.clean("found-later"), "•••");
    }
}
