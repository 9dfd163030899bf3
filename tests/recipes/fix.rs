//! "Fix the …" looks at what is wrong before a repair and after it.

use crate::bench::{Bench, PAGE};

#[test]
fn broken_links_are_looked_at_again() {
    let page = PAGE.replace("</body>", "<a href=\"abuot.html\">About us</a>\n</body>");
    let bench = Bench::new(&[("index.html", &page), ("about.html", PAGE)]);
    let said = bench.say("fix the broken links");
    assert!(
        said.patch().contains("+<a href=\"about.html\">"),
        "{}",
        said.all
    );
    assert!(
        said.lines("notes")
            .contains("the links of the built site again: the problem is gone"),
        "{}",
        said.all
    );
    let told: String = said
        .events
        .iter()
        .map(|event| event["data"]["message"].to_string())
        .collect();
    assert!(
        told.contains("index.html: abuot.html leads nowhere"),
        "the evidence is shown: {}",
        said.all
    );
}

/// A site whose build fails as long as its page says so.
fn failing(agent: &str) -> Bench {
    let bench = Bench::new(&[
        ("index.html", &PAGE.replace("Hello there", "broken")),
        (
            "sayso.toml",
            "[build]\ncommand = \"if grep -q broken index.html; then echo index.html is broken; exit 4; fi; mkdir dist; cp index.html dist\"\noutput = \"dist\"\n",
        ),
    ]);
    bench.configure(&format!(
        "[preview]\nbrowser = \"none\"\n[generate.agent]\ncommand = [\"sh\", \"-c\", {agent:?}]\n"
    ));
    bench
}

#[test]
fn a_build_that_is_repaired_is_said_to_be() {
    let said = failing("sed -i s/broken/whole/ index.html").say("fix the build");
    assert!(said.patch().contains("+<h1>whole</h1>"), "{}", said.all);
    assert!(
        said.lines("notes")
            .contains("the build again: the problem is gone"),
        "{}",
        said.all
    );
}

#[test]
fn a_build_that_is_not_repaired_is_not_said_to_be() {
    let said = failing("sed -i 's/broken/still broken/' index.html").say("fix the build");
    assert!(
        said.patch().contains("+<h1>still broken</h1>"),
        "{}",
        said.all
    );
    assert!(
        said.lines("warnings").contains("it still fails"),
        "{}",
        said.all
    );
}

#[test]
fn without_anybody_to_repair_it_what_is_wrong_is_said() {
    let bench = failing("true");
    bench.configure("[preview]\nbrowser = \"none\"\n");
    let said = bench.say("fix the build");
    assert_eq!(said.code, Some(3), "{}", said.all);
    assert!(
        said.error()["message"]
            .as_str()
            .unwrap()
            .contains("exit code 4"),
        "{}",
        said.all
    );
    assert!(
        said.error()["hint"]
            .as_str()
            .unwrap()
            .contains("ANTHROPIC_API_KEY"),
        "{}",
        said.all
    );
}
