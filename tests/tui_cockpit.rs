//! The cockpit without a terminal: messages in, effects and frames out.

#[path = "tui_cockpit/support.rs"]
mod support;

#[path = "tui_cockpit/frames.rs"]
mod frames;
