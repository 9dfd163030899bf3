//! What a terminal is told beside the picture: the clipboard (OSC 52), progress (OSC 9;4), notifications (OSC 9 or the
//! bell). Bytes only; who writes them is the driver.
//!
//! Inside tmux a sequence for the terminal outside must be wrapped, and tmux passes it on only where its
//! `allow-passthrough` says so; GNU screen takes short pieces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::model::{Ending, Model};
use super::text;
use crate::config::{Notify, Toggle};

/// Bytes of text that go to the clipboard by the terminal: what xterm and tmux take.
pub const CLIPBOARD: usize = 74_000;
/// Bytes of a piece in GNU screen.
const PIECE: usize = 700;
/// Columns of a notification.
const NOTICE: usize = 200;

/// Which terminal this is, as far as its environment tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Inside tmux.
    pub tmux: bool,
    /// Inside GNU screen.
    pub screen: bool,
    /// The terminal is on another machine.
    pub remote: bool,
    /// The terminal's own name.
    pub program: String,
    /// Its version, as numbers.
    pub version: Vec<u32>,
    /// Windows Terminal or ConEmu.
    pub windows: bool,
    /// The console of the system, or something that is hardly a terminal.
    pub plain: bool,
    /// There is a display with a clipboard of its own.
    pub wayland: bool,
    /// The same for X.
    pub x11: bool,
}

impl Surroundings {
    /// Reads the environment.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let version = variable("TERM_PROGRAM_VERSION").unwrap_or_default();
        Self {
            tmux: set("TMUX"),
            screen: set("STY"),
            remote: set("SSH_TTY") || set("SSH_CONNECTION"),
            program: variable("TERM_PROGRAM").unwrap_or_default(),
            version: version
                .split('.')
                .map_while(|part| part.parse().ok())
                .collect(),
            windows: set("WT_SESSION") || variable("ConEmuANSI").as_deref() == Some("ON"),
            plain: matches!(
                variable("TERM").as_deref(),
                None | Some("" | "linux" | "dumb")
            ),
            wayland: set("WAYLAND_DISPLAY"),
            x11: set("DISPLAY"),
        }
    }

    /// True for terminals that can be asked for their background; one that cannot may show the question.
    pub fn tells_ground(&self) -> bool {
        !self.screen && !self.plain
    }

    /// True for terminals that are known to show progress by OSC 9;4; others may take it for a notification.
    pub fn shows_progress(&self) -> bool {
        if self.tmux || self.screen {
            return false;
        }
        match self.program.as_str() {
            "ghostty" => true,
            "iTerm.app" => self.version.as_slice() >= &[3, 6, 6][..],
            "WezTerm" => self
                .version
                .first()
                .is_some_and(|first| *first >= 20_250_000),
            _ => self.windows,
        }
    }

    /// True for terminals that take a progress mark away when it is not told anew for some seconds.
    pub fn progress_fades(&self) -> bool {
        self.program == "ghostty"
    }

    /// True for terminals that are known to notify by OSC 9; others are rung at.
    fn notifies(&self) -> bool {
        matches!(
            self.program.as_str(),
            "ghostty" | "iTerm.app" | "WezTerm" | "kitty" | "WarpTerminal"
        )
    }

    /// Programs that put their input on the clipboard of this machine, with their arguments; the first that is there
    /// is enough.
    pub fn clipboard_programs(&self) -> Vec<Vec<&'static str>> {
        let mut programs = Vec::new();
        if self.tmux {
            programs.push(vec!["tmux", "load-buffer", "-w", "-"]);
        }
        if self.remote {
            // This machine's clipboard is not where the person sits.
            return programs;
        }
        if cfg!(target_os = "macos") {
            programs.push(vec!["pbcopy"]);
        } else if cfg!(windows) {
            programs.push(vec!["clip.exe"]);
        }
        if self.wayland {
            programs.push(vec!["wl-copy"]);
        }
        if self.x11 {
            programs.push(vec!["xclip", "-selection", "clipboard"]);
            programs.push(vec!["xsel", "--clipboard", "--input"]);
        }
        programs
    }

    /// `sequence` for the terminal outside.
    fn wrap(&self, sequence: &str) -> String {
        if self.tmux {
            return format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"));
        }
        if self.screen {
            let pieces = sequence.as_bytes().chunks(PIECE);
            let pieces =
                pieces.map(|piece| format!("\x1bP{}\x1b\\", String::from_utf8_lossy(piece)));
            return pieces.collect();
        }
        sequence.to_owned()
    }

    /// Puts `text` on the terminal's clipboard; nothing when it is too long for one.
    pub fn copy(&self, text: &str) -> Option<String> {
        if text.len() > CLIPBOARD {
            return None;
        }
        Some(self.wrap(&format!("\x1b]52;c;{}\x07", STANDARD.encode(text))))
    }

    /// Tells a person who looks elsewhere.
    pub fn notify(&self, how: Notify, words: &str) -> String {
        let words = text::fit(&text::clean_prose(words), NOTICE).into_owned();
        match how {
            Notify::Off => String::new(),
            Notify::Auto if self.notifies() && self.tmux => {
                format!("{}\x07", self.wrap(&format!("\x1b]9;{words}\x07")))
            }
            Notify::Auto if self.notifies() => format!("\x1b]9;{words}\x07"),
            Notify::Auto | Notify::Bell => "\x07".to_owned(),
        }
    }
}

/// What the terminal's own progress mark shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Nothing.
    #[default]
    None,
    /// So many percent.
    Percent(u8),
    /// It failed.
    Failed,
}

impl Progress {
    /// What the mark is to show for the state.
    pub fn of(model: &Model) -> Self {
        match &model.deploy {
            Some(deploy) => match &deploy.ending {
                None => Self::Percent(deploy.percent),
                Some(Ending::Failed { .. }) if !model.focused => Self::Failed,
                Some(_) => Self::None,
            },
            None => Self::None,
        }
    }

    /// The bytes that show it.
    pub fn bytes(self) -> String {
        match self {
            Self::None => CLEAR_PROGRESS.to_owned(),
            Self::Percent(percent) => format!("\x1b]9;4;1;{percent}\x07"),
            Self::Failed => "\x1b]9;4;2;100\x07".to_owned(),
        }
    }
}

/// Takes the progress mark away.
pub const CLEAR_PROGRESS: &str = "\x1b]9;4;0;0\x07";

/// Whether progress is shown, by the setting and by what the terminal can.
pub fn progress_wanted(setting: Toggle, surroundings: &Surroundings) -> bool {
    match setting {
        Toggle::On => true,
        Toggle::Off => false,
        Toggle::Auto => surroundings.shows_progress(),
    }
}

/// Whether the picture is to be ASCII: as set, else when the locale names a character set that is not Unicode.
pub fn ascii_wanted(setting: Toggle, variable: impl Fn(&str) -> Option<String>) -> bool {
    match setting {
        Toggle::On => true,
        Toggle::Off => false,
        Toggle::Auto => {
            let named = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
            let locale = named
                .filter_map(variable)
                .find(|value| !value.is_empty())
                .map(|value| value.to_lowercase());
            // A machine without any locale is most often a container behind a terminal that knows Unicode.
            locale.is_some_and(|locale| !locale.contains("utf-8") && !locale.contains("utf8"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(variables: &[(&str, &str)]) -> Surroundings {
        Surroundings::read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_clipboard_is_written_through_tmux_and_screen() {
        let plain = surroundings(&[]).copy("hé").unwrap();
        assert_eq!(plain, "\x1b]52;c;aMOp\x07");
        let tmux = surroundings(&[("TMUX", "/tmp/x")]).copy("hé").unwrap();
        assert_eq!(tmux, "\x1bPtmux;\x1b\x1b]52;c;aMOp\x07\x1b\\");
        let screen = surroundings(&[("STY", "1")])
            .copy(&"x".repeat(2_000))
            .unwrap();
        assert!(screen.matches("\x1bP").count() >= 3 && screen.ends_with("\x1b\\"));
        assert_eq!(surroundings(&[]).copy(&"x".repeat(CLIPBOARD + 1)), None);
    }

    #[test]
    fn programs_for_the_clipboard_are_this_machines_only() {
        let here = surroundings(&[("DISPLAY", ":0"), ("WAYLAND_DISPLAY", "w")]);
        let names: Vec<&str> = here.clipboard_programs().iter().map(|p| p[0]).collect();
        assert!(names.contains(&"wl-copy") && names.contains(&"xclip"));
        let there = surroundings(&[("DISPLAY", ":0"), ("SSH_TTY", "/dev/pts/1")]);
        assert!(there.clipboard_programs().is_empty());
    }

    #[test]
    fn notifications_hold_no_escapes_and_fall_back_to_the_bell() {
        let evil = "done\x07\x1b]52;c;eA==\x07";
        let told = surroundings(&[("TERM_PROGRAM", "ghostty")]).notify(Notify::Auto, evil);
        assert_eq!(told.matches('\x1b').count(), 1, "{told:?}");
        assert_eq!(told.matches('\x07').count(), 1, "{told:?}");
        assert_eq!(surroundings(&[]).notify(Notify::Auto, evil), "\x07");
        assert_eq!(surroundings(&[]).notify(Notify::Off, evil), "");
    }

    #[test]
    fn progress_is_shown_where_it_is_known() {
        let iterm = |version| {
            surroundings(&[
                ("TERM_PROGRAM", "iTerm.app"),
                ("TERM_PROGRAM_VERSION", version),
            ])
            .shows_progress()
        };
        assert!(iterm("3.6.6") && iterm("3.10.1") && !iterm("3.5.14") && !iterm(""));
        assert!(surroundings(&[("WT_SESSION", "x")]).shows_progress());
        assert!(!surroundings(&[]).shows_progress());
        assert!(!surroundings(&[("TERM_PROGRAM", "ghostty"), ("TMUX", "x")]).shows_progress());
    }

    #[test]
    fn a_locale_without_unicode_means_ascii() {
        let wanted = |locale: Option<&str>| {
            ascii_wanted(Toggle::Auto, |name| {
                locale.filter(|_| name == "LC_CTYPE").map(str::to_owned)
            })
        };
        assert!(wanted(Some("C")) && wanted(Some("de_DE.ISO-8859-1")));
        assert!(!wanted(Some("C.UTF-8")) && !wanted(Some("en_US.utf8")) && !wanted(None));
        assert!(ascii_wanted(Toggle::On, |_| None));
    }
}
