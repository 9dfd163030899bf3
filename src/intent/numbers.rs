//! Numbers, years, sizes and hex colours as people say them, turned into digits.
//!
//! None of this is applied to free text: "Three Thousand Studios" may well be a name. The engine asks for
//! digits where the thing being changed is a number.

const UNITS: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: &[&str] = &[
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

fn unit(word: &str) -> Option<u64> {
    if word == "oh" || word == "o" {
        return Some(0);
    }
    UNITS
        .iter()
        .position(|unit| *unit == word)
        .map(|n| n as u64)
}

fn ten(word: &str) -> Option<u64> {
    let word = if word == "fourty" { "forty" } else { word };
    TENS.iter()
        .position(|ten| !ten.is_empty() && *ten == word)
        .map(|n| n as u64 * 10)
}

/// Reads `words` as one number: "twenty twenty six" is 2026, "nineteen ninety nine" 1999, "three hundred and five"
/// 305, "one two three" 123. `None` when any word is not part of a number.
pub fn number(words: &str) -> Option<String> {
    let words = words.to_lowercase().replace('-', " ");
    let tokens: Vec<&str> = words
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty() && *word != "and")
        .collect();
    if tokens.is_empty() {
        return None;
    }
    if let Some(point) = tokens.iter().position(|token| *token == "point") {
        let whole = number(&tokens[..point].join(" "))?;
        let part: Option<String> = tokens[point + 1..]
            .iter()
            .map(|token| digits(token))
            .collect();
        return part
            .filter(|part| !part.is_empty())
            .map(|part| format!("{whole}.{part}"));
    }
    if tokens.len() == 1 && tokens[0].chars().all(|c| c.is_ascii_digit()) {
        return Some(tokens[0].to_owned());
    }
    if tokens
        .iter()
        .any(|token| matches!(*token, "hundred" | "thousand" | "million"))
    {
        return scaled(&tokens);
    }
    // Groups that are simply said one after the other: digits of a phone number, halves of a year.
    let mut out = String::new();
    let mut i = 0;
    while i < tokens.len() {
        let token = tokens[i];
        if let Some(tens) = ten(token) {
            match tokens
                .get(i + 1)
                .and_then(|next| unit(next))
                .filter(|n| (1..10).contains(n))
            {
                Some(ones) => {
                    out.push_str(&(tens + ones).to_string());
                    i += 1;
                }
                None => out.push_str(&tens.to_string()),
            }
        } else {
            out.push_str(&digits(token)?);
        }
        i += 1;
    }
    Some(out)
}

fn digits(token: &str) -> Option<String> {
    if token.chars().all(|c| c.is_ascii_digit()) {
        return Some(token.to_owned());
    }
    unit(token).map(|n| n.to_string())
}

fn scaled(tokens: &[&str]) -> Option<String> {
    let (mut total, mut current) = (0_u64, 0_u64);
    for token in tokens {
        match *token {
            "a" if current == 0 => current = 1,
            "hundred" => current = current.max(1).checked_mul(100)?,
            "thousand" => {
                total = total.checked_add(current.max(1).checked_mul(1000)?)?;
                current = 0;
            }
            "million" => {
                total = total.checked_add(current.max(1).checked_mul(1_000_000)?)?;
                current = 0;
            }
            word => {
                let n = unit(word)
                    .or_else(|| ten(word))
                    .or_else(|| word.parse().ok())?;
                current = current.checked_add(n)?;
            }
        }
    }
    total.checked_add(current).map(|n| n.to_string())
}

/// Reads a spelled-out hex colour: "hash one d four e d eight", "hex ff 00 aa", "#ffF". `None` otherwise.
pub fn hex(words: &str) -> Option<String> {
    let words = words.trim().to_lowercase();
    let (said, rest) = match [
        "hash tag",
        "hashtag",
        "hash",
        "hex",
        "pound",
        "number sign",
        "#",
    ]
    .iter()
    .find_map(|lead| words.strip_prefix(lead))
    {
        Some(rest) => (true, rest.to_owned()),
        None => (false, words),
    };
    let mut out = String::new();
    let mut repeat = 1;
    for token in rest
        .split(|c: char| c.is_whitespace() || c == ',' || c == '-')
        .filter(|token| !token.is_empty())
    {
        let part = match token {
            "double" => {
                repeat = 2;
                continue;
            }
            "triple" => {
                repeat = 3;
                continue;
            }
            "bee" | "be" => "b".to_owned(),
            "see" | "sea" => "c".to_owned(),
            "dee" => "d".to_owned(),
            "eff" | "ef" => "f".to_owned(),
            "ay" => "a".to_owned(),
            "for" => "4".to_owned(),
            "to" | "too" => "2".to_owned(),
            token if token.chars().all(|c| c.is_ascii_hexdigit()) => token.to_owned(),
            token => number(token)?,
        };
        out.push_str(&part.repeat(repeat));
        repeat = 1;
    }
    (said && matches!(out.len(), 3 | 4 | 6 | 8)).then(|| format!("#{out}"))
}

/// Reads a size as people say it: "forty eight pixels" is `48px`, "two rem" `2rem`, "50 percent" `50%`.
pub fn size(words: &str) -> Option<String> {
    const MEASURES: &[(&str, &str)] = &[
        ("pixels", "px"),
        ("pixel", "px"),
        ("px", "px"),
        ("rems", "rem"),
        ("rem", "rem"),
        ("ems", "em"),
        ("em", "em"),
        ("percent", "%"),
        ("per cent", "%"),
        ("%", "%"),
        ("points", "pt"),
        ("pt", "pt"),
        ("vh", "vh"),
        ("vw", "vw"),
        ("ch", "ch"),
    ];
    let words = words.trim().to_lowercase();
    MEASURES.iter().find_map(|(spoken, measure)| {
        let front = words.strip_suffix(spoken)?.trim_end();
        let value = if front.parse::<f64>().is_ok() {
            front.to_owned()
        } else {
            number(front)?
        };
        Some(format!("{value}{measure}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_they_are_said() {
        for (words, expected) in [
            ("twenty twenty six", "2026"),
            ("two thousand and twenty-six", "2026"),
            ("nineteen ninety nine", "1999"),
            ("three thousand", "3000"),
            ("five five five oh one four two", "5550142"),
            ("three hundred and five", "305"),
            ("a hundred", "100"),
            ("nine point five", "9.5"),
            ("nine", "9"),
            ("42", "42"),
        ] {
            assert_eq!(number(words).as_deref(), Some(expected), "{words}");
        }
        for words in [
            "nine to five",
            "studio",
            "",
            "Three Thousand Studios",
            "point",
        ] {
            assert_eq!(number(words), None, "{words}");
        }
    }

    #[test]
    fn colours_and_sizes_as_they_are_said() {
        assert_eq!(hex("hash one d four e d eight").as_deref(), Some("#1d4ed8"));
        assert_eq!(
            hex("hex double f zero zero a a").as_deref(),
            Some("#ff00aa")
        );
        assert_eq!(hex("#B00020").as_deref(), Some("#b00020"));
        assert_eq!(hex("dad"), None, "a word that happens to be hex is a word");
        assert_eq!(size("forty eight pixels").as_deref(), Some("48px"));
        assert_eq!(size("6em").as_deref(), Some("6em"));
        assert_eq!(size("1.5 rem").as_deref(), Some("1.5rem"));
        assert_eq!(size("bigger"), None);
    }
}
