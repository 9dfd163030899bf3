//! The commit message, tidied as git tidies it.

use super::identity::Settings;

/// The message as `git commit -m` would store it. `commit.template` has no part in it: git too uses it only
/// to fill an editor.
pub(super) fn tidy(message: &str, settings: &Settings) -> String {
    let comments = match settings.cleanup.as_str() {
        "verbatim" => return message.to_owned(),
        "strip" => Some(settings.comment.as_str()).filter(|comment| !comment.is_empty()),
        // "default", "whitespace" and "scissors" are the same without an editor.
        _ => None,
    };
    let mut out = String::with_capacity(message.len() + 1);
    let mut blank = false;
    for line in message.lines() {
        if comments.is_some_and(|comment| line.starts_with(comment)) {
            continue;
        }
        let line = line.trim_end();
        if line.is_empty() {
            blank = true;
            continue;
        }
        if blank && !out.is_empty() {
            out.push('\n');
        }
        blank = false;
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleanup(mode: &str) -> Settings {
        Settings {
            cleanup: mode.into(),
            comment: "#".into(),
            ..Settings::default()
        }
    }

    #[test]
    fn blank_lines_and_trailing_space_go() {
        let tidied = tidy("\n\n  Title  \n\n\n\nBody\t\r\n#1 stays\n\n", &cleanup(""));
        assert_eq!(tidied, "  Title\n\nBody\n#1 stays\n");
        assert_eq!(tidy(" \n\t\n", &cleanup("")), "");
    }

    #[test]
    fn the_setting_decides_on_comments() {
        assert_eq!(tidy("Title\n# note\n", &cleanup("strip")), "Title\n");
        assert_eq!(
            tidy("Title \n\n\n# note", &cleanup("verbatim")),
            "Title \n\n\n# note"
        );
    }
}
