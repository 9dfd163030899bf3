//! From the path of a request to a file of a release. Pure.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What is escaped in the path of a redirect (RFC 3986 §3.3, and `%` itself).
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A request's path that may name a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The decoded path without slashes at its ends; empty for the root.
    pub key: String,
    /// True when it ended with a slash.
    pub folder: bool,
}

/// Reads the raw (still escaped) path. `None` when it can never name a published file: a way out of the root,
/// a hidden name, an escaped separator, or no UTF-8.
pub(super) fn parse(raw: &str) -> Option<Asked> {
    let rest = raw.strip_prefix('/')?;
    let mut key = String::with_capacity(rest.len());
    let mut first = true;
    for part in rest.split('/') {
        if part.is_empty() {
            continue;
        }
        let part = percent_decode_str(part).decode_utf8().ok()?;
        // Separators and NUL can only have come from an escape; `..` and hidden names both begin with a dot.
        if part.contains(['/', '\\', '\0']) {
            return None;
        }
        if part.starts_with('.') && !(first && part == ".well-known") {
            return None;
        }
        if !first {
            key.push('/');
        }
        first = false;
        key.push_str(&part);
    }
    Some(Asked {
        folder: rest.is_empty() || rest.ends_with('/'),
        key,
    })
}

/// What a release has for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The file with this path.
    File(String),
    /// The same page lives under this address.
    Redirect(String),
    /// Nothing.
    Missing,
}

/// Finds the file for `asked`; `has` says whether a release has a file.
///
/// `/about` is `about`, else `about.html`, else a redirect to `/about/` when there is `about/index.html`;
/// `/about/` is `about/index.html`, else a redirect to `/about` when there is `about.html`.
pub(super) fn resolve(asked: &Asked, has: impl Fn(&str) -> bool) -> Found {
    let key = asked.key.as_str();
    let index = if key.is_empty() {
        "index.html".to_owned()
    } else {
        format!("{key}/index.html")
    };
    if asked.folder {
        if has(&index) {
            return Found::File(index);
        }
        if !key.is_empty() && has(&format!("{key}.html")) {
            return Found::Redirect(address(key, false));
        }
        return Found::Missing;
    }
    if has(key) {
        return Found::File(key.to_owned());
    }
    let page = format!("{key}.html");
    if has(&page) {
        return Found::File(page);
    }
    if has(&index) {
        return Found::Redirect(address(key, true));
    }
    Found::Missing
}

/// The escaped address of `key`. It begins with exactly one slash, so it can never name another host.
fn address(key: &str, folder: bool) -> String {
    let mut text = String::with_capacity(key.len() + 2);
    text.push('/');
    text.extend(utf8_percent_encode(key, ESCAPED));
    if folder {
        text.push('/');
    }
    text
}

/// True when the last part of the path has an extension: it asks for an asset, not for a page.
pub(super) fn names_a_file(key: &str) -> bool {
    let last = key.rsplit('/').next().unwrap_or(key);
    last.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (1..=12).contains(&extension.len())
            && extension.bytes().all(|b| b.is_ascii_alphanumeric())
            && extension.bytes().any(|b| b.is_ascii_alphabetic())
    })
}

/// True when a `Host` header names this machine: anything else is a web page elsewhere that had its own name
/// resolved to the loopback address.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = if let Some(rest) = host.strip_prefix('[') {
        let Some((inside, after)) = rest.split_once(']') else {
            return false;
        };
        if !after.is_empty() && !after.strip_prefix(':').is_some_and(is_port) {
            return false;
        }
        return inside
            .parse::<std::net::Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback());
    } else {
        match host.split_once(':') {
            Some((name, port)) if is_port(port) => name,
            Some(_) => return false,
            None => host,
        }
    };
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: [&str; 8] = [
        "index.html",
        "about.html",
        "blog/index.html",
        "blog/first.html",
        "both.html",
        "both/index.html",
        "style.css",
        "über uns/index.html",
    ];

    fn found(path: &str) -> Option<Found> {
        parse(path).map(|asked| resolve(&asked, |key| SITE.contains(&key)))
    }

    #[test]
    fn addresses_find_their_files() {
        let file = |path: &str| Some(Found::File(path.to_owned()));
        let to = |path: &str| Some(Found::Redirect(path.to_owned()));
        let cases = [
            ("/", file("index.html")),
            ("//", file("index.html")),
            ("/index.html", file("index.html")),
            ("/about", file("about.html")),
            ("/about.html", file("about.html")),
            ("/about/", to("/about")),
            ("/blog", to("/blog/")),
            ("/blog/", file("blog/index.html")),
            ("/blog//first", file("blog/first.html")),
            ("/both", file("both.html")),
            ("/both/", file("both/index.html")),
            ("/style.css", file("style.css")),
            ("/style.css/", Some(Found::Missing)),
            ("/%C3%BCber%20uns", to("/%C3%BCber%20uns/")),
            ("/nothing", Some(Found::Missing)),
            ("//blog", to("/blog/")),
        ];
        for (path, expected) in cases {
            assert_eq!(found(path), expected, "{path}");
        }
    }

    #[test]
    fn ways_out_and_hidden_names_are_refused() {
        for path in [
            "/..",
            "/../etc/passwd",
            "/a/../../etc/passwd",
            "/%2e%2e/etc/passwd",
            "/%2E%2e%2fetc/passwd",
            "/..%2fetc%2fpasswd",
            "/a%5c..%5cb",
            "/.env",
            "/a/.git/config",
            "/%2eenv",
            "/.",
            "/.well-known.txt",
            "/a/.well-known/x",
            "/a%00.html",
            "/%ff",
            "relative",
            "",
            "*",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
        assert_eq!(
            parse("/.well-known/x").map(|asked| asked.key).as_deref(),
            Some(".well-known/x")
        );
    }

    #[test]
    fn double_escapes_are_decoded_once() {
        assert_eq!(
            parse("/%252e%252e").map(|asked| asked.key).as_deref(),
            Some("%2e%2e")
        );
    }

    #[test]
    fn a_redirect_never_names_another_host() {
        for path in ["//evil.example/blog", "/%2f/evil", "///blog"] {
            match found(path) {
                Some(Found::Redirect(to)) => {
                    assert!(
                        to.starts_with('/') && !to.starts_with("//"),
                        "{path} → {to}"
                    );
                }
                Some(Found::Missing) | None => {}
                other => panic!("{path} → {other:?}"),
            }
        }
        assert_eq!(address("a\nb", false), "/a%0Ab");
    }

    #[test]
    fn assets_are_told_from_pages() {
        for key in ["a.js", "img/a.b.png", "x/y.webmanifest", "v1.2.3/a.mp4"] {
            assert!(names_a_file(key), "{key}");
        }
        for key in ["", "about", "docs/v1.2", "user/a.", "e.g. this thing"] {
            assert!(!names_a_file(key), "{key}");
        }
    }

    #[test]
    fn only_this_machine_is_answered() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:4321",
            "localhost:80",
            "LOCALHOST",
            "localhost.",
            "site.localhost:9",
            "[::1]:80",
            "[::1]",
            "127.9.9.9",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.168.1.2",
            "[::1",
            "[::2]:80",
            "[::1]x",
            "localhost:x",
            "notlocalhost",
            "0.0.0.0",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
