//! Which key does what, where. One table serves dispatch, the footer, the help, the palette and the voice.
//!
//! A key means exactly one thing in each context. The table is checked when the map is built: an unknown action, a
//! duplicate or an unreadable key is an error that names its place, never a silent preference.

mod command;
mod configured;
mod context;
pub mod spoken;
mod table;

use std::collections::HashMap;

pub use command::{Command, LineCommand};
pub use context::Context;

use self::Command as C;
use super::keys::{Code, Key};

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
        let bindings = shipped(talk_key, space, false, "[voice] key")?;
        Self::check(bindings, &HashMap::new())
    }

    fn check(bindings: Vec<Binding>, places: &Places) -> Result<Self, String> {
        let mut by_key = HashMap::new();
        for binding in &bindings {
            for key in &binding.keys {
                if let Some(other) = by_key.insert((binding.context, *key), binding.command)
                    && other != binding.command
                {
                    return Err(twice(
                        *key,
                        (binding.context, other),
                        (binding.context, binding.command),
                        places,
                    ));
                }
            }
        }
        // Push-to-talk means the same in every pane.
        for ((context, key), command) in &by_key {
            let under = context.below().unwrap_or(Context::Global);
            if by_key.get(&(under, *key)) == Some(&C::Talk) && *command != C::Talk {
                let place = places.get(&(*context, *command));
                let place = place.or_else(|| places.get(&(under, C::Talk)));
                return Err(format!(
                    "{}the key {key} is push-to-talk and {} in the context \"{}\"; \
                     choose another key ([voice] key)",
                    place.map_or(String::new(), |place| format!("{place}: ")),
                    command.name(),
                    context.title()
                ));
            }
        }
        for ((context, key), command) in &by_key {
            let global = by_key.get(&(Context::Global, *key));
            if let Some(global) = global.filter(|_| *context != Context::Global) {
                return Err(twice(
                    *key,
                    (Context::Global, *global),
                    (*context, *command),
                    places,
                ));
            }
        }
        Ok(Self { bindings, by_key })
    }

    /// What `key` does in `context`.
    pub fn command(&self, context: Context, key: Key) -> Option<Command> {
        let mut at = Some(context);
        while let Some(context) = at {
            if let Some(command) = self.by_key.get(&(context, key)) {
                return Some(*command);
            }
            at = context.below();
        }
        None
    }

    /// The rows of a context.
    pub fn rows(&self, context: Context) -> impl Iterator<Item = &Binding> {
        self.bindings
            .iter()
            .filter(move |row| row.context == context)
    }

    /// The key to show for `command` in `context`.
    pub fn shown(&self, context: Context, command: Command) -> Option<Key> {
        let chain = std::iter::successors(Some(context), |context| context.below());
        chain
            .flat_map(|context| self.rows(context))
            .filter(|row| row.command == command)
            .find_map(|row| row.keys.first().copied())
    }

    /// All rows.
    pub fn all(&self) -> &[Binding] {
        &self.bindings
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

/// Where in the configuration the keys of a row were set.
type Places = HashMap<(Context, Command), String>;

fn twice(key: Key, one: (Context, Command), other: (Context, Command), places: &Places) -> String {
    // The person's own setting is the one to be named, the shipped one the one to be freed.
    let ((one_in, one), (other_in, other)) = if places.contains_key(&other) {
        (one, other)
    } else {
        (other, one)
    };
    let place = places.get(&(other_in, other));
    let place = place.map_or(String::new(), |place| format!("{place}: "));
    let way_out = if one == C::Talk || other == C::Talk {
        "choose another key (for push-to-talk: [voice] key)".to_owned()
    } else {
        format!(
            "choose another key, or free it: [keys.{}] {} = \"\"",
            one_in.name(),
            one.name()
        )
    };
    let place_of = |context: Context| match context {
        Context::Global => "everywhere".to_owned(),
        context => format!("in the context \"{}\"", context.title()),
    };
    let (one, other) = (one.name(), other.name());
    if one_in == other_in {
        let here = place_of(one_in);
        format!("{place}the key {key} means two things {here}: {one} and {other}; {way_out}")
    } else {
        let (there, here) = (place_of(one_in), place_of(other_in));
        format!("{place}the key {key} means {one} {there} and {other} {here}; {way_out}")
    }
}

/// The shipped rows of a preset, push-to-talk first; `place` says where its key is set.
fn shipped(talk_key: &str, space: bool, vim: bool, place: &str) -> Result<Vec<Binding>, String> {
    let talk: Key = talk_key
        .parse()
        .map_err(|error| format!("{place}: {error}"))?;
    let doc = "speak: push to talk";
    let outside = [
        Context::Cockpit,
        Context::Review,
        Context::Summary,
        Context::Queue,
        Context::Ask,
        Context::Talk,
        Context::Checkup,
    ];
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
        let vim = table::VIM
            .iter()
            .find(|(at, _, other)| vim && at == context && other == command);
        let keys = vim.map_or(*keys, |(_, keys, _)| *keys);
        bindings.push(row(*context, configured::read(keys)?, *command, doc));
    }
    Ok(bindings)
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
    fn the_keys_and_the_palette_are_at_hand_wherever_no_text_is_written() {
        for preset in ["default", "vim"] {
            let map = shipped("F5", true, preset == "vim", "[voice] key").unwrap();
            let map = Keymap::check(map, &HashMap::new()).unwrap();
            for context in [
                Context::Cockpit,
                Context::Review,
                Context::Summary,
                Context::Queue,
                Context::Details,
                Context::Checkup,
                Context::Mics,
                Context::People,
                Context::Outbox,
            ] {
                let does = |key: char| map.command(context, Key::char(key));
                assert_eq!(does('?'), Some(C::Help), "{context:?}");
                assert_eq!(does(':'), Some(C::Palette), "{context:?}");
            }
        }
    }

    #[test]
    fn push_to_talk_never_eats_text() {
        for (key, space) in [("F5", true), ("Space", true), ("L", false)] {
            let map = Keymap::new(key, space).unwrap();
            for c in [' ', 'L'] {
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
