//! WAV files: any in, 16 kHz mono 16-bit out.

use std::fs;
use std::io::{self, Cursor};
use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use super::{RATE, resample};
use crate::model::Problem;

/// The largest file that is read: ten minutes of two channels at 48 kHz in 32 bits, with room to spare.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Reads a WAV file of any rate, channel count and sample format as one channel at [`RATE`].
///
/// # Errors
/// `not-found` when there is no such file, `bad-request` when it is no WAV file or has a coding that is not plain PCM,
/// `too-large` above [`MAX_BYTES`].
pub fn read(path: &Path) -> Result<Vec<f32>, Problem> {
    let name = path.display();
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Problem::not_found(format!("there is no file {name}")),
        _ => Problem::internal(format!("cannot read {name}: {error}")),
    };
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > MAX_BYTES {
        return Err(
            Problem::new(413, "too-large", format!("{name} has {} MiB", size >> 20))
                .hint("cut it into parts below 256 MiB"),
        );
    }
    decode(fs::read(path).map_err(failed)?).map_err(|problem| Problem {
        detail: format!("{name}: {}", problem.detail),
        ..problem
    })
}

/// Decodes the bytes of a WAV file; see [`read`].
///
/// # Errors
/// `bad-request` when the bytes are no WAV file or in a coding that is not plain PCM.
pub fn decode(mut bytes: Vec<u8>) -> Result<Vec<f32>, Problem> {
    mend_length(&mut bytes);
    let no_wav = |error: hound::Error| {
        Problem::bad_request(format!("this is no WAV file of plain PCM: {error}"))
            .hint("record or convert it as 16-bit PCM WAV, e.g. `sox in.mp3 out.wav`")
    };
    let reader = WavReader::new(Cursor::new(bytes)).map_err(no_wav)?;
    let WavSpec {
        channels,
        sample_rate,
        bits_per_sample,
        sample_format,
    } = reader.spec();
    if channels == 0 {
        return Err(Problem::bad_request("the WAV file says it has no channels"));
    }
    // A file that was cut off in the middle is used up to there.
    let interleaved: Vec<f32> = match sample_format {
        SampleFormat::Float => reader.into_samples::<f32>().map_while(Result::ok).collect(),
        SampleFormat::Int => {
            let full = (1i64 << (bits_per_sample.clamp(1, 32) - 1)) as f32;
            let samples = reader.into_samples::<i32>();
            samples
                .map_while(Result::ok)
                .map(|sample| sample as f32 / full)
                .collect()
        }
    };
    let sane = |sample: f32| {
        if sample.is_finite() {
            sample.clamp(-1.0, 1.0)
        } else {
            0.0
        }
    };
    let interleaved: Vec<f32> = interleaved.into_iter().map(sane).collect();
    resample::to_16k(
        resample::to_mono(&interleaved, usize::from(channels)),
        sample_rate,
    )
}

/// Programs that write to a pipe do not know the length and write a huge one. Corrects it to what is really there.
fn mend_length(bytes: &mut [u8]) {
    if bytes.len() < 12 || &bytes[..4] != b"RIFF" || &bytes[8..12] != b"WAVE" {
        return;
    }
    let mut at = 12;
    let mut frame = 1;
    while at + 8 <= bytes.len() {
        let size = u32::from_le_bytes([bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]])
            as usize;
        let rest = bytes.len() - at - 8;
        if &bytes[at..at + 4] == b"fmt " && rest >= 14 {
            frame = usize::from(u16::from_le_bytes([bytes[at + 20], bytes[at + 21]])).max(1);
        }
        if &bytes[at..at + 4] == b"data" {
            if size > rest {
                let whole = u32::try_from(rest - rest % frame).unwrap_or(u32::MAX);
                bytes[at + 4..at + 8].copy_from_slice(&whole.to_le_bytes());
            }
            return;
        }
        // Chunks are padded to an even length.
        at += 8 + size + size % 2;
    }
}

/// Writes `samples` at [`RATE`] as a 16-bit mono WAV file, over an older one of the same name.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, samples: &[f32]) -> io::Result<()> {
    fs::write(path, encode(samples)?)
}

/// The bytes of a 16-bit mono WAV file with `samples` at [`RATE`].
///
/// # Errors
/// When there are more than such a file can hold (four gigabytes).
pub fn encode(samples: &[f32]) -> io::Result<Vec<u8>> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::with_capacity(samples.len() * 2 + 44));
    let mut writer = WavWriter::new(&mut bytes, spec).map_err(io::Error::other)?;
    for sample in samples {
        let value = (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16;
        writer.write_sample(value).map_err(io::Error::other)?;
    }
    writer.finalize().map_err(io::Error::other)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone() -> Vec<f32> {
        (0..8_000).map(|at| (at as f32 * 0.1).sin() * 0.5).collect()
    }

    /// Half a second of the tone in every channel of a file of the given kind.
    fn file(
        channels: u16,
        sample_rate: u32,
        bits_per_sample: u16,
        sample_format: SampleFormat,
    ) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let spec = WavSpec {
            channels,
            sample_rate,
            bits_per_sample,
            sample_format,
        };
        let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
        for at in 0..sample_rate / 2 {
            let value = (at as f32 * 1_600.0 / sample_rate as f32).sin() * 0.5;
            for _ in 0..channels {
                match sample_format {
                    SampleFormat::Float => writer.write_sample(value).unwrap(),
                    SampleFormat::Int => {
                        let full = (1i64 << (bits_per_sample - 1)) as f32;
                        writer.write_sample((value * full) as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_rate_channel_count_and_format_becomes_the_same_sound() {
        let wanted = tone();
        for rate in [8_000, 16_000, 44_100, 48_000, 96_000] {
            for channels in [1, 2, 3, 8] {
                for (bits, format) in [
                    (8, SampleFormat::Int),
                    (16, SampleFormat::Int),
                    (24, SampleFormat::Int),
                    (32, SampleFormat::Int),
                    (32, SampleFormat::Float),
                ] {
                    let sound = decode(file(channels, rate, bits, format)).unwrap();
                    assert!(sound.len().abs_diff(8_000) <= 2);
                    let worst = (1_000..7_000)
                        .map(|at| (sound[at] - wanted[at]).abs())
                        .fold(0.0, f32::max);
                    assert!(
                        worst < 0.04,
                        "{rate} Hz, {channels} channels, {bits} {format:?}: off by {worst}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        write(&path, &tone()).unwrap();
        let back = read(&path).unwrap();
        assert_eq!(back.len(), 8_000);
        assert!(back.iter().zip(tone()).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn a_file_from_a_pipe_with_an_unknown_length_is_read_whole() {
        let mut bytes = file(1, 16_000, 16, SampleFormat::Int);
        let whole = decode(bytes.clone()).unwrap();
        let data = bytes.windows(4).position(|four| four == b"data").unwrap();
        bytes[data + 4..data + 8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(decode(bytes.clone()).unwrap(), whole);
        bytes.truncate(bytes.len() - 1_001);
        assert_eq!(decode(bytes).unwrap()[..], whole[..8_000 - 501]);
    }

    #[test]
    fn what_is_no_sound_is_said_so() {
        assert!(decode(b"hello".to_vec()).unwrap_err().is("bad-request"));
        assert!(decode(Vec::new()).unwrap_err().is("bad-request"));
        let folder = tempfile::tempdir().unwrap();
        assert!(
            read(&folder.path().join("none.wav"))
                .unwrap_err()
                .is("not-found")
        );
    }
}
