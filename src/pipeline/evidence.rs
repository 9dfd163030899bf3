//! "Fix the …": what is wrong is looked at before anybody repairs it, and in the same way afterwards.

use serde_json::json;

use super::Conductor;
use super::records::Change;
use crate::config::Config;
use crate::deploy::health::HealthOptions;
use crate::deploy::preview::{Look, Order};
use crate::generate::Background;
use crate::model::{
    EventKind, Instruction, NewEvent, Problem, Proposal, ProposalId, ProposalKind, Refusal,
    RefusalReason,
};

/// The longest evidence, in bytes.
const LONGEST: usize = 8 << 10;

/// What was found before a repair.
pub(super) struct Before {
    look: Look,
    /// The problems, or why it could not be looked at.
    found: Result<Vec<String>, String>,
}

/// What "fix the …" is to repair, where it can be looked at.
fn asked(words: &str, config: &Config) -> Option<Look> {
    let lower = words.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let verb = words
        .iter()
        .find(|word| !["please", "now", "can", "you"].contains(word))?;
    if !["fix", "repair", "mend", "resolve", "solve"].contains(verb) {
        return None;
    }
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if has(&[
        "build",
        "builds",
        "compile",
        "compilation",
        "deployment",
        "deploy",
    ]) {
        Some(Look::Build)
    } else if has(&["links", "link"]) && has(&["broken", "dead", "links"]) {
        Some(Look::Links)
    } else if has(&["console", "javascript", "js", "script", "scripts"]) {
        Some(Look::Console)
    } else if has(&["check", "checks", "health"]) {
        Some(Look::Check(Box::new(HealthOptions {
            path: config.health.path.clone(),
            status: Some(config.health.status).filter(|status| *status != 0),
            expect_text: Some(config.health.expect.clone()).filter(|text| !text.is_empty()),
            timeout: config.health.timeout.duration(),
            ..HealthOptions::default()
        })))
    } else {
        None
    }
}

/// What is looked at, for people.
fn name(look: &Look) -> &'static str {
    match look {
        Look::Build => "the build",
        Look::Links => "the links of the built site",
        Look::Console => "the consoles of the site's pages",
        Look::Check(_) => "the health check",
    }
}

impl Conductor {
    /// Looks at what an instruction wants to have repaired; `None` when it is no repair, or nothing can be looked at here.
    pub(super) async fn look_before(
        &self,
        instruction: &Instruction,
        words: &str,
        base: &str,
    ) -> Result<Option<Before>, Problem> {
        let (Some(previews), Some(look)) = (self.previews.get(), asked(words, &self.config)) else {
            return Ok(None);
        };
        self.told(instruction, format!("looks at {} first", name(&look)))
            .await?;
        let order = Order {
            proposal: ProposalId::new(),
            version: 0,
            // The commit is the person's own: what it builds with was run before.
            kind: ProposalKind::WorkingTree,
            source: self.repo.source(base).await?,
            files: Vec::new(),
            allow: false,
        };
        let found = previews.examine(&look, &order).await;
        let message = match &found {
            Ok(found) => match found.len() {
                0 => format!("{}: nothing is wrong", name(&look)),
                _ => format!("{}: {}", name(&look), first(found, &look)),
            },
            Err(why) => format!("{} cannot be looked at: {why}", name(&look)),
        };
        self.told(instruction, message).await?;
        Ok(Some(Before { look, found }))
    }

    /// Looks again at what was wrong, with the proposal in place, and says in the proposal whether it is gone.
    pub(super) async fn look_after(
        &self,
        instruction: &Instruction,
        proposal: &mut Proposal,
        before: &Before,
    ) -> Result<(), Problem> {
        let (Some(previews), Ok(was)) = (self.previews.get(), &before.found) else {
            if let Err(why) = &before.found {
                let what = name(&before.look);
                let line = format!(
                    "{what} could not be looked at, so it is not known whether this repairs it: {why}"
                );
                proposal.warnings.push(line);
            }
            return Ok(());
        };
        let what = name(&before.look);
        self.told(instruction, format!("looks at {what} again"))
            .await?;
        let order = self.order(proposal, false).await?;
        match previews.examine(&before.look, &order).await {
            Err(why) => proposal.warnings.push(format!(
                "{what} could not be looked at again, so it is not known whether this repairs it: {why}"
            )),
            Ok(is) => {
                let (good, line) = verdict(&before.look, was, &is);
                if good {
                    proposal.notes.push(line);
                } else {
                    proposal.warnings.push(line);
                }
            }
        }
        Ok(())
    }

    async fn told(&self, instruction: &Instruction, message: String) -> Result<(), Problem> {
        // With an engine's name it is a step: the work goes on.
        let data = json!({ "message": message, "engine": "evidence" });
        let event =
            NewEvent::new(EventKind::Notice, "sayso", data).instruction(Some(&instruction.id));
        Change::new().event(event).store(&self.log).await.map(drop)
    }
}

impl Before {
    /// True when something is wrong.
    pub(super) fn found_any(&self) -> bool {
        self.found.as_ref().is_ok_and(|found| !found.is_empty())
    }

    /// The refusal where nobody could repair it: what was found, instead of a question what is wrong.
    pub(super) fn refusal(&self, refused: &Refusal) -> Option<Refusal> {
        let found = self.found.as_ref().ok()?;
        if !refused.candidates.is_empty() || self.look == Look::Links {
            return None;
        }
        let what = name(&self.look);
        Some(match found.len() {
            0 => Refusal::new(
                RefusalReason::NotFound,
                format!("looked at {what}: nothing is wrong"),
            ),
            _ => Refusal::new(
                RefusalReason::Unclear,
                format!("{what}: {}", first(found, &self.look)),
            )
            .hint("its whole output is in the deployment's details; say which change repairs it"),
        })
    }

    /// What a model is told of it.
    pub(super) fn background(&self) -> Option<Background> {
        let found = self.found.as_ref().ok()?;
        if found.is_empty() {
            return None;
        }
        let mut text = format!(
            "{} was looked at just now. This is what was found; it is what the person wants to have repaired:\n",
            name(&self.look)
        );
        for line in found {
            if text.len() + line.len() > LONGEST {
                text.push_str("… and more\n");
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        Some(Background {
            kind: "evidence",
            text,
            files: Vec::new(),
        })
    }
}

fn first(found: &[String], look: &Look) -> String {
    let first = found.first().map_or("", String::as_str);
    match (look, found.len()) {
        (Look::Build, _) | (_, 1) => first.to_owned(),
        (_, many) => format!("{many} problems, the first: {first}"),
    }
}

/// Whether a repair did what it was for, and how that is said.
fn verdict(look: &Look, was: &[String], is: &[String]) -> (bool, String) {
    let what = name(look);
    if is.is_empty() {
        return match was.len() {
            0 => (
                true,
                format!("looked at {what} before and after: nothing is wrong"),
            ),
            1 => (true, format!("looked at {what} again: the problem is gone")),
            _ if *look == Look::Build => {
                (true, format!("looked at {what} again: the problem is gone"))
            }
            many => (
                true,
                format!("looked at {what} again: all {many} problems are gone"),
            ),
        };
    }
    if *look == Look::Build {
        let words = if was.is_empty() {
            "it fails with this change"
        } else {
            "it still fails"
        };
        return (false, format!("looked at {what} again: {words}: {}", is[0]));
    }
    let new: Vec<&String> = is.iter().filter(|line| !was.contains(line)).collect();
    let left = is.len() - new.len();
    let mut line = format!(
        "looked at {what} again: {left} of {} problems are still there",
        was.len()
    );
    if let Some(one) = is.iter().find(|line| was.contains(line)) {
        line.push_str(&format!(", the first: {one}"));
    }
    if let Some(one) = new.first() {
        line.push_str(&format!("; {} came with this change: {one}", new.len()));
    }
    (false, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_repaired_is_understood() {
        let config = Config::default();
        let cases = [
            ("fix the build", Some("the build")),
            (
                "Please fix the broken links.",
                Some("the links of the built site"),
            ),
            (
                "fix the console errors",
                Some("the consoles of the site's pages"),
            ),
            ("repair the failing health check", Some("the health check")),
            ("fix the link to the menu", None),
            ("fix the typo", None),
            ("change the link", None),
        ];
        for (words, what) in cases {
            assert_eq!(asked(words, &config).as_ref().map(name), what, "{words}");
        }
    }

    #[test]
    fn a_repair_is_judged_by_what_is_left() {
        let lines = |lines: &[&str]| {
            lines
                .iter()
                .map(|line| (*line).to_owned())
                .collect::<Vec<_>>()
        };
        let judge = |was: &[&str], is: &[&str]| verdict(&Look::Links, &lines(was), &lines(is));
        assert!(judge(&["a", "b"], &[]).0);
        let (good, words) = judge(&["a", "b"], &["b"]);
        assert!(
            !good && words.contains("1 of 2 problems are still there, the first: b"),
            "{words}"
        );
        let (good, words) = judge(&["a"], &["c"]);
        assert!(
            !good && words.contains("0 of 1") && words.contains("1 came with this change: c"),
            "{words}"
        );
        let (good, words) = verdict(&Look::Build, &lines(&["no", "x"]), &lines(&["no", "y"]));
        assert!(!good && words.contains("still fails: no"));
    }
}
