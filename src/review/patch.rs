//! Proposals as a patch that `git apply` takes without options.

use std::fmt::Write;

use crate::model::tree::blob_hash;
use crate::model::{Content, Hunk, LineTag, ProposedFile};

use super::{diff, select};

/// A unified diff of all hunks, whatever was decided on them.
///
/// Text files apply anywhere. Binary files are a line that names the blobs: git applies it where it has
/// them, which is the repository that the proposal was made in.
pub fn unified(files: &[ProposedFile]) -> String {
    let mut out = String::new();
    for file in files {
        write_file(&mut out, file);
    }
    out
}

/// A unified diff of the accepted hunks only.
pub fn accepted(files: &[ProposedFile]) -> String {
    let files: Vec<ProposedFile> = files.iter().filter_map(select::accepted).collect();
    unified(&files)
}

fn write_file(out: &mut String, file: &ProposedFile) {
    if diff::changes_type(file.mode_before, file.mode_after) {
        // git knows no change of type: the old file goes, the new one comes.
        for half in halves(file) {
            write_file(out, &half);
        }
        return;
    }
    let fresh;
    let hunks = if file.hunks.is_empty() {
        fresh = diff::hunks(file);
        &fresh
    } else {
        &file.hunks
    };
    if hunks.is_empty() {
        return;
    }
    let (a, b) = (quoted("a/", &file.path), quoted("b/", &file.path));
    let _ = writeln!(out, "diff --git {a} {b}");
    match (file.mode_before, file.mode_after) {
        (0, new) => {
            let _ = writeln!(out, "new file mode {new:06o}");
        }
        (old, 0) => {
            let _ = writeln!(out, "deleted file mode {old:06o}");
        }
        (old, new) if old != new => {
            let _ = write!(out, "old mode {old:06o}\nnew mode {new:06o}\n");
        }
        _ => {}
    }
    let old_name = if file.mode_before == 0 {
        "/dev/null".to_owned()
    } else {
        a
    };
    let new_name = if file.mode_after == 0 {
        "/dev/null".to_owned()
    } else {
        b
    };
    if is_binary(file) {
        if file.before != file.after {
            let length = id_length(file);
            let (old, new) = (blob_id(&file.before, length), blob_id(&file.after, length));
            let _ = writeln!(out, "index {old}..{new}");
            let _ = writeln!(out, "Binary files {old_name} and {new_name} differ");
        }
        return;
    }
    if hunks.iter().all(|hunk| hunk.lines.is_empty()) {
        return;
    }
    let _ = write!(out, "--- {}\n+++ {}\n", tabbed(old_name), tabbed(new_name));
    for hunk in hunks {
        write_hunk(out, hunk);
    }
}

fn write_hunk(out: &mut String, hunk: &Hunk) {
    let _ = writeln!(
        out,
        "@@ -{} +{} @@",
        range(hunk.old_start, hunk.old_lines),
        range(hunk.new_start, hunk.new_lines)
    );
    for line in &hunk.lines {
        out.push(match line.tag {
            LineTag::Context => ' ',
            LineTag::Delete => '-',
            LineTag::Insert => '+',
        });
        out.push_str(&line.text);
        out.push('\n');
        if line.no_newline {
            out.push_str("\\ No newline at end of file\n");
        }
    }
}

fn range(start: usize, lines: usize) -> String {
    if lines == 1 {
        start.to_string()
    } else {
        format!("{start},{lines}")
    }
}

/// The two files a change of type consists of.
fn halves(file: &ProposedFile) -> [ProposedFile; 2] {
    let half = |before: Option<()>| ProposedFile {
        path: file.path.clone(),
        before: before.map_or(Content::Absent, |()| file.before.clone()),
        after: before.map_or_else(|| file.after.clone(), |()| Content::Absent),
        mode_before: before.map_or(0, |()| file.mode_before),
        mode_after: before.map_or(file.mode_after, |()| 0),
        hunks: Vec::new(),
    };
    [half(Some(())), half(None)]
}

fn is_binary(file: &ProposedFile) -> bool {
    [&file.before, &file.after]
        .iter()
        .any(|side| matches!(side, Content::Binary { .. }))
}

/// Length of the object ids of this repository, as its binary side shows.
fn id_length(file: &ProposedFile) -> usize {
    [&file.before, &file.after]
        .iter()
        .find_map(|side| match side {
            Content::Binary { oid, .. } => Some(oid.len()),
            _ => None,
        })
        .unwrap_or(40)
}

fn blob_id(content: &Content, length: usize) -> String {
    match content {
        Content::Absent => "0".repeat(length),
        Content::Text { text } if length == 64 => {
            use sha2::{Digest, Sha256};
            let mut hasher = Sha256::new();
            hasher.update(format!("blob {}\0", text.len()));
            hasher.update(text);
            hasher
                .finalize()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect()
        }
        Content::Text { text } => blob_hash(text.as_bytes()),
        Content::Binary { oid, .. } => oid.clone(),
    }
}

/// The name as git writes it: in quotes with C escapes when it has a control character, `"` or `\`.
fn quoted(prefix: &str, path: &str) -> String {
    if !path
        .bytes()
        .any(|byte| byte < 0x20 || matches!(byte, 0x7f | b'"' | b'\\'))
    {
        return format!("{prefix}{path}");
    }
    let mut out = format!("\"{prefix}");
    for letter in path.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            letter if letter.is_ascii_control() => {
                let _ = write!(out, "\\{:03o}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// A tab after a name with a space tells readers where the name ends, as in git.
fn tabbed(mut name: String) -> String {
    if name.contains(' ') && !name.starts_with('"') {
        name.push('\t');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, before: Content, after: Content, modes: (u32, u32)) -> ProposedFile {
        let mut file = ProposedFile {
            path: path.into(),
            before,
            after,
            mode_before: modes.0,
            mode_after: modes.1,
            hunks: Vec::new(),
        };
        diff::refresh(&mut file);
        file
    }

    #[test]
    fn a_change_reads_as_in_git() {
        let file = file(
            "my page.html",
            Content::text("<h1>Old</h1>\n<p>x</p>"),
            Content::text("<h1>New</h1>\n<p>x</p>"),
            (0o100_644, 0o100_755),
        );
        assert_eq!(
            unified(&[file]),
            "diff --git a/my page.html b/my page.html\nold mode 100644\nnew mode 100755\n\
             --- a/my page.html\t\n+++ b/my page.html\t\n@@ -1,2 +1,2 @@\n-<h1>Old</h1>\n\
             +<h1>New</h1>\n <p>x</p>\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn names_are_quoted_as_in_git() {
        assert_eq!(quoted("a/", "ü ö.html"), "a/ü ö.html");
        assert_eq!(
            quoted("b/", "a\"b\\c\td\u{1}"),
            "\"b/a\\\"b\\\\c\\td\\001\""
        );
    }

    #[test]
    fn a_binary_file_names_its_blobs() {
        let binary = Content::Binary {
            oid: "1".repeat(40),
            size: 9,
        };
        let file = file(
            "x.png",
            Content::text("hello\n"),
            binary,
            (0o100_644, 0o100_644),
        );
        assert_eq!(
            unified(&[file]),
            format!(
                "diff --git a/x.png b/x.png\nindex ce013625030ba8dba906f756967f9e9ca394464a..{}\n\
                 Binary files a/x.png and b/x.png differ\n",
                "1".repeat(40)
            )
        );
    }

    #[test]
    fn a_change_of_type_is_two_files() {
        let file = file(
            "x",
            Content::text("text\n"),
            Content::text("target"),
            (0o100_644, 0o120_000),
        );
        let patch = unified(&[file]);
        let deleted = patch.find("deleted file mode 100644").unwrap();
        let created = patch.find("new file mode 120000").unwrap();
        assert!(deleted < created);
    }
}
