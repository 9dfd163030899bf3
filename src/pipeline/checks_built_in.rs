//! The checks that are built in: the scan for keys and tokens, and the gate of sizes. Pure.

use super::checks::Outcome;
use crate::config::Size;
use crate::model::{FileEntry, ProposedFile};
use crate::review;

/// Findings and files that are named.
const NAMED: usize = 20;

/// The scan for keys and tokens, over what is new.
pub(super) fn secrets(changed: &[ProposedFile]) -> Outcome {
    let found = review::secrets::scan(changed);
    let named = found.iter().take(NAMED).map(|finding| {
        format!(
            "{}:{}: looks like: {}",
            finding.path, finding.line, finding.what
        )
    });
    let output: Vec<String> = named.collect();
    match found.len() {
        0 => Outcome {
            ok: true,
            message: format!("nothing found in {} changed files", changed.len()),
            ..Outcome::default()
        },
        count => Outcome {
            message: format!("{count} in the lines that are new look like keys or tokens"),
            hint: "take them out of the files, make new ones where they are issued (these are in the history), and read \
                   them from the environment"
                .to_owned(),
            output,
            ..Outcome::default()
        },
    }
}

/// The gate of sizes.
pub(super) fn sizes(files: &[FileEntry], max_file: Size, max_total: Size) -> Outcome {
    let total: u64 = files.iter().filter_map(|file| file.size).sum();
    let mut large: Vec<&FileEntry> = files
        .iter()
        .filter(|file| max_file.0 > 0 && file.size.is_some_and(|size| size > max_file.0))
        .collect();
    large.sort_by_key(|file| std::cmp::Reverse(file.size));
    let output: Vec<String> = large
        .iter()
        .take(NAMED)
        .map(|file| format!("{}: {}", file.path, Size(file.size.unwrap_or(0))))
        .collect();
    let hint =
        "make them smaller, keep them elsewhere, or raise max_file and max_total under [deploy]";
    let over = max_total.0 > 0 && total > max_total.0;
    let message = match (large.len(), over) {
        (0, false) => format!("{} files, {}", files.len(), Size(total)),
        (0, true) => format!(
            "all files together have {}, and {max_total} is the most",
            Size(total)
        ),
        (1, _) => format!("one file is larger than {max_file}"),
        (count, _) => format!("{count} files are larger than {max_file}"),
    };
    let ok = large.is_empty() && !over;
    Outcome {
        ok,
        message,
        hint: if ok { String::new() } else { hint.to_owned() },
        output,
        ..Outcome::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Content;

    fn entry(path: &str, size: u64) -> FileEntry {
        FileEntry {
            path: path.to_owned(),
            mode: 0o100_644,
            oid: String::new(),
            size: Some(size),
        }
    }

    #[test]
    fn sizes_are_gated_one_by_one_and_together() {
        let files = [entry("a.png", 900), entry("b.png", 300)];
        assert!(sizes(&files, Size(1000), Size(2000)).ok);
        assert!(sizes(&files, Size(0), Size(0)).ok, "0 is no limit");
        let large = sizes(&files, Size(500), Size(2000));
        assert!(!large.ok && large.output == ["a.png: 900B"], "{large:?}");
        let heavy = sizes(&files, Size(1000), Size(1100));
        assert!(!heavy.ok && heavy.message.contains("1.2KB"), "{heavy:?}");
        assert!(!heavy.hint.is_empty());
    }

    #[test]
    fn secrets_are_looked_for_in_what_is_new_and_never_repeated() {
        let token = format!("{}_{}", "ghp", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
        let file = |before: &str, after: &str| ProposedFile {
            path: "app.js".into(),
            before: Content::text(before),
            after: Content::text(after),
            mode_before: 0o100_644,
            mode_after: 0o100_644,
            hunks: Vec::new(),
        };
        let found = secrets(&[file("a\n", &format!("a\nlet t = {token}\n"))]);
        assert!(!found.ok);
        assert_eq!(found.output, ["app.js:2: looks like: GitHub token"]);
        assert!(!format!("{found:?}").contains(&token));
        assert!(secrets(&[file(&format!("{token}\n"), &format!("{token}\nb\n"))]).ok);
    }
}
