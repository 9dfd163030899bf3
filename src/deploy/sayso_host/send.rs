//! Sends the contents that the host lacks: packed, some at a time, piece by piece. A content goes on where the host stands.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::make::Made;
use super::{Inner, put, read};
use crate::deploy::DeployFailure;
use crate::deploy::remote::api::{Body, Call, Fault};
use crate::deploy::remote::track::Track;
use crate::model::Stage;
use crate::model::host::{HostContent, HostManifest, HostMissing, LENGTH, OFFSET, PIECE};

/// Smaller pieces are not packed: the header of the packing would cost what it saves.
const WORTH_PACKING: usize = 256;

/// How often a content is begun anew when the host stands elsewhere than was thought.
const TURNS: usize = 8;

/// What is told of the sending.
struct Sent {
    /// Bytes of contents that were sent.
    bytes: AtomicU64,
    /// The same as they travelled.
    packed: AtomicU64,
}

impl Inner {
    /// Sends what is missing.
    ///
    /// # Errors
    /// At the stage of uploading.
    pub(super) async fn send(&self, made: &Made, track: &mut Track) -> Result<(), DeployFailure> {
        track.enter(Stage::Upload, "compares the files with those of the host");
        let cancel = track.cancel.clone();
        let files = HostManifest {
            files: made.files.clone(),
        };
        let call = Call::post(&self.path(&["missing"]), serde_json::json!(files));
        let asked = self
            .api
            .repeat(&call, &cancel, &mut |line| track.log(&line))
            .await;
        let missing: HostMissing = match asked.and_then(|answer| read(answer.body)) {
            Ok(missing) => missing,
            Err(fault) => {
                return Err(self.failure(fault, track, "the host does not say what it lacks"));
            }
        };
        let sizes: std::collections::HashMap<&str, u64> = made
            .files
            .iter()
            .map(|file| (file.sha256.as_str(), file.size))
            .collect();
        let mut work = Vec::new();
        let mut total = 0;
        for content in missing.missing {
            let (Some(place), Some(size)) = (
                made.places.get(&content.sha256),
                sizes.get(content.sha256.as_str()),
            ) else {
                continue;
            };
            total += size.saturating_sub(content.have);
            work.push((content, place.clone(), *size));
        }
        if work.is_empty() {
            track.fraction(1000, "the host has every file already");
            return Ok(());
        }
        let (count, all) = (work.len(), made.files.len());
        track.enter(
            Stage::Upload,
            format!("sends {count} of {all} files, {}", spelled(total)),
        );
        let sent = Sent {
            bytes: AtomicU64::new(0),
            packed: AtomicU64::new(0),
        };
        let mut sending = futures::stream::iter(work)
            .map(|(content, place, size)| self.content(content, place, size, &sent, &cancel))
            .buffer_unordered(self.options.parallel.clamp(1, 16));
        while let Some(done) = sending.next().await {
            if let Err(fault) = done {
                drop(sending);
                return Err(self.failure(fault, track, "a file could not be sent"));
            }
            let bytes = sent.bytes.load(Ordering::Relaxed);
            let permille = (bytes * 1000)
                .checked_div(total.max(1))
                .unwrap_or(0)
                .min(1000);
            let message = format!("{} of {} sent", spelled(bytes), spelled(total));
            track.fraction(permille as u16, message);
        }
        drop(sending);
        track.log(&format!(
            "sent {count} of {all} files: {}, packed {}",
            spelled(total),
            spelled(sent.packed.load(Ordering::Relaxed))
        ));
        Ok(())
    }

    /// Sends one content.
    async fn content(
        &self,
        content: HostContent,
        place: PathBuf,
        size: u64,
        sent: &Sent,
        cancel: &CancellationToken,
    ) -> Result<(), Fault> {
        let digest = content.sha256;
        let mut have = content.have;
        let mut turns = 0;
        loop {
            if cancel.is_cancelled() {
                return Err(Fault::Stopped);
            }
            let (file, from) = (place.clone(), have);
            let piece = tokio::task::spawn_blocking(move || piece(&file, from))
                .await
                .map_err(io::Error::other)
                .and_then(|piece| piece)
                .map_err(|error| {
                    Fault::NotSent(crate::model::Problem::internal(format!(
                        "a file of the site cannot be read: {error}"
                    )))
                })?;
            let Piece { bytes, packed, raw } = piece;
            let travels = bytes.len() as u64;
            let mut call = put(&digest);
            call.headers = vec![(OFFSET, have.to_string()), (LENGTH, size.to_string())];
            if packed {
                call.headers.push(("content-encoding", "gzip".to_owned()));
            }
            call.body = Body::Bytes(bytes);
            // Sent twice it does no harm: the host says where it stands.
            match self.api.repeat(&call, cancel, &mut |_| {}).await {
                Ok(answer) => {
                    let now: HostContent = read(answer.body)?;
                    sent.bytes.fetch_add(raw, Ordering::Relaxed);
                    sent.packed.fetch_add(travels, Ordering::Relaxed);
                    if now.have >= size {
                        return Ok(());
                    }
                    have = now.have;
                }
                // An answer that was lost, or another sender of the same file.
                Err(Fault::Refused(refused)) if refused.status == 409 && turns < TURNS => {
                    turns += 1;
                    let call = Call::get(&["api", "host", "blobs", &digest]);
                    let answer = self.api.repeat(&call, cancel, &mut |_| {}).await?;
                    let now: HostContent = read(answer.body)?;
                    if now.have >= size {
                        return Ok(());
                    }
                    have = now.have;
                }
                // What stood there was not ours: it was thrown away, and begins anew.
                Err(Fault::Refused(refused))
                    if refused.code.ends_with("wrong-content")
                        && turns < TURNS
                        && content.have > 0 =>
                {
                    turns = TURNS;
                    have = 0;
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}

struct Piece {
    /// As it travels.
    bytes: Bytes,
    packed: bool,
    /// Bytes of the content.
    raw: u64,
}

/// The piece of the file that begins at `from`.
fn piece(file: &Path, from: u64) -> io::Result<Piece> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(PIECE as u64).read_to_end(&mut bytes)?;
    let raw = bytes.len() as u64;
    if bytes.len() >= WORTH_PACKING {
        let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
        encoder.write_all(&bytes)?;
        let small = encoder.finish()?;
        // Pictures and fonts are packed already.
        if small.len() < bytes.len() {
            return Ok(Piece {
                bytes: small.into(),
                packed: true,
                raw,
            });
        }
    }
    Ok(Piece {
        bytes: bytes.into(),
        packed: false,
        raw,
    })
}

/// A number of bytes, for people.
fn spelled(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_packed_and_noise_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "hello ".repeat(1000)).unwrap();
        let text = piece(&file, 0).unwrap();
        assert!(text.packed && text.bytes.len() < 1000 && text.raw == 6000);
        let rest = piece(&file, 5990).unwrap();
        assert!(!rest.packed && rest.raw == 10);
        let mut seed = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as u8
        })
        .take(PIECE + 10)
        .collect();
        std::fs::write(&file, &noise).unwrap();
        let first = piece(&file, 0).unwrap();
        assert!(!first.packed && first.bytes.len() == PIECE);
        assert_eq!(piece(&file, PIECE as u64).unwrap().bytes, noise[PIECE..]);
    }
}
