//! Where the recogniser's files are.

use std::path::{Path, PathBuf};

use crate::model::Problem;

/// The folder of the model inside the folder of all models.
pub const MODEL_FOLDER: &str = "moonshine-tiny-en";

/// A model that this recogniser can run.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// What people call it, in the configuration and on the command line.
    pub name: &'static str,
    /// Its name in transcripts.
    pub engine: &'static str,
    /// Its folder inside the folder of all models.
    pub folder: &'static str,
    /// The language it knows, as two letters.
    pub language: &'static str,
    /// The language in words.
    pub called: &'static str,
}

const fn kind(
    name: &'static str,
    engine: &'static str,
    folder: &'static str,
    language: &'static str,
    called: &'static str,
) -> Kind {
    Kind {
        name,
        engine,
        folder,
        language,
        called,
    }
}

/// All of them, the one that is used unless another is named first.
#[rustfmt::skip]
pub static KINDS: [Kind; 10] = [
    kind("tiny-en", "moonshine-tiny", MODEL_FOLDER, "en", "English"),
    kind("base-en", "moonshine-base", "moonshine-base-en", "en", "English"),
    kind("base-ar", "moonshine-base-ar", "moonshine-base-ar", "ar", "Arabic"),
    kind("base-es", "moonshine-base-es", "moonshine-base-es", "es", "Spanish"),
    kind("tiny-ja", "moonshine-tiny-ja", "moonshine-tiny-ja", "ja", "Japanese"),
    kind("base-ja", "moonshine-base-ja", "moonshine-base-ja", "ja", "Japanese"),
    kind("tiny-ko", "moonshine-tiny-ko", "moonshine-tiny-ko", "ko", "Korean"),
    kind("base-uk", "moonshine-base-uk", "moonshine-base-uk", "uk", "Ukrainian"),
    kind("base-vi", "moonshine-base-vi", "moonshine-base-vi", "vi", "Vietnamese"),
    kind("base-zh", "moonshine-base-zh", "moonshine-base-zh", "zh", "Chinese"),
];

impl Kind {
    /// The model called `name`.
    ///
    /// # Errors
    /// `speech-model` with the names there are.
    pub fn named(name: &str) -> Result<&'static Self, Problem> {
        KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
            let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
            Problem::new(
                422,
                "speech-model",
                format!("there is no speech model {name:?}"),
            )
            .hint(format!(
                "there are: {}; see `sayso speech models`",
                names.join(", ")
            ))
        })
    }
}

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
    pub fn within(models: &Path, folder: &str) -> Self {
        let model = models.join(folder);
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

    /// The paths of the model that is used unless another is named.
    ///
    /// # Errors
    /// As [`ModelFiles::find_in`].
    pub fn find(models: &Path) -> Result<Self, Problem> {
        Self::find_in(models, MODEL_FOLDER)
    }

    /// The paths inside the folder `models` of the model in `folder`, all of which exist.
    ///
    /// # Errors
    /// `speech-not-installed` when one is missing.
    pub fn find_in(models: &Path, folder: &str) -> Result<Self, Problem> {
        let files = Self::within(models, folder);
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
            .hint(if folder == MODEL_FOLDER {
                "run `sayso speech install`, or type instead".to_owned()
            } else {
                let name = folder.strip_prefix("moonshine-").unwrap_or(folder);
                format!("run `sayso speech install {name}`, or type instead")
            })),
        }
    }
}
