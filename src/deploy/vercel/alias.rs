//! What moves traffic: the project's last alias request, and the pin. Pure.

use serde_json::Value;

/// What moves traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Promote,
    Rollback,
}

impl Move {
    pub fn word(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Rollback => "rollback",
        }
    }
}

/// The project's last alias request. Pure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub status: String,
    pub kind: String,
    pub to: String,
    pub at: i64,
}

impl Request {
    pub fn read(project: &Value) -> Self {
        let request = &project["lastAliasRequest"];
        let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
        Self {
            status: text("jobStatus"),
            kind: text("type"),
            to: text("toDeploymentId"),
            at: request["requestedAt"].as_i64().unwrap_or(0),
        }
    }

    /// Whether this is the move of `kind` to `to` that came after `before`.
    pub fn is(&self, kind: Move, to: &str, before: &Self) -> bool {
        self.kind == kind.word() && self.to == to && (self.at, &self.to) != (before.at, &before.to)
    }
}

/// True when new production deployments do not go live by themselves.
pub(super) fn is_pinned(project: &Value) -> bool {
    project["autoAssignCustomDomains"] == Value::Bool(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_ours_only_when_it_came_after_ours() {
        let project = |at: i64, status: &str| json!({"lastAliasRequest": {"jobStatus": status, "type": "rollback", "toDeploymentId": "dpl_1", "requestedAt": at}});
        let before = Request::read(&project(5, "succeeded"));
        assert!(!Request::read(&project(5, "succeeded")).is(Move::Rollback, "dpl_1", &before));
        let now = Request::read(&project(6, "pending"));
        assert!(now.is(Move::Rollback, "dpl_1", &before));
        assert!(
            !now.is(Move::Promote, "dpl_1", &before) && !now.is(Move::Rollback, "dpl_2", &before)
        );
        assert_eq!(Request::read(&json!({})), Request::default());
    }

    #[test]
    fn only_a_plain_false_is_a_pin() {
        assert!(is_pinned(&json!({"autoAssignCustomDomains": false})));
        assert!(!is_pinned(&json!({"autoAssignCustomDomains": true})));
        assert!(!is_pinned(&json!({"lastRollbackTarget": {"x": 1}})));
    }
}
