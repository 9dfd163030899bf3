//! Where on the site a text is looked for.

mod keys;
mod labels;
mod roles;
mod said;

use super::*;

impl Finder<'_> {
    /// All texts a phrase may mean equally well.
    ///
    /// # Errors
    /// A refusal when what is meant is clear and cannot be changed.
    pub fn find_all(&self, phrase: &Phrase, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let found = self.find_texts(phrase, scope)?;
        if found.is_empty() && phrase.quoted.is_empty() {
            return self.in_element(phrase, scope);
        }
        Ok(found)
    }

    /// The same without the texts of elements that a phrase names.
    ///
    /// # Errors
    /// A refusal when what is meant is clear and cannot be changed.
    pub fn find_texts(&self, phrase: &Phrase, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let role = Phrase {
            words: scope.words.clone(),
            ..phrase.clone()
        }
        .role();
        // In quotes: the text itself; the other words say what and where it is.
        if let Some(wanted) = phrase.quoted.first() {
            return Ok(self.quoted(wanted, role, phrase, scope));
        }
        if let Some(found) = self.of_the_site(scope) {
            return Ok(found);
        }
        let cell = self.cell(scope);
        if !cell.is_empty() {
            return Ok(cell);
        }
        // "the Resume item in the nav"
        let role = role.map(|(role, at, length)| {
            let nav = scope.places.iter().any(|place| {
                !place.words.is_empty() && place.words.iter().all(|word| alike(word, "nav"))
            });
            match role {
                Role::ListItem if nav => (Role::MenuItem, at, length),
                role => (role, at, length),
            }
        });
        let Some((role, at, length)) = role else {
            let found = self.find_plain(phrase, scope)?;
            if !found.is_empty() {
                return Ok(found);
            }
            return Ok(self.named_record(phrase, scope));
        };
        // "in the nav rename Prices": what is renamed may have a role's word as its text.
        if phrase.naming && scope.words.len() == length {
            let hits: Vec<(Hit, u8)> = self
                .texts(&scope.said, scope)
                .into_iter()
                .filter(|(_, level)| *level >= 2)
                .collect();
            let found = self.best(hits, None, &[], scope, phrase.ordinal);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        // A key that is called just that ("header title" is `headerTitle`) needs no reading.
        if scope.words.len() > 1 && at + length == scope.words.len() {
            let keyed = self.by_whole_key(&scope.words, scope);
            if keyed.len() == 1 {
                return Ok(keyed);
            }
        }
        let mods = meaningful(&scope.words[..at]);
        let tail = &scope.words[at + length..];
        if tail.is_empty()
            && let Some(found) = self.of_record(role, at, &mods, phrase, scope)
        {
            return Ok(found);
        }
        if !tail.is_empty()
            && let Some(found) = self.behind_role(role, at + length, &mods, phrase, scope)?
        {
            return Ok(found);
        }
        if at > 0
            && tail.is_empty()
            && let Some(found) = self.before_role(role, at, phrase, scope)
        {
            return Ok(found);
        }
        // What is said behind the role is neither a text nor a place: nothing else is meant by it.
        let notice = matches!(role, Role::Copyright | Role::CopyrightYear);
        if !meaningful(tail).is_empty() && !notice {
            return Ok(self.by_key(&scope.words, phrase, scope));
        }
        let mut found = self.by_role(role, &mods, phrase, scope)?;
        if phrase.ordinal.is_some() {
            found.retain(|hit| self.of_kind(hit, &mods));
        }
        Ok(found)
    }

    /// Whether a counted record is of the kind that was said: "the first project" is no entry of a list of skills.
    fn of_kind(&self, hit: &Hit, kind: &[String]) -> bool {
        let counted = |word: &&String| RECORD.iter().any(|noun| equal(noun, word));
        let Some(kind) = kind.last().filter(counted) else {
            return true;
        };
        if matches!(kind.as_str(), "item" | "entry" | "card" | "tile" | "option") {
            return true;
        }
        let seen = hit.seen.first();
        let data = role::key(&hit.doc, hit.node).is_some();
        let listed = || {
            let mut above = hit.doc.ancestors(hit.node);
            above.any(|up| hit.doc.node(up).kind == Kind::Array)
        };
        (!data || listed())
            && (around(hit, seen).has(kind)
                || seen.is_some_and(|seen| heading_before(seen, &folded(kind)).is_some()))
    }

    /// A phrase without a role: the text itself, a page, or the key of a value.
    pub(in crate::generate::offline::find) fn find_plain(
        &self,
        phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Vec<Hit>, Refusal> {
        let owned = phrase.full.to_lowercase().starts_with("my ")
            || phrase.full.to_lowercase().starts_with("our ")
            || phrase.full.to_lowercase().starts_with("the ");
        let mut keyed = self.by_key(&scope.words, phrase, scope);
        // What is renamed is a text, or a value with that very key.
        if phrase.naming {
            keyed.retain(|hit| key_is_just(&hit.doc, hit.node, &scope.words));
        }
        let exact = keyed
            .iter()
            .any(|hit| key_is_just(&hit.doc, hit.node, &scope.words));
        if owned && keyed.len() == 1 && exact {
            return Ok(keyed);
        }
        // "the intro": what is called so comes before a value whose key only means the same.
        let called = self.by_class(scope);
        if owned && called.len() == 1 && !exact {
            return Ok(called);
        }
        if owned && keyed.len() == 1 {
            return Ok(keyed);
        }
        // "in the nav rename Custom Page": a text that is there comes before a page that is called so.
        if phrase.naming && !scope.places.is_empty() {
            let hits: Vec<(Hit, u8)> = self
                .texts(&scope.said, scope)
                .into_iter()
                .filter(|(_, level)| *level == 3)
                .collect();
            let found = self.best(hits, None, &[], scope, phrase.ordinal);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        if let Some(found) = self.page_title(phrase, scope)? {
            return Ok(found);
        }
        let wholes = [
            scope.said.clone(),
            crate::generate::offline::ask::phrase::strip_article(&scope.said).to_owned(),
        ];
        // "the intro" is a thing, not a word that a sentence stresses.
        let thing =
            owned && !phrase.naming && scope.said.trim() == scope.said.to_lowercase().trim();
        for wanted in &wholes {
            let hits: Vec<(Hit, u8)> = self
                .texts(wanted, scope)
                .into_iter()
                .filter(|(hit, level)| {
                    // A word in some post is not what "the description" of a site means.
                    let aside = !scope.paged
                        && scope.words.len() == 1
                        && self.site.entries().contains(&hit.doc.path);
                    *level >= 2 && !(thing && (aside || stressed(hit)))
                })
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
        // A text in several pieces is not known by its last one.
        for wanted in &wholes {
            if scope.words.len() > 2
                && let Some(refusal) = self.pieced(wanted, &describe(phrase), scope)
            {
                return Err(refusal);
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
            // "the Plus plan" is a plan, not the word "plan" near a Plus.
            if split + 1 == scope.words.len()
                && RECORD.iter().any(|noun| equal(noun, &scope.words[split]))
                && text.starts_with(char::is_lowercase)
            {
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
            // "my location" is a thing, not a word in a text.
            let thing = owned && scope.words.len() < 2 && !phrase.naming;
            if wanted.chars().count() < 4 || thing {
                continue;
            }
            let found = self.best(self.texts(wanted, scope), None, &[], scope, phrase.ordinal);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(self.by_outer_key(scope))
    }
}
