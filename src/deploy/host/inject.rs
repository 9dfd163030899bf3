//! Puts the notice's script into a page. Pure.

use bytes::Bytes;

/// The page with `snippet` before its last `</body`, or at its end; `None` when this is a fragment rather than a
/// page (scripts fetch those and would run ours twice).
pub(super) fn inject(page: &[u8], snippet: &str) -> Option<Bytes> {
    if !is_page(page) {
        return None;
    }
    let at = rfind(page, b"</body").unwrap_or(page.len());
    let mut whole = Vec::with_capacity(page.len() + snippet.len());
    whole.extend_from_slice(&page[..at]);
    whole.extend_from_slice(snippet.as_bytes());
    whole.extend_from_slice(&page[at..]);
    Some(whole.into())
}

/// The script element; `release` tells the script which release the page came from.
pub(super) fn snippet(release: &str) -> String {
    let release: String = release
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        .collect();
    format!("<script src=\"/__sayso/client.js\" data-release=\"{release}\" async></script>")
}

/// A whole page says so near its top.
fn is_page(page: &[u8]) -> bool {
    let head = &page[..page.len().min(4096)];
    [&b"<!doctype"[..], b"<html", b"<head", b"<body"]
        .iter()
        .any(|mark| find(head, mark).is_some())
}

/// The first place of `mark` (in lower case), whatever its case in `text`.
fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    text.windows(mark.len())
        .position(|window| window.eq_ignore_ascii_case(mark))
}

/// The last place of `mark`.
fn rfind(text: &[u8], mark: &[u8]) -> Option<usize> {
    text.windows(mark.len())
        .rposition(|window| window.eq_ignore_ascii_case(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn injected(page: &str) -> Option<String> {
        inject(page.as_bytes(), "<S>").map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn the_script_goes_before_the_end_of_the_body() {
        assert_eq!(
            injected("<html><body>a</BODY ></html>").as_deref(),
            Some("<html><body>a<S></BODY ></html>")
        );
        assert_eq!(
            injected("<!DOCTYPE html><p>'</body>'</p></body>").as_deref(),
            Some("<!DOCTYPE html><p>'</body>'</p><S></body>")
        );
        assert_eq!(
            injected("<!doctype html><p>open").as_deref(),
            Some("<!doctype html><p>open<S>")
        );
    }

    #[test]
    fn fragments_stay_as_they_are() {
        assert_eq!(injected("<li>one more</li>"), None);
        assert_eq!(injected(""), None);
        // UTF-16: every other byte is zero, so nothing of it is recognised and nothing is broken.
        let utf16: Vec<u8> = "<html></html>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(inject(&utf16, "<S>"), None);
    }

    #[test]
    fn a_release_name_cannot_leave_its_attribute() {
        assert_eq!(
            snippet("rel_1\"><script>"),
            "<script src=\"/__sayso/client.js\" data-release=\"rel_1script\" async></script>"
        );
    }
}
