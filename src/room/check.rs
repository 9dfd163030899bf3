//! Whether bytes are a state vector or an update of a Yjs document (version 1), before the library decodes them.
//!
//! The library sets memory aside by the counts it reads, recurses as deep as a value is nested, and adds up clocks without looking;
//! a message of six bytes may cost a hundred megabytes, and one of some kilobytes the stack. So every message is walked first: each
//! count against the bytes that are left, each clock within 31 bits, each client once.

use std::collections::HashSet;

use super::wire::{Reader, WireError};

/// Values nested deeper are refused.
const MAX_DEPTH: usize = 32;

const HAS_ORIGIN: u8 = 0x80;
const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_PARENT_SUB: u8 = 0x20;

/// Walks a state vector.
pub(super) fn state_vector(bytes: &[u8]) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    for _ in 0..reader.count(2, "the state vector")? {
        reader.number("a client")?;
        reader.clock("a clock")?;
    }
    reader.end()
}

/// Walks an update.
pub(super) fn update(bytes: &[u8]) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    let clients = reader.count(3, "the clients")?;
    let mut seen = HashSet::with_capacity(clients.min(64));
    for _ in 0..clients {
        let blocks = reader.count(2, "the blocks")?;
        let client = reader.number("a client")?;
        if !seen.insert(client) {
            return Err(WireError::Invalid("list of clients"));
        }
        let mut clock = reader.clock("a clock")?;
        for _ in 0..blocks {
            clock += block(&mut reader)?;
            if clock > i32::MAX as u64 {
                return Err(WireError::Invalid("clock"));
            }
        }
    }
    deleted(&mut reader)?;
    reader.end()
}

/// Walks the set of what was deleted.
fn deleted(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let clients = reader.count(2, "what was deleted")?;
    let mut seen = HashSet::with_capacity(clients.min(64));
    for _ in 0..clients {
        if !seen.insert(reader.number("a client")?) {
            return Err(WireError::Invalid("list of clients"));
        }
        // In order and apart, as every writer of them has it: the library relies on it.
        let mut end = 0;
        for at in 0..reader.count(2, "what was deleted")? {
            let clock = reader.clock("a clock")?;
            if at > 0 && clock < end {
                return Err(WireError::Invalid("order of what was deleted"));
            }
            end = clock + reader.clock("a length")?;
            if end > i32::MAX as u64 {
                return Err(WireError::Invalid("clock"));
            }
        }
    }
    Ok(())
}

/// Walks one block; returns its length in clocks.
fn block(reader: &mut Reader<'_>) -> Result<u64, WireError> {
    let info = reader.byte("a block")?;
    // Collected, and skipped.
    if matches!(info, 0 | 10) {
        return match reader.clock("a length")? {
            0 => Err(WireError::Invalid("length")),
            len => Ok(len),
        };
    }
    if info & HAS_ORIGIN != 0 {
        id(reader)?;
    }
    if info & HAS_RIGHT_ORIGIN != 0 {
        id(reader)?;
    }
    if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) == 0 {
        match reader.number("a parent")? {
            1 => {
                reader.text("the name of a type")?;
            }
            0 => id(reader)?,
            _ => return Err(WireError::Invalid("parent")),
        }
        if info & HAS_PARENT_SUB != 0 {
            reader.text("a key")?;
        }
    }
    content(reader, info & 0x1f)
}

fn id(reader: &mut Reader<'_>) -> Result<(), WireError> {
    reader.number("a client")?;
    reader.clock("a clock")?;
    Ok(())
}

/// Walks the content of a block; returns its length in clocks.
fn content(reader: &mut Reader<'_>, kind: u8) -> Result<u64, WireError> {
    match kind {
        1 => reader.clock("a length"),
        3 => reader.buffer("bytes").map(|_| 1),
        4 => {
            let text = reader.text("text")?;
            Ok(text.encode_utf16().count() as u64)
        }
        5 => {
            json(reader)?;
            Ok(1)
        }
        6 => {
            reader.text("a key")?;
            json(reader)?;
            Ok(1)
        }
        7 => {
            match reader.byte("a type")? {
                // Array, map, text, fragment and text of XML.
                0 | 1 | 2 | 4 | 6 => {}
                // An element has a name.
                3 => {
                    reader.text("a name")?;
                }
                _ => return Err(WireError::Unsupported("this type")),
            }
            Ok(1)
        }
        8 => {
            let count = reader.count(1, "values")?;
            for _ in 0..count {
                any(reader, 0)?;
            }
            Ok(count as u64)
        }
        // What Yjs wrote before version 13, and documents within documents.
        2 => Err(WireError::Unsupported("an old form of JSON")),
        9 => Err(WireError::Unsupported("a document within a document")),
        _ => Err(WireError::Invalid("content")),
    }
}

fn json(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let text = reader.text("JSON")?;
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map(|_| ())
        .map_err(|_| WireError::Invalid("JSON"))
}

/// Walks a value of lib0's `any`.
fn any(reader: &mut Reader<'_>, depth: usize) -> Result<(), WireError> {
    if depth > MAX_DEPTH {
        return Err(WireError::TooLarge("the depth of a value"));
    }
    match reader.byte("a value")? {
        127 | 126 | 121 | 120 => Ok(()),
        125 => reader.skip_signed("a number"),
        124 => reader.take(4, "a number").map(|_| ()),
        123 | 122 => reader.take(8, "a number").map(|_| ()),
        119 => reader.text("text").map(|_| ()),
        118 => {
            for _ in 0..reader.count(2, "a map")? {
                reader.text("a key")?;
                any(reader, depth + 1)?;
            }
            Ok(())
        }
        117 => {
            for _ in 0..reader.count(1, "a list")? {
                any(reader, depth + 1)?;
            }
            Ok(())
        }
        116 => reader.buffer("bytes").map(|_| ()),
        _ => Err(WireError::Invalid("value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_much_memory_is_refused_before_it_is_decoded() {
        // A map of 10^8 entries in six bytes, by itself and where an update would have it.
        let bomb = [128, 194, 215, 47];
        assert!(state_vector(&bomb).is_err());
        assert!(update(&bomb).is_err());
        let mut inside = vec![1, 1, 5, 0, 0x08, 1, 1, b'a', 1, 118];
        inside.extend(bomb);
        assert_eq!(update(&inside), Err(WireError::Short("a map")));
    }

    #[test]
    fn deep_values_are_refused() {
        let mut deep = vec![1, 1, 5, 0, 0x08, 1, 1, b'a', 1];
        deep.extend(std::iter::repeat_n([117, 1], 100_000).flatten());
        assert_eq!(
            update(&deep),
            Err(WireError::TooLarge("the depth of a value"))
        );
    }

    #[test]
    fn clocks_do_not_run_over() {
        let mut far = vec![1, 2, 5];
        super::super::wire::put_number(&mut far, i32::MAX as u64 - 1);
        far.extend([0, 1, 0, 1, 0]);
        assert_eq!(update(&far), Err(WireError::Invalid("clock")));
        let mut far = vec![0, 1, 5, 1];
        super::super::wire::put_number(&mut far, i32::MAX as u64);
        far.push(1);
        assert_eq!(update(&far), Err(WireError::Invalid("clock")));
    }

    #[test]
    fn empty_ones_pass() {
        assert_eq!(state_vector(&[0]), Ok(()));
        assert_eq!(update(&[0, 0]), Ok(()));
        assert_eq!(update(&[0, 0, 0]), Err(WireError::Trailing(1)));
        assert_eq!(update(&[0]), Err(WireError::Short("what was deleted")));
    }
}
