//! Components in Markdown and what is set for them.

use crate::generate::offline::doc::Span;

/// The settings of components in Markdown (`::hero`, then YAML between two lines of `---`): all of each with its opening
/// line, and the YAML in it. They are no text, though Markdown by itself would take them for headings and paragraphs.
pub(super) fn settings(text: &str, base: usize) -> Vec<(Span, Span)> {
    let mut out = Vec::new();
    let mut lines = text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.trim_end()))
    });
    while let Some((start, line)) = lines.next() {
        let name = line.trim_start().trim_start_matches(':');
        let colons = line.trim_start().len() - name.len();
        if colons < 2 || !name.starts_with(char::is_alphabetic) {
            continue;
        }
        let Some((open, fence)) = lines.next() else {
            break;
        };
        if fence.trim() != "---" {
            continue;
        }
        let first = open + fence.len() + 1;
        if let Some((close, mark)) = lines.by_ref().find(|(_, line)| line.trim() == "---") {
            out.push((
                base + start..base + close + mark.len(),
                base + first.min(close)..base + close,
            ));
        }
    }
    out
}
