//! Transactions as messages of a stream, and names as parts of its subjects.
//!
//! A transaction is one message; what is larger than the server takes travels in several, one right after the other, and
//! counts once the last one is there. What a writer that died left unfinished is followed by another first part, and dropped.

use bytes::Bytes;

use crate::events::Transaction;
use crate::model::Problem;

/// The header that says which part of how many a message is.
pub(super) const PART: &str = "Sayso-Part";

/// A name as one part of a subject, a stream's name or a key: whatever is no letter, digit, `-` or `_` is written as `=` and its
/// byte in hexadecimal.
pub fn token(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => out.push(byte.into()),
            other => out.push_str(&format!("={other:02x}")),
        }
    }
    out
}

/// The messages of a transaction, each of at most `most` bytes.
///
/// # Errors
/// When it cannot be serialised.
pub fn split(transaction: &Transaction, most: usize) -> Result<Vec<Bytes>, Problem> {
    let whole = Bytes::from(serde_json::to_vec(transaction).map_err(Problem::internal)?);
    let most = most.max(1);
    let parts = whole.len().div_ceil(most).max(1);
    Ok((0..parts)
        .map(|part| whole.slice(part * most..whole.len().min((part + 1) * most)))
        .collect())
}

/// What the header of a part says.
pub fn part_header(part: usize, of: usize) -> String {
    format!("{part}/{of}")
}

/// Puts parts together.
#[derive(Debug, Default)]
pub struct Parts {
    bytes: Vec<u8>,
    next: usize,
    of: usize,
}

impl Parts {
    /// Takes the next message of a stream; a transaction when it is whole.
    ///
    /// # Errors
    /// `store` when the message is none of ours, or damaged.
    pub fn take(
        &mut self,
        header: Option<&str>,
        body: &[u8],
    ) -> Result<Option<Transaction>, Problem> {
        let (part, of) = match header {
            None => (1, 1),
            Some(text) => text
                .split_once('/')
                .and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)))
                .ok_or_else(|| damaged(format!("{PART}: {text:?}")))?,
        };
        if part == 1 {
            self.bytes.clear();
            (self.next, self.of) = (1, of);
        }
        if part != self.next || of != self.of {
            return Err(damaged(format!(
                "part {part} of {of} where {} of {} is due",
                self.next, self.of
            )));
        }
        self.bytes.extend_from_slice(body);
        self.next += 1;
        if part < of {
            return Ok(None);
        }
        let whole = std::mem::take(&mut self.bytes);
        (self.next, self.of) = (0, 0);
        serde_json::from_slice(&whole).map(Some).map_err(damaged)
    }
}

fn damaged(error: impl std::fmt::Display) -> Problem {
    Problem::new(
        500,
        "store",
        format!("a message of the event stream cannot be read: {error}"),
    )
    .hint("it may have been written by another version of Sayso, or by another program")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::events::Put;

    #[test]
    fn names_become_tokens_and_stay_apart() {
        assert_eq!(token("site-1_a"), "site-1_a");
        assert_eq!(token("my site.v2"), "my=20site=2ev2");
        assert_eq!(token("a=20b"), "a=3d20b");
        assert_eq!(token("größe"), "gr=c3=b6=c3=9fe");
    }

    #[test]
    fn a_transaction_travels_in_parts_and_what_was_left_unfinished_is_dropped() {
        let transaction = Transaction {
            puts: vec![Put::new("note", "n1", &json!("x".repeat(1000))).unwrap()],
            ..Transaction::default()
        };
        let parts = split(&transaction, 300).unwrap();
        assert!(parts.len() > 3);
        let mut together = Parts::default();
        let of = parts.len();
        let mut take = |part: usize| together.take(Some(&part_header(part, of)), &parts[part - 1]);
        assert!(take(1).unwrap().is_none());
        assert!(take(2).unwrap().is_none());
        // Its writer died; the next one begins.
        for part in 1..of {
            assert!(take(part).unwrap().is_none(), "{part}");
        }
        assert_eq!(take(of).unwrap(), Some(transaction.clone()));
        assert!(take(of).is_err());
        let one = split(&transaction, 1 << 20).unwrap();
        assert_eq!(one.len(), 1);
        assert_eq!(together.take(None, &one[0]).unwrap(), Some(transaction));
        assert!(together.take(None, b"{").is_err());
        assert!(together.take(Some("x"), b"{}").is_err());
    }
}
