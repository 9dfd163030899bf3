//! Where a text that is not found was probably meant: for the words that go back to the model.

/// The longest line that is quoted.
const QUOTED: usize = 160;

/// Says where in `text` the first lines of `old` nearly stand: the line, and the first column that differs.
/// `None` when nothing is like it.
pub fn nearest(text: &str, old: &str) -> Option<String> {
    // The first line of some length tells more than a brace.
    let (ahead, wanted) = old
        .lines()
        .enumerate()
        .find(|(_, line)| line.trim().len() > 3)?;
    let mut best: Option<(f64, usize, &str)> = None;
    for (at, line) in text.lines().enumerate() {
        // Lengths this far apart cannot be alike, and comparing them is what costs.
        if line.len() > 4 * wanted.len() + 40 || line.len() > 4_000 {
            continue;
        }
        let alike = strsim::normalized_levenshtein(line.trim(), wanted.trim());
        if best.is_none_or(|(most, ..)| alike > most) {
            best = Some((alike, at, line));
        }
    }
    let (alike, at, line) = best.filter(|(alike, ..)| *alike >= 0.6)?;
    if alike < 1.0 || line != wanted {
        let column = line
            .chars()
            .zip(wanted.chars())
            .take_while(|(a, b)| a == b)
            .count();
        return Some(format!(
            "line {} is nearest and differs from column {}: \u{ab}{}\u{bb}",
            at + 1,
            column + 1,
            short(line)
        ));
    }
    // The line stands there as it is: it is a later one that differs.
    let rest = text.lines().skip(at).zip(old.lines().skip(ahead));
    for (offset, (is, wanted)) in rest.enumerate() {
        if is != wanted {
            return Some(format!(
                "line {} stands there, but line {} is \u{ab}{}\u{bb}, not \u{ab}{}\u{bb}",
                at + 1,
                at + offset + 1,
                short(is),
                short(wanted)
            ));
        }
    }
    Some(format!("line {} is where it begins", at + 1))
}

fn short(line: &str) -> String {
    let mut quoted: String = line.chars().take(QUOTED).collect();
    if quoted.len() < line.len() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_line_and_its_first_difference_are_named() {
        let text = "<body>\n  <h1>Ideas &amp; Concepts</h1>\n  <p>One</p>\n</body>\n";
        let said = nearest(text, "  <h1>Ideas & Concepts</h1>\n").unwrap();
        assert!(
            said.contains("line 2") && said.contains("column 14"),
            "{said}"
        );
        let said = nearest(text, "  <h1>Ideas &amp; Concepts</h1>\n  <p>Two</p>\n").unwrap();
        assert!(
            said.contains("line 3") && said.contains("<p>One</p>"),
            "{said}"
        );
        assert_eq!(nearest(text, "nothing of the kind at all"), None);
        assert_eq!(nearest(text, "}\n"), None);
    }
}
