//! The offline edit engine on the small sites of `tests/sites/`, one folder for each kind of site.
//!
//! Beside each folder lies a file of cases, one JSON object a line:
//! `{"say": "…", "diff": {"index.html": ["-old line", "+new line"]}}` for what must change, line by line, or
//! `{"say": "…", "refuse": "ambiguous", "candidates": ["index.html:12"]}` for what must be refused.
//! `"file"` is the file the person pointed at, `"then"` what is answered to a refusal that lists candidates.
//!
//! `SAYSO_SITES_TRY=<site> SAYSO_SITES_SAY=<file>` prints what each line of a file comes to, as cases to review.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sayso::generate::offline::Offline;
use sayso::generate::{Generated, Request};
use sayso::model::{FileTree, MemoryTree, Refusal};
use serde_json::{Value, json};
use similar::{Algorithm, DiffTag, capture_diff_slices};

fn sites() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sites")
}

/// A folder as the tree of a commit.
fn tree(folder: &Path) -> Arc<dyn FileTree> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let inside = path.strip_prefix(folder).expect("below");
                let name = inside.to_string_lossy().replace('\\', "/");
                files.push((name, fs::read(&path).expect("a file")));
            }
        }
    }
    Arc::new(MemoryTree::new(files))
}

/// The changed lines of each file, removed ones before added ones.
fn changed(tree: &dyn FileTree, made: &Generated) -> Value {
    let mut out = BTreeMap::new();
    for file in &made.files {
        let before = tree.read(&file.path).expect("readable");
        let before = before.map_or_else(String::new, |bytes| {
            String::from_utf8(bytes.to_vec()).expect("text")
        });
        let after = file.after.clone().unwrap_or_default();
        let (old, new): (Vec<&str>, Vec<&str>) = (
            before.split_inclusive('\n').collect(),
            after.split_inclusive('\n').collect(),
        );
        let mut lines = Vec::new();
        let bare = |line: &str| line.strip_suffix('\n').unwrap_or(line).to_owned();
        for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
            if op.tag() != DiffTag::Equal {
                lines.extend(op.old_range().map(|at| format!("-{}", bare(old[at]))));
                lines.extend(op.new_range().map(|at| format!("+{}", bare(new[at]))));
            }
        }
        out.insert(file.path.clone(), lines);
    }
    json!(out)
}

fn refused(refusal: &Refusal) -> Value {
    let places: Vec<String> = refusal
        .candidates
        .iter()
        .map(|found| format!("{}:{}", found.file, found.line))
        .collect();
    json!({ "refuse": refusal.reason.as_str(), "candidates": places })
}

/// What an instruction comes to, through the same cleaning of words as in the pipeline.
fn outcome(engine: &Offline, tree: &Arc<dyn FileTree>, case: &Value) -> (Value, String) {
    let ask = |words: &str, earlier: Option<&Refusal>, before: &str| {
        let intent = sayso::intent::understand(words);
        let request = Request {
            words: match intent {
                sayso::model::Intent::Edit { request } => request,
                _ => words.to_owned(),
            },
            original: words.to_owned(),
            file_path: case["file"].as_str().map(str::to_owned),
            tree: tree.clone(),
            earlier: earlier.map(|refusal| sayso::generate::Earlier {
                words: before.to_owned(),
                candidates: refusal.candidates.clone(),
            }),
            background: Vec::new(),
            steps: None,
            asks: None,
        };
        engine.answer(&request)
    };
    let say = case["say"].as_str().expect("say");
    let mut result = ask(say, None, "");
    if let (Some(then), Err(refusal)) = (case["then"].as_str(), &result) {
        let before = match sayso::intent::understand(say) {
            sayso::model::Intent::Edit { request } => request,
            _ => say.to_owned(),
        };
        let refusal = refusal.clone();
        result = ask(then, Some(&refusal), &before);
    }
    match result {
        Ok(made) => {
            let told = made.notes.join("; ");
            (
                json!({ "diff": changed(tree.as_ref(), &made) }),
                format!("{} [{told}]", made.title),
            )
        }
        Err(refusal) => (refused(&refusal), refusal.message),
    }
}

fn cases(path: &Path) -> Vec<Value> {
    fs::read_to_string(path)
        .expect("cases")
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

/// Whether an outcome is what the case says; a refusal names at least the candidates of the case.
fn fits(case: &Value, got: &Value) -> bool {
    if case.get("diff").is_some() {
        return case["diff"] == got["diff"];
    }
    let places = |value: &Value| -> HashSet<String> {
        let list = value["candidates"].as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(|place| place.as_str().map(str::to_owned))
            .collect()
    };
    case["refuse"] == got["refuse"] && places(case).is_subset(&places(got))
}

#[test]
fn every_case_of_every_site() {
    let mut wrong = Vec::new();
    let (mut count, mut kinds) = (0, 0);
    let mut files: Vec<PathBuf> = fs::read_dir(sites())
        .expect("sites")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    files.sort();
    // A site without cases would show nothing.
    let folders = fs::read_dir(sites()).expect("sites").flatten();
    let bare: Vec<PathBuf> = folders
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && !path.with_extension("jsonl").exists())
        .collect();
    assert!(bare.is_empty(), "no cases for {bare:?}");
    for file in files {
        let tree = tree(&file.with_extension(""));
        let engine = Offline::default();
        kinds += 1;
        for case in cases(&file) {
            let (got, told) = outcome(&engine, &tree, &case);
            count += 1;
            if !fits(&case, &got) {
                let name = file
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                wrong.push(format!(
                    "{name}: {}\n  due {}\n  got {got}\n  {told}",
                    case["say"],
                    {
                        let mut due = case.clone();
                        due.as_object_mut().map(|due| due.remove("say"));
                        due
                    }
                ));
            }
        }
    }
    assert!(
        kinds >= 13 && count >= 200,
        "{count} cases on {kinds} sites are too few"
    );
    assert!(
        wrong.is_empty(),
        "{} of {count} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Not a test of its own: prints outcomes to review when the variables are set.
#[test]
fn outcomes_to_review() {
    let (Ok(site), Ok(file)) = (
        std::env::var("SAYSO_SITES_TRY"),
        std::env::var("SAYSO_SITES_SAY"),
    ) else {
        return;
    };
    let tree = tree(&sites().join(&site));
    let engine = Offline::default();
    for line in fs::read_to_string(file).expect("instructions").lines() {
        let mut case = match line.trim() {
            "" => continue,
            line if line.starts_with('{') => serde_json::from_str(line).expect("a case"),
            line => match line.split_once(" => ") {
                Some((say, then)) => json!({ "say": say, "then": then }),
                None => json!({ "say": line }),
            },
        };
        let run = std::panic::AssertUnwindSafe(|| outcome(&engine, &tree, &case));
        let Ok((got, told)) = std::panic::catch_unwind(run) else {
            println!("PANIC {case}");
            continue;
        };
        for (key, value) in got.as_object().cloned().unwrap_or_default() {
            case[key] = value;
        }
        println!("{case}\n    # {told}");
    }
}
