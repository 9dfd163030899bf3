//! `sayso history`: how the text of a proposal was written in its room, step by step.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::tz::TimeZone;
use similar::TextDiff;

use super::embed::Session;
use super::{Exit, Place, print, versions};
use crate::model::Problem;

/// Arguments of `sayso history`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The proposal; without it the open one that is newest.
    #[arg(long, value_name = "ID")]
    proposal: Option<String>,
    /// The texts as they were after this step, or the last one before it.
    #[arg(long, value_name = "NUMBER")]
    at: Option<u64>,
    /// Show what each step changed.
    #[arg(long, conflicts_with = "at")]
    patch: bool,
    /// One JSON document, and nothing else, on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = work(&session, &args).await;
    session.close().await;
    result
}

async fn work(session: &Session, args: &Args) -> Result<Exit, Problem> {
    let client = &session.client;
    let Some(id) = versions::meant(client, args.proposal.as_deref()).await? else {
        return nothing(args, "nothing was proposed yet");
    };
    let steps = client.history(&id).await?;
    if let Some(at) = args.at {
        let step = steps.iter().rfind(|step| step.number <= at);
        let Some(step) = step else {
            return nothing(args, "nothing was written by then");
        };
        let texts = client.history_at(&id, step.number).await?;
        if args.json {
            print::line(&serde_json::to_string(&texts).map_err(Problem::internal)?);
            return Ok(Exit::Done);
        }
        for (path, text) in &texts.files {
            print::line(&format!("{}:", print::clean(path)));
            text.lines()
                .for_each(|line| print::line(&print::clean(line)));
        }
        return Ok(Exit::Done);
    }
    if args.json {
        print::line(&serde_json::to_string(&steps).map_err(Problem::internal)?);
        return Ok(Exit::Done);
    }
    let mut before = BTreeMap::new();
    for step in &steps {
        let at = step.at.to_zoned(TimeZone::system());
        print::line(&format!(
            "{}  {}  {}",
            step.number,
            at.strftime("%Y-%m-%d %H:%M:%S"),
            print::clean(&step.author)
        ));
        if args.patch {
            let now = client.history_at(&id, step.number).await?.files;
            print::diff(&patch(&before, &now));
            before = now;
        }
    }
    match steps.is_empty() {
        true => nothing(args, "nobody has written this proposal in its room"),
        false => Ok(Exit::Done),
    }
}

fn nothing(args: &Args, why: &str) -> Result<Exit, Problem> {
    if !args.json {
        print::line(why);
    }
    Ok(Exit::Nothing)
}

/// What changed between two states of the texts, as a unified diff.
fn patch(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for path in paths {
        let text = |side: &BTreeMap<String, String>| side.get(path).cloned().unwrap_or_default();
        let (old, new) = (text(before), text(now));
        if old != new {
            let diff = TextDiff::from_lines(&old, &new);
            let mut diff = diff.unified_diff();
            let _ = write!(out, "{}", diff.context_radius(1).header(path, path));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_shown_by_what_it_changed() {
        let texts = |text: &str| BTreeMap::from([("a".to_owned(), text.to_owned())]);
        let shown = patch(&texts("one\ntwo\n"), &texts("one\n2\n"));
        assert_eq!(shown, "--- a\n+++ a\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n");
        assert_eq!(patch(&texts("one\n"), &texts("one\n")), "");
    }
}
