use proptest::prelude::*;

use super::*;
use crate::model::MemoryTree;

fn edit(file: &str, old: &str, new: &str) -> Edit {
    Edit {
        file: file.into(),
        old: old.into(),
        new: new.into(),
    }
}

fn edits(edits: impl IntoIterator<Item = Edit>) -> Answer {
    Answer {
        edits: edits.into_iter().collect(),
        ..Answer::default()
    }
}

fn new_file(file: &str, content: &str) -> Answer {
    Answer {
        new_files: vec![NewFile {
            file: file.into(),
            content: content.into(),
        }],
        ..Answer::default()
    }
}

fn made(tree: &MemoryTree, answer: &Answer) -> String {
    let applied = apply(tree, answer, Limits::default()).unwrap();
    assert_eq!(applied.files.len(), 1, "{applied:?}");
    applied.files[0].after.clone().unwrap()
}

fn refused(tree: &MemoryTree, answer: &Answer) -> Vec<Fault> {
    apply(tree, answer, Limits::default()).unwrap_err()
}

#[test]
fn only_the_old_text_changes() {
    let tree = MemoryTree::new([("a.html", "\u{feff}<h1>Old</h1>\n<p>Stays</p>")]);
    let answer = edits([edit("a.html", "Old", "New")]);
    assert_eq!(made(&tree, &answer), "\u{feff}<h1>New</h1>\n<p>Stays</p>");
}

#[test]
fn line_ends_are_the_files_own() {
    let tree = MemoryTree::new([
        ("a.html", "<ul>\r\n<li>1</li>\r\n</ul>\r\n"),
        ("b.html", "<i>1</i>\n"),
    ]);
    let answer = edits([edit(
        "a.html",
        "<ul>\n<li>1</li>\n",
        "<ul>\n<li>2</li>\n<li>3</li>\n",
    )]);
    assert_eq!(
        made(&tree, &answer),
        "<ul>\r\n<li>2</li>\r\n<li>3</li>\r\n</ul>\r\n"
    );
    let answer = edits([edit("b.html", "<i>1</i>\r\n", "<i>2</i>\r\n")]);
    assert_eq!(made(&tree, &answer), "<i>2</i>\n");
    let mixed = MemoryTree::new([("a.txt", "1\r\n2\n3\n")]);
    assert!(
        refused(&mixed, &edits([edit("a.txt", "2\n3", "4")]))[0]
            .why
            .contains("line ends")
    );
    assert_eq!(
        made(&mixed, &edits([edit("a.txt", "2", "4")])),
        "1\r\n4\n3\n"
    );
}

#[test]
fn what_does_not_stand_there_once_is_told_back_with_its_lines() {
    let tree = MemoryTree::new([(
        "a.html",
        "<p>x</p>\n<p>y</p>\n<p>x</p>\n<h1>Ideas &amp; more</h1>\n",
    )]);
    let twice = refused(&tree, &edits([edit("a.html", "<p>x</p>", "z")]));
    assert!(twice[0].why.contains("2 times (lines 1, 3)"), "{twice:?}");
    let entity = refused(
        &tree,
        &edits([edit("a.html", "<h1>Ideas & more</h1>", "z")]),
    );
    assert!(
        entity[0].why.contains("line 4") && entity[0].why.contains("entities"),
        "{entity:?}"
    );
    let nothing = refused(&tree, &edits([edit("a.html", "", "z")]));
    assert!(nothing[0].why.contains("empty"), "{nothing:?}");
    let elsewhere = refused(&tree, &edits([edit("src/a.html", "<p>y</p>", "z")]));
    assert!(
        elsewhere[0].why.contains("there is a.html"),
        "{elsewhere:?}"
    );
}

#[test]
fn one_fault_stops_all_edits() {
    let tree = MemoryTree::new([("a.html", "1"), ("b.html", "2")]);
    let answer = edits([edit("a.html", "1", "3"), edit("b.html", "9", "4")]);
    assert_eq!(refused(&tree, &answer).len(), 1);
}

#[test]
fn edits_that_overlap_or_come_twice() {
    let tree = MemoryTree::new([("a.txt", "one two three")]);
    let overlap = edits([
        edit("a.txt", "one two", "1"),
        edit("a.txt", "two three", "2"),
    ]);
    assert!(refused(&tree, &overlap)[0].why.contains("overlap"));
    let twice = edits([edit("a.txt", "two", "2"), edit("a.txt", "two", "2")]);
    assert_eq!(made(&tree, &twice), "one 2 three");
}

#[test]
fn what_is_done_already_changes_nothing() {
    let tree = MemoryTree::new([("a.html", "<h1>New title</h1>")]);
    let answer = edits([edit("a.html", "<h1>Old title</h1>", "<h1>New title</h1>")]);
    let applied = apply(&tree, &answer, Limits::default()).unwrap();
    assert_eq!((applied.already, applied.files.len()), (1, 0));
}

#[test]
fn a_file_that_would_no_longer_parse_is_not_taken() {
    let tree = MemoryTree::new([("a.js", "const a = [1, 2];\n")]);
    let broken = refused(&tree, &edits([edit("a.js", "2];", "2;")]));
    assert!(broken[0].why.contains("parses"), "{broken:?}");
}

#[test]
fn new_files_stay_inside_and_replace_only_small_ones() {
    let large = "x\n".repeat(2_000);
    let tree = MemoryTree::new([
        ("a.html", "small"),
        ("big.html", large.as_str()),
        (".gitignore", "dist/\n"),
    ]);
    assert_eq!(made(&tree, &new_file("b/c.html", "<p>")), "<p>");
    assert_eq!(made(&tree, &new_file("a.html", "other")), "other");
    assert!(
        refused(&tree, &new_file("big.html", "x"))[0]
            .why
            .contains("use edits")
    );
    assert!(
        refused(&tree, &new_file("dist/x.html", "x"))[0]
            .why
            .contains("ignored")
    );
    assert!(
        refused(&tree, &new_file("A.html", "x"))[0]
            .why
            .contains("capital")
    );
    assert!(
        refused(&tree, &new_file("a.html/b", "x"))[0]
            .why
            .contains("not a folder")
    );
    assert!(
        refused(&tree, &new_file("x.json", "{"))[0]
            .why
            .contains("JSON")
    );
    assert!(refused(&tree, &new_file("../x", "x"))[0].grave);
}

#[test]
fn links_and_other_bytes_are_left_alone() {
    let tree = MemoryTree::new([
        ("bin.dat", vec![0xff, 0xfe, 0x00]),
        ("a.txt", b"1".to_vec()),
    ]);
    assert!(
        refused(&tree, &edits([edit("bin.dat", "x", "y")]))[0]
            .why
            .contains("not text")
    );
    let gone = Answer {
        delete_files: vec!["a.txt".into()],
        ..Answer::default()
    };
    assert_eq!(
        apply(&tree, &gone, Limits::default()).unwrap().files[0].after,
        None
    );
    let missing = Answer {
        delete_files: vec!["b.txt".into()],
        ..Answer::default()
    };
    assert!(refused(&tree, &missing)[0].why.contains("not there"));
}

#[test]
fn a_change_that_is_too_large_is_told_so() {
    let tree = MemoryTree::new((0..30).map(|n| (format!("{n}.txt"), "one")));
    let all = edits((0..30).map(|n| edit(&format!("{n}.txt"), "one", "two")));
    assert!(refused(&tree, &all)[0].why.contains("30 files"));
}

#[test]
fn guarded_files_are_named() {
    let tree = MemoryTree::new([("package.json", "{\"name\": \"a\"}\n")]);
    let answer = edits([edit("package.json", "\"a\"", "\"b\"")]);
    let applied = apply(&tree, &answer, Limits::default()).unwrap();
    assert!(applied.warnings[0].contains("package.json"), "{applied:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever an answer holds: no panic, and what is taken differs from the file only where `old` stood.
    #[test]
    fn mutated_answers_write_nothing_wrong(
        lines in prop::collection::vec("[a-c<>/ &\r]{0,6}", 1..8),
        crlf in any::<bool>(),
        from in 0_usize..40,
        length in 0_usize..12,
        new in "[a-d\n\r<\"]{0,8}",
        mutate in 0_usize..4,
        file in prop::sample::select(vec!["a.txt", "./a.txt", "b.txt", "../a.txt", "a.txt/x"]),
    ) {
        let text = lines.join(if crlf { "\r\n" } else { "\n" });
        let chars: Vec<char> = text.chars().collect();
        let start = from.min(chars.len());
        let end = (start + length).min(chars.len());
        let mut old: String = chars[start..end].iter().collect();
        match mutate {
            1 => { old.pop(); }
            2 => old.push('x'),
            3 => old = old.replace("\r\n", "\n"),
            _ => {}
        }
        let tree = MemoryTree::new([("a.txt", text.as_str())]);
        match apply(&tree, &edits([edit(file, &old, &new)]), Limits::default()) {
            Err(faults) => prop_assert!(faults.iter().all(|fault| !fault.why.is_empty())),
            Ok(applied) => {
                prop_assert!(file.ends_with("a.txt") && !file.starts_with(".."));
                for change in applied.files {
                    let after = change.after.unwrap();
                    let ends = Ends::of(&text);
                    let old = ends.adapt(&old);
                    prop_assert_eq!(find_all(&text, &old).len(), 1);
                    prop_assert_eq!(after, text.replacen(&old, &ends.adapt(&new), 1));
                }
            }
        }
    }
}
