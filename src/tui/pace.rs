//! When a frame may be drawn: no more than sixty a second in the long run, and for a key at once.

use std::time::{Duration, Instant};

/// Least time between two frames in the long run.
const FRAME: Duration = Duration::from_micros(16_600);

/// Spaces frames. What moves by itself keeps the distance to the frame before; a person's key may borrow the time of one
/// frame, so that it does not wait because something was just drawn for another reason.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// From when on a frame is due to nobody's debt.
    next: Option<Instant>,
    /// Whether somebody waits for what the next frame shows.
    pressed: bool,
}

impl Pace {
    /// A person did something that the next frame answers.
    pub fn pressed(&mut self) {
        self.pressed = true;
    }

    /// The moment from which on the next frame may be drawn.
    pub fn due(&self, now: Instant) -> Instant {
        let Some(next) = self.next else { return now };
        if self.pressed {
            next.checked_sub(FRAME).unwrap_or(now)
        } else {
            next
        }
    }

    /// A frame was drawn.
    pub fn drawn(&mut self, now: Instant) {
        self.next = Some(self.next.map_or(now, |next| next.max(now)) + FRAME);
        self.pressed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_wait_for_the_frame_before_it() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.drawn(start);
        let soon = start + FRAME / 4;
        assert!(pace.due(soon) > soon, "what moves by itself waits");
        pace.pressed();
        assert!(pace.due(soon) <= soon, "a key does not");
    }

    #[test]
    fn keys_without_end_get_sixty_frames_a_second() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut frames = 0;
        for millisecond in 0..10_000 {
            let now = start + Duration::from_millis(millisecond);
            pace.pressed();
            if pace.due(now) <= now {
                pace.drawn(now);
                frames += 1;
            }
        }
        assert!((590..=604).contains(&frames), "{frames}");
    }
}
