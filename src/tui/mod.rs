//! The cockpit: one screen, from the spoken word to the live page.
//!
//! [`model`] is the state, [`update`] takes a message and gives effects, [`view`] draws the state; all three are pure.
//! [`driver`] is the edge: it reads keys, events and the microphone, runs the effects, and draws when something
//! changed. [`terminal`] alone owns the terminal's modes, [`theme`] the colours, [`motion`] all that moves.

pub mod keymap;
pub mod keys;
pub mod message;
pub mod model;
pub mod motion;
pub mod panes;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;
pub mod voice_port;
