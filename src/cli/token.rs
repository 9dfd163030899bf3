//! `sayso token`: tokens for people, on a server or on the state of a project that nobody serves.

use std::collections::BTreeMap;

use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::embed::Session;
use super::{Exit, Place, print};
use crate::client::Client;
use crate::config::Span;
use crate::model::token::{AuditEntry, CreateToken, Rotate, TokenInfo};
use crate::model::{Problem, Role};

/// Arguments of `sayso token`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// JSON, and nothing else, on stdout.
    #[arg(long, global = true)]
    pub json: bool,
    /// The project, where a server has several (default: the first one, or that of the folder).
    #[arg(long, global = true, value_name = "NAME")]
    project: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make a token. It is printed once, and kept nowhere.
    Create(Create),
    /// The tokens that were made, the newest first.
    List {
        /// Those that ended or were revoked, too.
        #[arg(long)]
        all: bool,
    },
    /// End a token, with everything that it opened.
    Revoke {
        /// Its id, or the name of whose it is when they have only one.
        #[arg(value_name = "ID|NAME")]
        token: String,
    },
    /// Let a new key sign from now on; tokens made before stay valid until they end.
    Rotate {
        /// Revoke the tokens made before: all must be made anew.
        #[arg(long)]
        revoke: bool,
    },
    /// The keys that tokens are signed with.
    Key,
    /// Who did what: requests that changed something or tried to, the newest first.
    Audit {
        /// So many.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Only those of this person.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Whose token this is, and what it may do.
    Whoami,
}

/// Arguments of `sayso token create`.
#[derive(clap::Args, Debug)]
struct Create {
    /// viewer: sees everything. author: gives instructions, edits, commits. deployer: deploys, promotes, goes back. admin:
    /// makes tokens. Each may all that the ones before it may.
    #[arg(long)]
    role: Role,
    /// Whose it is, as events tell it. Two people need two names.
    #[arg(long)]
    name: String,
    /// Another role in a room: proposal:ID=author; * at the end of the name stands for all rooms that begin so.
    #[arg(long = "room", value_name = "NAME=ROLE", value_parser = room)]
    rooms: Vec<(String, Role)>,
    /// How long it lasts: 12h, 30d; at most 366d.
    #[arg(long, value_name = "TIME", default_value = "30d")]
    expires: Span,
}

fn room(text: &str) -> Result<(String, Role), String> {
    let (name, role) = text
        .rsplit_once('=')
        .ok_or("write NAME=ROLE: proposal:*=author")?;
    Ok((name.to_owned(), role.parse()?))
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = token(&session, &args).await;
    session.close().await;
    result
}

async fn token(session: &Session, args: &Args) -> Result<Exit, Problem> {
    let client = &at_project(&session.client, args.project.as_deref()).await?;
    match &args.command {
        Command::Create(create) => made(session, client, args, create).await,
        Command::List { all } => {
            let now = Timestamp::now();
            let mut tokens = client.tokens().await?;
            tokens.retain(|token| *all || !token.over(now));
            told(args.json, &tokens, |tokens| listed(tokens, now))?;
            Ok(Exit::Done)
        }
        Command::Revoke { token } => {
            let id = named(&client.tokens().await?, token)?;
            let info = client.revoke_token(&id).await?;
            told(args.json, &info, |info| {
                vec![format!("the token {} of {} is revoked", info.id, info.name)]
            })?;
            Ok(Exit::Done)
        }
        Command::Rotate { revoke } => {
            let rotated = client.rotate_keys(Rotate { revoke: *revoke }).await?;
            told(args.json, &rotated, |rotated| {
                let mut lines = vec![format!("{} signs from now on", rotated.key.id)];
                lines.push(match (revoke, rotated.revoked.len()) {
                    (false, _) => "tokens made before stay valid until they end".to_owned(),
                    (true, n) => {
                        format!("{n} tokens were revoked; make new ones: sayso token create")
                    }
                });
                lines
            })?;
            Ok(Exit::Done)
        }
        Command::Key => {
            let keys = client.token_keys().await?;
            told(args.json, &keys, |keys| {
                let line = |key: &crate::model::token::KeyInfo| {
                    let how = match (key.signs, key.retired_at) {
                        (true, _) => "signs".to_owned(),
                        (false, Some(at)) => format!("verifies since {}", clock(at)),
                        (false, None) => "verifies".to_owned(),
                    };
                    let public = key.public.as_deref().unwrap_or("(a secret of yours)");
                    let (id, alg, tokens) = (&key.id, &key.alg, key.tokens);
                    format!("{id}  {alg}  {how}, {tokens} valid tokens  {public}")
                };
                match keys.is_empty() {
                    true => vec!["there is no key yet; the first token makes one".to_owned()],
                    false => keys.iter().map(line).collect(),
                }
            })?;
            Ok(Exit::Done)
        }
        Command::Audit { limit, name } => {
            let entries = audited(client, usize::from(*limit), name.as_deref()).await?;
            told(args.json, &entries, |entries| {
                entries.iter().map(did).collect()
            })?;
            Ok(Exit::Done)
        }
        Command::Whoami => {
            let me = client.me().await?;
            told(args.json, &me, |me| {
                let until = me
                    .expires
                    .map_or(String::new(), |at| format!(", until {}", clock(at)));
                let mut lines = vec![format!(
                    "{}: {} on {}{until}",
                    me.actor, me.role, me.project
                )];
                let rooms = me.rooms.iter();
                lines.extend(rooms.map(|(room, role)| format!("  {role} in {room}")));
                lines
            })?;
            Ok(Exit::Done)
        }
    }
}

/// The client of the project that is named.
async fn at_project(client: &Client, project: Option<&str>) -> Result<Client, Problem> {
    let Some(wanted) = project else {
        return Ok(client.clone());
    };
    let here = client.me().await;
    if here.is_ok_and(|here| here.project == wanted) {
        return Ok(client.clone());
    }
    let there = client.of_project(wanted)?;
    match there.me().await {
        Ok(_) => Ok(there),
        Err(problem) if problem.status == 404 => Err(Problem::not_found(format!(
            "there is no project {wanted} here"
        ))
        .hint("leave --project out for the project of this folder; `GET /api/projects` lists those of a server")),
        Err(problem) => Err(problem),
    }
}

async fn made(
    session: &Session,
    client: &Client,
    args: &Args,
    create: &Create,
) -> Result<Exit, Problem> {
    let rooms: BTreeMap<String, Role> = create.rooms.iter().cloned().collect();
    let created = client
        .create_token(&CreateToken {
            name: create.name.clone(),
            role: create.role,
            project: args.project.clone(),
            rooms,
            expires_in: Some(create.expires.duration().as_secs()),
        })
        .await?;
    if args.json {
        return told(true, &created, |_| vec![]).map(|()| Exit::Done);
    }
    let info = &created.info;
    // The token alone is on stdout, so that a script can take it.
    print::line(&created.token);
    eprintln!(
        "A token for {}: {} on {}, until {}. It is not shown again.",
        info.name,
        info.role,
        info.project,
        clock(info.expires_at)
    );
    match session.is_owner() {
        true => eprintln!("No server runs now: start one with `sayso serve`."),
        false => eprintln!(
            "To use it: SAYSO_SERVER={} SAYSO_TOKEN=… sayso",
            client.endpoint().url
        ),
    }
    Ok(Exit::Done)
}

/// The id of the token that is meant.
fn named(tokens: &[TokenInfo], text: &str) -> Result<String, Problem> {
    if tokens.iter().any(|token| token.id == text) {
        return Ok(text.to_owned());
    }
    let now = Timestamp::now();
    let mut of = tokens
        .iter()
        .filter(|token| token.name == text && !token.over(now));
    match (of.next(), of.next()) {
        (Some(only), None) => Ok(only.id.clone()),
        (Some(_), Some(_)) => Err(Problem::conflict(format!("{text} has several tokens"))
            .hint("name its id: `sayso token list` shows them")),
        (None, _) => Err(
            Problem::not_found(format!("there is no valid token {text}"))
                .hint("`sayso token list --all` shows all that were made"),
        ),
    }
}

async fn audited(
    client: &Client,
    limit: usize,
    name: Option<&str>,
) -> Result<Vec<AuditEntry>, Problem> {
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = client.audit(before, 1000.min(limit.max(100))).await?;
        let wanted =
            |entry: &AuditEntry| name.is_none_or(|name| entry.actor.as_deref() == Some(name));
        found.extend(page.entries.into_iter().filter(wanted));
        if found.len() >= limit || page.next.is_none() {
            found.truncate(limit);
            return Ok(found);
        }
        before = page.next;
    }
}

/// Prints `value` for a program, or as `lines` for a person.
fn told<T: Serialize>(
    json: bool,
    value: &T,
    lines: impl Fn(&T) -> Vec<String>,
) -> Result<(), Problem> {
    if json {
        print::line(&serde_json::to_string(value).map_err(Problem::internal)?);
        return Ok(());
    }
    for line in lines(value) {
        print::line(&print::clean(&line));
    }
    Ok(())
}

fn listed(tokens: &[TokenInfo], now: Timestamp) -> Vec<String> {
    if tokens.is_empty() {
        return vec![
            "no token is valid; make one: sayso token create --role author --name NAME".to_owned(),
        ];
    }
    let line = |token: &TokenInfo| {
        let rooms: Vec<String> = token
            .rooms
            .iter()
            .map(|(room, role)| format!("{role} in {room}"))
            .collect();
        let rooms = match rooms.is_empty() {
            true => String::new(),
            false => format!("  ({})", rooms.join(", ")),
        };
        let stands = match (&token.revoked_at, token.state(now)) {
            (Some(at), _) => format!(
                "revoked {} by {}",
                clock(*at),
                token.revoked_by.as_deref().unwrap_or("?")
            ),
            (None, "ended") => format!("ended {}", clock(token.expires_at)),
            (None, _) => format!("until {}", clock(token.expires_at)),
        };
        format!(
            "{}  {:<8}  {}  {stands}, made by {}{rooms}",
            token.id,
            token.role.as_str(),
            token.name,
            token.created_by
        )
    };
    tokens.iter().map(line).collect()
}

fn did(entry: &AuditEntry) -> String {
    let who = entry.actor.as_deref().unwrap_or("nobody known");
    let with = match (&entry.token, entry.role) {
        (Some(token), Some(role)) => format!(" ({role}, {token})"),
        (None, Some(_)) => " (the server's own token)".to_owned(),
        _ => String::new(),
    };
    format!(
        "{}  {}  {} {}  {who}{with} from {}",
        clock(entry.at),
        entry.status,
        entry.method,
        entry.path,
        entry.address
    )
}

fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(id: &str, name: &str, expires_at: Timestamp) -> TokenInfo {
        TokenInfo {
            id: id.into(),
            name: name.into(),
            role: Role::Author,
            project: "site".into(),
            rooms: BTreeMap::new(),
            key: "key-1".into(),
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "ada".into(),
            expires_at,
            revoked_at: None,
            revoked_by: None,
        }
    }

    #[test]
    fn a_token_is_named_by_its_id_or_by_whose_only_one_it_is() {
        let tokens = [
            info("tok_1", "bob", Timestamp::MAX),
            info("tok_2", "bob", Timestamp::UNIX_EPOCH),
            info("tok_3", "eve", Timestamp::MAX),
            info("tok_4", "eve", Timestamp::MAX),
        ];
        assert_eq!(named(&tokens, "tok_2").unwrap(), "tok_2");
        assert_eq!(named(&tokens, "bob").unwrap(), "tok_1");
        assert_eq!(named(&tokens, "eve").unwrap_err().status, 409);
        assert_eq!(named(&tokens, "mallory").unwrap_err().status, 404);
    }

    #[test]
    fn rooms_are_written_with_their_roles() {
        assert_eq!(
            room("proposal:*=author"),
            Ok(("proposal:*".into(), Role::Author))
        );
        for bad in ["proposal:*", "proposal:*=root", ""] {
            assert!(room(bad).is_err(), "{bad:?}");
        }
    }
}
