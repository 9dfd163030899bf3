//! The model's vocabulary: words to tokens and back.
//!
//! The file has one entry after the other without a header: a length byte `n` (0 for an empty entry; from 128 on,
//! `n − 128 + 128 × the next byte`), then that many bytes. 0 to 2 are control tokens, 3 to 258 the single bytes, then
//! pieces with U+2581 for a space; the last 768 are specials of the form `<<…>>`.

use std::collections::HashMap;

use crate::model::Problem;

/// The first token of every sequence.
pub const BEGIN: u32 = 1;

/// The last token of every sequence.
pub const END: u32 = 2;

/// The token of the byte 0.
const FIRST_BYTE: u32 = 3;

/// The first token that is a piece of text.
const FIRST_PIECE: u32 = FIRST_BYTE + 256;

/// How the vocabulary writes a space.
const SPACE: &str = "\u{2581}";

/// The vocabulary.
pub struct Tokens {
    entries: Vec<Vec<u8>>,
    ids: HashMap<Vec<u8>, u32>,
}

impl Tokens {
    /// Reads the vocabulary from the bytes of its file.
    ///
    /// # Errors
    /// When the bytes end in the middle of an entry, or are fewer than the byte tokens.
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let broken = || {
            Problem::internal("the vocabulary file is damaged")
                .hint("run `sayso speech install` again")
        };
        let mut entries = Vec::with_capacity(32_768);
        let mut rest = bytes;
        while let Some((&first, mut tail)) = rest.split_first() {
            let mut length = usize::from(first);
            if first >= 128 {
                let (&second, after) = tail.split_first().ok_or_else(broken)?;
                length = length - 128 + 128 * usize::from(second);
                tail = after;
            }
            let (entry, after) = tail.split_at_checked(length).ok_or_else(broken)?;
            entries.push(entry.to_vec());
            rest = after;
        }
        if entries.len() <= FIRST_PIECE as usize {
            return Err(broken());
        }
        let mut ids = HashMap::with_capacity(entries.len());
        for (id, entry) in (FIRST_PIECE..).zip(&entries[FIRST_PIECE as usize..]) {
            if !is_special(entry) {
                ids.entry(entry.clone()).or_insert(id);
            }
        }
        Ok(Self { entries, ids })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// The text of `tokens`, without specials and without spaces around it.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let mut bytes = Vec::new();
        for &token in tokens {
            if let Some(entry) = self.entries.get(token as usize)
                && token > END
                && !is_special(entry)
            {
                bytes.extend_from_slice(entry);
            }
        }
        String::from_utf8_lossy(&bytes)
            .replace(SPACE, " ")
            .trim()
            .to_owned()
    }

    /// The tokens of `text`, without [`BEGIN`] and [`END`]: from single letters, the two neighbours whose joint piece
    /// has the lowest token are merged until none can be. Letters without a piece become their bytes.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let words = text.split_whitespace().collect::<Vec<_>>().join(SPACE);
        if words.is_empty() {
            return Vec::new();
        }
        let spaced = format!("{SPACE}{words}");
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut letter = [0; 4];
        let mut at = 0;
        for character in spaced.chars() {
            let length = character.encode_utf8(&mut letter).len();
            parts.push(&spaced.as_bytes()[at..at + length]);
            at += length;
        }
        while let Some((_, first)) = (0..parts.len().saturating_sub(1))
            .filter_map(|first| Some((*self.ids.get(join(&spaced, &parts, first))?, first)))
            .min()
        {
            parts[first] = join(&spaced, &parts, first);
            parts.remove(first + 1);
        }
        let mut tokens = Vec::with_capacity(parts.len());
        for part in parts {
            match self.ids.get(part) {
                Some(&id) => tokens.push(id),
                None => tokens.extend(part.iter().map(|&byte| FIRST_BYTE + u32::from(byte))),
            }
        }
        tokens
    }
}

/// The bytes of the part `first` and of the one after it: neighbours in `text`.
fn join<'a>(text: &'a str, parts: &[&'a [u8]], first: usize) -> &'a [u8] {
    let start: usize = parts[..first].iter().map(|part| part.len()).sum();
    &text.as_bytes()[start..start + parts[first].len() + parts[first + 1].len()]
}

fn is_special(entry: &[u8]) -> bool {
    entry.len() > 2 && entry.first() == Some(&b'<') && entry.last() == Some(&b'>')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small vocabulary in the file's form: control tokens, bytes, then `pieces`.
    fn vocabulary(pieces: &[&str]) -> Tokens {
        let mut bytes = Vec::new();
        let mut push = |entry: &[u8]| {
            if entry.len() < 128 {
                bytes.push(entry.len() as u8);
            } else {
                bytes.push((entry.len() % 128 + 128) as u8);
                bytes.push((entry.len() / 128) as u8);
            }
            bytes.extend_from_slice(entry);
        };
        for control in ["<unk>", "<s>", "</s>"] {
            push(control.as_bytes());
        }
        for byte in 0..=255u8 {
            push(&[byte]);
        }
        for piece in pieces {
            push(piece.as_bytes());
        }
        Tokens::read(&bytes).unwrap()
    }

    #[test]
    fn the_lowest_merge_comes_first() {
        // "▁", "b", "a", "t" are letters; "at" (263) is merged before "ba" (264), so "▁bat" is never made.
        let tokens = vocabulary(&[SPACE, "b", "a", "t", "at", "ba", "▁bat"]);
        assert_eq!(tokens.encode("bat"), [259, 260, 263]);
        assert_eq!(tokens.decode(&[259, 260, 263]), "bat");
    }

    #[test]
    fn unknown_letters_become_bytes_and_come_back() {
        let tokens = vocabulary(&[SPACE, "a"]);
        let ids = tokens.encode("a é");
        assert_eq!(ids, [259, 260, 259, FIRST_BYTE + 0xc3, FIRST_BYTE + 0xa9]);
        assert_eq!(tokens.decode(&ids), "a é");
        assert!(tokens.encode("  ").is_empty());
    }

    #[test]
    fn specials_and_controls_are_not_text() {
        let tokens = vocabulary(&[SPACE, "a", "<<ST_1>>"]);
        assert_eq!(tokens.decode(&[BEGIN, 260, 261, END, 99_999]), "a");
    }

    #[test]
    fn long_entries_and_damage() {
        let long = "x".repeat(300);
        let tokens = vocabulary(&[SPACE, &long]);
        assert_eq!(tokens.decode(&[260]), long);
        assert!(Tokens::read(&[5, b'a']).is_err());
        assert!(Tokens::read(&[1, b'a']).is_err());
        assert!(Tokens::read(&[200]).is_err());
    }
}
