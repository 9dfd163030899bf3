//! SEARCH/REPLACE blocks: the form for models that cannot call tools.
//!
//! ```text
//! path/of/file.html
//! <<<<<<< SEARCH
//! old lines
//! =======
//! new lines
//! >>>>>>> REPLACE
//! ```
//! An empty old part makes a new file. Fences around a block are ignored. The form is aider's; the matching is not: the
//! old lines must stand in the file as they are.

use super::{Answer, Edit, Fault, NewFile};

enum At {
    Text,
    Old,
    New,
}

/// Reads all blocks of a text; what stands between them is not looked at.
///
/// # Errors
/// For a block that is not closed or has no path before it.
pub fn read(text: &str) -> Result<Answer, Fault> {
    let mut answer = Answer::default();
    let mut at = At::Text;
    let mut path = String::new();
    let (mut old, mut new) = (String::new(), String::new());
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        match at {
            At::Text if marks(bare, '<', "SEARCH") => {
                if path.is_empty() {
                    return Err(Fault::new(
                        "",
                        "a SEARCH block without the path of its file on the line before it",
                    ));
                }
                old.clear();
                new.clear();
                at = At::Old;
            }
            At::Text => {
                let name = bare.trim().trim_matches(['`', '*', '#', ':', ' ']);
                let named = !name.is_empty()
                    && !bare.trim_start().starts_with("```")
                    && !name.contains(char::is_whitespace);
                if named {
                    name.clone_into(&mut path);
                }
            }
            At::Old if bare == "=======" => at = At::New,
            At::Old => old.push_str(line),
            At::New if marks(bare, '>', "REPLACE") => {
                if old.is_empty() {
                    answer.new_files.push(NewFile {
                        file: path.clone(),
                        content: new.clone(),
                    });
                } else {
                    answer.edits.push(Edit {
                        file: path.clone(),
                        old: old.clone(),
                        new: new.clone(),
                    });
                }
                at = At::Text;
            }
            At::New => new.push_str(line),
        }
    }
    match at {
        At::Text => Ok(answer),
        At::Old | At::New => Err(Fault::new(&path, "a SEARCH/REPLACE block is not closed")),
    }
}

/// `<<<<<<< SEARCH`, with five marks or more.
fn marks(line: &str, mark: char, word: &str) -> bool {
    let rest = line.trim_start_matches(mark);
    line.len() - rest.len() >= 5 && rest.trim() == word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_one_after_another() {
        let text = "I change two files.\n\n**a.html**\n```html\n<<<<<<< SEARCH\nold\n=======\nnew\nlines\n>>>>>>> REPLACE\n```\n\nb.css\n<<<<<<< SEARCH\n=======\nbody {}\n>>>>>>> REPLACE\n";
        let answer = read(text).unwrap();
        assert_eq!(answer.edits.len(), 1);
        assert_eq!(answer.edits[0].file, "a.html");
        assert_eq!(answer.edits[0].new, "new\nlines\n");
        assert_eq!(answer.new_files[0].file, "b.css");
        assert_eq!(answer.new_files[0].content, "body {}\n");
    }

    #[test]
    fn a_block_that_breaks_off_is_not_taken() {
        assert!(read("a.html\n<<<<<<< SEARCH\nold\n=======\nnew\n").is_err());
        assert!(read("a.html\n<<<<<<< SEARCH\nold\n").is_err());
        assert!(read("<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n").is_err());
    }
}
