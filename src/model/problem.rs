//! What went wrong, in the form people and programs get it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An error as an RFC 9457 problem document, with `hint`: what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable code, e.g. `not-found`; on the wire `type` is `about:sayso/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short summary of the kind of problem.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What failed, and why, in this case.
    pub detail: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of `kind` (a slug) with an HTTP status; the title is the slug in words.
    pub fn new(status: u16, kind: &str, detail: impl Into<String>) -> Self {
        let mut title = kind.replace('-', " ");
        if let Some(first) = title.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        Self {
            kind: format!("about:sayso/{kind}"),
            title,
            status,
            detail: detail.into(),
            hint: None,
        }
    }

    /// Adds what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// 400: the request makes no sense.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad-request", detail)
    }

    /// 404: no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", detail)
    }

    /// 409: the state does not allow it.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", detail)
    }

    /// 503: the server is ending, and did nothing with what it was asked.
    pub fn ending() -> Self {
        Self::new(503, "ending", "the server is ending")
            .hint("ask again: another one may follow it")
    }

    /// 500: our fault or the machine's.
    pub fn internal(detail: impl fmt::Display) -> Self {
        Self::new(500, "internal", detail.to_string())
    }

    /// True when the slug of the problem's type is `kind`.
    pub fn is(&self, kind: &str) -> bool {
        self.kind.strip_prefix("about:sayso/") == Some(kind)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// Why an edit was refused rather than guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// Two or more places fit equally well.
    Ambiguous,
    /// No place fits.
    NotFound,
    /// The text is part literal, part expression.
    Mixed,
    /// The value is computed (a year, a date).
    Computed,
    /// The new value was not said.
    ValueMissing,
    /// Outside the repository, or a secret.
    OutOfScope,
    /// Build output: its source must be changed instead.
    Generated,
    /// The words make no request that is understood.
    Unclear,
}

impl RefusalReason {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::NotFound => "not_found",
            Self::Mixed => "mixed",
            Self::Computed => "computed",
            Self::ValueMissing => "value_missing",
            Self::OutOfScope => "out_of_scope",
            Self::Generated => "generated",
            Self::Unclear => "unclear",
        }
    }
}

/// A place that was considered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Path from the root of the repository, `/` between parts.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// The text at that place, one line, at most 200 characters.
    pub text: String,
}

/// A refusal: the honest alternative to a guess.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The code.
    pub reason: RefusalReason,
    /// What was not clear, and why.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The places considered, best first.
    #[serde(default)]
    pub candidates: Vec<Candidate>,
}

impl Refusal {
    /// A refusal with no candidates.
    pub fn new(reason: RefusalReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            hint: None,
            candidates: Vec::new(),
        }
    }

    /// Adds what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the places considered.
    pub fn candidates(mut self, candidates: Vec<Candidate>) -> Self {
        self.candidates = candidates;
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.as_str(), self.message)
    }
}

impl std::error::Error for Refusal {}
