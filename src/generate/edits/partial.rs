//! An answer that is still being written.

use serde_json::Value;

use super::Answer;

/// What of an answer's JSON is known so far: open strings, lists and objects are closed where the text ends.
/// `None` when nothing can be read yet.
pub fn so_far(text: &str) -> Option<Answer> {
    serde_json::from_value(value(text)?).ok()
}

/// The value that a cut-off JSON text holds.
pub fn value(text: &str) -> Option<Value> {
    let text = text.trim_start();
    let mut open: Vec<u8> = Vec::new();
    let mut string = false;
    let mut escaped = false;
    // Where the text can be cut so that what is before it, closed, is JSON: after a whole value.
    let mut whole = 0;
    let mut whole_open: Vec<u8> = Vec::new();
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().copied().enumerate() {
        if string {
            if escaped {
                escaped = false;
                continue;
            }
            match byte {
                b'\\' => escaped = true,
                b'"' => string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => string = true,
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                if open.pop() != Some(byte) {
                    return None;
                }
            }
            b',' => {
                whole = at;
                whole_open.clone_from(&open);
                continue;
            }
            _ => continue,
        }
        if matches!(byte, b'{' | b'[' | b'}' | b']') {
            whole = at + 1;
            whole_open.clone_from(&open);
        }
    }
    if open.is_empty() && !string {
        return serde_json::from_str(text).ok();
    }
    // First as far as it goes, a string included; else back to the last whole value.
    let mut tail = text.to_owned();
    if string {
        cut_escape(&mut tail);
        tail.push('"');
    }
    close(&mut tail, &open);
    if let Ok(value) = serde_json::from_str(&tail) {
        return Some(value);
    }
    let mut head = text.get(..whole)?.to_owned();
    close(&mut head, &whole_open);
    serde_json::from_str(&head).ok()
}

fn close(text: &mut String, open: &[u8]) {
    text.extend(open.iter().rev().map(|byte| char::from(*byte)));
}

/// Takes away an escape that is not finished.
fn cut_escape(text: &mut String) {
    let Some(at) = text.rfind('\\') else {
        return;
    };
    let before = text[..at]
        .bytes()
        .rev()
        .take_while(|byte| *byte == b'\\')
        .count();
    if before % 2 == 1 {
        return;
    }
    let after = &text[at + 1..];
    let finished = match after.as_bytes().first() {
        None => false,
        Some(b'u') => after.len() >= 5,
        Some(_) => true,
    };
    if !finished {
        text.truncate(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"note":"Say \"hi\" \u00fc","edits":[{"file":"a.html","old":"x\\","new":"y\n"},{"file":"b.html","old":"1","new":"2"}],"cannot":""}"#;

    #[test]
    fn every_cut_of_an_answer_is_a_beginning_of_it() {
        let whole: Answer = serde_json::from_str(WHOLE).unwrap();
        let mut most = 0;
        for at in 1..=WHOLE.len() {
            let Some(part) = WHOLE.get(..at) else {
                continue;
            };
            let Some(answer) = so_far(part) else {
                panic!("{part}")
            };
            assert!(whole.note.starts_with(&answer.note), "{part}");
            for (is, wanted) in answer.edits.iter().zip(&whole.edits) {
                assert!(wanted.file.starts_with(&is.file), "{part}");
                assert!(wanted.old.starts_with(&is.old), "{part}");
                assert!(wanted.new.starts_with(&is.new), "{part}");
            }
            assert!(answer.edits.len() >= most, "{part}: {answer:?}");
            most = answer.edits.len();
        }
        assert_eq!(so_far(WHOLE), Some(whole));
    }

    #[test]
    fn what_is_no_json_gives_nothing() {
        assert_eq!(so_far(""), None);
        assert_eq!(so_far("hello"), None);
        assert_eq!(so_far("{]"), None);
    }
}
