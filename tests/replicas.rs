//! Several servers of one project: the event log on both of its stores, and servers that are killed.

#[cfg(unix)]
#[path = "replicas/chaos.rs"]
mod chaos;
#[path = "replicas/log.rs"]
mod log;
#[path = "replicas/nats.rs"]
mod nats;
#[cfg(unix)]
#[path = "replicas/presence.rs"]
mod presence;
#[cfg(unix)]
#[path = "rooms/rig.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod rig;
#[cfg(unix)]
#[path = "replicas/servers.rs"]
mod servers;
mod stage;
#[path = "replicas/stream.rs"]
mod stream;
