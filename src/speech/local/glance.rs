//! A look at a clip while it is still being spoken.

use std::sync::atomic::{AtomicBool, Ordering};

use super::ahead::Ahead;
use super::judge::{self, Verdict};
use super::{Local, ending};
use crate::model::Problem;
use crate::voice::{RATE, gate};

/// How much of the clip's end is read: what the encoder needs for it bounds how long the final reading may have to
/// wait for a look that was just begun. Ten seconds take about a tenth of a second, less than the tail of a clip.
const WINDOW: usize = 10 * RATE as usize;

/// Stands for what was said before the window.
const EARLIER: &str = "… ";

impl Local {
    /// What `samples` say so far, read once and quickly; see [`Transcriber::glance`](crate::speech::Transcriber).
    ///
    /// # Errors
    /// When the runtime fails.
    pub(super) fn look(
        &self,
        samples: &[f32],
        stop: &AtomicBool,
    ) -> Result<Option<String>, Problem> {
        let go = || !stop.load(Ordering::Relaxed);
        let cut = samples.len().saturating_sub(WINDOW);
        let recent = &samples[cut..];
        // Without a model there is nothing to read with, and listening for speech costs more than the meter.
        let loaded = self.inner.slot.try_lock().is_ok_and(|slot| slot.is_some());
        if !loaded || !go() || !gate::listen(recent).speech() {
            return Ok(None);
        }
        let _inside = ending::DOOR.enter()?;
        // Somebody waits for a whole clip: that goes first, and the next look is soon.
        let Ok(mut slot) = self.inner.slot.try_lock() else {
            return Ok(None);
        };
        let Some(loaded) = &mut *slot else {
            return Ok(None);
        };
        let mut encoded = loaded.model.encode(recent)?;
        // What the look before read is mostly said still; what this one reads, the next one and the whole clip begin
        // with. A clip that is longer than the window moves on under it.
        let before = loaded.ahead.take();
        let draft = before
            .as_ref()
            .map_or(&[][..], |ahead| ahead.tokens(recent));
        let reading = loaded.model.greedy_while(&mut encoded, draft, go)?;
        loaded.ahead = (cut == 0).then(|| Ahead::new(recent, reading.tokens.clone()));
        if reading.capped {
            return Ok(None);
        }
        let text = loaded.model.tokens().decode(&reading.tokens);
        if self.inner.kind.language == "en"
            && judge::judge(&text, &reading, || loaded.model.evidence(&reading))?
                == Verdict::Invented
        {
            return Ok(None);
        }
        let before = if cut > 0 { EARLIER } else { "" };
        Ok((!text.is_empty()).then(|| format!("{before}{text}")))
    }
}
