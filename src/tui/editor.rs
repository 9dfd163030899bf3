//! The person's own editor on a proposed text.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::message::EditRequest;
use super::signals::{Signal, Signals};
use crate::model::Problem;

/// The words of the command that opens `file` at `line` in the editor named by the environment (`$VISUAL`,
/// `$EDITOR`, else `vi`), to be run by `sh -c`: an editor's name may hold arguments and quotes.
pub fn command(editor: &str, file: &Path, line: usize) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![
        "sh".into(),
        "-c".into(),
        format!("{editor} \"$@\"").into(),
        "sh".into(),
    ];
    if takes_a_line(editor) {
        words.push(format!("+{line}").into());
    }
    words.push(file.into());
    words
}

/// The editor that the environment names.
pub fn chosen(variable: impl Fn(&str) -> Option<String>) -> String {
    ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(variable)
        .find(|editor| !editor.trim().is_empty())
        .unwrap_or_else(|| "vi".to_owned())
}

/// True for editors known to take `+LINE`.
fn takes_a_line(editor: &str) -> bool {
    const KNOWN: [&str; 12] = [
        "vi",
        "vim",
        "nvim",
        "view",
        "nano",
        "pico",
        "emacs",
        "emacsclient",
        "micro",
        "hx",
        "helix",
        "kak",
    ];
    let program = editor.split_whitespace().next().unwrap_or_default();
    let name = Path::new(program)
        .file_name()
        .and_then(|name| name.to_str());
    name.is_some_and(|name| KNOWN.contains(&name))
}

/// A file of the person's alone that holds the text; its name keeps the ending, so that the editor knows the language.
///
/// # Errors
/// When it cannot be written.
pub fn file_for(request: &EditRequest) -> io::Result<tempfile::NamedTempFile> {
    use std::io::Write;
    let name = Path::new(&request.path).file_name();
    let name = name
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut file = tempfile::Builder::new()
        .prefix("sayso-")
        .suffix(&format!("-{name}"))
        .tempfile()?;
    file.write_all(request.text.as_bytes())?;
    file.flush()?;
    Ok(file)
}

/// Lets the person edit the text of `request` in their editor and waits for its end; the terminal is theirs meanwhile.
/// `over` is set when a signal asked for the end of everything.
///
/// # Errors
/// When the editor does not start, ends with an error, or leaves what is no text.
pub(super) async fn run(
    request: &EditRequest,
    signals: &mut Signals,
    over: &mut bool,
) -> Result<String, Problem> {
    let file = file_for(request)
        .map_err(|error| Problem::internal(format!("no file to edit: {error}")))?;
    let chosen = chosen(|name| std::env::var(name).ok());
    let words = command(&chosen, file.path(), request.line);
    let mut child = tokio::process::Command::new(&words[0])
        .args(&words[1..])
        .spawn()
        .map_err(|error| Problem::internal(format!("{chosen} did not start: {error}")))?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            signal = signals.next() => match signal {
                // The editor was suspended: go with it, or the shell would wait for us.
                Signal::Stop => signals.stop().await.map_err(Problem::internal)?,
                Signal::End => *over = true,
                Signal::Continued => {}
            },
        }
        if *over {
            break child.wait().await;
        }
    };
    let status = status.map_err(Problem::internal)?;
    if !status.success() {
        let problem = Problem::internal(format!("{chosen} ended with {status}"));
        return Err(problem.hint("set $EDITOR to the editor of your choice"));
    }
    let bytes = tokio::fs::read(file.path())
        .await
        .map_err(Problem::internal)?;
    String::from_utf8(bytes).map_err(|_| Problem::bad_request("the text is no UTF-8 any more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_editor_is_the_persons_own() {
        let variables = |visual: &'static str, editor: &'static str| {
            move |name: &str| match name {
                "VISUAL" => Some(visual.to_owned()),
                _ => Some(editor.to_owned()),
            }
        };
        assert_eq!(chosen(variables("code -w", "vim")), "code -w");
        assert_eq!(chosen(variables(" ", "vim")), "vim");
        assert_eq!(chosen(|_| None), "vi");
        let words = command("/usr/bin/vim -u NONE", Path::new("/tmp/a b.html"), 7);
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        assert_eq!(
            words,
            [
                "sh",
                "-c",
                "/usr/bin/vim -u NONE \"$@\"",
                "sh",
                "+7",
                "/tmp/a b.html"
            ]
        );
        assert!(!command("code -w", Path::new("x"), 7).contains(&"+7".into()));
    }

    #[test]
    fn the_file_keeps_its_ending_and_its_bytes() {
        let request = EditRequest {
            proposal: "pro_1".into(),
            version: 1,
            path: "pages/Ünder the/index.html".into(),
            text: "a\r\nb".into(),
            line: 1,
        };
        let file = file_for(&request).unwrap();
        assert!(file.path().to_string_lossy().ends_with("-index.html"));
        assert_eq!(std::fs::read(file.path()).unwrap(), b"a\r\nb");
    }
}
