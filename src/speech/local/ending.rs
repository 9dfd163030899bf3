//! The end of the process, which must not find anybody inside the native library.
//!
//! When a process ends, ONNX Runtime's exit handlers take its tables apart, whoever still uses them on another thread:
//! a cockpit that was quit while the model was loading crashed after it had ended well. So those inside are counted,
//! the end waits for them, and nobody enters after it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::model::Problem;

/// The one door of this process.
pub(super) static DOOR: Door = Door::new();

/// Waits until nobody is inside the library, no longer than `patience`, and lets nobody in from now on. To be called
/// just before the process ends. Returns false when somebody is still inside.
pub fn close(patience: Duration) -> bool {
    DOOR.close(patience)
}

/// Counts who is inside.
pub(super) struct Door {
    state: Mutex<State>,
    left: Condvar,
}

struct State {
    inside: usize,
    closed: bool,
}

/// Somebody inside, until it is dropped.
pub(super) struct Inside<'a>(&'a Door);

impl Door {
    const fn new() -> Self {
        Self {
            state: Mutex::new(State {
                inside: 0,
                closed: false,
            }),
            left: Condvar::new(),
        }
    }

    /// Goes in.
    ///
    /// # Errors
    /// `ending` when the process is about to end.
    pub(super) fn enter(&self) -> Result<Inside<'_>, Problem> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Err(Problem::new(503, "ending", "the program is ending"));
        }
        state.inside += 1;
        Ok(Inside(self))
    }

    fn close(&self, patience: Duration) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        let (state, _) = self
            .left
            .wait_timeout_while(state, patience, |state| state.inside > 0)
            .unwrap_or_else(PoisonError::into_inner);
        state.inside == 0
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.inside -= 1;
        drop(state);
        self.0.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_waits_for_those_inside() {
        let door = Door::new();
        let inside = door.enter().unwrap();
        assert!(!door.close(Duration::ZERO), "somebody is inside");
        std::thread::scope(|scope| {
            let closing = scope.spawn(|| door.close(Duration::from_secs(20)));
            drop(inside);
            assert!(closing.join().unwrap());
        });
    }

    #[test]
    fn nobody_enters_after_the_end() {
        let door = Door::new();
        drop(door.enter().unwrap());
        assert!(door.close(Duration::ZERO));
        assert!(door.enter().err().unwrap().is("ending"));
    }
}
