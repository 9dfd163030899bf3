//! Saves that go to a sandbox: real repositories, real remotes, real processes, and everything that gets in their way.
#![cfg(unix)]

#[path = "watch/conflicts.rs"]
mod conflicts;
#[cfg(feature = "failpoints")]
#[path = "watch/crash.rs"]
mod crash;
#[path = "watch/flow.rs"]
mod flow;
#[path = "watch/http_git.rs"]
mod http_git;
#[path = "watch/look.rs"]
mod look;
#[path = "watch/program.rs"]
mod program;
#[path = "stage/mod.rs"]
mod stage;
#[path = "watch/support.rs"]
mod support;
