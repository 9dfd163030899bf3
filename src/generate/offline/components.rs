//! Ready-made components: templates in `assets/components/`, compiled in; a site may bring its own
//! (`[generate] components` names the folder).
//!
//! A template is HTML. `class` holds the classes of a site with its own style sheet, `tw` those of a site with
//! Tailwind. `{{name|default}}` is filled in. It is written in the dialect of the file it goes into.

use super::ask::lexicon::equal;
use super::doc::Lang;
use super::parse::markup::VOID;
use super::site::Site;

/// A template: its name, the words it answers to, its text.
struct Template {
    name: &'static str,
    words: &'static [&'static str],
    text: &'static str,
}

const TEMPLATES: &[Template] = &[
    Template {
        name: "contact-form",
        words: &["contact"],
        text: include_str!("../../../assets/components/contact-form.html"),
    },
    Template {
        name: "hero",
        words: &["hero"],
        text: include_str!("../../../assets/components/hero.html"),
    },
    Template {
        name: "call-to-action",
        words: &["action", "cta"],
        text: include_str!("../../../assets/components/call-to-action.html"),
    },
    Template {
        name: "gallery",
        words: &["gallery"],
        text: include_str!("../../../assets/components/gallery.html"),
    },
    Template {
        name: "pricing-table",
        words: &["pricing", "price"],
        text: include_str!("../../../assets/components/pricing-table.html"),
    },
    Template {
        name: "testimonials",
        words: &["testimonial", "review"],
        text: include_str!("../../../assets/components/testimonials.html"),
    },
    Template {
        name: "faq",
        words: &["faq", "question"],
        text: include_str!("../../../assets/components/faq.html"),
    },
    Template {
        name: "newsletter",
        words: &["newsletter"],
        text: include_str!("../../../assets/components/newsletter.html"),
    },
    Template {
        name: "team",
        words: &["team"],
        text: include_str!("../../../assets/components/team.html"),
    },
    Template {
        name: "footer",
        words: &["footer"],
        text: include_str!("../../../assets/components/footer.html"),
    },
    Template {
        name: "banner",
        words: &["banner", "announcement"],
        text: include_str!("../../../assets/components/banner.html"),
    },
    Template {
        name: "map",
        words: &["map"],
        text: include_str!("../../../assets/components/map.html"),
    },
    Template {
        name: "video",
        words: &["video"],
        text: include_str!("../../../assets/components/video.html"),
    },
    Template {
        name: "feature-grid",
        words: &["feature"],
        text: include_str!("../../../assets/components/feature-grid.html"),
    },
    Template {
        name: "button",
        words: &["button"],
        text: include_str!("../../../assets/components/button.html"),
    },
    Template {
        name: "image",
        words: &["image", "picture", "photo"],
        text: include_str!("../../../assets/components/image.html"),
    },
];

/// A section with a heading and nothing else: what it is about, a person says.
const SECTION: Template = Template {
    name: "section",
    words: &["section"],
    text: include_str!("../../../assets/components/section.html"),
};

/// Where a site keeps its own templates, unless its configuration says otherwise.
pub const FOLDER: &str = ".sayso/components";

/// The site's own templates: name and path.
fn own(site: &Site) -> Vec<(&str, &str)> {
    site.under(&site.components)
        .filter(|path| path.ends_with(".html"))
        .map(|path| (super::site::stem(path), path))
        .collect()
}

/// The template that words name, the site's own first: its name and text.
pub fn find(site: &Site, words: &[String]) -> Option<(String, String)> {
    for (name, path) in own(site) {
        let parts = super::ask::lexicon::words_of(name);
        if !parts.is_empty()
            && parts
                .iter()
                .all(|part| words.iter().any(|word| equal(part, word)))
            && let Some(text) = site.text(path)
        {
            return Some((name.to_owned(), text.to_string()));
        }
    }
    let named = |template: &&Template| {
        template
            .words
            .iter()
            .any(|known| words.iter().any(|word| equal(known, word)))
    };
    // "a section called Opening hours": one that is nothing else.
    if let [.., last] = words
        && last == "section"
        && words[..words.len() - 1]
            .iter()
            .all(|word| matches!(word.as_str(), "new" | "a" | "another" | "simple" | "plain"))
    {
        return Some((SECTION.name.to_owned(), SECTION.text.to_owned()));
    }
    TEMPLATES
        .iter()
        .find(named)
        .map(|template| (template.name.to_owned(), template.text.to_owned()))
}

/// Words beside a component's own that ask for nothing that the template lacks.
const NEUTRAL: &[&str] = &[
    "form",
    "section",
    "block",
    "grid",
    "table",
    "list",
    "area",
    "box",
    "bar",
    "strip",
    "card",
    "row",
    "part",
    "widget",
    "component",
    "element",
    "signup",
    "sign",
    "up",
    "sign-up",
    "subscribe",
    "subscription",
    "frequently",
    "asked",
    "faqs",
    "call",
    "to",
    "us",
    "our",
    "my",
    "your",
    "new",
    "simple",
    "small",
    "short",
    "basic",
    "plain",
    "nice",
    "embedded",
    "embed",
    "named",
    "called",
    "titled",
    "with",
    "name",
    "email",
    "message",
    "field",
    "and",
    "or",
    "of",
    "for",
    "alt",
    "text",
    "src",
    "source",
    "page",
    "customer",
    "client",
    "product",
    "people",
    "member",
    "location",
    "player",
];

/// The first of `words` that says more than the component `name` is: "a Greek gallery" is more than a gallery.
pub fn unmet<'w>(site: &Site, name: &str, words: &'w [String]) -> Option<&'w str> {
    let own = super::ask::lexicon::words_of(name);
    let known = || TEMPLATES.iter().flat_map(|template| template.words);
    words
        .iter()
        .find(|word| {
            let address = word.contains(['/', '.']) || site.has(word);
            let met = own.iter().any(|part| equal(part, word))
                || known().any(|known| equal(known, word))
                || NEUTRAL.iter().any(|known| equal(known, word));
            !met && !address
        })
        .map(String::as_str)
}

/// The names of all templates, the site's own first.
pub fn names(site: &Site) -> Vec<String> {
    let mut names: Vec<String> = own(site)
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    for template in TEMPLATES.iter().chain([&SECTION]) {
        if !names.iter().any(|name| name == template.name) {
            names.push(template.name.to_owned());
        }
    }
    names
}

/// Whether a site uses Tailwind.
pub fn tailwind(site: &Site) -> bool {
    site.files.iter().any(|path| {
        path.rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with("tailwind.config."))
    }) || site
        .files
        .iter()
        .filter(|path| path.ends_with("package.json") || path.ends_with(".css"))
        .any(|path| {
            site.text(path).is_some_and(|text| {
                text.contains("\"tailwindcss\"")
                    || text.contains("@import 'tailwindcss'")
                    || text.contains("@tailwind ")
            })
        })
        || site
            .files
            .iter()
            .filter(|path| path.ends_with("index.html"))
            .any(|path| {
                site.text(path)
                    .is_some_and(|text| text.contains("tailwindcss"))
            })
}

/// A template in the dialect of `lang`, its values filled in, every line led by `indent`.
pub fn write(
    text: &str,
    lang: Lang,
    tailwind: bool,
    values: &[(&str, String)],
    indent: &str,
    eol: &str,
) -> String {
    let filled = fill(text, values);
    let jsx = lang == Lang::Script;
    let mut out = Vec::new();
    for line in filled.trim_end().lines() {
        let line = attributes(line, jsx, tailwind);
        out.push(format!("{indent}{line}"));
    }
    out.join(eol)
}

fn fill(text: &str, values: &[(&str, String)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        out.push_str(&rest[..at]);
        let Some(end) = rest[at..].find("}}") else {
            break;
        };
        let (name, default) = rest[at + 2..at + end]
            .split_once('|')
            .unwrap_or((&rest[at + 2..at + end], ""));
        let value = values
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(default, |(_, value)| value);
        out.push_str(value);
        rest = &rest[at + end + 2..];
    }
    out.push_str(rest);
    out
}

/// One line's attributes for the dialect and the styling habit.
fn attributes(line: &str, jsx: bool, tailwind: bool) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('>').map(|at| open + at) else {
            break;
        };
        out.push_str(&tag(&rest[open..=close], jsx, tailwind));
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

fn tag(tag: &str, jsx: bool, tailwind: bool) -> String {
    let drop = if tailwind { " class=\"" } else { " tw=\"" };
    let mut tag = tag.to_owned();
    if !tailwind || tag.contains(" tw=\"") {
        while let Some(at) = tag.find(drop) {
            let Some(end) = tag[at + drop.len()..].find('"') else {
                break;
            };
            tag.replace_range(at..at + drop.len() + end + 1, "");
        }
    }
    tag = tag.replace(" tw=\"", " class=\"");
    if jsx {
        tag = tag
            .replace(" class=\"", " className=\"")
            .replace(" for=\"", " htmlFor=\"")
            .replace(" autocomplete=", " autoComplete=")
            .replace(" rows=\"5\"", " rows={5}");
        let name: String = tag[1..]
            .chars()
            .take_while(|c| c.is_alphanumeric())
            .collect();
        if VOID.contains(&name.as_str()) && !tag.ends_with("/>") {
            tag.truncate(tag.len() - 1);
            tag.push_str(" />");
        }
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::offline::parse;

    #[test]
    fn every_template_parses_in_every_dialect() {
        for template in TEMPLATES {
            for tailwind in [true, false] {
                let html = write(template.text, Lang::Html, tailwind, &[], "", "\n");
                assert_eq!(parse::errors("a.html", &html), 0, "{}", template.name);
                let jsx = format!(
                    "const A = () => (\n{}\n);",
                    write(template.text, Lang::Script, tailwind, &[], "  ", "\n")
                );
                assert_eq!(parse::errors("a.tsx", &jsx), 0, "{}\n{jsx}", template.name);
                assert!(
                    !html.contains(" tw=") && !html.contains("{{"),
                    "{}",
                    template.name
                );
            }
        }
    }

    #[test]
    fn classes_follow_the_habit_of_the_site() {
        let text = "<input class=\"a\" tw=\"b\" for=\"x\">{{text|Hi}}";
        assert_eq!(
            write(text, Lang::Html, false, &[], "", "\n"),
            "<input class=\"a\" for=\"x\">Hi"
        );
        assert_eq!(
            write(
                text,
                Lang::Script,
                true,
                &[("text", "Yo".into())],
                "  ",
                "\n"
            ),
            "  <input className=\"b\" htmlFor=\"x\" />Yo"
        );
    }
}
