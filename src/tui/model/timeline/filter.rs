//! Which rows of the timeline are shown: by kind, environment and words.
//!
//! A filter is written as people write one: words that a row must hold, `kind:deploy` and `env:production`. A kind is
//! an event's name, the beginning of one, or the name of a group of them.

use crate::model::EventKind;

/// Groups of kinds, in the order in which the key goes through them.
pub const GROUPS: [(&str, &[EventKind]); 5] = [
    (
        "words",
        &[
            EventKind::Transcript,
            EventKind::Intent,
            EventKind::Proposal,
            EventKind::ProposalUpdated,
            EventKind::Approved,
            EventKind::Rejected,
        ],
    ),
    ("commits", &[EventKind::Commit, EventKind::Check]),
    (
        "deployments",
        &[
            EventKind::DeployStart,
            EventKind::DeployProgress,
            EventKind::DeployComplete,
            EventKind::DeployError,
            EventKind::Health,
            EventKind::Promote,
            EventKind::Rollback,
        ],
    ),
    (
        "problems",
        &[
            EventKind::Rejected,
            EventKind::DeployError,
            EventKind::Rollback,
            EventKind::Canceled,
            EventKind::Error,
        ],
    ),
    ("notices", &[EventKind::Notice]),
];

/// What a row must be to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    written: String,
    /// Of each `kind:` word the kinds it stands for.
    kinds: Vec<Vec<EventKind>>,
    environments: Vec<String>,
    words: Vec<String>,
}

impl Filter {
    /// Reads a filter; every text is one.
    pub fn read(text: &str) -> Self {
        let mut filter = Self {
            written: text.trim().to_owned(),
            ..Self::default()
        };
        for word in text.split_whitespace() {
            let word = word.to_lowercase();
            if let Some(kind) = word.strip_prefix("kind:") {
                filter.kinds.push(kinds(kind));
            } else if let Some(environment) = word.strip_prefix("env:") {
                filter.environments.push(environment.to_owned());
            } else {
                filter.words.push(word);
            }
        }
        filter
    }

    /// The filter as it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// True when it lets less than everything through.
    pub fn is_set(&self) -> bool {
        !self.written.is_empty()
    }

    /// True when a row of this kind, environment and text passes.
    pub fn passes(&self, kind: EventKind, environment: Option<&str>, text: &str) -> bool {
        let here = environment.unwrap_or_default().to_lowercase();
        if !self.kinds.iter().all(|kinds| kinds.contains(&kind))
            || !self
                .environments
                .iter()
                .all(|wanted| !here.is_empty() && here.starts_with(wanted))
        {
            return false;
        }
        if self.words.is_empty() {
            return true;
        }
        let text = text.to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }

    /// The filter with the next group of kinds; after the last one without.
    pub fn next_kind(&self) -> Self {
        let now = self.word("kind:");
        let at = GROUPS
            .iter()
            .position(|(name, _)| Some(*name) == now.as_deref());
        let next = at.map_or(0, |at| at + 1);
        self.with("kind:", GROUPS.get(next).map(|(name, _)| *name))
    }

    /// The filter with the environment after the present one of `known`; after the last one without.
    pub fn next_environment(&self, known: &[String]) -> Self {
        let now = self.word("env:");
        let at = known
            .iter()
            .position(|name| Some(name.to_lowercase()) == now);
        let next = at.map_or(0, |at| at + 1);
        self.with("env:", known.get(next).map(String::as_str))
    }

    fn word(&self, prefix: &str) -> Option<String> {
        self.written
            .split_whitespace()
            .find_map(|word| Some(word.to_lowercase().strip_prefix(prefix)?.to_owned()))
    }

    fn with(&self, prefix: &str, value: Option<&str>) -> Self {
        let mut words: Vec<String> = self
            .written
            .split_whitespace()
            .filter(|word| !word.to_lowercase().starts_with(prefix))
            .map(str::to_owned)
            .collect();
        words.extend(value.map(|value| format!("{prefix}{value}")));
        Self::read(&words.join(" "))
    }
}

/// The kinds that `name` stands for; none when it is the name of none.
fn kinds(name: &str) -> Vec<EventKind> {
    match GROUPS.iter().find(|(group, _)| *group == name) {
        Some((_, kinds)) => kinds.to_vec(),
        None => EventKind::ALL
            .into_iter()
            .filter(|kind| kind.as_str().starts_with(name))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_kinds_and_environments_must_all_fit() {
        let filter = Filter::read("kind:deploy env:prod  Headline");
        assert!(filter.passes(
            EventKind::DeployError,
            Some("production"),
            "the headline broke"
        ));
        assert!(!filter.passes(
            EventKind::DeployError,
            Some("preview"),
            "the headline broke"
        ));
        assert!(!filter.passes(EventKind::DeployError, None, "the headline broke"));
        assert!(!filter.passes(EventKind::Commit, Some("production"), "the headline broke"));
        assert!(!filter.passes(EventKind::DeployError, Some("production"), "broke"));
        assert!(!Filter::read("kind:nonsense").passes(EventKind::Notice, None, ""));
        assert!(!Filter::read("  ").is_set());
    }

    #[test]
    fn the_keys_go_round_and_keep_the_words() {
        let mut filter = Filter::read("headline");
        let mut seen = Vec::new();
        for _ in 0..=GROUPS.len() {
            filter = filter.next_kind();
            seen.push(filter.written().to_owned());
        }
        assert_eq!(seen[0], "headline kind:words");
        assert_eq!(seen.last().map(String::as_str), Some("headline"));
        let known = ["preview".to_owned(), "production".to_owned()];
        let filter = filter.next_environment(&known);
        assert_eq!(filter.written(), "headline env:preview");
        let filter = filter.next_environment(&known);
        assert_eq!(filter.written(), "headline env:production");
        assert_eq!(filter.next_environment(&known).written(), "headline");
    }
}
