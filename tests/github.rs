//! Committing through GitHub, against a stateful stand-in that nobody of this project wrote. Between Sayso and it stands
//! a relay that checks every request against GitHub's published description, counts, and makes trouble.
#![cfg(unix)]

mod emulate_support;
mod vcs_support;

#[path = "github/bad_days.rs"]
mod bad_days;
#[path = "github/clone.rs"]
mod clone;
#[path = "github/describe.rs"]
mod describe;
#[path = "github/hub.rs"]
mod hub;
#[path = "github/program.rs"]
mod program;
#[path = "github/push.rs"]
mod push;
#[path = "github/relay.rs"]
mod relay;
#[path = "github/remote.rs"]
mod remote;
#[path = "github/signed.rs"]
mod signed;
#[path = "github/token.rs"]
mod token;
