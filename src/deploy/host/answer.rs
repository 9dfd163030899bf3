//! Makes the HTTP answer for a file: conditional, whole, or a part of it.

use std::io::SeekFrom;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::pages;
use super::site::{Entry, Site, header};

/// Names the release that the bytes of an answer come from.
pub const RELEASE: &str = "x-sayso-release";

/// Bytes read at once when a file is streamed.
const CHUNK: usize = 64 * 1024;

/// The answer for `entry` of `site`. `status` is 200, or 404 for a release's own error page (which is then neither
/// conditional nor partial).
pub(super) async fn file(
    method: &Method,
    headers: &HeaderMap,
    site: &Site,
    entry: &Entry,
    status: StatusCode,
) -> Response {
    let plain = status == StatusCode::OK;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let out = response.headers_mut();
    out.insert(RELEASE, site.header.clone());
    out.insert(CACHE_CONTROL, entry.cache.clone());
    if plain {
        out.insert(ETAG, entry.etag.clone());
        if matches(headers, &entry.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    out.insert(CONTENT_TYPE, entry.kind.clone());

    let whole = match site.body(entry).await {
        Ok(whole) => whole,
        Err(error) => {
            tracing::error!(release = %site.id, %error, "a file of the release cannot be read");
            return pages::unreadable(site);
        }
    };
    let length = whole
        .as_ref()
        .map_or(entry.object.size, |bytes| bytes.len() as u64);
    let part = if plain && method == Method::GET {
        part(headers, &entry.etag, length)
    } else {
        Part::Whole
    };
    let (from, count) = match part {
        Part::Whole => (0, length),
        Part::Of(from, to) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let text = format!("bytes {from}-{to}/{length}");
            response.headers_mut().insert(CONTENT_RANGE, header(&text));
            (from, to - from + 1)
        }
        Part::Never => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            let out = response.headers_mut();
            out.remove(CONTENT_TYPE);
            out.insert(CONTENT_RANGE, header(&format!("bytes */{length}")));
            out.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            return response;
        }
    };
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from(count));
    if method == Method::HEAD {
        return response;
    }
    match body(entry, whole, from, count).await {
        Ok(body) => {
            *response.body_mut() = body;
            response
        }
        Err(error) => {
            tracing::error!(release = %site.id, %error, "a file of the release cannot be read");
            pages::unreadable(site)
        }
    }
}

async fn body(entry: &Entry, whole: Option<Bytes>, from: u64, count: u64) -> std::io::Result<Body> {
    if let Some(bytes) = whole {
        let from = from as usize;
        return Ok(Body::from(bytes.slice(from..from + count as usize)));
    }
    let mut file = tokio::fs::File::open(&entry.object.file).await?;
    if file.metadata().await?.len() != entry.object.size {
        return Err(std::io::Error::other(
            "the file on disk has another size than it should",
        ));
    }
    file.seek(SeekFrom::Start(from)).await?;
    Ok(Body::from_stream(ReaderStream::with_capacity(
        file.take(count),
        CHUNK,
    )))
}

/// `If-None-Match` (RFC 9110 §13.1.2): weak comparison, a list, or `*`.
fn matches(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().any(|value| {
        let Ok(text) = value.to_str() else {
            return false;
        };
        text.split(',').map(str::trim).any(|candidate| {
            candidate == "*"
                || candidate.strip_prefix("W/").unwrap_or(candidate).as_bytes() == etag.as_bytes()
        })
    })
}

/// Which part of a file is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// All of it.
    Whole,
    /// From the first to the last of these bytes.
    Of(u64, u64),
    /// None of it exists.
    Never,
}

/// `Range` and `If-Range` (RFC 9110 §14.2): one range of bytes. What is malformed, or several, is answered whole.
fn part(headers: &HeaderMap, etag: &HeaderValue, length: u64) -> Part {
    let Some(range) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else {
        return Part::Whole;
    };
    // Strong comparison: a date or a weak tag never matches.
    if headers
        .get(IF_RANGE)
        .is_some_and(|condition| condition != etag)
    {
        return Part::Whole;
    }
    let Some(spec) = range.trim().strip_prefix("bytes=") else {
        return Part::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Part::Whole;
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(first) || !digits(last) || (first.is_empty() && last.is_empty()) {
        return Part::Whole;
    }
    if first.is_empty() {
        let count = last.parse().unwrap_or(u64::MAX).min(length);
        return if count == 0 {
            Part::Never
        } else {
            Part::Of(length - count, length - 1)
        };
    }
    let from = first.parse().unwrap_or(u64::MAX);
    let to = if last.is_empty() {
        u64::MAX
    } else {
        last.parse().unwrap_or(u64::MAX)
    };
    if to < from {
        Part::Whole
    } else if from >= length {
        Part::Never
    } else {
        Part::Of(from, to.min(length - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let etag = HeaderValue::from_static("\"abc\"");
        let cases = [
            ("bytes=0-3", Part::Of(0, 3)),
            ("bytes=2-", Part::Of(2, 9)),
            ("bytes=-3", Part::Of(7, 9)),
            ("bytes=-30", Part::Of(0, 9)),
            ("bytes=5-500", Part::Of(5, 9)),
            ("bytes=10-", Part::Never),
            ("bytes=10-20", Part::Never),
            ("bytes=-0", Part::Never),
            ("bytes=5-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=0-1,4-5", Part::Whole),
            ("items=0-1", Part::Whole),
            ("bytes=99999999999999999999-", Part::Never),
        ];
        for (range, expected) in cases {
            assert_eq!(
                part(&headers(&[(RANGE, range)]), &etag, 10),
                expected,
                "{range}"
            );
        }
        assert_eq!(
            part(&headers(&[(RANGE, "bytes=0-")]), &etag, 0),
            Part::Never
        );
    }

    #[test]
    fn a_part_of_another_version_is_never_sent() {
        let etag = HeaderValue::from_static("\"abc\"");
        let with = |condition| headers(&[(RANGE, "bytes=0-3"), (IF_RANGE, condition)]);
        assert_eq!(part(&with("\"abc\""), &etag, 10), Part::Of(0, 3));
        for condition in ["\"old\"", "W/\"abc\"", "Tue, 01 Jan 2030 00:00:00 GMT"] {
            assert_eq!(
                part(&with(condition), &etag, 10),
                Part::Whole,
                "{condition}"
            );
        }
    }

    #[test]
    fn tags_match_weakly_and_in_lists() {
        let etag = HeaderValue::from_static("\"abc\"");
        for value in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(
                matches(&headers(&[(IF_NONE_MATCH, value)]), &etag),
                "{value}"
            );
        }
        for value in ["\"abcd\"", "abc", ""] {
            assert!(
                !matches(&headers(&[(IF_NONE_MATCH, value)]), &etag),
                "{value}"
            );
        }
    }
}
