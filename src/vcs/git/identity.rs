//! Who commits, and how: the person's own settings.

use crate::model::Problem;

use super::Git;
use super::run::Call;

/// Where HEAD points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The branch's short name; empty when HEAD is detached.
    pub branch: String,
    /// The commit; empty on a branch without commits.
    pub commit: String,
    /// The folder of the hooks, as git resolves it.
    pub hooks: std::path::PathBuf,
}

/// The settings a commit follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// `commit.gpgSign`.
    pub sign: bool,
    /// `commit.cleanup`, lower case; empty when not set.
    pub cleanup: String,
    /// What a comment line in a message begins with.
    pub comment: String,
    /// Hooks are set in the configuration itself, so there may be one without a file.
    pub hooks_in_config: bool,
}

impl Git {
    /// Where HEAD points, and where hooks are.
    pub(super) async fn head(&self) -> Result<Head, Problem> {
        let call = Call::new([
            "rev-parse",
            "--git-path",
            "hooks",
            "HEAD",
            "--symbolic-full-name",
            "HEAD",
        ]);
        let output = self.run(call).await?;
        let text = output.text();
        let lines: Vec<&str> = text.lines().collect();
        let hooks = self.root().join(lines.first().unwrap_or(&".git/hooks"));
        if output.code == 0 {
            let branch = lines
                .get(2)
                .and_then(|name| name.strip_prefix("refs/heads/"));
            return Ok(Head {
                branch: branch.unwrap_or_default().to_owned(),
                commit: lines.get(1).copied().unwrap_or_default().to_owned(),
                hooks,
            });
        }
        // HEAD names a branch that has no commit yet.
        let unborn = self.run(Call::new(["symbolic-ref", "-q", "HEAD"])).await?;
        match unborn.text().strip_prefix("refs/heads/") {
            Some(branch) if unborn.code == 0 => Ok(Head {
                branch: branch.to_owned(),
                commit: String::new(),
                hooks,
            }),
            _ => Err(output.failed()),
        }
    }

    /// The settings a commit follows.
    pub(super) async fn settings(&self) -> Result<Settings, Problem> {
        let call = Call::new(["config", "-z", "--get-regexp"])
            .args([r"^(commit\.(gpgsign|cleanup)|core\.comment(char|string)|hook\..*)$"]);
        let output = self.run(call).await?;
        // 1: none of them is set.
        if output.code > 1 {
            return Err(output.failed());
        }
        Ok(settings(&output.stdout))
    }

    /// Who a commit would be by, as `Name <mail>`.
    ///
    /// # Errors
    /// `identity-missing` with the commands that set it.
    pub async fn identity(&self) -> Result<String, Problem> {
        let output = self.run(Call::new(["var", "GIT_AUTHOR_IDENT"])).await?;
        if output.code != 0 {
            return Err(unnamed(&output.stderr, output.failed()));
        }
        // `Name <mail> seconds zone`
        let text = output.text();
        Ok(text
            .rfind('>')
            .map_or(text.clone(), |end| text[..=end].to_owned()))
    }

    /// The person's name, as commits would carry it; `None` when git does not know one.
    pub async fn user_name(&self) -> Option<String> {
        let identity = self.identity().await.ok()?;
        identity.split_once(" <").map(|(name, _)| name.to_owned())
    }
}

/// Whether git complains about a missing name or address; otherwise `other`.
pub(super) fn unnamed(stderr: &str, other: Problem) -> Problem {
    let missing = [
        "Please tell me who you are",
        "empty ident name",
        "user.useConfigOnly",
    ];
    if !missing.iter().any(|text| stderr.contains(text)) {
        return other;
    }
    Problem::new(
        422,
        "identity-missing",
        "git does not know your name and e-mail address",
    )
    .hint(
        "run: git config --global user.name \"Your Name\" && \
         git config --global user.email you@example.com",
    )
}

/// Reads `git config -z`: `key\nvalue\0`, or `key\0` for a bare key, which means true. The last one counts.
fn settings(stdout: &[u8]) -> Settings {
    let mut settings = Settings {
        comment: "#".to_owned(),
        ..Settings::default()
    };
    for record in stdout
        .split(|byte| *byte == 0)
        .filter(|record| !record.is_empty())
    {
        let record = String::from_utf8_lossy(record);
        let (key, value) = record.split_once('\n').unwrap_or((&record, "true"));
        match key {
            "commit.gpgsign" => {
                let value = value.to_ascii_lowercase();
                settings.sign = matches!(value.as_str(), "true" | "yes" | "on")
                    || value.parse::<i64>().is_ok_and(|number| number != 0);
            }
            "commit.cleanup" => settings.cleanup = value.to_ascii_lowercase(),
            "core.commentchar" | "core.commentstring" if value != "auto" => {
                settings.comment = value.to_owned();
            }
            key if key.starts_with("hook.") => settings.hooks_in_config = true,
            _ => {}
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_setting_counts_and_a_bare_key_is_true() {
        let read = |text: &str| settings(text.as_bytes());
        assert!(read("commit.gpgsign\nfalse\0commit.gpgsign\0").sign);
        assert!(!read("commit.gpgsign\nyes\0commit.gpgsign\noff\0").sign);
        assert_eq!(
            read("commit.cleanup\nVerbatim\0core.commentchar\n;\0").comment,
            ";"
        );
        assert_eq!(read("").comment, "#");
    }

    #[test]
    fn a_missing_identity_says_what_to_run() {
        let other = Problem::internal("other");
        let problem = unnamed(
            "fatal: empty ident name (for <a@b>) not allowed",
            other.clone(),
        );
        assert!(problem.is("identity-missing"));
        let hint = problem.hint.unwrap();
        assert!(hint.contains("user.name") && hint.contains("user.email"));
        assert_eq!(unnamed("fatal: disk full", other.clone()), other);
    }
}
