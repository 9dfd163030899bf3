//! `sayso watch`: every save goes to a branch of its own, and is deployed from there.

use super::embed::Session;
use super::wait::Watcher;
use super::{Exit, Place, print, wiring};
use crate::client::Client;
use crate::client::stream::{self, Connection, StreamItem};
use crate::model::api::{WatchRequest, WatchStatus};
use crate::model::{Cursor, Event, EventKind, Problem};

/// Arguments of `sayso watch`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The environment that follows the saves (default: [watch] environment, else "sandbox", else a local default one).
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Take what there is now, deploy it, and end.
    #[arg(long)]
    once: bool,
    /// Events as JSON lines, and nothing else, on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = if args.once {
        once(&session.client, args).await
    } else {
        watch(&session.client, args).await
    };
    session.close().await;
    result
}

async fn once(client: &Client, args: Args) -> Result<Exit, Problem> {
    let status = client.status().await?;
    let mut events = Watcher::new(client, status.cursor, args.json);
    let request = WatchRequest {
        on: None,
        once: true,
        environment: args.env,
    };
    let answer = events.during(client.watch(&request)).await?;
    let exit = match (&answer.deployment, &answer.commit) {
        (Some(deployment), _) => events.deployment(deployment).await?,
        (None, Some(commit)) => events.commit(commit).await?,
        (None, None) => {
            if !args.json {
                print::line(&format!(
                    "nothing has changed since {} was last made",
                    answer.branch
                ));
            }
            Exit::Nothing
        }
    };
    if let Some(waiting) = &answer.waiting
        && !args.json
    {
        eprintln!("sayso: {}", print::clean(waiting));
    }
    Ok(exit)
}

async fn watch(client: &Client, args: Args) -> Result<Exit, Problem> {
    let before = client.status().await?;
    let was_on = before.watch.as_ref().is_some_and(|watch| watch.on);
    let request = WatchRequest {
        on: Some(true),
        once: false,
        environment: args.env,
    };
    // Heard from before it begins: its first words are part of the story.
    let cursor = before.cursor;
    let status = client.watch(&request).await?;
    if !args.json {
        if was_on {
            print::line(&status.message);
        }
        eprintln!("Ctrl+C ends it");
    }
    let mut screen = Screen {
        environment: status.environment.clone(),
        json: args.json,
    };
    let ended = follow(client, cursor, &mut screen).await;
    // Somebody else's watch goes on.
    if !was_on {
        let off = WatchRequest {
            on: Some(false),
            ..WatchRequest::default()
        };
        let off: Result<WatchStatus, Problem> = client.watch(&off).await;
        if let Err(problem) = off {
            // Its server is gone, and the watch with it.
            tracing::info!(%problem, "watching could not be switched off");
        }
    }
    ended.map(|()| Exit::Done)
}

async fn follow(client: &Client, cursor: Cursor, screen: &mut Screen) -> Result<(), Problem> {
    let mut items = stream::follow(client.clone(), Some(cursor));
    let mut interrupted = std::pin::pin!(wiring::interrupted());
    loop {
        let item = tokio::select! {
            () = &mut interrupted => return Ok(()),
            item = items.recv() => item,
        };
        match item {
            Some(StreamItem::Event(event)) => screen.show(&event),
            Some(StreamItem::Connection(Connection::Closed { reason })) => {
                return Err(Problem::new(503, "stream-closed", reason)
                    .hint("the process that watched has ended; begin again: sayso watch"));
            }
            Some(_) => {}
            None => return Err(Problem::new(503, "stream-closed", "the event stream ended")),
        }
    }
}

/// What is printed.
struct Screen {
    environment: String,
    json: bool,
}

impl Screen {
    fn show(&mut self, event: &Event) {
        if self.json {
            print::json(event);
            return;
        }
        let ours = event
            .environment
            .as_ref()
            .is_none_or(|name| *name == self.environment);
        if !ours {
            return;
        }
        match event.kind {
            // A bar that moves belongs on a screen that can.
            EventKind::DeployProgress | EventKind::Health if event.data["ok"] != false => {}
            EventKind::Error => {
                print::error(&event.data);
            }
            EventKind::Intent => {
                print::event(event);
                if event.data["question"].is_object() {
                    print::line("  answer: sayso say yes, or: sayso say no");
                }
            }
            _ => print::event(event),
        }
    }
}
