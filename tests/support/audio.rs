//! What tests of sound share: the installed model, spoken words, skipping with a reason.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::PathBuf;

use sayso::speech::local::files::ModelFiles;

/// The folder of the installed models: `SAYSO_MODELS`, or where `sayso speech install` puts them on Linux.
pub fn models() -> PathBuf {
    if let Some(folder) = std::env::var_os("SAYSO_MODELS") {
        return PathBuf::from(folder);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    cache
        .unwrap_or_else(|| home.join(".cache"))
        .join("sayso/models")
}

/// The installed models, or `None` after saying why the test is skipped.
pub fn installed_models() -> Option<PathBuf> {
    let models = models();
    match ModelFiles::find(&models) {
        Ok(_) => Some(models),
        Err(problem) => {
            println!("SKIPPED: {problem}");
            None
        }
    }
}

/// The recorded voice `name` of `assets/voice`.
pub fn recorded(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("assets/voice")
        .join(name)
}

/// Lower-case words without punctuation.
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| {
            word.chars()
                .filter(|letter| letter.is_alphanumeric())
                .collect::<String>()
                .to_lowercase()
        })
        .filter(|word| !word.is_empty())
        .collect()
}
