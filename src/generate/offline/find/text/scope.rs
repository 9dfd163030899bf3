//! Which pages and places a phrase is about.

use super::*;

impl Finder<'_> {
    /// Settles which pages a phrase is about.
    ///
    /// # Errors
    /// When it names a page that is not there.
    pub fn scope(&self, phrase: &Phrase) -> Result<Scope, Refusal> {
        let mut pages: Option<Vec<usize>> = None;
        let mut places = Vec::new();
        let mut words = phrase.words.clone();
        let mut said = phrase.full.clone();
        let mut called = String::new();
        for place in &phrase.places {
            match self.pages(place) {
                Pages::Some(found) => {
                    called = place.words.join(" ");
                    pages = Some(found);
                }
                Pages::None => places.push(place.clone()),
                Pages::Missing => {
                    // A site of one page may have the section instead.
                    let real = self
                        .site
                        .pages()
                        .iter()
                        .filter(|page| !page.entry && !page.route.contains("404"))
                        .count();
                    let name = place.words.join(" ");
                    let place = self.section(place).filter(|_| real <= 1);
                    match place {
                        Some(place) => places.push(place),
                        None => return Err(no_page(self, &name)),
                    }
                }
            }
        }
        // "the homepage headline", "the login page title"
        if pages.is_none() {
            let front: usize = match words.first().map(String::as_str) {
                Some("homepage") => 1,
                Some("home" | "landing" | "front")
                    if words.get(1).is_some_and(|word| word == "page") =>
                {
                    2
                }
                _ => words
                    .iter()
                    .position(|word| word == "page")
                    .filter(|at| *at > 0 && *at + 1 < words.len())
                    .map_or(0, |at| at + 1),
            };
            if front > 0 && front < words.len() {
                let place = Place {
                    words: words[..front].to_vec(),
                    ..Place::default()
                };
                match self.pages(&place) {
                    Pages::Some(found) => {
                        called = words[..front].join(" ");
                        pages = Some(found);
                        words.drain(..front);
                        said = skip_words(&said, front, &phrase.words);
                    }
                    Pages::Missing
                        if place.words.last().is_some_and(|word| word == "page")
                            && words[front - 1] == "page"
                            // "the pricing page title" of no such page; "landing page" may be plain words.
                            && words.len() - front <= 2
                            && role::fit_possible(&words[front..]) =>
                    {
                        return Err(no_page(self, &words[..front].join(" ")));
                    }
                    _ => {}
                }
            }
        }
        // "the projects headline" of a page that is called so, when the home page has no such part.
        if pages.is_none()
            && places.is_empty()
            && phrase.quoted.is_empty()
            && let Some((last, front)) = words.split_last()
            && matches!(last.as_str(), "headline" | "tagline")
            && !front.is_empty()
            && let Pages::Some(found) = self.pages_named(front)
            && let [one] = found.as_slice()
            && !self.site.pages()[*one].entry
        {
            let part = self.site.pages().iter().enumerate().any(|(at, page)| {
                page.route == "/"
                    && super::super::element::named(&self.site.view(at), front)
                        .iter()
                        .any(|id| {
                            let view = self.site.view(at);
                            view.below(*id)
                                .into_iter()
                                .any(|at| role::is_heading(&view, at))
                        })
            });
            if !part {
                called = format!("{} page", front.join(" "));
                let front = front.len();
                pages = Some(found);
                words.drain(..front);
                said = skip_words(&said, front, &phrase.words);
            }
        }
        // Every page may have a hero; without a page the home page's is meant.
        if pages.is_none() {
            let hero = |word: &String| {
                matches!(
                    word.as_str(),
                    "hero" | "jumbotron" | "masthead" | "headline"
                )
            };
            let said_hero = words.iter().any(hero)
                || places
                    .iter()
                    .any(|place: &Place| place.words.iter().any(hero));
            let home: Vec<usize> = self
                .site
                .pages()
                .iter()
                .enumerate()
                .filter(|(_, page)| page.route == "/")
                .map(|(at, _)| at)
                .collect();
            if said_hero && home.len() == 1 {
                pages = Some(home);
            }
        }
        let views = match &pages {
            Some(pages) => pages.iter().map(|page| self.site.view(*page)).collect(),
            None => self.all_views(),
        };
        Ok(Scope {
            views,
            paged: pages.is_some(),
            pages: pages.unwrap_or_default(),
            places,
            words,
            said,
            called,
        })
    }

    /// Reads a phrase as one text when the site shows just that: "House on a slope" has no place in it.
    pub fn settle(&self, phrase: &mut Phrase) {
        let long = phrase.whole.split_whitespace().count() > 2;
        if phrase.own == 0 || !phrase.quoted.is_empty() || !long {
            return;
        }
        let wanted = folded(&phrase.whole);
        let whole = |doc: &Doc| {
            (0..doc.nodes.len()).any(|node| {
                matches!(doc.node(node).kind, Kind::Text | Kind::Scalar)
                    && doc.node(node).inner.len() < phrase.whole.len() * 2 + 16
                    && readable(doc, node)
                    && folded(&doc.text(node)) == wanted
            })
        };
        let shown = self
            .files_with(&wanted)
            .iter()
            .filter(|path| {
                self.site
                    .folded(path)
                    .is_some_and(|text| text.contains(wanted.as_str()))
            })
            .any(|path| self.site.doc(path).is_some_and(|doc| whole(&doc)));
        if shown {
            phrase.places.drain(..phrase.own);
            phrase.own = 0;
            phrase.words = crate::generate::offline::ask::phrase::words(&phrase.whole);
            phrase.said.clone_from(&phrase.whole);
            phrase.full.clone_from(&phrase.whole);
            phrase.ordinal = None;
        }
    }

    /// A page's words as a section: what is left without "page".
    pub(super) fn section(&self, place: &Place) -> Option<Place> {
        let words: Vec<String> = place
            .words
            .iter()
            .filter(|word| *word != "page")
            .cloned()
            .collect();
        (!words.is_empty()).then(|| Place {
            words,
            ..place.clone()
        })
    }
}
