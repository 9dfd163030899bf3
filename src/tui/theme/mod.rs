//! All colours. Unless another theme is chosen they are the terminal's own sixteen, so the person's terminal decides
//! how they look, and both light and dark ones are readable.
//!
//! A colour only underlines what a word, a sign or a mark says already: with colours off nothing is lost.

pub mod ansi;
mod own;

use ratatui::style::{Color, Modifier, Style};

use super::model::painting::Role;

/// The styles of the cockpit by what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Ordinary text.
    pub text: Style,
    /// Secondary text.
    pub dim: Style,
    /// What stands out in a sentence: names, addresses.
    pub strong: Style,
    /// Title of a pane.
    pub title: Style,
    /// Title of the pane that scrolls.
    pub title_active: Style,
    /// Lines between panes.
    pub rule: Style,
    /// A key in the footer or a hint.
    pub key: Style,
    /// What went well.
    pub good: Style,
    /// What failed.
    pub bad: Style,
    /// What needs attention.
    pub warn: Style,
    /// What was understood, and other information.
    pub tip: Style,
    /// An added line.
    pub added: Style,
    /// A removed line.
    pub removed: Style,
    /// The heading of a file.
    pub file: Style,
    /// The heading of a hunk.
    pub hunk: Style,
    /// The heading of the selected hunk.
    pub selected: Style,
    /// A line of a hunk that is left out.
    pub left_out: Style,
    /// The mark of a running recording.
    pub recording: Style,
    /// The filled part of a bar.
    pub bar: Style,
    /// The selected line of a list, over what its parts have.
    pub cursor: Style,
    /// Whether colours are shown at all.
    pub colours: bool,
}

/// What is behind the text, as the terminal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Light text on a dark ground.
    Dark,
    /// Dark text on a light ground.
    Light,
}

impl Ground {
    /// The ground of a colour, from its parts between 0 and 1.
    pub fn of(red: f32, green: f32, blue: f32) -> Self {
        // The weights of ITU-R BT.601: how bright the eye finds each.
        if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 {
            Self::Light
        } else {
            Self::Dark
        }
    }
}

/// The colours that a built-in theme is made of.
struct Palette {
    accent: Color,
    good: Color,
    bad: Color,
    warn: Color,
    /// Secondary text.
    dim: Style,
    /// Every colour is bold too.
    bold: bool,
}

impl Theme {
    /// The terminal's own colours.
    pub const fn terminal() -> Self {
        Self::of(&Palette {
            accent: Color::Cyan,
            good: Color::Green,
            bad: Color::Red,
            warn: Color::Magenta,
            dim: Style::new().add_modifier(Modifier::DIM),
            bold: false,
        })
    }

    /// What "auto" is on a ground: the terminal's own colours, and on a light one those that are readable there, since
    /// many a terminal's own green, cyan and magenta are not.
    pub const fn following(ground: Ground) -> Self {
        match ground {
            Ground::Dark => Self::terminal(),
            Ground::Light => Self::light(),
        }
    }

    /// For a dark background, whatever the terminal's own colours are.
    pub const fn dark() -> Self {
        Self::of(&Palette {
            accent: Color::Indexed(80),
            good: Color::Indexed(114),
            bad: Color::Indexed(210),
            warn: Color::Indexed(221),
            dim: Style::new().fg(Color::Indexed(248)),
            bold: false,
        })
    }

    /// For a light background, whatever the terminal's own colours are.
    pub const fn light() -> Self {
        Self::of(&Palette {
            accent: Color::Indexed(24),
            good: Color::Indexed(22),
            bad: Color::Indexed(124),
            warn: Color::Indexed(94),
            dim: Style::new().fg(Color::Indexed(240)),
            bold: false,
        })
    }

    /// Nothing faint: every colour is bold, and secondary text is as strong as the rest.
    pub const fn high_contrast() -> Self {
        let mut theme = Self::of(&Palette {
            accent: Color::LightCyan,
            good: Color::LightGreen,
            bad: Color::LightRed,
            warn: Color::LightYellow,
            dim: Style::new(),
            bold: true,
        });
        theme.removed = theme.removed.add_modifier(Modifier::UNDERLINED);
        theme.left_out = Style::new().add_modifier(Modifier::CROSSED_OUT);
        theme
    }

    const fn of(palette: &Palette) -> Self {
        let plain = Style::new();
        let strong = plain.add_modifier(Modifier::BOLD);
        let weight = if palette.bold {
            Modifier::BOLD
        } else {
            Modifier::empty()
        };
        let good = plain.fg(palette.good).add_modifier(weight);
        let accent = plain.fg(palette.accent).add_modifier(weight);
        let bad = plain.fg(palette.bad).add_modifier(Modifier::BOLD);
        Self {
            text: plain,
            dim: palette.dim,
            strong,
            title: palette.dim,
            title_active: accent.add_modifier(Modifier::BOLD),
            rule: palette.dim,
            key: accent.add_modifier(Modifier::BOLD),
            good,
            bad,
            warn: plain.fg(palette.warn).add_modifier(weight),
            tip: accent,
            added: good,
            removed: plain.fg(palette.bad).add_modifier(weight),
            file: strong,
            hunk: accent,
            selected: accent.add_modifier(Modifier::BOLD.union(Modifier::REVERSED)),
            left_out: palette.dim,
            recording: bad,
            bar: accent,
            cursor: plain.add_modifier(Modifier::REVERSED),
            colours: true,
        }
    }

    /// No colours: bold, dim and reverse only.
    pub const fn plain() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let dim = plain.add_modifier(Modifier::DIM);
        Self {
            text: plain,
            dim,
            strong: bold,
            title: dim,
            title_active: bold,
            rule: dim,
            key: bold,
            good: bold,
            bad: bold,
            warn: bold,
            tip: plain,
            added: bold,
            removed: plain.add_modifier(Modifier::UNDERLINED),
            file: bold,
            hunk: plain,
            selected: plain.add_modifier(Modifier::REVERSED),
            left_out: dim,
            recording: plain.add_modifier(Modifier::REVERSED),
            bar: bold,
            cursor: plain.add_modifier(Modifier::REVERSED),
            colours: false,
        }
    }

    /// The theme of the setting `[ui] theme`; `no_color` is the environment's wish and wins.
    ///
    /// # Errors
    /// When no theme has that name.
    pub fn named(name: &str, no_color: bool) -> Result<Self, String> {
        Self::find(name, no_color, &|_| None)
    }

    /// As [`Theme::named`]; `own` gives the text of the person's own theme of a name.
    ///
    /// # Errors
    /// When no theme has that name, or the person's own is not understood; the text names the place.
    pub fn find(
        name: &str,
        no_color: bool,
        own: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let theme = match (builtin(name), own(name)) {
            (Some(theme), _) => theme,
            (None, Some(text)) => own::read(name, &text)?,
            (None, None) => {
                return Err(format!(
                    "[ui] theme: there is no theme {name:?}; choose {} or the name of a file in the themes folder",
                    BUILTIN.join(", ")
                ));
            }
        };
        Ok(if no_color { Self::plain() } else { theme })
    }
}

/// The names of the built-in themes.
pub const BUILTIN: [&str; 5] = ["auto", "light", "dark", "high-contrast", "no-color"];

fn builtin(name: &str) -> Option<Theme> {
    Some(match name {
        "auto" => Theme::terminal(),
        "light" => Theme::light(),
        "dark" => Theme::dark(),
        "high-contrast" => Theme::high_contrast(),
        "no-color" => Theme::plain(),
        _ => return None,
    })
}

/// What is made of the roles above, so that every theme has it.
impl Theme {
    /// Whether source text is coloured.
    pub fn paints(&self) -> bool {
        self.colours
    }

    /// A word that changed inside a line, over what its line has.
    pub fn word(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The colour of a person or a mark, by name; a letter always stands beside it.
    pub fn person(&self, colour: &str) -> Style {
        let plain = Style::new().add_modifier(Modifier::BOLD);
        if !self.colours {
            return plain;
        }
        // The terminal's own: what is readable on its ground is the terminal's to know.
        plain.fg(match colour {
            "orange" => Color::LightRed,
            "sky" => Color::LightCyan,
            "green" => Color::Green,
            "yellow" => Color::Yellow,
            "blue" => Color::Blue,
            "vermillion" => Color::Red,
            "purple" => Color::Magenta,
            _ => Color::Gray,
        })
    }

    /// The cursor of a person.
    pub fn caret(&self, colour: &str) -> Style {
        self.person(colour).add_modifier(Modifier::REVERSED)
    }

    /// Marked text, over what its line has.
    pub fn marked(&self, colour: &str) -> Style {
        self.person(colour).add_modifier(Modifier::UNDERLINED)
    }

    /// A piece of source text, over what its line has.
    pub fn syntax(&self, role: Role) -> Style {
        match role {
            _ if !self.paints() => Style::new(),
            Role::Comment => self.dim,
            Role::String | Role::Number => self.warn,
            Role::Keyword => self.strong,
            Role::Name => self.key,
            Role::Attribute => self.tip,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_has_none_and_wins() {
        let theme = Theme::named("auto", true).unwrap();
        assert_eq!(theme, Theme::plain());
        for name in BUILTIN {
            assert_eq!(Theme::named(name, true).unwrap(), Theme::plain(), "{name}");
            assert!(Theme::named(name, false).is_ok(), "{name}");
        }
        let shown = format!("{theme:?}");
        for color in ["fg: Some", "bg: Some", "Red", "Green"] {
            assert!(!shown.contains(color), "{color} in {shown}");
        }
        assert!(
            Theme::named("solarised", false)
                .unwrap_err()
                .contains("[ui] theme")
        );
    }
}
