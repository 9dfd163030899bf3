//! Words for roles, places and properties, and which words mean the same.

mod same;
pub use same::alike;

/// Words that carry no meaning in a phrase.
pub const STOP: &[&str] = &[
    "the", "a", "an", "my", "our", "your", "their", "its", "this", "that", "these", "those", "of",
    "in", "on", "at", "for", "from", "with", "and", "to", "called", "named", "labelled", "labeled",
    "saying", "says", "reading", "reads", "titled", "is", "which", "where", "it", "current",
    "existing", "there", "into", "by", "inside", "within", "under", "all",
];

/// Nouns that say only that something is there.
pub const GENERIC: &[&str] = &[
    "section",
    "item",
    "element",
    "area",
    "block",
    "part",
    "box",
    "site",
    "website",
    "page",
    "piece",
    "component",
    "content",
    "copy",
    "entry",
    "thing",
    "string",
    "wording",
    "value",
    "field",
    "widget",
    "one",
    "web",
    "line",
    "sentence",
    "phrase",
    "word",
    "words",
    "text",
    "label",
    "column",
    "row",
    "group",
    "file",
    "main",
    "itself",
];

/// Nouns for a record of a list: a card, a plan, a person.
pub const RECORD: &[&str] = &[
    "job",
    "plan",
    "item",
    "card",
    "entry",
    "project",
    "feature",
    "person",
    "member",
    "product",
    "post",
    "tier",
    "package",
    "service",
    "testimonial",
    "review",
    "question",
    "event",
    "skill",
    "step",
    "employee",
    "position",
    "work",
    "experience",
    "company",
    "option",
    "slide",
    "tile",
    "article",
    "award",
    "client",
    "partner",
    "team",
    "education",
    "school",
    "hackathon",
    "course",
    "award",
    "certificate",
    "stat",
    "statistic",
    "counter",
    "category",
    "tab",
    "faq",
    "quote",
    "speaker",
    "talk",
    "dish",
    "publication",
    "degree",
];

/// A word without its plural ending.
pub fn singular(word: &str) -> &str {
    if let Some(front) = word.strip_suffix("ies").filter(|front| front.len() > 2) {
        // "categories": compared by its front, which "category" shares.
        return front;
    }
    match word.strip_suffix('s') {
        Some(front)
            if word != "news"
                && front.len() > 2
                && !front.ends_with('s')
                && !front.ends_with('u')
                && !front.ends_with('i') =>
        {
            front
        }
        _ => word,
    }
}

/// Whether two words are the same word.
pub fn equal(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (singular(a), singular(b));
    a == b
        || (a.len() > 3
            && b.len() > 3
            && (a.strip_suffix('y') == Some(b) || b.strip_suffix('y') == Some(a)))
}

/// Splits a name of code into lower-case words: `projectName`, `copyright_text`, `AppBanner`, `nav-bar`.
pub fn words_of(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            if !word.is_empty() {
                out.push(std::mem::take(&mut word));
            }
            continue;
        }
        let lower_before =
            at > 0 && (chars[at - 1].is_lowercase() || chars[at - 1].is_ascii_digit());
        let ends_acronym = at > 0
            && chars[at - 1].is_uppercase()
            && chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (lower_before || ends_acronym) && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        word.extend(c.to_lowercase());
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

/// What kind of thing is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The main heading of a page.
    Headline,
    /// Any heading.
    Heading,
    /// The line below the headline.
    Tagline,
    /// The title of a page in the browser, or of an entry.
    Title,
    /// The description for search engines.
    MetaDescription,
    /// A paragraph or other running text.
    Paragraph,
    /// A button or a link that looks like one.
    Button,
    /// A link.
    Link,
    /// An entry of a navigation.
    MenuItem,
    /// An image.
    Image,
    /// The text that stands for an image.
    Alt,
    /// A label of a form.
    Label,
    /// The text in an empty field.
    Placeholder,
    /// A price.
    Price,
    /// An address or place.
    Address,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// The copyright notice.
    Copyright,
    /// The year of the copyright notice.
    CopyrightYear,
    /// An item of a list.
    ListItem,
    /// A cell of a table.
    Cell,
    /// The icon of the site.
    Favicon,
    /// The logo.
    Logo,
    /// A name.
    Name,
    /// Any text.
    Text,
}

/// Phrases for roles, longest first within the same words.
const ROLES: &[(&str, Role)] = &[
    ("meta description", Role::MetaDescription),
    ("seo description", Role::MetaDescription),
    ("page description", Role::MetaDescription),
    ("search description", Role::MetaDescription),
    ("site description", Role::MetaDescription),
    ("website description", Role::MetaDescription),
    ("copyright year", Role::CopyrightYear),
    ("year of the copyright", Role::CopyrightYear),
    ("footer year", Role::CopyrightYear),
    ("copyright notice", Role::Copyright),
    ("copyright text", Role::Copyright),
    ("copyright line", Role::Copyright),
    ("copyright", Role::Copyright),
    ("image alt text", Role::Alt),
    ("alt text", Role::Alt),
    ("alternative text", Role::Alt),
    ("alt", Role::Alt),
    ("phone number", Role::Phone),
    ("telephone number", Role::Phone),
    ("mobile number", Role::Phone),
    ("telephone", Role::Phone),
    ("phone", Role::Phone),
    ("email address", Role::Email),
    ("e-mail address", Role::Email),
    ("contact email", Role::Email),
    ("e-mail", Role::Email),
    ("email", Role::Email),
    ("street address", Role::Address),
    ("postal address", Role::Address),
    ("address", Role::Address),
    ("main headline", Role::Headline),
    ("main heading", Role::Headline),
    ("main title", Role::Headline),
    ("hero headline", Role::Headline),
    ("hero heading", Role::Headline),
    ("hero title", Role::Headline),
    ("page headline", Role::Headline),
    ("page heading", Role::Headline),
    ("headline", Role::Headline),
    ("sub headline", Role::Tagline),
    ("subheadline", Role::Tagline),
    ("sub-headline", Role::Tagline),
    ("sub heading", Role::Tagline),
    ("subheading", Role::Tagline),
    ("sub title", Role::Tagline),
    ("subtitle", Role::Tagline),
    ("tagline", Role::Tagline),
    ("tag line", Role::Tagline),
    ("slogan", Role::Tagline),
    ("strapline", Role::Tagline),
    ("section heading", Role::Heading),
    ("section title", Role::Heading),
    ("heading", Role::Heading),
    ("browser title", Role::Title),
    ("tab title", Role::Title),
    ("page title", Role::Title),
    ("document title", Role::Title),
    ("title tag", Role::Title),
    ("meta title", Role::Title),
    ("seo title", Role::Title),
    ("title", Role::Title),
    ("menu item", Role::MenuItem),
    ("menu entry", Role::MenuItem),
    ("menu link", Role::MenuItem),
    ("nav item", Role::MenuItem),
    ("nav link", Role::MenuItem),
    ("nav entry", Role::MenuItem),
    ("navigation item", Role::MenuItem),
    ("navigation link", Role::MenuItem),
    ("navigation entry", Role::MenuItem),
    ("navbar item", Role::MenuItem),
    ("navbar link", Role::MenuItem),
    ("call to action button", Role::Button),
    ("cta button", Role::Button),
    ("button text", Role::Button),
    ("button label", Role::Button),
    ("button", Role::Button),
    ("cta", Role::Button),
    ("link text", Role::Link),
    ("link label", Role::Link),
    ("hyperlink", Role::Link),
    ("link", Role::Link),
    ("paragraph", Role::Paragraph),
    ("introduction", Role::Paragraph),
    ("intro text", Role::Paragraph),
    ("favicon", Role::Favicon),
    ("site icon", Role::Favicon),
    ("logo", Role::Logo),
    ("image", Role::Image),
    ("picture", Role::Image),
    ("photo", Role::Image),
    ("placeholder text", Role::Placeholder),
    ("placeholder", Role::Placeholder),
    ("field label", Role::Label),
    ("form label", Role::Label),
    ("label", Role::Label),
    ("list item", Role::ListItem),
    ("bullet point", Role::ListItem),
    ("bullet", Role::ListItem),
    ("list entry", Role::ListItem),
    ("table cell", Role::Cell),
    ("cell", Role::Cell),
    ("price", Role::Price),
    ("name", Role::Name),
    ("text", Role::Text),
];

/// The role named by the words at the start of `words`, and how many words it takes.
pub fn role_at(words: &[String]) -> Option<(Role, usize)> {
    let mut best: Option<(Role, usize)> = None;
    for (phrase, role) in ROLES {
        let parts: Vec<&str> = phrase.split(' ').collect();
        let fits = parts.len() <= words.len()
            && parts
                .iter()
                .zip(words)
                .all(|(part, word)| equal(part, word));
        if fits && best.is_none_or(|(_, length)| parts.len() > length) {
            best = Some((*role, parts.len()));
        }
    }
    if best.is_none()
        && let Some(first) = words.first()
        && first.len() == 2
        && first.starts_with('h')
        && first.as_bytes()[1].is_ascii_digit()
    {
        return Some((
            if first == "h1" {
                Role::Headline
            } else {
                Role::Heading
            },
            1,
        ));
    }
    best
}

/// Ordinal words.
pub fn ordinal(word: &str) -> Option<i32> {
    let words = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
        "tenth",
    ];
    if let Some(at) = words.iter().position(|known| *known == word) {
        return i32::try_from(at).ok().map(|at| at + 1);
    }
    match word {
        "last" | "final" | "bottom" => Some(-1),
        "top" => Some(1),
        _ => {
            let number = word
                .strip_suffix("st")
                .or(word.strip_suffix("nd"))
                .or(word.strip_suffix("rd"))
                .or(word.strip_suffix("th"))?;
            number.parse().ok().filter(|n| *n > 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_code_are_words() {
        assert_eq!(words_of("projectName"), ["project", "name"]);
        assert_eq!(words_of("copyright_text"), ["copyright", "text"]);
        assert_eq!(words_of("FAQSection"), ["faq", "section"]);
        assert_eq!(words_of("nav-bar"), ["nav", "bar"]);
    }

    #[test]
    fn every_group_has_a_bit() {
        let count = same::SAME.len();
        assert!(count <= 64, "{count} groups");
    }

    #[test]
    fn words_are_compared_by_meaning() {
        assert!(
            alike("nav", "navigation")
                && alike("projects", "project")
                && alike("categories", "category")
        );
        assert!(!alike("nav", "footer") && !equal("news", "new"));
    }

    #[test]
    fn roles_take_their_longest_phrase() {
        let words: Vec<String> = "copyright year".split(' ').map(str::to_owned).collect();
        assert_eq!(role_at(&words), Some((Role::CopyrightYear, 2)));
    }
}
