//! The folders Sayso keeps things in: never inside the site's repository.

use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use sha2::{Digest, Sha256};

use crate::model::Problem;

/// The platform's folders for Sayso.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Configuration.
    pub config: PathBuf,
    /// State: what must not be lost.
    pub state: PathBuf,
    /// Cache: what can be fetched again.
    pub cache: PathBuf,
}

impl Paths {
    /// The platform's own folders (XDG on Linux, Application Support on macOS, AppData on Windows).
    ///
    /// # Errors
    /// When the home folder is not known.
    pub fn platform() -> Result<Self, Problem> {
        let base = choose_native_strategy().map_err(|error| {
            Problem::new(
                500,
                "no-home",
                format!("the home folder is not known: {error}"),
            )
            .hint("set HOME")
        })?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir());
        Ok(Self {
            config: base.config_dir().join("sayso"),
            state: state.join("sayso"),
            cache: base.cache_dir().join("sayso"),
        })
    }

    /// The user's configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// Where speech models and their runtime are: `SAYSO_MODELS`, else the cache folder.
    pub fn models(&self) -> PathBuf {
        std::env::var_os("SAYSO_MODELS").map_or_else(|| self.cache.join("models"), PathBuf::from)
    }

    /// What a cockpit keeps of the server at `url` for the person or token `whose`.
    pub fn server(&self, url: &url::Url, whose: &str) -> PathBuf {
        let digest = Sha256::digest(format!("{url}\n{whose}").as_bytes());
        let hash: String = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let host = url.host_str().unwrap_or("server").chars();
        let host: String = host
            .map(|c| {
                if c.is_ascii_alphanumeric() || "-.".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .take(48)
            .collect();
        self.state.join("servers").join(format!("{host}-{hash}"))
    }

    /// The state of the project whose repository is at `root`.
    pub fn project(&self, root: &Path) -> ProjectPaths {
        let canonical = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let digest = Sha256::digest(canonical.as_os_str().as_encoded_bytes());
        let hash: String = digest
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name: String = canonical
            .file_name()
            .map_or_else(|| "site".into(), |name| name.to_string_lossy().into_owned())
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .take(48)
            .collect();
        ProjectPaths {
            dir: self.state.join("projects").join(format!("{name}-{hash}")),
        }
    }
}

/// The state of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectPaths {
    /// The folder that holds it all.
    pub dir: PathBuf,
}

impl ProjectPaths {
    /// The database.
    pub fn database(&self) -> PathBuf {
        self.dir.join("sayso.db")
    }

    /// The recordings.
    pub fn recordings(&self) -> PathBuf {
        self.dir.join("recordings")
    }

    /// Releases and objects of the embedded host.
    pub fn host(&self) -> PathBuf {
        self.dir.join("host")
    }

    /// Previews of proposals, as long as they are served.
    pub fn previews(&self) -> PathBuf {
        self.dir.join("previews")
    }

    /// What is remembered of environments that are served elsewhere.
    pub fn targets(&self) -> PathBuf {
        self.dir.join("targets")
    }

    /// The program's log.
    pub fn log(&self) -> PathBuf {
        self.dir.join("sayso.log")
    }

    /// Held while a process owns the project's state.
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// What tokens are signed with, readable by the user alone.
    pub fn keys(&self) -> PathBuf {
        self.dir.join("keys.json")
    }

    /// Address and token of the process that owns the state, readable by the user alone.
    pub fn server(&self) -> PathBuf {
        self.dir.join("server.json")
    }
}
