//! An engine.
