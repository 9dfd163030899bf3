//! Which pages and files the words are about.

use std::collections::HashMap;

use crate::generate::offline::site::Site;

/// Words that name nothing on a site.
const EMPTY: [&str; 62] = [
    "the", "and", "for", "with", "that", "this", "its", "it's", "from", "into", "onto", "make",
    "change", "set", "put", "add", "give", "let", "please", "can", "you", "could", "would",
    "should", "will", "have", "has", "look", "looks", "feel", "more", "less", "page", "pages",
    "site", "website", "there", "here", "our", "your", "their", "new", "all", "every", "some",
    "when", "then", "than", "what", "where", "which", "just", "like", "want", "need", "bit",
    "little", "very", "fix", "use", "not", "are",
];

/// Pages that are looked at.
const PAGES: usize = 3;

/// Files that are found by their text.
const FOUND: usize = 8;

/// Larger files are not searched, in bytes.
const SEARCHED: u64 = 200 << 10;

/// More files than this are not searched.
const FILES: usize = 5_000;

/// The words that may name something, in small letters.
pub fn tokens(words: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in words.split(|c: char| !c.is_alphanumeric() && c != '\'') {
        let word = word.trim_matches('\'').to_lowercase();
        if word.chars().count() >= 3 && !EMPTY.contains(&word.as_str()) && !out.contains(&word) {
            out.push(word);
        }
    }
    out
}

/// Whether the words are about how something looks.
pub fn about_looks(tokens: &[String]) -> bool {
    const LOOKS: [&str; 44] = [
        "color",
        "colour",
        "colors",
        "colours",
        "dark",
        "light",
        "calm",
        "calmer",
        "bigger",
        "smaller",
        "larger",
        "font",
        "fonts",
        "spacing",
        "margin",
        "padding",
        "style",
        "styles",
        "styling",
        "design",
        "theme",
        "background",
        "layout",
        "bold",
        "rounded",
        "shadow",
        "border",
        "animation",
        "hover",
        "mobile",
        "responsive",
        "wide",
        "wider",
        "narrow",
        "align",
        "center",
        "centre",
        "modern",
        "minimal",
        "prettier",
        "nicer",
        "contrast",
        "readable",
        "playful",
    ];
    tokens.iter().any(|token| LOOKS.contains(&token.as_str()))
}

/// The pages that are named, best first; the homepage where none is.
pub fn chosen(site: &Site, tokens: &[String]) -> Vec<usize> {
    let home = tokens.iter().any(|token| {
        matches!(
            token.as_str(),
            "home" | "homepage" | "front" | "start" | "landing" | "index"
        )
    });
    let mut scored: Vec<(usize, usize, usize)> = Vec::new();
    for (at, page) in site.pages().iter().enumerate() {
        let route = page.route.to_lowercase();
        let parts: Vec<&str> = route
            .split(|c: char| !c.is_alphanumeric())
            .filter(|part| part.len() > 2)
            .collect();
        let named = parts
            .iter()
            .filter(|part| {
                tokens
                    .iter()
                    .any(|token| token == *part || singular(token) == singular(part))
            })
            .count();
        let score = if named > 0 {
            // "pricing" is nearer to /pricing than to /blog/2020/pricing.
            named * 10 + 5_usize.saturating_sub(parts.len())
        } else if home && page.route.trim_matches('/').is_empty() {
            12
        } else {
            0
        };
        if score > 0 {
            scored.push((score, route.len(), at));
        }
    }
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut out: Vec<usize> = scored.into_iter().map(|(.., at)| at).take(PAGES).collect();
    if out.is_empty() {
        let roots = site.pages().iter().enumerate();
        out.extend(
            roots
                .filter(|(_, page)| page.route.trim_matches('/').is_empty())
                .map(|(at, _)| at)
                .take(PAGES),
        );
    }
    if out.is_empty() && !site.pages().is_empty() {
        out.push(0);
    }
    out
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').unwrap_or(word)
}

/// The files whose text or name holds the words: rare words count more.
pub fn found(site: &Site, tokens: &[String]) -> Vec<String> {
    if tokens.is_empty() || site.files.len() > FILES {
        return Vec::new();
    }
    let mut holds: Vec<(&String, Vec<usize>)> = Vec::new();
    let mut spread: HashMap<usize, usize> = HashMap::new();
    for path in &site.files {
        if site.size(path).is_some_and(|size| size > SEARCHED) {
            continue;
        }
        let Some(text) = site.folded(path) else {
            continue;
        };
        let name = path.to_lowercase();
        let with: Vec<usize> = tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| text.contains(token.as_str()) || name.contains(token.as_str()))
            .map(|(at, _)| at)
            .collect();
        for at in &with {
            *spread.entry(*at).or_default() += 1;
        }
        if !with.is_empty() {
            holds.push((path, with));
        }
    }
    let all = site.files.len().max(1) as f64;
    let weight = |at: &usize| (1.0 + all / spread.get(at).copied().unwrap_or(1).max(1) as f64).ln();
    let mut scored: Vec<(f64, &String)> = holds
        .iter()
        .map(|(path, with)| (with.iter().map(weight).sum::<f64>(), *path))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored
        .into_iter()
        .take(FOUND)
        .map(|(_, path)| path.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_name_nothing_are_left_out() {
        assert_eq!(
            tokens("Please make the Pricing page's cards look calmer!"),
            ["pricing", "page's", "cards", "calmer"]
        );
        assert!(about_looks(&tokens("make it calmer")));
        assert!(!about_looks(&tokens("rewrite the introduction")));
    }
}
