//! What a file is to a browser: its type, and how long it may be kept. Pure.

/// The media type of a file by its name, with a charset where the type has one.
/// `utf8` is false when the bytes are not UTF-8: the page's own declaration then decides.
pub(super) fn media_type(path: &str, utf8: bool) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let kind = match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html",
        "js" | "mjs" | "cjs" => "text/javascript",
        "css" => "text/css",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "avif" => "image/avif",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ts" | "tsx" | "jsx" | "astro" | "vue" | "svelte" | "toml" | "yaml" | "yml" => "text/plain",
        "" if name == "apple-app-site-association" => "application/json",
        "" if matches!(name, "CNAME" | "LICENSE" | "README" | "NOTICE") => "text/plain",
        _ => mime_guess::from_path(name)
            .first_raw()
            .unwrap_or("application/octet-stream"),
    };
    let textual = kind.starts_with("text/")
        || kind.ends_with("+xml")
        || kind.ends_with("+json")
        || matches!(
            kind,
            "application/json" | "application/xml" | "application/javascript"
        );
    if textual && utf8 {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    }
}

/// True when the file is an HTML page.
pub(super) fn is_html(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    lower.ends_with(".html") || lower.ends_with(".htm")
}

/// True for what pages load by themselves: scripts, styles, fonts, pictures, sound.
pub(super) fn is_asset(path: &str) -> bool {
    const ASSETS: [&str; 27] = [
        "js",
        "mjs",
        "css",
        "map",
        "wasm",
        "woff",
        "woff2",
        "ttf",
        "otf",
        "eot",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "avif",
        "ico",
        "bmp",
        "mp3",
        "mp4",
        "webm",
        "ogg",
        "wav",
        "m4a",
        "mov",
        "webmanifest",
    ];
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    ASSETS.contains(&extension.to_ascii_lowercase().as_str())
}

/// Folders in which a build tool puts nothing but files whose names change with their contents.
const HASHED_FOLDERS: [&str; 5] = [
    "_astro/",
    "_next/static/",
    "_nuxt/",
    "_app/immutable/",
    "build/q-",
];

/// True when the file's name carries a digest of its bytes, so that a browser may keep it for ever.
///
/// Saying yes wrongly shows a visitor an old file for a year; saying no wrongly costs one revalidation. So only
/// assets of builds qualify, and the digest must look like one.
pub(super) fn is_fingerprinted(path: &str, built: bool) -> bool {
    if !built || !is_asset(path) {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if HASHED_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
        return stem.split(['.', '-', '_']).any(|part| part.len() >= 6 && (mixed(part) || digest(part)))
            // Base 64 digests may hold `-` and `_` themselves.
            || stem.rsplit('.').next().is_some_and(|part| part.len() == 8 && mixed(part));
    }
    stem.split(['.', '-', '_']).any(digest)
}

/// Eight or more letters and digits mixed: hex, or base 62 with both cases.
fn digest(part: &str) -> bool {
    let bytes = part.as_bytes();
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let lower = bytes.iter().filter(|b| b.is_ascii_lowercase()).count();
    let upper = bytes.iter().filter(|b| b.is_ascii_uppercase()).count();
    if !(8..=64).contains(&bytes.len()) || digits + lower + upper != bytes.len() || digits == 0 {
        return false;
    }
    let hex = bytes.iter().all(u8::is_ascii_hexdigit);
    (hex && digits >= 2 && lower + upper >= 1 && (lower == 0 || upper == 0))
        || (lower >= 1 && upper >= 1)
        || (upper >= 3 && lower == 0 && bytes.len() == 8)
}

/// Both cases, or letters and digits.
fn mixed(part: &str) -> bool {
    let has = |test: fn(&u8) -> bool| part.as_bytes().iter().any(test);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
        || has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_carry_a_charset_where_they_have_one() {
        let cases = [
            ("index.html", "text/html; charset=utf-8"),
            ("a/b.JS", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.json", "application/json; charset=utf-8"),
            ("a.svg", "image/svg+xml; charset=utf-8"),
            ("feed.xml", "text/xml; charset=utf-8"),
            ("robots.txt", "text/plain; charset=utf-8"),
            (
                "site.webmanifest",
                "application/manifest+json; charset=utf-8",
            ),
            ("a.png", "image/png"),
            ("a.jpg", "image/jpeg"),
            ("a.avif", "image/avif"),
            ("a.woff2", "font/woff2"),
            ("a.wasm", "application/wasm"),
            ("a.pdf", "application/pdf"),
            ("a.mp4", "video/mp4"),
            ("CNAME", "text/plain; charset=utf-8"),
            (
                ".well-known/apple-app-site-association",
                "application/json; charset=utf-8",
            ),
            ("unknown.qqq", "application/octet-stream"),
            ("noextension", "application/octet-stream"),
        ];
        for (path, expected) in cases {
            assert_eq!(media_type(path, true), expected, "{path}");
        }
        assert_eq!(media_type("latin.html", false), "text/html");
    }

    #[test]
    fn digests_in_names_are_seen() {
        for path in [
            "assets/index-BX3kq9Zf.js",
            "static/js/main.8f3a1c2d.js",
            "static/css/main.e6c13ad2.css",
            "assets/chunk-Q2WERT5Y.js",
            "_astro/index.DzZ3x9-_.css",
            "_nuxt/DEpUsbqx.js",
            "_next/static/chunks/app-4f2a9b7c11d0e3aa.js",
            "_app/immutable/entry/start.CBr4x1Fz.js",
            "img/logo.0a1b2c3d4e5f.svg",
        ] {
            assert!(is_fingerprinted(path, true), "{path}");
        }
    }

    #[test]
    fn ordinary_names_are_not_taken_for_digests() {
        for path in [
            "index.html",
            "assets/index.js",
            "img/photo-20240131.jpg",
            "img/IMG_20240131_123456.jpg",
            "js/jquery-3.7.1.min.js",
            "js/bootstrap.bundle.min.js",
            "css/deadbeef.css",
            "img/background.png",
            "downloads/report-8f3a1c2d.pdf",
            "_astro/logo.svg",
            "js/javascript.js",
            "img/SCREENSHOT.png",
        ] {
            assert!(!is_fingerprinted(path, true), "{path}");
        }
        assert!(!is_fingerprinted("static/js/main.8f3a1c2d.js", false));
    }

    #[test]
    fn assets_are_what_pages_load() {
        assert!(is_asset("a/b.CSS") && is_asset("x.woff2"));
        assert!(!is_asset("report.pdf") && !is_asset("index.html") && !is_asset("data.json"));
    }
}
