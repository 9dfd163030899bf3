//! Merging the layers, with errors that name the layer, the line and what to do.

use std::path::Path;

use toml::{Table, Value};

use super::{
    Config, DEFAULTS, Paths, check as checks, environment, environment_lines as lines, keys,
    phrase, told,
};
use crate::model::Problem;

/// One layer of configuration.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Where it comes from, as shown in an error: a path or `environment`.
    pub name: String,
    /// Its TOML text.
    pub text: String,
}

/// Loads all layers for the repository at `root` (or none) and the process's environment.
///
/// # Errors
/// A [`Problem`] `config` that names the file and line of the first mistake.
pub fn load(paths: &Paths, root: Option<&Path>) -> Result<Config, Problem> {
    let mut layers = Vec::new();
    let mut files = vec![(paths.config_file(), false)];
    files.extend(root.map(|root| (root.join("sayso.toml"), true)));
    for (file, shared) in files {
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                let name = file.display().to_string();
                if shared {
                    own_only(&name, &text)?;
                }
                layers.push(Layer { name, text });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(mistake(&file.display().to_string(), &error.to_string()));
            }
        }
    }
    let environment = from_environment(
        std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?))),
    );
    layers.push(environment);
    load_layers(&layers)
}

/// Merges `layers` over the built-in defaults.
///
/// # Errors
/// A [`Problem`] `config` that names the layer and line of the first mistake.
pub fn load_layers(layers: &[Layer]) -> Result<Config, Problem> {
    let mut merged: Table =
        toml::from_str(DEFAULTS).map_err(|e| mistake("built-in config.toml", &e.to_string()))?;
    for layer in layers {
        let mut table: Table = toml::from_str(&layer.text)
            .map_err(|error| mistake(&layer.name, error.to_string().trim()))?;
        keys::place(&layer.name, &layer.text, &mut table, mistake)?;
        check(&layer.name, &layer.text, &merged, &table, "")?;
        let checked = phrase::check(&layer.text).and_then(|()| told::check(&layer.text));
        checked.map_err(|(message, line)| {
            let line = line.map_or(String::new(), |line| format!(" line {line}"));
            mistake(&format!("{}{line}", layer.name), &message)
        })?;
        for look in [checks::check, lines::check] {
            look(&layer.text).map_err(|(message, line)| at_line(&layer.name, &message, line))?;
        }
        let mut next = merged.clone();
        merge(&mut next, table);
        // Deserialised after each layer, so that a value of the wrong kind is blamed on its own layer.
        Config::deserialize_table(&next).map_err(|error| mistake(&layer.name, error.trim()))?;
        merged = next;
    }
    let mut config = Config::deserialize_table(&merged)
        .map_err(|error| mistake("configuration", error.trim()))?;
    // What names something else can only be looked at once all layers are there.
    for layer in layers {
        keys::note(&layer.name, &layer.text, &mut config.keys.places);
        lines::references(&layer.text, &config)
            .map_err(|(message, line)| at_line(&layer.name, &message, line))?;
    }
    Ok(config)
}

fn at_line(layer: &str, message: &str, line: Option<usize>) -> Problem {
    let line = line.map_or(String::new(), |line| format!(" line {line}"));
    mistake(&format!("{layer}{line}"), message)
}

/// Where keys and sound are sent, and what is run, is not for a repository to say: whoever opens it would hand them over.
fn own_only(layer: &str, text: &str) -> Result<(), Problem> {
    // What is no TOML is told by whoever reads it next.
    let Ok(table) = text.parse::<Table>() else {
        return Ok(());
    };
    let services = ["anthropic", "openai", "gemini", "compatible"];
    let generate = table.get("generate").and_then(Value::as_table);
    let mut found = table
        .get("speech")
        .and_then(Value::as_table)
        .filter(|speech| speech.contains_key("url"))
        .map(|_| "speech.url".to_owned());
    let github = table.get("github").and_then(Value::as_table);
    if github.is_some_and(|github| github.contains_key("api")) {
        found = Some("github.api".to_owned());
    }
    for service in services {
        let own = generate
            .and_then(|generate| generate.get(service))
            .and_then(Value::as_table);
        for key in ["url", "key"] {
            if own.is_some_and(|own| own.contains_key(key)) {
                found = found.or(Some(format!("generate.{service}.{key}")));
            }
        }
    }
    if generate.is_some_and(|generate| generate.contains_key("agent")) {
        found = found.or(Some("generate.agent".to_owned()));
    }
    let preview = table.get("preview").and_then(Value::as_table);
    if preview.is_some_and(|preview| preview.contains_key("browser")) {
        found = found.or(Some("preview.browser".to_owned()));
    }
    let section = |name: &str| table.get(name).and_then(Value::as_table);
    let within = |table: Option<&Table>, name: &str| {
        let inner = table.and_then(|table| table.get(name));
        inner.and_then(Value::as_table).cloned()
    };
    if within(section("deploy"), "host").is_some_and(|host| host.contains_key("url")) {
        found = found.or(Some("deploy.host.url".to_owned()));
    }
    let environments = table.get("environment").and_then(Value::as_array);
    for entry in environments.into_iter().flatten() {
        if within(entry.as_table(), "host").is_some_and(|host| host.contains_key("url")) {
            found = found.or(Some("environment.host.url".to_owned()));
        }
    }
    let exposed = [
        ("server", section("server").cloned()),
        ("deploy.local", within(section("deploy"), "local")),
    ];
    for (name, table) in exposed {
        for key in [
            "listen", "tls_cert", "tls_key", "insecure", "origins", "proxies", "limits",
        ] {
            if table.as_ref().is_some_and(|table| table.contains_key(key)) {
                found = found.or(Some(format!("{name}.{key}")));
            }
        }
        for key in ["origins", "notice"] {
            if name == "server" && table.as_ref().is_some_and(|table| table.contains_key(key)) {
                found = found.or(Some(format!("{name}.{key}")));
            }
        }
    }
    if let Some(key) = section("events").and_then(|events| events.keys().next()) {
        found = found.or(Some(format!("events.{key}")));
    }
    match found {
        None => Ok(()),
        Some(setting) => Err(mistake(
            layer,
            &format!(
                "{setting} says where keys are sent, what is run or who is let in: it can stand in your own configuration only"
            ),
        )),
    }
}

impl Config {
    fn deserialize_table(table: &Table) -> Result<Self, String> {
        Value::Table(table.clone())
            .try_into()
            .map_err(|error: toml::de::Error| error.to_string())
    }
}

pub(super) fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(into)), Value::Table(from)) => merge(into, from),
            // Phrases add up; the later layer's come first, because the first one with the same words counts.
            (Some(Value::Array(into)), Value::Array(from)) if key == "phrase" => {
                into.splice(0..0, from);
            }
            (Some(Value::Array(into)), Value::Array(from))
                if key == "environment" || key == "check" =>
            {
                environment::merge(into, from);
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Every key of a layer must stand in the defaults, which name every setting.
fn check(
    layer: &str,
    text: &str,
    known: &Table,
    table: &Table,
    prefix: &str,
) -> Result<(), Problem> {
    for (key, value) in table {
        let path = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match (known.get(key), value) {
            (Some(Value::Table(known)), Value::Table(table)) => {
                check(layer, text, known, table, &path)?;
            }
            (Some(_), Value::Array(entries)) if path == "environment" || path == "check" => {
                let known = if path == "check" {
                    checks::known()
                } else {
                    environment::known(known)
                };
                for entry in entries.iter().filter_map(Value::as_table) {
                    check(layer, text, &known, entry, &path)?;
                }
            }
            (Some(_), _) => {}
            // Contexts and actions are the cockpit's: it checks them, and knows their lines.
            (None, _) if prefix == "keys" || prefix.starts_with("keys.") => {}
            (None, _) => {
                let line = text
                    .lines()
                    .position(|line| {
                        line.trim_start()
                            .trim_start_matches('[')
                            .trim_start()
                            .starts_with(key.as_str())
                    })
                    .map_or(String::new(), |at| format!(" line {}", at + 1));
                let near = known
                    .keys()
                    .map(|candidate| (strsim::damerau_levenshtein(candidate, key), candidate))
                    .filter(|(distance, _)| *distance <= 2)
                    .min();
                let guess =
                    near.map_or(String::new(), |(_, name)| format!("; did you mean {name}?"));
                return Err(mistake(
                    &format!("{layer}{line}"),
                    &format!("unknown setting {path}{guess}"),
                ));
            }
        }
    }
    Ok(())
}

fn mistake(place: &str, message: &str) -> Problem {
    Problem::new(422, "config", format!("{place}: {message}"))
        .hint("correct the setting; every setting is explained in the defaults (`sayso init --print-defaults`)")
}

/// `SAYSO_VOICE__KEY=F6` becomes `[voice] key = "F6"`. Variables without `__` are not settings.
fn from_environment(variables: impl Iterator<Item = (String, String)>) -> Layer {
    let mut table = Table::new();
    for (key, value) in variables {
        let Some(path) = key
            .strip_prefix("SAYSO_")
            .filter(|path| path.contains("__"))
        else {
            continue;
        };
        let path = path.to_ascii_lowercase();
        let parts: Vec<&str> = path.split("__").collect();
        // A value that reads as TOML (a number, a boolean) is one; anything else is text.
        let parsed = format!("v = {value}")
            .parse::<Table>()
            .ok()
            .and_then(|mut t| t.remove("v"));
        insert(&mut table, &parts, parsed.unwrap_or(Value::String(value)));
    }
    Layer {
        name: "environment".into(),
        text: toml::to_string(&table).unwrap_or_default(),
    }
}

/// Sets `table.a.b.c` for the path `[a, b, c]`; a path through a value that is no table is left alone.
fn insert(table: &mut Table, path: &[&str], value: Value) {
    match path {
        [] => {}
        [last] => {
            table.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let entry = table
                .entry(*first)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(text: &str) -> Layer {
        Layer {
            name: "sayso.toml".into(),
            text: text.into(),
        }
    }

    #[test]
    fn later_layers_win_and_the_rest_stays() {
        let config = load_layers(&[
            layer("[voice]\nkey = \"F6\"\nkeep = 3"),
            layer("[voice]\nkey = \"F7\"\n[deploy.local]\nport = 4321"),
        ])
        .unwrap();
        assert_eq!(config.voice.key, "F7");
        assert_eq!(config.voice.keep, 3);
        assert_eq!(config.deploy.local.port, 4321);
        assert_eq!(config.deploy.local.keep, 5);
    }

    #[test]
    fn a_typo_is_named_with_its_line_and_the_likely_word() {
        let problem = load_layers(&[layer("[voice]\nkep = 3")]).unwrap_err();
        assert!(
            problem.detail.contains("sayso.toml line 2"),
            "{}",
            problem.detail
        );
        assert!(problem.detail.contains("voice.kep"), "{}", problem.detail);
        assert!(
            problem.detail.contains("did you mean keep?"),
            "{}",
            problem.detail
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_blamed_on_its_layer() {
        let problem = load_layers(&[layer(""), layer("[voice]\nwarm = \"soon\"")]).unwrap_err();
        assert!(problem.detail.contains("sayso.toml"), "{}", problem.detail);
        assert!(problem.detail.contains("soon"), "{}", problem.detail);
    }

    #[test]
    fn phrases_of_all_layers_add_up_and_a_wrong_act_is_named_with_its_line() {
        let config = load_layers(&[
            layer("[[phrase]]\nsay = [\"ship the beast\"]\ndo = \"deploy\"\nenvironment = \"staging\""),
            layer("[[phrase]]\nsay = [\"bank it\"]\ndo = \"commit\""),
        ])
        .unwrap();
        let said: Vec<&str> = config
            .phrase
            .iter()
            .flat_map(|phrase| &phrase.say)
            .map(String::as_str)
            .collect();
        assert_eq!(said, ["bank it", "ship the beast"]);
        assert_eq!(config.phrase[1].environment.as_deref(), Some("staging"));
        let problem = load_layers(&[layer(
            "[voice]\nkeep = 3\n\n[[phrase]]\nsay = [\"x y\"]\ndo = \"explode\"",
        )])
        .unwrap_err();
        assert!(
            problem.detail.contains("sayso.toml line 6")
                && problem.detail.contains("no act \"explode\""),
            "{}",
            problem.detail
        );
    }

    #[test]
    fn a_repository_does_not_say_where_keys_are_sent() {
        for (text, setting) in [
            (
                "[generate.anthropic]\nurl = \"https://x\"",
                "generate.anthropic.url",
            ),
            (
                "[generate.compatible]\nkey = \"GITHUB_PAT\"",
                "generate.compatible.key",
            ),
            ("[speech]\nurl = \"https://x\"", "speech.url"),
            ("[generate.agent]\ncommand = [\"sh\"]", "generate.agent"),
            ("[github]\napi = \"https://x\"", "github.api"),
            ("[deploy.host]\nurl = \"https://x\"", "deploy.host.url"),
            (
                "[[environment]]\nname = \"a\"\n[environment.host]\nurl = \"https://x\"",
                "environment.host.url",
            ),
            ("[server]\nlisten = \"0.0.0.0\"", "server.listen"),
            ("[server]\nnotice = true", "server.notice"),
            ("[server]\norigins = [\"https://x\"]", "server.origins"),
            (
                "[deploy.local]\nlisten = \"0.0.0.0\"",
                "deploy.local.listen",
            ),
        ] {
            let problem = own_only("sayso.toml", text).unwrap_err();
            assert!(problem.detail.contains(setting), "{problem}");
        }
        assert!(
            own_only(
                "sayso.toml",
                "[generate.anthropic]\nmodel = \"m\"\n[speech]\nmodel = \"n\""
            )
            .is_ok()
        );
    }

    #[test]
    fn the_environment_is_a_layer() {
        let layer = from_environment(
            [
                ("SAYSO_VOICE__KEY", "F8"),
                ("SAYSO_DEPLOY__LOCAL__PORT", "4000"),
                ("SAYSO_SERVER", "https://example.org"),
                ("HOME", "x"),
            ]
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned())),
        );
        let config = load_layers(&[layer]).unwrap();
        assert_eq!(config.voice.key, "F8");
        assert_eq!(config.deploy.local.port, 4000);
    }
}
