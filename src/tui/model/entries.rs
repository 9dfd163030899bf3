//! What the lists hold: every action with its key, every setting, what was said before.

use frizbee::{Config as Fuzzy, Matcher};

use super::available::{belongs, why_not};
use super::{Menu, MenuKind, Model};
use crate::config;
use crate::model::Action;
use crate::tui::keymap::{Command, Context};
use crate::tui::keys::Key;

/// A setting with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `ui.motion`.
    pub name: String,
    /// `true`.
    pub value: String,
    /// What it is.
    pub doc: String,
}

/// What an entry does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// A command, as if its key was pressed.
    Command(Command, Key),
    /// Puts an instruction into the text.
    Say(String),
    /// Changes a setting until the end of this session, or says where it is changed.
    Set(String),
    /// Is done in the shell.
    Shell,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it belongs to.
    pub group: &'static str,
    /// Its keys, or its value.
    pub keys: String,
    /// What it does.
    pub title: String,
    /// Other words by which it is found.
    pub words: String,
    /// What it does.
    pub run: Run,
    /// Why it cannot be done now.
    pub why_not: Option<String>,
}

/// What the program can do outside the cockpit, so that it is found from inside it. A test holds it against the command
/// line's own list.
pub const SHELL: [(&str, &str); 26] = [
    ("demo", "the whole job on a bundled sample site"),
    ("say", "one instruction without the cockpit"),
    (
        "commit",
        "commit the open proposal or the working tree's changes",
    ),
    (
        "preview",
        "build and serve a proposal before it is approved",
    ),
    (
        "watch",
        "every save goes to a branch of its own and is deployed from there",
    ),
    (
        "recipe",
        "scaffolds: dark mode, a sitemap, a contact form, a realtime channel",
    ),
    ("deploy", "deploy the branch"),
    ("redeploy", "deploy the same state again"),
    (
        "instant-sync",
        "commit and deploy the open proposal or the working tree's changes",
    ),
    (
        "batch-sync",
        "commit all open proposals as one and deploy once",
    ),
    (
        "promote",
        "make a release live that was built before, without building it anew",
    ),
    (
        "approve",
        "say yes (or no) to what waits before an environment",
    ),
    ("rollback", "go back to an earlier release"),
    ("status", "how things stand"),
    ("versions", "the versions of a proposal; take one back"),
    ("history", "how a proposal was written, step by step"),
    ("deployments", "the history of deployments"),
    ("events", "the event log"),
    ("speech", "install speech recognition, or try it on a file"),
    ("serve", "run the server alone"),
    (
        "token",
        "tokens for people: make one, list them, take one back",
    ),
    (
        "doctor",
        "check microphone, terminal, speech, git and environments",
    ),
    ("init", "write a configuration for this site"),
    ("completions", "completions for your shell"),
    ("login", "keep a token in the system keyring"),
    ("notify", "who is told what happens; try whether it arrives"),
];

/// Earlier instructions that are offered.
const RECENT: usize = 50;

/// Every setting of `config` with the line of documentation that the built-in defaults have for it.
pub fn settings(config: &config::Config) -> Vec<Setting> {
    let Ok(values) = toml::Table::try_from(config) else {
        return Vec::new();
    };
    let mut section = String::new();
    let mut found = Vec::new();
    for line in config::DEFAULTS.lines() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            continue;
        }
        let Some((key, rest)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let name = format!("{section}.{}", key.trim());
        let value = name
            .split('.')
            .try_fold(None::<&toml::Value>, |at, part| {
                let next = match at {
                    None => values.get(part),
                    Some(at) => at.get(part),
                };
                next.map(Some)
            })
            .flatten();
        let doc = rest.split_once('#').map_or("", |(_, doc)| doc.trim());
        found.push(Setting {
            value: value.map(ToString::to_string).unwrap_or_default(),
            doc: doc.to_owned(),
            name,
        });
    }
    found
}

/// The entries of `menu` that match what is looked for, best first (in their own order when nothing is).
pub fn found(model: &Model, menu: &Menu) -> Vec<Entry> {
    let all = match menu.kind {
        MenuKind::Keys => keys(model, menu.from),
        MenuKind::Everything => everything(model, menu.from),
    };
    let looked_for = menu.filter.text().trim();
    if looked_for.is_empty() {
        return all;
    }
    let hay: Vec<String> = all
        .iter()
        .map(|entry| {
            let also = also(entry);
            format!("{} {} {} {also}", entry.title, entry.keys, entry.words)
        })
        .collect();
    // A slip of the finger is looked for only where nothing is found without one.
    let slips = scores(looked_for, &hay, 0).iter().all(Option::is_none);
    let scores = scores(looked_for, &hay, u16::from(slips));
    let lower = looked_for.to_lowercase();
    let mut found: Vec<(bool, bool, u32, Entry)> = all
        .into_iter()
        .zip(scores)
        .filter_map(|(entry, score)| {
            let whole = entry.title.to_lowercase().contains(&lower)
                || entry.words.contains(&lower)
                || also(&entry).contains(&lower)
                || entry.keys.split(' ').any(|key| key == looked_for);
            Some((!whole, entry.why_not.is_some(), u32::MAX - score?, entry))
        })
        .collect();
    // Letters that happen to stand somewhere in a long line are no find beside words that are meant.
    let best = found.iter().map(|(_, _, away, _)| u32::MAX - away).max();
    found.retain(|(other, _, away, _)| !other || (u32::MAX - away) * 5 >= best.unwrap_or(0) * 4);
    found.sort_by_key(|found| (found.0, found.1, found.2));
    found.into_iter().map(|(.., entry)| entry).collect()
}

/// How well each of `hay` fits: every word must be found, one of five letters and more with up to `slips` slips of the
/// finger.
fn scores(looked_for: &str, hay: &[String], slips: u16) -> Vec<Option<u32>> {
    let mut scores: Vec<Option<u32>> = vec![Some(0); hay.len()];
    for word in looked_for.split_whitespace() {
        let typos = if word.chars().count() >= 5 { slips } else { 0 };
        let config = Fuzzy {
            max_typos: Some(typos),
            ..Fuzzy::default()
        };
        let mut hits = vec![None; hay.len()];
        for hit in Matcher::new(word, &config).match_list(hay) {
            hits[hit.index as usize] = Some(u32::from(hit.score));
        }
        for (score, hit) in scores.iter_mut().zip(hits) {
            *score = score.zip(hit).map(|(sum, more)| sum + more);
        }
    }
    scores
}

/// The name that the interface and the command line have for what an entry does.
fn also(entry: &Entry) -> &'static str {
    match entry.run {
        Run::Command(Command::Approve, _) => "instant sync",
        Run::Command(Command::CommitOnly, _) => "quick commit",
        Run::Command(Command::ApproveBatch, _) => "batch sync",
        Run::Command(Command::Redeploy, _) => "force redeploy",
        _ => "",
    }
}

/// The keys of the context, then those of everywhere, then all others.
fn keys(model: &Model, from: Context) -> Vec<Entry> {
    let mut order = vec![from];
    order.extend(from.below());
    order.push(Context::Global);
    order.extend(Context::ALL);
    let mut seen = Vec::new();
    let mut out = Vec::new();
    for context in order {
        if seen.contains(&context) {
            continue;
        }
        seen.push(context);
        for row in model.settings.keymap.rows(context) {
            let keys: Vec<String> = row.keys.iter().map(ToString::to_string).collect();
            let key = row.keys.first().copied().unwrap_or(Key::char(' '));
            let here = context == from || belongs(model, from, row.command);
            let reason = if here {
                why_not(model, row.command).map(str::to_owned)
            } else {
                Some(format!("not here: {}", context.title()))
            };
            out.push(Entry {
                group: context.title(),
                keys: keys.join(" "),
                title: row.doc.to_owned(),
                words: row.command.name(),
                run: Run::Command(row.command, key),
                why_not: reason,
            });
        }
    }
    out.extend(shell());
    out
}

/// Every action once, then the settings, what was said before, and what is done in the shell.
fn everything(model: &Model, from: Context) -> Vec<Entry> {
    let mut out: Vec<Entry> = Vec::new();
    for entry in keys(model, from) {
        let known = out
            .iter_mut()
            .find(|known| known.words == entry.words && matches!(known.run, Run::Command(..)));
        match known {
            // The same action elsewhere: its first keys stay.
            Some(known) if matches!(entry.run, Run::Command(..)) => {
                if known.keys.is_empty() {
                    known.keys = entry.keys;
                }
            }
            _ if matches!(entry.run, Run::Shell) => {}
            _ => out.push(entry),
        }
    }
    // The line then holds the recipe with its questions, to be answered there.
    out.extend(model.recipes.iter().map(|recipe| Entry {
        group: "recipes",
        keys: String::new(),
        title: format!("recipe {}: {}", recipe.name, recipe.title),
        words: format!("recipe {}", recipe.say.as_deref().unwrap_or_default()),
        run: Run::Say(recipe.words.clone()),
        why_not: recipe.not_here.clone(),
    }));
    let recent = model.line.history().iter().rev().take(RECENT);
    out.extend(recent.map(|text| Entry {
        group: "said before",
        keys: String::new(),
        title: text.clone(),
        words: "say again".to_owned(),
        run: Run::Say(text.clone()),
        why_not: None,
    }));
    out.extend(model.settings.listed.iter().map(|setting| Entry {
        group: "settings",
        keys: value(model, setting),
        title: format!("{}: {}", setting.name, setting.doc),
        words: "setting".to_owned(),
        run: Run::Set(setting.name.clone()),
        why_not: None,
    }));
    out.extend(shell());
    out
}

fn shell() -> impl Iterator<Item = Entry> {
    SHELL.into_iter().map(|(name, doc)| Entry {
        group: "shell",
        keys: String::new(),
        title: format!("sayso {name}: {doc}"),
        words: String::new(),
        run: Run::Shell,
        why_not: Some("run it in the shell".to_owned()),
    })
}

/// The value of a setting as it is now.
fn value(model: &Model, setting: &Setting) -> String {
    match setting.name.as_str() {
        "ui.motion" => model.settings.motion.to_string(),
        "approve.action" => match model.settings.approve {
            Action::Deploy => "deploy".to_owned(),
            _ => "commit".to_owned(),
        },
        _ => setting.value.trim_matches('"').to_owned(),
    }
}
