//! `sayso speech report`: what was heard, taken for and corrected, to tune by.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Exit, Place};
use crate::cli::embed::Session;
use crate::cli::print;
use crate::model::{Cursor, Event, EventKind, Problem};

/// An instruction that comes so soon after one that did not succeed says what was meant by it.
const CORRECTS: SignedDuration = SignedDuration::from_secs(60);

/// Events asked for at a time.
const PAGE: usize = 500;

/// A spoken instruction.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Spoken {
    /// The instruction.
    pub id: String,
    /// When it was heard.
    pub at: Timestamp,
    /// Who spoke.
    pub actor: String,
    /// What was heard.
    pub heard: String,
    /// How certain, 0 to 1; none where the recogniser does not tell.
    pub certainty: Option<f64>,
    /// How sure that made what was taken for it (`likely`, `doubtful` …), where sounds were compared.
    pub sure: Option<String>,
    /// The recogniser.
    pub engine: String,
    /// Milliseconds it took.
    pub ms: u64,
    /// The control, or `edit`; `unclear` when it came to nothing.
    pub act: String,
    /// What it was taken for, in words.
    pub taken_for: String,
    /// What the person said or wrote instead, soon after.
    pub corrected_to: Option<String>,
    /// How it ended.
    pub outcome: String,
}

impl Spoken {
    /// True when it did not lead to what was wanted, as far as can be told.
    fn failed(&self) -> bool {
        ["refused", "rejected", "canceled", "failed"]
            .iter()
            .any(|bad| self.outcome.starts_with(bad))
    }
}

/// All events that are kept.
pub async fn events(session: &Session) -> Result<Vec<Event>, Problem> {
    let status = session.client.status().await?;
    let mut cursor = Cursor {
        epoch: status.cursor.epoch.clone(),
        seq: status.oldest.saturating_sub(1),
    };
    let mut events = Vec::new();
    while cursor.seq < status.cursor.seq {
        let page = session
            .client
            .events(Some(&cursor), PAGE, Duration::ZERO)
            .await?;
        if page.events.is_empty() {
            break;
        }
        events.extend(page.events);
        cursor = page.next;
    }
    Ok(events)
}

/// The spoken instructions among `events`, oldest first.
pub fn spoken(events: &[Event]) -> Vec<Spoken> {
    let mut all: Vec<Spoken> = Vec::new();
    // Every transcript, spoken or typed, may be a correction.
    let mut said: Vec<(Timestamp, String, String, String)> = Vec::new();
    // Which instruction a later one takes back, and the words of that one.
    let mut corrected: Vec<(String, String)> = Vec::new();
    for event in events {
        let Some(id) = event.instruction.as_ref().map(ToString::to_string) else {
            continue;
        };
        let text = |name: &str| event.data[name].as_str().unwrap_or_default().to_owned();
        if event.kind == EventKind::Transcript {
            said.push((event.at, event.actor.clone(), id.clone(), text("text")));
            if text("engine") != "typed" {
                all.push(Spoken {
                    id,
                    at: event.at,
                    actor: event.actor.clone(),
                    heard: text("text"),
                    certainty: certainty(&event.data),
                    engine: text("engine"),
                    ms: event.data["ms"].as_u64().unwrap_or_default(),
                    act: "unclear".to_owned(),
                    outcome: "open".to_owned(),
                    ..Spoken::default()
                });
            }
            continue;
        }
        if let Some(earlier) = event.data["corrects"].as_str() {
            corrected.push((earlier.to_owned(), text("text")));
        }
        let Some(one) = all.iter_mut().find(|one| one.id == id) else {
            continue;
        };
        match event.kind {
            EventKind::Intent => {
                let intent = &event.data["intent"];
                let act = intent["control"].as_str().or(intent["kind"].as_str());
                one.act = act.unwrap_or("unclear").to_owned();
                one.taken_for = event.data["reading"]
                    .as_str()
                    .or(intent["phrase"].as_str())
                    .or(intent["request"].as_str())
                    .unwrap_or_default()
                    .to_owned();
                one.sure = event.data["sure"].as_str().map(str::to_owned);
                if !event.data["question"].is_null() {
                    "asked".clone_into(&mut one.outcome);
                }
            }
            EventKind::Proposal => "proposed".clone_into(&mut one.outcome),
            EventKind::Approved => "approved".clone_into(&mut one.outcome),
            EventKind::Commit => "committed".clone_into(&mut one.outcome),
            EventKind::DeployComplete => "live".clone_into(&mut one.outcome),
            EventKind::Rollback => "rolled back".clone_into(&mut one.outcome),
            EventKind::Rejected => "rejected".clone_into(&mut one.outcome),
            EventKind::Canceled => "canceled".clone_into(&mut one.outcome),
            EventKind::DeployError => "failed: deployment".clone_into(&mut one.outcome),
            EventKind::Error => {
                let why = match event.data["reason"].as_str() {
                    Some(reason) => format!("refused: {reason}"),
                    None => format!("failed: {}", text("message")),
                };
                one.outcome = why;
            }
            EventKind::Notice if one.outcome == "open" => {
                "answered".clone_into(&mut one.outcome);
            }
            _ => {}
        }
    }
    for one in &mut all {
        // "No, I meant …" says so outright.
        if let Some((_, words)) = corrected.iter().find(|(id, _)| *id == one.id) {
            one.corrected_to = Some(words.clone());
        } else if one.failed() {
            let next = said.iter().find(|(at, actor, id, _)| {
                *id != one.id
                    && *actor == one.actor
                    && *at >= one.at
                    && at.duration_since(one.at) <= CORRECTS
            });
            one.corrected_to = next.map(|(_, _, _, text)| text.clone());
        }
    }
    all
}

/// The mean certainty of the words of a transcript.
fn certainty(data: &Value) -> Option<f64> {
    let words = data["words"].as_array().filter(|words| !words.is_empty())?;
    let sum: f64 = words
        .iter()
        .filter_map(|word| word["certainty"].as_f64())
        .sum();
    Some(sum / words.len() as f64)
}

/// What there was of one act.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Total {
    said: usize,
    failed: usize,
    corrected: usize,
    #[serde(skip)]
    certainties: Vec<f64>,
    certainty: Option<f64>,
}

fn totals(all: &[Spoken]) -> BTreeMap<String, Total> {
    let mut totals: BTreeMap<String, Total> = BTreeMap::new();
    for one in all {
        let total = totals.entry(one.act.clone()).or_default();
        total.said += 1;
        total.failed += usize::from(one.failed());
        total.corrected += usize::from(one.corrected_to.is_some());
        total.certainties.extend(one.certainty);
    }
    for total in totals.values_mut() {
        let count = total.certainties.len();
        total.certainty = (count > 0).then(|| total.certainties.iter().sum::<f64>() / count as f64);
    }
    totals
}

/// Prints it.
pub async fn run(place: &Place, as_json: bool) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let events = events(&session).await;
    session.close().await;
    let all = spoken(&events?);
    let totals = totals(&all);
    if as_json {
        print::line(&json!({"spoken": all, "totals": totals}).to_string());
        return Ok(Exit::Done);
    }
    if all.is_empty() {
        eprintln!("nothing was spoken to this site yet");
        return Ok(Exit::Nothing);
    }
    let percent = |certainty: Option<f64>| match certainty {
        Some(certainty) => format!("{:.0} %", certainty * 100.0),
        None => "–".to_owned(),
    };
    let cell = |text: &str| print::clean(text).replace('|', "/");
    print::line("| when | heard | taken for | certainty | corrected to | outcome |");
    print::line("|---|---|---|---|---|---|");
    for one in &all {
        print::line(&format!(
            "| {} | {} | {} | {} | {} | {} |",
            one.at
                .to_zoned(TimeZone::system())
                .strftime("%Y-%m-%d %H:%M"),
            cell(&one.heard),
            cell(if one.taken_for.is_empty() {
                &one.act
            } else {
                &one.taken_for
            }),
            match &one.sure {
                Some(sure) => format!("{}, {}", percent(one.certainty), cell(sure)),
                None => percent(one.certainty),
            },
            cell(one.corrected_to.as_deref().unwrap_or_default()),
            cell(&one.outcome),
        ));
    }
    print::line("");
    print::line("| act | said | failed | corrected | mean certainty |");
    print::line("|---|---|---|---|---|");
    for (act, total) in &totals {
        print::line(&format!(
            "| {} | {} | {} | {} | {} |",
            cell(act),
            total.said,
            total.failed,
            total.corrected,
            percent(total.certainty)
        ));
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seconds: i64, id: &str, kind: EventKind, data: Value) -> Event {
        Event {
            seq: 1,
            at: Timestamp::from_second(1_800_000_000 + seconds).unwrap(),
            kind,
            project: "studio".into(),
            instruction: Some(id.into()),
            proposal: None,
            deployment: None,
            environment: None,
            actor: "Ada".into(),
            data,
        }
    }

    #[test]
    fn what_was_heard_is_followed_to_its_end_and_its_correction() {
        let words =
            json!([{"text": "Come", "certainty": 0.4}, {"text": "that.", "certainty": 0.8}]);
        let heard = |text: &str| json!({"text": text, "engine": "moonshine-tiny", "ms": 20, "words": words});
        let events = [
            event(0, "a", EventKind::Transcript, heard("Come that.")),
            event(
                1,
                "a",
                EventKind::Error,
                json!({"reason": "unclear", "message": "?"}),
            ),
            event(
                9,
                "b",
                EventKind::Transcript,
                json!({"text": "commit that", "engine": "typed"}),
            ),
            event(70, "c", EventKind::Transcript, heard("Commit that.")),
            event(
                71,
                "c",
                EventKind::Intent,
                json!({"intent": {"kind": "control", "control": "commit", "phrase": "commit that"},
                       "reading": "commit", "sure": "likely"}),
            ),
            event(72, "c", EventKind::Commit, json!({})),
            event(
                80,
                "d",
                EventKind::Intent,
                json!({"corrects": "c", "text": "no, I meant deploy that"}),
            ),
        ];
        let all = spoken(&events);
        assert_eq!(all.len(), 2, "typed words are none");
        assert_eq!(all[0].outcome, "refused: unclear");
        assert_eq!(all[0].corrected_to.as_deref(), Some("commit that"));
        assert!((all[0].certainty.unwrap() - 0.6).abs() < 1e-9);
        assert_eq!(
            (all[1].act.as_str(), all[1].outcome.as_str()),
            ("commit", "committed")
        );
        assert_eq!(
            (all[1].sure.as_deref(), all[1].corrected_to.as_deref()),
            (Some("likely"), Some("no, I meant deploy that"))
        );
        let totals = totals(&all);
        assert_eq!(totals["unclear"].corrected, 1);
        assert_eq!((totals["commit"].said, totals["commit"].failed), (1, 0));
    }

    #[test]
    fn what_comes_long_after_is_no_correction() {
        let heard = json!({"text": "x", "engine": "openai"});
        let events = [
            event(0, "a", EventKind::Transcript, heard.clone()),
            event(1, "a", EventKind::Rejected, json!({})),
            event(90, "b", EventKind::Transcript, heard),
        ];
        assert_eq!(spoken(&events)[0].corrected_to, None);
    }
}
