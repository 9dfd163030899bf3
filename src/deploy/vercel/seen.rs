//! What Vercel says about a deployment, read leniently: what is unknown is "in progress", never success. Pure.

use jiff::Timestamp;
use serde_json::Value;

/// The meta key under which a deployment carries our own id.
pub(super) const META: &str = "saysoDeployment";

/// The meta key of the commit.
pub(super) const META_COMMIT: &str = "saysoCommit";

/// `readyState`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Queued,
    Building,
    Ready,
    Error,
    Canceled,
    Blocked,
    Deleted,
    /// A word that is not known here: in progress.
    Other(String),
}

impl Phase {
    fn of(word: &str) -> Self {
        match word {
            "" | "QUEUED" | "INITIALIZING" => Self::Queued,
            "ANALYZING" | "BUILDING" | "DEPLOYING" => Self::Building,
            "READY" => Self::Ready,
            "CANCELED" => Self::Canceled,
            "BLOCKED" => Self::Blocked,
            "DELETED" => Self::Deleted,
            "ERROR" => Self::Error,
            word if word.ends_with("_ERROR") => Self::Error,
            word => Self::Other(word.chars().take(40).collect()),
        }
    }
}

/// Why a build failed, in Vercel's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BuildError {
    pub code: String,
    pub message: String,
    pub step: String,
}

/// A deployment as Vercel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub id: String,
    /// Its own, immutable address.
    pub url: String,
    pub phase: Phase,
    /// `STAGED`, `ROLLING`, `PROMOTED`, or empty.
    pub substate: String,
    pub aliases: Vec<String>,
    pub alias_assigned: bool,
    pub alias_error: Option<String>,
    pub error: BuildError,
    pub checks_state: String,
    pub checks_conclusion: String,
    /// The state of the checks that aliases wait for (`checks["deployment-alias"]`), or empty.
    pub alias_checks: String,
    /// Our own deployment's id, when it is one of ours.
    pub ours: Option<String>,
    pub commit: String,
    /// `production`, or empty for a preview.
    pub target: String,
    /// A custom environment's slug or id, or empty.
    pub custom: String,
    pub creator: String,
    pub created: Option<Timestamp>,
    pub ready: Option<Timestamp>,
    /// The page where people look at it.
    pub inspector: String,
}

fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    let mut at = value;
    for key in path {
        at = &at[*key];
    }
    at.as_str().unwrap_or_default()
}

/// `true`, a time in milliseconds, or text: set. `null`, `false`, 0: not.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Bool(set) => *set,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Object(_) | Value::Array(_) => true,
        Value::Null => false,
    }
}

fn millis(value: &Value) -> Option<Timestamp> {
    Timestamp::from_millisecond(value.as_i64()?).ok()
}

/// The first text of these that is not empty.
fn first(texts: &[&str]) -> String {
    let text = texts.iter().find(|text| !text.is_empty());
    text.map_or(String::new(), |text| (*text).to_owned())
}

/// What went wrong with the aliases: `null`, a text, or `{code, message}`.
pub(super) fn alias_error(value: &Value) -> Option<String> {
    if !is_set(value) {
        return None;
    }
    let said = first(&[
        text(value, &["message"]),
        value.as_str().unwrap_or_default(),
        text(value, &["code"]),
    ]);
    Some(if said.is_empty() {
        "the aliases could not be assigned".to_owned()
    } else {
        said
    })
}

/// A list of host names.
pub(super) fn names(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

impl Seen {
    /// Reads an answer of `GET /v13/deployments/{id}`, of its creation, or a row of the list; `None` when it names no
    /// deployment.
    pub fn read(value: &Value) -> Option<Self> {
        let id = first(&[text(value, &["id"]), text(value, &["uid"])]);
        if id.is_empty() {
            return None;
        }
        let meta = &value["meta"];
        Some(Self {
            id,
            url: text(value, &["url"]).to_owned(),
            phase: Phase::of(&first(&[
                text(value, &["readyState"]),
                text(value, &["state"]),
                text(value, &["status"]),
            ])),
            substate: text(value, &["readySubstate"]).to_owned(),
            aliases: names(&value["alias"]),
            alias_assigned: is_set(&value["aliasAssigned"]),
            alias_error: alias_error(&value["aliasError"]),
            error: BuildError {
                code: text(value, &["errorCode"]).to_owned(),
                message: text(value, &["errorMessage"]).to_owned(),
                step: text(value, &["errorStep"]).to_owned(),
            },
            checks_state: text(value, &["checksState"]).to_owned(),
            checks_conclusion: text(value, &["checksConclusion"]).to_owned(),
            alias_checks: text(value, &["checks", "deployment-alias", "state"]).to_owned(),
            ours: Some(text(meta, &[META]).to_owned()).filter(|ours| !ours.is_empty()),
            commit: first(&[
                text(meta, &[META_COMMIT]),
                text(meta, &["githubCommitSha"]),
                text(value, &["gitSource", "sha"]),
            ]),
            target: text(value, &["target"]).to_owned(),
            custom: first(&[
                text(value, &["customEnvironment", "slug"]),
                text(value, &["customEnvironmentSlugOrId"]),
                text(value, &["customEnvironment", "id"]),
            ]),
            creator: first(&[
                text(value, &["creator", "username"]),
                text(value, &["creator", "email"]),
                text(meta, &["githubCommitAuthorLogin"]),
            ]),
            created: millis(&value["createdAt"]).or_else(|| millis(&value["created"])),
            ready: millis(&value["ready"]),
            inspector: text(value, &["inspectorUrl"]).to_owned(),
        })
    }

    /// True while checks that the aliases wait for are not done.
    pub fn checks_run(&self) -> bool {
        ["registered", "running"].contains(&self.checks_state.as_str())
            || self.alias_checks == "pending"
    }

    /// True when checks keep the aliases from being assigned.
    pub fn checks_failed(&self) -> bool {
        (self.checks_state == "completed" && self.checks_conclusion == "failed")
            || self.alias_checks == "failed"
    }
}

/// A host name or address as an address.
pub(super) fn address(host: &str) -> String {
    if host.contains("://") {
        host.to_owned()
    } else {
        format!("https://{host}")
    }
}

/// The alias that people know: a domain of their own before `*.vercel.app`, then the shortest.
pub(super) fn best_alias(aliases: &[String]) -> Option<&String> {
    aliases
        .iter()
        .min_by_key(|alias| (alias.ends_with(".vercel.app"), alias.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn states_that_nobody_knows_are_in_progress() {
        for (word, phase) in [
            ("READY", Phase::Ready),
            ("UPLOAD_ERROR", Phase::Error),
            ("INITIALIZING", Phase::Queued),
            ("ROLLING_OUT", Phase::Other("ROLLING_OUT".into())),
        ] {
            let seen = Seen::read(&json!({"id": "dpl_1", "readyState": word})).unwrap();
            assert_eq!(seen.phase, phase, "{word}");
        }
        // Fields of a kind that nobody expects are as good as absent.
        let seen = Seen::read(&json!({"uid": "dpl_1", "readyState": 7, "alias": "x", "url": null}))
            .unwrap();
        assert_eq!((seen.phase, seen.aliases.len()), (Phase::Queued, 0));
        assert_eq!(Seen::read(&json!({"readyState": "READY"})), None);
    }

    #[test]
    fn ready_is_not_live() {
        let seen = |more: Value| {
            let mut value = json!({"id": "dpl_1", "readyState": "READY"});
            value
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            Seen::read(&value).unwrap()
        };
        assert!(!seen(json!({})).alias_assigned);
        assert!(!seen(json!({"aliasAssigned": false})).alias_assigned);
        assert!(seen(json!({"aliasAssigned": 1_700_000_000_000_i64})).alias_assigned);
        assert_eq!(
            seen(json!({"aliasError": {"code": "cert_missing", "message": "No certificate"}}))
                .alias_error
                .as_deref(),
            Some("No certificate")
        );
        assert!(seen(json!({"checksState": "running"})).checks_run());
        assert!(
            seen(json!({"checksState": "completed", "checksConclusion": "failed"})).checks_failed()
        );
        assert!(seen(json!({"checks": {"deployment-alias": {"state": "failed"}}})).checks_failed());
        assert!(
            !seen(json!({"checksState": "completed", "checksConclusion": "succeeded"}))
                .checks_failed()
        );
    }

    #[test]
    fn an_own_domain_is_shown_before_a_generated_one() {
        let aliases = ["a.vercel.app", "www.example.org", "example.org"].map(str::to_owned);
        assert_eq!(best_alias(&aliases).unwrap(), "example.org");
        assert_eq!(best_alias(&[]), None);
        assert_eq!(address("example.org"), "https://example.org");
        assert_eq!(address("http://127.0.0.1:1"), "http://127.0.0.1:1");
    }
}
