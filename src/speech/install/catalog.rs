//! What is installed: names, sizes, sums, sources.
//!
//! Of the model that is used unless another is named, every byte is known: its sums stand here. The others are only on
//! the publisher's server; their sums are taken when they are fetched for the first time (over HTTPS, into the file
//! `SHA256SUMS` beside them) and hold from then on.

use crate::model::Problem;
use crate::speech::local::files::Kind;

/// The publisher's package that holds everything.
pub const PACKAGE: &str = "moonshine-voice==0.0.49";

/// A file to install.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Its path in the models' folder.
    pub path: &'static str,
    /// Its address at the publisher; `None` when only the wheel has it.
    pub url: Option<&'static str>,
    /// Its name in the wheel.
    pub entry: &'static str,
    /// Bytes; 0 when only the publisher knows.
    pub bytes: u64,
    /// SHA-256 in hex; empty when it is not known before the first download.
    pub sha256: &'static str,
    /// The licence, for those who ask.
    pub licence: &'static str,
}

const ENCODER: Part = Part {
    path: "moonshine-tiny-en/encoder_model.ort",
    url: Some("https://download.moonshine.ai/model/tiny-en/quantized/tiny-en/encoder_model.ort"),
    entry: "moonshine_voice/assets/tiny-en/encoder_model.ort",
    bytes: 13_281_600,
    sha256: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    licence: "MIT",
};

const DECODER: Part = Part {
    path: "moonshine-tiny-en/decoder_model_merged.ort",
    url: Some(
        "https://download.moonshine.ai/model/tiny-en/quantized/tiny-en/decoder_model_merged.ort",
    ),
    entry: "moonshine_voice/assets/tiny-en/decoder_model_merged.ort",
    bytes: 30_412_256,
    sha256: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    licence: "MIT",
};

const VOCABULARY: Part = Part {
    path: "moonshine-tiny-en/tokenizer.bin",
    url: Some("https://download.moonshine.ai/model/tiny-en/quantized/tiny-en/tokenizer.bin"),
    entry: "moonshine_voice/assets/tiny-en/tokenizer.bin",
    bytes: 249_974,
    sha256: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
    licence: "MIT",
};

impl Part {
    /// True when its sum stands here.
    pub fn known(&self) -> bool {
        !self.sha256.is_empty()
    }
}

/// The licence of the models that do not speak English.
const COMMUNITY: &str = "Moonshine Community License";

/// The three files of a model that only the publisher's server has.
macro_rules! model {
    ($name:literal, $licence:expr) => {
        [
            model!(file $name, "tokenizer.bin", $licence),
            model!(file $name, "encoder_model.ort", $licence),
            model!(file $name, "decoder_model_merged.ort", $licence),
        ]
    };
    (file $name:literal, $file:literal, $licence:expr) => {
        Part {
            path: concat!("moonshine-", $name, "/", $file),
            url: Some(concat!(
                "https://download.moonshine.ai/model/",
                $name,
                "/quantized/",
                $name,
                "/",
                $file
            )),
            entry: "",
            bytes: 0,
            sha256: "",
            licence: $licence,
        }
    };
}

static OTHERS: [[Part; 3]; 9] = [
    model!("base-en", "MIT"),
    model!("base-ar", COMMUNITY),
    model!("base-es", COMMUNITY),
    model!("tiny-ja", COMMUNITY),
    model!("base-ja", COMMUNITY),
    model!("tiny-ko", COMMUNITY),
    model!("base-uk", COMMUNITY),
    model!("base-vi", COMMUNITY),
    model!("base-zh", COMMUNITY),
];

/// What one may do with a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Licence {
    /// Its name.
    pub name: &'static str,
    /// What it says in one line, and where to read it.
    pub terms: &'static str,
    /// True when it allows everything that Sayso's own licence does.
    pub free: bool,
}

/// The licence of a model.
pub fn licence(kind: &Kind) -> Licence {
    if kind.language == "en" {
        Licence {
            name: "MIT",
            terms: "any use; https://github.com/moonshine-ai/moonshine",
            free: true,
        }
    } else {
        Licence {
            name: COMMUNITY,
            terms: "the publisher calls it non-commercial; https://www.moonshine.ai/license",
            free: false,
        }
    }
}

/// How large a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// In millions of bytes, without the runtime (22 MB).
    pub megabytes: u64,
    /// False when it is reckoned from the number of weights.
    pub measured: bool,
}

/// How large a model is. Tiny ones have 27 million weights, base ones 61 million.
pub fn size(kind: &Kind) -> Size {
    let tiny = ENCODER.bytes + DECODER.bytes + VOCABULARY.bytes;
    let bytes = if kind.name.starts_with("base") {
        tiny * 61 / 27
    } else {
        tiny
    };
    Size {
        megabytes: bytes / 1_000_000,
        measured: kind.name == "tiny-en",
    }
}

/// Where a model comes from, in words.
pub fn source(kind: &Kind) -> String {
    if kind.name == "tiny-en" {
        format!("download.moonshine.ai, or {PACKAGE} by pip")
    } else {
        "download.moonshine.ai".to_owned()
    }
}

/// The runtime of one platform, with the wheel's tag for it.
struct Runtime {
    os: &'static str,
    arch: &'static str,
    tag: &'static str,
    /// Bytes of the wheel.
    wheel: u64,
    part: Part,
}

// ONNX Runtime 1.23.2 as the publisher packs it. The macOS wheel is called universal but holds arm64 only.
const RUNTIMES: [Runtime; 4] = [
    Runtime {
        os: "linux",
        arch: "x86_64",
        tag: "manylinux_2_34_x86_64",
        wheel: 84_940_345,
        part: Part {
            path: "onnxruntime/libonnxruntime.so",
            url: None,
            entry: "moonshine_voice.libs/libonnxruntime-13ab8084.so.1",
            bytes: 22_358_200,
            sha256: "a787437d3c71ced24e8ece9199ae8f60f9d720cc2785b27dd95920fca2f3459e",
            licence: "MIT",
        },
    },
    Runtime {
        os: "linux",
        arch: "aarch64",
        tag: "manylinux_2_34_aarch64",
        wheel: 57_668_161,
        part: Part {
            path: "onnxruntime/libonnxruntime.so",
            url: None,
            entry: "moonshine_voice.libs/libonnxruntime-ab8c4363.so.1",
            bytes: 18_819_128,
            sha256: "12048ee6718432e733e9f4a3970b54282badac88cde428e7c84767a5a10829d9",
            licence: "MIT",
        },
    },
    Runtime {
        os: "macos",
        arch: "aarch64",
        tag: "macosx_15_0_arm64",
        wheel: 76_767_988,
        part: Part {
            path: "onnxruntime/libonnxruntime.dylib",
            url: None,
            entry: "moonshine_voice/libonnxruntime.1.23.2.dylib",
            bytes: 27_623_992,
            sha256: "480790a978a48ad3e06ce86b6025e037bd70221637f5c104a8dde19617364cf4",
            licence: "MIT",
        },
    },
    Runtime {
        os: "windows",
        arch: "x86_64",
        tag: "win_amd64",
        wheel: 55_541_596,
        part: Part {
            path: "onnxruntime/onnxruntime.dll",
            url: None,
            entry: "moonshine_voice/onnxruntime.dll",
            bytes: 14_186_016,
            sha256: "dec964ab1ee36cc9b0ae247d13b376627992fc57dec0454354017ab8fd84f1ea",
            licence: "MIT",
        },
    },
];

/// All parts of a model for this platform. The runtime is left out when `ORT_DYLIB_PATH` names another one.
///
/// # Errors
/// `unsupported` when the publisher has no runtime for this platform.
pub fn parts(kind: &Kind) -> Result<Vec<&'static Part>, Problem> {
    let mut parts = vec![&VOCABULARY, &ENCODER, &DECODER];
    let folder = format!("{}/", kind.folder);
    let others = OTHERS
        .iter()
        .find(|model| model[0].path.starts_with(&folder));
    if let Some(model) = others {
        parts = model.iter().collect();
    }
    if std::env::var_os(crate::speech::local::files::RUNTIME_VARIABLE)
        .is_none_or(|path| path.is_empty())
    {
        parts.push(&runtime()?.part);
    }
    Ok(parts)
}

/// The wheel's platform tag for pip, and the wheel's bytes. The tag is named outright, because an older system's pip would otherwise refuse a wheel
/// whose runtime library works there.
///
/// # Errors
/// As [`parts`].
pub fn wheel() -> Result<(&'static str, u64), Problem> {
    runtime().map(|runtime| (runtime.tag, runtime.wheel))
}

fn runtime() -> Result<&'static Runtime, Problem> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    RUNTIMES
        .iter()
        .find(|runtime| runtime.os == os && runtime.arch == arch && !cfg!(target_env = "musl"))
        .ok_or_else(|| {
            Problem::new(
                501,
                "unsupported",
                format!("the publisher has no speech runtime for {os} on {arch}"),
            )
            .hint("set ORT_DYLIB_PATH to an ONNX Runtime library, 1.23 or newer, and install again")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::local::files::{
        DECODER as D, ENCODER as E, MODEL_FOLDER, RUNTIME, RUNTIME_FOLDER, VOCABULARY as V,
    };

    #[test]
    fn parts_go_where_the_recogniser_looks() {
        for (part, name) in [(&ENCODER, E), (&DECODER, D), (&VOCABULARY, V)] {
            assert_eq!(part.path, format!("{MODEL_FOLDER}/{name}"));
        }
        let here = RUNTIMES
            .iter()
            .find(|runtime| runtime.os == std::env::consts::OS)
            .unwrap();
        assert_eq!(here.part.path, format!("{RUNTIME_FOLDER}/{RUNTIME}"));
    }

    #[test]
    fn every_model_has_its_own_files_where_the_recogniser_looks() {
        for kind in &crate::speech::local::files::KINDS {
            let parts = parts(kind).unwrap();
            for name in [E, D, V] {
                let path = format!("{}/{name}", kind.folder);
                let part = parts.iter().find(|part| part.path == path);
                let part = part.unwrap_or_else(|| panic!("no {path}"));
                assert!(
                    part.url
                        .unwrap()
                        .contains(&format!("/{}/{name}", kind.name))
                );
                assert_eq!(part.known(), kind.name == "tiny-en");
                assert_eq!(part.licence == "MIT", licence(kind).free, "{path}");
            }
        }
        assert_eq!(size(Kind::named("tiny-en").unwrap()).megabytes, 43);
    }

    #[test]
    fn sums_are_whole() {
        for part in [&ENCODER, &DECODER, &VOCABULARY]
            .into_iter()
            .chain(RUNTIMES.iter().map(|runtime| &runtime.part))
        {
            assert_eq!(part.sha256.len(), 64);
            assert!(part.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
}
