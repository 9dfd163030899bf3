//! Any agent that works in a folder: it is given a copy of the site and the words, and the difference is the proposal.
//!
//! Whatever it says, only what stands in its copy afterwards counts. The copy is a git repository of its own with the base
//! commit's files; the person's repository is not reachable from it. Stopping the request ends the agent and everything it
//! started.

mod acp;
mod process;
mod run;
mod scratch;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::edits::Limits;
use super::{Generated, Generator, NotMade, Request, Step, plan};
use crate::model::{Problem, Refusal, RefusalReason};
use run::{Ended, Order};
use scratch::Scratch;

pub use acp::permit::KINDS;

/// The engine's name.
const NAME: &str = "agent";

/// What stands for the words in the command.
const WORDS: &str = "{words}";

/// Lines of output that are told; the rest is only kept for the case that it fails.
const TOLD: usize = 200;

/// Lines of output in an error.
const TAIL: usize = 8;

/// What an agent is told besides what the person wants.
const MANNERS: &str = "You work in a copy of a website's repository, in the current folder. Change its files so that they do \
    what is asked for, and nothing else. Do not commit, push, deploy, or start servers: what you changed is looked at and \
    approved by a person afterwards. If something is not clear, ask, and change nothing.";

/// How an agent is talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// It takes its words on the command line.
    Command,
    /// The Agent Client Protocol.
    Acp,
}

/// How an agent is run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How it is talked to.
    pub speaks: Speaks,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables of the environment that it gets besides what every program needs; `NAME*` for all that begin so.
    pub env: Vec<String>,
    /// Kinds of work that are allowed without a question, of [`KINDS`].
    pub allow: Vec<String>,
    /// How long it may take.
    pub limit: Duration,
    /// How much it may change at once.
    pub limits: Limits,
    /// A change of more files than so many is shown as a plan first; 0: never.
    pub few: usize,
}

/// An agent.
pub struct Agent {
    setup: Setup,
}

impl Agent {
    /// The agent of `setup`. For one that takes its words on the command line, `{words}` becomes the instruction.
    pub fn new(setup: Setup) -> Self {
        Self { setup }
    }

    /// The program and its arguments for `words`. Without a place for them they are the last argument.
    fn arguments(&self, words: &str) -> Vec<String> {
        let command = &self.setup.command;
        let mut out: Vec<String> = command
            .iter()
            .map(|part| part.replace(WORDS, words))
            .collect();
        if !command.iter().any(|part| part.contains(WORDS)) {
            out.push(words.to_owned());
        }
        out
    }

    /// Runs it to its end; what it said last, and what else is worth a note.
    async fn work(
        &self,
        request: &Request,
        words: String,
        scratch: &Arc<Scratch>,
    ) -> Result<(String, Vec<String>), NotMade> {
        match self.setup.speaks {
            Speaks::Command => Ok((self.run(request, &words, scratch).await?, Vec::new())),
            Speaks::Acp => {
                let order = acp::Order {
                    arguments: self.setup.command.clone(),
                    scratch: Arc::clone(scratch),
                    env: self.setup.env.clone(),
                    allow: self.setup.allow.clone(),
                    limit: self.setup.limit,
                };
                let words = format!("{words}\n\n{MANNERS}");
                let outcome = acp::work(order, request.clone(), words).await?;
                let mut notes: Vec<String> = outcome.cost.into_iter().collect();
                if let Some(why) = outcome.stopped {
                    notes.push(format!("it was not done: {why}"));
                }
                Ok((outcome.said, notes))
            }
        }
    }

    /// Runs one that takes its words on the command line; the end of its output.
    async fn run(
        &self,
        request: &Request,
        words: &str,
        scratch: &Scratch,
    ) -> Result<String, Problem> {
        let arguments = self.arguments(words);
        let program = arguments.first().cloned().unwrap_or_default();
        let mut tail: Vec<String> = Vec::new();
        let mut told = 0;
        let order = Order {
            arguments: &arguments,
            folder: scratch.folder(),
            env: &self.setup.env,
            limit: self.setup.limit,
        };
        let ended = run::run(order, |line| {
            told += 1;
            if told <= TOLD {
                request.tell(Step::Note(line.clone()));
            }
            if tail.len() == TAIL {
                tail.remove(0);
            }
            tail.push(line);
        })
        .await;
        let said = tail.join("\n");
        match ended {
            Ended::Well => Ok(said),
            Ended::Badly(how) => {
                let detail = format!("the agent {program} {how}: {said}");
                Err(Problem::new(502, "agent-failed", detail)
                    .hint("nothing was changed; run its command by hand to see more"))
            }
            Ended::NotStarted(error) => Err(acp::missing(&program, &error)),
        }
    }
}

#[async_trait]
impl Generator for Agent {
    fn name(&self) -> &'static str {
        NAME
    }

    fn offline(&self) -> bool {
        false
    }

    async fn generate(&self, request: Request) -> Result<Generated, NotMade> {
        let mut words = request.original.clone();
        for one in &request.background {
            words.push_str("\n\n");
            words.push_str(&one.text);
        }
        if let Some(path) = &request.file_path {
            words.push_str(&format!("\n\nThe person points at the file {path}."));
        }
        let tree = request.tree.clone();
        let scratch = tokio::task::spawn_blocking(move || Scratch::lay_out(tree.as_ref()))
            .await
            .map_err(Problem::internal)?
            .map_err(|error| {
                Problem::new(
                    500,
                    "agent-copy",
                    format!("the copy for the agent cannot be written: {error}"),
                )
                .hint("check the room and the rights of the temporary folder")
            })?;
        let scratch = Arc::new(scratch);
        let program = self.setup.command.first().cloned().unwrap_or_default();
        request.tell(Step::Note(format!("{program} works in a copy of the site")));
        let (said, more) = self.work(&request, words, &scratch).await?;
        let tree = request.tree.clone();
        let limits = self.setup.limits;
        let found = tokio::task::spawn_blocking(move || scratch.difference(tree.as_ref(), limits))
            .await
            .map_err(Problem::internal)?;
        let mut made = found.map_err(|faults| {
            let all: Vec<String> = faults.iter().take(3).map(ToString::to_string).collect();
            Problem::new(
                422,
                "agent-unfit",
                format!("what the agent made cannot be proposed: {}", all.join("; ")),
            )
            .hint("nothing was changed; ask for less at a time")
        })?;
        if made.files.is_empty() {
            let mut why = "the agent changed nothing.".to_owned();
            for note in &more {
                why.push_str(&format!(" {note}."));
            }
            if !said.is_empty() {
                why.push_str(&format!(" It said: {said}"));
            }
            return Err(Refusal::new(RefusalReason::Unclear, why)
                .hint("answer what it asks by saying the whole request again, or say it in other words")
                .into());
        }
        let who = format!("the agent {program}");
        let agreed = plan::cut(&request, &who, self.setup.few, &mut made.files, &[]).await?;
        made.warnings.retain(|warning| {
            let about = |path: &String| warning.starts_with(path.as_str());
            !agreed.left_out.iter().any(about)
        });
        let title: String = request
            .original
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(72)
            .collect();
        let mut notes = vec![format!("made by {program} in a copy of the site")];
        notes.extend(more);
        notes.extend(agreed.note());
        notes.extend((!said.is_empty()).then_some(said));
        Ok(Generated {
            title,
            notes,
            warnings: made.warnings,
            files: made.files,
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::MemoryTree;

    fn agent(script: &str) -> Agent {
        let command = ["sh", "-c", script, "agent", "{words}"]
            .map(str::to_owned)
            .to_vec();
        Agent::new(Setup {
            speaks: Speaks::Command,
            command,
            env: Vec::new(),
            allow: Vec::new(),
            limit: Duration::from_secs(60),
            limits: Limits::default(),
            few: 0,
        })
    }

    fn request(words: &str) -> Request {
        let files = [
            ("index.html", "<h1>One</h1>\n"),
            ("gone.txt", "x\n"),
            (".gitignore", "node_modules/\n"),
            ("bin/tool.sh", "#!/bin/sh\n"),
        ];
        Request {
            words: words.into(),
            original: words.into(),
            file_path: None,
            tree: Arc::new(MemoryTree::new(files)),
            earlier: None,
            background: Vec::new(),
            steps: None,
            asks: None,
        }
    }

    fn made(agent: &Agent, words: &str) -> Result<Generated, NotMade> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(agent.generate(request(words)))
    }

    #[test]
    fn the_difference_is_the_change_whatever_is_said() {
        let script = "printf '<h1>%s</h1>\\n' \"$1\" > index.html; rm gone.txt; mkdir -p css node_modules/x; \
                      echo 'b{}' > css/new.css; echo junk > node_modules/x/y.js; git commit -qam done; echo 'I changed nothing'";
        let made = made(&agent(script), "$(rm -rf /) \"quoted\"").unwrap();
        let files: Vec<(&str, Option<&str>)> = made
            .files
            .iter()
            .map(|file| (file.path.as_str(), file.after.as_deref()))
            .collect();
        assert_eq!(
            files,
            [
                ("css/new.css", Some("b{}\n")),
                ("gone.txt", None),
                ("index.html", Some("<h1>$(rm -rf /) \"quoted\"</h1>\n")),
            ]
        );
        assert!(
            made.notes.iter().any(|note| note == "I changed nothing"),
            "{made:?}"
        );
    }

    #[test]
    fn an_agent_that_fails_or_does_nothing_is_told_with_its_last_words() {
        let failed = made(&agent("echo 'no key' >&2; exit 3"), "x").unwrap_err();
        assert!(
            matches!(&failed, NotMade::Failed(problem) if problem.detail.contains("no key")),
            "{failed:?}"
        );
        let idle = made(&agent("echo 'what do you mean?'"), "x").unwrap_err();
        assert!(
            matches!(&idle, NotMade::Refused(refusal) if refusal.message.contains("what do you mean?")),
            "{idle:?}"
        );
        let missing = Agent::new(Setup {
            command: vec!["no-such-agent-anywhere".into()],
            ..agent("").setup
        });
        let missing = made(&missing, "x").unwrap_err();
        assert!(
            matches!(&missing, NotMade::Failed(problem) if problem.is("agent-missing")),
            "{missing:?}"
        );
    }

    #[test]
    fn links_and_bytes_that_are_no_text_are_not_proposed() {
        let link = made(&agent("ln -s /etc/passwd link.txt"), "x").unwrap_err();
        assert!(
            matches!(&link, NotMade::Failed(problem) if problem.detail.contains("symbolic link")),
            "{link:?}"
        );
        let bytes = made(&agent("printf '\\377\\000' > index.html"), "x").unwrap_err();
        assert!(
            matches!(&bytes, NotMade::Failed(problem) if problem.detail.contains("not text")),
            "{bytes:?}"
        );
    }

    #[test]
    fn stopping_ends_the_agent_and_what_it_started() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let marks = tempfile::tempdir().unwrap();
        let mark = marks.path().join("pid");
        let script = format!(
            "sleep 300 & echo $! > {0}.new; mv {0}.new {0}; wait",
            mark.display()
        );
        let agent = agent(&script);
        let pid: i32 = runtime.block_on(async {
            let work = agent.generate(request("x"));
            let seen = async {
                loop {
                    if let Ok(text) = std::fs::read_to_string(&mark) {
                        break text.trim().parse().unwrap();
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::select! {
                made = work => panic!("it ended by itself: {made:?}"),
                pid = seen => pid,
            }
        });
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        let began = std::time::Instant::now();
        // Gone, or dead and only not yet collected by whoever inherited it.
        loop {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            let dead = stat.is_ok_and(|stat| stat.contains(") Z"));
            if dead || rustix::process::test_kill_process(pid).is_err() {
                break;
            }
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "the child still runs"
            );
            std::thread::yield_now();
        }
    }
}
