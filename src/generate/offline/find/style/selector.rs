//! Selectors against the elements of a page.

use super::*;

/// A compound selector: `nav#menu.dark`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Compound {
    pub(super) tag: String,
    pub(super) ids: Vec<String>,
    pub(super) classes: Vec<String>,
    /// `[name]` or `[name=value]`.
    pub(super) attrs: Vec<(String, Option<String>)>,
    /// True for `:hover`, `::before` and their like: a state or a part, not the element.
    pub(super) state: bool,
}

/// A selector: compounds with the combinator before each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(pub(super) Vec<(char, Compound)>);

/// Splits a list of selectors at its commas.
pub fn split_list(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                out.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(text[start..].trim());
    out
}

impl Selector {
    /// Reads one selector; `None` when it uses more than is followed here.
    pub fn parse(text: &str) -> Option<Self> {
        let mut out: Vec<(char, Compound)> = Vec::new();
        let mut combinator = ' ';
        let mut compound = Compound::default();
        let mut empty = true;
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let word = |at: &mut usize| {
            let mut word = String::new();
            while let Some(c) = chars.get(*at) {
                if c.is_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii() {
                    word.push(*c);
                } else if *c == '\\' {
                    *at += 1;
                    word.extend(chars.get(*at));
                } else {
                    break;
                }
                *at += 1;
            }
            word
        };
        while at < chars.len() {
            match chars[at] {
                c if c.is_whitespace() || matches!(c, '>' | '+' | '~') => {
                    if !empty {
                        out.push((combinator, std::mem::take(&mut compound)));
                        empty = true;
                        combinator = ' ';
                    }
                    if !c.is_whitespace() {
                        combinator = c;
                    }
                    at += 1;
                    continue;
                }
                '#' => {
                    at += 1;
                    compound.ids.push(word(&mut at));
                }
                '.' => {
                    at += 1;
                    compound.classes.push(word(&mut at));
                }
                '[' => {
                    let end = chars[at..].iter().position(|c| *c == ']')? + at;
                    let inside: String = chars[at + 1..end].iter().collect();
                    let (name, value) = match inside.split_once('=') {
                        Some((name, value)) => (
                            name.trim_end_matches(['~', '|', '^', '$', '*'])
                                .trim()
                                .to_owned(),
                            Some(value.trim_matches(|c| c == '"' || c == '\'').to_owned()),
                        ),
                        None => (inside.trim().to_owned(), None),
                    };
                    compound.attrs.push((name, value));
                    at = end + 1;
                }
                ':' => {
                    while chars.get(at) == Some(&':') {
                        at += 1;
                    }
                    let name = word(&mut at);
                    if chars.get(at) == Some(&'(') {
                        let close = chars[at..].iter().position(|c| *c == ')')? + at;
                        if name == "global" || name == "deep" || name == "where" || name == "is" {
                            let inside: String = chars[at + 1..close].iter().collect();
                            let inner = Self::parse(inside.split(',').next().unwrap_or_default())?;
                            let (_, last) = inner.0.last()?;
                            compound = last.clone();
                        } else {
                            compound.state = true;
                        }
                        at = close + 1;
                    } else if name == "root" {
                        compound.tag = "html".into();
                    } else if !matches!(name.as_str(), "link" | "any-link" | "host") {
                        compound.state = true;
                    }
                }
                '*' | '&' => {
                    at += 1;
                    // `&` stands for the rule around it, which is handled by the caller.
                }
                _ => {
                    let tag = word(&mut at);
                    if tag.is_empty() {
                        return None;
                    }
                    compound.tag = tag;
                }
            }
            empty = false;
        }
        if !empty {
            out.push((combinator, compound));
        }
        (!out.is_empty()).then_some(Self(out))
    }

    /// How specific it is: ids, classes, tags.
    pub fn weight(&self) -> (usize, usize, usize) {
        self.0
            .iter()
            .fold((0, 0, 0), |(ids, classes, tags), (_, compound)| {
                (
                    ids + compound.ids.len(),
                    classes + compound.classes.len() + compound.attrs.len(),
                    tags + usize::from(!compound.tag.is_empty()),
                )
            })
    }

    /// Whether it styles a state or a part of an element.
    pub fn state(&self) -> bool {
        self.0.iter().any(|(_, compound)| compound.state)
    }

    /// The words of its last compound.
    pub fn subject(&self) -> Vec<String> {
        let Some((_, last)) = self.0.last() else {
            return Vec::new();
        };
        let mut out = Vec::new();
        if !last.tag.is_empty() {
            out.push(last.tag.clone());
        }
        out.extend(last.ids.iter().chain(&last.classes).cloned());
        out
    }

    /// Whether an element of a page matches.
    pub(super) fn matches_own(&self, own: &Own, view: &View, id: ViewId) -> bool {
        let Some(((combinator, last), front)) = self.0.split_last() else {
            return false;
        };
        // `*` dresses everything: no rule to change for one thing.
        let bare = self.0.len() == 1 && *last == Compound::default();
        !bare
            && compound_matches(last, own, view, id)
            && ancestors_match(front, *combinator, view, id)
    }
}

pub(super) fn ancestors_match(
    front: &[(char, Compound)],
    combinator: char,
    view: &View,
    id: ViewId,
) -> bool {
    let Some(((next, wanted), rest)) = front.split_last() else {
        return true;
    };
    let elements: Vec<ViewId> = view
        .up(id)
        .skip(1)
        .filter(|up| *up != 0 && !see_through(view, *up))
        .collect();
    match combinator {
        '>' => elements.first().is_some_and(|up| {
            compound_matches(wanted, &Own::of(view, *up), view, *up)
                && ancestors_match(rest, *next, view, *up)
        }),
        ' ' => elements.iter().any(|up| {
            compound_matches(wanted, &Own::of(view, *up), view, *up)
                && ancestors_match(rest, *next, view, *up)
        }),
        _ => true,
    }
}

/// A component is not an element, unless it stands for a link.
pub(super) fn see_through(view: &View, id: ViewId) -> bool {
    view.nodes[id].component && !LINKS.contains(&view.nodes[id].tag.as_str())
}

pub(super) fn compound_matches(compound: &Compound, own: &Own, view: &View, id: ViewId) -> bool {
    let tagged = compound.tag.is_empty() || compound.tag.eq_ignore_ascii_case(&own.tag);
    let known = compound
        .ids
        .iter()
        .all(|wanted| own.id.as_deref() == Some(wanted))
        && compound
            .classes
            .iter()
            .all(|wanted| own.classes.contains(wanted));
    if !tagged || !known {
        return false;
    }
    compound.attrs.iter().all(|(name, value)| {
        view.nodes[id].attrs.iter().any(|(known, _)| known == name)
            && value
                .as_ref()
                .is_none_or(|value| view.attr(id, name).as_deref() == Some(value))
    })
}

/// What selectors ask of an element.
pub(super) struct Own {
    pub(super) tag: String,
    pub(super) id: Option<String>,
    pub(super) classes: Vec<String>,
}

impl Own {
    pub(super) fn of(view: &View, id: ViewId) -> Self {
        let node = &view.nodes[id];
        let classes = ["class", "className"]
            .iter()
            .filter_map(|name| view.attr(id, name))
            .flat_map(|classes| {
                classes
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        Self {
            tag: if LINKS.contains(&node.tag.as_str()) {
                "a".to_owned()
            } else {
                node.tag.clone()
            },
            id: view.attr(id, "id"),
            classes,
        }
    }
}
