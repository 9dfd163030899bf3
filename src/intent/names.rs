//! Phrases with a name in them: of an environment, a page, a part of a page.

use crate::model::Control;

/// What a person says of a deployment when they name where to; an environment's name follows.
pub const TO_ENVIRONMENT: &[(Control, &[&str])] = &[
    (
        Control::Deploy,
        &[
            "deploy to",
            "deploy it to",
            "deploy that to",
            "deploy this to",
            "deploy the site to",
            "deploy the changes to",
            "deploy my changes to",
            "publish to",
            "publish it to",
            "publish that to",
            "push to",
            "push it to",
            "push that to",
            "release to",
            "release it to",
            "ship to",
            "ship it to",
        ],
    ),
    (
        Control::Redeploy,
        &[
            "redeploy",
            "redeploy to",
            "redeploy it to",
            "deploy again to",
            "deploy it again to",
        ],
    ),
    (
        Control::Promote,
        &[
            "promote to",
            "promote it to",
            "promote that to",
            "promote the site to",
            "promote the release to",
        ],
    ),
    (
        Control::Rollback,
        &["roll back", "rollback", "roll back the", "roll it back on"],
    ),
];

/// What a person says to move what one environment serves on to another; both names stand in it.
pub const BETWEEN: [&str; 2] = ["promote {from} to {to}", "promote from {from} to {to}"];

/// What a person says to see a page; its name follows, then "page".
pub const OPEN_PAGE: &[(Control, &str)] = &[
    (Control::Open, "open the"),
    (Control::Open, "show the"),
    (Control::Open, "show me the"),
    (Control::Open, "go to the"),
    (Control::Open, "take me to the"),
    (Control::Preview, "preview the"),
];

/// What a person says to see a part of a page; its name follows, then "section".
pub const OPEN_SECTION: &[&str] = &["open the", "show me the", "go to the", "take me to the"];

/// Names that stand for an environment without a preposition ("roll back production").
const ENVIRONMENTS: &[(&str, &str)] = &[
    ("production", "production"),
    ("prod", "production"),
    ("staging", "staging"),
    ("stage", "staging"),
    ("preview", "preview"),
    ("development", "development"),
    ("dev", "development"),
    ("local", "local"),
    ("test", "test"),
];

/// Splits "deploy that to the staging environment" into "deploy that" and "staging".
pub(crate) fn environment(heard: &str) -> Option<(&str, String)> {
    let text = [" environment", " server", " site"]
        .iter()
        .find_map(|tail| {
            heard
                .strip_suffix(tail)
                .filter(|rest| rest.contains(" to ") || rest.contains(" on "))
        })
        .unwrap_or(heard);
    let (front, name) = text.rsplit_once(' ')?;
    let known = ENVIRONMENTS
        .iter()
        .find(|(spoken, _)| *spoken == name)
        .map(|(_, known)| (*known).to_owned());
    let front = front.strip_suffix(" the").unwrap_or(front);
    for preposition in [" to", " on", " in", " onto"] {
        if let Some(front) = front.strip_suffix(preposition) {
            // "deploy to qa": any single name may follow; the pipeline says so when no such environment exists.
            // Of other verbs only known names do: "push it to left" is no deployment.
            let named = preposition == " to"
                && front
                    .split(' ')
                    .any(|word| word.ends_with("deploy") || word == "publish" || word == "promote");
            let name = known.or_else(|| named.then(|| name.to_owned()))?;
            return Some((front, name));
        }
    }
    known.map(|known| (front, known))
}
