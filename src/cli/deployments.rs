//! `sayso deployments`.

use jiff::tz::TimeZone;

use super::embed::Session;
use super::{Exit, Place, print};
use crate::model::Problem;

/// Arguments of `sayso deployments`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The list as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let list = session.client.deployments().await;
    session.close().await;
    let list = list?;
    if args.json {
        print::line(&serde_json::to_string(&list).map_err(Problem::internal)?);
        return Ok(Exit::Done);
    }
    let time = |at: jiff::Timestamp| {
        at.to_zoned(TimeZone::system())
            .strftime("%Y-%m-%d %H:%M")
            .to_string()
    };
    for deployment in &list.deployments {
        let state = serde_json::to_value(deployment.state).map_err(Problem::internal)?;
        let total: u64 = deployment.stages.values().sum();
        print::line(&format!(
            "{}  {:<11} {:<12} {}  {total:>6} ms  {}",
            time(deployment.started_at),
            state.as_str().unwrap_or_default(),
            deployment.environment,
            deployment.commit.get(..7).unwrap_or_default(),
            deployment
                .release
                .as_ref()
                .map_or("-", |release| release.as_str()),
        ));
    }
    for kept in &list.releases {
        for release in &kept.releases {
            let mark = if release.current {
                "*"
            } else if release.bad {
                "!"
            } else {
                " "
            };
            print::line(&format!(
                "{mark} {} {}  {}  {} files, {} bytes, {}",
                kept.environment,
                release.id,
                release.commit.get(..7).unwrap_or_default(),
                release.files,
                release.bytes,
                time(release.created_at),
            ));
        }
    }
    Ok(if list.deployments.is_empty() {
        Exit::Nothing
    } else {
        Exit::Done
    })
}
