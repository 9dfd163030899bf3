//! What says the same as a changed text, on the same element: the address of its link, its label for screen readers.

use crate::generate::offline::ask::lexicon::Role;
use crate::generate::offline::doc::Kind;
use crate::generate::offline::find::Hit;
use crate::generate::offline::plan::{Edit, Plan};
use crate::generate::offline::text::{encode, folded};

/// Lets the address of an e-mail or telephone link follow its text, and tells of other twins.
pub fn follow(hit: &Hit, role: Option<Role>, new: &str, plan: &mut Plan) {
    let doc = &hit.doc;
    let this = doc.node(hit.node);
    if this.kind != Kind::Text || !hit.whole && hit.part {
        return;
    }
    let old = doc.text(hit.node);
    for up in doc.ancestors(hit.node).take(3) {
        if doc.node(up).kind != Kind::Element {
            continue;
        }
        for attr in &doc.node(up).children {
            let attr = doc.node(*attr);
            let Some(value) = attr.children.first().filter(|_| attr.kind == Kind::Attr) else {
                continue;
            };
            let node = doc.node(*value);
            // The change may be to this very value.
            if node.kind != Kind::Text || *value == hit.node {
                continue;
            }
            let shown = doc.text(*value);
            let name = attr.name.to_ascii_lowercase();
            if name == "href" {
                let Some(address) = address(role, &shown, &old, new) else {
                    continue;
                };
                if let Some((text, false)) =
                    encode(node.host, &address, doc.raw(node.inner.clone()))
                {
                    plan.notes
                        .push(format!("the link leads to {address} like its text"));
                    plan.edits.push(Edit {
                        path: doc.path.clone(),
                        span: node.inner.clone(),
                        text,
                    });
                }
            } else if matches!(name.as_str(), "aria-label" | "title" | "alt")
                && folded(&shown) == folded(&old)
            {
                plan.warnings.push(format!(
                    "{}:{}: {} still says \u{201c}{shown}\u{201d}",
                    doc.path,
                    doc.line(node.span.start),
                    attr.name
                ));
            }
        }
        if matches!(doc.node(up).name.as_str(), "a" | "button" | "p" | "li") {
            break;
        }
    }
}

/// The address that goes with the new text, when the old one went with the old text.
fn address(role: Option<Role>, shown: &str, old: &str, new: &str) -> Option<String> {
    match role? {
        Role::Email => {
            let rest = shown.strip_prefix("mailto:")?;
            let tail = rest.strip_prefix(old.trim())?;
            (tail.is_empty() || tail.starts_with('?'))
                .then(|| format!("mailto:{}{tail}", new.trim()))
        }
        Role::Phone => {
            let rest = shown.strip_prefix("tel:")?;
            let digits =
                |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
            let international = new.trim_start().starts_with('+');
            let same = digits(rest) == digits(old)
                || digits(rest).ends_with(digits(old).trim_start_matches('0'));
            // A national number says nothing about the country in the address.
            let plain = rest.starts_with('+') == international;
            let sign = if international { "+" } else { "" };
            (same && plain && !digits(old).is_empty()).then(|| format!("tel:{sign}{}", digits(new)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_their_texts() {
        let mail = |shown, old, new| address(Some(Role::Email), shown, old, new);
        assert_eq!(
            mail("mailto:a@b.c", "a@b.c", "d@e.f").as_deref(),
            Some("mailto:d@e.f")
        );
        assert_eq!(
            mail("mailto:a@b.c?subject=Hi", "a@b.c", "d@e.f").as_deref(),
            Some("mailto:d@e.f?subject=Hi")
        );
        assert_eq!(mail("mailto:other@b.c", "a@b.c", "d@e.f"), None);
        let call = |shown, old, new| address(Some(Role::Phone), shown, old, new);
        assert_eq!(
            call("tel:+441179460000", "+44 117 946 0000", "+44 117 946 0999").as_deref(),
            Some("tel:+441179460999")
        );
        assert_eq!(
            call("tel:+441179460000", "0117 946 0000", "0117 946 0999"),
            None
        );
        assert_eq!(address(None, "tel:1", "1", "2"), None);
    }
}
