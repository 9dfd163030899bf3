//! One of several servers of a project: `[events] backend = "nats"`.

use std::sync::Arc;

use super::opened::Duties;
use crate::config::{Backend, Config};
use crate::events::EventLog;
use crate::events::nats::{Remote, Settings};
use crate::model::Problem;
use crate::pipeline::Conductor;

/// What the configuration means for the event log; `None` where it is in this machine's database alone.
///
/// # Errors
/// `config` when something is missing that several servers need.
pub fn settings(config: &Config) -> Result<Option<Settings>, Problem> {
    let events = &config.events;
    if events.backend == Backend::Sqlite {
        return Ok(None);
    }
    let mistake = |what: String, hint: &str| Problem::new(422, "config", what).hint(hint);
    if !matches!(events.replicas, 1 | 3 | 5) {
        return Err(mistake(
            format!("[events] replicas is {}", events.replicas),
            "write 3 for a NATS cluster of three servers, 1 for a single one",
        ));
    }
    let advertise = events.advertise.parse().ok();
    let mut advertise: url::Url = advertise
        .filter(|url: &url::Url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            mistake(
                format!("[events] advertise is {:?}", events.advertise),
                "write where the other servers of the project reach this one: https://sayso-1.example.org, or set SAYSO_EVENTS__ADVERTISE",
            )
        })?;
    // Without the slash at its end the last part of a path would be taken for a file.
    if !advertise.path().ends_with('/') {
        advertise.set_path(&format!("{}/", advertise.path()));
    }
    if events.url.contains('@') {
        return Err(mistake(
            "[events] url holds a password".into(),
            "name the environment variable that has it instead: credentials = \"NATS_CREDENTIALS\"",
        ));
    }
    let credentials = match events.credentials.as_str() {
        "" => None,
        name => Some(std::env::var(name).map_err(|_| {
            mistake(
                format!("the environment variable {name} for NATS is not set"),
                "it holds user:password, a token, an NKey's seed or the text of a credentials file ([events] credentials)",
            )
        })?),
    };
    Ok(Some(Settings {
        url: events.url.clone(),
        replicas: events.replicas,
        credentials,
        advertise,
    }))
}

/// What several servers of one project must agree on, and what cannot be one of them.
///
/// # Errors
/// `config`.
pub fn check(config: &Config, serves: bool, own_token: bool) -> Result<(), Problem> {
    if config.events.backend == Backend::Sqlite {
        return Ok(());
    }
    let mistake = |what: &str, hint: &str| Err(Problem::new(422, "config", what).hint(hint));
    if !serves {
        return mistake(
            "this project is kept by several servers ([events] backend = \"nats\")",
            "use one of them: --server URL; `sayso serve` starts another one",
        );
    }
    if !own_token {
        return mistake(
            "several servers need the same token of their own",
            "make one (openssl rand -base64 32) and start all of them with it: --token-file FILE, or SAYSO_TOKEN",
        );
    }
    if std::env::var("SAYSO_TOKEN_SECRET").is_ok_and(|secret| !secret.trim().is_empty()) {
        return Ok(());
    }
    mistake(
        "several servers must sign people's tokens alike",
        "make a secret (openssl rand -base64 48) and start all of them with it in SAYSO_TOKEN_SECRET",
    )
}

/// The name under which the other servers know this one.
pub fn known_as(config: &Config) -> Option<String> {
    if config.events.backend == Backend::Sqlite {
        return None;
    }
    let url: url::Url = config.events.advertise.parse().ok()?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Wants to conduct the project as soon as nobody else does, and does what there is to do then.
///
/// # Errors
/// `nats`.
pub async fn stand(
    conductor: &Arc<Conductor>,
    settings: &Settings,
    duties: Duties,
) -> Result<(), Problem> {
    let log = conductor.log().clone();
    let Some(remote) = log.remote() else {
        return Ok(());
    };
    remote.stand(settings).await?;
    tokio::spawn(say_who(log.clone()));
    let (log, conductor) = (log.clone(), Arc::downgrade(conductor));
    tokio::spawn(async move {
        let Some(remote) = log.remote() else { return };
        remote.led().await;
        let Some(conductor) = conductor.upgrade() else {
            return;
        };
        match take_over(remote, &conductor, &duties).await {
            Ok(()) => tracing::info!(project = log.project(), "this server conducts"),
            Err(problem) => {
                tracing::error!(%problem, "the project cannot be conducted from here");
                remote.resign();
            }
        }
    });
    Ok(())
}

/// Says on the terminal which server conducts, whenever that changes.
async fn say_who(log: EventLog) {
    let Some(remote) = log.remote() else { return };
    let mut said = None;
    loop {
        let turned = remote.turned();
        let now = (remote.conductor(), log.conducts());
        if let (Some(url), here) = &now
            && said.as_ref() != Some(&now)
        {
            let project = log.project();
            match here {
                true => eprintln!("sayso: {project} is conducted by this server"),
                false => eprintln!("sayso: {project} is conducted by {url}"),
            }
            said = Some(now);
        }
        turned.await;
    }
}

async fn take_over(
    remote: &Remote,
    conductor: &Arc<Conductor>,
    duties: &Duties,
) -> Result<(), Problem> {
    conductor.conduct().await?;
    duties.begin(conductor).await?;
    remote.open();
    duties.watch(conductor).await;
    let conductor = Arc::clone(conductor);
    tokio::spawn(async move { conductor.work_off().await });
    Ok(())
}

/// Starts this program anew in the place of this process: what a conductor had begun ends with it at once, as in a crash, and the
/// server that conducts now has taken it up.
///
/// # Errors
/// When it cannot be started.
pub fn start_anew() -> Problem {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        let mut words = std::env::args_os();
        let first = words.next().unwrap_or_default();
        let program = std::env::current_exe().ok().filter(|path| path.exists());
        let program = program.map_or(first, Into::into);
        let error = std::process::Command::new(program).args(words).exec();
        Problem::internal(format!("this server could not start anew: {error}"))
            .hint("start it again")
    }
    #[cfg(not(unix))]
    Problem::internal("another server conducts this project now")
        .hint("start this one again; a service manager does that by itself")
}
