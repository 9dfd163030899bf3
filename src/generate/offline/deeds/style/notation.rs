//! Keeping the notation of a value: colours, utilities, numbers.

use super::*;

pub(super) fn in_theme(wanted: Theme, found: Theme) -> bool {
    match wanted {
        Theme::Any => true,
        Theme::Dark => found == Theme::Dark,
        Theme::Light => found != Theme::Dark,
    }
}

/// Takes "dark mode" out of a phrase.
pub(super) fn take_theme(target: &mut Phrase) -> Theme {
    let mut found = Theme::Any;
    let mut take = |words: &mut Vec<String>| {
        if let Some(at) = words
            .iter()
            .position(|word| matches!(word.as_str(), "mode" | "theme"))
            .filter(|at| *at > 0)
        {
            let theme = match words[at - 1].as_str() {
                "dark" | "night" => Theme::Dark,
                "light" | "day" => Theme::Light,
                _ => return,
            };
            words.drain(at - 1..=at);
            found = theme;
        }
    };
    take(&mut target.words);
    for place in &mut target.places {
        take(&mut place.words);
    }
    target.places.retain(|place| !place.is_empty());
    found
}

/// The property a value speaks of by itself.
pub(super) fn infer(words: &[String], value: &str, color: bool) -> Option<&'static str> {
    let is = |word: &str| words.iter().any(|known| alike(known, word));
    if color {
        // "the headline" is a text, whatever it is on.
        let written = words.last().is_some_and(|word| {
            [
                "headline",
                "heading",
                "title",
                "tagline",
                "paragraph",
                "text",
                "label",
                "price",
            ]
            .iter()
            .any(|noun| equal(noun, word))
        });
        let surface = is("button")
            || is("background")
            || is("footer")
            || is("header")
            || is("nav")
            || is("banner")
            || is("hero")
            || is("page")
            || is("body")
            || is("card")
            || is("section")
            || is("bar");
        return Some(if surface && !written {
            "background-color"
        } else {
            "color"
        });
    }
    if parse::size(value).is_some() {
        return (is("heading")
            || is("headline")
            || is("text")
            || is("paragraph")
            || is("font")
            || is("title")
            || is("link")
            || words
                .iter()
                .any(|word| word.len() == 2 && word.starts_with('h')))
        .then_some("font-size");
    }
    match value {
        "bold" => Some("font-weight"),
        "italic" => Some("font-style"),
        "uppercase" | "lowercase" => Some("text-transform"),
        "underlined" => Some("text-decoration"),
        "centered" | "centred" => Some("text-align"),
        _ => None,
    }
}

/// A look as a style sheet has it: what is said to be centered is written `center`.
pub(super) fn written(property: &str, value: &str) -> String {
    match (property, value) {
        ("text-align", "centered" | "centred" | "middle") => "center".to_owned(),
        ("text-decoration", "underlined") => "underline".to_owned(),
        _ => value.to_owned(),
    }
}

/// The tags a word stands for.
pub(super) fn tags(word: &str) -> &'static [&'static str] {
    match crate::generate::offline::ask::lexicon::singular(word) {
        "page" | "site" | "website" => &["html", "body"],
        "body" => &["body"],
        "html" | "root" => &["html"],
        "link" => &["a"],
        "paragraph" => &["p"],
        "image" | "picture" | "photo" => &["img"],
        "heading" => &["h1", "h2", "h3", "h4", "h5", "h6"],
        "headline" | "title" => &["h1"],
        "button" => &["button"],
        "list" => &["ul", "ol"],
        "table" => &["table"],
        "input" | "field" => &["input"],
        "label" => &["label"],
        "h1" => &["h1"],
        "h2" => &["h2"],
        "h3" => &["h3"],
        "h4" => &["h4"],
        "h5" => &["h5"],
        "h6" => &["h6"],
        "p" => &["p"],
        "a" => &["a"],
        "footer" => &["footer"],
        "header" => &["header"],
        "main" => &["main"],
        "section" => &["section"],
        _ => &[],
    }
}

/// Whether a utility class sets a property.
pub(super) fn utility(token: &str, property: &str) -> bool {
    if token.contains(':') {
        return false;
    }
    let colored = |rest: &str| {
        let name = rest.split(['-', '/']).next().unwrap_or_default();
        colors::TAILWIND.contains(&name) || rest.starts_with("[#") || rest.starts_with("[rgb")
    };
    let sizes = [
        "xs", "sm", "base", "lg", "xl", "2xl", "3xl", "4xl", "5xl", "6xl", "7xl", "8xl", "9xl",
    ];
    match property {
        "background-color" => token.strip_prefix("bg-").is_some_and(colored),
        "color" => token.strip_prefix("text-").is_some_and(colored),
        "border-color" => token.strip_prefix("border-").is_some_and(colored),
        "font-size" => token.strip_prefix("text-").is_some_and(|rest| {
            sizes.contains(&rest)
                || rest.starts_with('[') && rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit())
        }),
        "font-weight" => matches!(
            token,
            "font-thin"
                | "font-light"
                | "font-normal"
                | "font-medium"
                | "font-semibold"
                | "font-bold"
                | "font-extrabold"
                | "font-black"
        ),
        _ => false,
    }
}

/// The same utility class with another value.
pub(super) fn utility_value(token: &str, value: &str) -> Option<String> {
    let (prefix, rest) = token.split_once('-')?;
    if colors::is_color(value) {
        let name = if value == "grey" { "gray" } else { value };
        if colors::TAILWIND.contains(&name) {
            if matches!(name, "black" | "white") {
                return Some(format!("{prefix}-{name}"));
            }
            let shade = rest
                .split_once('-')
                .map(|(_, shade)| shade)
                .filter(|shade| {
                    shade
                        .split('/')
                        .next()
                        .is_some_and(|shade| shade.parse::<u32>().is_ok())
                })
                .unwrap_or("500");
            return Some(format!("{prefix}-{name}-{shade}"));
        }
        let hex = colors::hex(value).unwrap_or_else(|| value.replace(' ', "_"));
        return Some(format!("{prefix}-[{hex}]"));
    }
    if prefix == "font" {
        return Some(format!("font-{value}"));
    }
    Some(format!("{prefix}-[{}]", value.replace(' ', "_")))
}

/// Splices a value in, in the notation that stands there.
pub(super) fn write(
    finder: &Finder<'_>,
    hit: &Hit,
    property: &str,
    value: &str,
    what: &str,
) -> Result<Plan, Refusal> {
    let node = hit.doc.node(hit.node);
    let old = hit.doc.raw(hit.span.clone()).to_owned();
    let mut value = value.to_owned();
    // A class in quotes, in a template literal, in a call of `cn(…)`.
    let classes = hit.doc.ancestors(hit.node).take(6).any(|up| {
        let up = hit.doc.node(up);
        up.kind == Kind::Attr && matches!(up.name.as_str(), "class" | "className" | ":class")
    });
    if classes && utility(&old, property) {
        let Some(token) = utility_value(&old, &value) else {
            return Err(not_found(format!("no class for {value} is known")));
        };
        let mut plan = Plan::one(
            format!("Make {what} {value}"),
            &hit.doc.path,
            hit.span.clone(),
            token.clone(),
        );
        plan.notes.push(format!(
            "{}:{}: the class {old} becomes {token}",
            hit.doc.path,
            hit.doc.line(hit.span.start)
        ));
        return Ok(plan);
    }
    if let Some(hsl) = triplet(&old) {
        value = numbers_of(&value, hsl, old.contains(',')).ok_or_else(|| {
            Refusal::new(
                RefusalReason::ValueMissing,
                format!("{value} cannot be written as the numbers that stand there"),
            )
            .candidates(vec![candidate(&hit.doc, hit.span.clone())])
        })?;
    }
    let mut span = hit.span.clone();
    // `background: #fff url(…)`: only the colour of a shorthand.
    if node.kind == Kind::Decl
        && (node.name == "background" || node.name == "border")
        && !is_color_value(&old)
    {
        let token = color_token(&old);
        let Some((from, to)) = token else {
            return Err(
                not_found(format!("the {} of {what} has no plain colour", node.name))
                    .candidates(vec![candidate(&hit.doc, span)]),
            );
        };
        span = span.start + from..span.start + to;
    }
    // Code that appends to the value needs it in hex.
    if node.kind == Kind::Scalar && old.starts_with('#') && concatenated(finder, hit) {
        value = colors::hex(&value).unwrap_or(value);
    }
    if node.kind == Kind::Decl && (old.contains("{{") || old.contains("{%")) {
        return Err(Refusal::new(
            RefusalReason::Mixed,
            "the value is filled in by the template",
        )
        .candidates(vec![candidate(&hit.doc, span)]));
    }
    let text = match node.kind {
        Kind::Decl => value.clone(),
        _ if hit.whole => {
            return super::super::set::write(
                hit,
                &value,
                &format!("the {} of {what}", property.replace('-', " ")),
            );
        }
        _ => value.clone(),
    };
    let mut plan = Plan::one(
        format!(
            "Set the {} of {what} to {value}",
            property.replace('-', " ")
        ),
        &hit.doc.path,
        span.clone(),
        text,
    );
    plan.notes.push(format!(
        "{}:{}: {}",
        hit.doc.path,
        hit.doc.line(span.start),
        candidate(&hit.doc, span).text
    ));
    Ok(plan)
}

/// Where the colour stands in a shorthand.
pub(super) fn color_token(value: &str) -> Option<(usize, usize)> {
    let mut found = None;
    let mut depth = 0_i32;
    let mut start = 0;
    let bytes = value.as_bytes();
    for at in 0..=bytes.len() {
        let edge = at == bytes.len() || (depth == 0 && bytes[at].is_ascii_whitespace());
        if edge {
            if start < at && colors::is_color(&value[start..at]) {
                if found.is_some() {
                    return None;
                }
                found = Some((start, at));
            }
            start = at + 1;
        } else if bytes[at] == b'(' {
            depth += 1;
        } else if bytes[at] == b')' {
            depth -= 1;
        }
    }
    found
}

/// Whether code writes something right behind a value, as in `${accent}40`.
pub(super) fn concatenated(finder: &Finder<'_>, hit: &Hit) -> bool {
    let Some(key) = role::key(&hit.doc, hit.node) else {
        return false;
    };
    finder
        .site
        .files
        .iter()
        .filter(|path| finder.content_file(path))
        .any(|path| {
            finder.site.text(path).is_some_and(|text| {
                text.match_indices(&key).any(|(at, found)| {
                    let rest = &text[at + found.len()..];
                    rest.strip_prefix('}').is_some_and(|rest| {
                        let code: Vec<char> = rest.chars().take(3).collect();
                        code.len() >= 2
                            && code[0].is_ascii_hexdigit()
                            && code[1].is_ascii_hexdigit()
                            && !code.get(2).is_some_and(|c| c.is_alphanumeric())
                    })
                })
            })
        })
}

/// A colour as bare numbers.
pub(super) fn numbers_of(color: &str, hsl: bool, commas: bool) -> Option<String> {
    let hex = colors::hex(color)?;
    let digits = hex.trim_start_matches('#');
    let full: String = if digits.len() == 3 {
        digits.chars().flat_map(|c| [c, c]).collect()
    } else {
        digits.get(..6)?.to_owned()
    };
    let part = |at: usize| {
        u8::from_str_radix(full.get(at..at + 2)?, 16)
            .ok()
            .map(f64::from)
    };
    let (r, g, b) = (part(0)?, part(2)?, part(4)?);
    let separator = if commas { ", " } else { " " };
    if !hsl {
        return Some([r, g, b].map(|value| value.to_string()).join(separator));
    }
    let (r, g, b) = (r / 255.0, g / 255.0, b / 255.0);
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let light = f64::midpoint(most, least);
    let delta = most - least;
    let (hue, saturation) = if delta.abs() < f64::EPSILON {
        (0.0, 0.0)
    } else {
        let saturation = delta / (1.0 - (2.0 * light - 1.0).abs());
        let hue = if (most - r).abs() < f64::EPSILON {
            ((g - b) / delta).rem_euclid(6.0)
        } else if (most - g).abs() < f64::EPSILON {
            (b - r) / delta + 2.0
        } else {
            (r - g) / delta + 4.0
        };
        (hue * 60.0, saturation)
    };
    let round = |value: f64| {
        let value = (value * 10.0).round() / 10.0;
        if value.fract().abs() < f64::EPSILON {
            format!("{value:.0}")
        } else {
            format!("{value:.1}")
        }
    };
    Some(format!(
        "{}{separator}{}%{separator}{}%",
        round(hue),
        round(saturation * 100.0),
        round(light * 100.0)
    ))
}
