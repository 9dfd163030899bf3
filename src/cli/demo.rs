//! `sayso demo`: the whole job on a bundled sample site, in a fresh local repository.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use jiff::tz::TimeZone;

use super::embed::Session;
use super::wait::Watcher;
use super::{Exit, Place, cockpit, print};
use crate::config::Paths;
use crate::model::api::{Approval, Submission};
use crate::model::{Action, InstructionId, InstructionState, LineTag, Problem};

/// The sample site, compiled in.
const SITE: [(&str, &str); 4] = [
    (
        "index.html",
        include_str!("../../assets/sample-site/index.html"),
    ),
    (
        "about.html",
        include_str!("../../assets/sample-site/about.html"),
    ),
    (
        "contact.html",
        include_str!("../../assets/sample-site/contact.html"),
    ),
    (
        "style.css",
        include_str!("../../assets/sample-site/style.css"),
    ),
];

/// A recorded voice that asks for a change of the sample site.
const VOICE: &[u8] = include_bytes!("../../assets/voice/demo.wav");

/// Arguments of `sayso demo`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Without the cockpit: a recorded voice gives the instruction, and it is approved at once.
    #[arg(long)]
    headless: bool,
    /// Another recording than the bundled one.
    #[arg(long, value_name = "FILE")]
    wav: Option<PathBuf>,
}

/// Runs the command.
pub async fn run(args: Args) -> Result<Exit, Problem> {
    let root = lay_out(&Paths::platform()?)?;
    let place = Place {
        repo: Some(root.clone()),
        server: None,
    };
    if !args.headless && std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return cockpit::run(&place, false).await;
    }
    let wav = match &args.wav {
        Some(path) => std::fs::read(path)
            .map_err(|error| Problem::bad_request(format!("{}: {error}", path.display())))?,
        None => VOICE.to_vec(),
    };
    print::line(&format!("sample site in {}", root.display()));
    let session = Session::open(&place).await?;
    let result = headless(&session, wav).await;
    session.close().await;
    result
}

async fn headless(session: &Session, wav: Vec<u8>) -> Result<Exit, Problem> {
    let client = &session.client;
    let status = client.status().await?;
    if !status.speech.ready {
        return Err(Problem::new(501, "no-speech-engine", status.speech.message)
            .hint("run `sayso speech install`"));
    }
    let mut watcher = Watcher::new(client, status.cursor, false);
    // The model loads while a person would still be speaking; its time is shown, not hidden.
    let loading = Instant::now();
    if let Some(conductor) = session.conductor() {
        conductor.speech_ready().await?;
    }
    print::line(&format!(
        "speech model loaded in {} ms",
        loading.elapsed().as_millis()
    ));

    let spoken = Instant::now();
    let submission = Submission {
        action: Action::Deploy,
        ..Submission::default()
    };
    let key = InstructionId::new();
    let accepted = client.submit_audio(wav, &submission, key.as_str()).await?;
    let now = watcher.instruction(&accepted.instruction).await?;
    let (InstructionState::Proposed, Some(id)) = (now.state, now.proposal) else {
        return Ok(Exit::Failed);
    };
    let proposed = spoken.elapsed();
    let view = client.proposal(&id).await?;
    let approval = Approval {
        action: Some(Action::Deploy),
        version: Some(view.proposal.version),
        ..Approval::default()
    };
    let approved = client.approve(&id, &approval).await?;
    let Some(deployment) = approved.deployment else {
        return Ok(Exit::Failed);
    };
    let ended = watcher.deployment(&deployment).await?;
    if ended != Exit::Done {
        return Ok(ended);
    }
    let deployment = client.deployment(&deployment).await?;
    let url = deployment.url.clone().unwrap_or_default();
    let fetched = fetch_back(&url, &view.proposal).await;
    let total = spoken.elapsed();

    print::line("");
    print::line(&format!("commit   {}", approved.commit));
    print::line(&format!("address  {url}"));
    print::line(&format!(
        "stages   words to proposal {} ms",
        proposed.as_millis()
    ));
    for (stage, millis) in &deployment.stages {
        print::line(&format!("         {stage} {millis} ms"));
    }
    print::line(&format!(
        "total    {} ms from the end of speech to fetched back",
        total.as_millis()
    ));
    match fetched {
        Ok(text) => {
            print::line(&format!(
                "LIVE     \u{ab}{}\u{bb} was fetched back from {url}",
                print::clean(&text)
            ));
            Ok(Exit::Done)
        }
        Err(problem) => Err(problem),
    }
}

/// Fetches the changed page from the live address and looks for the changed text.
async fn fetch_back(url: &str, proposal: &crate::model::Proposal) -> Result<String, Problem> {
    let missing = |what: String| Problem::new(502, "not-live", what);
    let file = proposal
        .files
        .first()
        .ok_or_else(|| missing("nothing was changed".into()))?;
    let inserted = file
        .hunks
        .iter()
        .flat_map(|hunk| &hunk.lines)
        .find(|line| line.tag == LineTag::Insert && !line.text.trim().is_empty())
        .ok_or_else(|| missing(format!("{} has no new text", file.path)))?;
    let base = url::Url::parse(url).map_err(|error| missing(format!("{url:?}: {error}")))?;
    let page = base
        .join(&file.path)
        .map_err(|error| missing(error.to_string()))?;
    let unreachable = |error: reqwest::Error| missing(format!("{page} cannot be fetched: {error}"));
    let http = reqwest::Client::builder()
        .no_proxy()
        .build()
        .map_err(Problem::internal)?;
    let response = http.get(page.clone()).send().await.map_err(unreachable)?;
    let status = response.status();
    let body = response.text().await.map_err(unreachable)?;
    if !status.is_success() {
        return Err(missing(format!("{page} answered {status}")));
    }
    if !body.contains(inserted.text.trim()) {
        return Err(missing(format!(
            "{page} does not have the new text {:?}",
            inserted.text.trim()
        )));
    }
    Ok(inserted.text.trim().to_owned())
}

/// A fresh repository with the sample site, in the state folder.
fn lay_out(paths: &Paths) -> Result<PathBuf, Problem> {
    let failed = |error: std::io::Error| {
        Problem::internal(format!("the sample site cannot be laid out: {error}"))
            .hint("check that the state folder can be written")
    };
    let stamp = jiff::Timestamp::now()
        .to_zoned(TimeZone::system())
        .strftime("%Y%m%d-%H%M%S")
        .to_string();
    let parent = paths.state.join("demo");
    super::embed::private_dir(&parent)?;
    let mut root = parent.join(&stamp);
    let mut nth = 1;
    while let Err(error) = std::fs::create_dir(&root) {
        if error.kind() != std::io::ErrorKind::AlreadyExists || nth > 1000 {
            return Err(failed(error));
        }
        nth += 1;
        root = parent.join(format!("{stamp}-{nth}"));
    }
    for (name, text) in SITE {
        std::fs::write(root.join(name), text).map_err(failed)?;
    }
    git(&root, &["init", "--quiet", "--initial-branch=main"])?;
    // The demo's own repository may be committed to by someone without a git identity; theirs wins if they have one.
    for (key, value) in [
        ("user.name", "Sayso Demo"),
        ("user.email", "demo@example.org"),
    ] {
        if git(&root, &["config", key]).is_err() {
            git(&root, &["config", key, value])?;
        }
    }
    git(&root, &["add", "--all"])?;
    git(
        &root,
        &[
            "-c",
            "commit.gpgsign=false",
            "commit",
            "--quiet",
            "--no-verify",
            "-m",
            "The sample site",
        ],
    )?;
    Ok(root)
}

fn git(root: &Path, args: &[&str]) -> Result<(), Problem> {
    let output = std::process::Command::new("git")
        .current_dir(root)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Problem::new(500, "no-git", format!("git cannot be run: {error}")).hint("install git")
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Problem::internal(format!(
        "git {} failed: {}",
        args.join(" "),
        said.trim()
    )))
}
