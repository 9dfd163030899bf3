//! The keys that tokens are signed with: Ed25519 keys in a file that only the user can read, or secrets of the operator.
//!
//! A token names its key (`kid`), and a key has one algorithm: what a token says about its algorithm is compared with that,
//! and decides nothing. After a rotation the older keys verify and sign no more, so their private halves are dropped.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::Problem;
use crate::model::token::KeyInfo;
use crate::store::file;

/// A secret of the operator has at least so many bytes: as many as HMAC-SHA-256 gives.
const SHORTEST_SECRET: usize = 32;

/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Where the keys of a server come from.
#[derive(Clone, Default)]
pub struct Signing {
    /// The file that keys are kept in; none: in memory, and gone at the end.
    pub file: Option<PathBuf>,
    /// Secrets of the operator. The first one signs instead of a key of the file; all of them verify.
    pub secrets: Vec<String>,
}

impl Signing {
    /// Keys in `file`, or the secrets in the variable `SAYSO_TOKEN_SECRET` (several with blanks between them).
    ///
    /// # Errors
    /// `config` when a secret is too short.
    pub fn from_environment(file: PathBuf) -> Result<Self, Problem> {
        let text = std::env::var("SAYSO_TOKEN_SECRET").unwrap_or_default();
        Self {
            file: Some(file),
            secrets: text.split_whitespace().map(str::to_owned).collect(),
        }
        .checked()
    }

    fn checked(self) -> Result<Self, Problem> {
        if self
            .secrets
            .iter()
            .any(|secret| secret.len() < SHORTEST_SECRET)
        {
            return Err(Problem::new(
                422,
                "config",
                format!(
                    "a secret in SAYSO_TOKEN_SECRET has less than {SHORTEST_SECRET} characters"
                ),
            )
            .hint("make one: openssl rand -base64 48; or leave it out to have keys made"));
        }
        Ok(self)
    }
}

/// A key.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) alg: Algorithm,
    pub(super) verify: DecodingKey,
    /// Absent for one that signs no more.
    sign: Option<EncodingKey>,
    stored: Option<Stored>,
}

/// A key as it is in the file.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    id: String,
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retired_at: Option<Timestamp>,
    /// The public half in base64url.
    public: String,
    /// The private half in base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    private: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct File {
    keys: Vec<Stored>,
}

impl Key {
    fn of_secret(secret: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"sayso: the name of a secret\0");
        digest.update(secret.as_bytes());
        let id = URL_SAFE_NO_PAD.encode(&digest.finalize()[..9]);
        Self {
            id: format!("secret-{id}"),
            alg: Algorithm::HS256,
            verify: DecodingKey::from_secret(secret.as_bytes()),
            sign: Some(EncodingKey::from_secret(secret.as_bytes())),
            stored: None,
        }
    }

    fn of_stored(stored: Stored) -> Result<Self, String> {
        let public = URL_SAFE_NO_PAD.decode(&stored.public);
        if public.is_ok_and(|bytes| bytes.len() != 32) {
            return Err(format!("the key {} is not 32 bytes long", stored.id));
        }
        let sign = match &stored.private {
            Some(seed) => Some(signing_key(seed)?),
            None => None,
        };
        Ok(Self {
            id: stored.id.clone(),
            alg: Algorithm::EdDSA,
            verify: DecodingKey::from_ed_components(&stored.public)
                .map_err(|error| format!("the key {}: {error}", stored.id))?,
            sign,
            stored: Some(stored),
        })
    }

    fn fresh() -> Result<Self, Problem> {
        let mut bytes = [0_u8; 32 + 6];
        getrandom::fill(&mut bytes).map_err(|error| {
            Problem::internal(format!("no random numbers for a key: {error}"))
                .hint("the system's random source is not available; restart the machine")
        })?;
        let (seed, id) = bytes.split_at(32);
        let seed = URL_SAFE_NO_PAD.encode(seed);
        let key = signing_key(&seed).map_err(Problem::internal)?;
        let jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA).map_err(Problem::internal)?;
        let AlgorithmParameters::OctetKeyPair(pair) = jwk.algorithm else {
            return Err(Problem::internal("an Ed25519 key is no key pair"));
        };
        Self::of_stored(Stored {
            id: format!("key-{}", URL_SAFE_NO_PAD.encode(id)),
            created_at: Timestamp::now(),
            retired_at: None,
            public: pair.x,
            private: Some(seed),
        })
        .map_err(Problem::internal)
    }
}

fn signing_key(seed: &str) -> Result<EncodingKey, String> {
    let seed = URL_SAFE_NO_PAD
        .decode(seed)
        .ok()
        .filter(|seed| seed.len() == 32)
        .ok_or("a private key is not 32 bytes long")?;
    let der = [&PKCS8[..], &seed].concat();
    Ok(EncodingKey::from_ed_der(&der))
}

/// All keys of a project.
pub(super) struct Keyring {
    file: Option<PathBuf>,
    /// Those of the operator first, then those of the file, the oldest first.
    keys: Vec<Key>,
}

impl Keyring {
    /// The keys that there are. None is made before one is needed.
    ///
    /// # Errors
    /// `config` when the file is not what it should be, or others can read it.
    pub(super) fn open(signing: Signing) -> Result<Self, Problem> {
        let Signing { file, secrets } = signing.checked()?;
        let mut keys: Vec<Key> = secrets
            .iter()
            .map(|secret| Key::of_secret(secret))
            .collect();
        if let Some(path) = &file {
            for stored in read(path)?.keys {
                keys.push(Key::of_stored(stored).map_err(|why| broken(path, &why))?);
            }
        }
        Ok(Self { file, keys })
    }

    /// The key `id`.
    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The key that signs, with what it signs with; `None` before the first one is made.
    pub(super) fn signer(&self) -> Option<(&Key, &EncodingKey)> {
        let at = self.signs()?;
        let key = self.keys.get(at)?;
        Some((key, key.sign.as_ref()?))
    }

    fn signs(&self) -> Option<usize> {
        let secret = self.keys.iter().position(|key| key.stored.is_none());
        secret.or_else(|| self.keys.iter().rposition(|key| key.sign.is_some()))
    }

    /// Makes the first key, where there is none.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub(super) fn ready(&mut self) -> Result<(), Problem> {
        if self.signs().is_none() {
            self.keys.push(Key::fresh()?);
            self.keep()?;
        }
        Ok(())
    }

    /// A new key signs from now on. Of the older ones those stay that `in_use` says yes to, to verify what they signed.
    ///
    /// # Errors
    /// `conflict` where a secret of the operator signs; when it cannot be kept: then all is as before.
    pub(super) fn rotate(&mut self, in_use: impl Fn(&str) -> bool) -> Result<(), Problem> {
        if self.keys.iter().any(|key| key.stored.is_none()) {
            return Err(Problem::conflict(
                "tokens are signed with a secret of yours, SAYSO_TOKEN_SECRET",
            )
            .hint(
                "put a new secret before it (a blank between them) and restart: the first one signs, and the others verify \
                 until you take them out",
            ));
        }
        let mut next = vec![];
        let now = Timestamp::now();
        for key in &self.keys {
            if let Some(mut stored) = key.stored.clone().filter(|_| in_use(&key.id)) {
                stored.private = None;
                stored.retired_at.get_or_insert(now);
                next.push(Key::of_stored(stored).map_err(Problem::internal)?);
            }
        }
        next.push(Key::fresh()?);
        let before = std::mem::replace(&mut self.keys, next);
        self.keep().inspect_err(|_| self.keys = before)
    }

    /// What can be told of every key; `tokens` says how many valid tokens one has signed.
    pub(super) fn told(&self, tokens: impl Fn(&str) -> usize) -> Vec<KeyInfo> {
        let signs = self.signs();
        let told = |(at, key): (usize, &Key)| KeyInfo {
            id: key.id.clone(),
            alg: format!("{:?}", key.alg),
            signs: Some(at) == signs,
            created_at: key.stored.as_ref().map(|stored| stored.created_at),
            retired_at: key.stored.as_ref().and_then(|stored| stored.retired_at),
            public: key.stored.as_ref().map(|stored| stored.public.clone()),
            tokens: tokens(&key.id),
        };
        self.keys.iter().enumerate().map(told).collect()
    }

    fn keep(&self) -> Result<(), Problem> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let keys = self.keys.iter().filter_map(|key| key.stored.clone());
        let file = File {
            keys: keys.collect(),
        };
        let bytes = serde_json::to_vec_pretty(&file).map_err(Problem::internal)?;
        // Readable by the user alone.
        file::replace(path, &bytes).map_err(|error| {
            Problem::new(500, "state", format!("{}: {error}", path.display()))
                .hint("check that the state folder can be written")
        })
    }
}

fn read(path: &Path) -> Result<File, Problem> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(File::default()),
        Err(error) => return Err(broken(path, &error.to_string())),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map_or(0, |data| data.permissions().mode());
        if mode & 0o077 != 0 {
            return Err(Problem::new(
                500,
                "config",
                format!("{}: others can read the keys of the tokens", path.display()),
            )
            .hint(format!(
                "chmod 600 {}; if somebody may have read it: sayso token rotate --revoke",
                path.display()
            )));
        }
    }
    serde_json::from_slice(&bytes).map_err(|error| broken(path, &error.to_string()))
}

fn broken(path: &Path, why: &str) -> Problem {
    Problem::new(
        500,
        "config",
        format!(
            "{}: the keys of the tokens cannot be read: {why}",
            path.display()
        ),
    )
    .hint(
        "restore the file, or remove it: then new keys are made, and all tokens must be made anew",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(dir: &Path) -> Keyring {
        Keyring::open(Signing {
            file: Some(dir.join("keys.json")),
            secrets: vec![],
        })
        .unwrap()
    }

    #[test]
    fn a_key_is_made_when_it_is_needed_and_is_there_again_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let mut ring = opened(dir.path());
        assert!(ring.signer().is_none() && !dir.path().join("keys.json").exists());
        ring.ready().unwrap();
        let first = ring.signer().unwrap().0.id.clone();
        ring.ready().unwrap();
        assert_eq!(ring.keys.len(), 1);
        let mut ring = opened(dir.path());
        assert_eq!(ring.signer().unwrap().0.id, first);
        assert_eq!(ring.find(&first).unwrap().alg, Algorithm::EdDSA);
        // The older one verifies, and its private half is gone for good.
        ring.rotate(|_| true).unwrap();
        let text = std::fs::read_to_string(dir.path().join("keys.json")).unwrap();
        assert_eq!(text.matches("private").count(), 1);
        let mut ring = opened(dir.path());
        assert_ne!(ring.signer().unwrap().0.id, first);
        assert!(ring.find(&first).unwrap().sign.is_none());
        ring.rotate(|_| false).unwrap();
        assert!(ring.find(&first).is_none());
        assert_eq!(ring.told(|_| 0).len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn keys_that_others_can_read_are_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        opened(dir.path()).ready().unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let problem = read(&path).err().unwrap();
        assert!(problem.hint.unwrap().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "{").unwrap();
        assert!(read(&path).err().unwrap().detail.contains("cannot be read"));
    }

    #[test]
    fn of_several_secrets_the_first_one_signs_and_all_verify() {
        let (old, new) = ("o".repeat(32), "n".repeat(32));
        let of = |secrets: &[&String]| {
            Keyring::open(Signing {
                file: None,
                secrets: secrets.iter().map(|secret| (*secret).clone()).collect(),
            })
        };
        let before = of(&[&old]).unwrap().signer().unwrap().0.id.clone();
        let mut ring = of(&[&new, &old]).unwrap();
        assert_ne!(ring.signer().unwrap().0.id, before);
        assert_eq!(ring.find(&before).unwrap().alg, Algorithm::HS256);
        assert!(ring.rotate(|_| true).unwrap_err().is("conflict"));
        assert!(of(&[&"short".to_owned()]).is_err());
        // Nothing of a secret is told.
        let told = serde_json::to_string(&ring.told(|_| 0)).unwrap();
        assert!(!told.contains(&old) && !told.contains("public"));
    }
}
