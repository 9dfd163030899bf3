//! All colours. They are the terminal's own sixteen, so the person's theme decides how they look.
//!
//! A colour only underlines what a word, a sign or a mark says already: with colours off nothing is lost.

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
}

impl Theme {
    /// The terminal's own colours.
    pub const fn terminal() -> Self {
        let plain = Style::new();
        Self {
            text: plain,
            dim: plain.add_modifier(Modifier::DIM),
            strong: plain.add_modifier(Modifier::BOLD),
            title: plain.add_modifier(Modifier::DIM),
            title_active: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            rule: plain.add_modifier(Modifier::DIM),
            key: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            good: plain.fg(Color::Green),
            bad: plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            warn: plain.fg(Color::Magenta),
            tip: plain.fg(Color::Cyan),
            added: plain.fg(Color::Green),
            removed: plain.fg(Color::Red),
            file: plain.add_modifier(Modifier::BOLD),
            hunk: plain.fg(Color::Cyan),
            selected: plain
                .fg(Color::Cyan)
                .add_modifier(Modifier::BOLD.union(Modifier::REVERSED)),
            left_out: plain.add_modifier(Modifier::DIM),
            recording: plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            bar: plain.fg(Color::Cyan),
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
        }
    }

    /// The theme of the setting `[ui] theme`; `no_color` is the environment's wish and wins.
    ///
    /// # Errors
    /// When no theme has that name.
    pub fn named(name: &str, no_color: bool) -> Result<Self, String> {
        match name {
            "auto" if !no_color => Ok(Self::terminal()),
            "auto" | "no-color" => Ok(Self::plain()),
            other => Err(format!(
                "[ui] theme: there is no theme {other:?}; choose \"auto\" or \"no-color\""
            )),
        }
    }
}

/// What is made of the roles above, so that every theme has it.
impl Theme {
    /// Whether source text is coloured.
    pub fn paints(&self) -> bool {
        *self != Self::plain()
    }

    /// A word that changed inside a line, over what its line has.
    pub fn word(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
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
