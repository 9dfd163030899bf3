//! `[keys]`: a preset, and keys of one's own per context. Which actions and keys there are is the cockpit's business; here
//! each setting learns the file and the line it stands in, so that a mistake can be named.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::model::Problem;

/// The keys of the cockpit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keys {
    /// `default` or `vim`.
    pub preset: String,
    /// Where the settings stand that decide about keys without being keys of one action: `[voice] key` at
    /// `sayso.toml line 12`.
    #[serde(skip)]
    pub places: BTreeMap<String, String>,
    /// Keys of one's own: `[keys.CONTEXT]`, `ACTION = "key key"`.
    #[serde(flatten)]
    pub contexts: BTreeMap<String, BTreeMap<String, KeySetting>>,
}

/// The keys of one action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySetting {
    /// The keys, each a name or several with blanks between them; none takes the keys away.
    pub keys: Vec<String>,
    /// Where it was set: `sayso.toml line 12`.
    pub place: String,
}

/// Gives every key setting of a layer its place, in the form that [`Keys`] reads.
///
/// # Errors
/// When `[keys]` holds what is neither a preset nor tables of keys.
pub(super) fn place(
    layer: &str,
    text: &str,
    table: &mut Table,
    mistake: impl Fn(&str, &str) -> Problem,
) -> Result<(), Problem> {
    let Some(keys) = table.get_mut("keys") else {
        return Ok(());
    };
    let Some(keys) = keys.as_table_mut() else {
        return Err(mistake(layer, "keys is a table: [keys]"));
    };
    for (context, settings) in keys.iter_mut() {
        if context == "preset" {
            continue;
        }
        let at = |action: Option<&str>| match line(text, context, action) {
            Some(line) => format!("{layer} line {line}"),
            None => layer.to_owned(),
        };
        let Some(settings) = settings.as_table_mut() else {
            return Err(mistake(
                &at(None),
                &format!(
                    "unknown setting keys.{context}; did you mean preset, or a table [keys.{context}]?"
                ),
            ));
        };
        for (action, setting) in settings.iter_mut() {
            let place = at(Some(action));
            let keys = match &*setting {
                Value::String(key) => Some(vec![key.clone()]),
                Value::Array(keys) => keys
                    .iter()
                    .map(|key| key.as_str().map(str::to_owned))
                    .collect(),
                _ => None,
            };
            let Some(keys) = keys else {
                return Err(mistake(
                    &place,
                    &format!(
                        "[keys.{context}] {action}: keys are text, as \"a\" or [\"a\", \"Ctrl+A\"]"
                    ),
                ));
            };
            let keys = keys.into_iter().map(Value::String).collect();
            *setting = Value::Table(Table::from_iter([
                ("keys".to_owned(), Value::Array(keys)),
                ("place".to_owned(), Value::String(place)),
            ]));
        }
    }
    Ok(())
}

/// Notes where a layer sets what decides about keys without being keys of one action; the latest layer counts.
pub(super) fn note(layer: &str, text: &str, places: &mut BTreeMap<String, String>) {
    let Ok(document) = toml::de::DeTable::parse(text) else {
        return;
    };
    for (section, key) in [("keys", "preset"), ("voice", "key")] {
        let found = document.get_ref().get(section);
        let found = found.and_then(|section| section.get_ref().as_table());
        let found = found.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key));
        let line = found.and_then(|(name, _)| text.get(..name.span().start));
        if let Some(above) = line {
            let line = above.matches('\n').count() + 1;
            places.insert(format!("[{section}] {key}"), format!("{layer} line {line}"));
        }
    }
}

/// The line, from 1, of `[keys.CONTEXT]` or of an action in it.
fn line(text: &str, context: &str, action: Option<&str>) -> Option<usize> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let keys = document.get_ref().get("keys")?;
    let (name, value) = keys
        .get_ref()
        .as_table()?
        .iter()
        .find(|(name, _)| name.get_ref() == context)?;
    let at = match action {
        None => name.span().start,
        Some(action) => {
            let settings = value.get_ref().as_table()?;
            let (name, _) = settings.iter().find(|(name, _)| name.get_ref() == action)?;
            name.span().start
        }
    };
    Some(text.get(..at)?.matches('\n').count() + 1)
}
