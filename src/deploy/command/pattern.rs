//! What a person's regular expressions find in the output of a program. Pure.

use regex::Regex;

use crate::model::Problem;

/// Finds progress and the live address in lines of output.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    progress: Option<Regex>,
    address: Option<Regex>,
}

impl Patterns {
    /// From the configuration; an empty text finds nothing.
    ///
    /// # Errors
    /// `config` when a text is no regular expression.
    pub fn new(progress: &str, address: &str) -> Result<Self, Problem> {
        Ok(Self {
            progress: pattern("progress", progress)?,
            address: pattern("address", address)?,
        })
    }

    /// Of 1000, how much is done by this line.
    pub fn progress(&self, line: &str) -> Option<u16> {
        let found = self.progress.as_ref()?.captures(line)?;
        let number = |at: usize| found.get(at)?.as_str().trim().parse::<f64>().ok();
        let done = number(1)?;
        let of = match found.len() {
            3.. => number(2)?,
            _ => 100.0,
        };
        (of > 0.0 && done >= 0.0).then(|| (done / of * 1000.0).min(1000.0) as u16)
    }

    /// The live address in this line.
    pub fn address(&self, line: &str) -> Option<String> {
        let found = self.address.as_ref()?.captures(line)?;
        let text = found.get(1).or_else(|| found.get(0))?.as_str();
        let text = text.trim().trim_end_matches(['.', ',', ')', '"', '\'']);
        let url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let parsed = url::Url::parse(&url).ok()?;
        (["http", "https"].contains(&parsed.scheme()) && parsed.has_host()).then_some(url)
    }
}

fn pattern(what: &str, text: &str) -> Result<Option<Regex>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    Regex::new(text).map(Some).map_err(|error| {
        Problem::new(
            422,
            "config",
            format!("the command's {what} {text:?} is no regular expression: {error}"),
        )
        .hint("correct it under [deploy.command] or [environment.command] in sayso.toml")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_percentage_or_done_of_all() {
        let percent = Patterns::new(r"(\d+)%", "").unwrap();
        assert_eq!(percent.progress("uploading 25% …"), Some(250));
        assert_eq!(percent.progress("250%"), Some(1000));
        assert_eq!(percent.progress("uploading"), None);
        let of = Patterns::new(r"(\d+) of (\d+)", "").unwrap();
        assert_eq!(of.progress("3 of 4 files"), Some(750));
        assert_eq!(of.progress("3 of 0 files"), None);
    }

    #[test]
    fn the_address_is_the_first_group_or_the_whole_match() {
        let group = Patterns::new("", r"URL:\s+(\S+)").unwrap();
        assert_eq!(
            group
                .address("Website URL:  https://a.example.org.")
                .as_deref(),
            Some("https://a.example.org")
        );
        let whole = Patterns::new("", r"[a-z0-9-]+\.pages\.dev").unwrap();
        assert_eq!(
            whole
                .address("Take a look at shop.pages.dev now")
                .as_deref(),
            Some("https://shop.pages.dev")
        );
        assert_eq!(group.address("URL: file:///etc/passwd"), None);
        assert!(
            Patterns::new("(", "")
                .unwrap_err()
                .detail
                .contains("progress")
        );
    }
}
