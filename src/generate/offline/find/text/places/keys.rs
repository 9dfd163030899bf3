//! Values of data, known by the keys they stand under.

use super::*;

impl Finder<'_> {
    /// The text of a named group of values: `announcement: { id, content }`.
    pub(in crate::generate::offline::find) fn by_outer_key(&self, scope: &Scope) -> Vec<Hit> {
        use crate::generate::offline::ask::lexicon::{equal, words_of};
        let words = meaningful_or_all(&scope.words);
        let mut hits = Vec::new();
        if words.is_empty() {
            return hits;
        }
        for path in self.data_files(scope) {
            let Some(doc) = self.site.doc(&path) else {
                continue;
            };
            for (id, node) in doc.nodes.iter().enumerate() {
                let group = node.children.first().copied();
                let Some(group) = group.filter(|group| {
                    node.kind == Kind::Pair && id != 0 && doc.node(*group).kind == Kind::Object
                }) else {
                    continue;
                };
                let parts = words_of(&node.name);
                let named = words
                    .iter()
                    .all(|word| parts.iter().any(|part| equal(part, word)))
                    && parts.len() <= words.len() + 1;
                let value = ["text", "content", "message", "value", "title", "label"]
                    .iter()
                    .find_map(|key| doc.get(group, key))
                    .filter(|value| doc.node(*value).kind == Kind::Scalar);
                if let Some(value) = value.filter(|_| named)
                    && readable(&doc, value)
                {
                    let hit = Hit::whole(&doc, value, self.seen(&doc, value, &scope.views));
                    if self.rank(&hit, 3, None, &[], &scope.places).is_some() {
                        hits.push(hit);
                    }
                }
            }
        }
        unique(&mut hits);
        hits
    }

    /// Values of data whose key is exactly these words.
    pub(in crate::generate::offline::find) fn by_whole_key(
        &self,
        words: &[String],
        scope: &Scope,
    ) -> Vec<Hit> {
        let joined = words.concat();
        let mut hits = Vec::new();
        let mut files = self.data_files(scope);
        files.retain(|path| {
            self.site
                .folded(path)
                .is_some_and(|text| words.iter().all(|word| text.contains(word.as_str())))
        });
        for path in files {
            let Some(doc) = self.site.doc(&path) else {
                continue;
            };
            for node in 0..doc.nodes.len() {
                let pair = doc.node(doc.node(node).parent);
                if doc.node(node).kind != Kind::Scalar
                    || pair.kind != Kind::Pair
                    || !readable(&doc, node)
                {
                    continue;
                }
                let parts = crate::generate::offline::ask::lexicon::words_of(&pair.name);
                if parts.len() > 1 && parts.concat() == joined && !secret(&pair.name) {
                    let hit = Hit::whole(&doc, node, self.seen(&doc, node, &scope.views));
                    if self.rank(&hit, 3, None, &[], &scope.places).is_some() {
                        hits.push(hit);
                    }
                }
            }
        }
        unique(&mut hits);
        hits
    }

    /// Whether a file may hold values at all: markup without scripts, components and front matter has none.
    pub(in crate::generate::offline::find) fn has_values(&self, path: &str) -> bool {
        use crate::generate::offline::doc::Lang;
        let markup = matches!(parse::lang(path), Some(Lang::Html | Lang::Markdown));
        !markup
            || self.site.text(path).is_some_and(|text| {
                let component = text
                    .as_bytes()
                    .windows(2)
                    .any(|pair| pair[0] == b'<' && pair[1].is_ascii_uppercase());
                text.starts_with("---")
                    || text.starts_with("+++")
                    || text.starts_with('\u{feff}')
                    || text.contains("<script")
                    || text.contains("export ")
                    || component
            })
    }

    /// The files that may hold data, entries of collections left out when no page was named.
    pub(in crate::generate::offline::find) fn data_files(&self, scope: &Scope) -> Vec<String> {
        if scope.paged {
            return self.page_files(scope);
        }
        let entries = self.site.entries();
        // An entry counts when a place speaks of it ("Mike Vance's job title").
        let spoken = |path: &str| {
            scope.places.iter().any(|place| {
                !place.words.is_empty()
                    && self.site.folded(path).is_some_and(|text| {
                        place.words.iter().all(|word| text.contains(word.as_str()))
                    })
            })
        };
        self.site
            .files
            .iter()
            .filter(|path| {
                self.content_file(path) && (!entries.contains(path.as_str()) || spoken(path))
            })
            .cloned()
            .collect()
    }

    /// Values of data whose key is the last words, where the first words say.
    pub fn by_key(&self, words: &[String], phrase: &Phrase, scope: &Scope) -> Vec<Hit> {
        let words = meaningful_or_all(words);
        let mut hits: Vec<(usize, i64, Hit)> = Vec::new();
        let mut files = self.data_files(scope);
        files.retain(|path| self.has_values(path));
        self.site.parse_ahead(&files);
        for path in files {
            let Some(doc) = self.site.doc(&path) else {
                continue;
            };
            for node in 0..doc.nodes.len() {
                let value = doc.node(node).kind == Kind::Scalar || given(&doc, node);
                if !value || !readable(&doc, node) {
                    continue;
                }
                // As many of the last words as the key takes.
                let Some(taken) = (1..=words.len())
                    .rev()
                    .find(|taken| key_takes(&doc, node, &words[words.len() - taken..]))
                else {
                    continue;
                };
                if role::key(&doc, node).is_some_and(|key| secret(&key)) {
                    continue;
                }
                // A name that is nobody's in particular is no title.
                if words == ["name"] && !key_is_just(&doc, node, &words) {
                    continue;
                }
                let hit = Hit::whole(&doc, node, self.seen(&doc, node, &scope.views));
                let rest = &words[..words.len() - taken];
                if let Some(rank) = self.rank(&hit, 3, None, rest, &scope.places) {
                    let depth = doc
                        .ancestors(node)
                        .filter(|up| doc.node(*up).kind == Kind::Object)
                        .count();
                    hits.push((
                        taken,
                        rank.near * 100 - i64::try_from(depth).unwrap_or(0),
                        hit,
                    ));
                }
            }
        }
        let Some(most) = hits.iter().map(|(taken, ..)| *taken).max() else {
            return Vec::new();
        };
        hits.retain(|(taken, ..)| *taken == most);
        let nearest = hits
            .iter()
            .map(|(_, near, _)| *near)
            .max()
            .unwrap_or_default();
        hits.retain(|(_, near, _)| *near == nearest);
        let mut hits: Vec<Hit> = hits.into_iter().map(|(.., hit)| hit).collect();
        unique(&mut hits);
        // What a page says itself comes before what stands in its layout.
        if scope.paged && hits.len() > 1 {
            let own = |hit: &Hit| {
                scope
                    .pages
                    .iter()
                    .any(|page| self.site.pages()[*page].file == hit.doc.path)
            };
            if hits.iter().any(own) {
                hits.retain(own);
            }
        }
        if words.len() == 1 && phrase.ordinal.is_none() {
            single(&mut hits);
        }
        match phrase.ordinal {
            Some(ordinal) => nth(hits, ordinal),
            None => hits,
        }
    }
}

/// Whether a value is the `name` of all that its file holds.
pub(super) fn outermost(hit: &Hit) -> bool {
    let doc = &hit.doc;
    let within = |kind: Kind| {
        doc.ancestors(hit.node)
            .filter(|up| doc.node(*up).kind == kind)
            .count()
    };
    doc.node(hit.node).kind == Kind::Scalar
        && within(Kind::Object) == 1
        && within(Kind::Array) == 0
        && key_is_just(doc, hit.node, &["name".to_owned()])
}

/// "the name" of the site is no entry's name in a list, and not what no page shows.
pub(in crate::generate::offline::find) fn single(hits: &mut Vec<Hit>) {
    let shown = |hit: &Hit| hit.seen.iter().any(|seen| seen.view.page.is_some());
    let any_shown = hits.iter().any(shown);
    let single = |hit: &Hit| {
        let listed = hit
            .doc
            .ancestors(hit.node)
            .any(|up| hit.doc.node(up).kind == Kind::Array);
        !listed && (shown(hit) || !any_shown)
    };
    if hits.len() > 1 && hits.iter().filter(|hit| single(hit)).count() == 1 {
        hits.retain(single);
    }
}
