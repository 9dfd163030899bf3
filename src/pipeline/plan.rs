//! Words about a plan that is on the screen. Pure.

use crate::model::PlanLine;

/// What words say about a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Carry it out as it stands.
    GoOn,
    /// Which lines are kept now.
    Kept(Vec<bool>),
    /// Something that no line is about.
    Unknown(String),
}

/// How a line is left out, taken back, or kept alone; the longest first.
const OUT: [&str; 14] = [
    "not in the",
    "but not the",
    "but not",
    "not the",
    "without the",
    "without",
    "leave out the",
    "leave out",
    "except the",
    "except",
    "skip the",
    "skip",
    "drop the",
    "not",
];
const ONLY: [&str; 6] = ["only the", "just the", "only in", "only", "just in", "just"];
const BACK: [&str; 6] = [
    "with the",
    "also the",
    "but with the",
    "and the",
    "also",
    "with",
];
const GO_ON: [&str; 9] = [
    "go on",
    "continue",
    "carry on",
    "carry it out",
    "go ahead",
    "do that",
    "like that",
    "start",
    "begin",
];

/// Words that name nothing.
const EMPTY: [&str; 17] = [
    "the", "a", "an", "page", "file", "files", "pages", "one", "number", "line", "change",
    "please", "in", "of", "too", "again", "on",
];

const NUMBERS: [(&str, &str); 10] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("four", "fourth"),
    ("five", "fifth"),
    ("six", "sixth"),
    ("seven", "seventh"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("ten", "tenth"),
];

/// Reads words about `plan`; `None` when they are about something else.
pub fn read(words: &str, plan: &[PlanLine]) -> Option<Said> {
    let plain = plain(words);
    if GO_ON.contains(&plain.as_str()) {
        return Some(Said::GoOn);
    }
    let after = |begins: &[&str]| -> Option<String> {
        begins.iter().find_map(|begin| {
            let rest = plain.strip_prefix(begin)?;
            let rest = rest.strip_prefix(' ')?;
            Some(rest.to_owned())
        })
    };
    let (named, how) = match (after(&OUT), after(&ONLY), after(&BACK)) {
        (Some(rest), ..) => (rest, How::Out),
        (_, Some(rest), _) => (rest, How::Only),
        (.., Some(rest)) => (rest, How::Back),
        _ => return None,
    };
    let mut meant = vec![false; plan.len()];
    for part in named.replace(" and ", ",").replace(" or ", ",").split(',') {
        let found = lines(part, plan);
        if found.is_empty() {
            return Some(Said::Unknown(part.trim().to_owned()));
        }
        for at in found {
            meant[at] = true;
        }
    }
    let kept = plan.iter().zip(meant).map(|(line, meant)| match how {
        How::Out => line.kept && !meant,
        How::Only => meant,
        How::Back => line.kept || meant,
    });
    Some(Said::Kept(kept.collect()))
}

#[derive(Clone, Copy)]
enum How {
    Out,
    Only,
    Back,
}

fn plain(words: &str) -> String {
    let lower = words.to_lowercase();
    let kept: String = lower
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '.' | '/' | '-' | '_' | ',') {
                c
            } else {
                ' '
            }
        })
        .collect();
    let words = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.trim_matches(['.', ',', ' ']);
    let words = words.strip_prefix("please ").unwrap_or(words);
    let words = words.strip_suffix(" please").unwrap_or(words);
    words.trim_end_matches([',', ' ']).to_owned()
}

/// The lines that `part` names: by number, by the words of their path, else by the words of what is to be done.
fn lines(part: &str, plan: &[PlanLine]) -> Vec<usize> {
    let said: Vec<&str> = part.split_whitespace().collect();
    let number = said.iter().find_map(|word| {
        let written = word.parse::<usize>().ok();
        let spelled = NUMBERS
            .iter()
            .position(|(one, first)| word == one || word == first);
        written.or(spelled.map(|at| at + 1))
    });
    let wanted: Vec<&str> = said
        .iter()
        .copied()
        .filter(|word| !EMPTY.contains(word))
        .collect();
    let holding = |text: &dyn Fn(&PlanLine) -> String| -> Vec<usize> {
        let fits = plan.iter().enumerate().filter(|(_, line)| {
            let text = text(line).to_lowercase();
            !wanted.is_empty() && wanted.iter().all(|word| holds(&text, word))
        });
        fits.map(|(at, _)| at).collect()
    };
    let by_path = holding(&|line| line.file.clone());
    if !by_path.is_empty() {
        return by_path;
    }
    let by_deed = holding(&|line| line.what.clone());
    if !by_deed.is_empty() {
        return by_deed;
    }
    match number {
        Some(number) if (1..=plan.len()).contains(&number) => vec![number - 1],
        _ => Vec::new(),
    }
}

/// Whether a text holds a word, or its singular.
fn holds(text: &str, word: &str) -> bool {
    let home = matches!(word, "home" | "homepage") && text.contains("index.");
    let one = word.strip_suffix('s').filter(|one| one.len() > 2);
    home || text.contains(word) || one.is_some_and(|one| text.contains(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Vec<PlanLine> {
        let line = |file: &str, what: &str| PlanLine {
            file: file.into(),
            what: what.into(),
            kept: true,
        };
        vec![
            line("index.html", "the toggle in the header"),
            line("src/Footer.astro", "darker text"),
            line("src/styles/theme.css", "the dark palette"),
            line("about.html", "the toggle in the header"),
        ]
    }

    fn kept(words: &str) -> Option<Vec<usize>> {
        match read(words, &plan())? {
            Said::Kept(kept) => Some((0..kept.len()).filter(|at| kept[*at]).collect()),
            other => panic!("{words}: {other:?}"),
        }
    }

    #[test]
    fn lines_are_left_out_by_what_they_are_called() {
        for (words, left) in [
            ("Not the footer.", vec![0, 2, 3]),
            ("leave out the footer, please", vec![0, 2, 3]),
            ("without the footer and the about page", vec![0, 2]),
            ("only the styles", vec![2]),
            ("just the home page and theme.css", vec![0, 2]),
            ("not the second one", vec![0, 2, 3]),
            ("skip number 4", vec![0, 1, 2]),
            ("not the toggle", vec![1, 2]),
            ("not the palette", vec![0, 1, 3]),
        ] {
            assert_eq!(kept(words), Some(left), "{words}");
        }
    }

    #[test]
    fn a_line_comes_back_and_the_plan_goes_on() {
        let mut cut = plan();
        cut[1].kept = false;
        let with = read("with the footer again", &cut);
        assert_eq!(with, Some(Said::Kept(vec![true; 4])));
        for words in ["Go on.", "continue", "Carry on, please."] {
            assert_eq!(read(words, &plan()), Some(Said::GoOn), "{words}");
        }
    }

    #[test]
    fn other_words_are_left_to_others() {
        for words in ["yes", "change the headline to Hi", "stop", ""] {
            assert_eq!(read(words, &plan()), None, "{words}");
        }
        let unknown = read("not the sidebar", &plan());
        assert_eq!(unknown, Some(Said::Unknown("sidebar".into())));
    }
}
