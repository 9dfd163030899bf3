//! The keys of the configuration: a preset, and keys of one's own per context.

use std::collections::HashMap;

use super::{Binding, Command, Context, Keymap, Places, shipped};
use crate::config;
use crate::tui::keys::Key;

/// The presets.
pub const PRESETS: [&str; 2] = ["default", "vim"];

impl Keymap {
    /// The keys of the configuration: those of the preset, with the person's own instead where there are any.
    ///
    /// # Errors
    /// When a preset, a context, an action or a key is not known, or a key has two meanings in one context. The text
    /// names the file and the line.
    pub fn configured(voice: &config::Voice, keys: &config::Keys) -> Result<Self, String> {
        let placed = |setting: &str| match keys.places.get(setting) {
            Some(place) => format!("{place}: {setting}"),
            None => setting.to_owned(),
        };
        let vim = match keys.preset.as_str() {
            "default" => false,
            "vim" => true,
            other => {
                return Err(format!(
                    "{}: there is no preset {other:?}; choose {}",
                    placed("[keys] preset"),
                    PRESETS.map(|name| format!("{name:?}")).join(" or ")
                ));
            }
        };
        let talk = placed("[voice] key");
        let mut bindings = shipped(&voice.key, voice.space, vim, &talk)?;
        let mut places: Places = HashMap::new();
        if keys.places.contains_key("[voice] key") {
            let rows = bindings.iter().filter(|row| row.command == Command::Talk);
            places.extend(rows.map(|row| ((row.context, row.command), talk.clone())));
        }
        for (name, settings) in &keys.contexts {
            let place = |setting: &config::KeySetting, action: &str| {
                format!("{}: [keys.{name}] {action}", setting.place)
            };
            let context = Context::ALL
                .into_iter()
                .find(|context| context.name() == name);
            for (action, setting) in settings {
                let place = place(setting, action);
                let Some(context) = context else {
                    let known = Context::ALL.map(Context::name);
                    return Err(format!(
                        "{place}: there is no context {name:?}{}; there are {}",
                        meant(name, known.into_iter()),
                        known.join(", ")
                    ));
                };
                let command = command(&bindings, context, action)
                    .map_err(|error| format!("{place}: {error}"))?;
                let mut own = Vec::new();
                for key in &setting.keys {
                    own.extend(read(key).map_err(|error| format!("{place}: {error}"))?);
                }
                put(&mut bindings, context, command, own);
                places.insert((context, command), place);
            }
        }
        Self::check(bindings, &places)
    }
}

/// Gives a command of a context its keys; all of them are the person's then.
fn put(bindings: &mut Vec<Binding>, context: Context, command: Command, keys: Vec<Key>) {
    let mut keys = Some(keys);
    for row in bindings.iter_mut() {
        if row.context == context && row.command == command {
            row.keys = keys.take().unwrap_or_default();
        }
    }
    if let Some(keys) = keys {
        let doc = bindings.iter().find(|row| row.command == command);
        let doc = doc.map_or("", |row| row.doc);
        bindings.push(super::row(context, keys, command, doc));
    }
}

/// The command that is called `action`, if it has a meaning in `context`.
fn command(bindings: &[Binding], context: Context, action: &str) -> Result<Command, String> {
    let shared = [Context::Cockpit, Context::Review];
    // What works in the cockpit works in the full view and the other way round.
    let here = |row: &&Binding| {
        row.context == context || (shared.contains(&context) && shared.contains(&row.context))
    };
    let mut rows = bindings.iter().filter(here);
    if let Some(row) = rows.find(|row| row.command.name() == action) {
        return Ok(row.command);
    }
    if let Some(row) = bindings.iter().find(|row| row.command.name() == action) {
        return Err(format!(
            "the action {action:?} belongs to [keys.{}]",
            row.context.name()
        ));
    }
    let names: Vec<String> = bindings
        .iter()
        .filter(here)
        .map(|row| row.command.name())
        .collect();
    Err(format!(
        "there is no action {action:?}{}; `?` in the cockpit lists all of them",
        meant(action, names.iter().map(String::as_str))
    ))
}

/// Keys separated by blanks.
pub(super) fn read(keys: &str) -> Result<Vec<Key>, String> {
    keys.split_whitespace().map(str::parse).collect()
}

fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known
        .map(|name| (strsim::damerau_levenshtein(name, word), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 5)
        .min();
    near.map_or(String::new(), |(_, name)| {
        format!("; did you mean {name:?}?")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, load_layers};

    fn map(text: &str) -> Result<Keymap, String> {
        let layer = Layer {
            name: "/home/ada/.config/sayso/config.toml".into(),
            text: text.into(),
        };
        let config = load_layers(&[layer]).map_err(|problem| problem.detail)?;
        Keymap::configured(&config.voice, &config.keys)
    }

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    #[test]
    fn ones_own_keys_take_the_place_of_the_shipped_ones() {
        let map = map("[keys.review]\naccept = [\"Ctrl+A\", \"l\"]\nleave-out = \"\"\n[keys.cockpit]\nquit = \"Q\"\n").unwrap();
        for pressed in ["Ctrl+A", "l"] {
            assert_eq!(
                map.command(Context::Review, key(pressed)),
                Some(Command::Accept)
            );
        }
        assert_eq!(map.command(Context::Review, key("a")), None);
        assert_eq!(map.command(Context::Review, key("x")), None);
        assert_eq!(map.shown(Context::Review, Command::LeaveOut), None);
        assert_eq!(map.command(Context::Cockpit, key("Q")), Some(Command::Quit));
        assert_eq!(map.command(Context::Cockpit, key("q")), None);
    }

    #[test]
    fn mistakes_name_the_file_and_the_line() {
        let cases = [
            (
                "[keys.review]\n\nacept = \"a\"",
                3,
                "there is no action \"acept\"; did you mean \"accept\"?",
            ),
            (
                "[keys.reviw]\naccept = \"a\"",
                2,
                "there is no context \"reviw\"; did you mean \"review\"?",
            ),
            (
                "# mine\n[keys.review]\naccept = \"Hyper+Q\"",
                3,
                "\"Hyper+Q\" is no key",
            ),
            (
                "[keys.review]\naccept = \"n\"",
                2,
                "the key n means two things in the context \"review\": next-hunk and accept",
            ),
            (
                "[keys.cockpit]\nundo = \"Ctrl+Z\"",
                2,
                "the key Ctrl+Z means suspend everywhere and undo",
            ),
            (
                "[keys.input]\naccept = \"a\"",
                2,
                "the action \"accept\" belongs to [keys.review]",
            ),
            ("[keys.review]\naccept = 3", 2, "keys are text"),
            (
                "[keys]\npreset = \"emacs\"",
                2,
                "[keys] preset: there is no preset \"emacs\"",
            ),
            ("\n[voice]\nkey = \"F99\"", 3, "[voice] key: "),
            (
                "[voice]\nkey = \"d\"",
                2,
                "[voice] key: the key d means two things in the context \"cockpit\": deploy and talk",
            ),
            (
                "[voice]\nkeep = 3\nkey = \"Ctrl+W\"",
                3,
                "[voice] key: the key Ctrl+W is push-to-talk and ",
            ),
        ];
        for (text, line, words) in cases {
            let error = map(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
            let place = format!("config.toml line {line}");
            assert!(error.contains(&place), "{text}: {error}");
        }
        let error = map("[keys.review]\naccept = \"n\"").unwrap_err();
        assert!(
            error.contains("free it: [keys.review] next-hunk = \"\""),
            "{error}"
        );
    }

    #[test]
    fn the_vim_preset_is_whole_and_different() {
        let map = map("[keys]\npreset = \"vim\"").unwrap();
        assert_eq!(
            map.command(Context::Review, key("Ctrl+D")),
            Some(Command::PageDown)
        );
        assert_eq!(
            map.command(Context::Review, key("PgDn")),
            Some(Command::PageDown)
        );
        for (context, _, command) in super::super::table::VIM {
            assert!(
                map.rows(*context).any(|row| row.command == *command),
                "{context:?} has no {command:?}"
            );
        }
    }
}
