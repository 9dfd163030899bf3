//! How many events a second fifty writers put into the log, each on disk before it is announced; for `make bench`.
//!
//! `appends FOLDER WRITERS SECONDS` prints one JSON object. The log is made in FOLDER. Each writer appends an event, waits until
//! that is stored, and appends the next one, as a request would. A follower looks at each announcement: what is told but
//! cannot be read from the file by another connection is counted as `early`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sayso::events::EventLog;
use sayso::model::{EventKind, NewEvent};
use sayso::store::Store;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "appends FOLDER WRITERS SECONDS";
    let folder = PathBuf::from(args.next().ok_or(usage)?);
    let writers: usize = args.next().ok_or(usage)?.parse()?;
    let length = Duration::from_secs_f64(args.next().ok_or(usage)?.parse()?);
    let file = folder.join("sayso.db");
    let log = EventLog::open(Store::open(&file)?, "bench")?;

    let second = rusqlite::Connection::open(&file)?;
    let mut follower = log.follow(0);
    let watch = tokio::spawn(async move {
        let (mut told, mut early) = (0_u64, 0_u64);
        loop {
            let Ok(Ok(event)) = tokio::time::timeout(Duration::from_secs(1), follower.next()).await
            else {
                return (told, early);
            };
            if event.seq != told + 1 {
                return (told, u64::MAX);
            }
            told = event.seq;
            // Every one would measure the reader.
            if told.is_multiple_of(50) {
                let stored: u64 = second
                    .query_row("SELECT MAX(seq) FROM events", [], |row| row.get(0))
                    .unwrap_or(0);
                early += u64::from(stored < told);
            }
        }
    });

    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..writers {
        let log = log.clone();
        tasks.spawn(async move {
            let mut times = Vec::new();
            while began.elapsed() < length {
                let data = json!({ "message": format!("{writer} writes: {}", "x".repeat(200)) });
                let event = NewEvent::new(EventKind::Notice, format!("writer {writer}"), data);
                let asked = Instant::now();
                log.append(vec![event], Vec::new()).await?;
                times.push(asked.elapsed());
            }
            Ok::<_, sayso::model::Problem>(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    let seconds = began.elapsed().as_secs_f64();
    times.sort();
    let (told, early) = watch.await?;
    let at = |share: usize| times.get((times.len() - 1) * share / 100);
    println!(
        "{}",
        json!({
            "writers": writers,
            "events": times.len(),
            "seconds": seconds,
            "told": told,
            "early": early,
            "p50_ms": at(50).map(|time| time.as_secs_f64() * 1000.0),
            "p99_ms": at(99).map(|time| time.as_secs_f64() * 1000.0),
        })
    );
    Ok(())
}
