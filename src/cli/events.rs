//! `sayso events`.

use super::embed::Session;
use super::{Exit, Place, print};
use crate::client::stream::{self, Connection, StreamItem};
use crate::model::{Cursor, Problem};

/// Arguments of `sayso events`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Stay and print what comes.
    #[arg(long, short)]
    follow: bool,
    /// Only events after this sequence number.
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// One JSON event a line.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = print_events(&session, &args).await;
    session.close().await;
    result
}

async fn print_events(session: &Session, args: &Args) -> Result<Exit, Problem> {
    let status = session.client.status().await?;
    let show = |event: &crate::model::Event| {
        if args.json {
            print::json(event)
        } else {
            print::event(event)
        }
    };
    let mut cursor = Cursor {
        epoch: status.cursor.epoch.clone(),
        seq: args
            .after
            .unwrap_or_else(|| status.oldest.saturating_sub(1)),
    };
    while cursor.seq < status.cursor.seq {
        let page = session
            .client
            .events(Some(&cursor), 500, std::time::Duration::ZERO)
            .await?;
        page.events.iter().for_each(show);
        if page.events.is_empty() {
            break;
        }
        cursor = page.next;
    }
    if !args.follow {
        return Ok(Exit::Done);
    }
    let mut items = stream::follow(session.client.clone(), Some(cursor));
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
            item = items.recv() => match item {
                Some(StreamItem::Event(event)) => show(&event),
                Some(StreamItem::Connection(Connection::Closed { reason })) => {
                    return Err(Problem::new(503, "stream-closed", reason));
                }
                Some(StreamItem::Connection(Connection::Waiting { reason, retry_ms })) => {
                    eprintln!("sayso: {reason}; trying again in {retry_ms} ms");
                }
                Some(_) => {}
                None => return Ok(Exit::Failed),
            },
        }
    }
}
