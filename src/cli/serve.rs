//! `sayso serve`: the server alone.

use super::embed::Session;
use super::{Exit, Place, print, wiring};
use crate::model::Problem;

/// Arguments of `sayso serve`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print the API's token too (it is in the state folder's server.json, which only you can read).
    #[arg(long)]
    show_token: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    if !session.is_owner() {
        let url = session.client.endpoint().url;
        print::line(&format!("a Sayso already serves this project at {url}"));
        return Ok(Exit::Nothing);
    }
    let endpoint = session.client.endpoint();
    print::line(&format!("API   {}", endpoint.url));
    if args.show_token {
        print::line(&format!("token {}", endpoint.token));
    }
    session.watch_if_wanted().await;
    wiring::serve_until_interrupted(&session, false).await;
    session.close().await;
    Ok(Exit::Done)
}
