//! Rooms: with clients that nobody here wrote, with hostile ones, and over crashes.

#[path = "rooms/clients.rs"]
mod clients;
#[path = "rooms/crash.rs"]
mod crash;
#[path = "rooms/http.rs"]
mod http;
#[path = "rooms/proposal.rs"]
mod proposal;
#[path = "rooms/protocol.rs"]
mod protocol;
#[path = "rooms/rig.rs"]
mod rig;
#[path = "rooms/roles.rs"]
mod roles;
mod stage;
mod support;
