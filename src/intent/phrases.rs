//! The built-in control phrases, and the words that may surround them.

use crate::model::Control;

/// Phrases in lower case without punctuation, politeness and environment.
pub const PHRASES: &[(Control, &[&str])] = &[
    (
        Control::Commit,
        &[
            "commit",
            "commit that",
            "commit this",
            "commit it",
            "commit the change",
            "commit the changes",
            "commit my changes",
            "commit these changes",
            "commit everything",
            "commit all",
            "save and commit",
            "commit and save",
            "make a commit",
            "make the commit",
            "create a commit",
            "commit them",
        ],
    ),
    (
        Control::Deploy,
        &[
            "deploy",
            "deploy that",
            "deploy this",
            "deploy it",
            "deploy the site",
            "deploy the website",
            "deploy my site",
            "deploy the change",
            "deploy the changes",
            "deploy my changes",
            "deploy these changes",
            "deploy everything",
            "make it live",
            "make that live",
            "make this live",
            "make the site live",
            "make the changes live",
            "go live",
            "take it live",
            "put it live",
            "put that live",
            "set it live",
            "publish",
            "publish it",
            "publish that",
            "publish this",
            "publish the site",
            "publish the website",
            "publish the changes",
            "publish my changes",
            "push it live",
            "push that live",
            "push the changes live",
            "push it",
            "push it out",
            "update the website",
            "update the site",
            "update the live site",
            "commit and deploy",
            "commit and publish",
            "ship the site",
            "ship the changes",
            "ship this",
            "ship that",
            "release it",
            "release that",
            "put it online",
            "get it live",
        ],
    ),
    (
        Control::Preview,
        &[
            "preview",
            "preview changes",
            "preview the changes",
            "preview my changes",
            "preview that",
            "preview this",
            "preview it",
            "show me a preview",
            "show me the preview",
            "show a preview",
            "show the preview",
            "open the preview",
            "open preview",
            "show me the changes",
            "show the changes",
            "show me the diff",
            "show the diff",
            "show diff",
            "let me see it",
            "let me see the changes",
        ],
    ),
    (
        Control::Approve,
        &[
            "yes",
            "yes do it",
            "yes do that",
            "yeah",
            "yep",
            "yup",
            "approve",
            "approve it",
            "approve that",
            "approve this",
            "approve the change",
            "approve the changes",
            "approved",
            "confirm",
            "confirm it",
            "confirm that",
            "accept",
            "accept it",
            "accept that",
            "accept the change",
            "accept the changes",
            "ship it",
            "looks good",
            "that looks good",
            "looks good to me",
            "sounds good",
            "lgtm",
            "do it",
            "go ahead",
            "sure",
            "ok",
            "okay",
            "that's right",
            "correct",
            "the first one",
            "first one",
            "the first",
        ],
    ),
    (
        Control::Reject,
        &[
            "no",
            "nope",
            "no thanks",
            "no thank you",
            "reject",
            "reject it",
            "reject that",
            "reject this",
            "reject the change",
            "reject the changes",
            "discard",
            "discard it",
            "discard that",
            "discard the change",
            "discard the changes",
            "never mind",
            "nevermind",
            "forget it",
            "forget that",
            "forget about it",
            "don't",
            "do not",
            "don't do it",
            "don't do that",
            "not that",
            "drop it",
            "decline",
        ],
    ),
    (
        Control::Undo,
        &[
            "undo",
            "undo that",
            "undo it",
            "undo this",
            "undo the change",
            "undo the changes",
            "undo the last change",
            "undo my last change",
            "undo last change",
            "undo the last commit",
            "revert",
            "revert that",
            "revert it",
            "revert this",
            "revert the change",
            "revert the changes",
            "revert the last change",
            "revert the last commit",
            "take that back",
            "scratch that",
        ],
    ),
    (
        Control::Rollback,
        &[
            "roll back",
            "rollback",
            "roll it back",
            "roll that back",
            "roll this back",
            "roll back that",
            "roll back the site",
            "roll the site back",
            "roll back the website",
            "roll back the release",
            "roll back the deployment",
            "roll back the deploy",
            "roll back to the previous version",
            "roll back to the last version",
            "go back to the previous version",
            "go back to the last version",
            "restore the previous version",
            "do a rollback",
        ],
    ),
    (
        Control::Redeploy,
        &[
            "redeploy",
            "re-deploy",
            "re deploy",
            "redeploy it",
            "redeploy that",
            "redeploy this",
            "redeploy the site",
            "redeploy the website",
            "redeploy now",
            "deploy again",
            "deploy it again",
            "deploy that again",
            "deploy the site again",
            "force redeploy",
            "force a redeploy",
            "force deploy",
            "publish again",
        ],
    ),
    (
        Control::Status,
        &[
            "status",
            "show status",
            "show the status",
            "show me the status",
            "what's the status",
            "what is the status",
            "status report",
            "status please",
            "what changed",
            "what has changed",
            "what's changed",
            "what happened",
            "where are we",
            "how is it going",
            "how's it going",
            "is it live",
            "is it live yet",
            "is the site live",
        ],
    ),
    (
        Control::Stop,
        &[
            "stop",
            "stop it",
            "stop that",
            "stop this",
            "stop now",
            "stop the deployment",
            "stop the deploy",
            "abort",
            "abort it",
            "abort that",
            "abort the deployment",
            "cancel",
            "cancel it",
            "cancel that",
            "cancel this",
            "cancel the deployment",
            "cancel the deploy",
            "halt",
        ],
    ),
    (
        Control::Open,
        &[
            "open the site",
            "open the website",
            "open the live site",
            "open my site",
            "open it in the browser",
            "open the browser",
            "show me the live site",
            "show the live site",
            "take me to the site",
        ],
    ),
    (
        Control::Help,
        &[
            "help",
            "help me",
            "show help",
            "show me the help",
            "open help",
            "what can i say",
            "what can i do",
            "what can you do",
            "show the commands",
            "show me the commands",
            "list the commands",
        ],
    ),
    (
        Control::Second,
        &[
            "the second one",
            "second one",
            "the second",
            "the other one",
            "the other",
            "the latter",
            "number two",
            "option two",
            "the second choice",
        ],
    ),
];

/// Phrases that are often said with politeness or a start, which a recogniser garbles along with them.
pub const SURROUNDED: &[&str] = &[
    "commit that",
    "commit this",
    "commit it",
    "commit the changes",
    "deploy that",
    "deploy it",
    "deploy the site",
    "make it live",
    "go live",
    "publish the site",
    "preview the changes",
    "undo that",
    "redeploy",
    "roll back",
    "show me the changes",
];

/// What stands around them; `{}` for the phrase.
pub const AROUND: &[&str] = &[
    "please {}",
    "{} please",
    "{} now",
    "please {} now",
    "okay {}",
    "go ahead and {}",
    "can you {}",
];

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
        Control::Rollback,
        &["roll back", "rollback", "roll back the", "roll it back on"],
    ),
];

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

/// Words that may precede a command without changing it.
pub const LEADING: &[&str] = &[
    "hey sayso",
    "sayso",
    "go ahead and",
    "can you",
    "could you",
    "would you",
    "will you",
    "i want you to",
    "i want to",
    "i would like to",
    "i'd like to",
    "let us",
    "let's",
    "now",
    "please",
    "just",
    "ok",
    "okay",
    "alright",
    "right",
    "well",
    "so",
    "and",
    "then",
    "um",
    "uh",
    "er",
    "erm",
    "hmm",
];
/// Words that may follow a command without changing it.
pub const TRAILING: &[&str] = &[
    "please",
    "now",
    "then",
    "for me",
    "right now",
    "right away",
    "thanks",
    "thank you",
    "um",
    "uh",
];

/// Lower case, no punctuation at word ends, single spaces, curly apostrophes straightened.
pub fn words(text: &str) -> Vec<String> {
    text.replace(['’', '‘'], "'")
        .to_lowercase()
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

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
                    .any(|word| word.ends_with("deploy") || word == "publish");
            let name = known.or_else(|| named.then(|| name.to_owned()))?;
            return Some((front, name));
        }
    }
    known.map(|known| (front, known))
}
