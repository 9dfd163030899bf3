//! What a page says of itself and by the way: its description and title, texts for images, the button of a form.

use super::*;

impl Finder<'_> {
    /// What the button says that sends a form off.
    pub(super) fn submit(&self, scope: &Scope) -> Result<Option<Vec<Hit>>, Refusal> {
        let mut out: Vec<Hit> = Vec::new();
        for view in &scope.views {
            for id in view.below(0) {
                let kind = view.attr(id, "type");
                let hit = match (view.nodes[id].tag.as_str(), kind.as_deref()) {
                    ("input", Some("submit")) => property_of(view, id, &["value"]),
                    (_, Some("submit")) => Some(sole_text(view, id, "the submit button")?),
                    ("button", None) if view.up(id).any(|up| view.nodes[up].tag == "form") => {
                        Some(sole_text(view, id, "the submit button")?)
                    }
                    _ => None,
                };
                out.extend(hit.filter(|hit| {
                    let seen = hit.seen.first();
                    scope.places.iter().all(|place| {
                        super::super::names::in_place(self, place, hit, seen).is_some()
                    })
                }));
            }
        }
        super::super::unique(&mut out);
        Ok((!out.is_empty()).then_some(out))
    }
}

impl Finder<'_> {
    pub(super) fn meta_description(&self, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let mut out = Vec::new();
        let mut candidates = Vec::new();
        for view in self.home(scope) {
            if let Some(page) = view.page
                && let Some(doc) = self.site.doc(&self.site.pages()[page].file)
            {
                let front = doc
                    .front
                    .and_then(|front| doc.get(front, "description"))
                    .filter(|value| doc.node(*value).kind == Kind::Scalar);
                let exported = (0..doc.nodes.len()).find_map(|id| {
                    let node = doc.node(id);
                    (node.kind == Kind::Pair && matches!(node.name.as_str(), "metadata" | "head"))
                        .then(|| node.children.first().copied())
                        .flatten()
                        .filter(|object| doc.node(*object).kind == Kind::Object)
                        .and_then(|object| doc.get(object, "description"))
                        .filter(|value| doc.node(*value).kind == Kind::Scalar)
                });
                if let Some(node) = front.or(exported) {
                    out.push(Hit::whole(
                        &doc,
                        node,
                        self.seen(&doc, node, std::slice::from_ref(&view)),
                    ));
                    continue;
                }
            }
            if let Some(page) = view.page
                && let Some(hit) = self
                    .metadata(page, &view, "description")
                    .or_else(|| self.layout_value(page, &view, "description"))
            {
                out.push(hit);
                continue;
            }
            let meta = view.below(0).into_iter().find(|id| {
                view.nodes[*id].tag == "meta"
                    && view.attr(*id, "name").as_deref() == Some("description")
            });
            if meta.is_none() {
                out.extend(seo_value(&view, "description"));
            }
            let Some(id) = meta else { continue };
            let Some((_, pieces)) = view.nodes[id]
                .attrs
                .iter()
                .find(|(name, _)| name == "content")
            else {
                continue;
            };
            if let [Piece::Lit(doc, node)] = pieces.as_slice() {
                let seen = Seen {
                    view: view.clone(),
                    at: id,
                    attr: Some("content".into()),
                };
                out.push(Hit::whole(doc, *node, vec![seen]));
            } else {
                let node = &view.nodes[id];
                candidates.push(candidate(&node.doc, node.doc.node(node.node).span.clone()));
            }
        }
        super::super::unique(&mut out);
        if out.is_empty() {
            for values in [
                self.head_value("description"),
                self.site_value(&["description"], scope),
            ] {
                if values.len() == 1 {
                    return Ok(values);
                }
            }
            return Err(not_found("the page has no meta description").candidates(candidates));
        }
        Ok(out)
    }

    /// The text that stands for an image.
    pub(super) fn alt(
        &self,
        mods: &[String],
        phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        let _ = phrase;
        let rest: Vec<String> = mods
            .iter()
            .filter(|word| {
                !equal(word, "image") && !equal(word, "picture") && !equal(word, "photo")
            })
            .cloned()
            .collect();
        let mut out: Vec<Hit> = Vec::new();
        for view in &scope.views {
            for (doc, node, at, attr) in view.literals() {
                let is_alt = attr.as_deref() == Some("alt")
                    || super::super::role::key(&doc, node).as_deref() == Some("alt");
                if !is_alt {
                    continue;
                }
                let seen = Seen {
                    view: view.clone(),
                    at,
                    attr,
                };
                let hit = Hit::whole(&doc, node, vec![seen.clone()]);
                let alt = folded(&doc.text(node));
                let src = view
                    .attr(at, "src")
                    .map(|src| folded(&src))
                    .unwrap_or_default();
                let by_text = !rest.is_empty()
                    && rest
                        .iter()
                        .all(|word| alt.contains(word.as_str()) || src.contains(word.as_str()));
                // "the alt text of the camera icon": the picture is known by its own words.
                let own = |words: &[String]| {
                    let plain = |word: &&String| {
                        !matches!(
                            word.as_str(),
                            "image" | "picture" | "photo" | "icon" | "logo"
                        )
                    };
                    let words: Vec<&String> = words.iter().filter(plain).collect();
                    !words.is_empty()
                        && words
                            .iter()
                            .all(|word| alt.contains(word.as_str()) || src.contains(word.as_str()))
                };
                let placed = scope.places.iter().all(|place| {
                    own(&place.words)
                        || super::super::names::in_place(self, place, &hit, Some(&seen)).is_some()
                });
                if placed
                    && (rest.is_empty()
                        || by_text
                        || super::super::names::explain(self, &rest, &hit, Some(&seen)).is_some())
                {
                    out.push(hit);
                }
            }
        }
        super::super::unique(&mut out);
        if let Some(ordinal) = phrase.ordinal
            && let Some(at) = usize::try_from(ordinal - 1).ok()
        {
            out = out.into_iter().skip(at).take(1).collect();
        }
        Ok(Some(out))
    }

    /// "the footer text": all the text there is, when it is one.
    pub(super) fn all_text(
        &self,
        mods: &[String],
        phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        if mods.is_empty() && scope.places.is_empty() {
            return Ok(None);
        }
        let keyed = self.by_key(&scope.words, phrase, scope);
        let just = |hit: &Hit| super::super::text::key_is_just(&hit.doc, hit.node, &scope.words);
        if keyed.len() == 1 && keyed.iter().all(just) {
            return Ok(Some(keyed));
        }
        let mut words: Vec<String> = mods.to_vec();
        words.extend(scope.places.iter().flat_map(|place| place.words.clone()));
        let mut out: Vec<Hit> = Vec::new();
        let mut candidates = Vec::new();
        let mut gap = false;
        for view in &scope.views {
            for id in super::super::element::named(view, &words)
                .into_iter()
                .take(1)
            {
                for text in view.texts(id) {
                    for piece in &view.nodes[text].text {
                        match piece {
                            Piece::Lit(doc, node) => {
                                let seen = Seen {
                                    view: view.clone(),
                                    at: text,
                                    attr: None,
                                };
                                let hit = Hit::whole(doc, *node, vec![seen]);
                                candidates.push(hit.candidate());
                                out.push(hit);
                            }
                            Piece::Gap(doc, span) => {
                                gap = true;
                                candidates.push(candidate(doc, span.clone()));
                            }
                        }
                    }
                }
            }
        }
        super::super::unique(&mut out);
        candidates.dedup();
        let mut shown: Vec<Candidate> = Vec::new();
        for found in candidates {
            if !shown.contains(&found) {
                shown.push(found);
            }
        }
        if gap && out.len() <= 1 {
            return Err(Refusal::new(
                RefusalReason::Mixed,
                "the text there is put together by the template; say which part to change",
            )
            .candidates(shown));
        }
        if out.is_empty() {
            return Ok(None);
        }
        Ok(Some(out))
    }

    /// "Rename the about page": the title in its front matter, or the page's own.
    pub fn page_title(&self, phrase: &Phrase, scope: &Scope) -> Result<Option<Vec<Hit>>, Refusal> {
        let nouns = ["page", "post", "article", "entry", "document", "doc"];
        // "the slope project": an entry of a collection of its own.
        let others = [
            "project", "product", "event", "recipe", "story", "note", "guide", "tutorial",
            "chapter", "lesson", "study", "job", "talk", "work", "wine", "book", "release",
        ];
        let by = |nouns: &[&str]| {
            scope
                .words
                .iter()
                .position(|word| nouns.contains(&word.as_str()))
        };
        let page = by(&nouns);
        let Some(at) = page.or_else(|| by(&others)) else {
            return Ok(None);
        };
        let mut words: Vec<String> = scope
            .words
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != at)
            .map(|(_, word)| word.clone())
            .collect();
        let ordinals = [
            "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
            "tenth",
        ];
        if let Some(ordinal) = phrase.ordinal
            && let Some(word) = usize::try_from(ordinal - 1)
                .ok()
                .and_then(|at| ordinals.get(at))
        {
            words.insert(0, (*word).to_owned());
        }
        if words.is_empty() {
            return Ok(None);
        }
        let super::super::page::Pages::Some(pages) = self.pages_named(&words) else {
            return Ok(None);
        };
        if page.is_none() && !pages.iter().all(|page| self.site.pages()[*page].entry) {
            return Ok(None);
        }
        let views: Vec<Arc<View>> = pages.iter().map(|page| self.site.view(*page)).collect();
        let inner = Scope {
            views,
            paged: true,
            pages,
            ..scope.clone()
        };
        self.page_titles(&inner).map(Some)
    }
}
