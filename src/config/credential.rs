//! Tokens of services: from the environment, the system's keyring, or a service's own program. They never stand in a
//! configuration file, and are never printed.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::model::Problem;

/// A token or key. Neither its `Debug` nor an error shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps it, without the blanks around it.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether a header can carry it.
    pub fn sendable(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a token was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In this variable of the environment.
    Environment(&'static str),
    /// In the system's keyring.
    Keyring,
    /// Told by `gh auth token`.
    Gh,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "the environment ({name})"),
            Self::Keyring => f.write_str("the system's keyring"),
            Self::Gh => f.write_str("gh auth token"),
        }
    }
}

/// A service that wants a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// GitHub.
    GitHub,
    /// Vercel.
    Vercel,
    /// Another machine that runs `sayso serve`.
    Host,
    /// OpenAI, or a server that speaks its language.
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// Google Gemini.
    Gemini,
}

impl Service {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 6] = [
        Self::GitHub,
        Self::Vercel,
        Self::Host,
        Self::OpenAi,
        Self::Anthropic,
        Self::Gemini,
    ];

    /// Its name on the command line and in the keyring.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Vercel => "vercel",
            Self::Host => "host",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    /// The variables that may hold its token for `host` (empty for the usual one); the first that is set counts. A token
    /// for one host is not for another, whose address may come from a repository.
    pub fn variables(self, host: &str) -> &'static [&'static str] {
        match self {
            Self::GitHub if !host.is_empty() && host != "github.com" => {
                &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"]
            }
            Self::GitHub => &["GITHUB_PAT", "GH_TOKEN", "GITHUB_TOKEN"],
            Self::Vercel => &["VERCEL_TOKEN"],
            Self::Host => &["SAYSO_HOST_TOKEN"],
            Self::OpenAi => &["OPENAI_API_KEY"],
            Self::Anthropic => &["ANTHROPIC_API_KEY"],
            Self::Gemini => &["GOOGLE_GEMINI_API_KEY"],
        }
    }
}

/// A token, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The token.
    pub secret: Secret,
    /// Where it was found.
    pub origin: Origin,
}

/// For a keyring that asks a person to unlock it, and for a program that is asked.
const ANSWER: Duration = Duration::from_secs(20);

/// Looks for the token of `service` on `host` (empty for its usual one): the environment, the keyring, then for GitHub
/// its own program. May block for a while: not for a thread of the runtime.
pub fn find(service: Service, host: &str) -> Option<Credential> {
    if let Some(found) = in_environment(service, host) {
        return Some(found);
    }
    if let Ok(Some(secret)) = in_keyring(service, host) {
        return Some(Credential {
            secret,
            origin: Origin::Keyring,
        });
    }
    if service != Service::GitHub {
        return None;
    }
    gh(host).map(|secret| Credential {
        secret,
        origin: Origin::Gh,
    })
}

/// The token in the environment.
pub fn in_environment(service: Service, host: &str) -> Option<Credential> {
    service.variables(host).iter().find_map(|name| {
        let secret = Secret::new(std::env::var(name).ok()?);
        (!secret.expose().is_empty()).then_some(Credential {
            secret,
            origin: Origin::Environment(name),
        })
    })
}

/// The token in the system's keyring; `None` when it holds none.
///
/// # Errors
/// `keyring` when there is no keyring, or it stays locked.
pub fn in_keyring(service: Service, host: &str) -> Result<Option<Secret>, Problem> {
    with_keyring(service, host, |entry| match entry.get_password() {
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    })
}

/// Stores a token in the system's keyring, in place of an earlier one.
///
/// # Errors
/// `bad-request` for what cannot be a token; `keyring` when there is none, or it stays locked.
pub fn store(service: Service, host: &str, secret: &Secret) -> Result<(), Problem> {
    if !secret.sendable() {
        return Err(Problem::bad_request(
            "that is no token: it is empty, or holds blanks or other signs",
        ));
    }
    let secret = secret.clone();
    with_keyring(service, host, move |entry| {
        entry.set_password(secret.expose())
    })
}

/// Takes the token out of the keyring; false when it held none.
///
/// # Errors
/// `keyring` when there is no keyring, or it stays locked.
pub fn remove(service: Service, host: &str) -> Result<bool, Problem> {
    with_keyring(service, host, |entry| match entry.delete_credential() {
        Ok(()) => Ok(true),
        Err(keyring::Error::NoEntry) => Ok(false),
        Err(error) => Err(error),
    })
}

/// The name of the file that says which services have a token in the keyring.
const LOGINS: &str = "logins";

/// The services whose tokens `sayso login` put into the keyring, by the note in the state folder. A keyring that is locked
/// asks for its password: it is only opened for what is known to be in it.
pub fn noted(state: &Path) -> Vec<Service> {
    let text = std::fs::read_to_string(state.join(LOGINS)).unwrap_or_default();
    let named = |service: &Service| text.lines().any(|line| line.trim() == service.name());
    Service::ALL.into_iter().filter(named).collect()
}

/// Notes that the keyring holds a service's token, or no longer.
///
/// # Errors
/// `state` when the note cannot be written.
pub fn note(state: &Path, service: Service, there: bool) -> Result<(), Problem> {
    let mut all = noted(state);
    all.retain(|known| *known != service);
    all.extend(there.then_some(service));
    let text: String = all
        .iter()
        .map(|service| format!("{}\n", service.name()))
        .collect();
    std::fs::create_dir_all(state)
        .and_then(|()| std::fs::write(state.join(LOGINS), text))
        .map_err(|error| {
            Problem::new(
                500,
                "state",
                format!("the state folder cannot be written: {error}"),
            )
            .hint("check its rights and that the disk is not full")
        })
}

/// Works with the keyring's entry, on a thread of its own: it may ask a person, and has a runtime of its own.
fn with_keyring<T: Send + 'static>(
    service: Service,
    host: &str,
    work: impl FnOnce(&keyring::v1::Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let user = match host {
        "" | "github.com" => service.name().to_owned(),
        host => format!("{}:{host}", service.name()),
    };
    let (sender, answer) = mpsc::channel();
    std::thread::spawn(move || {
        let result = keyring::v1::Entry::new("sayso", &user).and_then(|entry| work(&entry));
        let _ = sender.send(result);
    });
    let variable = service.variables(host)[0];
    let failed = |why: &str| {
        Problem::new(
            503,
            "keyring",
            format!("the system's keyring cannot be used: {why}"),
        )
        .hint(format!(
            "unlock or install one (GNOME Keyring, KWallet), or set {variable}"
        ))
    };
    match answer.recv_timeout(ANSWER) {
        Ok(Ok(value)) => Ok(value),
        // Its own words are kept short: they may hold what was to be stored.
        Ok(Err(keyring::Error::NoStorageAccess(_))) => Err(failed("it is locked")),
        Ok(Err(keyring::Error::NoDefaultStore)) => Err(failed("there is none")),
        Ok(Err(_)) => Err(failed("it refused")),
        Err(_) => Err(failed("it did not answer")),
    }
}

/// What GitHub's own program says; `None` without it, or when nobody is logged in there.
fn gh(host: &str) -> Option<Secret> {
    let host = if host.is_empty() { "github.com" } else { host };
    let mut child = Command::new("gh")
        .args(["auth", "token", "--hostname", host])
        .env("GH_PROMPT_DISABLED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let until = Instant::now() + ANSWER;
    // A token is far shorter than a pipe holds, so the program never waits for a reader.
    let status = loop {
        match child.try_wait().ok()? {
            Some(status) => break status,
            None if Instant::now() > until => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let text = std::io::read_to_string(child.stdout.take()?).ok()?;
    let secret = Secret::new(text);
    (status.success() && secret.sendable()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let credential = Credential {
            secret: Secret::new(" ghp_canary \n"),
            origin: Origin::Keyring,
        };
        assert_eq!(credential.secret.expose(), "ghp_canary");
        assert!(!format!("{credential:?}").contains("canary"));
        assert!(!format!("{credential:#?}").contains("canary"));
    }

    #[test]
    fn a_token_is_for_one_host() {
        assert!(Service::GitHub.variables("").contains(&"GITHUB_PAT"));
        assert!(
            Service::GitHub
                .variables("github.com")
                .contains(&"GITHUB_PAT")
        );
        assert!(
            !Service::GitHub
                .variables("git.example.org")
                .contains(&"GITHUB_PAT")
        );
    }

    #[test]
    fn which_services_have_a_token_is_noted_without_it() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(noted(state.path()), []);
        note(state.path(), Service::Gemini, true).unwrap();
        note(state.path(), Service::Anthropic, true).unwrap();
        note(state.path(), Service::Anthropic, true).unwrap();
        assert_eq!(noted(state.path()), [Service::Anthropic, Service::Gemini]);
        note(state.path(), Service::Gemini, false).unwrap();
        assert_eq!(noted(state.path()), [Service::Anthropic]);
    }

    #[test]
    fn what_cannot_be_a_token_is_not_sent() {
        assert!(Secret::new("ghp_x").sendable());
        for text in ["", "  ", "a b", "a\nb", "ü"] {
            assert!(!Secret::new(text).sendable(), "{text:?}");
        }
        let problem = store(Service::GitHub, "", &Secret::new("can ary")).unwrap_err();
        assert!(!problem.to_string().contains("can ary"));
    }
}
