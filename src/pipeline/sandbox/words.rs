//! What a commit of saves is called: what changed, in the words of a person. Pure.

use crate::vcs::git::sandbox::{Touched, TouchedKind};

/// The longest first line.
const TITLE: usize = 72;

/// Files that the text below the first line names.
const LISTED: usize = 100;

/// The message of a commit in which these files changed. `took_in` is the branch of the person that it takes in besides,
/// with its commit.
pub(super) fn message(touched: &[Touched], took_in: Option<(&str, &str)>) -> String {
    let mut title = title(touched);
    if let Some((branch, commit)) = took_in {
        let from = format!(
            "{} at {}",
            name(branch),
            super::super::control::short(commit)
        );
        title = if title.is_empty() {
            format!("Take in {from}")
        } else {
            let joined = format!("{title}; take in {from}");
            if joined.chars().count() <= TITLE {
                joined
            } else {
                return format!("{title}\n\nTakes in {from}.\n{}", list(touched));
            }
        };
    }
    if touched.len() > 1 {
        format!("{title}\n\n{}", list(touched))
    } else {
        title
    }
}

fn name(branch: &str) -> &str {
    if branch.is_empty() { "HEAD" } else { branch }
}

fn list(touched: &[Touched]) -> String {
    let mut lines: Vec<String> = touched
        .iter()
        .take(LISTED)
        .map(|file| match (&file.from, file.kind) {
            (Some(from), _) => format!("R {from} -> {}", file.path),
            (None, TouchedKind::Added) => format!("A {}", file.path),
            (None, TouchedKind::Removed) => format!("D {}", file.path),
            (None, _) => format!("M {}", file.path),
        })
        .collect();
    if touched.len() > LISTED {
        lines.push(format!("and {} more", touched.len() - LISTED));
    }
    lines.join("\n")
}

/// The first line: every file by name where there is room, else how many of each kind.
fn title(touched: &[Touched]) -> String {
    let kinds: [(&str, &[TouchedKind]); 4] = [
        ("change", &[TouchedKind::Changed, TouchedKind::Mode]),
        ("add", &[TouchedKind::Added]),
        ("move", &[TouchedKind::Moved]),
        ("remove", &[TouchedKind::Removed]),
    ];
    let groups: Vec<(&str, Vec<&Touched>)> = kinds
        .iter()
        .map(|(verb, kinds)| {
            let files = touched.iter().filter(|file| kinds.contains(&file.kind));
            (*verb, files.collect::<Vec<_>>())
        })
        .filter(|(_, files)| !files.is_empty())
        .collect();
    let named: Vec<String> = groups
        .iter()
        .map(|(verb, files)| {
            let names: Vec<String> = files.iter().map(|file| spelled(file)).collect();
            format!("{verb} {}", names.join(", "))
        })
        .collect();
    let all = capital(&named.join(", "));
    if all.chars().count() <= TITLE {
        return all;
    }
    let counted: Vec<String> = groups
        .iter()
        .map(|(verb, files)| match files[..] {
            [one] if spelled(one).chars().count() <= TITLE / 2 => {
                format!("{verb} {}", spelled(one))
            }
            [_] => format!("{verb} 1 file{}", place(files)),
            _ => format!("{verb} {} files{}", files.len(), place(files)),
        })
        .collect();
    let mut title = capital(&counted.join(", "));
    if title.chars().count() > TITLE {
        title = title.chars().take(TITLE - 1).collect();
        title.push('…');
    }
    title
}

fn spelled(file: &Touched) -> String {
    let path = printable(&file.path);
    match &file.from {
        Some(from) => format!("{} to {path}", printable(from)),
        None => path,
    }
}

fn printable(path: &str) -> String {
    path.chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

/// The folder that all of them lie in: ` in blog/`.
fn place(files: &[&Touched]) -> String {
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let Some(mut common) = files.first().and_then(|file| folder(&file.path)) else {
        return String::new();
    };
    for file in files {
        while !file
            .path
            .strip_prefix(common.as_str())
            .is_some_and(|rest| rest.starts_with('/'))
        {
            match folder(&common) {
                Some(above) => common = above,
                None => return String::new(),
            }
        }
    }
    format!(" in {}/", printable(&common))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().collect::<String>() + letters.as_str(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: TouchedKind, path: &str) -> Touched {
        Touched {
            path: path.into(),
            from: None,
            kind,
            before: String::new(),
            oid: String::new(),
        }
    }

    #[test]
    fn few_files_are_named() {
        use TouchedKind as K;
        let moved = Touched {
            from: Some("old.html".into()),
            ..file(K::Moved, "new.html")
        };
        for (files, expected) in [
            (vec![file(K::Changed, "index.html")], "Change index.html"),
            (
                vec![file(K::Added, "about.html"), file(K::Changed, "index.html")],
                "Change index.html, add about.html",
            ),
            (vec![moved], "Move old.html to new.html"),
            (
                vec![file(K::Removed, "a.html"), file(K::Removed, "b.html")],
                "Remove a.html, b.html",
            ),
        ] {
            assert_eq!(title(&files), expected);
        }
    }

    #[test]
    fn many_files_are_counted() {
        use TouchedKind as K;
        let mut files: Vec<Touched> = (0..100_000)
            .map(|n| file(K::Added, &format!("photos/{}/{n}.jpg", n % 7)))
            .collect();
        files.push(file(K::Changed, "index.html"));
        assert_eq!(
            title(&files),
            "Change index.html, add 100000 files in photos/"
        );
        let text = message(&files, None);
        assert_eq!(text.lines().count(), 103);
        assert!(text.ends_with("and 99901 more"));
    }

    #[test]
    fn a_branch_that_is_taken_in_is_named() {
        let one = [file(TouchedKind::Changed, "index.html")];
        assert_eq!(
            message(&one, Some(("main", "abcdef0123"))),
            "Change index.html; take in main at abcdef0"
        );
        assert_eq!(
            message(&[], Some(("", "abcdef0123"))),
            "Take in HEAD at abcdef0"
        );
        let long = [file(TouchedKind::Changed, &"x".repeat(60))];
        let text = message(&long, Some(("main", "abcdef0123")));
        assert!(text.contains("\n\nTakes in main at abcdef0.\n"), "{text}");
    }

    #[test]
    fn a_title_is_one_short_line() {
        let odd = [
            file(TouchedKind::Changed, &format!("a\nb{}", "ü".repeat(200))),
            file(TouchedKind::Added, &"y".repeat(300)),
        ];
        let title = title(&odd);
        assert!(
            title.chars().count() <= TITLE && !title.contains('\n'),
            "{title}"
        );
    }
}
