//! Why a text was not found, with what comes near.

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
        let landmark = super::super::element::firsts(
            scope,
            scope.places.iter().map(|place| place.words.as_slice()),
        );
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

    /// A refusal when the text stands only in build output.
    fn generated(&self, folded_text: &str) -> Option<Refusal> {
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
