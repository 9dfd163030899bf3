//! From words to pages.

use super::Finder;
use crate::generate::offline::ask::lexicon::{equal, words_of};
use crate::generate::offline::ask::phrase::Place;
use crate::generate::offline::site::{Framework, pages::front_title, stem};
use crate::generate::offline::text::folded;

/// What a place says about pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pages {
    /// It names no page.
    None,
    /// It names these; more than one when they fit equally well.
    Some(Vec<usize>),
    /// It names a page that is not there.
    Missing,
}

const NOUNS: &[&str] = &[
    "page", "post", "article", "screen", "route", "view", "doc", "document", "entry",
];

impl Finder<'_> {
    /// The pages a place names.
    pub fn pages(&self, place: &Place) -> Pages {
        let pages = self.site.pages();
        if let Some(path) = &place.path {
            let wanted = path.trim_end_matches('/');
            let wanted = if wanted.is_empty() { "/" } else { wanted };
            let found: Vec<usize> = (0..pages.len())
                .filter(|page| {
                    pages[*page].route == wanted
                        || pages[*page].route.trim_end_matches(".html")
                            == wanted.trim_end_matches(".html")
                })
                .collect();
            return if found.is_empty() {
                Pages::Missing
            } else {
                Pages::Some(found)
            };
        }
        let words: Vec<&str> = place.words.iter().map(String::as_str).collect();
        let joined = words.join(" ");
        let home = [
            "homepage",
            "home page",
            "landing page",
            "front page",
            "main page",
            "index page",
            "start page",
            "home",
        ];
        // A site may have a page of that name beside its first one.
        let own = words.first().filter(|_| words.len() == 2).and_then(|word| {
            let route = format!("/{word}");
            pages.iter().position(|page| page.route == route)
        });
        if let Some(own) = own.filter(|_| joined == "landing page") {
            return Pages::Some(vec![own]);
        }
        if home.contains(&joined.as_str()) {
            let found: Vec<usize> = (0..pages.len())
                .filter(|page| pages[*page].route == "/")
                .collect();
            return if found.is_empty() {
                Pages::Missing
            } else {
                Pages::Some(self.outermost(found))
            };
        }
        // "the posts page" is a page, not a post.
        let noun = words
            .last()
            .filter(|last| **last == "page")
            .map(|_| words.len() - 1)
            .or_else(|| {
                words
                    .iter()
                    .position(|word| NOUNS.iter().any(|noun| equal(noun, word)))
            });
        let Some(noun) = noun else {
            return self.site_named(&place.words);
        };
        if words[noun] == "page" && words.len() == 1 && place.quoted.is_empty() {
            return Pages::None;
        }
        let mut rest: Vec<String> = place
            .words
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != noun)
            .map(|(_, word)| word.clone())
            .collect();
        rest.retain(|word| word != "blog" || place.words.len() == 2);
        rest.extend(place.quoted.iter().flat_map(|quoted| {
            folded(quoted)
                .split(' ')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        }));
        if rest.is_empty() {
            return Pages::None;
        }
        self.pages_named(&rest)
    }

    /// All pages of one of several sites in the repository, by the name of its folder.
    fn site_named(&self, words: &[String]) -> Pages {
        let apps = &self.site.apps;
        let wanted: Vec<&String> = words
            .iter()
            .filter(|word| !matches!(word.as_str(), "site" | "website" | "app"))
            .collect();
        if apps.len() < 2 || wanted.is_empty() {
            return Pages::None;
        }
        let fits = |root: &str| {
            let name = root
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let parts = words_of(name);
            !parts.is_empty()
                && parts.len() == wanted.len()
                && parts
                    .iter()
                    .zip(&wanted)
                    .all(|(part, word)| equal(part, word))
        };
        let mut found = (0..apps.len()).filter(|app| fits(&apps[*app].root));
        let (Some(app), None) = (found.next(), found.next()) else {
            return Pages::None;
        };
        let pages: Vec<usize> = (0..self.site.pages().len())
            .filter(|page| self.site.pages()[*page].app == app && !self.site.pages()[*page].entry)
            .collect();
        if pages.is_empty() {
            Pages::None
        } else {
            Pages::Some(pages)
        }
    }

    /// Pages by their words: address, file name or title.
    pub fn pages_named(&self, words: &[String]) -> Pages {
        let pages = self.site.pages();
        let squash = |text: &str| {
            text.chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_lowercase)
                .collect::<String>()
        };
        let wanted = squash(&words.concat());
        let mut best: Vec<(u8, usize)> = Vec::new();
        for (at, page) in pages.iter().enumerate() {
            let last = page.route.rsplit('/').next().unwrap_or_default();
            let file = stem(&page.file);
            let mut names = vec![last.to_owned(), file.to_owned()];
            if matches!(file, "index" | "_index" | "page" | "+page") {
                names.retain(|name| name != file);
            }
            let mut rank = 0;
            for name in &names {
                let parts = words_of(name);
                let dated: Vec<String> = parts
                    .iter()
                    .filter(|part| !part.chars().all(|c| c.is_ascii_digit()))
                    .cloned()
                    .collect();
                if squash(name) == wanted
                    || (!dated.is_empty() && dated.concat() == wanted)
                    || (words.len() == 1 && names.iter().any(|name| equal(name, &words[0])))
                {
                    rank = rank.max(4);
                } else if words
                    .iter()
                    .all(|word| parts.iter().any(|part| equal(part, word)))
                {
                    rank = rank.max(if dated.len() == words.len() { 3 } else { 2 });
                } else if squash(name).starts_with(&wanted)
                    && squash(name).len() <= wanted.len() + 4
                {
                    rank = rank.max(2);
                }
            }
            if rank < 4
                && let Some(doc) = self.site.doc(&page.file)
                && let Some(title) = front_title(&doc)
            {
                let title = folded(&doc.text(title));
                let parts: Vec<String> = title
                    .split(|c: char| !c.is_alphanumeric())
                    .map(str::to_owned)
                    .collect();
                if squash(&title) == wanted {
                    rank = 4;
                } else if words
                    .iter()
                    .all(|word| parts.iter().any(|part| equal(part, word)))
                {
                    rank = rank.max(2);
                }
            }
            // The error page of a framework has a name of its own.
            let error =
                words.len() == 1 && matches!(words[0].as_str(), "error" | "404" | "notfound");
            if rank == 0
                && error
                && (page.route.ends_with("/404")
                    || page.route.ends_with("/error")
                    || page.route.ends_with("/not-found"))
            {
                rank = 1;
            }
            if rank > 0 {
                best.push((rank, at));
            }
        }
        let Some(top) = best.iter().map(|(rank, _)| *rank).max() else {
            return Pages::Missing;
        };
        let found: Vec<usize> = best
            .into_iter()
            .filter(|(rank, _)| *rank == top)
            .map(|(_, at)| at)
            .collect();
        Pages::Some(self.outermost(found))
    }

    /// Of pages with one address, those of the outermost site; an index before an entry.
    fn outermost(&self, found: Vec<usize>) -> Vec<usize> {
        let pages = self.site.pages();
        if found.len() < 2 {
            return found;
        }
        let depth = |page: usize| pages[page].route.matches('/').count();
        let least = found
            .iter()
            .map(|page| depth(*page))
            .min()
            .unwrap_or_default();
        let plain: Vec<usize> = found
            .iter()
            .copied()
            .filter(|page| depth(*page) == least)
            .collect();
        if plain.len() == 1 {
            return plain;
        }
        // A shell that only forwards to the same address (a router's redirect) is told by its framework.
        let root = |page: usize| self.site.apps[pages[page].app].root.as_str();
        let real: Vec<usize> = plain
            .iter()
            .copied()
            .filter(|page| self.site.apps[pages[*page].app].framework != Framework::Plain)
            .collect();
        // Sites side by side are equals.
        let nested = |one: usize| {
            plain.iter().all(|page| {
                root(*page).starts_with(root(one)) || root(one).starts_with(root(*page))
            })
        };
        match real.as_slice() {
            [one] if nested(*one) => real,
            _ => plain,
        }
    }
}
