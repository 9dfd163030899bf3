//! Unified diffs that `git apply` takes.

use std::fmt::Write;

use crate::model::{Content, LineTag, ProposedFile};

/// The unified diff of all hunks of `files`. Binary files are named, not carried.
pub fn unified(files: &[ProposedFile]) -> String {
    let mut out = String::new();
    for file in files {
        // Writing to a String cannot fail.
        let _ = write_file(&mut out, file);
    }
    out
}

fn write_file(out: &mut String, file: &ProposedFile) -> std::fmt::Result {
    let old = quote(&format!("a/{}", file.path));
    let new = quote(&format!("b/{}", file.path));
    writeln!(out, "diff --git {old} {new}")?;
    match (file.before.is_absent(), file.after.is_absent()) {
        (true, false) => writeln!(out, "new file mode {:06o}", file.mode_after)?,
        (false, true) => writeln!(out, "deleted file mode {:06o}", file.mode_before)?,
        _ if file.mode_before != file.mode_after => {
            writeln!(out, "old mode {:06o}", file.mode_before)?;
            writeln!(out, "new mode {:06o}", file.mode_after)?;
        }
        _ => {}
    }
    let binary = |content: &Content| matches!(content, Content::Binary { .. });
    let old = if file.before.is_absent() {
        "/dev/null".to_owned()
    } else {
        old
    };
    let new = if file.after.is_absent() {
        "/dev/null".to_owned()
    } else {
        new
    };
    if binary(&file.before) || binary(&file.after) {
        return writeln!(out, "Binary files {old} and {new} differ");
    }
    if file.hunks.iter().all(|hunk| hunk.lines.is_empty()) {
        return Ok(());
    }
    writeln!(out, "--- {}", tabbed(&old))?;
    writeln!(out, "+++ {}", tabbed(&new))?;
    for hunk in &file.hunks {
        writeln!(
            out,
            "@@ -{} +{} @@",
            range(hunk.old_start, hunk.old_lines),
            range(hunk.new_start, hunk.new_lines)
        )?;
        for line in &hunk.lines {
            let sign = match line.tag {
                LineTag::Context => ' ',
                LineTag::Delete => '-',
                LineTag::Insert => '+',
            };
            writeln!(out, "{sign}{}", line.text)?;
            if line.no_newline {
                writeln!(out, "\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

fn range(start: usize, lines: usize) -> String {
    if lines == 1 {
        start.to_string()
    } else {
        format!("{start},{lines}")
    }
}

/// A name with a space ends in a tab, as git writes it, so that it is not cut there.
fn tabbed(name: &str) -> String {
    if name.contains(' ') && !name.starts_with('"') {
        format!("{name}\t")
    } else {
        name.to_owned()
    }
}

/// git's quoting of a path: in double quotes with C escapes where it has quotes, backslashes, control
/// characters or bytes beyond ASCII.
fn quote(path: &str) -> String {
    let plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
    if path.bytes().all(plain) {
        return path.to_owned();
    }
    let mut out = String::from("\"");
    for byte in path.bytes() {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            byte if plain(byte) => out.push(byte as char),
            byte => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::select::tests::file;

    #[test]
    fn odd_names_are_quoted_as_git_quotes_them() {
        assert_eq!(quote("a/plain name"), "a/plain name");
        assert_eq!(quote("a/\u{fc}\"x"), r#""a/\303\274\"x""#);
    }

    #[test]
    fn a_new_a_gone_and_a_changed_file() {
        let mut new = file("", "x\n");
        new.before = Content::Absent;
        new.mode_before = 0;
        new.hunks = crate::review::diff::hunks(&new);
        assert_eq!(
            unified(&[new]),
            "diff --git a/f.html b/f.html\nnew file mode 100644\n--- /dev/null\n+++ b/f.html\n@@ -0,0 +1 @@\n+x\n"
        );
        let mut gone = file("x", "");
        gone.after = Content::Absent;
        gone.mode_after = 0;
        gone.hunks = crate::review::diff::hunks(&gone);
        assert_eq!(
            unified(&[gone]),
            "diff --git a/f.html b/f.html\ndeleted file mode 100644\n--- a/f.html\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n"
        );
    }
}
