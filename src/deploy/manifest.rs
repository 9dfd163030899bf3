//! What a release is made of: the list that the host serves from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{DeploymentId, ReleaseId};

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path from the root of the release, `/` between parts.
    pub path: String,
    /// SHA-256 of its bytes, in hex: its name in the object store.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// False when the bytes are not UTF-8, so that no charset is claimed for them.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub utf8: bool,
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the shape serde asks for
fn is_yes(value: &bool) -> bool {
    *value
}

/// An immutable release: `manifest.json` in its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name.
    pub id: ReleaseId,
    /// The commit it was built from.
    pub commit: String,
    /// The id of that commit's tree.
    pub tree: String,
    /// A digest of how it was built: the same tree and recipe give the same release.
    pub recipe: String,
    /// True when a build made it; false when the commit's files are served as they are.
    pub built: bool,
    /// The deployment that made it.
    pub deployment: DeploymentId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its files, sorted by path.
    pub files: Vec<FileRecord>,
}

impl Manifest {
    /// Bytes in all files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// SHA-256 in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_known_ones() {
        // FIPS 180-2, "abc"
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_record_says_utf8_only_when_it_is_not() {
        let mut record = FileRecord {
            path: "a.html".into(),
            sha256: "00".into(),
            size: 1,
            utf8: true,
        };
        let text = serde_json::to_string(&record).unwrap();
        assert!(!text.contains("utf8"));
        assert_eq!(serde_json::from_str::<FileRecord>(&text).unwrap(), record);
        record.utf8 = false;
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<FileRecord>(&text).unwrap(), record);
    }
}
