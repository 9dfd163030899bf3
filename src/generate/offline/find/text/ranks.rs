//! How well a text fits what was said.

use super::*;

/// Languages that pages are built from and that are not edited here.
const TEMPLATES: &[&str] = &[
    ".pug",
    ".jade",
    ".haml",
    ".slim",
    ".twig",
    ".erb",
    ".php",
    ".jinja",
    ".jinja2",
    ".tpl",
    ".mustache",
];

impl Finder<'_> {
    /// Whether a file is part of a site as a person sees it.
    pub fn content_file(&self, path: &str) -> bool {
        match self.pointed {
            Some(pointed) => path == pointed,
            None => self.site.content(|path| self.written(path)).contains(path),
        }
    }

    /// Whether a file is served as it is beside the pages that a framework makes: its documentation of old, its data.
    fn served(&self, path: &str) -> bool {
        use crate::generate::offline::site::Framework;
        let Some(app) = self.site.app(path).map(|app| &self.site.apps[app]) else {
            return false;
        };
        let made = !matches!(
            app.framework,
            Framework::Plain | Framework::React | Framework::Vue
        );
        let inside = &path[app.root.len()..];
        made && ["static/", "public/"]
            .iter()
            .any(|part| inside.starts_with(part))
            && [".html", ".json", ".md", ".js"]
                .iter()
                .any(|end| path.ends_with(end))
    }

    /// Whether a script is minified: nobody writes lines of that length.
    fn squeezed(&self, path: &str) -> bool {
        let script = [".js", ".mjs", ".cjs"]
            .iter()
            .any(|end| path.ends_with(end));
        let large = |size: u64| size > 2_000;
        script
            && self.site.size(path).is_none_or(large)
            && self.site.text(path).is_some_and(|text| {
                let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
                text.len() / lines > 400
            })
    }

    fn written(&self, path: &str) -> bool {
        if parse::lang(path).is_none() || detect::generated(self.site, path).is_some() {
            return false;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        // What shows or tests a component is no page's.
        if [".story.", ".stories.", ".test.", ".spec.", ".cy."]
            .iter()
            .any(|mark| name.contains(mark))
        {
            return false;
        }
        let tool = [
            "package.",
            "frontmatter.json",
            "pagefind.",
            "lighthouserc",
            "contentlayer.config",
            "velite.config",
            "content.config",
            "next-sitemap.config",
            "sentry.",
            "prettier.config",
            "stylelint.config",
            "drizzle.config",
            "biome.json",
            "deno.json",
            "nx.json",
            "lerna.json",
            "firebase.json",
            "composer.json",
            "bower.json",
            "wrangler",
            "commitlint",
            "cspell",
            "knip.json",
            "tslint",
            "pnpm-",
            "site.webmanifest",
            "package.json",
            "tsconfig",
            "jsconfig",
            ".eslintrc",
            "eslint.config",
            "postcss.config",
            "babel.config",
            ".babelrc",
            "vite.config",
            "webpack",
            "jest.config",
            "vitest",
            "tailwind.config",
            "next.config",
            "svelte.config",
            "components.json",
            ".prettierrc",
            "netlify.toml",
            "vercel.json",
            "renovate",
            "lint-staged",
            "turbo.json",
            "cypress",
            "playwright",
            "gulpfile",
            "gruntfile",
            "rollup.config",
            "docker-compose",
            ".stylelintrc",
            "browserslist",
            "cargo.toml",
        ];
        let lower = name.to_ascii_lowercase();
        let hidden = path
            .split('/')
            .rev()
            .skip(1)
            .any(|part| part.starts_with('.') && part.len() > 1 && part != ".vitepress");
        let own = hidden
            && self.site.apps.iter().any(|app| {
                let inside = app.root.split('/').any(|part| part.starts_with('.'));
                inside && path.starts_with(&app.root)
            });
        if tool.iter().any(|start| lower.starts_with(start))
            || (lower.starts_with('.') && !lower.starts_with(".vitepress"))
            || (hidden && !own)
            || self.squeezed(path)
            || self.served(path)
        {
            return false;
        }
        if path.ends_with(".css") || path.ends_with(".scss") || path.ends_with(".less") {
            return false;
        }
        // What a release of the documentation said stays as it was.
        if ["versioned_docs/", "versioned_sidebars/"]
            .iter()
            .any(|folder| path.contains(folder))
        {
            return false;
        }
        // Feeds, maps and manifests are written for machines.
        let machine = [
            "feed",
            "atom",
            "rss",
            "sitemap",
            "robots",
            "manifest",
            "browserconfig",
            "htaccess",
        ];
        if machine.contains(&stem(path))
            || path.contains("/feed/")
            || path.starts_with("feed/")
            || name.contains(".xml")
        {
            return false;
        }
        self.site.apps.is_empty()
            || self.site.apps.iter().any(|app| {
                path.starts_with(&app.root)
                    || app
                        .theme
                        .as_ref()
                        .is_some_and(|theme| path.starts_with(theme.as_str()))
            })
    }

    /// Of the hits, those that fit best; `None` for a hit that a place, a role or the words rule out.
    pub(in crate::generate::offline::find) fn best(
        &self,
        hits: Vec<(Hit, u8)>,
        role: Option<Role>,
        mods: &[String],
        scope: &Scope,
        ordinal: Option<i32>,
    ) -> Vec<Hit> {
        let mut ranked: Vec<(Rank, Hit)> = Vec::new();
        for (hit, level) in hits {
            if let Some(rank) = self.rank(&hit, level, role, mods, &scope.places) {
                ranked.push((rank, hit));
            }
        }
        let Some(top) = ranked
            .iter()
            .map(|(rank, _)| *rank)
            .max_by_key(|rank| (rank.text, rank.reach, rank.visible, rank.role))
        else {
            return Vec::new();
        };
        ranked.retain(|(rank, _)| {
            (rank.text, rank.reach, rank.visible, rank.role)
                == (top.text, top.reach, top.visible, top.role)
        });
        let nearest = ranked
            .iter()
            .map(|(rank, _)| rank.near)
            .max()
            .unwrap_or_default();
        ranked.retain(|(rank, _)| rank.near == nearest);
        let mut hits: Vec<Hit> = ranked.into_iter().map(|(_, hit)| hit).collect();
        unique(&mut hits);
        if let Some(ordinal) = ordinal {
            return nth(hits, ordinal);
        }
        // "the heading of the pricing section" is its main one, not those of its cards.
        if hits.len() > 1
            && matches!(role, Some(Role::Heading | Role::Headline | Role::Title))
            && top.text == 3
        {
            let level = |hit: &Hit| {
                hit.seen
                    .iter()
                    .filter_map(|seen| role::heading_level(&seen.view, seen.at))
                    .min()
            };
            if let Some(least) = hits.iter().filter_map(level).min() {
                let senior: Vec<Hit> = hits
                    .iter()
                    .filter(|hit| level(hit) == Some(least))
                    .cloned()
                    .collect();
                if senior.len() == 1 {
                    return senior;
                }
            }
        }
        hits
    }

    pub(super) fn rank(
        &self,
        hit: &Hit,
        level: u8,
        role: Option<Role>,
        mods: &[String],
        places: &[Place],
    ) -> Option<Rank> {
        let on_page = hit.seen.iter().any(|seen| seen.view.page.is_some());
        let data = matches!(hit.doc.node(hit.node).kind, Kind::Scalar);
        let options: Vec<Option<&Seen>> = if hit.seen.is_empty() {
            vec![None]
        } else {
            hit.seen.iter().map(Some).collect()
        };
        let mut best: Option<Rank> = None;
        for seen in options {
            let mut near = 0;
            let mut ruled_out = false;
            for place in places {
                match in_place(self, place, hit, seen) {
                    Some(distance) => near += distance,
                    None => ruled_out = true,
                }
            }
            if ruled_out {
                continue;
            }
            let fits = match role {
                Some(role) => fit(role, hit, seen),
                None => 1,
            };
            let fits = match role {
                Some(Role::MenuItem)
                    if fits == 0 && super::super::names::title_in_menu(self, hit) =>
                {
                    2
                }
                _ => fits,
            };
            if fits == 0 {
                continue;
            }
            if !mods.is_empty() {
                match explain(self, mods, hit, seen) {
                    Some(distance) => near += distance,
                    None => continue,
                }
            }
            let attr = hit
                .doc
                .ancestors(hit.node)
                .take(3)
                .any(|up| hit.doc.node(up).kind == Kind::Attr);
            let attr = match seen {
                // A property of a component that is shown as text is text.
                Some(seen) => {
                    seen.attr.is_some()
                        && !hit
                            .seen
                            .iter()
                            .any(|seen| seen.attr.is_none() && seen.view.page.is_some())
                }
                None => attr,
            };
            let rank = Rank {
                text: level,
                reach: u8::from(on_page || data),
                visible: u8::from(!attr),
                role: fits,
                near: -i64::try_from(near).unwrap_or(i64::MAX),
            };
            if best.is_none_or(|known| rank > known) {
                best = Some(rank);
            }
        }
        best
    }

    /// The one text a phrase means.
    ///
    /// # Errors
    /// A refusal when it is none, several, or not a plain literal.
    pub fn locate(&self, phrase: &Phrase) -> Result<Hit, Refusal> {
        let scope = self.scope(phrase)?;
        let what = describe(phrase);
        let found = self
            .find_all(phrase, &scope)
            .map(|found| self.chosen(found, Hit::candidate));
        let refusal = match found.as_deref() {
            Ok([hit]) => return Ok(hit.clone()),
            Ok([]) => self.nothing(phrase, &scope),
            Ok(found) => ambiguous(&what, found),
            Err(refusal) => refusal.clone(),
        };
        self.chosen_literal(&refusal).ok_or(refusal)
    }

    /// Why nothing was found, with what comes near.
    pub(super) fn nothing(&self, phrase: &Phrase, scope: &Scope) -> Refusal {
        let what = describe(phrase);
        let wanted = phrase
            .quoted
            .first()
            .cloned()
            .unwrap_or_else(|| scope.said.clone());
        if let Some(refusal) = self.pieced(&wanted, &what, scope) {
            return refusal;
        }
        let folded_wanted = folded(&wanted);
        // It stands in build output: its source is the place to change.
        if let Some(refusal) = self.generated(&folded_wanted) {
            return refusal;
        }
        // It is elsewhere than it was said to be.
        let everywhere = Scope {
            places: Vec::new(),
            ..scope.clone()
        };
        let near: Vec<_> = self
            .texts(&wanted, &everywhere)
            .into_iter()
            .map(|(hit, _)| hit.candidate())
            .take(8)
            .collect();
        let landmark = self.landmarks(scope);
        let mut candidates = near;
        candidates.extend(landmark);
        let place = scope
            .places
            .iter()
            .map(|place| place.words.join(" "))
            .collect::<Vec<_>>()
            .join(", ");
        let at = match (scope.called.as_str(), place.as_str()) {
            ("", "") => "on the site".to_owned(),
            (page, "") => format!("on the {page}"),
            (_, place) => format!("in the {place}"),
        };
        not_found(format!("there is no {what} {at}")).candidates(candidates)
    }

    /// The refusal for a text that is there, but in several pieces.
    pub(super) fn pieced(&self, wanted: &str, what: &str, scope: &Scope) -> Option<Refusal> {
        let folded_wanted = folded(wanted);
        for view in &scope.views {
            for id in view.below(0) {
                let node = &view.nodes[id];
                if node.text.is_empty()
                    && folded_wanted.contains(' ')
                    && !node.children.is_empty()
                    && view.texts(id).len() < 12
                    && super::super::names::contains_words(&folded(&view.shown(id)), &folded_wanted)
                    && !view.nodes[id].children.iter().any(|child| {
                        super::super::names::contains_words(
                            &folded(&view.shown(*child)),
                            &folded_wanted,
                        )
                    })
                {
                    return Some(
                        Refusal::new(
                            RefusalReason::Mixed,
                            format!(
                                "{what} is put together from several pieces; say which piece to change"
                            ),
                        )
                        .candidates(super::super::special::pieces_of(view, id)),
                    );
                }
            }
        }
        None
    }

    /// The places themselves, as candidates for what is not in them.
    pub(super) fn landmarks(&self, scope: &Scope) -> Vec<crate::model::Candidate> {
        let mut out = Vec::new();
        for place in &scope.places {
            for view in &scope.views {
                for id in super::super::element::named(view, &place.words)
                    .into_iter()
                    .take(1)
                {
                    let node = &view.nodes[id];
                    let found = candidate(&node.doc, node.doc.node(node.node).span.clone());
                    if !out.contains(&found) {
                        out.push(found);
                    }
                }
            }
        }
        out.truncate(4);
        out
    }

    /// A refusal when the text stands only in build output.
    pub fn generated(&self, folded_text: &str) -> Option<Refusal> {
        if folded_text.is_empty() {
            return None;
        }
        let mut found = Vec::new();
        let mut sources = Vec::new();
        for path in &self.site.files {
            let Some(text) = self.site.folded(path) else {
                continue;
            };
            if !text.contains(folded_text) {
                continue;
            }
            if detect::generated(self.site, path).is_some() {
                found.push(path.clone());
            } else if TEMPLATES.iter().any(|end| path.ends_with(end)) {
                sources.push(path.clone());
            }
        }
        if found.is_empty() && sources.is_empty() {
            return None;
        }
        let of = |path: &String| {
            let text = self.site.text(path)?;
            let at = self.site.folded(path)?.find(folded_text)?;
            let line = self.site.folded(path)?[..at].matches('\n').count() + 1;
            let shown: String = text
                .lines()
                .nth(line - 1)
                .unwrap_or_default()
                .trim()
                .chars()
                .take(200)
                .collect();
            Some(crate::model::Candidate {
                file: path.clone(),
                line,
                text: shown,
            })
        };
        let candidates: Vec<_> = sources.iter().chain(&found).filter_map(of).collect();
        let source = sources
            .first()
            .map_or_else(|| "its source".to_owned(), Clone::clone);
        Some(
            Refusal::new(
                RefusalReason::Generated,
                format!("this text is build output; change {source} instead, and build again"),
            )
            .hint("build output is never edited: the next build would undo it")
            .candidates(candidates),
        )
    }
}
