//! `sayso`: the cockpit on this repository.

use std::io::IsTerminal;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::FutureExt as _;
use tokio::sync::mpsc;

use super::embed::{Session, private_dir};
use super::{Exit, Place, microphone};
use crate::model::Problem;
use crate::tui::{self, Cockpit, Sharing};

/// Runs the cockpit; as plain lines when `linear`, the terminal or the configuration says so.
pub async fn run(place: &Place, linear: bool) -> Result<Exit, Problem> {
    // A terminal that calls itself dumb moves no cursor.
    let linear = linear || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !terminal && !linear {
        return Err(
            Problem::new(422, "usage", "the cockpit needs a terminal").hint(
                "without one use `sayso say`, `sayso commit`, `sayso deploy`; see `sayso --help`",
            ),
        );
    }
    let mut session = Session::open(place).await?;
    session.config.ui.linear |= linear;
    session.speech.warm();
    session.watch_if_wanted().await;
    let (microphone, mic_events) = match microphone::open(&session) {
        Ok((microphone, events)) => (Some(microphone), events),
        Err(error) => {
            tracing::warn!(%error, "no recorder: typed text does everything");
            (None, mpsc::channel(1).1)
        }
    };
    let sharing = sharing(&session, place)?;
    let cockpit = Cockpit {
        client: session.client.clone(),
        config: session.config.clone(),
        microphone,
        mic_events,
        first_status: None,
        log_path: sharing
            .folder
            .as_ref()
            .map(|folder| folder.join("sayso.log")),
        themes: Some(session.paths.config.join("themes")),
        sharing: sharing.clone(),
        company: session
            .conductor()
            .map(|conductor| conductor.company().boxed()),
        // On another machine's project there is no repository, build or keyring of this one to be looked at.
        doctor: match place.server {
            Some(_) => None,
            None => Some(std::sync::Arc::new(super::checkup::Machine {
                place: place.clone(),
                model: session.config.speech.model.clone(),
            })),
        },
        session: sharing
            .folder
            .as_ref()
            .map(|folder| folder.join("cockpit.json")),
    };
    let heir = session.heir(place);
    let result = tui::run(cockpit).await;
    if let Some(heir) = heir {
        heir.close().await;
    }
    session.close().await;
    result
        .map(|()| Exit::Done)
        .map_err(|error| Problem::internal(format!("{error:#}")))
}

/// How the cockpit takes part in a team: as whom, and where it keeps what the server does not have yet.
fn sharing(session: &Session, place: &Place) -> Result<Sharing, Problem> {
    let user = || {
        ["USER", "USERNAME", "LOGNAME"]
            .into_iter()
            .find_map(|key| std::env::var(key).ok().filter(|name| !name.is_empty()))
            .unwrap_or_else(|| "someone".into())
    };
    let Some(url) = &place.server else {
        let folder = session.project.as_ref().map(|project| project.dir.clone());
        return Ok(Sharing {
            remote: !session.is_owner(),
            keeps: false,
            name: session.actor().map_or_else(user, str::to_owned),
            folder,
        });
    };
    let token = session.client.endpoint().token;
    let bearer = bearer(&token);
    // What one person asked for is never sent in the name of another.
    let whose = bearer.as_deref().unwrap_or(&token);
    let folder = session.paths.server(url, whose);
    private_dir(&folder)?;
    Ok(Sharing {
        remote: true,
        keeps: true,
        name: bearer.unwrap_or_else(user),
        folder: Some(folder),
    })
}

/// The name in a signed token. Whether it is true is the server's to say: here it is only shown.
fn bearer(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let json = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&json).ok()?;
    let name = claims["sub"].as_str()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_token_has_a_name_and_another_has_none() {
        let claims = URL_SAFE_NO_PAD.encode("{\"sub\":\"ada\",\"exp\":1}");
        assert_eq!(bearer(&format!("x.{claims}.y")).as_deref(), Some("ada"));
        for token in ["", "secret", "a.b.c", "a.e30.c", "..."] {
            assert_eq!(bearer(token), None, "{token}");
        }
    }
}
