//! Opens the local host: what is on disk decides what is served.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::pointer::Pointer;
use super::store::Store;
use super::{Environment, Inner, LocalNotice, LocalOptions, LocalTarget, receive, watch};
use crate::deploy::Retreat;
use crate::deploy::health::Prober;
use crate::deploy::health::cooldown::Cooldown;
use crate::deploy::host::{Front, Loader, Place, Serving};
use crate::model::{Problem, ReleaseId};
use crate::store::file;

/// How long the one before may take to end what it served.
const HANDED_OVER: Duration = Duration::from_secs(3);

/// Between two looks whether it has.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// What was found on disk.
struct Found {
    lock: File,
    store: Store,
    crashed: bool,
    pointers: BTreeMap<String, Pointer>,
    elsewhere: Option<HashSet<ReleaseId>>,
}

pub(super) async fn open(options: LocalOptions) -> Result<LocalTarget, Problem> {
    let probers: Vec<Prober> = options
        .environments
        .iter()
        .map(|(name, _)| Prober::new(options.health_of(name)))
        .collect::<Result<_, _>>()?;
    for (name, _) in &options.environments {
        check_name(name)?;
    }
    let (dir, names) = (options.state_dir.clone(), options.environments.clone());
    let found = tokio::task::spawn_blocking(move || find(&dir, &names))
        .await
        .map_err(Problem::internal)??;
    let stop = CancellationToken::new();
    // What was opened before something failed must not go on serving.
    let opened = stop.clone().drop_guard();
    let serving = Serving {
        notice: options.notice,
        spa: options.spa,
    };
    let mut servers = Vec::new();
    let mut environments = BTreeMap::new();
    let mut pointers = found.pointers;
    let folder = options.state_dir.join("environments");
    for ((name, port), prober) in options.environments.iter().zip(probers) {
        let place = Place {
            listen: options.listen,
            hosts: options.hosts.clone(),
        };
        let (front, server) = take_port(&folder, name, *port, place, serving, &stop)?;
        servers.push(server);
        let pointer = pointers.remove(name).unwrap_or_default();
        let environment = Environment {
            name: name.clone(),
            front,
            file: folder.join(format!("{name}.json")),
            cooldown: Cooldown::new(prober.options().cooldown, pointer.returned_at),
            prober,
            pointer: Mutex::new(pointer),
            deploying: tokio::sync::Mutex::default(),
            switching: tokio::sync::Mutex::default(),
            watching: Mutex::default(),
        };
        environments.insert(name.clone(), environment);
    }
    let inner = Arc::new(Inner {
        options,
        store: found.store,
        loader: Loader::new(serving),
        environments,
        elsewhere: found.elsewhere,
        lanes: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        collecting: tokio::sync::RwLock::default(),
        stop,
        lock: found.lock,
    });
    serve_existing(&inner).await;
    if found.crashed {
        tokio::spawn(inner.clone().collect(true));
    }
    opened.disarm();
    Ok(LocalTarget {
        inner,
        servers: Mutex::new(servers),
    })
}

/// The name becomes a file name.
fn check_name(name: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(
            Problem::bad_request(format!("{name:?} cannot be the name of an environment"))
                .hint("use letters, digits, - and _"),
        );
    }
    Ok(())
}

fn find(dir: &Path, environments: &[(String, u16)]) -> Result<Found, Problem> {
    let cannot = |error: io::Error| {
        Problem::internal(format!(
            "the state folder {} cannot be used: {error}",
            dir.display()
        ))
        .hint("make sure that the folder can be written and that the disk is not full")
    };
    let folder = dir.join("environments");
    fs::create_dir_all(&folder).map_err(cannot)?;
    let lock = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("lock"))
        .map_err(cannot)?;
    // Who owned the project before may have given it up and still be about to end what it served.
    let deadline = Instant::now() + HANDED_OVER;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(fs::TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(ASK_AGAIN);
            }
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Problem::conflict("another Sayso serves this site already")
                    .hint("use that one, or end it first"));
            }
            Err(fs::TryLockError::Error(error)) => return Err(cannot(error)),
        }
    }
    let (store, mut crashed) = Store::open(dir).map_err(cannot)?;
    receive::forget_old(store.incoming());

    let mut pointers = BTreeMap::new();
    let mut elsewhere = Some(HashSet::new());
    for entry in fs::read_dir(&folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if name.starts_with(".new-") {
            let _ = fs::remove_file(&path);
            continue;
        }
        let Some(name) = name.strip_suffix(".json").map(str::to_owned) else {
            continue;
        };
        let configured = environments.iter().any(|(other, _)| *other == name);
        match read_pointer(&path) {
            Ok(pointer) if configured => {
                pointers.insert(name, pointer);
            }
            Ok(pointer) => {
                if let Some(elsewhere) = &mut elsewhere {
                    elsewhere.extend(pointer.history.into_iter().map(|entry| entry.release));
                }
            }
            Err(error) => {
                // What it pointed at is not known: nothing may be removed until a person has looked.
                tracing::error!(path = %path.display(), %error, "this pointer cannot be read");
                elsewhere = None;
                if configured {
                    set_aside(&path).map_err(cannot)?;
                }
            }
        }
    }
    if let Some(elsewhere) = &elsewhere {
        let kept: HashSet<&ReleaseId> = pointers
            .values()
            .flat_map(|pointer| pointer.history.iter().map(|entry| &entry.release))
            .chain(elsewhere)
            .collect();
        for id in store.ids() {
            if !kept.contains(&id) {
                // Written whole, but the power went before anything pointed at it.
                crashed = true;
                store.discard(&id);
            }
        }
    }
    Ok(Found {
        lock,
        store,
        crashed,
        pointers,
        elsewhere,
    })
}

fn read_pointer(path: &Path) -> io::Result<Pointer> {
    serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)
}

/// Renames a damaged pointer, so that it can be looked at and a new one be written.
fn set_aside(path: &Path) -> io::Result<()> {
    let aside: PathBuf = path.with_extension(format!("broken-{}", std::process::id()));
    fs::rename(path, aside)
}

/// The configured port, else the one it got last time, else any; which is remembered.
fn take_port(
    folder: &Path,
    name: &str,
    port: u16,
    place: Place,
    serving: Serving,
    stop: &CancellationToken,
) -> Result<(Arc<Front>, tokio::task::JoinHandle<()>), Problem> {
    let port_file = folder.join(format!("{name}.port"));
    let last: Option<u16> = fs::read_to_string(&port_file)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let ports: Vec<u16> = Some(port)
        .filter(|port| *port != 0)
        .into_iter()
        .chain(last)
        .chain(own_ports(&port_file))
        .collect();
    let (front, server) = Front::open_at(place, name, &ports, last, serving, stop.clone())
        .map_err(|error| {
            Problem::internal(format!("no port for the environment {name}: {error}")).hint(
                "end a program that listens on many ports, or name another port in sayso.toml",
            )
        })?;
    let got = front.port();
    if port != 0 && got != port {
        tracing::warn!(
            port,
            got,
            environment = name,
            "the configured port is taken"
        );
    }
    if Some(got) != last
        && let Err(error) = file::replace(&port_file, got.to_string().as_bytes())
    {
        tracing::warn!(%error, "the port cannot be remembered");
    }
    Ok((front, server))
}

/// Ports for an environment that was given none, or one that is taken. They are outside the range from which systems
/// give ports to outgoing connections, so that the same port is most likely free again at the next start.
fn own_ports(file: &Path) -> impl Iterator<Item = u16> + use<> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    let start = file.to_string_lossy().bytes().fold(0u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    (0..16).map(move |step| FIRST + ((start % u32::from(COUNT)) as u16 + step * 7) % COUNT)
}

/// Serves what each pointer names. A release that is damaged on disk is replaced by the newest good one.
async fn serve_existing(inner: &Arc<Inner>) {
    for environment in inner.environments.values() {
        let Some(current) = environment.pointer().current.clone() else {
            continue;
        };
        match inner.load(environment, &current).await {
            Ok(site) => {
                environment.front.show(site, None);
                // The process that watched it ended before it was proven.
                if environment.pointer().on_trial() {
                    watch::begin(inner, environment, &current).await;
                }
                tokio::spawn(load_previous(inner.clone(), environment.name.clone()));
            }
            Err(error) => {
                tracing::error!(release = %current, %error, "the live release is damaged");
                let reason = format!("it is damaged on disk: {error}");
                let name = environment.name.clone();
                // It cannot be served at all: no cool-down keeps another from being served.
                match inner.retreat(environment, &current, &reason, true).await {
                    Retreat::Returned(to) => inner.notify(LocalNotice::RolledBack {
                        environment: name,
                        from: current,
                        to,
                        reason,
                    }),
                    Retreat::Stays(hint) => inner.notify(LocalNotice::Unwell {
                        environment: name,
                        release: current,
                        reason,
                        hint,
                    }),
                    Retreat::Moved => {}
                }
            }
        }
    }
}

/// Loads what was served before, for the assets of pages that are still open.
async fn load_previous(inner: Arc<Inner>, name: String) {
    let Ok(environment) = inner.environment(&name) else {
        return;
    };
    let _switching = environment.switching.lock().await;
    let (current, previous) = {
        let pointer = environment.pointer();
        (pointer.current.clone(), pointer.previous.clone())
    };
    let (Some(current), Some(previous)) = (current, previous) else {
        return;
    };
    let (Ok(site), Ok(before)) = (
        inner.load(environment, &current).await,
        inner.load(environment, &previous).await,
    ) else {
        return;
    };
    environment.front.show(site, Some(before));
}
