//! Parts of a page that have a name of their own.

use super::*;

impl Finder<'_> {
    /// The line below the headline.
    pub(super) fn tagline(
        &self,
        _mods: &[String],
        _phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        let mut keyed: Vec<Hit> = Vec::new();
        let mut found: Vec<Hit> = Vec::new();
        let mut problem = None;
        for view in self.home(scope) {
            if let Some(hero) = library_hero(&view) {
                let parts = ["description", "subtitle", "tagline"];
                if let Some(id) = slot_of(&view, hero, &parts) {
                    found.push(sole_text(&view, id, "the tagline")?);
                    continue;
                }
                if let Some(hit) = property_of(&view, hero, &parts) {
                    found.push(hit);
                    continue;
                }
            }
            let Some(hero_id) = hero(&view) else { continue };
            let Some(head) = headline(&view).or_else(|| first_heading(&view)) else {
                continue;
            };
            for id in view.below(hero_id) {
                for piece in &view.nodes[id].text {
                    if let Piece::Lit(doc, node) = piece {
                        let seen = Seen {
                            view: view.clone(),
                            at: id,
                            attr: None,
                        };
                        let hit = Hit::whole(doc, *node, vec![seen.clone()]);
                        if super::super::role::fit(Role::Tagline, &hit, Some(&seen)) >= 2 {
                            keyed.push(hit);
                        }
                    }
                }
            }
            let after: Vec<ViewId> = view
                .below(hero_id)
                .into_iter()
                .filter(|id| *id > head && !view.up(*id).any(|up| up == head))
                .collect();
            let paragraph = after.into_iter().find(|id| {
                matches!(view.nodes[*id].tag.as_str(), "p" | "h2" | "h3" | "h4")
                    && !view.texts(*id).is_empty()
            });
            if let Some(id) = paragraph {
                match sole_text(&view, id, "the tagline") {
                    Ok(hit) => found.push(hit),
                    Err(refusal) => problem = problem.or(Some(refusal)),
                }
            }
        }
        super::super::unique(&mut keyed);
        if keyed.len() == 1 {
            return Ok(Some(keyed));
        }
        if let Some(problem) = problem {
            return Err(problem);
        }
        super::super::unique(&mut found);
        Ok((!found.is_empty()).then_some(found))
    }

    /// The title of a page in the browser, of the site, or of an entry.
    pub(super) fn title(
        &self,
        mods: &[String],
        phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        let site_wide = mods
            .iter()
            .any(|word| matches!(word.as_str(), "site" | "website"))
            || scope
                .words
                .iter()
                .any(|word| matches!(word.as_str(), "site" | "website"));
        let rest: Vec<String> = mods
            .iter()
            .filter(|word| {
                !matches!(
                    word.as_str(),
                    "site" | "website" | "browser" | "tab" | "page" | "document" | "meta" | "seo"
                )
            })
            .cloned()
            .collect();
        if site_wide && rest.is_empty() {
            let found = self.site_value(&["title", "name"], scope);
            if !found.is_empty() {
                return Ok(Some(found));
            }
            // Without a configuration, the title in the one HTML file is the site's.
            let mut own = Vec::new();
            for view in self.home(scope) {
                let title = view
                    .below(0)
                    .into_iter()
                    .find(|id| view.nodes[*id].tag == "title");
                if let Some(id) = title {
                    own.push(sole_text(&view, id, "the site title")?);
                }
            }
            super::super::unique(&mut own);
            let in_markup = own
                .iter()
                .all(|hit| hit.doc.node(hit.node).kind == Kind::Text);
            if !own.is_empty() && in_markup {
                return Ok(Some(own));
            }
            return Ok(Some(self.head_value("title")));
        }
        let said_page = scope.words.iter().any(|word| {
            matches!(
                word.as_str(),
                "page"
                    | "browser"
                    | "tab"
                    | "document"
                    | "site"
                    | "website"
                    | "meta"
                    | "seo"
                    | "tag"
            )
        }) || scope.paged;
        if !rest.is_empty() {
            // "the login page title", "the welcome post's title"
            if scope.words.iter().any(|word| word == "page")
                && let super::super::page::Pages::Some(pages) = self.pages_named(&rest)
            {
                let views = pages.iter().map(|page| self.site.view(*page)).collect();
                let inner = Scope {
                    views,
                    paged: true,
                    pages,
                    ..scope.clone()
                };
                return self.page_titles(&inner).map(Some);
            }
            return Ok(None);
        }
        if !scope.places.is_empty() || phrase.ordinal.is_some() || !said_page {
            let plain = scope.places.is_empty() && phrase.ordinal.is_none();
            if !plain {
                return Ok(None);
            }
        }
        self.page_titles(scope).map(Some)
    }

    /// Whether a literal of a page other than the home page is what the home page shows too, in the site's own
    /// configuration or shell.
    pub(super) fn shared(&self, view: &Arc<View>, hit: &Hit) -> bool {
        let Some(page) = view.page else { return false };
        let pages = self.site.pages();
        if pages[page].route == "/" || hit.doc.path == pages[page].file {
            return false;
        }
        let home = (0..pages.len())
            .find(|at| pages[*at].route == "/" && pages[*at].app == pages[page].app);
        home.is_some_and(|home| {
            self.site
                .view(home)
                .places(&hit.doc, hit.node)
                .iter()
                .any(|(_, attr)| attr.is_none())
        })
    }

    /// The titles of the pages in scope.
    pub fn page_titles(&self, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let mut out = Vec::new();
        let mut problem = None;
        for view in self.home(scope) {
            let page = view.page;
            if let Some(page) = page
                && let Some(found) = self
                    .own_title(page, &view)
                    .or_else(|| self.metadata(page, &view, "title"))
            {
                out.push(found);
                continue;
            }
            let title = view.below(0).into_iter().rev().find(|id| {
                view.nodes[*id].tag == "title"
                    && !view.texts(*id).is_empty()
                    && !view.up(*id).any(|up| view.nodes[up].tag == "svg")
            });
            match title {
                Some(id) => match sole_text(&view, id, "the page title") {
                    Ok(hit) if self.shared(&view, &hit) => {
                        problem = Some(
                            not_found("the page has no title of its own")
                                .candidates(vec![hit.candidate()]),
                        );
                    }
                    Ok(hit) => out.push(hit),
                    Err(refusal) => problem = Some(refusal),
                },
                None if seo_value(&view, "title").is_some() => {
                    out.extend(seo_value(&view, "title"));
                }
                None => {
                    let candidates = page
                        .map(|page| vec![candidate_of_page(self, page)])
                        .unwrap_or_default();
                    problem =
                        Some(not_found("the page has no title of its own").candidates(candidates));
                }
            }
        }
        if out.is_empty() {
            out.extend(self.head_value("title"));
        }
        super::super::unique(&mut out);
        match (out.is_empty(), problem) {
            (true, Some(problem)) => Err(problem),
            _ => Ok(out),
        }
    }
}
