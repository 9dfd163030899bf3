//! Frames to bytes: only the cells that changed, in one write, as one synchronized update.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::view::links::Link;

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
        self.linked(area, draw, |_| Vec::new())
    }

    /// As [`Screen::frame`]; `links` says which of its cells are web addresses.
    ///
    /// # Errors
    /// Never in practice: the bytes are collected in memory.
    pub fn linked(
        &mut self,
        area: Rect,
        draw: impl FnOnce(&mut Buffer) -> Option<Position>,
        links: impl FnOnce(&Buffer) -> Vec<Link>,
    ) -> io::Result<Vec<u8>> {
        let mut next = Buffer::empty(area);
        let cursor = draw(&mut next);
        let links = links(&next);
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
            write(&mut self.backend, &mut self.bytes, changes, &links)?;
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

/// Writes the cells that changed, those of an address as a link. An address that moved is written whole, as every
/// cell of it changed with it.
fn write(
    backend: &mut CrosstermBackend<Collected>,
    bytes: &mut Collected,
    changes: Vec<(u16, u16, &ratatui::buffer::Cell)>,
    links: &[Link],
) -> io::Result<()> {
    let link_at = |x: u16, y: u16| {
        links
            .iter()
            .position(|link| link.y == y && (link.from..link.to).contains(&x))
    };
    let mut rest = changes.as_slice();
    while let Some((x, y, _)) = rest.first() {
        let link = link_at(*x, *y);
        let same = rest.iter().take_while(|(x, y, _)| link_at(*x, *y) == link);
        let (run, after) = rest.split_at(same.count());
        if let Some(link) = link {
            write!(bytes, "\x1b]8;;{}\x1b\\", links[link].url)?;
        }
        backend.draw(run.iter().copied())?;
        if link.is_some() {
            bytes.write_all(b"\x1b]8;;\x1b\\")?;
        }
        rest = after;
    }
    Ok(())
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
    #[test]
    fn an_address_is_a_link_and_nothing_else_is() {
        let mut screen = Screen::default();
        let area = Rect::new(0, 0, 30, 1);
        let bytes = screen.linked(
            area,
            |buf| {
                buf.set_string(0, 0, "see http://a.b/ now", Style::new());
                None
            },
            |_| {
                vec![Link {
                    y: 0,
                    from: 4,
                    to: 15,
                    url: "http://a.b/".into(),
                }]
            },
        );
        let bytes = String::from_utf8(bytes.unwrap()).unwrap();
        let begin = bytes.find("\x1b]8;;http://a.b/\x1b\\").unwrap();
        let end = bytes.find("\x1b]8;;\x1b\\").unwrap();
        assert!(bytes[begin..end].contains("http://a.b/"), "{bytes:?}");
        assert!(bytes[end..].contains("now") && bytes[..begin].contains("see"));
    }
}
