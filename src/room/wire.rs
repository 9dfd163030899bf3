//! Reading and writing lib0's encoding (npm `lib0`, `encoding.js`): variable-length numbers, and buffers and strings with their length
//! before them. Nothing is taken on trust: a length or a count is compared with the bytes that are left before anything is made of it.

/// Numbers of clients are at most this: what JavaScript holds without loss.
const MAX_SAFE: u64 = (1 << 53) - 1;

/// Clocks stay below this: the documents count them in 31 bits.
const MAX_CLOCK: u64 = (1 << 31) - 1;

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// They end too early.
    #[error("the message ends in the middle of {0}")]
    Short(&'static str),
    /// They go on after the end.
    #[error("{0} bytes follow the end of the message")]
    Trailing(usize),
    /// A number, a tag or a text that cannot be.
    #[error("the message has no valid {0}")]
    Invalid(&'static str),
    /// More than is taken.
    #[error("{0} is too large")]
    TooLarge(&'static str),
    /// Valid, but not taken here.
    #[error("{0} cannot be shared in a room")]
    Unsupported(&'static str),
}

/// Bytes, read from the front.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, WireError> {
        let (first, rest) = self.rest.split_first().ok_or(WireError::Short(what))?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(WireError::Short(what))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of at most 53 bits.
    pub(super) fn number(&mut self, what: &'static str) -> Result<u64, WireError> {
        let mut number = 0_u64;
        for shift in (0..56).step_by(7) {
            let byte = self.byte(what)?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if number <= MAX_SAFE {
                    Ok(number)
                } else {
                    Err(WireError::Invalid(what))
                };
            }
        }
        Err(WireError::Invalid(what))
    }

    /// A clock or a length in clocks: 31 bits.
    pub(super) fn clock(&mut self, what: &'static str) -> Result<u64, WireError> {
        match self.number(what)? {
            clock if clock <= MAX_CLOCK => Ok(clock),
            _ => Err(WireError::Invalid(what)),
        }
    }

    /// How many things of at least `each` bytes follow.
    pub(super) fn count(&mut self, each: usize, what: &'static str) -> Result<usize, WireError> {
        let count = self.number(what)?;
        match usize::try_from(count) {
            Ok(count) if count <= self.left() / each => Ok(count),
            _ => Err(WireError::Short(what)),
        }
    }

    /// A signed number, whose value does not matter.
    pub(super) fn skip_signed(&mut self, what: &'static str) -> Result<(), WireError> {
        for _ in 0..9 {
            if self.byte(what)? < 0x80 {
                return Ok(());
            }
        }
        Err(WireError::Invalid(what))
    }

    pub(super) fn buffer(&mut self, what: &'static str) -> Result<&'a [u8], WireError> {
        let len = self.count(1, what)?;
        self.take(len, what)
    }

    pub(super) fn text(&mut self, what: &'static str) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.buffer(what)?).map_err(|_| WireError::Invalid(what))
    }

    /// That nothing follows.
    pub(super) fn end(&self) -> Result<(), WireError> {
        match self.left() {
            0 => Ok(()),
            left => Err(WireError::Trailing(left)),
        }
    }
}

/// Appends a number.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends bytes with their length before them.
pub(super) fn put_buffer(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip_up_to_what_javascript_holds() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), MAX_SAFE] {
            let mut out = Vec::new();
            put_number(&mut out, number);
            let mut reader = Reader::new(&out);
            assert_eq!(reader.number("n"), Ok(number));
            assert_eq!(reader.end(), Ok(()));
        }
        let mut out = Vec::new();
        put_number(&mut out, MAX_SAFE + 1);
        assert_eq!(Reader::new(&out).number("n"), Err(WireError::Invalid("n")));
        assert_eq!(
            Reader::new(&[0xff; 12]).number("n"),
            Err(WireError::Invalid("n"))
        );
        assert_eq!(Reader::new(&[0x80]).number("n"), Err(WireError::Short("n")));
    }

    #[test]
    fn a_length_is_compared_with_what_is_left() {
        let mut out = Vec::new();
        put_number(&mut out, 100_000_000);
        out.push(1);
        assert_eq!(
            Reader::new(&out).buffer("text"),
            Err(WireError::Short("text"))
        );
        assert_eq!(
            Reader::new(&out).count(1, "entries"),
            Err(WireError::Short("entries"))
        );
    }
}
