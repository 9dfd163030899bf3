//! Changing a text or value.

mod spoken;

use spoken::{email, spelled_email};

use crate::generate::offline::ask::Said;
use crate::generate::offline::ask::lexicon::Role;
use crate::generate::offline::ask::parse::is_address;
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::Kind;
use crate::generate::offline::find::text::describe;
use crate::generate::offline::find::{Finder, Hit, role};
use crate::generate::offline::plan::Plan;
use crate::generate::offline::text::{Host, encode, folded};
use crate::generate::offline::view::Piece;
use crate::intent::numbers;
use crate::model::{Refusal, RefusalReason};

/// Changes the text that `target` means to `value`.
///
/// # Errors
/// A refusal: not found, ambiguous, mixed, computed, or no value.
pub fn plan(
    finder: &Finder<'_>,
    target: &Phrase,
    from: Option<&Said>,
    value: Option<&Said>,
) -> Result<Plan, Refusal> {
    let Some(value) = value.filter(|value| !value.text.trim().is_empty()) else {
        return Err(missing(finder, target));
    };
    if let Some(from) = from {
        return replace_part(finder, target, from, value);
    }
    let role = target.role().map(|(role, ..)| role);
    if let Some(role @ (Role::Image | Role::Logo | Role::Favicon)) = role
        && super::image::is_image(&value.text)
    {
        return super::image::plan(finder, target, role, value);
    }
    if target
        .words
        .iter()
        .any(|word| matches!(word.as_str(), "everywhere" | "every" | "all"))
    {
        return everywhere(finder, target, value);
    }
    let hit = match finder.locate(target) {
        Ok(hit) => hit,
        Err(refusal) => {
            // Old and new wording that differ in one of several pieces name that piece.
            if let Some(old) = target.quoted.first()
                && value.quoted
                && matches!(
                    refusal.reason,
                    RefusalReason::Mixed | RefusalReason::NotFound
                )
                && let Ok(scope) = finder.scope(target)
                && let Some((hit, text)) =
                    super::pieces::changed(finder, target, &scope, old, &value.text)
            {
                return write(&hit, &text, &describe(target));
            }
            return Err(refusal);
        }
    };
    if let Some(refusal) =
        one_of_pieces(target, role, &hit).or_else(|| super::several::main_one(target, role, &hit))
    {
        return Err(refusal);
    }
    let old = hit.doc.raw(hit.span.clone()).to_owned();
    if role.is_none() && !target.naming && names_only(target, &old) && amount(&value.text) {
        return Err(Refusal::new(
            RefusalReason::Mixed,
            format!(
                "\u{201c}{}\u{201d} is what it is called, and {} is no name",
                old.trim(),
                value.text
            ),
        )
        .hint("say which of its values to change; to change its name, say rename")
        .candidates(vec![hit.candidate()]));
    }
    let new = numeric(&hit, &old, value).unwrap_or_else(|| shape(&hit, &old, value, role));
    let mut new = spoken::with_scheme(&old, new);
    // The mark that stands behind what was said is there already.
    let behind = hit.doc.src[hit.span.end..].chars().next();
    if !hit.whole
        && let Some(mark @ ('?' | '!' | '.' | ':')) = behind
        && new.ends_with(mark)
    {
        new.pop();
    }
    let mut plan = write(&hit, &new, &describe(target))?;
    plan.part = hit.part;
    plan.notes.push(super::why::told(target, role, &hit));
    super::twins::follow(&hit, role, &new, &mut plan);
    Ok(plan)
}

/// A paragraph or heading that was meant by what it is, and of which one piece was found.
fn one_of_pieces(target: &Phrase, role: Option<Role>, hit: &Hit) -> Option<Refusal> {
    let whole = matches!(
        role?,
        Role::Paragraph | Role::Heading | Role::Headline | Role::Tagline | Role::ListItem
    );
    let own = folded(&hit.doc.text(hit.node));
    if !whole || !target.quoted.is_empty() || folded(&target.said).contains(&own) {
        return None;
    }
    let seen = hit.seen.iter().find(|seen| seen.attr.is_none())?;
    let view = &seen.view;
    let texts = view.texts(view.nodes[seen.at].parent);
    let pieces: Vec<&Piece> = texts
        .iter()
        .flat_map(|text| &view.nodes[*text].text)
        .filter(|piece| match piece {
            Piece::Lit(doc, node) => doc.text(*node).contains(char::is_alphanumeric),
            _ => true,
        })
        .collect();
    let candidates = pieces.iter().filter_map(|piece| match piece {
        Piece::Lit(doc, node) => Some(crate::generate::offline::find::candidate(
            doc,
            doc.node(*node).inner.clone(),
        )),
        _ => None,
    });
    (pieces.len() > 1).then(|| {
        Refusal::new(
            RefusalReason::Mixed,
            format!(
                "{} is put together from several pieces; say which piece to change",
                describe(target)
            ),
        )
        .candidates(candidates.collect())
    })
}

/// Whether a phrase means a record by its name alone: "the skill Web design".
fn names_only(target: &Phrase, old: &str) -> bool {
    use crate::generate::offline::ask::lexicon::{RECORD, singular};
    let old = folded(old);
    target.quoted.is_empty()
        && !old.contains(|c: char| c.is_ascii_digit())
        && target
            .words
            .iter()
            .any(|word| RECORD.contains(&singular(word)) && !old.contains(word.as_str()))
}

/// Whether a value is an amount: "95 percent", "$40", "ninety".
fn amount(value: &str) -> bool {
    let bare = value
        .trim()
        .trim_end_matches(['.', '!', '%'])
        .trim_end_matches(" percent")
        .trim_end_matches(" dollars")
        .trim_end_matches(" euros")
        .trim_end_matches(" pounds")
        .trim_start_matches(['$', '€', '£', '¥']);
    bare.parse::<f64>().is_ok() || numbers::number(bare).is_some()
}

/// The same text in every place that shows it.
fn everywhere(finder: &Finder<'_>, target: &Phrase, value: &Said) -> Result<Plan, Refusal> {
    let scope = finder.scope(target)?;
    let loose = |word: &String| {
        matches!(
            word.as_str(),
            "everywhere" | "every" | "all" | "occurrence" | "occurrences" | "of"
        )
    };
    let wanted = target.quoted.first().cloned().unwrap_or_else(|| {
        scope
            .said
            .split_whitespace()
            .filter(|word| !loose(&word.to_lowercase()))
            .collect::<Vec<_>>()
            .join(" ")
    });
    let hits: Vec<Hit> = finder
        .texts(&wanted, &scope)
        .into_iter()
        .map(|(hit, _)| hit)
        .collect();
    if hits.is_empty() {
        return Err(crate::generate::offline::find::not_found(format!(
            "\u{201c}{wanted}\u{201d} stands nowhere"
        )));
    }
    let mut plan = Plan {
        title: format!("Change \u{201c}{wanted}\u{201d} everywhere"),
        ..Plan::default()
    };
    for hit in &hits {
        let old = hit.doc.raw(hit.span.clone()).to_owned();
        let one = write(hit, &shape(hit, &old, value, None), &wanted)?;
        plan.edits.extend(one.edits);
        plan.notes.extend(one.notes);
    }
    Ok(plan)
}

/// Splices a new text into a place.
///
/// # Errors
/// When the text cannot be written there.
pub fn write(hit: &Hit, new: &str, what: &str) -> Result<Plan, Refusal> {
    let node = hit.doc.node(hit.node);
    let raw = hit.doc.raw(node.inner.clone());
    let Some((text, with_quotes)) = encode(node.host, new, raw) else {
        return Err(Refusal::new(
            RefusalReason::Unclear,
            format!("{new:?} cannot be written at that place: a value of the same kind is needed"),
        )
        .candidates(vec![hit.candidate()]));
    };
    if with_quotes && !hit.whole {
        // A part of an unquoted text: the rest has to go into the quotes too.
        let mut whole = raw.to_owned();
        let start = hit.span.start - node.inner.start;
        let end = hit.span.end - node.inner.start;
        whole.replace_range(start..end, new);
        let (text, _) = encode(node.host, &whole, raw).unwrap_or((whole, false));
        return Ok(finish(hit, node.span.clone(), text, what, new));
    }
    let span = if with_quotes {
        node.span.clone()
    } else {
        hit.span.clone()
    };
    Ok(finish(hit, span, text, what, new))
}

fn finish(hit: &Hit, span: std::ops::Range<usize>, text: String, what: &str, new: &str) -> Plan {
    let shown: String = new.chars().take(60).collect();
    let mut plan = Plan::one(
        format!("Change {what} to \u{201c}{shown}\u{201d}"),
        &hit.doc.path,
        span.clone(),
        text,
    );
    plan.notes.push(format!(
        "{}:{}: {}",
        hit.doc.path,
        hit.doc.line(span.start),
        hit.candidate().text
    ));
    let pages = hit
        .seen
        .iter()
        .filter(|seen| seen.view.page.is_some())
        .count();
    if pages > 1 {
        plan.notes.push(format!("it is shown in {pages} places"));
    }
    plan
}

/// The value as it should stand there: casing and punctuation of spoken words follow the text they replace.
pub fn shape(hit: &Hit, old_raw: &str, value: &Said, role: Option<Role>) -> String {
    if value.quoted {
        return value.text.clone();
    }
    let host = hit.doc.node(hit.node).host;
    let old = crate::generate::offline::text::decode(host, old_raw);
    let mut text = value.text.trim().to_owned();
    if let Some(address) = spelled_email(&text) {
        return address;
    }
    // Numbers and addresses end without a mark, whatever the sentence ended with.
    let bare = text.trim_end_matches(['!', '?']);
    let plain = matches!(
        role,
        Some(Role::Price | Role::Phone | Role::Email | Role::CopyrightYear)
    ) || host == Host::Bare
        || is_address(bare)
        || bare.contains('@');
    if plain {
        text.truncate(bare.len());
    }
    let addressed = is_address(&text) || text.contains('@');
    if text.ends_with('.') && !text.ends_with("..") && (!old.ends_with('.') || addressed) {
        text.pop();
    }
    if host == Host::Bare
        && let Some(number) = numbers::number(&text)
    {
        return number;
    }
    match role {
        Some(Role::CopyrightYear) => {
            if let Some(number) = numbers::number(&text) {
                return number;
            }
        }
        Some(Role::Price) => return price(&old, &text),
        Some(Role::Phone) => return spoken::phone(&text, &old).unwrap_or(text),
        Some(Role::Email) => return email(&text),
        _ => {}
    }
    if addressed || role::looks_email(&old) {
        return email(&text);
    }
    let first_old = old.chars().find(|c| c.is_alphabetic());
    let shouting = old.chars().filter(|c| c.is_alphabetic()).count() > 2
        && !old.chars().any(char::is_lowercase);
    if shouting && !text.chars().any(char::is_uppercase) {
        return text.to_uppercase();
    }
    if first_old.is_some_and(char::is_uppercase)
        && old.starts_with(|c: char| c.is_uppercase())
        && let Some(first) = text.chars().next().filter(|c| c.is_lowercase())
    {
        text.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    text
}

/// Money for a number that the page puts the currency to: the number alone.
fn numeric(hit: &Hit, old: &str, value: &Said) -> Option<String> {
    let number = |text: &str| text.trim().parse::<f64>().is_ok();
    if hit.doc.node(hit.node).host != Host::Bare || !number(old) {
        return None;
    }
    let bare = value
        .text
        .trim()
        .trim_end_matches('.')
        .trim_start_matches(['$', '€', '£', '¥'])
        .trim_end_matches(['$', '€', '£', '¥'])
        .trim();
    number(bare).then(|| bare.to_owned())
}

/// A price keeps its currency and what follows it when only a number was said.
fn price(old: &str, new: &str) -> String {
    let number = numbers::number(
        new.trim_end_matches(" dollars")
            .trim_end_matches(" euros")
            .trim_end_matches(" pounds"),
    );
    let bare = number.unwrap_or_else(|| new.to_owned());
    let numeric = !bare.is_empty()
        && bare
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    let start = old.find(|c: char| c.is_ascii_digit());
    let Some(start) = start else { return bare };
    let length = old[start..]
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')))
        .unwrap_or(old.len() - start);
    let length = old[start..start + length]
        .trim_end_matches(['.', ','])
        .len();
    if numeric {
        return format!("{}{bare}{}", &old[..start], &old[start + length..]);
    }
    let money = bare.starts_with(['$', '€', '£', '¥'])
        && bare
            .trim_start_matches(['$', '€', '£', '¥'])
            .trim_start()
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',') || !c.is_ascii());
    let front = old[..start].trim_end();
    if money && (front.is_empty() || front.chars().all(|c| "$€£¥".contains(c))) {
        return format!("{bare}{}", &old[start + length..]);
    }
    bare
}

/// No value was said.
fn missing(finder: &Finder<'_>, target: &Phrase) -> Refusal {
    let refusal = Refusal::new(
        RefusalReason::ValueMissing,
        format!("what should {} become?", describe(target)),
    )
    .hint("say it again with \"to\" and the new text");
    let candidates = match finder.scope(target) {
        Ok(scope) => {
            let found = finder.find_all(target, &scope);
            let mut candidates = match found {
                Ok(hits) => hits.iter().map(Hit::candidate).collect(),
                Err(refusal) => refusal.candidates,
            };
            if candidates.is_empty() {
                let word = scope.words.iter().find(|word| {
                    word.len() > 3 && !matches!(word.as_str(), "link" | "button" | "text")
                });
                if let Some(word) = word.or(scope.words.first()) {
                    candidates = finder
                        .texts(word, &scope)
                        .iter()
                        .map(|(hit, _)| hit.candidate())
                        .take(8)
                        .collect();
                }
            }
            candidates
        }
        Err(refusal) => return refusal,
    };
    refusal.candidates(candidates)
}

/// "Change X from A to B": the one A at X.
fn replace_part(
    finder: &Finder<'_>,
    target: &Phrase,
    from: &Said,
    value: &Said,
) -> Result<Plan, Refusal> {
    let scope = finder.scope(target)?;
    let hits: Vec<Hit> = finder
        .texts(&from.text, &scope)
        .into_iter()
        .map(|(hit, _)| hit)
        .collect();
    if let [hit] = hits.as_slice() {
        let old = hit.doc.raw(hit.span.clone()).to_owned();
        let new = shape(hit, &old, value, None);
        return write(hit, &new, &describe(target));
    }
    // A value that no visitor reads: a class, a colour, an address.
    super::super::find::code::replace(finder, target, &scope, &from.text, &value.text, hits)
}

/// Whether a hit is a value in data.
pub fn is_data(hit: &Hit) -> bool {
    hit.doc.node(hit.node).kind == Kind::Scalar
}
