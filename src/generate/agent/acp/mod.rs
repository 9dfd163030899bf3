//! An agent that speaks the Agent Client Protocol, version 1 (agentclientprotocol.com), over its standard input and output.
//!
//! Sayso is the client: it opens one session in the copy of the site, sends the words as its prompt, shows what the agent
//! tells, and asks the person what the agent asks. What the agent reports about files is shown and not believed: the
//! difference of the copy counts. Terminals are not offered: what an agent runs, it runs itself, and asks before it does.

mod files;
pub(super) mod permit;
mod told;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use agent_client_protocol::schema::ProtocolVersion;
use agent_client_protocol::v1::ConnectionTo;
use agent_client_protocol::v1::schema::{
    CancelNotification, ClientCapabilities, ContentBlock, ErrorCode, FileSystemCapabilities,
    Implementation, InitializeRequest, NewSessionRequest, PromptRequest, ReadTextFileRequest,
    ReadTextFileResponse, RequestPermissionRequest, RequestPermissionResponse, SessionId,
    SessionNotification, StopReason, TextContent, WriteTextFileRequest, WriteTextFileResponse,
};
use agent_client_protocol::{Agent, Client, Error, Lines};
use futures::stream;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::process::{Process, line, lines};
use super::run::how;
use super::scratch::Scratch;
use crate::generate::{Answered, Request, Step};
use crate::model::Problem;
use told::Listener;

/// How long an agent may take over its own end once the person has stopped it.
const GRACE: Duration = Duration::from_millis(50);

/// How long what it has still to say is waited for when it has ended by itself.
const TRAILING: Duration = Duration::from_millis(500);

/// A message longer than this is none, in bytes.
const LONGEST: u64 = 32 << 20;

/// Lines of its error output in an error.
const TAIL: usize = 8;

/// How often the clock is read.
const TICK: Duration = Duration::from_millis(200);

/// What is run.
pub(super) struct Order {
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// The copy it works in.
    pub scratch: Arc<Scratch>,
    /// Variables of the environment that it gets.
    pub env: Vec<String>,
    /// Kinds of work that are allowed without a question.
    pub allow: Vec<String>,
    /// For how long at most; the time in which a person thinks about a question does not count.
    pub limit: Duration,
}

/// How it ended.
pub(super) struct Outcome {
    /// What it said last.
    pub said: String,
    /// What it cost, where it told.
    pub cost: Option<String>,
    /// What stopped it before it was done.
    pub stopped: Option<&'static str>,
}

/// Lets the agent work. Dropping the future tells it to stop and ends it with everything it started.
///
/// # Errors
/// `agent-missing`, `agent-failed`, `agent-login`.
pub(super) async fn work(
    order: Order,
    request: Request,
    words: String,
) -> Result<Outcome, Problem> {
    // In a task of its own: a future that is dropped cannot say goodbye any more.
    let cancel = CancellationToken::new();
    let guard = cancel.clone().drop_guard();
    let done = tokio::spawn(session(order, request, words, cancel)).await;
    guard.disarm();
    done.map_err(Problem::internal)?
}

/// What the parts of a session share.
struct Shared {
    program: String,
    folder: PathBuf,
    allow: Vec<String>,
    request: Request,
    listener: Mutex<Listener>,
    /// Questions that wait for the person.
    asking: AtomicUsize,
    /// Where a stop is sent, once the session is there.
    session: OnceLock<(ConnectionTo<Agent>, SessionId)>,
}

impl Shared {
    fn listener(&self) -> std::sync::MutexGuard<'_, Listener> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn permit(&self, asked: &RequestPermissionRequest) -> bool {
        let kind = permit::kind(&asked.tool_call.fields);
        if self.allow.iter().any(|allowed| allowed == kind) {
            return true;
        }
        let question = permit::question(&self.program, asked, &self.folder);
        let text = question.text.clone();
        self.asking.fetch_add(1, Ordering::Relaxed);
        let answer = self.request.ask(question).await;
        self.asking.fetch_sub(1, Ordering::Relaxed);
        let yes = answer != Answered::No;
        let word = if yes { "allowed" } else { "not allowed" };
        self.request.tell(Step::Note(format!("{word}: {text}")));
        yes
    }
}

async fn session(
    order: Order,
    request: Request,
    words: String,
    cancel: CancellationToken,
) -> Result<Outcome, Problem> {
    let program = order.arguments.first().cloned().unwrap_or_default();
    let mut process = Process::start(&order.arguments, order.scratch.folder(), &order.env)
        .map_err(|error| missing(&program, &error))?;
    let (Some(stdin), Some(stdout), Some(stderr)) = (
        process.child.stdin.take(),
        process.child.stdout.take(),
        process.child.stderr.take(),
    ) else {
        return Err(Problem::internal("a program without pipes"));
    };
    let tail = Arc::new(Mutex::new(Vec::new()));
    let mut kept = tokio::spawn(keep(stderr, Arc::clone(&tail)));
    let shared = Arc::new(Shared {
        program: short(&program),
        folder: order.scratch.folder().to_owned(),
        allow: order.allow.clone(),
        request,
        listener: Mutex::new(Listener::default()),
        asking: AtomicUsize::new(0),
        session: OnceLock::new(),
    });
    let talk = converse(Arc::clone(&shared), stdin, stdout, Arc::clone(&tail), words);
    tokio::pin!(talk);
    let mut spent = Duration::ZERO;
    let ended = loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => {
                if let Some((connection, id)) = shared.session.get() {
                    // It may be gone already.
                    let _ = connection.send_notification(CancelNotification::new(id.clone()));
                    let _ = tokio::time::timeout(GRACE, &mut talk).await;
                }
                process.end();
                return Err(Problem::new(499, "canceled", "stopped"));
            }
            ended = &mut talk => break ended,
            status = process.child.wait() => {
                // Its last words may still be on their way.
                let last = tokio::time::timeout(TRAILING, &mut talk).await;
                let how = status.map_or_else(|error| format!("was lost: {error}"), how);
                break match last {
                    Ok(Ok(stop)) => Ok(stop),
                    _ => Err(Trouble::Ended(how)),
                };
            }
            () = tokio::time::sleep(TICK) => {
                if shared.asking.load(Ordering::Relaxed) == 0 {
                    spent += TICK;
                }
                if spent >= order.limit {
                    let how = format!("took longer than {} s and was ended", order.limit.as_secs());
                    break Err(Trouble::Ended(how));
                }
            }
        }
    };
    process.end();
    if ended.is_err() {
        // Why it failed stands in its error output, of which the last part may not be read yet.
        let _ = tokio::time::timeout(TRAILING, &mut kept).await;
    }
    let (steps, said, cost) = shared.listener().end();
    for step in steps {
        shared.request.tell(step);
    }
    let stop = ended.map_err(|trouble| {
        let tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.problem(&program, &tail.join("\n"))
    })?;
    let stopped = match stop {
        StopReason::EndTurn => None,
        StopReason::MaxTokens => Some("it came to the end of what its model may write"),
        StopReason::MaxTurnRequests => Some("it came to the end of the steps it may take"),
        StopReason::Refusal => Some("it declined"),
        _ => Some("it stopped before it was done"),
    };
    Ok(Outcome {
        said,
        cost,
        stopped,
    })
}

/// The conversation: hello, a session, the prompt, its answer.
async fn converse(
    shared: Arc<Shared>,
    stdin: ChildStdin,
    stdout: ChildStdout,
    tail: Arc<Mutex<Vec<String>>>,
    words: String,
) -> Result<StopReason, Trouble> {
    let sink = futures::sink::unfold(stdin, |mut stdin: ChildStdin, line: String| async move {
        stdin.write_all(line.as_bytes()).await?;
        stdin.write_all(b"\n").await?;
        stdin.flush().await?;
        Ok::<_, std::io::Error>(stdin)
    });
    let messages = Box::pin(stream::unfold(
        (BufReader::new(stdout), tail),
        |(mut reader, tail)| async move {
            loop {
                let mut bytes = Vec::new();
                let mut piece = (&mut reader).take(LONGEST);
                match piece.read_until(b'\n', &mut bytes).await {
                    Ok(0) => return None,
                    Ok(_) => {}
                    Err(error) => return Some((Err(error), (reader, tail))),
                }
                if bytes.len() as u64 >= LONGEST {
                    let error = std::io::Error::other("a message without end");
                    return Some((Err(error), (reader, tail)));
                }
                let text = String::from_utf8_lossy(&bytes);
                let text = text.trim();
                // Programs print greetings and warnings where only messages belong.
                if text.starts_with('{')
                    && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
                {
                    return Some((Ok(text.to_owned()), (reader, tail)));
                }
                remember(&tail, line(text));
            }
        },
    ));
    let (hears, permits, reads, writes) = (
        shared.clone(),
        shared.clone(),
        shared.clone(),
        shared.clone(),
    );
    Client
        .v1()
        .name("sayso")
        .on_receive_notification(
            async move |told: SessionNotification, _cx| {
                let steps = hears.listener().hear(told.update);
                for step in steps {
                    hears.request.tell(step);
                }
                Ok(())
            },
            agent_client_protocol::on_receive_notification!(),
        )
        .on_receive_request(
            async move |asked: RequestPermissionRequest, responder, cx: ConnectionTo<Agent>| {
                let permits = permits.clone();
                // What it tells meanwhile is heard, however long the person thinks.
                cx.spawn(async move {
                    let yes = permits.permit(&asked).await;
                    let outcome = permit::answer(&asked.options, yes);
                    responder.respond(RequestPermissionResponse::new(outcome))
                })
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: ReadTextFileRequest, responder, _cx| match files::read(
                &reads.folder,
                &asked.path,
                asked.line,
                asked.limit,
            ) {
                Ok(text) => responder.respond(ReadTextFileResponse::new(text)),
                Err(why) => responder.respond_with_error(Error::invalid_params().data(why)),
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: WriteTextFileRequest, responder, _cx| match files::write(
                &writes.folder,
                &asked.path,
                &asked.content,
            ) {
                Ok(()) => responder.respond(WriteTextFileResponse::new()),
                Err(why) => {
                    let note = format!("not written: {}", line(&why));
                    writes.request.tell(Step::Note(note));
                    responder.respond_with_error(Error::invalid_params().data(why))
                }
            },
            agent_client_protocol::on_receive_request!(),
        )
        .connect_with(
            Lines::new(sink, messages),
            async move |cx: ConnectionTo<Agent>| prompt(&shared, &cx, words).await,
        )
        .await
        .map_err(Trouble::Protocol)
}

async fn prompt(
    shared: &Shared,
    cx: &ConnectionTo<Agent>,
    words: String,
) -> Result<StopReason, Error> {
    let files = FileSystemCapabilities::new()
        .read_text_file(true)
        .write_text_file(true);
    let hello = InitializeRequest::new(ProtocolVersion::V1)
        .client_capabilities(ClientCapabilities::new().fs(files))
        .client_info(Implementation::new("sayso", env!("CARGO_PKG_VERSION")));
    let there = cx.send_request(hello).block_task().await?;
    if there.protocol_version != ProtocolVersion::V1 {
        let why = format!(
            "it speaks version {:?} of the protocol, and 1 is wanted",
            there.protocol_version
        );
        return Err(Error::invalid_request().data(why));
    }
    let folder = shared.folder.clone();
    let opened = cx.send_request(NewSessionRequest::new(folder));
    let id = opened.block_task().await?.session_id;
    // Set once: there is one session.
    let _ = shared.session.set((cx.clone(), id.clone()));
    let text = ContentBlock::Text(TextContent::new(words));
    let ended = cx.send_request(PromptRequest::new(id, vec![text]));
    Ok(ended.block_task().await?.stop_reason)
}

/// What goes wrong between Sayso and an agent.
enum Trouble {
    /// It answered with an error, or not in the protocol.
    Protocol(Error),
    /// It was over before it was done.
    Ended(String),
}

impl Trouble {
    fn problem(self, program: &str, tail: &str) -> Problem {
        let (what, login) = match self {
            Self::Ended(how) => (how, false),
            Self::Protocol(error) => {
                let data = match &error.data {
                    Some(serde_json::Value::String(text)) => format!(": {}", line(text)),
                    _ => String::new(),
                };
                let what = format!("answered: {}{data}", line(&error.message));
                (what, error.code == ErrorCode::AuthRequired)
            }
        };
        if login {
            return Problem::new(401, "agent-login", format!("the agent {program} {what}"))
                .hint("log in with its own program first, or name the variable with its key in [generate.agent] env");
        }
        let tail = if tail.is_empty() {
            String::new()
        } else {
            format!(": {tail}")
        };
        Problem::new(
            502,
            "agent-failed",
            format!("the agent {program} {what}{tail}"),
        )
        .hint("nothing was changed; run its command by hand to see more, and see docs/agents.md")
    }
}

/// The problem of an agent that does not start.
pub(super) fn missing(program: &str, error: &str) -> Problem {
    Problem::new(
        501,
        "agent-missing",
        format!("the agent {program} cannot be started: {error}"),
    )
    .hint("install it, or mend [generate.agent] command in your configuration")
}

/// The name of a program without the way to it.
fn short(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    line(name)
}

fn remember(tail: &Mutex<Vec<String>>, text: String) {
    if text.is_empty() {
        return;
    }
    let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
    if tail.len() == TAIL {
        tail.remove(0);
    }
    tail.push(text);
}

async fn keep(pipe: impl tokio::io::AsyncRead + Unpin, tail: Arc<Mutex<Vec<String>>>) {
    let (sender, mut told) = mpsc::channel(64);
    let read = lines(pipe, sender);
    let store = async {
        while let Some(text) = told.recv().await {
            remember(&tail, text);
        }
    };
    tokio::join!(read, store);
}
