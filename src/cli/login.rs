//! `sayso login`: a service's token into the system's keyring.

use std::io::{IsTerminal, Read};

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::{Exit, print};
use crate::config::credential::{self, Service};
use crate::config::{Paths, Secret};
use crate::model::Problem;

/// Longer input is no token.
const LONGEST: u64 = 16 * 1024;

/// Arguments of `sayso login`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The service.
    #[arg(value_parser = ["github", "vercel", "host", "openai", "anthropic", "gemini"])]
    service: String,
    /// The host, for a GitHub Enterprise.
    #[arg(long, value_name = "HOST", default_value = "")]
    host: String,
    /// Take the token out of the keyring.
    #[arg(long)]
    remove: bool,
}

/// Runs the command.
pub async fn run(args: Args) -> Result<Exit, Problem> {
    let service = Service::ALL
        .into_iter()
        .find(|service| service.name() == args.service)
        .ok_or_else(|| Problem::bad_request(format!("unknown service {:?}", args.service)))?;
    tokio::task::spawn_blocking(move || login(service, &args))
        .await
        .map_err(Problem::internal)?
}

fn login(service: Service, args: &Args) -> Result<Exit, Problem> {
    let state = Paths::platform()?.state;
    if args.remove {
        let was_there = credential::remove(service, &args.host)?;
        credential::note(&state, service, false)?;
        print::line(if was_there {
            "the token was taken out of the keyring"
        } else {
            "the keyring holds no token of this service"
        });
        return Ok(if was_there { Exit::Done } else { Exit::Nothing });
    }
    let secret = if std::io::stdin().is_terminal() {
        typed()?
    } else {
        let mut text = String::new();
        std::io::stdin()
            .take(LONGEST)
            .read_to_string(&mut text)
            .map_err(|_| Problem::bad_request("the token could not be read from standard input"))?;
        Secret::new(text)
    };
    credential::store(service, &args.host, &secret)?;
    credential::note(&state, service, true)?;
    print::line("the token is in the system's keyring; what it may do: sayso doctor");
    if let Some(found) = credential::in_environment(service, &args.host) {
        print::line(&format!(
            "but {} comes first: unset it to use the keyring's",
            found.origin
        ));
    }
    Ok(Exit::Done)
}

/// A line from the terminal that is not shown.
fn typed() -> Result<Secret, Problem> {
    let failed = |error: std::io::Error| Problem::internal(format!("the terminal: {error}"));
    eprint!("paste the token, then Enter (it is not shown): ");
    enable_raw_mode().map_err(failed)?;
    let line = hidden_line();
    disable_raw_mode().map_err(failed)?;
    eprintln!();
    line.map_err(failed)?
        .map(Secret::new)
        .ok_or_else(|| Problem::new(403, "refused", "nothing was stored"))
}

/// `None` when the person thinks better of it.
fn hidden_line() -> std::io::Result<Option<String>> {
    let mut line = String::new();
    loop {
        match read()? {
            Event::Paste(text) => line.push_str(&text),
            Event::Key(key) if key.kind != KeyEventKind::Release => match key.code {
                KeyCode::Enter => return Ok(Some(line)),
                KeyCode::Esc => return Ok(None),
                KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                    return Ok(None);
                }
                KeyCode::Backspace => {
                    line.pop();
                }
                KeyCode::Char(letter) => line.push(letter),
                _ => {}
            },
            _ => {}
        }
    }
}
