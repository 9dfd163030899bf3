//! Short edits and other talk that sound like control phrases: "make it wide", "comment that out", "go left".
//!
//! They compete with the known phrases for the sound. Where one of them fits better, no control was said. The list
//! is made of patterns, not of recordings: what people say about a page in two to four words.

use std::sync::OnceLock;

use super::near;

const VERBS: &[&str] = &[
    "add",
    "change",
    "fix",
    "move",
    "remove",
    "delete",
    "center",
    "align",
    "hide",
    "show",
    "edit",
    "replace",
    "resize",
    "rotate",
    "swap",
    "copy",
    "paste",
    "crop",
    "comment",
    "combine",
    "complete",
    "shape",
    "flip",
    "split",
    "join",
    "mark",
    "reverse",
    "update",
    "rename",
    "bold",
    "underline",
    "highlight",
    "open",
    "close",
    "enlarge",
    "shrink",
    "widen",
    "lower",
    "raise",
    "pull",
    "put",
    "turn",
    "write",
    "rewrite",
    "cut",
    "drop",
    "check",
    "test",
    "save",
    "submit",
    "print",
    "display",
    "review",
    "connect",
    "convert",
    "sort",
    "stack",
    "wrap",
    "style",
    "color",
    "insert",
    "include",
    "link",
    "except",
    "polish",
    "reduce",
    "skip",
    "redo",
    "destroy",
    "share",
    "release notes for",
];

const OBJECTS: &[&str] = &["it", "that", "this", "them"];

const LOOKS: &[&str] = &[
    "blue",
    "red",
    "green",
    "white",
    "black",
    "gray",
    "yellow",
    "orange",
    "purple",
    "pink",
    "bold",
    "italic",
    "big",
    "bigger",
    "small",
    "smaller",
    "large",
    "larger",
    "wide",
    "wider",
    "narrow",
    "tall",
    "taller",
    "short",
    "shorter",
    "light",
    "lighter",
    "dark",
    "darker",
    "bright",
    "brighter",
    "round",
    "square",
    "thin",
    "thick",
    "left",
    "right",
    "centered",
    "smooth",
    "clear",
    "clean",
    "nice",
    "better",
    "different",
    "visible",
    "lively",
];

const MOVES: &[&str] = &[
    "go",
    "move it",
    "push it",
    "put it",
    "pull it",
    "move that",
    "shift it",
    "rotate it",
];

const WHERE: &[&str] = &[
    "left", "right", "up", "down", "back", "higher", "lower", "there", "home",
];

const DEEDS: &[&str] = &[
    "add a",
    "show the",
    "hide the",
    "open the",
    "change the",
    "fix the",
    "move the",
    "remove the",
    "update the",
    "center the",
    "stop the",
];

const THINGS: &[&str] = &[
    "menu", "banner", "header", "footer", "logo", "title", "button", "link", "image", "video",
    "form", "page", "table", "list", "map", "section", "text", "heading",
];

const OTHERS: &[&str] = &[
    "comment that out",
    "take that out",
    "cut it out",
    "leave it",
    "keep it",
    "keep that",
    "change it back",
    "i like it",
    "i like that",
    "thank you",
    "thanks",
    "hello",
    "what's that",
    "what is this",
    "how about that",
    "now",
    "new",
    "there",
    "not now",
    "note that",
    "know that",
    "you know",
    "done",
    "and that",
    "and then",
    "it's done",
    "come on",
    "come and see it",
    "good",
    "all right",
    "let me see",
    "go on",
    "like that",
    "do that again",
    "show me that",
    "show me a picture",
    "show me the page",
    "the page",
    "the image",
    "about us",
    "contact us",
    "the menu",
    "on top",
    "at the top",
    "at the bottom",
];

/// The `count` rivals nearest to `heard` by their words.
pub(super) fn nearest(heard: &str, count: usize) -> Vec<&'static str> {
    let mut near: Vec<(f64, &'static str)> = all()
        .iter()
        .map(|(rival, sound)| {
            (
                near::distance_to(heard, &near::sound(heard), rival, sound),
                rival.as_str(),
            )
        })
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near.truncate(count);
    near.into_iter().map(|(_, rival)| rival).collect()
}

/// All rivals with their sound keys.
fn all() -> &'static [(String, String)] {
    static ALL: OnceLock<Vec<(String, String)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let pairs = |first: &[&str], second: &[&str]| -> Vec<String> {
            first
                .iter()
                .flat_map(|one| second.iter().map(move |two| format!("{one} {two}")))
                .collect()
        };
        let mut all = pairs(VERBS, OBJECTS);
        for object in &OBJECTS[..3] {
            all.extend(LOOKS.iter().map(|look| format!("make {object} {look}")));
        }
        all.extend(pairs(MOVES, WHERE));
        all.extend(pairs(DEEDS, THINGS));
        all.extend(OTHERS.iter().map(|other| (*other).to_owned()));
        let known = super::table::Table::builtin();
        all.retain(|rival| known.exact(rival).is_none());
        all.into_iter()
            .map(|rival| {
                let sound = near::sound(&rival);
                (rival, sound)
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rivals_sound_like_what_they_compete_with_and_are_no_controls() {
        assert!(nearest("make that life", 4).contains(&"make that light"));
        assert!(nearest("comet that out", 4).contains(&"comment that out"));
        let known = super::super::table::Table::builtin();
        for (rival, _) in all() {
            assert!(known.exact(rival).is_none(), "{rival} is a control");
        }
    }
}
