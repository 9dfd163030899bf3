//! The cockpit in a real pseudo-terminal: what the terminal is told, and what state it is left in.

#![cfg(unix)]

#[path = "tui_pty/support.rs"]
mod support;

#[path = "tui_pty/manners.rs"]
mod manners;
#[path = "tui_pty/modes.rs"]
mod modes;
#[path = "tui_pty/talk.rs"]
mod talk;
#[path = "tui_pty/tmux.rs"]
mod tmux;
#[path = "tui_pty/working.rs"]
mod working;

/// The cockpit itself, run by the tests in a process of its own; without their variable it does nothing.
#[test]
fn the_cockpit_of_the_other_tests() {
    support::run_as_child();
}
