//! What of all that happens a person or another program may want to be told. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::{Event, EventKind};

/// A kind of news, as the configuration names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// A deployment began.
    Started,
    /// A deployment is live and verified.
    Live,
    /// A deployment failed.
    Failed,
    /// A deployment was stopped by a person.
    Stopped,
    /// A release moved on to another environment.
    Promoted,
    /// An environment went back.
    #[serde(rename = "rolled back")]
    RolledBack,
    /// What is live is unwell.
    Unwell,
    /// What was unwell is well again.
    #[serde(rename = "well again")]
    WellAgain,
    /// Something waits for a person's yes.
    #[serde(rename = "approval wanted")]
    ApprovalWanted,
    /// Sayso asks a person something.
    Question,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Started,
        Self::Live,
        Self::Failed,
        Self::Stopped,
        Self::Promoted,
        Self::RolledBack,
        Self::Unwell,
        Self::WellAgain,
        Self::ApprovalWanted,
        Self::Question,
    ];

    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Live => "live",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled back",
            Self::Unwell => "unwell",
            Self::WellAgain => "well again",
            Self::ApprovalWanted => "approval wanted",
            Self::Question => "question",
        }
    }

    /// What an event is news of, if it is.
    pub fn of(event: &Event) -> Option<Self> {
        match event.kind {
            EventKind::DeployStart => Some(Self::Started),
            EventKind::DeployComplete => Some(Self::Live),
            EventKind::DeployError => Some(Self::Failed),
            EventKind::Canceled if event.deployment.is_some() => Some(Self::Stopped),
            EventKind::Promote => Some(Self::Promoted),
            EventKind::Rollback => Some(Self::RolledBack),
            EventKind::Error if event.data["unwell"] == true => Some(Self::Unwell),
            EventKind::Health if event.data["again"] == true => Some(Self::WellAgain),
            EventKind::Proposal => Some(Self::ApprovalWanted),
            EventKind::Notice if event.data["approval"] == "wanted" => Some(Self::ApprovalWanted),
            EventKind::Intent if event.data["question"]["text"].is_string() => Some(Self::Question),
            _ => None,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is said of an event that is news, in one line.
pub fn words(event: &Event) -> Option<String> {
    let topic = Topic::of(event)?;
    let environment = event.environment.as_deref().unwrap_or("the site");
    let said = |key: &str| event.data[key].as_str().unwrap_or_default();
    let next = match said("hint") {
        "" => String::new(),
        hint => format!(". Next: {hint}"),
    };
    Some(match topic {
        Topic::Started => format!("a deployment to {environment} began"),
        Topic::Live => format!("LIVE on {environment}: {}", said("url")),
        Topic::Failed => format!(
            "deployment failed at {}: {}",
            said("stage"),
            said("message")
        ),
        Topic::Stopped => format!("the deployment to {environment} was stopped"),
        Topic::Promoted => format!("{} was promoted to {environment}", said("release")),
        Topic::RolledBack => format!("{environment} went back to the release before"),
        Topic::Unwell => format!("{}{next}", said("message")),
        Topic::WellAgain => format!("{environment} is well again"),
        Topic::ApprovalWanted if event.kind == EventKind::Proposal => {
            format!("a proposal waits: {}", said("title"))
        }
        Topic::ApprovalWanted => said("message").to_owned(),
        Topic::Question => event.data["question"]["text"].as_str()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: EventKind, data: serde_json::Value) -> Event {
        Event {
            seq: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            kind,
            project: "site".into(),
            instruction: None,
            proposal: None,
            deployment: Some("dep_1".into()),
            environment: Some("production".into()),
            actor: "sayso".into(),
            data,
        }
    }

    #[test]
    fn names_are_those_of_the_configuration() {
        for topic in Topic::ALL {
            assert_eq!(serde_json::to_value(topic).unwrap(), topic.as_str());
        }
    }

    #[test]
    fn what_is_unwell_comes_with_what_to_do() {
        let unwell = json!({"message": "production is unwell: / answered 500", "hint": "roll back", "unwell": true});
        let unwell = event(EventKind::Error, unwell);
        assert_eq!(Topic::of(&unwell), Some(Topic::Unwell));
        let words = words(&unwell).unwrap();
        assert_eq!(
            words,
            "production is unwell: / answered 500. Next: roll back"
        );
        // Any other error, and a probe of a deployment at work, is no news.
        assert_eq!(
            Topic::of(&event(EventKind::Error, json!({"message": "x"}))),
            None
        );
        assert_eq!(
            Topic::of(&event(EventKind::Health, json!({"ok": true}))),
            None
        );
        let again = event(EventKind::Health, json!({"ok": true, "again": true}));
        assert_eq!(Topic::of(&again), Some(Topic::WellAgain));
    }
}
