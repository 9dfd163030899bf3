//! Words while they are being spoken: again and again a look at the clip so far, one at a time.
//!
//! The last look is at what was said when the key came up, while the tail of the clip is still being recorded. Most
//! often nothing is said in the tail, and the reading of the whole clip finds the words there already.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

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
    /// When the clip will be whole, once that is known.
    whole: watch::Sender<Option<Instant>>,
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
        let (whole, mut ends) = watch::channel(None);
        tokio::spawn(async move {
            let mut due = interval_at(Instant::now() + every, every);
            // A slow machine gets fewer looks, not several at once.
            due.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let (mut told, mut took) = (String::new(), Duration::ZERO);
            loop {
                let end = tokio::select! {
                    biased;
                    end = ends.wait_for(Option::is_some) => match end {
                        Ok(end) => *end,
                        Err(_) => return,
                    },
                    _ = due.tick() => None,
                };
                // One that is not over by then would keep the whole clip waiting.
                let late = end.is_some_and(|end| Instant::now() + took > end);
                if late || stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Some(sound) = clip.so_far().await else {
                    if end.is_some() {
                        return;
                    }
                    continue;
                };
                let began = Instant::now();
                let look = transcriber.glance(sound, Arc::clone(&stopped)).await;
                took = began.elapsed();
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                match look {
                    Ok(Some(text)) if text != told => {
                        told.clone_from(&text);
                        tell(text);
                    }
                    Ok(_) => {}
                    Err(problem) => {
                        // The clip itself will say so where it matters.
                        tracing::debug!(%problem, "no partial transcript");
                        return;
                    }
                }
                if end.is_some() {
                    return;
                }
            }
        });
        Self { stop, whole }
    }

    /// The key came up; the clip will be whole in `tail`. One look more, if it can be over by then, and none after it.
    pub fn release(&self, tail: Duration) {
        self.whole.send_replace(Some(Instant::now() + tail));
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

    #[tokio::test]
    async fn the_last_look_is_at_the_release_unless_it_would_last_too_long() {
        let (often, look) = (Duration::from_millis(500), Duration::from_millis(20));
        for (tail, looks) in [(often * 20, 2), (look / 20, 1)] {
            let (sender, mut inbox) = mpsc::unbounded_channel();
            let slow = Slow {
                time: look,
                under_way: AtomicBool::new(false),
            };
            let partials = Partials::begin_every(
                often,
                Growing(std::sync::Mutex::new(0)),
                Arc::new(slow),
                move |text| drop(sender.send(text)),
            );
            assert_eq!(inbox.recv().await.as_deref(), Some("1600"));
            partials.release(tail);
            let mut told = 1;
            while inbox.recv().await.is_some() {
                told += 1;
            }
            assert_eq!(told, looks, "with a tail of {tail:?}");
        }
    }

    #[test]
    fn a_look_of_50_ms_still_makes_it_every_400() {
        assert!(EVERY + Duration::from_millis(50) <= Duration::from_millis(400));
    }
}
