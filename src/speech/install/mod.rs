//! Gets the model and its runtime, checks every byte, and says where they came from.
//!
//! The model's publisher is asked first, over HTTPS; what is still missing comes out of the publisher's own Python
//! wheel, fetched by this machine's pip, which also works behind a company's mirror. Nothing is used before its
//! SHA-256 was checked, and files appear whole or not at all. A second run goes on where the first was cut off.

pub mod catalog;
mod https;
mod pip;
mod wheel;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use self::catalog::Part;
use crate::model::Problem;
use crate::speech::local::files::Kind;

/// The folder in the models' folder where unfinished downloads wait.
const DOWNLOADS: &str = ".download";

/// What is being done, for a progress bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A line to show: what is asked, or why a source was given up.
    Note(String),
    /// `done` of `total` bytes of `what` are here.
    Bytes {
        /// The file.
        what: String,
        /// Bytes here.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// A file is in its place.
    Placed(Placed),
}

/// A file in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its path in the models' folder.
    pub file: String,
    /// Where it came from.
    pub from: String,
    /// Bytes.
    pub bytes: u64,
}

/// Told of every step.
pub type Watch<'a> = &'a mut (dyn FnMut(Step) + Send);

/// Puts all parts of a model into the folder `models`; `local_wheel` names a wheel that is already on this machine.
/// Returns every part with where it came from.
///
/// # Errors
/// `speech-install` when a part is nowhere to be had, with all that was tried; `unsupported` on a platform without a
/// runtime; others when the folder cannot be written.
pub async fn install(
    models: &Path,
    kind: &Kind,
    local_wheel: Option<&Path>,
    watch: Watch<'_>,
) -> Result<Vec<Placed>, Problem> {
    let downloads = models.join(DOWNLOADS);
    fs::create_dir_all(&downloads).map_err(|error| unwritable(&downloads, &error))?;
    let _only_one = lock(&downloads, watch).await?;
    let mut placed = Vec::new();
    let mut missing = Vec::new();
    for part in catalog::parts(kind)? {
        let path = models.join(part.path);
        if matches(&path, part).await {
            let there = Placed {
                file: part.path.to_owned(),
                from: "already installed".to_owned(),
                bytes: fs::metadata(&path).map_or(part.bytes, |meta| meta.len()),
            };
            watch(Step::Placed(there.clone()));
            placed.push(there);
        } else {
            missing.push(part);
        }
    }
    if missing.is_empty() {
        return Ok(placed);
    }
    let mut tried = Vec::new();
    if local_wheel.is_none() {
        let by_https = https::fetch(&missing, &downloads, watch).await;
        for (part, path, from) in by_https.fetched {
            if !part.known() {
                remember(models, part, &path)?;
            }
            placed.push(place(part, &path, models, &from, watch)?);
        }
        tried.extend(by_https.refused);
        missing.retain(|part| !placed.iter().any(|placed| placed.file == part.path));
    }
    if missing.iter().any(|part| part.entry.is_empty()) {
        // The publisher's wheel has the one English model only.
        tried.push(format!("{} is nowhere else", kind.name));
        return Err(nowhere(&tried));
    }
    if !missing.is_empty() {
        let (wheel, from, ours) = match local_wheel {
            Some(path) => (path.to_owned(), path.display().to_string(), false),
            None => match pip::wheel(&downloads, watch).await {
                Ok((path, from)) => (path, from, true),
                Err(why) => {
                    tried.push(why);
                    return Err(nowhere(&tried));
                }
            },
        };
        for part in missing {
            let unpacked = unpack(&wheel, part, &downloads).await;
            if unpacked.is_err() && ours {
                // A damaged wheel must not be taken for the real one by the next run.
                let _ = fs::remove_file(&wheel);
            }
            placed.push(place(part, &unpacked?, models, &from, watch)?);
        }
    }
    // Only what this program made is in there, and all of it is used up.
    let _ = fs::remove_dir_all(&downloads);
    Ok(placed)
}

/// Which parts are in the folder `models`, by their presence and size only: cheap.
///
/// # Errors
/// `unsupported` on a platform without a runtime.
pub fn survey(models: &Path, kind: &Kind) -> Result<Vec<(&'static Part, bool)>, Problem> {
    let there = |part: &Part| {
        let meta = fs::metadata(models.join(part.path));
        meta.is_ok_and(|meta| {
            if part.known() {
                meta.len() == part.bytes
            } else {
                meta.len() > 0
            }
        })
    };
    Ok(catalog::parts(kind)?
        .into_iter()
        .map(|part| (part, there(part)))
        .collect())
}

/// Waits until no other process installs into the same folder.
async fn lock(downloads: &Path, watch: Watch<'_>) -> Result<File, Problem> {
    let path = downloads.join("lock");
    let file = File::create(&path).map_err(|error| unwritable(&path, &error))?;
    if file.try_lock().is_ok() {
        return Ok(file);
    }
    watch(Step::Note(
        "another `sayso speech install` is at work; waiting for it".to_owned(),
    ));
    tokio::task::spawn_blocking(move || file.lock().map(|()| file))
        .await
        .map_err(Problem::internal)?
        .map_err(|error| unwritable(&path, &error))
}

/// Moves a checked file to its place.
fn place(
    part: &Part,
    file: &Path,
    models: &Path,
    from: &str,
    watch: Watch<'_>,
) -> Result<Placed, Problem> {
    let target = models.join(part.path);
    let folder = target.parent().unwrap_or(models);
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    fs::rename(file, &target).map_err(|error| unwritable(&target, &error))?;
    let placed = Placed {
        file: part.path.to_owned(),
        from: from.to_owned(),
        bytes: fs::metadata(&target).map_or(part.bytes, |meta| meta.len()),
    };
    watch(Step::Placed(placed.clone()));
    Ok(placed)
}

async fn unpack(wheel: &Path, part: &'static Part, downloads: &Path) -> Result<PathBuf, Problem> {
    let (wheel, into) = (wheel.to_owned(), part_file(downloads, part));
    tokio::task::spawn_blocking(move || {
        wheel::extract(&wheel, part, &into)?;
        let sum = sha256(&into).map_err(|error| unwritable(&into, &error))?;
        if sum == part.sha256 {
            return Ok(into);
        }
        let _ = fs::remove_file(&into);
        Err(Problem::new(
            502,
            "speech-install",
            format!(
                "{} in {} is not the expected one",
                part.entry,
                wheel.display()
            ),
        )
        .hint("its SHA-256 differs; fetch moonshine-voice 0.0.49 from another source"))
    })
    .await
    .map_err(Problem::internal)?
}

/// Where a part is while it is not complete.
fn part_file(downloads: &Path, part: &Part) -> PathBuf {
    downloads
        .join(part.path.replace('/', "-"))
        .with_added_extension("part")
}

/// True when the file at `path` is exactly `part`.
async fn matches(path: &Path, part: &'static Part) -> bool {
    if !fs::metadata(path).is_ok_and(|meta| !part.known() || meta.len() == part.bytes) {
        return false;
    }
    let wanted = if part.known() {
        Some(part.sha256.to_owned())
    } else {
        remembered(path)
    };
    let path = path.to_owned();
    let sum = tokio::task::spawn_blocking(move || sha256(&path)).await;
    matches!((sum, wanted), (Ok(Ok(sum)), Some(wanted)) if sum == wanted)
}

/// Where the sums of files are kept that are not known before the first download.
const SUMS: &str = "SHA256SUMS";

/// Writes down the sum of a part that was fetched for the first time, as `sha256sum` writes it.
fn remember(models: &Path, part: &Part, fetched: &Path) -> Result<(), Problem> {
    let target = models.join(part.path);
    let folder = target.parent().unwrap_or(models);
    let sums = folder.join(SUMS);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let sum = sha256(fetched).map_err(|error| unwritable(fetched, &error))?;
    let mut text = fs::read_to_string(&sums).unwrap_or_default();
    text = text
        .lines()
        .filter(|line| !line.ends_with(&format!("  {name}")))
        .map(|line| format!("{line}\n"))
        .collect();
    text.push_str(&format!("{sum}  {name}\n"));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&sums, text))
        .map_err(|error| unwritable(&sums, &error))
}

/// The sum that was written down for the file at `path`.
fn remembered(path: &Path) -> Option<String> {
    let sums = fs::read_to_string(path.with_file_name(SUMS)).ok()?;
    let name = path.file_name()?.to_string_lossy();
    sums.lines()
        .filter_map(|line| line.split_once("  "))
        .find(|(_, file)| *file == name)
        .map(|(sum, _)| sum.to_owned())
}

/// The SHA-256 of a file in hex.
fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn unwritable(path: &Path, error: &io::Error) -> Problem {
    Problem::internal(format!("cannot write {}: {error}", path.display()))
        .hint("choose another folder for the models, or make room")
}

fn nowhere(tried: &[String]) -> Problem {
    Problem::new(502, "speech-install", format!("the speech model is not to be had: {}", tried.join("; ")))
        .hint("with a network run it again; without, fetch the moonshine-voice 0.0.49 wheel elsewhere and run `sayso speech install --from WHEEL`")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn tiny() -> &'static Kind {
        Kind::named("tiny-en").unwrap()
    }

    #[tokio::test]
    async fn sums_that_were_not_known_hold_from_the_first_download_on() {
        let folder = tempfile::tempdir().unwrap();
        let models = folder.path();
        let part = catalog::parts(Kind::named("base-es").unwrap()).unwrap()[0];
        let (fetched, there) = (models.join("fetched"), models.join(part.path));
        fs::write(&fetched, "vocabulary").unwrap();
        assert!(!matches(&there, part).await);
        remember(models, part, &fetched).unwrap();
        remember(models, part, &fetched).unwrap();
        fs::copy(&fetched, &there).unwrap();
        assert!(matches(&there, part).await);
        fs::write(&there, "vocabulary, changed").unwrap();
        assert!(!matches(&there, part).await);
        let sums = fs::read_to_string(there.with_file_name(SUMS)).unwrap();
        assert_eq!(sums.lines().count(), 1, "{sums}");
    }

    #[tokio::test]
    async fn a_wheel_with_other_bytes_is_refused_and_nothing_is_placed() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("fake.whl");
        let mut archive = zip::ZipWriter::new(File::create(&wheel).unwrap());
        for part in catalog::parts(tiny()).unwrap() {
            archive
                .start_file(part.entry, zip::write::SimpleFileOptions::default())
                .unwrap();
            archive.write_all(b"not it").unwrap();
        }
        archive.finish().unwrap();
        let models = folder.path().join("models");
        let problem = install(&models, tiny(), Some(&wheel), &mut |_| {})
            .await
            .unwrap_err();
        assert!(problem.is("speech-install"), "{problem}");
        assert!(
            survey(&models, tiny())
                .unwrap()
                .iter()
                .all(|(_, there)| !there)
        );
        assert!(wheel.exists(), "a person's own file is not removed");
    }

    #[test]
    fn sums_are_those_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "abc").unwrap();
        let sum = sha256(&path).unwrap();
        assert_eq!(
            sum,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
