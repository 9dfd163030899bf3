//! What of the things a server sends is the next event: none missing, none twice.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::model::{Cursor, Event, EventKind};

/// What a message comes to.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// The next event.
    Deliver(Arc<Event>),
    /// Nothing for the reader: seen before, or of a type that this version does not know.
    Skip,
    /// Load the state anew and go on from here.
    Reset(Cursor),
    /// Not usable: the connection must be made again from [`Sequence::cursor`].
    Garbled(String),
}

/// The reader's position.
#[derive(Debug)]
pub struct Sequence {
    epoch: Option<String>,
    last: Option<u64>,
}

/// The fields that give an event its place.
#[derive(Deserialize)]
struct Place {
    seq: u64,
    prev: Option<u64>,
}

impl Sequence {
    /// A reader that has everything up to `after`; `None` has nothing.
    pub fn new(after: Option<Cursor>) -> Self {
        match after {
            Some(cursor) => Self {
                epoch: Some(cursor.epoch),
                last: Some(cursor.seq),
            },
            None => Self {
                epoch: None,
                last: None,
            },
        }
    }

    /// The position to go on from.
    pub fn cursor(&self) -> Option<Cursor> {
        Some(Cursor {
            epoch: self.epoch.clone()?,
            seq: self.last?,
        })
    }

    /// Goes on from `cursor`, whatever was before.
    pub fn reset(&mut self, cursor: Cursor) -> Verdict {
        self.epoch = Some(cursor.epoch.clone());
        self.last = Some(cursor.seq);
        Verdict::Reset(cursor)
    }

    /// Takes a message of the event stream: its name, its `id:` and its data.
    pub fn message(&mut self, name: &str, id: Option<&str>, data: &str) -> Verdict {
        if name == "reset" {
            #[derive(Deserialize)]
            struct Reset {
                cursor: Cursor,
            }
            return match serde_json::from_str(data) {
                Ok(Reset { cursor }) => self.reset(cursor),
                Err(error) => Verdict::Garbled(format!("reset: {error}")),
            };
        }
        let Ok(place) = serde_json::from_str::<Place>(data) else {
            if name.parse::<EventKind>().is_ok() {
                return Verdict::Garbled(format!("a {name} event without its place in the log"));
            }
            // A message of a later version that is no event of the log.
            return Verdict::Skip;
        };
        // The id of an earlier message stays in force for messages that have none: only its epoch is sure then.
        let epoch = id
            .and_then(|id| id.parse::<Cursor>().ok())
            .map(|id| id.epoch);
        if let Some(epoch) = epoch {
            match &self.epoch {
                None => self.epoch = Some(epoch),
                Some(known) if *known != epoch => {
                    return Verdict::Garbled(format!("log {epoch} where {known} was followed"));
                }
                Some(_) => {}
            }
        }
        self.place(&place, || serde_json::from_str(data))
    }

    /// Takes an event of a long-poll's page.
    pub fn item(&mut self, item: Value) -> Verdict {
        let Ok(place) = Place::deserialize(&item) else {
            return Verdict::Garbled("an event without its place in the log".to_owned());
        };
        self.place(&place, || serde_json::from_value(item))
    }

    /// Goes on from `next` after a page: what it left out was not for this reader.
    pub fn page_end(&mut self, next: Cursor) {
        self.epoch = Some(next.epoch);
        self.last = Some(self.last.map_or(next.seq, |last| last.max(next.seq)));
    }

    fn place(
        &mut self,
        place: &Place,
        parse: impl FnOnce() -> Result<Event, serde_json::Error>,
    ) -> Verdict {
        if let Some(last) = self.last {
            if place.seq <= last {
                return Verdict::Skip;
            }
            // On a filtered stream the server says what it told before; else numbers follow each other.
            let before = place.prev.unwrap_or(place.seq - 1);
            if before > last {
                return Verdict::Garbled(format!("event {} after event {last}", place.seq));
            }
        }
        let verdict = match parse() {
            Ok(event) => Verdict::Deliver(Arc::new(event)),
            Err(error) => {
                tracing::debug!(seq = place.seq, %error, "an event that this version does not know");
                Verdict::Skip
            }
        };
        self.last = Some(place.seq);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(seq: u64, more: &str) -> String {
        format!(
            r#"{{"seq":{seq},"at":"2026-01-01T00:00:00Z","type":"notice","project":"p","actor":"a","data":{{}}{more}}}"#
        )
    }

    fn cursor(epoch: &str, seq: u64) -> Cursor {
        Cursor {
            epoch: epoch.into(),
            seq,
        }
    }

    /// D deliver, S skip, R reset, G garbled.
    fn letter(verdict: &Verdict) -> char {
        match verdict {
            Verdict::Deliver(_) => 'D',
            Verdict::Skip => 'S',
            Verdict::Reset(_) => 'R',
            Verdict::Garbled(_) => 'G',
        }
    }

    #[test]
    fn messages() {
        let reset = r#"{"cursor":"f-40"}"#;
        type Row = (
            &'static str,
            Option<&'static str>,
            String,
            char,
            Option<Cursor>,
        );
        // (name, id, data, verdict, position after)
        let rows: &[Row] = &[
            (
                "notice",
                Some("e-5"),
                data(5, ""),
                'D',
                Some(cursor("e", 5)),
            ),
            (
                "notice",
                Some("e-6"),
                data(6, ""),
                'D',
                Some(cursor("e", 6)),
            ),
            // Twice.
            (
                "notice",
                Some("e-6"),
                data(6, ""),
                'S',
                Some(cursor("e", 6)),
            ),
            // No id, or the one before: the place in the data counts.
            ("notice", None, data(7, ""), 'D', Some(cursor("e", 7))),
            (
                "notice",
                Some("e-6"),
                data(8, ""),
                'D',
                Some(cursor("e", 8)),
            ),
            // A hole.
            (
                "notice",
                Some("e-10"),
                data(10, ""),
                'G',
                Some(cursor("e", 8)),
            ),
            // Filtered: what lies between was not for us.
            (
                "notice",
                Some("e-12"),
                data(12, r#","prev":8"#),
                'D',
                Some(cursor("e", 12)),
            ),
            (
                "notice",
                Some("e-15"),
                data(15, r#","prev":14"#),
                'G',
                Some(cursor("e", 12)),
            ),
            // Another log without notice.
            (
                "notice",
                Some("f-13"),
                data(13, ""),
                'G',
                Some(cursor("e", 12)),
            ),
            // Of a later version.
            (
                "confetti",
                Some("e-13"),
                data(13, "").replace("notice", "confetti"),
                'S',
                Some(cursor("e", 13)),
            ),
            ("ping", None, "{}".into(), 'S', Some(cursor("e", 13))),
            ("message", None, "hello".into(), 'S', Some(cursor("e", 13))),
            // Damaged.
            (
                "notice",
                Some("e-14"),
                "{\"seq\":1".into(),
                'G',
                Some(cursor("e", 13)),
            ),
            (
                "reset",
                Some("f-40"),
                "{}".into(),
                'G',
                Some(cursor("e", 13)),
            ),
            (
                "reset",
                Some("f-40"),
                reset.into(),
                'R',
                Some(cursor("f", 40)),
            ),
            (
                "notice",
                Some("f-41"),
                data(41, ""),
                'D',
                Some(cursor("f", 41)),
            ),
        ];
        let mut sequence = Sequence::new(None);
        for (name, id, data, verdict, after) in rows {
            let got = sequence.message(name, *id, data);
            assert_eq!(letter(&got), *verdict, "{name} {id:?} {data} gave {got:?}");
            assert_eq!(sequence.cursor(), *after, "{name} {id:?} {data}");
        }
    }

    #[test]
    fn a_reader_with_a_position_notices_a_hole_before_the_first_event() {
        let mut sequence = Sequence::new(Some(cursor("e", 4)));
        assert_eq!(
            letter(&sequence.message("notice", Some("e-6"), &data(6, ""))),
            'G'
        );
        assert_eq!(
            letter(&sequence.message("notice", Some("e-5"), &data(5, ""))),
            'D'
        );
    }

    #[test]
    fn pages() {
        let item = |seq| serde_json::from_str(&data(seq, "")).unwrap();
        let mut sequence = Sequence::new(Some(cursor("e", 4)));
        assert_eq!(letter(&sequence.item(item(4))), 'S');
        assert_eq!(letter(&sequence.item(item(5))), 'D');
        assert_eq!(letter(&sequence.item(item(7))), 'G');
        assert_eq!(letter(&sequence.item(Value::Null)), 'G');
        sequence.page_end(cursor("e", 9));
        assert_eq!(sequence.cursor(), Some(cursor("e", 9)));
    }
}
