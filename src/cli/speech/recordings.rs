//! `sayso speech recordings | replay | delete`: the sound that is kept.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{Exit, Place};
use crate::cli::embed::Session;
use crate::cli::print;
use crate::config::ProjectPaths;
use crate::model::{Event, EventKind, Problem};
use crate::voice::{self, shelf, speaker, wav};

/// Where clips of the cockpit are, beside the recordings of instructions.
const CLIPS: &str = "clips";

/// A recording that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What it is called: the instruction's id, or the clip's name.
    pub id: String,
    /// Its file, and those with the same sound.
    pub files: Vec<PathBuf>,
    /// When it was made.
    pub at: Timestamp,
    /// Its length in seconds.
    pub seconds: f64,
    /// What was heard, if it became an instruction.
    pub heard: Option<String>,
}

/// All recordings of a project, newest first. A clip that became an instruction is one recording.
pub fn all(
    project: &ProjectPaths,
    heard: &HashMap<String, String>,
) -> Result<Vec<Recording>, Problem> {
    let folder = project.recordings();
    let unreadable = |error: std::io::Error| {
        Problem::internal(format!("cannot read {}: {error}", folder.display()))
    };
    let instructions = shelf::named(&folder, "ins_").map_err(unreadable)?;
    let clips = shelf::list(&folder.join(CLIPS)).map_err(unreadable)?;
    let mut found: Vec<(Recording, Vec<u8>)> = Vec::new();
    for path in instructions.into_iter().chain(clips) {
        // One that is removed just now is none.
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        if let Some((same, _)) = found.iter_mut().find(|(_, other)| *other == bytes) {
            same.files.push(path);
            continue;
        }
        let id = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        let written = std::fs::metadata(&path).and_then(|meta| meta.modified());
        let at = written.ok().and_then(|at| Timestamp::try_from(at).ok());
        let sound = wav::decode(bytes.clone());
        let recording = Recording {
            heard: heard.get(&id).cloned(),
            id,
            files: vec![path],
            at: at.unwrap_or(Timestamp::UNIX_EPOCH),
            seconds: sound.map_or(0.0, |sound| voice::seconds(sound.len())),
        };
        found.push((recording, bytes));
    }
    let mut all: Vec<Recording> = found.into_iter().map(|(recording, _)| recording).collect();
    all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.id.cmp(&a.id)));
    Ok(all)
}

/// The one called `id`, or whose name begins so; without an `id` the newest.
fn find<'a>(all: &'a [Recording], id: Option<&str>) -> Result<&'a Recording, Problem> {
    let Some(id) = id else {
        return all.first().ok_or_else(|| {
            Problem::not_found("there are no recordings")
                .hint("speak an instruction first; [voice] keep says how many are kept")
        });
    };
    let named = |recording: &&Recording| recording.id == id;
    let begins: Vec<&Recording> = all.iter().filter(|one| one.id.starts_with(id)).collect();
    match (all.iter().find(named), begins.as_slice()) {
        (Some(exact), _) => Ok(exact),
        (None, [one]) => Ok(one),
        (None, []) => Err(Problem::not_found(format!("there is no recording {id}"))
            .hint("`sayso speech recordings` lists them")),
        (None, _) => Err(Problem::bad_request(format!(
            "{} recordings begin with {id}",
            begins.len()
        ))
        .hint("write more of its name")),
    }
}

/// The session's project; recordings of a server elsewhere are there.
fn project(session: &Session) -> Result<&ProjectPaths, Problem> {
    session.project.as_ref().ok_or_else(|| {
        Problem::bad_request("the recordings are on the machine of the server")
            .hint("run this there, without --server")
    })
}

/// What was heard in each instruction.
fn texts(events: &[Event]) -> HashMap<String, String> {
    events
        .iter()
        .filter(|event| event.kind == EventKind::Transcript)
        .filter_map(|event| {
            let id = event.instruction.as_ref()?.to_string();
            Some((id, event.data["text"].as_str()?.to_owned()))
        })
        .collect()
}

async fn listed(session: &Session) -> Result<Vec<Recording>, Problem> {
    let project = project(session)?;
    let events = super::report::events(session).await?;
    all(project, &texts(&events))
}

/// Prints the list.
pub async fn list(place: &Place, json: bool) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = listed(&session).await;
    session.close().await;
    let all = result?;
    if json {
        let rows: Vec<_> = all
            .iter()
            .map(|one| {
                json!({"id": one.id, "at": one.at, "seconds": one.seconds, "heard": one.heard,
                       "file": one.files.first()})
            })
            .collect();
        print::line(&json!(rows).to_string());
        return Ok(Exit::Done);
    }
    if all.is_empty() {
        eprintln!("there are no recordings");
        return Ok(Exit::Nothing);
    }
    for one in &all {
        let at = one.at.to_zoned(TimeZone::system());
        let heard = one.heard.as_deref().map_or_else(
            || "(not sent)".to_owned(),
            |heard| format!("“{}”", print::clean(heard)),
        );
        print::line(&format!(
            "{}  {}  {:>5.1} s  {heard}",
            one.id,
            at.strftime("%Y-%m-%d %H:%M:%S"),
            one.seconds
        ));
    }
    Ok(Exit::Done)
}

/// Plays one, or the newest.
pub async fn replay(place: &Place, id: Option<&str>) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = listed(&session).await;
    session.close().await;
    let all = result?;
    let one = find(&all, id)?;
    let sound = wav::read(first(one)?)?;
    let heard = one.heard.as_deref().unwrap_or("not sent");
    eprintln!("{}: {}", one.id, print::clean(heard));
    tokio::task::spawn_blocking(move || speaker::play(&sound))
        .await
        .map_err(Problem::internal)??;
    Ok(Exit::Done)
}

fn first(one: &Recording) -> Result<&Path, Problem> {
    one.files
        .first()
        .map(PathBuf::as_path)
        .ok_or_else(|| Problem::not_found(format!("{} has no file", one.id)))
}

/// Deletes some, or all.
pub async fn delete(place: &Place, ids: &[String], everything: bool) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = listed(&session).await;
    session.close().await;
    let all = result?;
    let chosen: Vec<&Recording> = if everything {
        all.iter().collect()
    } else {
        ids.iter()
            .map(|id| find(&all, Some(id)))
            .collect::<Result<_, _>>()?
    };
    for one in &chosen {
        for file in &one.files {
            std::fs::remove_file(file).map_err(|error| {
                Problem::internal(format!("cannot delete {}: {error}", file.display()))
            })?;
        }
    }
    eprintln!("{} recordings deleted", chosen.len());
    Ok(if chosen.is_empty() {
        Exit::Nothing
    } else {
        Exit::Done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_that_became_an_instruction_is_one_recording() {
        let folder = tempfile::tempdir().unwrap();
        let project = ProjectPaths {
            dir: folder.path().to_owned(),
        };
        let (sent, clips) = (project.recordings(), project.recordings().join(CLIPS));
        std::fs::create_dir_all(&clips).unwrap();
        wav::write(&sent.join("ins_1.wav"), &[0.5; 16_000]).unwrap();
        wav::write(&clips.join("clip-a.wav"), &[0.5; 16_000]).unwrap();
        wav::write(&clips.join("clip-b.wav"), &[0.1; 8_000]).unwrap();
        let heard = HashMap::from([("ins_1".to_owned(), "Commit that.".to_owned())]);
        let all = all(&project, &heard).unwrap();
        assert_eq!(all.len(), 2);
        let one = find(&all, Some("ins_1")).unwrap();
        assert_eq!(one.heard.as_deref(), Some("Commit that."));
        assert_eq!((one.files.len(), one.seconds), (2, 1.0));
        assert_eq!(find(&all, Some("clip-")).unwrap().seconds, 0.5);
        assert!(find(&all, Some("nothing")).unwrap_err().is("not-found"));
        assert!(find(&all, None).is_ok());
        assert!(find(&[], None).unwrap_err().is("not-found"));
    }
}
