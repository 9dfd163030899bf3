//! Takes fillers, politeness and self-corrections out of a request. Quoted text is never touched.

/// The request as it was meant.
pub fn clean(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = drop_fillers(&text);
    let text = correct(&text);
    polite(text.trim()).to_owned()
}

/// Byte ranges of quoted text, quotes included. An apostrophe inside a word opens nothing.
pub fn quoted_spans(text: &str) -> Vec<(usize, usize)> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut spans = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let (start, open) = chars[i];
        let close = match open {
            '"' | '`' | '\'' => open,
            '“' | '„' => '”',
            '‘' => '’',
            '«' => '»',
            _ => {
                i += 1;
                continue;
            }
        };
        let opens = i == 0 || !chars[i - 1].1.is_alphanumeric();
        let end = opens
            .then(|| {
                let ends = |j: usize| {
                    let (_, c) = chars[j];
                    let boundary = chars
                        .get(j + 1)
                        .is_none_or(|(_, next)| !next.is_alphanumeric());
                    (c == close || (open == '“' && c == '"')) && j > i + 1 && boundary
                };
                // A single quote may be an apostrophe within the quotation ("'the students' union'"): the last
                // closing quote before another opening one ends it.
                (i + 1..chars.len()).find(|j| {
                    ends(*j)
                        && !(matches!(close, '\'' | '’')
                            && chars.get(j + 1).is_some_and(|(_, c)| *c == ' ')
                            && {
                                let rest: Vec<usize> =
                                    (j + 1..chars.len()).filter(|k| ends(*k)).collect();
                                let opens_again = (j + 1..chars.len()).any(|k| {
                                    chars[k].1 == open
                                        && !chars[k - 1].1.is_alphanumeric()
                                        && chars[k - 1].1 != close
                                });
                                !rest.is_empty() && !opens_again
                            })
                })
            })
            .flatten();
        match end {
            Some(end) => {
                spans.push((start, chars[end].0 + chars[end].1.len_utf8()));
                i = end + 1;
            }
            None => i += 1,
        }
    }
    spans
}

fn outside(spans: &[(usize, usize)], at: usize) -> bool {
    !spans
        .iter()
        .any(|(start, end)| (*start..*end).contains(&at))
}

const FILLERS: &[&str] = &["um", "uh", "uhm", "umm", "erm", "er", "ehm", "hmm", "mhm"];

fn drop_fillers(text: &str) -> String {
    let spans = quoted_spans(text);
    let mut out: Vec<&str> = Vec::new();
    let mut at = 0;
    for word in text.split(' ') {
        let bare = word
            .trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase();
        if !(outside(&spans, at) && FILLERS.contains(&bare.as_str())) {
            out.push(word);
        }
        at += word.len() + 1;
    }
    out.join(" ").replace(" ,", ",")
}

/// Marks of a self-correction. The weak ones count only between commas or dashes.
const MARKS: &[(&str, bool)] = &[
    ("no wait", true),
    ("no, wait", true),
    ("wait no", true),
    ("wait, no", true),
    ("oh wait", true),
    ("scratch that", true),
    ("correction", false),
    ("i mean", false),
    ("i meant", false),
    ("sorry", false),
    ("actually", false),
    ("or rather", false),
    ("make that", false),
    ("no", false),
    ("wait", false),
];

const REPAIR_VERBS: &[&str] = &[
    "change", "set", "rename", "make", "add", "remove", "delete", "point", "update", "replace",
    "move", "swap", "hide", "fix", "put", "link", "in", "on",
];

fn correct(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(next) = correct_once(&text) {
        text = next;
    }
    text
}

fn correct_once(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let spans = quoted_spans(text);
    let (start, end) = MARKS.iter().find_map(|(mark, strong)| {
        lower.match_indices(mark).find_map(|(at, _)| {
            let (before, after) = (&lower[..at], &lower[at + mark.len()..]);
            let apart = |c: char| matches!(c, ',' | '—' | '–' | '-' | '.' | '…');
            let set_off = before.trim_end().ends_with(apart);
            let word = before.ends_with(|c: char| !c.is_alphanumeric())
                && after.starts_with(|c: char| !c.is_alphanumeric());
            let clear = if *strong {
                true
            } else {
                set_off && after.starts_with(apart)
            };
            (word && clear && outside(&spans, at) && !before.trim().is_empty())
                .then_some((at, at + mark.len()))
        })
    })?;
    let separators = |c: char| c.is_whitespace() || matches!(c, ',' | '—' | '–' | '-' | '.' | '…');
    let before = text[..start].trim_end_matches(separators);
    let mut repair = text[end..].trim_start_matches(separators);
    for (mark, _) in MARKS {
        // "no wait, I mean" is one mark.
        if let Some(rest) = repair
            .get(..mark.len())
            .filter(|head| head.eq_ignore_ascii_case(mark))
        {
            let rest = &repair[rest.len()..];
            if rest.starts_with(|c: char| !c.is_alphanumeric()) {
                repair = rest.trim_start_matches(separators);
            }
        }
    }
    if repair.is_empty() {
        return Some(before.to_owned());
    }
    let first = repair
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let lower = before.to_ascii_lowercase();
    let cut = if matches!(
        first.as_str(),
        "to" | "at" | "with" | "into" | "as" | "from" | "of" | "after" | "before"
    ) {
        lower.rfind(&format!(" {first} "))
    } else if REPAIR_VERBS.contains(&first.as_str()) {
        Some(0)
    } else {
        // The repair replaces the value: what follows the last "to".
        let at = lower
            .rfind(" to ")
            .map(|at| at + 4)
            .or_else(|| lower.rfind(' ').map(|at| at + 1));
        return Some(format!("{}{repair}", &before[..at.unwrap_or(0)]));
    };
    Some(match cut {
        Some(0) => repair.to_owned(),
        Some(at) => format!("{} {repair}", &before[..at]),
        None => format!("{before} {repair}"),
    })
}

const LEADS: &[&str] = &[
    "hey sayso",
    "sayso",
    "please",
    "can you please",
    "can you",
    "could you please",
    "could you",
    "would you please",
    "would you mind",
    "would you",
    "will you",
    "i want you to",
    "i want to",
    "i would like you to",
    "i would like to",
    "i'd like you to",
    "i'd like to",
    "i need you to",
    "i need to",
    "let us",
    "let's",
    "go ahead and",
    "ok",
    "okay",
    "so",
    "well",
    "alright",
    "all right",
    "now",
    "just",
    "hey",
    "hi",
    "hello",
    "and",
    "then",
    "also",
    "we should",
    "you should",
    "we need to",
    "kindly",
    "actually",
    "maybe",
];
const TAILS: &[&str] = &[
    "please",
    "thanks",
    "thank you",
    "for me",
    "would you",
    "could you",
    "if you can",
    "ok",
    "okay",
    "right now",
];

fn polite(text: &str) -> &str {
    let mut text = text;
    let mut question = false;
    loop {
        let before = text;
        for lead in LEADS {
            if let Some(head) = text.get(..lead.len())
                && head.eq_ignore_ascii_case(lead)
                && text[lead.len()..].starts_with([' ', ','])
            {
                text = text[lead.len()..].trim_start_matches([' ', ',']);
                question |= ["can ", "could ", "would ", "will ", "may "]
                    .iter()
                    .any(|ask| lead.starts_with(ask));
            }
        }
        for tail in TAILS {
            let bare = text.trim_end_matches(['.', '!', '?']);
            if bare.len() > tail.len()
                && bare.is_char_boundary(bare.len() - tail.len())
                && bare[bare.len() - tail.len()..].eq_ignore_ascii_case(tail)
                && bare[..bare.len() - tail.len()].ends_with([' ', ','])
            {
                text = bare[..bare.len() - tail.len()].trim_end_matches([' ', ',']);
            }
        }
        if text == before {
            // The mark of a polite question is no part of what was asked for.
            return if question {
                text.trim_end_matches('?').trim_end()
            } else {
                text
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_politeness_and_corrections_go() {
        for (said, meant) in [
            (
                "um, change the headline to Rock & Roll Studio please",
                "change the headline to Rock & Roll Studio",
            ),
            (
                "Could you please rename the button to Join?",
                "rename the button to Join",
            ),
            (
                "in the nav rename About to Studio, no wait, to Our story",
                "in the nav rename About to Our story",
            ),
            (
                "rename About to Studio no wait Our story",
                "rename About to Our story",
            ),
            (
                "change the price to nine, sorry, ten",
                "change the price to ten",
            ),
            (
                "remove the banner, no wait, hide the banner",
                "hide the banner",
            ),
            (
                "set the title to 'um, no wait'",
                "set the title to 'um, no wait'",
            ),
            (
                "change the tagline to We are sorry",
                "change the tagline to We are sorry",
            ),
            (
                "Change 'Say no to waste' to 'Yes please'",
                "Change 'Say no to waste' to 'Yes please'",
            ),
            (
                "Rename the 'students' union' link to 'Union'",
                "Rename the 'students' union' link to 'Union'",
            ),
        ] {
            assert_eq!(clean(said), meant, "{said}");
        }
    }

    #[test]
    fn quotes_are_found_and_apostrophes_are_not() {
        let text = "Change \"Hi, I'm\" to \"Hello, I'm\" on Ada's page";
        let spans = quoted_spans(text);
        let texts: Vec<&str> = spans.iter().map(|(a, b)| &text[*a..*b]).collect();
        assert_eq!(texts, ["\"Hi, I'm\"", "\"Hello, I'm\""]);
        let text = "Change 'we’re a community' to 'it's ours'";
        let texts: Vec<&str> = quoted_spans(text)
            .iter()
            .map(|(a, b)| &text[*a..*b])
            .collect();
        assert_eq!(texts, ["'we’re a community'", "'it's ours'"]);
        assert!(quoted_spans("Ada's and Bob's").is_empty());
    }
}
