//! What a value looks like by itself: money, an e-mail address, a phone number, a postal address.

use super::*;
use crate::generate::offline::ask::lexicon::Role;

/// Whether a value can fill a role at all, told without looking around it.
pub fn possible(role: Role, doc: &Doc, node: NodeId) -> bool {
    let keyed = |names: &[&str]| {
        key(doc, node).is_some_and(|key| {
            let key = key.to_ascii_lowercase();
            names.iter().any(|name| key.contains(name))
        })
    };
    let raw = doc.raw(doc.node(node).inner.clone());
    match role {
        Role::Phone => {
            (raw.len() < 40 && raw.bytes().filter(u8::is_ascii_digit).count() > 6)
                || keyed(&["phone", "tel", "mobile"])
        }
        Role::Email => raw.contains('@') || keyed(&["mail"]),
        Role::Price => {
            raw.len() < 40 && raw.bytes().any(|byte| byte.is_ascii_digit())
                || keyed(&["price", "cost", "amount"])
        }
        Role::Address => raw.contains(',') || keyed(&["address", "location", "street"]),
        Role::Alt => keyed(&["alt"]),
        Role::Placeholder => keyed(&["placeholder"]),
        Role::Logo => keyed(&["logo", "brand"]),
        Role::Label => keyed(&["label"]),
        _ => true,
    }
}

/// Money.
pub fn looks_price(text: &str) -> bool {
    let text = text.trim();
    let money = text.contains(['$', '€', '£', '¥', '₹'])
        || text.to_lowercase().contains("usd")
        || text.to_lowercase().contains("eur");
    money && text.chars().any(|c| c.is_ascii_digit()) && text.chars().count() < 24
}

/// An e-mail address.
pub fn looks_email(text: &str) -> bool {
    let text = text.trim().trim_start_matches("mailto:");
    let Some((front, back)) = text.split_once('@') else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_alphanumeric() || "._%+-".contains(c))
    };
    let back = back.split('?').next().unwrap_or(back);
    let end = back.rsplit('.').next().unwrap_or_default();
    plain(front)
        && plain(back)
        && back.contains('.')
        && end.len() > 1
        && end.chars().all(char::is_alphabetic)
}

/// A phone number.
pub fn looks_phone(text: &str) -> bool {
    let text = text.trim().trim_start_matches("tel:");
    // A date has its digits in a row of four and two twos.
    let parts: Vec<&str> = text.split(['-', '.', '/', 'T', ' ']).collect();
    if let [a, b, c, ..] = parts.as_slice()
        && ((a.len(), b.len(), c.len()) == (4, 2, 2) || (a.len(), b.len(), c.len()) == (2, 2, 4))
        && !text.starts_with('+')
    {
        return false;
    }
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let other = text
        .chars()
        .filter(|c| !c.is_ascii_digit() && !" +-().x/".contains(*c))
        .count();
    (7..=16).contains(&digits)
        && other == 0
        && text.contains([' ', '-', '+', '('])
        && !text.contains('/')
}

/// A postal address: a few words with a house number and a comma, and no other kind of text.
pub fn looks_address(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |word: &&str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let digits = bare.chars().take_while(char::is_ascii_digit).count();
        (1..=5).contains(&digits) && bare.len() <= digits + 1
    };
    (2..=12).contains(&words.len())
        && text.contains(',')
        && words.iter().any(number)
        && !text.contains(['@', '©', '$', '€', '£', '!', '?', ':'])
        && !looks_phone(text)
        && !text.to_lowercase().contains("copyright")
        && words
            .iter()
            .filter(|word| word.starts_with(char::is_uppercase))
            .count()
            >= 2
}
