//! A browser without a window: it takes pictures of pages and tells what they complain about. It is the person's own,
//! where one is installed; none is ever fetched.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

/// How long a page may take.
const LIMIT: Duration = Duration::from_secs(20);

/// What a window is like.
const WINDOW: (u32, u32) = (1280, 800);

/// Milliseconds of a page's own time that it may use up to load.
const PAGE_TIME: u32 = 4_000;

/// Complaints that are kept.
const MOST: usize = 20;

/// The longest complaint, in characters.
const LONGEST: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Chromium,
    Firefox,
}

/// Names of programs, those first that can do more.
const NAMES: [(&str, Kind); 9] = [
    ("chromium", Kind::Chromium),
    ("chromium-browser", Kind::Chromium),
    ("google-chrome", Kind::Chromium),
    ("google-chrome-stable", Kind::Chromium),
    ("chrome", Kind::Chromium),
    ("microsoft-edge", Kind::Chromium),
    ("brave-browser", Kind::Chromium),
    ("firefox", Kind::Firefox),
    ("firefox-esr", Kind::Firefox),
];

/// Where the systems that have no search path for such programs keep them.
const PLACES: [(&str, Kind); 5] = [
    (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        Kind::Chromium,
    ),
    (
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        Kind::Chromium,
    ),
    (
        "/Applications/Firefox.app/Contents/MacOS/firefox",
        Kind::Firefox,
    ),
    (
        "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
        Kind::Chromium,
    ),
    (
        "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
        Kind::Chromium,
    ),
];

/// An installed browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    program: PathBuf,
    kind: Kind,
}

/// What a page complained about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The message.
    pub message: String,
    /// The address of the script, and the line.
    pub source: String,
}

impl Browser {
    /// The browser at `program`, or the first one found on this machine where that is empty.
    ///
    /// # Errors
    /// Why there is none, in a sentence.
    pub fn find(program: &str) -> Result<Self, String> {
        if program == "none" {
            return Err("pictures are turned off: [preview] browser".to_owned());
        }
        if !program.is_empty() {
            let kind = if program.to_ascii_lowercase().contains("firefox") {
                Kind::Firefox
            } else {
                Kind::Chromium
            };
            let found = on_path(program).or_else(|| {
                let path = PathBuf::from(program);
                path.is_file().then_some(path)
            });
            return match found {
                Some(program) => Ok(Self { program, kind }),
                None => Err(format!(
                    "the browser {program} is not installed: [preview] browser"
                )),
            };
        }
        NAMES
            .iter()
            .find_map(|(name, kind)| Some((on_path(name)?, *kind)))
            .or_else(|| {
                PLACES
                    .iter()
                    .map(|(place, kind)| (PathBuf::from(place), *kind))
                    .find(|(place, _)| place.is_file())
            })
            .map(|(program, kind)| Self { program, kind })
            .ok_or_else(|| {
                "no browser is installed that takes pictures: install Chromium, Chrome or Firefox"
                    .to_owned()
            })
    }

    /// Its name for people.
    pub fn name(&self) -> String {
        let name = self.program.file_stem().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Writes a picture of the page at `url` to `file`; `scratch` is for the browser's own files.
    pub(super) async fn picture(
        &self,
        url: &str,
        file: &Path,
        scratch: &Path,
    ) -> Result<(), String> {
        let mut command = self.command(scratch);
        match self.kind {
            Kind::Chromium => {
                command
                    .arg(format!("--window-size={},{}", WINDOW.0, WINDOW.1))
                    .arg("--hide-scrollbars")
                    .arg(format!("--virtual-time-budget={PAGE_TIME}"))
                    .arg(format!("--screenshot={}", file.display()));
            }
            Kind::Firefox => {
                command
                    .arg(format!("--window-size={},{}", WINDOW.0, WINDOW.1))
                    .arg("--screenshot")
                    .arg(file);
            }
        }
        self.run(command.arg(url), |_| {}).await
    }

    /// What the page at `url` writes to its console as an error, and scripts that fail. `Err` with the reason when it
    /// cannot be known.
    ///
    /// # Errors
    /// Why it cannot be known, in a sentence.
    pub async fn complaints(&self, url: &str) -> Result<Vec<Complaint>, String> {
        if self.kind != Kind::Chromium {
            return Err(format!(
                "{} does not tell what pages write to their console; Chromium or Chrome does",
                self.name()
            ));
        }
        let scratch =
            tempfile::tempdir().map_err(|error| format!("no folder for the browser: {error}"))?;
        let mut command = self.command(scratch.path());
        command
            .arg("--enable-logging=stderr")
            .arg("--log-level=0")
            .arg(format!("--virtual-time-budget={PAGE_TIME}"))
            .arg("--dump-dom")
            .arg(url);
        let mut found = Vec::new();
        self.run(&mut command, |line| {
            if let Some(complaint) = complaint(line)
                && found.len() < MOST
                && !found.contains(&complaint)
            {
                found.push(complaint);
            }
        })
        .await?;
        Ok(found)
    }

    /// The program, in a home of its own: the person's profile is never touched.
    fn command(&self, scratch: &Path) -> Command {
        let mut command = Command::new(&self.program);
        let profile = scratch.join("profile");
        match self.kind {
            Kind::Chromium => {
                command
                    .args([
                        "--headless",
                        "--disable-gpu",
                        "--no-first-run",
                        "--mute-audio",
                    ])
                    .args([
                        "--disable-background-networking",
                        "--disable-sync",
                        "--disable-extensions",
                    ])
                    .arg("--disable-dev-shm-usage")
                    .arg(format!("--user-data-dir={}", profile.display()));
                // The browser's own cage cannot be built by root; the page is the person's own site.
                #[cfg(unix)]
                if rustix::process::geteuid().is_root() {
                    command.arg("--no-sandbox");
                }
            }
            Kind::Firefox => {
                let _ = std::fs::create_dir_all(&profile);
                command
                    .args(["--headless", "--no-remote", "--profile"])
                    .arg(profile);
            }
        }
        command
            .env("HOME", scratch)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        command
    }

    async fn run(&self, command: &mut Command, mut line: impl FnMut(&str)) -> Result<(), String> {
        let name = self.name();
        let mut child = command
            .spawn()
            .map_err(|error| format!("{name} cannot be started: {error}"))?;
        let group = crate::deploy::build::run::Group::of(&child);
        let pipe = child.stderr.take();
        let work = async {
            if let Some(pipe) = pipe {
                read(pipe, &mut line).await;
            }
            child.wait().await
        };
        let ended = tokio::time::timeout(LIMIT, work).await;
        // A browser is many processes: none of them outlives the look at a page.
        group.kill();
        match ended {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("{name} ended with {status}")),
            Ok(Err(error)) => Err(format!("{name} could not be watched: {error}")),
            Err(_) => Err(format!("{name} took longer than {} s", LIMIT.as_secs())),
        }
    }
}

async fn read(pipe: impl AsyncRead + Unpin, line: &mut impl FnMut(&str)) {
    let mut lines = BufReader::new(pipe).split(b'\n');
    while let Ok(Some(bytes)) = lines.next_segment().await {
        line(&String::from_utf8_lossy(&bytes));
    }
}

/// A line of Chromium's log about an error on the page's console:
/// `[…:ERROR:CONSOLE:12] "Uncaught TypeError: …", source: http://127.0.0.1/app.js (12)`; older ones write
/// `INFO:CONSOLE(12)` for every level.
fn complaint(line: &str) -> Option<Complaint> {
    let (head, rest) = line.split_once("] \"")?;
    if !head.contains(":CONSOLE") {
        return None;
    }
    let (message, source) = rest.rsplit_once("\", source: ")?;
    let loud = head.contains("ERROR:CONSOLE")
        || message.starts_with("Uncaught")
        || message.starts_with("Failed to load resource")
        || message.contains("Error:");
    if !loud {
        return None;
    }
    let short = |text: &str| text.trim().chars().take(LONGEST).collect::<String>();
    Some(Complaint {
        message: short(message),
        source: short(source),
    })
}

/// The program of this name on the search path.
fn on_path(name: &str) -> Option<PathBuf> {
    if name.contains(['/', '\\']) {
        return None;
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| {
            let exe = cfg!(windows).then(|| folder.join(format!("{name}.exe")));
            std::iter::once(folder.join(name)).chain(exe)
        })
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_a_page_are_told_from_its_talk() {
        let line = "[1121/143000.1:INFO:CONSOLE(3)] \"Uncaught TypeError: x is not a function\", source: http://127.0.0.1:1/a.js (3)";
        let found = complaint(line).unwrap();
        assert_eq!(found.message, "Uncaught TypeError: x is not a function");
        assert_eq!(found.source, "http://127.0.0.1:1/a.js (3)");
        let line = "[1:2:1121/1.1:ERROR:CONSOLE:9] \"it \"broke\"\", source: http://h/ (9)";
        assert_eq!(complaint(line).unwrap().message, "it \"broke\"");
        for quiet in [
            "[1121/1.1:INFO:CONSOLE(3)] \"hello\", source: http://127.0.0.1:1/a.js (3)",
            "[1121/1.1:ERROR:gpu_init.cc(440)] \"x\", source: y (3)",
            "nothing",
        ] {
            assert_eq!(complaint(quiet), None, "{quiet}");
        }
    }

    #[test]
    fn a_browser_that_is_not_there_is_named() {
        assert!(Browser::find("none").unwrap_err().contains("turned off"));
        assert!(
            Browser::find("no-such-browser")
                .unwrap_err()
                .contains("no-such-browser")
        );
    }
}
