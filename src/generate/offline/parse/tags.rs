//! Components that are called like an element of HTML: `<Link>`, `<Input>`, `<Title>`.
//!
//! The grammars for markup tell elements apart without regard to case, as HTML does, so a component `<Link>` would
//! have no content and no end. They are given a copy of the text in which such names are no element's; the copy is
//! as long as the text, and names are read from the text itself.

/// Elements whose content or end HTML has rules of its own for.
const SPECIAL: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr", "title", "script", "style", "textarea", "template", "p", "li", "dt", "dd",
    "option", "optgroup", "tr", "th", "td", "thead", "tbody", "tfoot", "colgroup", "head", "body",
    "html", "rb", "rt", "rp",
];

/// Whether a tag's name is a component's, though HTML has an element of that name.
pub fn component(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.contains(|c: char| c.is_ascii_lowercase())
}

/// `text` with the names of such components changed, byte for byte as long.
pub fn mask(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('<') {
        let start = at + 1 + usize::from(bytes.get(at + 1) == Some(&b'/'));
        let length = bytes[start.min(bytes.len())..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let Some(name) = text.get(start..start + length) else {
            continue;
        };
        let ends = bytes
            .get(start + length)
            .is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
        if ends && component(name) && SPECIAL.contains(&name.to_ascii_lowercase().as_str()) {
            out[start] = b'X';
        }
    }
    // Only letters of ASCII were replaced by one.
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_no_elements() {
        assert_eq!(
            mask("<Link href='/'>é</Link><br><Title/><Linked/>"),
            "<Xink href='/'>é</Xink><br><Xitle/><Linked/>"
        );
        assert_eq!(mask("<LINK><"), "<LINK><");
    }
}
