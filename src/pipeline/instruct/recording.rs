//! The recordings of spoken instructions, of which the last ones are kept.

use crate::model::{InstructionId, Problem};
use crate::pipeline::Conductor;
use crate::voice::shelf;

impl Conductor {
    /// Writes the recording and drops the oldest beyond the number kept.
    pub(super) fn keep_recording(&self, id: &InstructionId, wav: &[u8]) -> Result<String, Problem> {
        if !(wav.starts_with(b"RIFF") && wav.get(8..12) == Some(b"WAVE")) {
            return Err(
                Problem::new(415, "not-a-wav", "the sound is not a WAV file")
                    .hint("send 16-bit PCM or float WAV of any rate"),
            );
        }
        let failed = |error: std::io::Error| {
            Problem::new(
                500,
                "recording",
                format!("the recording cannot be kept: {error}"),
            )
            .hint("check that the disk is not full")
        };
        std::fs::create_dir_all(&self.recordings).map_err(failed)?;
        let name = format!("{id}.wav");
        std::fs::write(self.recordings.join(&name), wav).map_err(failed)?;
        let keep = shelf::Keep {
            count: self.config.voice.keep,
            days: self.config.voice.keep_days,
        };
        // Their ids sort by time.
        keep.prune(shelf::named(&self.recordings, "ins_").map_err(failed)?);
        Ok(name)
    }
}
