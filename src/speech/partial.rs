//! Words while they are being spoken: again and again a look at the clip so far, one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{MissedTickBehavior, interval_at};

use super::Transcriber;
use crate::voice::Recorder;

/// From one look to the next. A little less than the 400 ms in which people are to see a change.
const EVERY: Duration = Duration::from_millis(350);

/// Where the sound of an unfinished clip comes from.
#[async_trait]
pub trait Unfinished: Send + Sync + 'static {
    /// The clip so far (16 kHz mono); `None` when none is being recorded.
    async fn so_far(&self) -> Option<Vec<f32>>;
}

#[async_trait]
impl Unfinished for Recorder {
    async fn so_far(&self) -> Option<Vec<f32>> {
        Recorder::so_far(self).await
    }
}

/// Looks that go on until this is dropped. One that is under way then gives up at its next token, so that it never
/// keeps the reading of the whole clip waiting.
pub struct Partials {
    stop: Arc<AtomicBool>,
}

impl Partials {
    /// Begins; `tell` gets the text whenever it has changed.
    pub fn begin(
        clip: impl Unfinished,
        transcriber: Arc<dyn Transcriber>,
        tell: impl Fn(String) + Send + 'static,
    ) -> Self {
        Self::begin_every(EVERY, clip, transcriber, tell)
    }

    fn begin_every(
        every: Duration,
        clip: impl Unfinished,
        transcriber: Arc<dyn Transcriber>,
        tell: impl Fn(String) + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        tokio::spawn(async move {
            let mut due = interval_at(tokio::time::Instant::now() + every, every);
            // A slow machine gets fewer looks, not several at once.
            due.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last = String::new();
            loop {
                due.tick().await;
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Some(sound) = clip.so_far().await else {
                    continue;
                };
                let look = transcriber.glance(sound, Arc::clone(&stopped)).await;
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                match look {
                    Ok(Some(text)) if text != last => {
                        last.clone_from(&text);
                        tell(text);
                    }
                    Ok(_) => {}
                    Err(problem) => {
                        // The clip itself will say so where it matters.
                        tracing::debug!(%problem, "no partial transcript");
                        return;
                    }
                }
            }
        });
        Self { stop }
    }
}

impl Drop for Partials {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::sync::mpsc;

    use super::*;
    use crate::model::Problem;
    use crate::model::api::SpeechStatus;
    use crate::speech::Transcript;

    /// A clip that grows by 1600 samples a look.
    struct Growing(std::sync::Mutex<usize>);

    #[async_trait]
    impl Unfinished for Growing {
        async fn so_far(&self) -> Option<Vec<f32>> {
            let mut length = self.0.lock().unwrap();
            *length += 1_600;
            Some(vec![0.1; *length])
        }
    }

    /// Takes its time for every look and says how long the clip was.
    struct Slow {
        time: Duration,
        under_way: AtomicBool,
    }

    #[async_trait]
    impl Transcriber for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }
        fn status(&self) -> SpeechStatus {
            unreachable!()
        }
        fn warm(&self) {}
        async fn ready(&self) -> Result<(), Problem> {
            Ok(())
        }
        async fn transcribe(&self, _wav: &Path) -> Result<Transcript, Problem> {
            unreachable!()
        }
        async fn glance(
            &self,
            samples: Vec<f32>,
            _stop: Arc<AtomicBool>,
        ) -> Result<Option<String>, Problem> {
            assert!(!self.under_way.swap(true, Ordering::SeqCst), "two at once");
            tokio::time::sleep(self.time).await;
            self.under_way.store(false, Ordering::SeqCst);
            Ok(Some(samples.len().to_string()))
        }
    }

    #[tokio::test]
    async fn looks_come_one_after_the_other_and_end_with_their_owner() {
        // Quicker and slower than the time between two looks.
        for time in [0, 25] {
            let (sender, mut inbox) = mpsc::unbounded_channel();
            let slow = Slow {
                time: Duration::from_millis(time),
                under_way: AtomicBool::new(false),
            };
            let partials = Partials::begin_every(
                Duration::from_millis(5),
                Growing(std::sync::Mutex::new(0)),
                Arc::new(slow),
                move |text| drop(sender.send(text)),
            );
            for wanted in ["1600", "3200", "4800", "6400", "8000"] {
                assert_eq!(inbox.recv().await.as_deref(), Some(wanted));
            }
            drop(partials);
            // One that was told before the end may still wait; then the line is dead.
            while inbox.recv().await.is_some() {}
        }
    }

    #[test]
    fn a_look_of_50_ms_still_makes_it_every_400() {
        assert!(EVERY + Duration::from_millis(50) <= Duration::from_millis(400));
    }
}
