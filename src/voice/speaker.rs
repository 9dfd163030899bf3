//! The loudspeaker, on a thread of its own: one sound at a time, the newest wins.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;

use super::mic;
use crate::model::Problem;

/// Plays sounds in the background. Dropping it ends what is being played.
pub struct Speaker {
    line: Sender<(Vec<f32>, Arc<AtomicBool>)>,
    stop: Arc<AtomicBool>,
    playing: Arc<AtomicBool>,
}

impl Speaker {
    /// Starts the thread; `failed` is told why a sound could not be played.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn spawn(failed: impl Fn(Problem) + Send + 'static) -> io::Result<Self> {
        let (line, inbox) = mpsc::channel::<(Vec<f32>, Arc<AtomicBool>)>();
        let playing = Arc::new(AtomicBool::new(false));
        let busy = Arc::clone(&playing);
        thread::Builder::new()
            .name("loudspeaker".to_owned())
            .spawn(move || {
                for (samples, stop) in inbox {
                    if stop.load(Ordering::Relaxed) {
                        continue;
                    }
                    busy.store(true, Ordering::Relaxed);
                    let played = mic::play(&samples, &stop);
                    busy.store(false, Ordering::Relaxed);
                    if let Err(problem) = played {
                        failed(problem);
                    }
                }
            })?;
        Ok(Self {
            line,
            stop: Arc::default(),
            playing,
        })
    }

    /// Plays `samples` (16 kHz mono) from now on instead of what is being played.
    pub fn play(&mut self, samples: Vec<f32>) {
        self.stop();
        self.stop = Arc::default();
        // Without the thread there is nobody to play it, and it has said so.
        let _ = self.line.send((samples, Arc::clone(&self.stop)));
    }

    /// Ends what is being played.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// True while a sound is being played.
    pub fn playing(&self) -> bool {
        self.playing.load(Ordering::Relaxed) && !self.stop.load(Ordering::Relaxed)
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Plays `samples` (16 kHz mono) to their end. Blocks.
///
/// # Errors
/// When there is no loudspeaker.
pub fn play(samples: &[f32]) -> Result<(), Problem> {
    mic::play(samples, &AtomicBool::new(false))
}
