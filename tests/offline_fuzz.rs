//! The offline edit engine on damaged files and garbled instructions: it never panics, never changes a byte beside
//! its splices, and never makes a file parse worse.
//!
//! A short run is part of the ordinary tests; `SAYSO_FUZZ_CASES=100000` makes a long one, `SAYSO_FUZZ_SEED=7` another.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sayso::generate::offline::{Offline, parse};
use sayso::model::{FileTree, MemoryTree};

/// splitmix64: small, seeded, good enough to mutate with.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

type Files = Vec<(String, Vec<u8>)>;

/// The sites of `tests/sites/`, each with the instructions of its cases.
fn seeds() -> Vec<(Files, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sites");
    let mut names: Vec<PathBuf> = fs::read_dir(&root)
        .expect("sites")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    names.sort();
    names
        .iter()
        .map(|cases| {
            let said = fs::read_to_string(cases)
                .expect("cases")
                .lines()
                .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
                .filter_map(|case| case["say"].as_str().map(str::to_owned))
                .collect();
            (files(&cases.with_extension("")), said)
        })
        .collect()
}

fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy();
                found.push((name.replace('\\', "/"), fs::read(&path).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

const SCRAPS: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    "%}",
    "\"",
    "'",
    "`",
    "${",
    "---\n",
    "<!--",
    "-->",
    "&amp;",
    "&",
    "\u{feff}",
    "\r\n",
    "\r",
    "\t",
    "\u{0}",
    "é",
    "😀",
    "\u{202e}",
    "İ",
    "[[",
    "]]",
    ":",
    "- ",
    "# ",
    "<h1>",
    "</h1>",
    "<script>",
    "</script>",
    "<style>",
    "@media{",
    "=>",
    "import a from './a'\n",
    "<Hero ",
    "#}",
    "{#if a}",
    "[",
    "(",
];

fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(60)).min(bytes.len());
        match random.below(12) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            4 => {
                *bytes = String::from_utf8_lossy(bytes)
                    .replace('\n', "\r\n")
                    .into_bytes()
            }
            5 => drop(bytes.splice(0..0, *b"\xef\xbb\xbf")),
            6 => {
                // Deep nesting, both closed and not.
                let (open, close) = *random.pick(&[
                    ("<div>", "</div>"),
                    ("{", "}"),
                    ("[", "]"),
                    ("(", ")"),
                    ("> ", ""),
                ]);
                let deep = 1 + random.below(400);
                let tail = if random.below(2) == 0 {
                    close.repeat(deep)
                } else {
                    String::new()
                };
                bytes.splice(at..at, (open.repeat(deep) + &tail).into_bytes());
            }
            7 => drop(bytes.splice(at..at, "long line ".repeat(random.below(2000)).into_bytes())),
            8 => drop(bytes.splice(at..at, [0xff, 0xfe, 0x80])),
            9 => bytes.retain(|byte| *byte != b'\n'),
            _ => {
                let scrap = random.pick(SCRAPS).as_bytes().to_vec();
                bytes.splice(at..at, scrap);
            }
        }
    }
}

fn garble(random: &mut Random, said: &str) -> String {
    let mut words: Vec<String> = said.split(' ').map(str::to_owned).collect();
    for _ in 0..random.below(4) {
        let at = random.below(words.len() + 1);
        match random.below(7) {
            0 if at < words.len() => drop(words.remove(at)),
            1 if at < words.len() => words.swap(at, 0),
            2 => words.insert(at, (*random.pick(SCRAPS)).to_owned()),
            3 => words.insert(
                at,
                (*random.pick(&[
                    "the",
                    "second",
                    "to",
                    "from",
                    "in the footer",
                    "of",
                    "not",
                    "''",
                ]))
                .to_owned(),
            ),
            4 if at < words.len() => {
                let word = &mut words[at];
                let cut = word
                    .char_indices()
                    .nth(random.below(4))
                    .map_or(word.len(), |(at, _)| at);
                word.truncate(cut);
            }
            5 => words.truncate(at),
            _ => words.insert(at, "x".repeat(random.below(300))),
        }
    }
    words.join(" ")
}

/// What the engine must hold whatever it is given; the number of files it changed.
fn check(files: &Files, said: &str) -> usize {
    let tree: Arc<dyn FileTree> = Arc::new(MemoryTree::new(files.clone()));
    let Ok(made) = Offline::default().edit(&tree, said, None) else {
        return 0;
    };
    for file in &made.files {
        assert!(
            !file.path.starts_with('/')
                && !file
                    .path
                    .split('/')
                    .any(|part| part == ".." || part == ".git"),
            "{said}: {} is outside",
            file.path
        );
        let before = tree.read(&file.path).expect("readable");
        let after = file.after.as_deref().unwrap_or_default();
        let Some(before) = before else { continue };
        let before = std::str::from_utf8(&before).expect("only text is edited");
        assert_ne!(before, after, "{said}: a change that changes nothing");
        assert!(
            parse::errors(&file.path, after) <= parse::errors(&file.path, before),
            "{said}: {} parses worse",
            file.path
        );
        assert_eq!(
            before.starts_with('\u{feff}'),
            after.starts_with('\u{feff}'),
            "{said}: the mark of {}",
            file.path
        );
        let bare = |text: &str| text.matches('\n').count() - text.matches("\r\n").count();
        if before.contains("\r\n") && bare(before) == 0 {
            assert_eq!(bare(after), 0, "{said}: line ends of {}", file.path);
        }
    }
    made.files.len()
}

fn one(seeds: &[(Files, Vec<String>)], seed: u64) -> usize {
    let mut random = Random(seed);
    let (files, said) = random.pick(seeds);
    let mut files = files.clone();
    for _ in 0..random.below(3) {
        let at = random.below(files.len());
        damage(&mut random, &mut files[at].1);
    }
    let said = random.pick(said).clone();
    let said = if random.below(2) == 0 {
        garble(&mut random, &said)
    } else {
        said
    };
    check(&files, &said)
}

#[test]
fn damaged_sites_and_garbled_words() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    let first = number("SAYSO_FUZZ_SEED").unwrap_or(1) << 32;
    let wanted = number("SAYSO_FUZZ_CASES");
    let seeds = seeds();
    let (next, changed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let began = Instant::now();
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let case =
                        u64::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(u64::MAX);
                    let over = match wanted {
                        Some(wanted) => case >= wanted,
                        None => case >= 400 || began.elapsed() > Duration::from_secs(8),
                    };
                    if over {
                        return;
                    }
                    let seed = first | case;
                    let run = || one(&seeds, seed);
                    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
                        Ok(count) => drop(changed.fetch_add(count.min(1), Ordering::Relaxed)),
                        Err(_) => panic!("seed {seed}: `one(&seeds(), {seed})` shows it again"),
                    }
                }
            });
        }
    });
    let ran = next.load(Ordering::Relaxed) - workers;
    let changed = changed.load(Ordering::Relaxed);
    println!(
        "{ran} cases, {changed} led to a change, {:.1} s",
        began.elapsed().as_secs_f64()
    );
    assert!(
        changed * 20 > ran,
        "{changed} of {ran}: the cases hardly reach the engine"
    );
}
