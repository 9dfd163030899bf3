//! `sayso notify`: who is told what, and whether it arrives.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use super::embed::repo_dir;
use super::{Exit, Place, print};
use crate::config::{self, Config, Paths};
use crate::model::Problem;
use crate::model::news::Topic;
use crate::pipeline::{Show, outgoing};
use crate::server::WebhookSecrets;
use crate::tui::manners::Surroundings;
use crate::vcs::git::Git;

/// Arguments of `sayso notify`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Send a test in every way that is set.
    #[arg(long)]
    test: bool,
}

/// Runs the command: says what is set, and sends the tests.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let paths = Paths::platform()?;
    let root = match repo_dir(place) {
        Ok(dir) => Git::open(&dir)
            .await
            .ok()
            .map(|git| git.root().to_path_buf()),
        Err(_) => None,
    };
    let config = config::load(&paths, root.as_deref())?;
    let notify = &config.notify;
    let mut failed = false;
    let mut tell = |name: &str, events: &[Topic], outcome: Option<Result<(), Problem>>| {
        let events: Vec<&str> = events.iter().map(|topic| topic.as_str()).collect();
        let set = match events.as_slice() {
            [] => "nothing".to_owned(),
            events => events.join(", "),
        };
        let sent = match outcome {
            None => String::new(),
            Some(Ok(())) => "; sent".to_owned(),
            Some(Err(problem)) => {
                failed = true;
                format!("; NOT sent: {}", print::clean(&problem.to_string()))
            }
        };
        print::line(&format!("{name:<10} {set}{sent}"));
    };
    let terminal = args.test.then(|| ring(&config));
    tell("terminal", &notify.terminal.events, terminal);
    let desktop = match args.test && !notify.desktop.events.is_empty() {
        true => Some(shown("Sayso: a test", "Notifications of the desktop arrive.").await),
        false => None,
    };
    tell("desktop", &notify.desktop.events, desktop);
    for url in &notify.webhook.urls {
        let secret = WebhookSecrets::from_environment().generic;
        let outcome = match args.test {
            true => Some(outgoing::try_out(url, secret).await),
            false => None,
        };
        tell("webhook", &notify.webhook.events, outcome);
    }
    if notify.webhook.urls.is_empty() {
        print::line("webhook    no address is set: urls under [notify.webhook]");
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// Rings in this terminal, as the cockpit would.
fn ring(config: &Config) -> Result<(), Problem> {
    let mut out = std::io::stdout();
    if !out.is_terminal() {
        return Err(Problem::internal("there is no terminal to ring in"));
    }
    let surroundings = Surroundings::read(|name| std::env::var(name).ok());
    let told = surroundings.notify(config.ui.notify, "Sayso: a test");
    out.write_all(told.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Problem::internal)
}

async fn shown(title: &'static str, words: &'static str) -> Result<(), Problem> {
    let show = desktop();
    tokio::task::spawn_blocking(move || show(title, words))
        .await
        .map_err(Problem::internal)?
        .map_err(|why| {
            Problem::new(503, "desktop", why)
                .hint("a desktop with notifications must run, and Sayso in its session")
        })
}

/// Shows a notification of the desktop. May block: not for a thread of the runtime.
pub fn desktop() -> Show {
    Arc::new(|title, words| {
        // Desktops read the text as markup.
        let words = words
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        notify_rust::Notification::new()
            .appname("Sayso")
            .summary(title)
            .body(&words)
            .show()
            .map(drop)
            .map_err(|error| error.to_string())
    })
}
