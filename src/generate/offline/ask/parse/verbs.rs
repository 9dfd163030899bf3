//! The words requests are made with: verbs, vague values, properties, looks.

pub(super) const SET: &[&str] = &[
    "change",
    "set",
    "rename",
    "retitle",
    "update",
    "replace",
    "edit",
    "modify",
    "correct",
    "switch",
    "turn",
    "rewrite",
    "reword",
    "rephrase",
    "relabel",
    "increase",
    "raise",
    "reduce",
    "lower",
    "decrease",
    "adjust",
    "retype",
    "call",
    "translate",
    "swap out",
];

pub(super) const MAKE: &[&str] = &[
    "make", "paint", "color", "colour", "have", "let", "style", "give",
];

pub(super) const POINT: &[&str] = &[
    "point", "link", "send", "direct", "redirect", "repoint", "relink",
];

pub(super) const ADD: &[&str] = &[
    "add", "insert", "create", "append", "include", "put", "prepend",
];

pub(super) const REMOVE: &[&str] = &[
    "remove",
    "delete",
    "drop",
    "get rid of",
    "take out",
    "take away",
    "erase",
    "strip",
    "kill",
    "cut",
    "take down",
    "clear",
    "eliminate",
];

pub(super) const HIDE: &[&str] = &["hide", "conceal"];

pub(super) const MOVE: &[&str] = &["move", "shift", "bring", "place", "relocate"];

pub(super) const SWAP: &[&str] = &["swap", "exchange", "switch around"];

pub(super) const FIX: &[&str] = &["fix", "repair", "mend"];

/// All verbs, for finding where a leading place ends.
pub(super) fn verb_at(text: &str) -> Option<(Verb, usize)> {
    let table: [(&[&str], Verb); 9] = [
        (SET, Verb::Set),
        (MAKE, Verb::Make),
        (POINT, Verb::Point),
        (ADD, Verb::Add),
        (REMOVE, Verb::Remove),
        (HIDE, Verb::Hide),
        (MOVE, Verb::Move),
        (SWAP, Verb::Swap),
        (FIX, Verb::Fix),
    ];
    let mut best: Option<(Verb, usize)> = None;
    for (words, verb) in table {
        for word in words {
            let fits = text
                .get(..word.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(word))
                && text[word.len()..]
                    .chars()
                    .next()
                    .is_none_or(|c| c.is_whitespace());
            if fits && best.is_none_or(|(_, length)| word.len() > length) {
                best = Some((verb, word.len()));
            }
        }
    }
    best
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Set,
    Make,
    Point,
    Add,
    Remove,
    Hide,
    Move,
    Swap,
    Fix,
}

pub(super) const VAGUE: &[&str] = &[
    "something better",
    "something else",
    "something nicer",
    "something different",
    "something new",
    "something more",
    "a better one",
    "a new one",
    "the new one",
    "another one",
    "a different one",
    "something",
    "anything",
    "better",
];

/// Properties in words; the longest first.
pub const PROPERTIES: &[(&str, &str)] = &[
    ("background colour", "background-color"),
    ("background color", "background-color"),
    ("background", "background-color"),
    ("bg colour", "background-color"),
    ("bg color", "background-color"),
    ("text colour", "color"),
    ("text color", "color"),
    ("font colour", "color"),
    ("font color", "color"),
    ("border colour", "border-color"),
    ("border color", "border-color"),
    ("colour", "color"),
    ("color", "color"),
    ("font size", "font-size"),
    ("text size", "font-size"),
    ("font-size", "font-size"),
    ("background-color", "background-color"),
    ("font weight", "font-weight"),
    ("font-weight", "font-weight"),
    ("font family", "font-family"),
    ("font-family", "font-family"),
    ("typeface", "font-family"),
    ("border radius", "border-radius"),
    ("corner radius", "border-radius"),
    ("border-radius", "border-radius"),
    ("line height", "line-height"),
    ("line-height", "line-height"),
    ("letter spacing", "letter-spacing"),
    ("text alignment", "text-align"),
    ("alignment", "text-align"),
    ("max width", "max-width"),
    ("maximum width", "max-width"),
    ("max-width", "max-width"),
    ("min height", "min-height"),
    ("width", "width"),
    ("height", "height"),
    ("padding", "padding"),
    ("margin", "margin"),
    ("opacity", "opacity"),
    ("gap", "gap"),
    ("font", "font-family"),
    ("size", "font-size"),
    ("border", "border"),
    ("shadow", "box-shadow"),
];

/// Verbs that say a look, and the look.
pub(super) const LOOK_VERBS: &[(&str, &str)] = &[
    ("center", "centered"),
    ("centre", "centered"),
    ("underline", "underlined"),
    ("italicize", "italic"),
    ("italicise", "italic"),
    ("capitalize", "uppercase"),
    ("capitalise", "uppercase"),
    ("uppercase", "uppercase"),
];

/// Words that are a style by themselves.
pub(super) const LOOKS: &[&str] = &[
    "bold",
    "italic",
    "underlined",
    "uppercase",
    "lowercase",
    "centered",
    "centred",
    "bigger",
    "larger",
    "smaller",
    "wider",
    "narrower",
    "taller",
    "rounded",
    "sticky",
    "thinner",
    "thicker",
    "lighter",
    "darker",
    "transparent",
    "invisible",
];
