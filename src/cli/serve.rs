//! `sayso serve`: the server alone; for other machines, too.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::embed::{Serving, Session};
use super::{Exit, Place, print, wiring};
use crate::config::{Config, Paths};
use crate::model::Problem;
use crate::server::Tls;
use crate::vcs::git::Git;

/// Arguments of `sayso serve`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print the API's token too (it is in the state folder's server.json, which only you can read).
    #[arg(long)]
    show_token: bool,
    /// Listen there instead of where [server] says: 0.0.0.0:8443. Beyond this machine it wants TLS ([server] tls_cert and
    /// tls_key), or `insecure = true` behind a proxy that has it.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Use the token in this file instead of a new one at each start (or SAYSO_TOKEN from the environment).
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Serve a site that other machines deploy here ([deploy.host] there): no repository is needed. NAME is the project's.
    /// The variable SAYSO_HOST_TOKEN holds a token that lets in their deployments and nothing else.
    #[arg(long, value_name = "NAME")]
    receive: Option<String>,
    /// Serve the project in this folder as well, under /projects/NAME/ (may be given several times). The one of -C, or of the
    /// folder that this runs in, is at the root, too; its [server] settings count.
    #[arg(long = "project", value_name = "DIR")]
    projects: Vec<PathBuf>,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let mut place = place.clone();
    if let Some(name) = &args.receive {
        place.repo = Some(receiver(name).await?);
    }
    // Where none is named, the first one of the list is at the root.
    let mut beside = args.projects.clone();
    let here = super::embed::repo_dir(&place)?;
    if place.repo.is_none() && !beside.is_empty() && Git::open(&here).await.is_err() {
        place.repo = Some(beside.remove(0));
    }
    let serving = Serving {
        listen: args.listen,
        token: token(args.token_file.as_deref())?,
        open: true,
        beside: others(&place, beside).await?,
    };
    let session = Session::open_serving(&place, serving).await?;
    if !session.is_owner() {
        let url = session.client.endpoint().url;
        print::line(&format!("a Sayso already serves this project at {url}"));
        return Ok(Exit::Nothing);
    }
    let endpoint = session.client.endpoint();
    let outside = session.outside().unwrap_or(endpoint.url.as_str());
    print::line(&format!("API   {outside}"));
    let served = session.served();
    if served.len() > 1 {
        let base = url::Url::parse(outside).unwrap_or(endpoint.url.clone());
        for (name, url) in served {
            let url = base.join(url.path()).unwrap_or(url);
            print::line(&format!("      {name}: {url}"));
        }
    }
    if args.show_token {
        print::line(&format!("token {}", endpoint.token));
    }
    session.watch_if_wanted().await;
    tokio::select! {
        () = wiring::serve_until_interrupted(&session, false) => {}
        () = session.deposed() => {
            eprintln!("sayso: another server conducts this project now; this one starts anew");
            return Err(super::replica::start_anew());
        }
    }
    session.close().await;
    Ok(Exit::Done)
}

/// The folders of `beside` that are not the one at `place`.
async fn others(place: &Place, beside: Vec<PathBuf>) -> Result<Vec<PathBuf>, Problem> {
    let first = Git::open(&super::embed::repo_dir(place)?).await.ok();
    let mut roots: Vec<PathBuf> = first.iter().map(|git| git.root().to_path_buf()).collect();
    let mut all = Vec::new();
    for dir in beside {
        let root = Git::open(&dir).await?.root().to_path_buf();
        if !roots.contains(&root) {
            roots.push(root);
            all.push(dir);
        }
    }
    Ok(all)
}

/// The token that clients have, where it is not to be a new one.
fn token(file: Option<&Path>) -> Result<Option<String>, Problem> {
    let (text, place) = match file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                Problem::new(422, "config", format!("{}: {error}", file.display()))
                    .hint("--token-file names a file with one line: openssl rand -base64 32 > FILE")
            })?;
            (text, file.display().to_string())
        }
        None => match std::env::var("SAYSO_TOKEN") {
            Ok(text) => (text, "SAYSO_TOKEN".to_owned()),
            Err(_) => return Ok(None),
        },
    };
    let token = checked(&text, &place)?;
    if token.split('.').count() == 3 {
        return Err(Problem::new(
            422,
            "config",
            format!("{place} holds a token that was made for a person, not the server's own"),
        )
        .hint("unset it, or make one for the server: openssl rand -base64 32"));
    }
    Ok(Some(token))
}

/// The token that lets in deployments, where there is one.
pub(super) fn host_token() -> Result<Option<String>, Problem> {
    match std::env::var("SAYSO_HOST_TOKEN") {
        Ok(text) if !text.trim().is_empty() => checked(&text, "SAYSO_HOST_TOKEN").map(Some),
        _ => Ok(None),
    }
}

fn checked(text: &str, place: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.len() >= 16 && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(Problem::new(
        422,
        "config",
        format!("{place} does not hold a token: at least 16 visible ASCII characters"),
    )
    .hint("make one: openssl rand -base64 32"))
}

/// The folder of a site that is only received: an empty repository among Sayso's own state.
async fn receiver(name: &str) -> Result<PathBuf, Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(Problem::new(
            422,
            "usage",
            format!("{name:?} cannot be the name of a project"),
        )
        .hint("use letters, digits, - and _"));
    }
    let folder = Paths::platform()?.state.join("received").join(name);
    super::embed::private_dir(&folder)?;
    match Git::open(&folder).await {
        Ok(git) if git.root() == folder.canonicalize().unwrap_or_default() => {}
        _ => {
            let made = tokio::process::Command::new("git")
                .args(["init", "--quiet", "--initial-branch", "main"])
                .current_dir(&folder)
                .stdin(std::process::Stdio::null())
                .output()
                .await;
            let made = made.map_err(|error| error.to_string()).and_then(|output| {
                match output.status.success() {
                    true => Ok(()),
                    false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
                }
            });
            made.map_err(|why| {
                Problem::new(500, "git", format!("no repository could be made: {why}"))
                    .hint("install git, and make sure that the state folder can be written")
            })?;
        }
    }
    Ok(folder)
}

/// Certificate and key, when they are set; refused when what travels could be read on the way.
pub(super) fn secured(config: &Config, listen: &SocketAddr) -> Result<Option<Tls>, Problem> {
    let server = &config.server;
    let mistake = |what: &str, hint: &str| Err(Problem::new(422, "config", what).hint(hint));
    match (server.tls_cert.as_str(), server.tls_key.as_str()) {
        ("", "") if listen.ip().is_loopback() || server.insecure => Ok(None),
        ("", "") => mistake(
            &format!("{listen} is reached by other machines, and tokens would travel unencrypted"),
            "set tls_cert and tls_key under [server]; or insecure = true behind a proxy on this machine that speaks TLS",
        ),
        ("", _) | (_, "") => mistake(
            "[server] has only one of tls_cert and tls_key",
            "set both: a certificate is of no use without its key",
        ),
        (cert, key) => Ok(Some(Tls {
            cert: cert.into(),
            key: key.into(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_travel_unencrypted_unless_a_person_says_so() {
        let mut config = Config::default();
        let here: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let away: SocketAddr = "0.0.0.0:1".parse().unwrap();
        assert_eq!(secured(&config, &here).unwrap(), None);
        assert!(secured(&config, &away).is_err());
        config.server.insecure = true;
        assert_eq!(secured(&config, &away).unwrap(), None);
        config.server.tls_cert = "c.pem".into();
        assert!(secured(&config, &here).is_err());
        config.server.tls_key = "k.pem".into();
        assert!(secured(&config, &away).unwrap().is_some());
    }

    #[test]
    fn a_token_is_long_enough_and_visible() {
        assert_eq!(
            checked(" 0123456789abcdef\n", "x").unwrap(),
            "0123456789abcdef"
        );
        for bad in ["", "short", "0123456789 abcdef", "0123456789abcdéf"] {
            assert!(checked(bad, "x").is_err(), "{bad:?}");
        }
    }
}
