//! Addresses and telephone numbers as they are said.

use crate::generate::offline::find::role;
use crate::intent::numbers;

/// "ada at example dot org" as an address.
pub(super) fn email(text: &str) -> String {
    let joined = text
        .replace(" at ", "@")
        .replace(" dot ", ".")
        .replace(" underscore ", "_")
        .replace(" dash ", "-");
    if role::looks_email(&joined) {
        joined.to_lowercase()
    } else {
        text.to_owned()
    }
}

/// An address that is nothing but spelled out: "ada dot byron at example dot com".
pub(super) fn spelled_email(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let joints = ["at", "dot", "underscore", "dash"];
    let spelled = words.len() > 4
        && words.len() % 2 == 1
        && words.iter().enumerate().all(|(at, word)| {
            let joint = joints.contains(&word.to_lowercase().as_str());
            joint == (at % 2 == 1)
        })
        && words.contains(&"dot")
        && words.iter().filter(|word| **word == "at").count() == 1;
    let address = email(&words.join(" "));
    (spelled && role::looks_email(&address)).then_some(address)
}

/// "plus four four, double one seven" as a number, in the notation of the number it replaces when that has as many
/// digits. `None` when the words are more than a number.
pub(super) fn phone(text: &str, old: &str) -> Option<String> {
    if !text.contains(char::is_alphabetic) {
        return None;
    }
    let words = text.to_lowercase().replace([',', '-', '.'], " ");
    let mut words = words.split_whitespace().peekable();
    let plus = words.next_if(|word| *word == "plus").is_some();
    let mut said: Vec<&str> = Vec::new();
    let mut times = 1;
    for word in words {
        match word {
            "double" => times = 2,
            "triple" | "treble" => times = 3,
            word => {
                said.extend(std::iter::repeat_n(word, times));
                times = 1;
            }
        }
    }
    let digits = numbers::number(&said.join(" "))?;
    // A number of another country is grouped in another way.
    let country: String = old
        .trim_start()
        .strip_prefix('+')
        .unwrap_or_default()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let like = old.chars().filter(char::is_ascii_digit).count() == digits.len()
        && old.trim_start().starts_with('+') == plus
        && digits.starts_with(&country);
    if !like {
        return Some(format!("{}{digits}", if plus { "+" } else { "" }));
    }
    let mut digits = digits.chars();
    let fill = |c: char| {
        if c.is_ascii_digit() {
            digits.next().unwrap_or(c)
        } else {
            c
        }
    };
    Some(old.trim().chars().map(fill).collect())
}

/// An address in a value that is a link keeps what makes it one: `mailto:`, `tel:`.
pub(super) fn with_scheme(old: &str, new: String) -> String {
    let old = old.trim();
    if old.starts_with("mailto:") && role::looks_email(&new) && !new.starts_with("mailto:") {
        return format!("mailto:{}", new.trim());
    }
    if old.starts_with("tel:") && role::looks_phone(&new) && !new.starts_with("tel:") {
        let plain = |c: &char| c.is_ascii_digit() || *c == '+';
        return format!("tel:{}", new.chars().filter(plain).collect::<String>());
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_digit_by_digit() {
        let call = |text, old| phone(text, old);
        assert_eq!(
            call(
                "four one zero, five five five, oh one double nine",
                "409-896-1444"
            )
            .as_deref(),
            Some("410-555-0199")
        );
        assert_eq!(
            call("plus four four twenty seven nine", "409-896-1444").as_deref(),
            Some("+44279")
        );
        let spoken = "plus one nine eight seven four five double eight";
        assert_eq!(
            call(spoken, "+1 987-45 76").as_deref(),
            Some("+1 987-45 88")
        );
        let abroad = "plus four four one one seven four nine six";
        assert_eq!(
            call(abroad, "+1 987-45 76").as_deref(),
            Some("+441174 96".replace(' ', "").as_str())
        );
        assert_eq!(call("on request", "409-896-1444"), None);
        assert_eq!(call("0117 496 0000", "1"), None);
    }

    #[test]
    fn links_stay_links() {
        let kept = with_scheme("mailto:a@b.org", "c@d.org".to_owned());
        assert_eq!(kept, "mailto:c@d.org");
        assert_eq!(
            with_scheme("tel:+1 2345678", "+44 117 496".to_owned()),
            "tel:+44117496"
        );
        assert_eq!(with_scheme("a@b.org", "c@d.org".to_owned()), "c@d.org");
    }
}
