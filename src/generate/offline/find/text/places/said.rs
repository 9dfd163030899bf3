//! What the words around a role say: its text, its record, where it is.

use super::*;

impl Finder<'_> {
    /// The text in quotes; the other words say what and where it is.
    pub(super) fn quoted(
        &self,
        wanted: &str,
        role: Option<(Role, usize, usize)>,
        phrase: &Phrase,
        scope: &Scope,
    ) -> Vec<Hit> {
        let (role, mods) = match role {
            Some((role, at, length)) => {
                let mut mods: Vec<String> = scope.words[..at].to_vec();
                mods.extend(scope.words[at + length..].iter().cloned());
                (Some(role), mods)
            }
            None => (None, scope.words.clone()),
        };
        let mods = meaningful(&mods);
        let mut hits = self.texts(wanted, scope);
        // "Rename the 'Contact' menu item": the item itself, not a word in another.
        if phrase.naming && role.is_some() {
            hits.retain(|(_, level)| *level >= 2);
        }
        let exact = self.best(hits.clone(), role, &mods, scope, phrase.ordinal);
        if !exact.is_empty() {
            return exact;
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
                )
            )
        {
            return loose;
        }
        if role.is_none() || loose.is_empty() {
            let bare = self.best(hits, None, &[], scope, phrase.ordinal);
            if bare.len() == 1
                && mods
                    .iter()
                    .all(|word| RECORD.contains(&word.as_str()) || GENERIC.contains(&word.as_str()))
            {
                return bare;
            }
        }
        Vec::new()
    }

    /// A value of the whole site: "the name of the site".
    pub(super) fn of_the_site(&self, scope: &Scope) -> Option<Vec<Hit>> {
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
            let keys: &[&str] = if last == "name" {
                &["name", "title"]
            } else {
                &[last.as_str()]
            };
            let found = self.site_value(
                keys,
                &Scope {
                    places,
                    ..scope.clone()
                },
            );
            if !found.is_empty() || last == "name" {
                return Some(found);
            }
        }
        None
    }

    /// What a record has in the place of a role: the words before it, `mods` of them with a meaning, name the record.
    pub(super) fn of_record(
        &self,
        role: Role,
        at: usize,
        mods: &[String],
        phrase: &Phrase,
        scope: &Scope,
    ) -> Option<Vec<Hit>> {
        // "the second project title" is the title of the second project.
        if let Some(ordinal) = phrase.ordinal
            && mods
                .last()
                .is_some_and(|word| RECORD.iter().any(|noun| equal(noun, word)))
        {
            let place = Place {
                words: mods.to_vec(),
                ordinal: Some(ordinal),
                ..Place::default()
            };
            let inner = Scope {
                places: scope.places.iter().cloned().chain([place]).collect(),
                words: scope.words[at..].to_vec(),
                ..scope.clone()
            };
            let alone = Phrase {
                ordinal: None,
                ..phrase.clone()
            };
            if let Ok(found) = self.by_role(role, &[], &alone, &inner)
                && let [hit] = found.as_slice()
                && self.of_kind(hit, mods)
            {
                return Some(found);
            }
        }
        // "the job title at Shopify": the value of that key in the record that the place names.
        if matches!(role, Role::Title | Role::Heading | Role::Name)
            && mods
                .last()
                .is_some_and(|word| RECORD.iter().any(|noun| equal(noun, word)))
            && !scope.places.is_empty()
        {
            let keyed = self.by_key(&scope.words, phrase, scope);
            if let [hit] = keyed.as_slice()
                && key_is_just(&hit.doc, hit.node, &scope.words[at..])
            {
                return Some(keyed);
            }
        }
        // "the Weddings text" of a record with such a key is its value, not its name.
        if matches!(role, Role::Text | Role::Paragraph) && !mods.is_empty() {
            let keyed = self.by_key(&scope.words, phrase, scope);
            if keyed.len() == 1 {
                return Some(keyed);
            }
        }
        None
    }

    /// A text that is said behind the words of its role, from `tail` on: "the button Sign up".
    ///
    /// # Errors
    /// A refusal when what is meant is clear and cannot be changed.
    pub(super) fn behind_role(
        &self,
        role: Role,
        tail: usize,
        mods: &[String],
        phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        let said = skip_words(&scope.said, tail, &scope.words);
        // A page is not the word "page" in a text.
        if let Some(found) = self.page_title(phrase, scope)? {
            return Ok(Some(found));
        }
        let mut hits = self.texts(&said, scope);
        if scope.words.len() - tail < 2 {
            hits.retain(|(_, level)| *level >= 2);
        }
        let found = self.best(hits.clone(), Some(role), mods, scope, None);
        if !found.is_empty() {
            return Ok(Some(found));
        }
        let found = self.best(hits, None, mods, scope, None);
        if !found.is_empty() {
            return Ok(Some(found));
        }
        if let Some(refusal) = self.pieced(&said, &describe(phrase), scope) {
            return Err(refusal);
        }
        Ok(None)
    }

    /// A text that is said before the word of its role, which begins at `at`.
    pub(super) fn before_role(
        &self,
        role: Role,
        at: usize,
        phrase: &Phrase,
        scope: &Scope,
    ) -> Option<Vec<Hit>> {
        // The words before the role are its text: "the subscribe button".
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
            return Some(found);
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
                return Some(found);
            }
        }
        // "the Sign up link": what says so comes before a link that stands near the words.
        if matches!(role, Role::Link | Role::Button | Role::MenuItem) {
            let text = front_words(&scope.said, &scope.words[..at].join(" "));
            let hits: Vec<(Hit, u8)> = self
                .texts(&text, scope)
                .into_iter()
                .filter(|(hit, level)| *level >= 2 && of_component(hit))
                .collect();
            let found = self.best(hits, None, &[], scope, phrase.ordinal);
            if !found.is_empty() {
                return Some(found);
            }
        }
        None
    }
}
