//! The bytes of a commit from what GitHub tells of it, so that a clone can have it without a fetch.
//!
//! GitHub tells times in UTC, whatever zone the commit has, and trims messages for some. The id says which bytes it
//! was: every way that makes sense is tried, and without a match nothing is made up.

use jiff::Timestamp;
use sha1::{Digest, Sha1};

use super::data::{CommitInfo, NewCommit, Person};
use crate::model::Problem;

/// The raw bytes whose id is the commit's; `None` when they cannot be told from this.
pub fn bytes(commit: &CommitInfo) -> Option<Vec<u8>> {
    if let (Some(payload), Some(signature)) = (&commit.payload, &commit.signature) {
        return [payload.clone(), payload.trim_end_matches('\n').to_owned()]
            .iter()
            .flat_map(|payload| signed(payload, signature))
            .find(|raw| id(raw) == commit.sha);
    }
    let head = |author_zone: &str, committer_zone: &str| {
        let mut head = format!("tree {}\n", commit.tree);
        for parent in &commit.parents {
            head.push_str(&format!("parent {parent}\n"));
        }
        let line = |word: &str, person: &Person, zone: &str| {
            let seconds = person.date.parse::<Timestamp>().ok()?.as_second();
            Some(format!(
                "{word} {} <{}> {seconds} {zone}\n",
                person.name, person.email
            ))
        };
        head.push_str(&line("author", &commit.author, author_zone)?);
        head.push_str(&line("committer", &commit.committer, committer_zone)?);
        head.push('\n');
        Some(head)
    };
    let trimmed = commit.message.trim_end_matches('\n');
    let messages = [
        commit.message.clone(),
        format!("{trimmed}\n"),
        trimmed.to_owned(),
    ];
    let zones = zones();
    // Both times of most commits are of one clock; a merge on GitHub's page has its own for the second.
    let pairs = zones
        .iter()
        .map(|zone| (zone.as_str(), zone.as_str()))
        .chain(zones.iter().map(|zone| (zone.as_str(), "+0000")));
    for (author, committer) in pairs {
        let head = head(author, committer)?;
        for message in &messages {
            let raw = format!("{head}{message}").into_bytes();
            if id(&raw) == commit.sha {
                return Some(raw);
            }
        }
    }
    None
}

/// A signed commit: the signature stands in the header, each of its lines but the first with a blank in front.
fn signed(payload: &str, signature: &str) -> Vec<Vec<u8>> {
    let Some((head, message)) = payload.split_once("\n\n") else {
        return Vec::new();
    };
    [
        signature.trim_end_matches('\n').to_owned(),
        format!("{}\n", signature.trim_end_matches('\n')),
    ]
    .iter()
    .map(|signature| {
        let folded = signature.replace('\n', "\n ");
        format!("{head}\ngpgsig {folded}\n\n{message}").into_bytes()
    })
    .collect()
}

/// Every zone there is, the usual one first.
fn zones() -> Vec<String> {
    let mut zones = vec!["+0000".to_owned()];
    for quarter in -48_i32..=56 {
        let (sign, minutes) = (if quarter < 0 { '-' } else { '+' }, quarter.abs() * 15);
        zones.push(format!("{sign}{:02}{:02}", minutes / 60, minutes % 60));
    }
    zones
}

fn id(raw: &[u8]) -> String {
    let mut hasher = Sha1::new();
    hasher.update(format!("commit {}\0", raw.len()));
    hasher.update(raw);
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A commit that was made here, as a request for the same one there.
///
/// # Errors
/// When the commit is not of the form that requests have.
pub fn request(raw: &[u8]) -> Result<NewCommit, Problem> {
    let odd = || Problem::internal("the commit that git made cannot be read");
    let text = std::str::from_utf8(raw).map_err(|_| odd())?;
    let (head, message) = text.split_once("\n\n").ok_or_else(odd)?;
    let mut commit = NewCommit {
        message: message.to_owned(),
        ..NewCommit::default()
    };
    let mut signature: Option<String> = None;
    let mut in_signature = false;
    for line in head.lines() {
        if let Some(more) = line.strip_prefix(' ') {
            if let (true, Some(signature)) = (in_signature, signature.as_mut()) {
                signature.push('\n');
                signature.push_str(more);
            }
            continue;
        }
        let (word, value) = line.split_once(' ').ok_or_else(odd)?;
        in_signature = word == "gpgsig";
        match word {
            "tree" => value.clone_into(&mut commit.tree),
            "parent" => value.clone_into(&mut commit.parent),
            "author" => commit.author = Some(person(value).ok_or_else(odd)?),
            "committer" => commit.committer = Some(person(value).ok_or_else(odd)?),
            "gpgsig" => signature = Some(value.to_owned()),
            _ => {}
        }
    }
    commit.signature = signature;
    Ok(commit)
}

/// `Name <mail> seconds zone` with its time in its own zone.
fn person(line: &str) -> Option<Person> {
    let (name, rest) = line.split_once(" <")?;
    let (email, time) = rest.rsplit_once("> ")?;
    let (seconds, zone) = time.split_once(' ')?;
    let seconds: i64 = seconds.parse().ok()?;
    let (hours, minutes) = (
        zone.get(1..3)?.parse::<i64>().ok()?,
        zone.get(3..5)?.parse::<i64>().ok()?,
    );
    let shift = (hours * 60 + minutes) * 60 * if zone.starts_with('-') { -1 } else { 1 };
    let local = Timestamp::from_second(seconds.checked_add(shift)?)
        .ok()?
        .to_string();
    let zone = if shift == 0 {
        "Z".to_owned()
    } else {
        format!("{}:{}", zone.get(..3)?, zone.get(3..5)?)
    };
    Some(Person {
        name: name.to_owned(),
        email: email.to_owned(),
        date: format!("{}{zone}", local.strip_suffix('Z')?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
         parent ce013625030ba8dba906f756967f9e9ca394464a\n\
         author Ada Lovelace <ada@example.com> 1767323045 +0230\n\
         committer Ada Lovelace <ada@example.com> 1767323045 +0230\n\n\
         Change the headline\n";

    fn told(raw: &str) -> CommitInfo {
        let person = Person {
            name: "Ada Lovelace".into(),
            email: "ada@example.com".into(),
            date: "2026-01-02T03:04:05Z".into(),
        };
        CommitInfo {
            sha: id(raw.as_bytes()),
            tree: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".into(),
            parents: vec!["ce013625030ba8dba906f756967f9e9ca394464a".into()],
            message: "Change the headline".into(),
            author: person.clone(),
            committer: person,
            payload: None,
            signature: None,
        }
    }

    #[test]
    fn the_zone_and_the_last_line_feed_are_found_again() {
        assert_eq!(bytes(&told(RAW)).unwrap(), RAW.as_bytes());
        let bare = RAW.trim_end();
        assert_eq!(bytes(&told(bare)).unwrap(), bare.as_bytes());
        let mut other = told(RAW);
        other.message = "Something else".into();
        assert_eq!(bytes(&other), None);
    }

    #[test]
    fn a_signed_commit_is_put_together_again() {
        let signature = "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----";
        let (head, message) = RAW.split_once("\n\n").unwrap();
        let raw = format!(
            "{head}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n\n{message}"
        );
        let mut commit = told(RAW);
        commit.sha = id(raw.as_bytes());
        commit.payload = Some(RAW.into());
        commit.signature = Some(signature.into());
        assert_eq!(bytes(&commit).unwrap(), raw.as_bytes());
        assert_eq!(
            request(raw.as_bytes()).unwrap().signature.as_deref(),
            Some(signature)
        );
    }

    #[test]
    fn a_commit_becomes_a_request_with_its_own_times() {
        let commit = request(RAW.as_bytes()).unwrap();
        assert_eq!(commit.message, "Change the headline\n");
        assert_eq!(commit.parent, "ce013625030ba8dba906f756967f9e9ca394464a");
        let author = commit.author.unwrap();
        assert_eq!(author.name, "Ada Lovelace");
        assert_eq!(author.date, "2026-01-02T05:34:05+02:30");
    }
}
