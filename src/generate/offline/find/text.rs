//! Finding the one text that a phrase means.

use std::sync::Arc;

use super::names::{explain, idle, in_place};
use super::page::Pages;
use super::role::{self, fit};
use super::{Finder, Hit, Seen, ambiguous, candidate, not_found, readable, unique};
use crate::generate::offline::ask::lexicon::{GENERIC, RECORD, Role};
use crate::generate::offline::ask::phrase::{Phrase, Place};
use crate::generate::offline::doc::{Doc, Kind, NodeId};
use crate::generate::offline::parse;
use crate::generate::offline::site::{detect, folder, stem};
use crate::generate::offline::text::{self, folded};
use crate::generate::offline::view::{Piece, View};
use crate::model::{Refusal, RefusalReason};

/// A phrase with its pages settled.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The pages looked at.
    pub views: Vec<Arc<View>>,
    /// True when the request named a page.
    pub paged: bool,
    /// The pages' numbers, when it did.
    pub pages: Vec<usize>,
    /// The places that are no pages.
    pub places: Vec<Place>,
    /// The words of the phrase without those for pages.
    pub words: Vec<String>,
    /// The same as said.
    pub said: String,
    /// What the pages were called, for messages.
    pub called: String,
}

/// How well a hit fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// 3 the whole text, 2 all but punctuation, 1 part of it.
    text: u8,
    /// 1 when it is seen on a page or is data, 0 in a file no page shows.
    reach: u8,
    /// 1 for text, 0 for the value of an attribute.
    visible: u8,
    role: u8,
    /// Smaller is nearer; kept negative so that greater is better.
    near: i64,
}

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
                            && words[front - 1] == "page" =>
                    {
                        // "the pricing page title" of a page that is not there; "landing page" may be plain words.
                        if words.len() - front <= 2 && role::fit_possible(&words[front..]) {
                            return Err(no_page(self, &words[..front].join(" ")));
                        }
                    }
                    _ => {}
                }
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

    /// A page's words as a section: what is left without "page".
    fn section(&self, place: &Place) -> Option<Place> {
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

    /// The texts that are `wanted`, or hold it: hits with how much of the text they are.
    pub fn texts(&self, wanted: &str, scope: &Scope) -> Vec<(Hit, u8)> {
        let folded_wanted = folded(wanted);
        let core = trim_marks(&folded_wanted);
        let joined = squash(&folded_wanted);
        let mut out = Vec::new();
        if core.is_empty() {
            return out;
        }
        let mut visit = |doc: &Arc<Doc>, node: NodeId, seen: &dyn Fn() -> Vec<Seen>| {
            let this = doc.node(node);
            let raw = doc.raw(this.inner.clone());
            let spans = text::find(this.host, raw, wanted);
            let shown = folded(&doc.text(node));
            let level = if shown == folded_wanted {
                3
            } else if trim_marks(&shown) == core && !core.is_empty() {
                2
            } else if joined.len() > 4 && squash(&shown) == joined {
                // "signup" for "Sign up": spelled together or apart.
                2
            } else if !spans.is_empty() {
                1
            } else {
                return;
            };
            if !readable(doc, node) || super::technical(doc, node) {
                return;
            }
            // A part of a name in code ("about.md", "menu-item") is not a text.
            let code = !shown.contains(' ') && shown.contains(['.', '/', '_', '-', '#']);
            if level == 1 && code && !core.contains(['.', '/', '_', '-', '#', '@']) {
                return;
            }
            let seen = seen();
            if level >= 2 {
                let mut hit = Hit::whole(doc, node, seen);
                // What was said without its full stop leaves the full stop.
                if level == 2
                    && let [span] = spans.as_slice()
                {
                    hit.span = this.inner.start + span.start..this.inner.start + span.end;
                    hit.whole = false;
                }
                out.push((hit, level));
            } else {
                for span in spans {
                    let span = this.inner.start + span.start..this.inner.start + span.end;
                    out.push((
                        Hit {
                            doc: doc.clone(),
                            node,
                            span,
                            whole: false,
                            part: true,
                            seen: seen.clone(),
                        },
                        level,
                    ));
                }
            }
        };
        if scope.paged {
            let mut known = std::collections::HashSet::new();
            for view in &scope.views {
                for (doc, node, ..) in view.literals() {
                    if known.insert((doc.path.clone(), node)) {
                        visit(&doc, node, &|| self.seen(&doc, node, &scope.views));
                    }
                }
            }
            // Literals of the page's own files that could not be followed.
            for path in self.page_files(scope) {
                let Some(doc) = self.site.doc(&path) else {
                    continue;
                };
                for node in 0..doc.nodes.len() {
                    if matches!(doc.node(node).kind, Kind::Text | Kind::Scalar)
                        && known.insert((path.clone(), node))
                    {
                        visit(&doc, node, &|| self.seen(&doc, node, &scope.views));
                    }
                }
            }
        } else {
            for path in self.files_with(&folded_wanted) {
                let Some(doc) = self.site.doc(&path) else {
                    continue;
                };
                for node in 0..doc.nodes.len() {
                    if matches!(doc.node(node).kind, Kind::Text | Kind::Scalar) {
                        visit(&doc, node, &|| self.seen(&doc, node, &scope.views));
                    }
                }
            }
        }
        out
    }

    /// The files of the pages in scope: what they show, and the page's own.
    pub fn page_files(&self, scope: &Scope) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for view in &scope.views {
            if let Some(page) = view.page {
                let own = self.site.pages()[page].file.clone();
                let beside = folder(&own).to_owned();
                out.push(own);
                // `+page.js` and its like beside the page.
                for name in ["+page.js", "+page.ts", "+page.server.js", "+page.server.ts"] {
                    let path = format!("{beside}{name}");
                    if self.site.has(&path) {
                        out.push(path);
                    }
                }
            }
            out.extend(view.files().map(str::to_owned));
        }
        out.sort();
        out.dedup();
        out
    }

    /// The files a person may mean, that hold the longest word of a text.
    pub fn files_with(&self, folded_text: &str) -> Vec<String> {
        let longest = folded_text
            .split(|c: char| !c.is_alphanumeric())
            .max_by_key(|word| word.chars().count())
            .unwrap_or_default();
        self.site
            .files
            .iter()
            .filter(|path| self.content_file(path))
            .filter(|path| {
                self.site
                    .folded(path)
                    .is_some_and(|text| text.contains(longest))
            })
            .cloned()
            .collect()
    }

    /// Whether a file is part of a site as a person sees it.
    pub fn content_file(&self, path: &str) -> bool {
        if let Some(pointed) = self.pointed {
            return path == pointed;
        }
        if parse::lang(path).is_none() || detect::generated(self.site, path).is_some() {
            return false;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let tool = [
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
        if tool.iter().any(|start| lower.starts_with(start))
            || (lower.starts_with('.') && !lower.starts_with(".vitepress"))
        {
            return false;
        }
        if path.ends_with(".css") || path.ends_with(".scss") || path.ends_with(".less") {
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
    fn best(
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

    fn rank(
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
                Some(Role::MenuItem) if fits == 0 && super::names::title_in_menu(self, hit) => 2,
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
        let found = self.find_all(phrase, &scope)?;
        let what = describe(phrase);
        match found.as_slice() {
            [hit] => Ok(hit.clone()),
            [] => Err(self.nothing(phrase, &scope)),
            _ => Err(ambiguous(&what, &found)),
        }
    }

    /// Why nothing was found, with what comes near.
    fn nothing(&self, phrase: &Phrase, scope: &Scope) -> Refusal {
        let what = describe(phrase);
        let wanted = phrase
            .quoted
            .first()
            .cloned()
            .unwrap_or_else(|| scope.said.clone());
        // The text is there but in several pieces.
        let folded_wanted = folded(&wanted);
        for view in &scope.views {
            for id in view.below(0) {
                let node = &view.nodes[id];
                if node.text.is_empty()
                    && folded_wanted.contains(' ')
                    && !node.children.is_empty()
                    && view.texts(id).len() < 12
                    && super::names::contains_words(&folded(&view.shown(id)), &folded_wanted)
                    && !view.nodes[id].children.iter().any(|child| {
                        super::names::contains_words(&folded(&view.shown(*child)), &folded_wanted)
                    })
                {
                    return Refusal::new(
                        RefusalReason::Mixed,
                        format!(
                            "{what} is put together from several pieces; say which piece to change"
                        ),
                    )
                    .candidates(super::special::pieces_of(view, id));
                }
            }
        }
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

    /// The places themselves, as candidates for what is not in them.
    fn landmarks(&self, scope: &Scope) -> Vec<crate::model::Candidate> {
        let mut out = Vec::new();
        for place in &scope.places {
            for view in &scope.views {
                for id in super::element::named(view, &place.words)
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
            } else if parse::lang(path).is_none() {
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

    /// All texts a phrase may mean equally well.
    ///
    /// # Errors
    /// A refusal when what is meant is clear and cannot be changed.
    pub fn find_all(&self, phrase: &Phrase, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let role = Phrase {
            words: scope.words.clone(),
            ..phrase.clone()
        }
        .role();
        // In quotes: the text itself; the other words say what and where it is.
        if let Some(wanted) = phrase.quoted.first() {
            let (role, mods) = match role {
                Some((role, at, length)) => {
                    let mut mods: Vec<String> = scope.words[..at].to_vec();
                    mods.extend(scope.words[at + length..].iter().cloned());
                    (Some(role), mods)
                }
                None => (None, scope.words.clone()),
            };
            let mods = meaningful(&mods);
            let hits = self.texts(wanted, scope);
            let exact = self.best(hits.clone(), role, &mods, scope, phrase.ordinal);
            if !exact.is_empty() {
                return Ok(exact);
            }
            // A role can be named loosely; the text in quotes cannot.
            let loose = self.best(hits.clone(), None, &mods, scope, phrase.ordinal);
            if loose.len() == 1
                && matches!(
                    role,
                    Some(
                        Role::Text
                            | Role::Label
                            | Role::Name
                            | Role::Title
                            | Role::Heading
                            | Role::Headline
                            | Role::Paragraph
                            | Role::Tagline
                            | Role::MenuItem
                    )
                )
            {
                return Ok(loose);
            }
            if role.is_none() || loose.is_empty() {
                let bare = self.best(hits, None, &[], scope, phrase.ordinal);
                if bare.len() == 1
                    && mods.iter().all(|word| {
                        RECORD.contains(&word.as_str()) || GENERIC.contains(&word.as_str())
                    })
                {
                    return Ok(bare);
                }
            }
            return Ok(Vec::new());
        }
        let is_site = |word: &String| matches!(word.as_str(), "site" | "website");
        let site_wide = scope.words.iter().any(is_site)
            || scope
                .places
                .iter()
                .any(|place| place.words.len() == 1 && place.words.iter().all(is_site));
        if let Some(last) = scope
            .words
            .iter()
            .rfind(|word| !is_site(word))
            .filter(|_| site_wide)
        {
            let places = scope
                .places
                .iter()
                .filter(|place| !place.words.iter().all(is_site))
                .cloned()
                .collect();
            let found = self.site_value(
                &[last.as_str()],
                &Scope {
                    places,
                    ..scope.clone()
                },
            );
            if !found.is_empty() {
                return Ok(found);
            }
        }
        let Some((role, at, length)) = role else {
            return self.find_plain(phrase, scope);
        };
        // A key that is called just that ("header title" is `headerTitle`) needs no reading.
        if scope.words.len() > 1 && at + length == scope.words.len() {
            let keyed = self.by_whole_key(&scope.words, scope);
            if keyed.len() == 1 {
                return Ok(keyed);
            }
        }
        let mods = meaningful(&scope.words[..at]);
        let tail = &scope.words[at + length..];
        if !tail.is_empty() {
            let said = skip_words(&scope.said, at + length, &scope.words);
            let hits = self.texts(&said, scope);
            let found = self.best(hits.clone(), Some(role), &mods, scope, None);
            if !found.is_empty() {
                return Ok(found);
            }
            let found = self.best(hits, None, &mods, scope, None);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        // The words before the role are its text: "the subscribe button".
        if !scope.words[..at].is_empty() && tail.is_empty() {
            let text = scope.words[..at].join(" ");
            let text_said = front_words(&scope.said, &text);
            let hits: Vec<(Hit, u8)> = self
                .texts(&text_said, scope)
                .into_iter()
                .filter(|(_, level)| *level >= 2)
                .collect();
            let found: Vec<Hit> = self
                .best(hits, Some(role), &[], scope, phrase.ordinal)
                .into_iter()
                .filter(|hit| strong(role, hit))
                .collect();
            if !found.is_empty() {
                return Ok(found);
            }
            // "the hero get started button": the first words say where.
            for split in 1..at {
                let where_words = &scope.words[..split];
                let text = front_words(
                    &skip_words(&scope.said, split, &scope.words),
                    &scope.words[split..at].join(" "),
                );
                let hits: Vec<(Hit, u8)> = self
                    .texts(&text, scope)
                    .into_iter()
                    .filter(|(_, level)| *level >= 2)
                    .collect();
                let place = Place {
                    words: where_words.to_vec(),
                    ..Place::default()
                };
                let inner = Scope {
                    places: scope.places.iter().cloned().chain([place]).collect(),
                    ..scope.clone()
                };
                let found: Vec<Hit> = self
                    .best(hits, Some(role), &[], &inner, phrase.ordinal)
                    .into_iter()
                    .filter(|hit| strong(role, hit))
                    .collect();
                if !found.is_empty() {
                    return Ok(found);
                }
            }
        }
        self.by_role(role, &mods, phrase, scope)
    }

    /// A phrase without a role: the text itself, a page, or the key of a value.
    fn find_plain(&self, phrase: &Phrase, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let owned = phrase.full.to_lowercase().starts_with("my ")
            || phrase.full.to_lowercase().starts_with("our ")
            || phrase.full.to_lowercase().starts_with("the ");
        let keyed = self.by_key(&scope.words, phrase, scope);
        if owned && keyed.len() == 1 {
            return Ok(keyed);
        }
        if let Some(found) = self.page_title(phrase, scope)? {
            return Ok(found);
        }
        let wholes = [
            scope.said.clone(),
            crate::generate::offline::ask::phrase::strip_article(&scope.said).to_owned(),
        ];
        for wanted in &wholes {
            let hits: Vec<(Hit, u8)> = self
                .texts(wanted, scope)
                .into_iter()
                .filter(|(_, level)| *level >= 2)
                .collect();
            let found = self.best(hits, None, &[], scope, phrase.ordinal);
            if !found.is_empty() {
                // "change my location": what is said is the label, what is meant its value.
                if owned && !phrase.naming {
                    let values: Vec<Hit> =
                        found.iter().filter_map(|hit| self.labelled(hit)).collect();
                    if values.len() == found.len() {
                        return Ok(values);
                    }
                }
                return Ok(found);
            }
        }
        // "the footer About": the first words say where.
        for split in 1..scope.words.len() {
            let text = skip_words(&scope.said, split, &scope.words);
            let loose = |word: &String| {
                crate::generate::offline::ask::lexicon::STOP.contains(&word.as_str())
            };
            if scope.words[..split].iter().any(loose) || loose(&scope.words[split]) {
                continue;
            }
            let hits: Vec<(Hit, u8)> = self
                .texts(&text, scope)
                .into_iter()
                .filter(|(_, level)| *level >= 2)
                .collect();
            if hits.is_empty() {
                continue;
            }
            let place = Place {
                words: scope.words[..split].to_vec(),
                ..Place::default()
            };
            let inner = Scope {
                places: scope.places.iter().cloned().chain([place]).collect(),
                ..scope.clone()
            };
            let found = self.best(hits, None, &[], &inner, phrase.ordinal);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        if !keyed.is_empty() {
            return Ok(keyed);
        }
        for wanted in &wholes {
            if wanted.chars().count() < 4 {
                continue;
            }
            let found = self.best(self.texts(wanted, scope), None, &[], scope, phrase.ordinal);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    /// Values of data whose key is exactly these words.
    fn by_whole_key(&self, words: &[String], scope: &Scope) -> Vec<Hit> {
        let joined = words.concat();
        let mut hits = Vec::new();
        for path in self.data_files(scope) {
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

    /// The files that may hold data, entries of collections left out when no page was named.
    fn data_files(&self, scope: &Scope) -> Vec<String> {
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

    /// The value a label stands before: the other text of a pair, or the next key of its record.
    fn labelled(&self, label: &Hit) -> Option<Hit> {
        let doc = &label.doc;
        let pair = doc.node(doc.node(label.node).parent);
        if pair.kind == Kind::Pair {
            let value = [
                "value",
                "text",
                "content",
                "info",
                "detail",
                "description",
                "data",
            ]
            .iter()
            .find_map(|key| doc.get(pair.parent, key))
            .filter(|value| *value != label.node && doc.node(*value).kind == Kind::Scalar)?;
            return Some(Hit::whole(doc, value, self.seen(doc, value, &[])));
        }
        for seen in &label.seen {
            let view = &seen.view;
            for id in view.up(seen.at).skip(1).take(4) {
                let node = &view.nodes[id];
                let heading = role::is_heading(view, id);
                if heading
                    || matches!(
                        node.tag.as_str(),
                        "nav"
                            | "section"
                            | "footer"
                            | "header"
                            | "body"
                            | "ul"
                            | "a"
                            | "button"
                            | "form"
                    )
                {
                    break;
                }
                let texts = view.texts(id);
                if texts.len() < 2 {
                    continue;
                }
                let pieces: Vec<&Piece> = texts
                    .iter()
                    .flat_map(|text| &view.nodes[*text].text)
                    .collect();
                if let [Piece::Lit(first, at), Piece::Lit(second, value)] = pieces.as_slice()
                    && first.path == doc.path
                    && *at == label.node
                {
                    return Some(Hit::whole(
                        second,
                        *value,
                        self.seen(second, *value, std::slice::from_ref(view)),
                    ));
                }
                break;
            }
        }
        None
    }

    /// Values of data whose key is the last words, where the first words say.
    pub fn by_key(&self, words: &[String], phrase: &Phrase, scope: &Scope) -> Vec<Hit> {
        let words = meaningful_or_all(words);
        let mut hits: Vec<(usize, i64, Hit)> = Vec::new();
        let files = self.data_files(scope);
        for path in files {
            let Some(doc) = self.site.doc(&path) else {
                continue;
            };
            for node in 0..doc.nodes.len() {
                if doc.node(node).kind != Kind::Scalar || !readable(&doc, node) {
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
        match phrase.ordinal {
            Some(ordinal) => nth(hits, ordinal),
            None => hits,
        }
    }

    /// Places known by their role alone.
    fn by_role(
        &self,
        role: Role,
        mods: &[String],
        phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Vec<Hit>, Refusal> {
        if let Some(found) = self.special(role, mods, phrase, scope)? {
            return Ok(found);
        }
        let mut hits: Vec<(Hit, u8)> = Vec::new();
        let mut known = std::collections::HashSet::new();
        for view in &scope.views {
            for (doc, node, at, attr) in view.literals() {
                if !readable(&doc, node) {
                    continue;
                }
                let seen = Seen {
                    view: view.clone(),
                    at,
                    attr,
                };
                let hit = Hit::whole(&doc, node, vec![seen.clone()]);
                if fit(role, &hit, Some(&seen)) >= 2 && known.insert((doc.path.clone(), node)) {
                    let seen = self.seen(&doc, node, &scope.views);
                    hits.push((Hit { seen, ..hit }, 3));
                }
            }
        }
        // Data that no page shows in a way that can be followed.
        let files = self.data_files(scope);
        for path in files {
            let Some(doc) = self.site.doc(&path) else {
                continue;
            };
            for node in 0..doc.nodes.len() {
                if doc.node(node).kind == Kind::Scalar
                    && readable(&doc, node)
                    && !known.contains(&(path.clone(), node))
                {
                    let hit = Hit::whole(&doc, node, Vec::new());
                    if fit(role, &hit, None) >= 2 {
                        known.insert((path.clone(), node));
                        let seen = self.seen(&doc, node, &scope.views);
                        hits.push((Hit { seen, ..hit }, 3));
                    }
                }
            }
        }
        let found = self.best(hits, Some(role), mods, scope, phrase.ordinal);
        if !found.is_empty() {
            return Ok(found);
        }
        // The role's word may be a key of its own ("the hero subtitle" is `mainHero.subtitle`).
        Ok(self.by_key(&scope.words, phrase, scope))
    }
}

fn no_page(finder: &Finder<'_>, name: &str) -> Refusal {
    let name = name.trim_end_matches(" page");
    let routes: Vec<String> = finder
        .site
        .pages()
        .iter()
        .filter(|page| !page.entry)
        .take(12)
        .map(|page| page.route.clone())
        .collect();
    not_found(format!(
        "there is no {name} page; the pages are {}",
        routes.join(", ")
    ))
    .hint(format!("say \"add a {name} page\" to make one"))
}

/// Words that carry meaning of their own.
fn meaningful(words: &[String]) -> Vec<String> {
    words
        .iter()
        .filter(|word| {
            !idle(word) && !crate::generate::offline::ask::lexicon::STOP.contains(&word.as_str())
        })
        .cloned()
        .collect()
}

fn meaningful_or_all(words: &[String]) -> Vec<String> {
    words
        .iter()
        .filter(|word| !crate::generate::offline::ask::lexicon::STOP.contains(&word.as_str()))
        .cloned()
        .collect()
}

/// Whether a value's key is exactly these words.
fn key_takes(doc: &Doc, node: NodeId, words: &[String]) -> bool {
    use crate::generate::offline::ask::lexicon::{alike, equal, words_of};
    let Some(key) = role::key(doc, node) else {
        return false;
    };
    let parts = words_of(&key);
    if parts.concat() == words.concat() {
        return true;
    }
    match (parts.as_slice(), words) {
        ([part], [word]) => alike(part, word),
        (parts, words) => {
            parts.len() == words.len()
                && parts
                    .iter()
                    .zip(words)
                    .all(|(part, word)| equal(part, word))
        }
    }
}

/// Whether a hit fills a role well enough to be known by its text and role.
fn strong(role: Role, hit: &Hit) -> bool {
    let options: Vec<Option<&Seen>> = if hit.seen.is_empty() {
        vec![None]
    } else {
        hit.seen.iter().map(Some).collect()
    };
    options.into_iter().any(|seen| {
        fit(role, hit, seen) >= 2
            || (matches!(role, Role::Text | Role::Button | Role::Name) && fit(role, hit, seen) >= 1)
    })
}

/// Without punctuation at the ends.
fn trim_marks(text: &str) -> String {
    text.trim_matches(|c: char| !c.is_alphanumeric() && !"$€£#%&+@".contains(c))
        .to_owned()
}

/// `said` without its first `count` content words.
fn skip_words(said: &str, count: usize, words: &[String]) -> String {
    let mut left = count;
    let mut rest = said.trim();
    // An article at the front is not counted.
    if let (Some(first), Some(front)) = (words.first(), rest.split_whitespace().next())
        && !front
            .to_lowercase()
            .trim_matches(|c: char| !c.is_alphanumeric() && c != '/')
            .eq(first)
    {
        rest = crate::generate::offline::ask::phrase::strip_article(rest);
    }
    while left > 0 {
        let Some(at) = rest.find(char::is_whitespace) else {
            return String::new();
        };
        rest = rest[at..].trim_start();
        left -= 1;
    }
    rest.to_owned()
}

/// The words as they were said, when they begin `said`.
fn front_words(said: &str, words: &str) -> String {
    let bare = crate::generate::offline::ask::phrase::strip_article(said.trim());
    let count = words.split(' ').count();
    let front: Vec<&str> = bare.split_whitespace().take(count).collect();
    let joined = front.join(" ");
    if folded(&joined) == folded(words) {
        joined
    } else {
        words.to_owned()
    }
}

fn nth(hits: Vec<Hit>, ordinal: i32) -> Vec<Hit> {
    // Only hits of one view have an order a person sees.
    let mut ordered = hits;
    ordered.sort_by_key(|hit| hit.seen.first().map(|seen| seen.at));
    let at = if ordinal > 0 {
        usize::try_from(ordinal - 1).unwrap_or(usize::MAX)
    } else {
        ordered.len().wrapping_sub(1)
    };
    ordered.into_iter().nth(at).into_iter().collect()
}

/// The phrase for a message.
pub fn describe(phrase: &Phrase) -> String {
    let quoted = phrase
        .quoted
        .iter()
        .map(|text| format!("\u{201c}{text}\u{201d}"))
        .collect::<Vec<_>>()
        .join(" ");
    match (quoted.as_str(), phrase.said.as_str()) {
        ("", said) => said.to_owned(),
        (quoted, "") => format!("text {quoted}"),
        (quoted, said) => format!("{said} {quoted}"),
    }
}

/// Letters and digits alone.
fn squash(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether a key holds something that is nobody's business.
pub fn secret(key: &str) -> bool {
    let words = crate::generate::offline::ask::lexicon::words_of(key);
    let joined = words.concat();
    words.iter().any(|word| {
        matches!(
            word.as_str(),
            "secret" | "password" | "passwd" | "token" | "credential" | "credentials"
        )
    }) || joined.contains("apikey")
        || joined.contains("privatekey")
        || joined.contains("accesskey")
}
