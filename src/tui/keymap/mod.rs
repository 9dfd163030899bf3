//! Which key does what, where. One table serves dispatch, the footer and the help.
//!
//! A key means exactly one thing in each context. The table is checked when the map is built: a duplicate or an
//! unreadable key is an error that names its place, never a silent preference.

mod table;

use std::collections::HashMap;

use self::Command as C;
use super::keys::{Code, Key};

/// What the keyboard talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// Everywhere, beneath every other context.
    Global,
    /// The cockpit itself, outside text input.
    Cockpit,
    /// While a recording runs.
    Talk,
    /// While a question is on the screen.
    Ask,
    /// In the text input.
    Input,
    /// In the list of keys.
    Help,
    /// In the list of microphones.
    Mics,
}

impl Context {
    /// The contexts that have their own keys, in the order of the help.
    pub const ALL: [Context; 7] = [
        Context::Cockpit,
        Context::Talk,
        Context::Ask,
        Context::Input,
        Context::Mics,
        Context::Help,
        Context::Global,
    ];

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Context::Global => "everywhere",
            Context::Cockpit => "cockpit",
            Context::Talk => "while recording",
            Context::Ask => "questions",
            Context::Input => "text input",
            Context::Help => "help",
            Context::Mics => "microphones",
        }
    }
}

/// What a key can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(
    missing_docs,
    reason = "each command's line of documentation stands in the table below"
)]
pub enum Command {
    Talk,
    FinishTalk,
    CancelTalk,
    EditHeard,
    Replay,
    Microphones,
    ChooseMicrophone,
    CloseMicrophones,
    FocusInput,
    LeaveInput,
    Submit,
    Approve,
    CommitOnly,
    Reject,
    ToggleHunk,
    NextHunk,
    PreviousHunk,
    NextProposal,
    PreviousProposal,
    Edit,
    Revise,
    Undo,
    Deploy,
    Redeploy,
    Rollback,
    StopDeployment,
    OpenPage,
    CopyAddress,
    PaneSay,
    PaneProposal,
    PaneTimeline,
    ScrollUp,
    ScrollDown,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Back,
    Help,
    CloseHelp,
    Yes,
    No,
    Quit,
    Interrupt,
    Suspend,
    Redraw,
    Line(LineCommand),
}

/// What a key can do to the line of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(
    missing_docs,
    reason = "each command's line of documentation stands in the table below"
)]
pub enum LineCommand {
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Backspace,
    Delete,
    KillWord,
    KillToStart,
    KillToEnd,
    Older,
    Newer,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Where it holds.
    pub context: Context,
    /// The keys; the first is the one shown.
    pub keys: Vec<Key>,
    /// What it does.
    pub command: Command,
    /// One line for the help.
    pub doc: &'static str,
}

/// The keys of one run, checked.
#[derive(Clone, Debug)]
pub struct Keymap {
    bindings: Vec<Binding>,
    by_key: HashMap<(Context, Key), Command>,
}

impl Keymap {
    /// The shipped keys with push-to-talk on `talk_key` everywhere (a key that types: outside text input only) and,
    /// with `space`, on the space bar outside text input.
    ///
    /// # Errors
    /// When a key is unreadable or has two meanings in one context; the text names the place.
    pub fn new(talk_key: &str, space: bool) -> Result<Self, String> {
        let talk: Key = talk_key
            .parse()
            .map_err(|error| format!("[voice] key: {error}"))?;
        let doc = "speak: push to talk";
        let outside = [Context::Cockpit, Context::Ask, Context::Talk];
        let mut bindings = Vec::new();
        if talk.typed().is_some() {
            for context in outside {
                bindings.push(row(context, vec![talk], C::Talk, doc));
            }
        } else {
            bindings.push(row(Context::Global, vec![talk], C::Talk, doc));
        }
        let bar = Key::char(' ');
        if space && talk != bar {
            for context in outside {
                bindings.push(row(context, vec![bar], C::Talk, doc));
            }
        }
        for (context, keys, command, doc) in table::TABLE {
            let keys = keys
                .split(' ')
                .map(str::parse)
                .collect::<Result<Vec<Key>, _>>()
                .map_err(|error| format!("keys of {command:?}: {error}"))?;
            bindings.push(row(*context, keys, *command, doc));
        }
        Self::check(bindings)
    }

    fn check(bindings: Vec<Binding>) -> Result<Self, String> {
        let mut by_key = HashMap::new();
        for binding in &bindings {
            for key in &binding.keys {
                if let Some(other) = by_key.insert((binding.context, *key), binding.command) {
                    return Err(format!(
                        "the key {key} means two things in the context \"{}\": {other:?} and {:?}; \
                         choose another key (for push-to-talk: [voice] key)",
                        binding.context.title(),
                        binding.command
                    ));
                }
            }
        }
        for ((context, key), command) in &by_key {
            let global = by_key.get(&(Context::Global, *key));
            if let Some(global) = global.filter(|_| *context != Context::Global) {
                return Err(format!(
                    "the key {key} means {global:?} everywhere and {command:?} in the context \"{}\"; \
                     choose another key (for push-to-talk: [voice] key)",
                    context.title()
                ));
            }
        }
        Ok(Self { bindings, by_key })
    }

    /// What `key` does in `context`.
    pub fn command(&self, context: Context, key: Key) -> Option<Command> {
        self.by_key
            .get(&(context, key))
            .or_else(|| self.by_key.get(&(Context::Global, key)))
            .copied()
    }

    /// The rows of a context.
    pub fn rows(&self, context: Context) -> impl Iterator<Item = &Binding> {
        self.bindings
            .iter()
            .filter(move |row| row.context == context)
    }

    /// The key to show for `command` in `context`.
    pub fn shown(&self, context: Context, command: Command) -> Option<Key> {
        [context, Context::Global]
            .into_iter()
            .find_map(|context| self.rows(context).find(|row| row.command == command))
            .and_then(|row| row.keys.first().copied())
    }

    /// The keys that start a recording outside text input, the configured one first.
    pub fn talk_keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self
            .bindings
            .iter()
            .filter(|row| {
                row.command == C::Talk && matches!(row.context, Context::Global | Context::Cockpit)
            })
            .flat_map(|row| row.keys.iter().copied())
            .collect();
        keys.dedup();
        keys
    }
}

fn row(context: Context, keys: Vec<Key>, command: Command, doc: &'static str) -> Binding {
    Binding {
        context,
        keys,
        command,
        doc,
    }
}

/// True for keys whose repeats are told apart from presses by every terminal that reports releases: those that are
/// escape-coded in any mode. A held text key repeats as further presses.
pub fn repeats_are_told(code: Code) -> bool {
    !matches!(
        code,
        Code::Char(_) | Code::Enter | Code::Tab | Code::Backspace
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_is_free_of_duplicates_and_documented() {
        let map = Keymap::new("F5", true).unwrap();
        for context in Context::ALL {
            for binding in map.rows(context) {
                assert!(!binding.doc.is_empty(), "{binding:?}");
                assert!(!binding.keys.is_empty(), "{binding:?}");
            }
        }
        assert_eq!(
            map.command(Context::Cockpit, Key::char('d')),
            Some(C::Deploy)
        );
        assert_eq!(
            map.command(Context::Cockpit, Key::char('D')),
            Some(C::Redeploy)
        );
        assert_eq!(map.command(Context::Input, Key::char('d')), None);
        assert_eq!(map.talk_keys().len(), 2);
    }

    #[test]
    fn push_to_talk_never_eats_text() {
        for (key, space) in [("F5", true), ("Space", true), ("v", false)] {
            let map = Keymap::new(key, space).unwrap();
            for c in [' ', 'v'] {
                assert_eq!(map.command(Context::Input, Key::char(c)), None, "{key}");
            }
        }
        let map = Keymap::new("F5", true).unwrap();
        assert_eq!(
            map.command(Context::Input, Key::plain(Code::F(5))),
            Some(C::Talk)
        );
    }

    #[test]
    fn unreadable_and_doubled_talk_keys_are_refused_by_name() {
        for bad in ["F77", "", "Meta+x"] {
            let error = Keymap::new(bad, true).unwrap_err();
            assert!(error.starts_with("[voice] key:"), "{error}");
        }
        for taken in ["d", "Enter", "Ctrl+C", "Ctrl+W", "F10"] {
            let error = Keymap::new(taken, true).unwrap_err();
            assert!(error.contains("[voice] key"), "{taken}: {error}");
        }
    }
}
