//! Words for a screen rather than for the site: which of the phrases that a screen knows was said. Pure.

/// Said around a phrase, meaning nothing.
const FILLERS: [&str; 14] = [
    "please", "now", "the", "a", "um", "uh", "ok", "okay", "and", "so", "just", "then", "well",
    "hey",
];
/// Share of letters that may differ for words to count as a phrase misheard, in percent.
const SLIP: usize = 15;

/// The phrase that `text` is, and whether it is it exactly (small words apart) or only nearly. Of two that are equally
/// near none is taken.
pub fn nearest<'a>(text: &str, phrases: impl Iterator<Item = &'a str>) -> Option<(&'a str, bool)> {
    let said = bare(text);
    if said.is_empty() {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    let mut tie = false;
    for phrase in phrases {
        let known = bare(phrase);
        if known == said {
            return Some((phrase, true));
        }
        // One short word is too little to be near to.
        if !known.contains(' ') || known.split(' ').count() != said.split(' ').count() {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&known, &said);
        if distance * 100 > known.len() * SLIP {
            continue;
        }
        match best {
            Some((least, _)) if distance > least => {}
            Some((least, _)) if distance == least => tie = true,
            _ => (best, tie) = (Some((distance, phrase)), false),
        }
    }
    best.filter(|_| !tie).map(|(_, phrase)| (phrase, false))
}

/// The words that count, in lower case.
fn bare(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !FILLERS.contains(word));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_near_and_neither() {
        let known = ["next hunk", "accept this hunk", "back"];
        let near = |text: &str| nearest(text, known.into_iter());
        assert_eq!(near("Next hunk!"), Some(("next hunk", true)));
        assert_eq!(
            near("okay, the next hunk please"),
            Some(("next hunk", true))
        );
        assert_eq!(near("except this hunk"), Some(("accept this hunk", false)));
        assert_eq!(near("next hulk"), Some(("next hunk", false)));
        assert_eq!(near("bask"), None);
        assert_eq!(near("change the next hunk"), None);
        assert_eq!(near("the"), None);
        assert_eq!(nearest("one sof", ["one sot", "one sox"].into_iter()), None);
    }
}
