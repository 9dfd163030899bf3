//! Plan first for the large: a change of more than a few files is shown as a plan, and only what remains of it is made.

use super::edits::Answer;
use super::{Answered, Ask, FileChange, Request};
use crate::model::{FileTree, PlanLine, Refusal, RefusalReason};

/// The longest description of a line, in characters.
const WHAT: usize = 120;

/// Lines that a plan may have.
const MOST: usize = 60;

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The files that remain.
    pub kept: Vec<PlanLine>,
    /// The files that the person left out.
    pub left_out: Vec<String>,
}

impl Agreed {
    /// Whether a file may be changed.
    pub fn allows(&self, path: &str) -> bool {
        self.kept.iter().any(|line| line.file == path)
    }

    /// What is worth a note of the proposal.
    pub fn note(&self) -> Option<String> {
        let out = &self.left_out;
        (!out.is_empty()).then(|| format!("left out of the plan: {}", out.join(", ")))
    }
}

/// The lines of a model's plan, each file once and only files of the site.
pub fn lines(answer: &Answer) -> Vec<PlanLine> {
    let mut out: Vec<PlanLine> = Vec::new();
    for line in &answer.plan {
        let Ok(file) = super::edits::path::checked(&line.file) else {
            continue;
        };
        if out.len() == MOST || out.iter().any(|known| known.file == file) {
            continue;
        }
        out.push(PlanLine {
            file,
            what: short(&line.what),
            kept: true,
        });
    }
    out
}

/// The plan that a finished change amounts to. What a model said about a file is kept.
fn of_files(files: &[FileChange], tree: &dyn FileTree, said: &[PlanLine]) -> Vec<PlanLine> {
    let line = |file: &FileChange| {
        let said = said.iter().find(|line| line.file == file.path);
        let what = match (said, &file.after, tree.entry(&file.path)) {
            (Some(line), ..) if !line.what.is_empty() => line.what.clone(),
            (_, None, _) => "removed".to_owned(),
            (_, Some(after), None) => format!("new, {} lines", after.lines().count()),
            (_, Some(after), Some(_)) => {
                let before = tree.read(&file.path).ok().flatten().unwrap_or_default();
                let before = String::from_utf8_lossy(&before);
                let diff = similar::TextDiff::from_lines(before.as_ref(), after.as_str());
                let (mut added, mut removed) = (0, 0);
                for change in diff.iter_all_changes() {
                    match change.tag() {
                        similar::ChangeTag::Insert => added += 1,
                        similar::ChangeTag::Delete => removed += 1,
                        similar::ChangeTag::Equal => {}
                    }
                }
                format!("+{added} -{removed} lines")
            }
        };
        PlanLine {
            file: file.path.clone(),
            what,
            kept: true,
        }
    };
    files.iter().map(line).collect()
}

/// Shows a plan and waits for what the person says.
///
/// # Errors
/// A refusal when the answer is no.
pub async fn agree(request: &Request, who: &str, plan: Vec<PlanLine>) -> Result<Agreed, Refusal> {
    let all: Vec<String> = plan.iter().map(|line| line.file.clone()).collect();
    let ask = Ask {
        act: Ask::PLAN,
        text: format!("{who} would change {} files. Go on?", plan.len()),
        plan,
    };
    let Answered::Yes(kept) = request.ask(ask).await else {
        return Err(Refusal::new(
            RefusalReason::Unclear,
            "the plan was not approved, so nothing was made",
        )
        .hint("ask for less, leave lines out of the plan, or answer yes"));
    };
    let agreed = Agreed {
        left_out: all
            .into_iter()
            .filter(|file| !kept.iter().any(|line| line.file == *file))
            .collect(),
        kept,
    };
    if agreed.kept.is_empty() {
        return Err(Refusal::new(
            RefusalReason::Unclear,
            "nothing of the plan remained, so nothing was made",
        ));
    }
    Ok(agreed)
}

/// Shows a finished change of more than `few` files as a plan (0: never), and drops what the person leaves out.
///
/// # Errors
/// As [`agree`].
pub async fn cut(
    request: &Request,
    who: &str,
    few: usize,
    files: &mut Vec<FileChange>,
    said: &[PlanLine],
) -> Result<Agreed, Refusal> {
    if few == 0 || files.len() <= few {
        return Ok(Agreed::default());
    }
    let plan = of_files(files, request.tree.as_ref(), said);
    let agreed = agree(request, who, plan).await?;
    files.retain(|file| agreed.allows(&file.path));
    Ok(agreed)
}

fn short(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let seen = words.chars().filter(|c| !c.is_control());
    seen.take(WHAT).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::mpsc;

    use super::super::Asked;
    use super::super::edits::PlannedFile;
    use super::*;
    use crate::model::MemoryTree;

    fn request(asks: Option<mpsc::UnboundedSender<Asked>>) -> Request {
        Request {
            words: "x".into(),
            original: "x".into(),
            file_path: None,
            tree: Arc::new(MemoryTree::new([("a.html", "1\n2\n"), ("b.html", "1\n")])),
            earlier: None,
            background: Vec::new(),
            steps: None,
            asks,
        }
    }

    fn files() -> Vec<FileChange> {
        let change = |path: &str, after: Option<&str>| FileChange {
            path: path.into(),
            after: after.map(str::to_owned),
        };
        vec![
            change("a.html", Some("1\n3\n4\n")),
            change("b.html", None),
            change("c.html", Some("1\n2\n")),
        ]
    }

    #[tokio::test]
    async fn only_what_remains_of_a_plan_is_made() {
        let (asks, mut asked) = mpsc::unbounded_channel::<Asked>();
        let person = async {
            let one = asked.recv().await.unwrap();
            let what: Vec<&str> = one.ask.plan.iter().map(|line| line.what.as_str()).collect();
            assert_eq!(what, ["+2 -1 lines", "removed", "new, 2 lines"]);
            let kept = one.ask.plan[..1].to_vec();
            one.reply.send(Answered::Yes(kept)).unwrap();
        };
        let request = request(Some(asks));
        let mut made = files();
        let cut = cut(&request, "m", 2, &mut made, &[]);
        let (agreed, ()) = tokio::join!(cut, person);
        assert_eq!(made.len(), 1);
        let agreed = agreed.unwrap();
        assert_eq!(agreed.left_out, ["b.html", "c.html"]);
        assert!(agreed.note().unwrap().contains("b.html, c.html"));
    }

    #[tokio::test]
    async fn few_files_are_not_asked_about_and_without_a_person_many_are_not_made() {
        let request = request(None);
        let mut made = files();
        assert!(cut(&request, "m", 3, &mut made, &[]).await.is_ok());
        assert!(cut(&request, "m", 0, &mut made, &[]).await.is_ok());
        assert_eq!(made.len(), 3);
        assert!(cut(&request, "m", 2, &mut made, &[]).await.is_err());
    }

    #[test]
    fn a_models_plan_names_each_file_of_the_site_once() {
        let line = |file: &str| PlannedFile {
            file: file.into(),
            what: "x \u{1b} y".into(),
        };
        let answer = Answer {
            plan: vec![
                line("a.html"),
                line("../b"),
                line("./a.html"),
                line("c.html"),
            ],
            ..Answer::default()
        };
        let lines = lines(&answer);
        let files: Vec<&str> = lines.iter().map(|line| line.file.as_str()).collect();
        assert_eq!(files, ["a.html", "c.html"]);
        assert_eq!(lines[0].what, "x  y");
    }
}
