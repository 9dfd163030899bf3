//! What makes an answer a good one. Pure.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

use super::HealthOptions;
use crate::model::Problem;

/// A header that an answer must carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Its name.
    pub name: HeaderName,
    /// What its value must contain; `None` when any value will do.
    pub value: Option<String>,
}

impl Marker {
    /// Reads `name` or `name: value`; `None` when nothing is set.
    ///
    /// # Errors
    /// `config` when the name cannot be that of a header.
    pub fn read(text: &str) -> Result<Option<Self>, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name.trim(), Some(value.trim()).filter(|v| !v.is_empty())),
            None => (text, None),
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            Problem::new(
                422,
                "config",
                format!("[health] header: {name:?} cannot be the name of a header"),
            )
            .hint("write it as \"x-version\" or \"x-version: 12\"")
        })?;
        Ok(Some(Self {
            name,
            value: value.map(str::to_owned),
        }))
    }
}

/// An answer, as far as it is judged.
pub(crate) struct Answered<'a> {
    /// The path that was asked for.
    pub path: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, or its beginning.
    pub body: &'a [u8],
    /// From the question to the end of the body.
    pub took: Duration,
}

/// Why an answer is not good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unwell {
    /// What was wrong.
    pub message: String,
    /// True when the same files cannot answer better the next time.
    pub lasting: bool,
}

/// Judges an answer.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn judge(options: &HealthOptions, answered: &Answered<'_>) -> Result<(), Unwell> {
    let path = answered.path;
    let lasting = |message: String| {
        Err(Unwell {
            message,
            lasting: true,
        })
    };
    let status = answered.status;
    match options.status {
        Some(wanted) if wanted != status => {
            return lasting(format!("{path} answered {status}, not {wanted}"));
        }
        None if !(200..300).contains(&status) => {
            return lasting(format!("{path} answered {status}"));
        }
        _ => {}
    }
    if let Some(marker) = &options.header {
        let mut values = answered.headers.get_all(&marker.name).iter().peekable();
        let name = &marker.name;
        if values.peek().is_none() {
            return lasting(format!("{path} has no header {name}"));
        }
        if let Some(wanted) = &marker.value
            && !values.any(|value| String::from_utf8_lossy(value.as_bytes()).contains(wanted))
        {
            return lasting(format!(
                "the header {name} of {path} does not contain {wanted:?}"
            ));
        }
    }
    if let Some(text) = &options.expect_text
        && !String::from_utf8_lossy(answered.body).contains(text.as_str())
    {
        return lasting(format!("{path} does not contain {text:?}"));
    }
    if let Some(budget) = options.latency
        && answered.took > budget
    {
        let (took, budget) = (answered.took.as_millis(), budget.as_millis());
        return Err(Unwell {
            message: format!("{path} took {took} ms, more than the {budget} ms that it may"),
            lasting: false,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(change: impl FnOnce(&mut HealthOptions), status: u16, ms: u64) -> Option<Unwell> {
        let mut options = HealthOptions::default();
        change(&mut options);
        let mut headers = HeaderMap::new();
        headers.insert("x-version", "12.3".parse().unwrap());
        let answered = Answered {
            path: "/",
            status,
            headers: &headers,
            body: b"<h1>hello</h1>",
            took: Duration::from_millis(ms),
        };
        judge(&options, &answered).err()
    }

    fn says(unwell: Option<Unwell>, words: &str, lasting: bool) {
        let unwell = unwell.expect(words);
        assert!(
            unwell.message.contains(words) && unwell.lasting == lasting,
            "{unwell:?}"
        );
    }

    #[test]
    fn every_expectation_is_named_when_it_is_not_met() {
        assert_eq!(verdict(|_| {}, 204, 1), None);
        says(verdict(|_| {}, 302, 1), "answered 302", true);
        assert_eq!(verdict(|o| o.status = Some(302), 302, 1), None);
        says(verdict(|o| o.status = Some(204), 200, 1), "not 204", true);
        let header = |text: &str| Marker::read(text).unwrap();
        assert_eq!(verdict(|o| o.header = header("X-Version"), 200, 1), None);
        assert_eq!(
            verdict(|o| o.header = header("x-version: 12"), 200, 1),
            None
        );
        says(
            verdict(|o| o.header = header("x-version: 13"), 200, 1),
            "does not contain \"13\"",
            true,
        );
        says(
            verdict(|o| o.header = header("x-other"), 200, 1),
            "no header x-other",
            true,
        );
        says(
            verdict(|o| o.expect_text = Some("bye".into()), 200, 1),
            "\"bye\"",
            true,
        );
        let slow = |o: &mut HealthOptions| o.latency = Some(Duration::from_millis(100));
        assert_eq!(verdict(slow, 200, 100), None);
        says(verdict(slow, 200, 101), "101 ms", false);
    }

    #[test]
    fn a_header_that_cannot_be_one_is_refused() {
        assert_eq!(Marker::read("  ").unwrap(), None);
        assert!(Marker::read("no such header").is_err());
        assert!(Marker::read(": x").is_err());
    }
}
