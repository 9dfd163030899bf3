//! A thousand answers that are almost right: none is written wrong, none panics, each that is refused says why.

use std::collections::BTreeMap;

use sayso::generate::edits::{self, Answer, Edit, Limits, NewFile, apply};
use sayso::model::{FileTree, MemoryTree};

/// How many.
const COUNT: u64 = 1_000;

/// Numbers that look random and are the same each time (Marsaglia's xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides.max(1)
    }
}

const UNIX: &str = "<header>\n  <h1>One</h1>\n  <p>Two &amp; three</p>\n</header>\n<footer>\n  <p>Four</p>\n</footer>\n";
const DOS: &str = "<ul>\r\n\t<li>One</li>\r\n\t<li>Two</li>\r\n</ul>\r\n";
const MIXED: &str = "a {\r\n  color: red;\n}\r\nb { color: blue }\n";
const MARKED: &str = "\u{feff}title: Hello\nmenu:\n  - About";

fn tree() -> MemoryTree {
    MemoryTree::new([
        ("index.html", UNIX),
        ("list.html", DOS),
        ("style.css", MIXED),
        ("data.yml", MARKED),
        (".gitignore", "dist/\n"),
    ])
}

fn edit(file: &str, old: &str, new: &str) -> Edit {
    Edit {
        file: file.into(),
        old: old.into(),
        new: new.into(),
    }
}

/// A change that fits, in all kinds of files.
fn right() -> Answer {
    Answer {
        note: "Change it all".into(),
        edits: vec![
            edit(
                "index.html",
                "  <h1>One</h1>\n",
                "  <h1>First</h1>\n  <h2>Second</h2>\n",
            ),
            edit("index.html", "<p>Four</p>", "<p>Fourth</p>"),
            edit(
                "list.html",
                "\t<li>One</li>\n\t<li>Two</li>\n",
                "\t<li>Two</li>\n\t<li>One</li>\n",
            ),
            edit("style.css", "color: red", "color: teal"),
            edit("data.yml", "title: Hello", "title: Good day"),
        ],
        new_files: vec![NewFile {
            file: "about.html".into(),
            content: "<h1>About</h1>\n".into(),
        }],
        ..Answer::default()
    }
}

const PATHS: [&str; 14] = [
    "../index.html",
    "/etc/passwd",
    "a/../../b",
    ".git/config",
    "C:\\x",
    "index.htm",
    "INDEX.HTML",
    "",
    "index.html\0",
    "dist/x.html",
    "list.html",
    "about.html",
    "data.yml/x",
    "~/x",
];

/// Spoils the parts of an answer; the kind of it.
fn spoil(answer: &mut Answer, dice: &mut Dice) -> &'static str {
    let at = dice.roll(answer.edits.len());
    match dice.roll(9) {
        0 => {
            answer.edits.reverse();
            let by = dice.roll(answer.edits.len());
            answer.edits.rotate_left(by);
            "reordered"
        }
        1 => {
            let again = answer.edits[at].clone();
            let to = dice.roll(answer.edits.len() + 1);
            answer.edits.insert(to, again);
            "duplicated"
        }
        2 => {
            let path = PATHS[dice.roll(PATHS.len())].to_owned();
            match dice.roll(3) {
                0 => answer.new_files[0].file = path,
                1 => answer.delete_files.push(path),
                _ => answer.edits[at].file = path,
            }
            "wrong path"
        }
        3 => {
            let edit = &mut answer.edits[at];
            for text in [&mut edit.old, &mut edit.new] {
                *text = match dice.roll(3) {
                    0 => text.replace('\n', "\r\n"),
                    1 => text.replace("\r\n", "\n"),
                    _ => text.replace('\n', "\r"),
                };
            }
            "wrong line ends"
        }
        4 => {
            let edit = &mut answer.edits[at];
            let old = edit.old.clone();
            edit.old = match dice.roll(6) {
                0 => old.replace("  ", "\t"),
                1 => old.trim().to_owned(),
                2 => old.replace('<', "&lt;"),
                3 => format!("{old} "),
                4 => old.to_uppercase(),
                _ => String::new(),
            };
            "almost the old text"
        }
        5 => {
            let edit = &mut answer.edits[at];
            let end = dice.roll(edit.old.len());
            let end = (0..=end).rev().find(|at| edit.old.is_char_boundary(*at));
            edit.old.truncate(end.unwrap_or(0));
            "old text cut"
        }
        6 => {
            let other = dice.roll(answer.edits.len());
            let file = answer.edits[other].file.clone();
            answer.edits[at].file = file;
            "another file"
        }
        7 => {
            let other = answer.edits[dice.roll(answer.edits.len())].new.clone();
            answer.edits[at].old = other;
            "new for old"
        }
        _ => {
            let edit = answer.edits.remove(at);
            let halves = edit.old.split_at(edit.old.len() / 2);
            answer.edits.push(self::edit(&edit.file, halves.0, ""));
            answer
                .edits
                .push(self::edit(&edit.file, &edit.old, &edit.new));
            "overlapping"
        }
    }
}

/// What the edits of an answer make of a file, worked out in the plainest way: each old text, in the line ends of the file,
/// stands in it once, and is replaced there. `None` when that is not so.
fn plainly(before: &str, edits: &[&Edit]) -> Option<String> {
    let dos =
        before.contains("\r\n") && before.matches('\n').count() == before.matches("\r\n").count();
    let unix = !before.contains('\r');
    let own = |text: &str| match (dos, unix) {
        (true, _) => text.replace("\r\n", "\n").replace('\n', "\r\n"),
        (_, true) => text.replace("\r\n", "\n"),
        _ => text.to_owned(),
    };
    let mut places = Vec::new();
    for edit in edits {
        let (old, new) = (own(&edit.old), own(&edit.new));
        if old == new || (before.matches(&old).count() == 0 && before.matches(&new).count() == 1) {
            continue;
        }
        let found: Vec<usize> = (0..before.len())
            .filter(|at| before.as_bytes()[*at..].starts_with(old.as_bytes()))
            .collect();
        let [at] = found[..] else { return None };
        places.push((at, old.len(), new));
    }
    places.sort();
    places.dedup();
    let mut out = before.to_owned();
    for (at, length, new) in places.into_iter().rev() {
        out.replace_range(at..at + length, &new);
    }
    Some(out)
}

#[test]
fn of_a_thousand_spoiled_answers_none_is_written_wrong() {
    let tree = tree();
    let wanted = apply(&tree, &right(), Limits::default()).unwrap().files;
    let mut dice = Dice(0x5A15_0000_0001);
    let mut tally: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for round in 0..COUNT {
        let mut answer = right();
        let mut kind = "truncated";
        let whole = serde_json::to_string(&answer).unwrap();
        let text = if round % 5 == 0 {
            let end = dice.roll(whole.len());
            let end = (0..=end).rev().find(|at| whole.is_char_boundary(*at));
            whole[..end.unwrap_or(0)].to_owned()
        } else {
            kind = spoil(&mut answer, &mut dice);
            serde_json::to_string(&answer).unwrap()
        };
        let made = edits::read(&text)
            .map_err(|fault| vec![fault])
            .and_then(|answer| Ok((apply(&tree, &answer, Limits::default())?, answer)));
        let count = tally.entry(kind).or_default();
        match made {
            Err(faults) => {
                count.1 += 1;
                assert!(!faults.is_empty(), "{kind} {round}");
                for fault in &faults {
                    assert!(fault.why.len() > 8, "{kind} {round}: {fault:?}");
                }
            }
            Ok((applied, answer)) => {
                count.0 += 1;
                assert_ne!(kind, "truncated", "{round}: {text}");
                if matches!(kind, "reordered" | "duplicated") {
                    assert_eq!(applied.files, wanted, "{kind} {round}");
                }
                for file in &applied.files {
                    let inside = !file.path.contains("..")
                        && !file.path.starts_with(['/', '.', '~'])
                        && !file.path.contains(['\\', '\0', ':']);
                    assert!(inside, "{kind} {round}: {}", file.path);
                    let Some(before) = tree.read(&file.path).unwrap() else {
                        continue;
                    };
                    let before = String::from_utf8(before.to_vec()).unwrap();
                    let here: Vec<&Edit> = answer
                        .edits
                        .iter()
                        .filter(|edit| edit.file.trim_start_matches("./") == file.path)
                        .collect();
                    if here.is_empty() {
                        // Written anew or removed as a whole: small files only, and only where the answer says so.
                        continue;
                    }
                    let after = file.after.clone().unwrap();
                    assert_eq!(
                        plainly(&before, &here).as_deref(),
                        Some(after.as_str()),
                        "{kind} {round}"
                    );
                }
            }
        }
    }
    let (fit, refused) = tally
        .values()
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!(
        "{COUNT} mutated answers: 0 written wrong, 0 panics; {fit} fit, {refused} refused with a reason: {tally:?}"
    );
    assert_eq!(u64::from(fit + refused), COUNT);
    assert!(refused > 500 && fit > 50, "{tally:?}");
}
