//! The thread that watches: the system tells of changes, folder by folder on Linux and as one tree elsewhere. Where it
//! tells nothing (file systems on a network, a limit that is reached), files are looked at instead, and that is said.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind};
use notify::{ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::oneshot;

use super::{How, Options, Rules, Shared, Signal, poll, relative};
use crate::model::Problem;

/// Whether one question is enough for a whole tree.
const WHOLE_TREE: bool = cfg!(not(any(target_os = "linux", target_os = "android")));

/// Watches until it is told to stop.
pub(super) fn run(
    options: &Options,
    rules: Arc<Rules>,
    shared: &Shared,
    sender: Sender<Signal>,
    signals: &Receiver<Signal>,
    ready: oneshot::Sender<Result<How, Problem>>,
) {
    let silent = options
        .poll
        .map(|_| "as [watch] poll says".to_owned())
        .or_else(|| network(&options.root));
    let watching = match silent {
        Some(why) => Err(why),
        None => begin(&rules, sender),
    };
    let told = match watching {
        Ok((watcher, folders)) => {
            if ready.send(Ok(How::Told { folders })).is_err() {
                return;
            }
            // From here on only a limit of the system ends it.
            follow(watcher, &rules, shared, signals)
        }
        Err(why) => {
            poll::run(options, &rules, shared, signals, why, Some(ready));
            return;
        }
    };
    if let Some(why) = told {
        poll::run(options, &rules, shared, signals, why, None);
    }
}

/// Asks the system to tell of changes; on failure why it cannot.
fn begin(rules: &Rules, sender: Sender<Signal>) -> Result<(RecommendedWatcher, usize), String> {
    let handler = move |event: notify::Result<Event>| {
        if event.as_ref().is_ok_and(|event| !matters(event)) {
            return;
        }
        // Nobody watches any more.
        let _ = sender.send(Signal::Event(event));
    };
    let mut watcher = notify::recommended_watcher(handler).map_err(|error| reason(&error))?;
    if WHOLE_TREE {
        watcher
            .watch(rules.root(), RecursiveMode::Recursive)
            .map_err(|error| reason(&error))?;
        return Ok((watcher, 0));
    }
    let folders = enter(&mut watcher, rules, "")?;
    Ok((watcher, folders))
}

/// Reading is no change, and it is what git does all the time.
fn matters(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

/// Watches a folder and those below it; how many. A folder that is gone again is no failure.
fn enter(watcher: &mut RecommendedWatcher, rules: &Rules, from: &str) -> Result<usize, String> {
    let mut count = 0;
    let mut waiting = vec![from.to_owned()];
    while let Some(folder) = waiting.pop() {
        let place = rules.root().join(&folder);
        // First the watch, then the look: what comes between the two is told.
        match watcher.watch(&place, RecursiveMode::NonRecursive) {
            Ok(()) => count += 1,
            Err(error) if full(&error) => return Err(reason(&error)),
            Err(_) if folder.is_empty() => return Err("the folder cannot be watched".to_owned()),
            Err(_) => continue,
        }
        let Ok(entries) = std::fs::read_dir(&place) else {
            continue;
        };
        for entry in entries.flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let Some(path) = relative(rules.root(), &entry.path()) else {
                continue;
            };
            // A repository inside this one is not ours.
            if rules.enters(&path) && !entry.path().join(".git").exists() {
                waiting.push(path);
            }
        }
    }
    Ok(count)
}

/// Hands changes on until it is told to stop (`None`) or cannot go on, and why.
fn follow(
    mut watcher: RecommendedWatcher,
    rules: &Rules,
    shared: &Shared,
    signals: &Receiver<Signal>,
) -> Option<String> {
    loop {
        let mut batch = Batch::default();
        let mut next = signals.recv().ok();
        while let Some(signal) = next {
            match signal {
                Signal::Event(Ok(event)) => batch.add(event),
                Signal::Event(Err(error)) if full(&error) => return Some(reason(&error)),
                // What it could not tell may have been a change.
                Signal::Event(Err(_)) => batch.unknown = true,
                Signal::Stop => return None,
            }
            // In a storm the same files come again and again: each is looked at once.
            next = signals.try_recv().ok().filter(|_| batch.events < STORM);
        }
        if batch.events == 0 && !batch.unknown {
            return None; // Nobody is left who could tell.
        }
        if batch.missed {
            // Its queue was too short for a storm: folders may have come that nobody told of.
            if let Err(why) = again(&mut watcher, rules) {
                return Some(why);
            }
            shared.changed([], true);
        } else if batch.unknown {
            shared.changed([], true);
        }
        let mut changed = Vec::new();
        for (path, may_be_folder) in batch.paths {
            let Some(name) = relative(rules.root(), &path) else {
                continue;
            };
            let is_folder =
                may_be_folder && std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir());
            if rules.ignored(&name, is_folder) {
                continue;
            }
            if name == ".gitignore" || name.ends_with("/.gitignore") {
                rules.forget();
                if let Err(why) = again(&mut watcher, rules) {
                    return Some(why);
                }
            }
            if is_folder
                && !WHOLE_TREE
                && let Err(why) = enter(&mut watcher, rules, &name)
            {
                return Some(why);
            }
            changed.push(name);
        }
        if !changed.is_empty() {
            shared.changed(changed, false);
        }
    }
}

/// Events that are looked at together at most.
const STORM: usize = 20_000;

/// Events that came while the ones before were looked at.
#[derive(Default)]
struct Batch {
    events: usize,
    /// Each path once; true when it may be a folder that is new.
    paths: HashMap<PathBuf, bool>,
    /// Events were lost.
    missed: bool,
    /// Something could not be told.
    unknown: bool,
}

impl Batch {
    fn add(&mut self, event: Event) {
        self.events += 1;
        self.missed |= event.need_rescan();
        let folder = may_be_new_folder(event.kind);
        for path in event.paths {
            *self.paths.entry(path).or_default() |= folder;
        }
    }
}

/// Watches all folders once more: a watch that is there already stays the same.
fn again(watcher: &mut RecommendedWatcher, rules: &Rules) -> Result<(), String> {
    if WHOLE_TREE {
        return Ok(());
    }
    enter(watcher, rules, "").map(drop)
}

fn may_be_new_folder(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Any
            | EventKind::Create(CreateKind::Any | CreateKind::Folder | CreateKind::Other)
            | EventKind::Modify(ModifyKind::Name(_) | ModifyKind::Any)
    )
}

/// Whether a limit of the system is reached.
fn full(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::MaxFilesWatch => true,
        ErrorKind::Io(error) => {
            matches!(error.raw_os_error(), Some(24 | 28)) // EMFILE, ENOSPC
        }
        _ => false,
    }
}

fn reason(error: &notify::Error) -> String {
    if full(error) {
        "the system watches no more folders (on Linux: sudo sysctl fs.inotify.max_user_watches=524288)"
            .to_owned()
    } else {
        format!("the system does not tell of changes here: {error}")
    }
}

/// Why the system tells nothing of this file system; `None` where it does.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn network(root: &Path) -> Option<String> {
    /// File systems whose changes may be made by another machine, by the number that `statfs` gives.
    const REMOTE: [(u32, &str); 9] = [
        (0x0000_6969, "NFS"),
        (0x0000_517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x0102_1997, "9P"),
        (0x6573_5546, "FUSE"),
        (0x7375_7245, "Coda"),
        (0x5346_414f, "AFS"),
        (0x786f_4256, "a folder shared by VirtualBox"),
    ];
    let found = rustix::fs::statfs(root).ok()?;
    let kind = u32::try_from(i128::from(found.f_type) & 0xffff_ffff).ok()?;
    let (_, name) = REMOTE.iter().find(|(number, _)| *number == kind)?;
    Some(format!("the files are on {name}, which tells nothing"))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn network(_: &Path) -> Option<String> {
    None
}
