//! Edits whose words make no sense for the site: what else may have been said, by the sound of the words. Pure.
//!
//! A recogniser writes "remain the plan of visit" for "rename the plan a visit". The verbs of edits and the names that
//! stand on the site are put where words sound like them; the sound itself then decides between what comes of it.

use super::near;
use crate::model::FileTree;

/// What edits begin with.
const VERBS: &[&str] = &[
    "add",
    "change",
    "rename",
    "remove",
    "replace",
    "make",
    "move",
    "set",
    "update",
    "delete",
    "hide",
    "fix",
    "increase",
    "decrease",
    "insert",
    "swap",
    "put",
    "translate",
    "shorten",
    "link",
];

/// What is on most pages.
const PARTS: &[&str] = &[
    "headline",
    "heading",
    "title",
    "button",
    "link",
    "footer",
    "footer link",
    "header",
    "navigation",
    "menu",
    "banner",
    "logo",
    "image",
    "picture",
    "paragraph",
    "section",
    "contact form",
    "form",
    "price",
    "color",
    "background",
    "font",
    "text",
    "homepage",
    "home page",
    "about page",
];

/// How far from a verb the first word may be.
const VERB: f64 = 0.6;

/// How far from a name words may be.
const NAME: f64 = 0.5;

/// Verbs, and places for names, that are tried.
const TRIED: usize = 4;

/// Readings that are offered to the recogniser.
const MOST: usize = 24;

/// Words of a name, and names of a site, that are regarded at most.
const WORDS: usize = 5;
const NAMES: usize = 400;

/// Files that are read for names, and the largest in bytes.
const FILES: usize = 24;
const LARGEST: u64 = 200_000;

/// The labels that stand on the pages in `tree`: headings, buttons, links. A file that cannot be read has none.
pub fn labels(tree: &dyn FileTree) -> Vec<String> {
    let kinds = [
        ".html", ".htm", ".astro", ".vue", ".svelte", ".jsx", ".tsx", ".njk",
    ];
    let mut names: Vec<String> = Vec::new();
    let files = tree.files().iter().filter(|file| {
        kinds.iter().any(|kind| file.path.ends_with(kind)) && file.size.unwrap_or(0) <= LARGEST
    });
    for file in files.take(FILES) {
        let Ok(Some(bytes)) = tree.read(&file.path) else {
            continue;
        };
        for piece in String::from_utf8_lossy(&bytes).split('>').skip(1) {
            let Some((text, _)) = piece.split_once('<') else {
                continue;
            };
            let name = plain(text);
            let words = name.split(' ').count();
            let sayable = name.len() > 2 && words <= WORDS && !text.contains(['{', '}', ';', '=']);
            if sayable && names.len() < NAMES && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// What may have been said instead of `heard`, likeliest first: with other verbs at its beginning, and with `names` of the
/// site where words sound like them. The words between stay as they were heard.
pub fn alternatives(heard: &str, names: &[String]) -> Vec<String> {
    let words: Vec<&str> = heard.split_whitespace().collect();
    if words.len() < 2 {
        return Vec::new();
    }
    let said = plain(words[0]);
    let mut verbs: Vec<(f64, String)> = VERBS
        .iter()
        .map(|verb| (near::distance(&said, verb), (*verb).to_owned()))
        .filter(|(far, verb)| *far <= VERB && *verb != said)
        .collect();
    verbs.sort_by(|a, b| a.0.total_cmp(&b.0));
    verbs.truncate(TRIED);
    verbs.insert(0, (0.0, words[0].to_owned()));
    // (distance, first word, word after the last, name)
    let mut places: Vec<(f64, usize, usize, &str)> = Vec::new();
    for name in names
        .iter()
        .map(String::as_str)
        .chain(PARTS.iter().copied())
    {
        let count = name.split(' ').count();
        let mut best: Option<(f64, usize, usize)> = None;
        for from in 1..words.len() {
            for until in from + count.saturating_sub(1).max(1)..=(from + count + 1).min(words.len())
            {
                let here = plain(&words[from..until].join(" "));
                let far = near::distance(&here, name);
                if best.is_none_or(|(least, ..)| far < least) {
                    best = Some((far, from, until));
                }
            }
        }
        if let Some((far, from, until)) = best.filter(|(far, ..)| *far > 0.0 && *far <= NAME) {
            places.push((far, from, until, name));
        }
    }
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    places.truncate(TRIED);
    let mut found: Vec<(f64, String)> = Vec::new();
    for (verb_far, verb) in &verbs {
        let with = |from: usize, until: usize, name: &str| {
            let front = words[1..from].iter().copied();
            let rest = words[until..].iter().copied();
            let all: Vec<&str> = std::iter::once(verb.as_str())
                .chain(front)
                .chain(std::iter::once(name).filter(|name| !name.is_empty()))
                .chain(rest)
                .collect();
            all.join(" ")
        };
        found.push((*verb_far, with(1, 1, "")));
        for &(far, from, until, name) in &places {
            found.push((verb_far + far, with(from, until, name)));
        }
    }
    found.retain(|(_, text)| plain(text) != plain(heard));
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.truncate(MOST);
    found.into_iter().map(|(_, text)| text).collect()
}

/// Lower-case words.
fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MemoryTree;

    #[test]
    fn labels_are_what_stands_on_the_pages() {
        let page = "<h1>Juniper Lane</h1><a href=\"/\">Plan a visit</a><p>Grown slowly on one acre, in the open air.</p>\
                    <script>let a = 1 > 0 ? {} : b;</script>";
        let tree = MemoryTree::new([("index.html", page), ("notes.txt", "<b>none</b>")]);
        assert_eq!(labels(&tree), ["juniper lane", "plan a visit"]);
    }

    #[test]
    fn misheard_verbs_and_names_are_put_right() {
        let names = ["plan a visit".to_owned(), "juniper lane".to_owned()];
        let found = alternatives("Remain the plan of visit button to come and see us", &names);
        let wanted = "rename the plan a visit button to come and see us";
        assert!(found.iter().any(|text| text == wanted), "{found:#?}");
        assert!(found.len() <= MOST);
        // What was heard is none of them.
        assert!(
            !found
                .iter()
                .any(|text| text.starts_with("Remain the plan of visit"))
        );
    }

    #[test]
    fn words_that_sound_like_nothing_on_the_site_stay() {
        let names = ["plan a visit".to_owned()];
        assert_eq!(alternatives("hmm xylophone", &names), [""; 0]);
        assert_eq!(alternatives("hello", &names), [""; 0]);
    }
}
