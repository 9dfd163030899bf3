//! The built-in control phrases, and the words that may surround them.

mod acts;
mod talk;

use crate::model::Control;

/// Phrases in lower case without punctuation, politeness and environment.
pub const PHRASES: &[(Control, &[&str])] = &[
    (Control::Commit, acts::COMMIT),
    (Control::Deploy, acts::DEPLOY),
    (Control::Preview, talk::PREVIEW),
    (Control::Approve, talk::APPROVE),
    (Control::Reject, talk::REJECT),
    (Control::Undo, acts::UNDO),
    (Control::Rollback, acts::ROLLBACK),
    (Control::Redeploy, acts::REDEPLOY),
    (Control::Promote, acts::PROMOTE),
    (Control::Status, talk::STATUS),
    (Control::Stop, acts::STOP),
    (Control::Open, talk::OPEN),
    (Control::Help, talk::HELP),
    (Control::Second, talk::SECOND),
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
