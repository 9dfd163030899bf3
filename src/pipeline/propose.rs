//! Proposals: from a generator's files, from the working tree, or as the inverse of a commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;

use super::control::short;
use super::instruct::Stop;
use super::records::Change;
use super::{Conductor, versions};
use crate::generate::Generated;
use crate::model::api::ProposalView;
use crate::model::{
    Action, Content, EventKind, FileTree, Instruction, InstructionState, NewEvent, Problem,
    Proposal, ProposalId, ProposalKind, ProposalState, ProposedFile, Refusal, RefusalReason,
    failpoint,
};
use crate::review;
use crate::vcs::Standing;

/// A patch larger than this is left out of the event (the proposal's own address has it).
const MAX_PATCH_IN_EVENT: usize = 128 * 1024;

const REGULAR: u32 = 0o100_644;
const SYMLINK: u32 = 0o120_000;

impl Conductor {
    /// Turns a generator's files into a proposal against the head.
    pub(super) async fn build_proposal(
        &self,
        instruction: &Instruction,
        standing: &Standing,
        tree: &dyn FileTree,
        generated: Generated,
        engine: &str,
    ) -> Result<Proposal, Stop> {
        let mut files = Vec::new();
        for change in generated.files {
            check_path(&change.path)?;
            let entry = tree.entry(&change.path);
            if entry.is_some_and(|entry| entry.mode == SYMLINK) {
                return Err(Refusal::new(
                    RefusalReason::OutOfScope,
                    format!("{} is a symbolic link", change.path),
                )
                .into());
            }
            let before = match tree.read(&change.path).map_err(Problem::internal)? {
                None => Content::Absent,
                Some(bytes) => match std::str::from_utf8(&bytes) {
                    Ok(text) => Content::text(text),
                    Err(_) => {
                        let reason = RefusalReason::OutOfScope;
                        return Err(
                            Refusal::new(reason, format!("{} is not text", change.path)).into()
                        );
                    }
                },
            };
            let after = change.after.map_or(Content::Absent, Content::text);
            if before == after {
                continue;
            }
            let mode = entry.map_or(0, |entry| entry.mode);
            let mode_after = match after {
                Content::Absent => 0,
                _ if mode == 0 => REGULAR,
                _ => mode,
            };
            files.push(proposed(change.path, before, after, mode, mode_after));
        }
        if files.is_empty() {
            return Err(Refusal::new(
                RefusalReason::Unclear,
                "nothing would change: the site already says so",
            )
            .into());
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut warnings = generated.warnings;
        let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
        for path in self.repo.dirty(&paths).await? {
            warnings.push(format!(
                "{path} has uncommitted changes of yours: they stay as they are"
            ));
        }
        warnings.extend(secrets(&files));
        let now = Timestamp::now();
        Ok(Proposal {
            id: ProposalId::new(),
            instruction: Some(instruction.id.clone()),
            version: 1,
            kind: ProposalKind::Edit,
            state: ProposalState::Open,
            base: standing.head.clone(),
            branch: standing.branch.clone(),
            title: generated.title,
            notes: generated.notes,
            warnings,
            engine: engine.to_owned(),
            action: instruction.action,
            files,
            commit: None,
            created_at: now,
            updated_at: now,
        })
    }

    /// Stores the proposal and shows it to everyone.
    pub(super) async fn open_proposal(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        proposal: Proposal,
        began: Instant,
        engine: Option<Duration>,
    ) -> Result<(), Stop> {
        let view = view(proposal);
        instruction.state = InstructionState::Proposed;
        instruction.proposal = Some(view.proposal.id.clone());
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut event =
            proposal_event(EventKind::Proposal, &view, Some(millis), &instruction.actor);
        if let Some(engine) = engine {
            // Of `ms`, what the engine itself took.
            event.data["engine_ms"] = json!((engine.as_secs_f64() * 1e6).round() / 1e3);
        }
        let change = Change::new().event(event).proposal(&view.proposal)?;
        let actor = instruction.actor.clone();
        let change = versions::keep(change, &self.log, &view.proposal, None, &actor)?;
        self.store(change, instruction).await?;
        failpoint::reach("proposal.stored");
        Ok(())
    }

    /// A proposal of the working tree's changes ("commit that" with nothing open). `None` when there are none.
    pub(super) async fn changes_proposal(
        &self,
        instruction: Option<&Instruction>,
        action: Action,
        paths: &[String],
    ) -> Result<Option<Proposal>, Problem> {
        let standing = self.repo.standing().await?;
        let mut files = self.repo.working_changes(paths).await?;
        if files.is_empty() {
            return Ok(None);
        }
        for file in &mut files {
            file.hunks = review::diff::hunks(file);
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let title = match files.as_slice() {
            [file] => format!("{} {}", verb(file), file.path),
            files => format!("Update {} files", files.len()),
        };
        let warnings = secrets(&files);
        let now = Timestamp::now();
        Ok(Some(Proposal {
            id: ProposalId::new(),
            instruction: instruction.map(|instruction| instruction.id.clone()),
            version: 1,
            kind: ProposalKind::WorkingTree,
            state: ProposalState::Open,
            base: standing.head,
            branch: standing.branch,
            title,
            notes: vec!["the working tree's own changes".into()],
            warnings,
            engine: "person".into(),
            action,
            files,
            commit: None,
            created_at: now,
            updated_at: now,
        }))
    }

    /// A proposal that takes back what `commit` changed.
    pub(super) async fn undo_proposal(
        &self,
        instruction: &Instruction,
        commit: &str,
    ) -> Result<Proposal, Stop> {
        let standing = self.repo.standing().await?;
        let tree = self.repo.tree(&standing.head).await?;
        let mut files = Vec::new();
        for file in self.repo.changes_of(commit).await? {
            let now = tree.read(&file.path).map_err(Problem::internal)?;
            let unchanged = match (&file.after, now.as_deref()) {
                (Content::Absent, None) => true,
                (Content::Text { text }, Some(bytes)) => text.as_bytes() == bytes,
                (Content::Binary { oid, .. }, Some(_)) => tree
                    .entry(&file.path)
                    .is_some_and(|entry| entry.oid == *oid),
                _ => false,
            };
            if !unchanged {
                return Err(Problem::conflict(format!(
                    "{} was changed again after commit {}",
                    file.path,
                    short(commit)
                ))
                .hint("say which change to make instead, or revert the commit with git")
                .into());
            }
            files.push(proposed(
                file.path,
                file.after,
                file.before,
                file.mode_after,
                file.mode_before,
            ));
        }
        let now = Timestamp::now();
        Ok(Proposal {
            id: ProposalId::new(),
            instruction: Some(instruction.id.clone()),
            version: 1,
            kind: ProposalKind::Undo,
            state: ProposalState::Open,
            base: standing.head,
            branch: standing.branch,
            title: format!("Undo {}", short(commit)),
            notes: vec![format!("takes back what commit {} changed", short(commit))],
            warnings: Vec::new(),
            engine: "sayso".into(),
            action: instruction.action,
            files,
            commit: None,
            created_at: now,
            updated_at: now,
        })
    }
}

/// A file of a proposal with its hunks.
pub(super) fn proposed(
    path: String,
    before: Content,
    after: Content,
    mode_before: u32,
    mode_after: u32,
) -> ProposedFile {
    let mut file = ProposedFile {
        path,
        before,
        after,
        mode_before,
        mode_after,
        hunks: Vec::new(),
    };
    file.hunks = review::diff::hunks(&file);
    file
}

/// The proposal with its unified diff.
pub(super) fn view(proposal: Proposal) -> ProposalView {
    let patch = review::patch::unified(&proposal.files);
    ProposalView { proposal, patch }
}

/// An event that carries a proposal. The contents of the files are left out: hunks and patch say what changes,
/// and the proposal's own address has the rest.
pub(super) fn proposal_event(
    kind: EventKind,
    view: &ProposalView,
    millis: Option<u64>,
    actor: &str,
) -> NewEvent {
    let proposal = &view.proposal;
    let large = view.patch.len() > MAX_PATCH_IN_EVENT;
    let files: Vec<_> = proposal
        .files
        .iter()
        .map(|file| {
            json!({
                "path": file.path,
                "mode_before": file.mode_before,
                "mode_after": file.mode_after,
                "hunks": if large { json!([]) } else { json!(file.hunks) },
            })
        })
        .collect();
    let mut data = json!({
        "id": proposal.id,
        "version": proposal.version,
        "kind": proposal.kind,
        "state": proposal.state,
        "base": proposal.base,
        "branch": proposal.branch,
        "title": proposal.title,
        "notes": proposal.notes,
        "warnings": proposal.warnings,
        "engine": proposal.engine,
        "action": proposal.action,
        "files": files,
        "truncated": large,
    });
    if !large {
        data["patch"] = json!(view.patch);
    }
    if let Some(millis) = millis {
        data["ms"] = json!(millis);
    }
    NewEvent::new(kind, actor, data)
        .instruction(proposal.instruction.as_ref())
        .proposal(Some(&proposal.id))
}

fn verb(file: &ProposedFile) -> &'static str {
    match (&file.before, &file.after) {
        (Content::Absent, _) => "Add",
        (_, Content::Absent) => "Remove",
        _ => "Update",
    }
}

fn secrets(files: &[ProposedFile]) -> Vec<String> {
    review::secrets::scan(files)
        .into_iter()
        .map(|finding| {
            format!(
                "{}:{} looks like a secret ({})",
                finding.path, finding.line, finding.what
            )
        })
        .collect()
}

/// A generator's path must stay inside the repository and out of git's own folder.
fn check_path(path: &str) -> Result<(), Refusal> {
    let bad = path.is_empty()
        || path.starts_with('/')
        || path.contains(['\\', '\0'])
        || path.split('/').any(|part| {
            part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git")
        });
    if bad {
        return Err(Refusal::new(
            RefusalReason::OutOfScope,
            format!("{path:?} is outside the site"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_site_are_refused() {
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            ".git/config",
            "a/.GIT/x",
            "a\\b",
            "a//b",
            "a\0",
        ] {
            assert!(check_path(bad).is_err(), "{bad:?}");
        }
        for good in [
            "index.html",
            "a/b.c",
            ".github/workflows/x.yml",
            "a/.gitkeep",
            "..a/b",
        ] {
            assert!(check_path(good).is_ok(), "{good:?}");
        }
    }
}
