//! Identifiers: a short prefix that says what it names, then 20 characters that sort by time.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Crockford's base 32 in lower case: no `i`, `l`, `o`, `u`, so an id can be read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new id: `prefix_` then 48 bits of milliseconds since 1970 and 52 random bits.
fn fresh(prefix: &str) -> String {
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_millis() as u64);
    let random = getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()) << 20);
    spelled(prefix, millis, random)
}

fn spelled(prefix: &str, millis: u64, random: u64) -> String {
    let bits = (u128::from(millis & 0xffff_ffff_ffff) << 52) | u128::from(random >> 12);
    let mut text = String::with_capacity(prefix.len() + 21);
    text.push_str(prefix);
    text.push('_');
    for place in (0..20).rev() {
        text.push(ALPHABET[((bits >> (place * 5)) & 31) as usize] as char);
    }
    text
}

/// An id that is always the same for the same time and name: for what others made and we only list.
fn derived(prefix: &str, millis: u64, name: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(name.as_bytes());
    let hash = digest
        .iter()
        .take(8)
        .fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
    spelled(prefix, millis, hash)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// A new id; ids made later sort later (to the millisecond).
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(fresh($prefix))
            }

            /// The id of what others made at `millis` (since 1970) and call `name`: always the same one.
            pub fn derived(millis: u64, name: &str) -> Self {
                Self(derived($prefix, millis, name))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

id!(
    /// Names an [`Instruction`](super::Instruction).
    InstructionId,
    "ins"
);
id!(
    /// Names a [`Proposal`](super::Proposal).
    ProposalId,
    "pro"
);
id!(
    /// Names a [`Deployment`](super::Deployment).
    DeploymentId,
    "dep"
);
id!(
    /// Names a release: an immutable build of one commit.
    ReleaseId,
    "rel"
);
id!(
    /// Names a token: it says nothing about the token itself.
    TokenId,
    "tok"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_their_prefix_and_differ() {
        let a = InstructionId::new();
        let b = InstructionId::new();
        assert!(a.as_str().starts_with("ins_"));
        assert_eq!(a.as_str().len(), 24);
        assert_ne!(a, b);
        let derived = |millis, name| DeploymentId::derived(millis, name);
        assert_eq!(derived(5, "x"), derived(5, "x"));
        assert_ne!(derived(5, "x"), derived(5, "y"));
        assert!(derived(5, "x") < derived(6, "a"));
    }
}
