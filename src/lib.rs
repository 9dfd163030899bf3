//! Sayso: say it, see the diff, say yes, watch it go live.
//!
//! The rooms and floors of this crate are described in `ARCHITECTURE.md`; `tests/architecture.rs` keeps them.

pub mod cli;
pub mod client;
pub mod config;
pub mod deploy;
pub mod events;
pub mod generate;
pub mod intent;
pub mod model;
pub mod pipeline;
pub mod review;
pub mod room;
pub mod server;
pub mod speech;
pub mod store;
pub mod tui;
pub mod vcs;
pub mod voice;
pub mod watch;
