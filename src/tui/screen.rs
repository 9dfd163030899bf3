//! Frames to bytes: only the cells that changed, in one write, as one synchronized update.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Begin and end of a synchronized update.
const SYNC: (&[u8], &[u8]) = (b"\x1b[?2026h", b"\x1b[?2026l");
/// Attributes off, whole screen empty.
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J";

/// What the terminal shows, as far as we know.
pub struct Screen {
    shown: Buffer,
    cursor: Option<Position>,
    /// True when what the terminal shows is not known.
    unknown: bool,
    backend: CrosstermBackend<Collected>,
    bytes: Collected,
}

/// Bytes on their way; flushing keeps them, so that a frame is one write.
#[derive(Clone, Debug, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

impl Collected {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Default for Screen {
    fn default() -> Self {
        let bytes = Collected::default();
        Self {
            shown: Buffer::empty(Rect::ZERO),
            cursor: None,
            unknown: true,
            backend: CrosstermBackend::new(bytes.clone()),
            bytes,
        }
    }
}

impl Screen {
    /// The next frame is drawn whole.
    pub fn forget(&mut self) {
        self.unknown = true;
    }

    /// The bytes that bring the terminal from what it shows to what `draw` draws on `area`; none when it shows that
    /// already.
    ///
    /// # Errors
    /// Never in practice: the bytes are collected in memory.
    pub fn frame(
        &mut self,
        area: Rect,
        draw: impl FnOnce(&mut Buffer) -> Option<Position>,
    ) -> io::Result<Vec<u8>> {
        let mut next = Buffer::empty(area);
        let cursor = draw(&mut next);
        let whole = self.unknown || area != self.shown.area;
        if whole {
            self.bytes.write_all(CLEAR)?;
            self.shown = Buffer::empty(area);
        }
        let changes = self.shown.diff(&next);
        let changed = !changes.is_empty();
        if whole || changed || cursor != self.cursor {
            if self.cursor.is_some() || whole {
                self.backend.hide_cursor()?;
            }
            self.backend.draw(changes.into_iter())?;
            if let Some(at) = cursor {
                self.backend.set_cursor_position(at)?;
                self.backend.show_cursor()?;
            }
        }
        self.shown = next;
        self.cursor = cursor;
        self.unknown = false;
        let frame = self.bytes.take();
        if frame.is_empty() {
            return Ok(frame);
        }
        Ok([SYNC.0, &frame, SYNC.1].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    #[test]
    fn only_what_changed_is_written() {
        let mut screen = Screen::default();
        let area = Rect::new(0, 0, 20, 2);
        let mut say = |text: &str, cursor| {
            let bytes = screen.frame(area, |buf| {
                buf.set_string(0, 0, text, Style::new());
                cursor
            });
            String::from_utf8(bytes.unwrap()).unwrap()
        };
        let first = say("hello", None);
        assert!(first.contains("\x1b[2J") && first.contains("hello"));
        assert!(first.starts_with("\x1b[?2026h") && first.ends_with("\x1b[?2026l"));
        assert_eq!(say("hello", None), "");
        let second = say("hellO", None);
        assert!(
            second.contains('O') && !second.contains("hell"),
            "{second:?}"
        );
        let cursor = say("hellO", Some(Position::new(3, 1)));
        assert!(
            cursor.contains("\x1b[2;4H") && cursor.contains("\x1b[?25h"),
            "{cursor:?}"
        );
        let gone = say("hellO", None);
        assert!(gone.contains("\x1b[?25l"), "{gone:?}");
    }
}
