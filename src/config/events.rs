//! Where the event log is: in this machine's database alone, or in NATS for several servers of one project.

use serde::{Deserialize, Serialize};

/// What keeps the event log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// The embedded database: one server.
    #[default]
    Sqlite,
    /// A stream of NATS JetStream, with a whole copy in the database of each server.
    Nats,
}

/// The event log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// What keeps it.
    pub backend: Backend,
    /// Addresses of NATS servers, with commas between them.
    pub url: String,
    /// Members of the NATS cluster that keep a copy.
    pub replicas: usize,
    /// The environment variable with the credentials for NATS; empty for none.
    pub credentials: String,
    /// Where the other servers of the project reach this one.
    pub advertise: String,
}
