//! Words in, [`Intent`] out. Pure: no I/O, no clock.

use crate::model::Intent;

/// What `text` (typed or transcribed) means.
pub fn understand(text: &str) -> Intent {
    Intent::Edit {
        request: text.trim().to_owned(),
    }
}
