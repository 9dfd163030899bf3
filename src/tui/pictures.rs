//! Pictures in the terminal: whether it has a way to show them, and a picture made ready for it.

use std::sync::Arc;

use image::{DynamicImage, ImageFormat};
use ratatui::layout::Size;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::protocol::Protocol;
use ratatui_image::{FontSize, Resize};

use crate::config;

/// Columns of the picture of a page.
pub const COLUMNS: u16 = 40;
/// Rows of it.
pub const ROWS: u16 = 13;

/// A character's width and height in pixels, where the terminal does not tell.
const CHARACTER: (u16, u16) = (8, 16);

/// How pictures are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a graphics protocol, or by coloured blocks.
    By(Protocols),
    /// Not at all: why.
    No(&'static str),
}

/// What terminals understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// Kitty's.
    Kitty,
    /// iTerm2's.
    Iterm2,
    /// Sixel.
    Sixel,
    /// Two coloured halves in each cell: no protocol at all.
    Blocks,
}

/// How this terminal shows pictures: as configured, or as the environment tells.
pub fn way(wanted: config::Pictures, variable: impl Fn(&str) -> Option<String>) -> Way {
    use config::Pictures as P;
    let fixed = match wanted {
        P::Kitty => Some(Protocols::Kitty),
        P::Iterm2 => Some(Protocols::Iterm2),
        P::Sixel => Some(Protocols::Sixel),
        P::Blocks => Some(Protocols::Blocks),
        P::Off => return Way::No("pictures are turned off: [ui] pictures"),
        P::Auto => None,
    };
    if let Some(fixed) = fixed {
        return Way::By(fixed);
    }
    let is = |name: &str, part: &str| variable(name).is_some_and(|value| value.contains(part));
    let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    if set("TMUX") || is("TERM", "screen") || is("TERM", "tmux") {
        return Way::No(
            "tmux and screen pass no pictures on ([ui] pictures = \"blocks\" needs none)",
        );
    }
    if is("TERM", "kitty")
        || set("KITTY_WINDOW_ID")
        || is("TERM", "ghostty")
        || is("TERM_PROGRAM", "ghostty")
    {
        Way::By(Protocols::Kitty)
    } else if is("TERM_PROGRAM", "iTerm")
        || is("TERM_PROGRAM", "WezTerm")
        || is("LC_TERMINAL", "iTerm2")
    {
        Way::By(Protocols::Iterm2)
    } else if is("TERM", "foot")
        || is("TERM", "mlterm")
        || is("TERM", "contour")
        || is("TERM", "sixel")
    {
        Way::By(Protocols::Sixel)
    } else {
        Way::No("this terminal is not known to show pictures ([ui] pictures)")
    }
}

/// A picture that is ready for the terminal.
#[derive(Clone)]
pub struct Drawing {
    protocol: Arc<Protocol>,
    /// Columns and rows.
    pub size: (u16, u16),
}

impl std::fmt::Debug for Drawing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drawing")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Drawing {
    /// The picture as a widget.
    pub fn widget(&self) -> ratatui_image::Image<'_> {
        ratatui_image::Image::new(&self.protocol)
    }

    /// Makes a PNG ready; `None` when it is none, or the terminal shows none. Takes a moment: not for the thread that
    /// draws. `character` is a character's size in pixels.
    pub fn of(png: &[u8], way: Way, character: Option<(u16, u16)>) -> Option<Self> {
        let Way::By(by) = way else { return None };
        let image: DynamicImage =
            image::load_from_memory_with_format(png, ImageFormat::Png).ok()?;
        let (width, height) = character.unwrap_or(CHARACTER);
        #[expect(
            deprecated,
            reason = "the other way asks the terminal, which is read by us"
        )]
        let mut picker = Picker::from_fontsize(FontSize::new(width.max(1), height.max(1)));
        picker.set_protocol_type(match by {
            Protocols::Kitty => ProtocolType::Kitty,
            Protocols::Iterm2 => ProtocolType::Iterm2,
            Protocols::Sixel => ProtocolType::Sixel,
            Protocols::Blocks => ProtocolType::Halfblocks,
        });
        let most = Size::new(COLUMNS, ROWS);
        let protocol = picker.new_protocol(image, most, Resize::Fit(None)).ok()?;
        let size = protocol.size();
        Some(Self {
            size: (size.width.min(COLUMNS), size.height.min(ROWS)),
            protocol: Arc::new(protocol),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_decides_how_pictures_are_shown() {
        let with = |variables: &'static [(&'static str, &'static str)]| {
            way(config::Pictures::Auto, |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(with(&[("TERM", "xterm-kitty")]), Way::By(Protocols::Kitty));
        assert_eq!(
            with(&[("TERM_PROGRAM", "WezTerm")]),
            Way::By(Protocols::Iterm2)
        );
        assert_eq!(with(&[("TERM", "foot")]), Way::By(Protocols::Sixel));
        assert!(matches!(with(&[("TERM", "xterm-256color")]), Way::No(_)));
        assert!(matches!(
            with(&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/x")]),
            Way::No(_)
        ));
        assert!(matches!(way(config::Pictures::Off, |_| None), Way::No(_)));
    }

    #[test]
    fn a_picture_is_made_to_fit() {
        let mut png = std::io::Cursor::new(Vec::new());
        DynamicImage::new_rgb8(1280, 800)
            .write_to(&mut png, ImageFormat::Png)
            .unwrap();
        let png = png.into_inner();
        let drawing = Drawing::of(&png, Way::By(Protocols::Blocks), None).unwrap();
        assert_eq!(drawing.size, (COLUMNS, ROWS));
        assert!(Drawing::of(b"no picture", Way::By(Protocols::Blocks), None).is_none());
        assert!(Drawing::of(&png, Way::No("no"), None).is_none());
    }
}
