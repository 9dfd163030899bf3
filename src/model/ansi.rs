//! Colours in the lines of a log (`CSI … m`), for those who show them without.

use std::borrow::Cow;

/// `line` without colours.
pub fn strip(line: &str) -> Cow<'_, str> {
    if !line.contains('\u{1b}') {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let body = &rest[at + 2..];
        match body.find(|c: char| ('@'..='~').contains(&c)) {
            Some(end) => rest = &body[end + 1..],
            None => return Cow::Owned(out),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_stay() {
        assert_eq!(strip("\u{1b}[1;31merror\u{1b}[0m: no"), "error: no");
        assert_eq!(strip("plain"), "plain");
        assert_eq!(strip("cut \u{1b}[3"), "cut ");
    }
}
