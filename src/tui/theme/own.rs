//! A person's own theme: a TOML file in the themes folder.
//!
//! ```toml
//! base = "dark"                  # a built-in theme that the rest comes from
//! title_active = "#ffaf00 bold"  # a colour and attributes
//! added = "22 on 194"            # a number of the 256 colours, and a background
//! ```

use ratatui::style::{Color, Modifier, Style};
use toml::{Table, Value};

use super::{Theme, builtin};

type Field = (&'static str, fn(&mut Theme) -> &mut Style);

/// The styles that a theme may set, by name.
const FIELDS: [Field; 20] = [
    ("text", |theme| &mut theme.text),
    ("dim", |theme| &mut theme.dim),
    ("strong", |theme| &mut theme.strong),
    ("title", |theme| &mut theme.title),
    ("title_active", |theme| &mut theme.title_active),
    ("rule", |theme| &mut theme.rule),
    ("key", |theme| &mut theme.key),
    ("good", |theme| &mut theme.good),
    ("bad", |theme| &mut theme.bad),
    ("warn", |theme| &mut theme.warn),
    ("tip", |theme| &mut theme.tip),
    ("added", |theme| &mut theme.added),
    ("removed", |theme| &mut theme.removed),
    ("file", |theme| &mut theme.file),
    ("hunk", |theme| &mut theme.hunk),
    ("selected", |theme| &mut theme.selected),
    ("left_out", |theme| &mut theme.left_out),
    ("recording", |theme| &mut theme.recording),
    ("bar", |theme| &mut theme.bar),
    ("cursor", |theme| &mut theme.cursor),
];

/// Reads the theme called `name`.
///
/// # Errors
/// What is not understood, with the name of the theme and of the style.
pub(super) fn read(name: &str, text: &str) -> Result<Theme, String> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        format!("theme {name:?}: {}", error.to_string().trim())
    })?;
    let mut theme = match table.get("base") {
        None => Theme::terminal(),
        Some(base) => base.as_str().and_then(builtin).ok_or_else(|| {
            format!(
                "theme {name:?}, base: choose one of {}",
                super::BUILTIN.join(", ")
            )
        })?,
    };
    for (key, value) in &table {
        if key == "base" {
            continue;
        }
        let Some((_, field)) = FIELDS.iter().find(|(known, _)| known == key) else {
            let known: Vec<&str> = FIELDS.iter().map(|(known, _)| *known).collect();
            return Err(format!(
                "theme {name:?}: there is no style {key:?}; there are {}",
                known.join(", ")
            ));
        };
        let words = value.as_str().ok_or_else(|| wrong(name, key, value))?;
        *field(&mut theme) = style(words).ok_or_else(|| wrong(name, key, value))?;
    }
    theme.colours = true;
    Ok(theme)
}

fn wrong(name: &str, key: &str, value: &Value) -> String {
    format!(
        "theme {name:?}, {key}: {value} is no style; write a colour (a name, #rrggbb, 0 to 255), \"on\" and a \
         background, and any of bold, dim, italic, underlined, reversed, crossed-out"
    )
}

/// A style as people write one; nothing when a word of it is not understood.
fn style(words: &str) -> Option<Style> {
    let mut style = Style::new();
    let mut words = words.split_whitespace();
    while let Some(word) = words.next() {
        let modifier = match word {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            "crossed-out" => Modifier::CROSSED_OUT,
            "on" => {
                style = style.bg(color(words.next()?)?);
                continue;
            }
            name => {
                style = style.fg(color(name)?);
                continue;
            }
        };
        style = style.add_modifier(modifier);
    }
    Some(style)
}

fn color(name: &str) -> Option<Color> {
    match name {
        "default" => Some(Color::Reset),
        name => name.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_read_as_people_write_them() {
        let theme = read(
            "mine",
            "base = \"dark\"\nadded = \"22 on #d7ffd7 bold\"\ntext = \"default\"",
        )
        .unwrap();
        assert_eq!(theme.added.fg, Some(Color::Indexed(22)));
        assert_eq!(theme.added.bg, Some(Color::Rgb(0xd7, 0xff, 0xd7)));
        assert!(theme.added.add_modifier.contains(Modifier::BOLD));
        assert_eq!(theme.bad, Theme::dark().bad);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, words) in [
            ("base = \"dusk\"", "base"),
            ("colour = \"red\"", "\"colour\""),
            ("added = \"greenish\"", "added"),
            ("added = 3", "added"),
            ("added = \"on\"", "added"),
            ("added =", "mine"),
        ] {
            let error = read("mine", text).unwrap_err();
            assert!(
                error.contains("mine") && error.contains(words),
                "{text}: {error}"
            );
        }
    }
}
