//! Where the recogniser's files are.

use std::path::{Path, PathBuf};

use crate::model::Problem;

/// The folder of the model inside the folder of all models.
pub const MODEL_FOLDER: &str = "moonshine-tiny-en";

/// The folder of the runtime library inside the folder of all models.
pub const RUNTIME_FOLDER: &str = "onnxruntime";

/// The encoder's file in the model's folder.
pub const ENCODER: &str = "encoder_model.ort";

/// The decoder's file in the model's folder.
pub const DECODER: &str = "decoder_model_merged.ort";

/// The vocabulary's file in the model's folder.
pub const VOCABULARY: &str = "tokenizer.bin";

/// The runtime library's file name on this platform.
pub const RUNTIME: &str = if cfg!(windows) {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// Names another ONNX Runtime library (1.23 or newer) than the installed one.
pub const RUNTIME_VARIABLE: &str = "ORT_DYLIB_PATH";

/// The files of an installed model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFiles {
    /// The encoder.
    pub encoder: PathBuf,
    /// The decoder.
    pub decoder: PathBuf,
    /// The vocabulary.
    pub vocabulary: PathBuf,
    /// The ONNX Runtime library.
    pub runtime: PathBuf,
}

impl ModelFiles {
    /// The paths inside the folder `models`, whether they exist or not.
    pub fn within(models: &Path) -> Self {
        let model = models.join(MODEL_FOLDER);
        let runtime = std::env::var_os(RUNTIME_VARIABLE)
            .filter(|path| !path.is_empty())
            .map_or_else(|| models.join(RUNTIME_FOLDER).join(RUNTIME), PathBuf::from);
        Self {
            encoder: model.join(ENCODER),
            decoder: model.join(DECODER),
            vocabulary: model.join(VOCABULARY),
            runtime,
        }
    }

    /// The paths inside the folder `models`, all of which exist.
    ///
    /// # Errors
    /// `speech-not-installed` when one is missing.
    pub fn find(models: &Path) -> Result<Self, Problem> {
        let files = Self::within(models);
        let all = [
            &files.encoder,
            &files.decoder,
            &files.vocabulary,
            &files.runtime,
        ];
        let missing = all.into_iter().find(|path| !path.is_file()).cloned();
        match missing {
            None => Ok(files),
            Some(missing) => Err(Problem::new(
                503,
                "speech-not-installed",
                format!(
                    "speech recognition is not installed: there is no {}",
                    missing.display()
                ),
            )
            .hint("run `sayso speech install`, or type instead")),
        }
    }
}
