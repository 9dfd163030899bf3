//! One Sayso deploys to another, and both keep an eye on what is live: real programs, real HTTP, broken connections, a
//! host that dies, and a disk that fills.
#![cfg(unix)]

#[path = "host_target/pieces.rs"]
mod pieces;
#[path = "host_target/relay.rs"]
mod relay;
#[path = "host_target/sending.rs"]
mod sending;
#[path = "stage/mod.rs"]
mod stage;
#[path = "host_target/trouble.rs"]
mod trouble;
#[path = "host_target/vitals.rs"]
mod vitals;
#[path = "host_target/world.rs"]
mod world;
