//! Which elements Markdown becomes.

use std::sync::Arc;

use super::super::parse as parse_file;
use super::*;

#[test]
fn blocks_and_inlines_become_the_elements_they_render_to() {
    let text = "---\ntitle: X\n---\n\n# Meet *us* {#us}\n\nSee [the site](https://a.b \"t\") and `code`.\n\n- one\n- two **bold**\n\n![Alt](a.png)\n";
    let doc = parse_file("a.md", Lang::Markdown, Arc::from(text));
    let found: Vec<String> = doc
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| matches!(node.kind, Kind::Text | Kind::Scalar))
        .map(|(id, node)| format!("{}:{}", doc.node(node.parent).name, doc.text(id)))
        .collect();
    assert_eq!(
        found,
        [
            "title:X",
            "h1:Meet",
            "em:us",
            "p:See",
            "href:https://a.b",
            "a:the site",
            "p:and",
            "code:code",
            "p:.",
            "li:one",
            "li:two",
            "strong:bold",
            "src:a.png",
            "alt:Alt"
        ]
    );
    assert!(doc.front.is_some());
}
