//! A person's own check: a program whose exit code decides.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::HealthOptions;
use crate::deploy::build::run::{RunError, run};

/// What the program is told.
pub(crate) struct Told<'a> {
    /// The address of the start page.
    pub url: &'a str,
    /// The release that must answer; empty where its name is not known.
    pub release: &'a str,
    /// A header, `name: value`, without which the address answers with another release; empty once it is live.
    pub header: &'a str,
}

/// Runs the program, if there is one, in a process group of its own that is ended when its time is over.
///
/// # Errors
/// How it ended, and its last line.
pub(crate) async fn ask(options: &HealthOptions, told: &Told<'_>) -> Result<(), String> {
    let Some(command) = &options.command else {
        return Ok(());
    };
    let variables = BTreeMap::from(
        [
            ("SAYSO_URL", told.url),
            ("SAYSO_ENVIRONMENT", options.environment.as_str()),
            ("SAYSO_RELEASE", told.release),
            ("SAYSO_HEADER", told.header),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let mut last = String::new();
    let mut line = |text: String| {
        let text = crate::model::ansi::strip(&text).trim().to_owned();
        if !text.is_empty() {
            last = text;
        }
    };
    let limit = options.command_timeout;
    // Dropping this ends the program and all that it started: nothing has to be told to stop.
    let never = CancellationToken::new();
    let outcome = run(
        command,
        &options.folder,
        &variables,
        limit,
        &never,
        &mut line,
    )
    .await;
    let how = match outcome {
        Ok(()) => return Ok(()),
        Err(RunError::TimedOut) => format!("did not end within {} s", limit.as_secs_f64()),
        Err(RunError::Failed(Some(127))) => "needs a program that is not installed here".to_owned(),
        Err(RunError::Failed(Some(code))) => format!("ended with exit code {code}"),
        Err(RunError::Failed(None) | RunError::Canceled) => "was ended by a signal".to_owned(),
        Err(RunError::Io(error)) => format!("could not be run: {error}"),
    };
    let what = if last.is_empty() {
        String::new()
    } else {
        format!(": {last}")
    };
    Err(format!("the check `{command}` {how}{what}"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    async fn asked(command: &str, limit: Duration) -> Result<(), String> {
        let options = HealthOptions {
            environment: "staging".to_owned(),
            command: Some(command.to_owned()),
            command_timeout: limit,
            ..HealthOptions::default()
        };
        let told = Told {
            url: "http://127.0.0.1:1/",
            release: "rel_1",
            header: "",
        };
        ask(&options, &told).await
    }

    #[tokio::test]
    async fn the_exit_code_decides_and_the_last_line_says_why() {
        let long = Duration::from_secs(30);
        let good = "test \"$SAYSO_RELEASE $SAYSO_ENVIRONMENT\" = 'rel_1 staging'";
        assert_eq!(asked(good, long).await, Ok(()));
        let bad = asked("echo first; echo the cart is broken >&2; exit 3", long).await;
        let bad = bad.unwrap_err();
        assert!(bad.contains("exit code 3: the cart is broken"), "{bad}");
    }

    #[tokio::test]
    async fn one_that_hangs_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let command = format!("sleep 600 & echo $! > {}; wait", pid.display());
        let why = asked(&command, Duration::from_millis(300))
            .await
            .unwrap_err();
        assert!(why.contains("did not end within 0.3 s"), "{why}");
        let child = std::fs::read_to_string(&pid).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
            let stat = stat.unwrap_or_default();
            if stat.is_empty() || stat.contains(") Z ") {
                break;
            }
            assert!(Instant::now() < deadline, "it still runs: {stat}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
