//! Previews, recipes and "fix the …" through the real program, as a person uses them.
#![cfg(unix)]

mod stage;

#[path = "recipes/bench.rs"]
mod bench;
#[path = "recipes/fix.rs"]
mod fix;
#[path = "recipes/preview.rs"]
mod preview;
#[path = "recipes/scaffold.rs"]
mod scaffold;
