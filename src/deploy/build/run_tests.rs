use std::time::Instant;

use super::*;

const LONG: Duration = Duration::from_secs(30);

async fn lines(command: &str, timeout: Duration) -> (Result<(), RunError>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let env = BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]);
    let outcome = run(
        command,
        folder.path(),
        &env,
        timeout,
        &CancellationToken::new(),
        &mut |line| {
            seen.push(line);
        },
    )
    .await;
    (outcome, seen)
}

#[tokio::test]
async fn output_comes_line_by_line_from_both_pipes() {
    let (outcome, mut seen) = lines("echo $GREETING; echo oops >&2; printf last", LONG).await;
    seen.sort();
    assert!(outcome.is_ok());
    assert_eq!(seen, ["hello", "last", "oops"]);
}

#[tokio::test]
async fn a_failure_tells_its_code() {
    let (outcome, seen) = lines("echo why; exit 7", LONG).await;
    assert!(
        matches!(outcome, Err(RunError::Failed(Some(7)))),
        "{outcome:?}"
    );
    assert_eq!(seen, ["why"]);
    let (outcome, _) = lines("sayso-no-such-program", LONG).await;
    assert!(
        matches!(outcome, Err(RunError::Failed(Some(127)))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_ended_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("pid");
    let command = format!("sleep 600 & echo $! > {}; wait", mark.display());
    let started = Instant::now();
    let (outcome, _) = lines(&command, Duration::from_millis(300)).await;
    assert!(matches!(outcome, Err(RunError::TimedOut)), "{outcome:?}");
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_gone(&mark).await;
}

#[tokio::test]
async fn a_canceled_command_is_ended_even_when_it_ignores_the_request() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("pid");
    let command = format!(
        "trap '' TERM; echo $$ > {}; while :; do sleep 0.05; done",
        mark.display()
    );
    let cancel = CancellationToken::new();
    let env = BTreeMap::new();
    let mut ignore = |_| {};
    let running = run(&command, folder.path(), &env, LONG, &cancel, &mut ignore);
    let stopping = async {
        while !mark.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(running, stopping);
    assert!(matches!(outcome, Err(RunError::Canceled)), "{outcome:?}");
    assert_gone(&mark).await;
}

#[tokio::test]
async fn what_a_command_leaves_running_neither_blocks_nor_survives() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("pid");
    let started = Instant::now();
    let (outcome, seen) = lines(
        &format!("sleep 600 & echo $! > {}; echo done", mark.display()),
        LONG,
    )
    .await;
    assert!(outcome.is_ok());
    assert_eq!(seen, ["done"]);
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_gone(&mark).await;
}

/// Waits until the process whose id is in `mark` has ended.
async fn assert_gone(mark: &Path) {
    let id: i32 = std::fs::read_to_string(mark)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        // A process that has ended but was not waited for by its new parent is gone as far as we are concerned.
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "process {id} still runs: {state}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn secrets_are_withheld() {
    for name in [
        "GITHUB_PAT",
        "VERCEL_TOKEN",
        "OPENAI_API_KEY",
        "npm_token",
        "AWS_SECRET_ACCESS_KEY",
        "GIT_DIR",
    ] {
        assert!(is_withheld(OsStr::new(name)), "{name}");
    }
    for name in [
        "PATH",
        "HOME",
        "NODE_ENV",
        "VERCEL_ORG_ID",
        "TOKEN_RING",
        "MONKEY",
    ] {
        assert!(!is_withheld(OsStr::new(name)), "{name}");
    }
}

#[test]
fn lines_are_fit_to_be_shown() {
    let cases: [(&[u8], &str); 10] = [
        (b"plain", "plain"),
        (b"\x1b[31mred\x1b[0m text\r", "\u{1b}[31mred\u{1b}[0m text"),
        (b"\x1b[38;5;208mdeep\x1b[31~", "\u{1b}[38;5;208mdeep"),
        (b"10%\r50%\rdone", "done"),
        (b"\x1b]8;;http://x\x07link\x1b]8;;\x1b\\ end", "link end"),
        (b"a\tb", "a    b"),
        (b"bell\x07 and \x00null", "bell and null"),
        (b"caf\xc3\xa9 \xff", "café \u{fffd}"),
        (b"\x1b[2J\x1b(Bclear", "clear"),
        (b"", ""),
    ];
    for (raw, expected) in cases {
        assert_eq!(clean(raw), expected, "{raw:?}");
    }
    assert_eq!(clean(&[b'x'; 5000]).chars().count(), LINE + 1);
}
