//! Signatures of webhooks: HMAC (RFC 2104) with SHA-1 or SHA-256, compared in constant time. Pure.

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Both hashes work on blocks of so many bytes.
const BLOCK: usize = 64;

fn hmac<H: Digest>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        let digest = H::digest(key);
        block[..digest.len()].copy_from_slice(&digest);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |with: u8| block.map(|byte| byte ^ with);
    let mut inner = H::new();
    inner.update(padded(0x36));
    for part in parts {
        inner.update(part);
    }
    let mut outer = H::new();
    outer.update(padded(0x5c));
    outer.update(inner.finalize());
    outer.finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC-SHA-1 of the parts, one after the other, as lower-case hex: how Vercel signs.
pub fn sha1(key: &[u8], parts: &[&[u8]]) -> String {
    hex(&hmac::<Sha1>(key, parts))
}

/// HMAC-SHA-256 of the parts, one after the other, as lower-case hex: how GitHub and Sayso sign.
pub fn sha256(key: &[u8], parts: &[&[u8]]) -> String {
    hex(&hmac::<Sha256>(key, parts))
}

/// Whether two signatures are equal, in a time that does not tell how much of them is.
pub fn equal(right: &str, given: &str) -> bool {
    let (right, given) = (right.as_bytes(), given.as_bytes());
    let mut differ = right.len() ^ given.len();
    for (at, byte) in right.iter().enumerate() {
        differ |= usize::from(byte ^ given.get(at).unwrap_or(&0));
    }
    std::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standards() {
        // RFC 2202 and RFC 4231, test cases 2 and 6 (a key longer than a block).
        let (key, text): (&[u8], &[u8]) = (b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            sha1(key, &[text]),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert_eq!(
            sha256(key, &[&text[..7], &text[7..]]),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            sha256(
                &[0xaa; 131],
                &[b"Test Using Larger Than Block-Size Key - Hash Key First"]
            ),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn only_equal_signatures_are_equal() {
        assert!(equal("abc", "abc"));
        for other in ["", "ab", "abd", "abcd", "ABC"] {
            assert!(!equal("abc", other), "{other:?}");
        }
    }
}
