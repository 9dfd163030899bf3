//! Places known by their role alone.

use super::*;

impl Finder<'_> {
    /// Places known by their role alone.
    pub(in crate::generate::offline::find::text) fn by_role(
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
        let mut files = self.data_files(scope);
        files.retain(|path| self.has_values(path));
        self.site.parse_ahead(&files);
        for path in files {
            let Some(doc) = self.site.doc(&path) else {
                continue;
            };
            for node in 0..doc.nodes.len() {
                if doc.node(node).kind == Kind::Scalar
                    && role::possible(role, &doc, node)
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
        let own: Vec<Hit> = if role == Role::Name && mods.is_empty() && phrase.ordinal.is_none() {
            hits.iter()
                .filter(|(hit, _)| {
                    keys::outermost(hit) && self.rank(hit, 3, None, &[], &scope.places).is_some()
                })
                .map(|(hit, _)| hit.clone())
                .collect()
        } else {
            Vec::new()
        };
        let mut found = self.best(hits, Some(role), mods, scope, phrase.ordinal);
        if role == Role::Name && mods.is_empty() && phrase.ordinal.is_none() {
            keys::single(&mut found);
            // "my name" is that of the site's data before those of what is listed in it.
            if found.len() > 1 && own.len() == 1 {
                return Ok(own);
            }
        }
        if found.is_empty() && role == Role::Email && mods.is_empty() {
            found = self.within(scope);
        }
        if !found.is_empty() {
            return Ok(found);
        }
        // The role's word may be a key of its own ("the hero subtitle" is `mainHero.subtitle`).
        Ok(self.by_key(&scope.words, phrase, scope))
    }
}
