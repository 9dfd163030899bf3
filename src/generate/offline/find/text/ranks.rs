//! How well a text fits what was said.

use super::*;

impl Finder<'_> {
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
}
