//! Lines of a log with the colours that a program gave them.
//!
//! Select Graphic Rendition (`CSI … m`, ECMA-48 8.3.117) becomes a style; every other escape is dropped, and what
//! else a terminal would act on is shown as what it is. Without colours the words stay.

use ratatui::style::{Color, Modifier, Style};

use super::Theme;
use crate::tui::text;

/// The pieces of `line` with their styles.
pub fn spans(line: &str, theme: &Theme) -> Vec<(String, Style)> {
    let mut spans = Vec::new();
    let mut style = Style::new();
    for piece in pieces(line) {
        match piece {
            Piece::Text(said) => {
                let shown = theme.text.patch(if theme.colours {
                    style
                } else {
                    Style::new().add_modifier(style.add_modifier)
                });
                spans.push((text::clean(said).into_owned(), shown));
            }
            Piece::Style(parameters) => style = apply(style, parameters),
        }
    }
    spans
}

/// `line` without escapes.
pub fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for piece in pieces(line) {
        if let Piece::Text(said) = piece {
            out.push_str(&text::clean(said));
        }
    }
    out
}

enum Piece<'a> {
    Text(&'a str),
    Style(&'a str),
}

fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        if at > 0 {
            out.push(Piece::Text(&rest[..at]));
        }
        let body = &rest[at + 2..];
        let Some(end) = body.find(|c: char| ('@'..='~').contains(&c)) else {
            return out;
        };
        if body.as_bytes()[end] == b'm' {
            out.push(Piece::Style(&body[..end]));
        }
        rest = &body[end + 1..];
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest));
    }
    out
}

/// `style` after the parameters of one sequence.
fn apply(mut style: Style, parameters: &str) -> Style {
    let mut numbers = parameters
        .split([';', ':'])
        .map(|number| number.parse::<u16>().unwrap_or(0));
    while let Some(number) = numbers.next() {
        style = match number {
            0 => Style::new(),
            1 => style.add_modifier(Modifier::BOLD),
            2 => style.add_modifier(Modifier::DIM),
            3 => style.add_modifier(Modifier::ITALIC),
            4 => style.add_modifier(Modifier::UNDERLINED),
            7 => style.add_modifier(Modifier::REVERSED),
            9 => style.add_modifier(Modifier::CROSSED_OUT),
            22 => without(style, Modifier::BOLD.union(Modifier::DIM)),
            23 => without(style, Modifier::ITALIC),
            24 => without(style, Modifier::UNDERLINED),
            27 => without(style, Modifier::REVERSED),
            29 => without(style, Modifier::CROSSED_OUT),
            30..=37 => style.fg(named(number - 30)),
            90..=97 => style.fg(named(number - 90 + 8)),
            40..=47 => style.bg(named(number - 40)),
            100..=107 => style.bg(named(number - 100 + 8)),
            39 => Style { fg: None, ..style },
            49 => Style { bg: None, ..style },
            38 | 48 => {
                let color = match numbers.next() {
                    Some(5) => numbers.next().map(|index| Color::Indexed(byte(index))),
                    Some(2) => {
                        let mut next = || numbers.next().map(byte);
                        match (next(), next(), next()) {
                            (Some(r), Some(g), Some(b)) => Some(Color::Rgb(r, g, b)),
                            _ => None,
                        }
                    }
                    _ => None,
                };
                match color {
                    Some(color) if number == 38 => style.fg(color),
                    Some(color) => style.bg(color),
                    None => style,
                }
            }
            _ => style,
        };
    }
    style
}

fn without(style: Style, modifier: Modifier) -> Style {
    Style {
        add_modifier: style.add_modifier.difference(modifier),
        ..style
    }
}

fn byte(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// The terminal's own sixteen colours.
fn named(index: u16) -> Color {
    match index {
        0 => Color::Black,
        1 => Color::Red,
        2 => Color::Green,
        3 => Color::Yellow,
        4 => Color::Blue,
        5 => Color::Magenta,
        6 => Color::Cyan,
        7 => Color::Gray,
        8 => Color::DarkGray,
        9 => Color::LightRed,
        10 => Color::LightGreen,
        11 => Color::LightYellow,
        12 => Color::LightBlue,
        13 => Color::LightMagenta,
        14 => Color::LightCyan,
        _ => Color::White,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_kept_and_everything_else_is_harmless() {
        let theme = Theme::terminal();
        let line = "\u{1b}[1;31merror\u{1b}[0m: \u{1b}[38;5;208mmod\u{1b}[39m\u{1b}[2Jule\u{7}";
        let spans = spans(line, &theme);
        let words: Vec<&str> = spans.iter().map(|(said, _)| said.as_str()).collect();
        assert_eq!(words, ["error", ": ", "mod", "ule␇"]);
        assert_eq!(spans[0].1.fg, Some(Color::Red));
        assert!(spans[0].1.add_modifier.contains(Modifier::BOLD));
        assert_eq!(spans[1].1, theme.text);
        assert_eq!(spans[2].1.fg, Some(Color::Indexed(208)));
        assert_eq!(spans[3].1.fg, None);
        assert_eq!(plain(line), "error: module␇");
    }

    #[test]
    fn without_colours_the_words_and_their_weight_stay() {
        let spans = spans("\u{1b}[1;31merror", &Theme::plain());
        assert_eq!(spans[0].1.fg, None);
        assert!(spans[0].1.add_modifier.contains(Modifier::BOLD));
    }

    #[test]
    fn broken_sequences_end_nothing() {
        for line in [
            "\u{1b}[",
            "\u{1b}[38;5m",
            "a\u{1b}[38;2;1mb",
            "\u{1b}[999999m",
            "\u{1b}",
        ] {
            let shown = plain(line);
            assert!(!shown.chars().any(char::is_control), "{line:?}: {shown:?}");
        }
    }
}
