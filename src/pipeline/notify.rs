//! Shows a person what is news, outside the terminal.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::Conductor;
use super::outgoing::{random, wait};
use super::records::Change;
use crate::model::news::{self, Topic};
use crate::model::{EventKind, NewEvent};

/// Shows a title and a text; the error says why it could not be shown.
pub type Show = Arc<dyn Fn(&str, &str) -> Result<(), String> + Send + Sync>;

/// How often it is tried: a desktop that has just started may not be ready.
const TRIES: u32 = 4;

/// The longest text.
const LONGEST: usize = 300;

impl Conductor {
    /// Shows news of `topics` by `show` from now on. `pace` scales the waits between tries (1 in production).
    pub fn show_news(self: &Arc<Self>, topics: Vec<Topic>, show: Show, pace: f64) {
        if topics.is_empty() {
            return;
        }
        let (log, alive) = (self.log.clone(), Arc::downgrade(self));
        let mut events = log.follow(log.head().seq);
        tokio::spawn(async move {
            let mut failing = false;
            while let Ok(event) = events.next().await {
                if alive.strong_count() == 0 {
                    return;
                }
                let Some(topic) = Topic::of(&event).filter(|topic| topics.contains(topic)) else {
                    continue;
                };
                let Some(words) = news::words(&event) else {
                    continue;
                };
                let title = format!("{}: {topic}", event.project);
                let told = tell(&show, title, plain(&words), pace).await;
                match told {
                    Ok(()) => failing = false,
                    // Said once, not at each event.
                    Err(why) if !failing => {
                        failing = true;
                        let message = format!("a notification of the desktop was not shown: {why}");
                        let data = json!({ "message": message });
                        let event = NewEvent::new(EventKind::Notice, "sayso", data);
                        if let Err(problem) = Change::new().event(event).store(&log).await {
                            tracing::warn!(%problem, "a notice could not be stored");
                        }
                    }
                    Err(_) => {}
                }
            }
        });
    }
}

async fn tell(show: &Show, title: String, words: String, pace: f64) -> Result<(), String> {
    let mut tried = 0;
    loop {
        let (show, title, words) = (Arc::clone(show), title.clone(), words.clone());
        let shown = tokio::task::spawn_blocking(move || show(&title, &words)).await;
        let why = match shown {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(why)) => why,
            Err(error) => error.to_string(),
        };
        tried += 1;
        if tried == TRIES {
            return Err(why);
        }
        let pause: Duration = wait(tried, random());
        tokio::time::sleep(pause.mul_f64(pace)).await;
    }
}

/// Text of a site or a service, as one line that no desktop takes for anything else.
fn plain(words: &str) -> String {
    let words = crate::model::ansi::strip(words);
    let mut out: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST)
        .collect();
    if words.chars().count() > LONGEST {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_cannot_be_shown_is_tried_again_and_then_said() {
        let tries = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&tries);
        let third: Show = Arc::new(move |_, words| {
            assert_eq!(words, "down");
            match counted.fetch_add(1, Ordering::Relaxed) {
                0 | 1 => Err("nobody is there".into()),
                _ => Ok(()),
            }
        });
        tell(&third, "site".into(), "down".into(), 0.0)
            .await
            .unwrap();
        assert_eq!(tries.load(Ordering::Relaxed), 3);
        let never: Show = Arc::new(|_, _| Err("nobody is there".into()));
        let why = tell(&never, "site".into(), "down".into(), 0.0).await;
        assert_eq!(why.unwrap_err(), "nobody is there");
    }

    #[test]
    fn words_are_one_plain_line() {
        assert_eq!(plain("a\u{1b}[31mb\nc\u{7}"), "ab c ");
        assert_eq!(plain(&"x".repeat(1000)).chars().count(), LONGEST + 1);
    }
}
