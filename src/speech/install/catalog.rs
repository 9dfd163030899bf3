//! What is installed: names, sizes, sums, sources.

use crate::model::Problem;

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
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 in hex.
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

/// All parts for this platform. The runtime is left out when `ORT_DYLIB_PATH` names another one.
///
/// # Errors
/// `unsupported` when the publisher has no runtime for this platform.
pub fn parts() -> Result<Vec<&'static Part>, Problem> {
    let mut parts = vec![&VOCABULARY, &ENCODER, &DECODER];
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
