//! Keys as the cockpit knows them, independent of the library that reads them, and their names in text.

use std::fmt;
use std::str::FromStr;

/// What a key is called on the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A key that types this character; Shift is part of the character.
    Char(char),
    /// A function key, 1 to 24.
    F(u8),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// Keys with a name, as written in the configuration and shown on screen.
const NAMES: [(&str, Code); 15] = [
    ("Enter", Code::Enter),
    ("Esc", Code::Esc),
    ("Tab", Code::Tab),
    ("Space", Code::Char(' ')),
    ("Backspace", Code::Backspace),
    ("Delete", Code::Delete),
    ("Insert", Code::Insert),
    ("Left", Code::Left),
    ("Right", Code::Right),
    ("Up", Code::Up),
    ("Down", Code::Down),
    ("Home", Code::Home),
    ("End", Code::End),
    ("PgUp", Code::PageUp),
    ("PgDn", Code::PageDown),
];

/// A key with the modifiers held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The key.
    pub code: Code,
    /// Ctrl is held.
    pub ctrl: bool,
    /// Alt is held.
    pub alt: bool,
    /// Shift is held; always false for a plain character, which carries it already.
    pub shift: bool,
}

impl Key {
    /// The key alone.
    pub fn plain(code: Code) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
            shift: false,
        }
    }

    /// The key that types `c`.
    pub fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// The same key in the one form that is compared: a character keeps no Shift of its own, and with Ctrl it is in
    /// lower case.
    pub fn normal(mut self) -> Self {
        if let Code::Char(c) = self.code {
            if self.ctrl {
                self.code = Code::Char(c.to_ascii_lowercase());
            } else {
                if self.shift && c.is_ascii_lowercase() {
                    self.code = Code::Char(c.to_ascii_uppercase());
                }
                self.shift = false;
            }
        }
        self
    }

    /// The character it types into a text, if any.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// It went down (or, in terminals that do not tell them apart, repeats).
    Press,
    /// It is held and repeats.
    Repeat,
    /// It went up.
    Release,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [
            (self.ctrl, "Ctrl+"),
            (self.alt, "Alt+"),
            (self.shift, "Shift+"),
        ] {
            if held {
                f.write_str(name)?;
            }
        }
        match self.code {
            Code::F(number) => write!(f, "F{number}"),
            Code::Char(c) if c != ' ' => {
                // With Ctrl a capital letter is how people write it: Ctrl+C.
                let upper = self.ctrl && c.is_ascii_lowercase();
                write!(f, "{}", if upper { c.to_ascii_uppercase() } else { c })
            }
            code => {
                let name = NAMES.iter().find(|(_, known)| *known == code);
                f.write_str(name.map_or("?", |(name, _)| name))
            }
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || {
            format!(
                "{text:?} is no key; write for example \"F5\", \"Ctrl+K\", \"Shift+Tab\", \"Space\" or \"x\""
            )
        };
        let mut key = Key::char(' ');
        let mut rest = text.trim();
        while let Some((modifier, after)) = rest.split_once(['+', '-']) {
            // "+" and "-" alone, or at the end ("Ctrl++"), are keys themselves.
            if modifier.is_empty() || after.is_empty() {
                break;
            }
            match modifier.trim().to_ascii_lowercase().as_str() {
                "ctrl" | "control" => key.ctrl = true,
                "alt" | "option" => key.alt = true,
                "shift" => key.shift = true,
                _ => return Err(unreadable()),
            }
            rest = after;
        }
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => Code::Char(c),
            (Some('f' | 'F'), Some(_))
                if rest[1..].parse().is_ok_and(|n| (1..=24).contains(&n)) =>
            {
                Code::F(rest[1..].parse().map_err(|_| unreadable())?)
            }
            _ => {
                let aliases = [
                    ("Escape", "Esc"),
                    ("Return", "Enter"),
                    ("PageUp", "PgUp"),
                    ("PageDown", "PgDn"),
                    ("Del", "Delete"),
                ];
                let name = aliases
                    .iter()
                    .find(|(alias, _)| alias.eq_ignore_ascii_case(rest))
                    .map_or(rest, |(_, name)| name);
                NAMES
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(name))
                    .map(|(_, code)| *code)
                    .ok_or_else(unreadable)?
            }
        };
        Ok(key.normal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_names_are_read_and_shown() {
        let cases = [
            ("F5", "F5"),
            ("f12", "F12"),
            ("ctrl+c", "Ctrl+C"),
            ("shift+tab", "Shift+Tab"),
            ("space", "Space"),
            ("shift+d", "D"),
            ("D", "D"),
            ("Alt+Left", "Alt+Left"),
            ("escape", "Esc"),
            ("?", "?"),
            ("+", "+"),
            ("ctrl++", "Ctrl++"),
            ("PageDown", "PgDn"),
        ];
        for (written, shown) in cases {
            let key: Key = written.parse().unwrap();
            assert_eq!(key.to_string(), shown, "{written}");
            assert_eq!(shown.parse::<Key>(), Ok(key), "{shown}");
        }
    }

    #[test]
    fn unreadable_keys_are_refused_with_an_example() {
        for bad in ["", "F0", "F25", "Hyper+x", "Ctrl+", "abc", "f", "\u{7}"] {
            // "f" alone is the letter.
            if bad == "f" {
                assert_eq!(bad.parse(), Ok(Key::char('f')));
                continue;
            }
            let error = bad.parse::<Key>().unwrap_err();
            assert!(error.contains("is no key"), "{bad:?}: {error}");
        }
    }
}
