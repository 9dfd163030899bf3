//! Language models: one conversation, several services.
//!
//! A [`Protocol`] turns an [`Exchange`] into a request body and the stream of an answer into a [`Reply`]; it knows no
//! network, so each service is tested on recorded bytes. [`send`](send::send) is the one place that talks: it streams,
//! repeats what is safe to repeat, and takes an answer that breaks off for what it is.

pub mod anthropic;
pub mod compatible;
pub mod engine;
pub mod gemini;
pub mod openai;
pub mod prompt;
pub mod send;
pub mod sse;

use std::time::Duration;

use serde_json::Value;

use crate::model::Problem;

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The person, and Sayso on their behalf.
    User,
    /// The model.
    Assistant,
}

/// One turn of a conversation. What a model proposed by a tool is said again as text: services differ in what they want
/// to see of an earlier call, and none of them minds text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who.
    pub role: Role,
    /// What.
    pub text: String,
}

/// A tool that a model is to call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// JSON schema of its arguments.
    pub schema: Value,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// Instructions that stay the same over a conversation.
    pub system: String,
    /// What was said so far, the person first.
    pub turns: Vec<Turn>,
    /// The tool; none for a model that has to answer in text.
    pub tool: Option<Tool>,
}

/// How a service is asked.
#[derive(Clone, PartialEq)]
pub struct Options {
    /// The API's address without a closing slash.
    pub url: String,
    /// The key; empty for servers that want none.
    pub key: String,
    /// The model.
    pub model: String,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// `low`, `medium`, `high`, or empty for the service's own choice.
    pub effort: String,
}

// The key never gets into a log.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("url", &self.url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Tokens of an exchange, as the service counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Usage {
    /// Read, those from a cache included.
    pub input: u64,
    /// Of these, read from a cache.
    pub cached: u64,
    /// Written, thinking included.
    pub output: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input += other.input;
        self.cached += other.cached;
        self.output += other.output;
    }
}

/// A piece of an answer that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// A part of the tool's arguments, as JSON text.
    Tool(String),
    /// A part of the text.
    Text(String),
    /// The model thinks; what it thinks is not shown.
    Thinking,
}

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The tool's arguments as JSON text; empty when it was not called.
    pub tool: String,
    /// The text.
    pub text: String,
    /// What it took.
    pub usage: Usage,
    /// True when the service stopped it at the longest length.
    pub cut: bool,
}

impl Reply {
    /// The tool's arguments, else the text.
    pub fn content(&self) -> &str {
        if self.tool.trim().is_empty() {
            &self.text
        } else {
            &self.tool
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What failed, and why, for people.
    pub problem: Problem,
    /// Whether another try may help, and how long the service wants to be left alone.
    pub again: Option<Duration>,
}

impl Failure {
    /// A failure that another try does not mend.
    pub fn of(problem: Problem) -> Self {
        Self {
            problem,
            again: None,
        }
    }

    /// A stream that ended before the answer did.
    pub fn cut(service: &str) -> Self {
        Self {
            problem: Problem::new(
                502,
                "model-cut",
                format!("the answer of {service} broke off before its end"),
            )
            .hint("nothing was changed; say it again"),
            again: Some(Duration::ZERO),
        }
    }

    /// What the service said instead of an answer. `kind` is its own code, or the HTTP status in letters.
    pub fn said(service: &str, status: u16, kind: &str, message: &str) -> Self {
        let message: String = message.chars().take(300).collect();
        let detail = match message.trim() {
            "" => format!("{service} answered {status} ({kind})"),
            message => format!("{service} answered {status}: {message}"),
        };
        let busy = matches!(status, 408 | 409 | 425 | 429 | 500..=599)
            || matches!(
                kind,
                "overloaded_error"
                    | "rate_limit_error"
                    | "api_error"
                    | "server_error"
                    | "UNAVAILABLE"
            );
        let (slug, hint) = match status {
            401 | 403 => (
                "model-key",
                "check the key and what it may do; `sayso doctor` names where it comes from",
            ),
            402 => ("model-quota", "the account has no credit left"),
            404 => (
                "model-unknown",
                "check the model and the address in the configuration",
            ),
            413 => (
                "model-too-much",
                "ask for a smaller change, or point at the file",
            ),
            429 => (
                "model-busy",
                "the service wants fewer requests; try again in a while",
            ),
            400 | 422 => ("model-refused", "check the model in the configuration"),
            _ => (
                "model-busy",
                "the service is busy or down; try again, or take another engine",
            ),
        };
        let status = if (400..600).contains(&status) {
            status
        } else {
            502
        };
        Self {
            problem: Problem::new(status, slug, detail).hint(hint),
            again: busy.then_some(Duration::ZERO),
        }
    }
}

/// One service's way to be asked and to answer. No I/O.
pub trait Protocol: Send + Sync {
    /// The engine's name: in the configuration, for `--engine`, in messages.
    fn name(&self) -> &'static str;

    /// The address that is asked.
    fn url(&self, options: &Options) -> String;

    /// The headers besides the content type: names and values.
    fn headers(&self, options: &Options) -> Vec<(&'static str, String)>;

    /// The request's body.
    fn body(&self, options: &Options, exchange: &Exchange) -> Value;

    /// A reader for one answer.
    fn reader(&self) -> Box<dyn Reader>;

    /// The code and the message of an error document.
    fn error(&self, body: &Value) -> (String, String) {
        let error = &body["error"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let kind = match (&error["type"], &error["status"], &error["code"]) {
            (Value::String(kind), ..) | (_, Value::String(kind), _) | (.., Value::String(kind)) => {
                kind.clone()
            }
            _ => String::new(),
        };
        let message = match error {
            Value::String(message) => message.clone(),
            _ => text(&error["message"]),
        };
        (kind, message)
    }
}

/// Reads the events of one answer.
pub trait Reader: Send {
    /// One server-sent event: its name (`message` where it has none) and its data.
    ///
    /// # Errors
    /// When the service says in the stream that it failed, or what it says is not understood.
    fn event(&mut self, name: &str, data: &str) -> Result<Vec<Delta>, Failure>;

    /// True when the answer has said that it is whole.
    fn done(&self) -> bool;

    /// The answer; asked for once, after the last event.
    ///
    /// # Errors
    /// [`Failure::cut`] when its end was never said: a stream that just stops is no answer.
    fn reply(&mut self) -> Result<Reply, Failure>;
}

/// Reads an event's data as JSON.
pub(crate) fn json(service: &str, data: &str) -> Result<Value, Failure> {
    serde_json::from_str(data).map_err(|error| {
        Failure::of(
            Problem::new(
                502,
                "model-answer",
                format!("the answer of {service} is not understood: {error}"),
            )
            .hint("check the address in the configuration: does it speak this API?"),
        )
    })
}

/// The refusal of a service's own safety rules.
pub(crate) fn declined(service: &str, why: &str) -> Failure {
    Failure::of(
        Problem::new(
            422,
            "model-declined",
            format!("{service} declined the request: {why}"),
        )
        .hint("say it in other words"),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Plays `stream` (bytes of a body) to a reader.
    pub fn played(protocol: &dyn Protocol, stream: &str) -> Result<(Vec<Delta>, Reply), Failure> {
        let mut reader = protocol.reader();
        let mut events = sse::Parser::default();
        let mut deltas = Vec::new();
        for event in events.push(stream.as_bytes()) {
            deltas.extend(reader.event(&event.name, &event.data)?);
        }
        Ok((deltas, reader.reply()?))
    }

    /// An exchange with everything in it.
    pub fn exchange() -> Exchange {
        Exchange {
            system: "Be exact.".into(),
            turns: vec![
                Turn {
                    role: Role::User,
                    text: "Change it".into(),
                },
                Turn {
                    role: Role::Assistant,
                    text: "{}".into(),
                },
                Turn {
                    role: Role::User,
                    text: "Again".into(),
                },
            ],
            tool: Some(Tool {
                name: "propose_edit",
                purpose: "Propose",
                schema: crate::generate::edits::schema(),
            }),
        }
    }

    /// Options with a key that must not be seen.
    pub fn options() -> Options {
        Options {
            url: "http://127.0.0.1:1/v1".into(),
            key: "canary".into(),
            model: "m".into(),
            max_tokens: 100,
            effort: String::new(),
        }
    }

    #[test]
    fn a_key_is_not_in_what_is_printed() {
        assert!(!format!("{:?}", options()).contains("canary"));
    }

    #[test]
    fn what_may_be_tried_again_is_known_by_status_and_code() {
        for (status, kind, again) in [
            (429, "", true),
            (529, "overloaded_error", true),
            (500, "api_error", true),
            (200, "overloaded_error", true),
            (400, "invalid_request_error", false),
            (401, "authentication_error", false),
            (404, "not_found_error", false),
        ] {
            let failure = Failure::said("x", status, kind, "m");
            assert_eq!(failure.again.is_some(), again, "{status} {kind}");
            assert!(failure.problem.hint.is_some());
        }
    }
}
