//! Tokens as they are asked for, told and listed. A token itself is told once, to who made it; it is never stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Role;
use super::problem::Problem;

/// Seconds that a token may last at most.
pub const LONGEST: u64 = 366 * 24 * 3600;

/// Rooms that a token names at most.
const MOST_ROOMS: usize = 64;

/// Names that events have for the program itself, and for none of the people.
const OURS: [&str; 3] = ["sayso", "person", "another sayso"];

/// `POST /api/tokens`: make one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// Whose it is: the name that events tell.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// The project that it is for; absent: the one that is asked. Another one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Other roles in rooms, by the room's name; a name that ends with `*` stands for all that begin so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rooms: BTreeMap<String, Role>,
    /// Seconds until it ends; absent: thirty days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

impl CreateToken {
    /// The name as it is stored, after everything that is asked for was looked at.
    ///
    /// # Errors
    /// `invalid`.
    pub fn checked(&self) -> Result<String, Problem> {
        let invalid =
            |detail: String, hint: &str| Err(Problem::new(422, "invalid", detail).hint(hint));
        let words: Vec<&str> = self.name.split_whitespace().collect();
        let name = words.join(" ");
        if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
            return invalid(
                "a name has 1 to 64 visible characters".to_owned(),
                "name the person (or the machine) whose token it is",
            );
        }
        if OURS.contains(&name.to_lowercase().as_str()) {
            return invalid(
                format!("{name:?} is what events call the program itself"),
                "name the person (or the machine) whose token it is",
            );
        }
        if self
            .expires_in
            .is_some_and(|seconds| !(1..=LONGEST).contains(&seconds))
        {
            return invalid(
                "a token lasts from one second to 366 days".to_owned(),
                "say how long: --expires 30d",
            );
        }
        if self.rooms.len() > MOST_ROOMS {
            return invalid(
                format!("a token names at most {MOST_ROOMS} rooms"),
                "a name with * at its end stands for all rooms that begin so: proposal:*",
            );
        }
        for room in self.rooms.keys() {
            let plain = room.strip_suffix('*').unwrap_or(room);
            let fits = |c: char| c.is_alphanumeric() || ":_-. ".contains(c);
            if room.is_empty() || room.len() > 128 || !plain.chars().all(fits) {
                return invalid(
                    format!("{room:?} is no name of a room"),
                    "rooms are called project:NAME and proposal:ID; * at the end stands for all that begin so",
                );
            }
        }
        Ok(name)
    }
}

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// The project that it is for.
    pub project: String,
    /// Other roles in rooms.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rooms: BTreeMap<String, Role>,
    /// The key that it is signed with.
    pub key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Who revoked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_by: Option<String>,
}

impl TokenInfo {
    /// The kind that tokens are stored under.
    pub const KIND: &'static str = "token";

    /// True when it lets nobody in any more.
    pub fn over(&self, now: Timestamp) -> bool {
        self.revoked_at.is_some() || self.expires_at <= now
    }

    /// How it stands, in one word.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match (self.revoked_at, self.expires_at <= now) {
            (Some(_), _) => "revoked",
            (None, true) => "ended",
            (None, false) => "valid",
        }
    }
}

/// The answer to [`CreateToken`], the only one that ever holds the token.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreatedToken {
    /// The token.
    pub token: String,
    /// What is known of it.
    #[serde(flatten)]
    pub info: TokenInfo,
}

impl std::fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the token: it must not reach a log by way of `{:?}`.
        f.debug_struct("CreatedToken")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

/// `POST /api/tokens/rotate`: a new key signs from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// Revoke the tokens that the older keys signed.
    #[serde(default)]
    pub revoke: bool,
}

/// A key, without what is secret about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyInfo {
    /// Its id, as tokens name it (`kid`).
    pub id: String,
    /// Its algorithm: `EdDSA` or `HS256`.
    pub alg: String,
    /// True for the one that signs.
    pub signs: bool,
    /// When it was made; absent for a secret that the operator gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Since when it signs no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
    /// Its public half, in base64url (`x` of a JWK); absent for a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// How many valid tokens it has signed.
    pub tokens: usize,
}

/// The answer to [`Rotate`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// The key that signs now.
    pub key: KeyInfo,
    /// Ids of the tokens that were revoked.
    pub revoked: Vec<String>,
}

/// A request that changed something, or tried to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Counts up; no number is given twice.
    pub id: u64,
    /// When it was answered.
    pub at: Timestamp,
    /// Who asked; absent when nobody was let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The token's id; absent for the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Its role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The address that it came from.
    pub address: String,
    /// The method.
    pub method: String,
    /// The route of the table; empty when there is none.
    pub route: String,
    /// The path that was asked for.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}

/// `GET /api/audit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<AuditEntry>,
    /// What to pass as `before` for older ones; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// `GET /api/me`: who the caller is, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The name, as events tell it.
    pub actor: String,
    /// What the caller may do.
    pub role: Role,
    /// The project.
    pub project: String,
    /// The token's id; absent for the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Other roles in rooms.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rooms: BTreeMap<String, Role>,
    /// When the token ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// Where the interface of the project `name` is, from the root of its server.
pub fn project_path(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let plain: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    // Dots alone would be taken for a way.
    let plain = match plain.trim_matches('.') {
        "" => "site",
        _ => plain.as_str(),
    };
    format!("/projects/{plain}/")
}

/// A project that a server serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectInfo {
    /// Its name.
    pub name: String,
    /// Where its interface is, from the root of the server: `/projects/site/`.
    pub path: String,
    /// What the caller may do there.
    pub role: Role,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str) -> CreateToken {
        CreateToken {
            name: name.to_owned(),
            role: Role::Author,
            project: None,
            rooms: BTreeMap::new(),
            expires_in: None,
        }
    }

    #[test]
    fn a_token_is_asked_for_in_bounds() {
        assert_eq!(
            asked("  Ada   Lovelace ").checked().unwrap(),
            "Ada Lovelace"
        );
        for name in [
            "",
            " ",
            "a\u{1b}[31m",
            "Sayso",
            "another sayso",
            &"x".repeat(65),
        ] {
            assert_eq!(asked(name).checked().unwrap_err().status, 422, "{name:?}");
        }
        for (seconds, good) in [(0, false), (1, true), (LONGEST, true), (LONGEST + 1, false)] {
            let mut create = asked("ada");
            create.expires_in = Some(seconds);
            assert_eq!(create.checked().is_ok(), good, "{seconds}");
        }
        for (room, good) in [
            ("proposal:*", true),
            ("project:My site", true),
            ("*", true),
            ("", false),
            ("a*b", false),
            ("a/b", false),
        ] {
            let mut create = asked("ada");
            create.rooms.insert(room.to_owned(), Role::Author);
            assert_eq!(create.checked().is_ok(), good, "{room:?}");
        }
    }

    #[test]
    fn a_projects_address_is_plain() {
        for (name, path) in [
            ("site", "/projects/site/"),
            ("My site.v2", "/projects/My-site.v2/"),
            ("a/../b", "/projects/a-..-b/"),
            ("..", "/projects/site/"),
            ("{id}", "/projects/-id-/"),
        ] {
            assert_eq!(project_path(name), path);
        }
    }

    #[test]
    fn a_made_token_is_not_in_what_is_logged() {
        let info = TokenInfo {
            id: "tok_1".into(),
            name: "ada".into(),
            role: Role::Author,
            project: "site".into(),
            rooms: BTreeMap::new(),
            key: "key-1".into(),
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "grace".into(),
            expires_at: Timestamp::UNIX_EPOCH,
            revoked_at: None,
            revoked_by: None,
        };
        let created = CreatedToken {
            token: "secret".into(),
            info,
        };
        assert!(!format!("{created:?}").contains("secret"));
        assert_eq!(created.info.state(Timestamp::MIN), "valid");
        assert_eq!(created.info.state(Timestamp::UNIX_EPOCH), "ended");
    }
}
