//! The one ONNX Runtime environment of this process.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use crate::model::Problem;

/// A process has one environment for ever: a second one is an error even after the first was dropped.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// The environment, made from the library at `library` on the first call. Later calls return the first one.
///
/// # Errors
/// `speech-runtime` when the library cannot be loaded or is too old; the next call tries again.
pub fn environment(library: &Path) -> Result<Environment, Problem> {
    let mut slot = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*slot {
        return Ok(environment.clone());
    }
    let refused = |why: String| {
        Problem::new(
            503,
            "speech-runtime",
            format!("cannot use ONNX Runtime at {}: {why}", library.display()),
        )
        .hint(
            "run `sayso speech install` again, or set ORT_DYLIB_PATH to ONNX Runtime 1.23 or newer",
        )
    };
    // An absolute path, because a relative one is looked for beside the program first.
    let library = std::path::absolute(library).map_err(|error| refused(error.to_string()))?;
    let environment = ort::init_from(&library)
        .map_err(|error| refused(error.to_string()))?
        .with_name("sayso")
        .with_telemetry(false)
        // The library's own logger writes coloured text over whatever is on the screen.
        .with_logger(Arc::new(log))
        .build()
        .map_err(|error| refused(error.to_string()))?;
    environment.set_log_level(LogLevel::Warning);
    Ok(slot.insert(environment).clone())
}

fn log(level: LogLevel, _category: &str, _id: &str, place: &str, message: &str) {
    match level {
        LogLevel::Error | LogLevel::Fatal => tracing::error!(place, "onnxruntime: {message}"),
        LogLevel::Warning => tracing::warn!(place, "onnxruntime: {message}"),
        _ => tracing::trace!(place, "onnxruntime: {message}"),
    }
}
