//! Who may do what: roles, and what a request's token says about its bearer.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// What a bearer may do; each role may all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees everything, is seen in rooms, changes nothing.
    Viewer,
    /// Gives instructions, edits and comments proposals, approves them up to a commit.
    Author,
    /// Deploys, promotes, goes back, says yes to a deployment that waits.
    Deployer,
    /// Makes and revokes tokens.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Author, Self::Deployer, Self::Admin];

    /// The word for it, as in tokens and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Author => "author",
            Self::Deployer => "deployer",
            Self::Admin => "admin",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a role: viewer, author, deployer or admin"))
    }
}

/// The bearer of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name, as events tell it.
    pub actor: String,
    /// What the bearer may do.
    pub role: Role,
    /// The token's id; `None` for the one that the server itself made at its start.
    pub token: Option<String>,
    /// Other roles in rooms, by the room's name; a name that ends with `*` stands for all that begin so.
    pub rooms: BTreeMap<String, Role>,
    /// When the token ends.
    pub expires: Option<Timestamp>,
}

impl Identity {
    /// The person whose server it is: everything is allowed.
    pub fn owner(actor: impl Into<String>) -> Self {
        Self {
            actor: actor.into(),
            role: Role::Admin,
            token: None,
            rooms: BTreeMap::new(),
            expires: None,
        }
    }

    /// The role in `room`: the longest name that fits counts, else the role of the token.
    pub fn role_in(&self, room: &str) -> Role {
        let fits = |name: &str| match name.strip_suffix('*') {
            Some(begin) => room.starts_with(begin),
            None => name == room,
        };
        self.rooms
            .iter()
            .filter(|(name, _)| fits(name))
            .max_by_key(|(name, _)| (name.trim_end_matches('*').len(), !name.ends_with('*')))
            .map_or(self.role, |(_, role)| *role)
    }

    /// Refuses `what` to who has less than `needed`.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may(&self, needed: Role, what: &str) -> Result<(), Problem> {
        self.checked(self.role, needed, what)
    }

    /// The same with the role in `room`.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may_in(&self, room: &str, needed: Role, what: &str) -> Result<(), Problem> {
        self.checked(self.role_in(room), needed, what)
    }

    fn checked(&self, has: Role, needed: Role, what: &str) -> Result<(), Problem> {
        if has >= needed {
            return Ok(());
        }
        let name = &self.actor;
        Err(Problem::new(
            403,
            "forbidden",
            format!("{what} needs the role {needed}; {name} has {has} here"),
        )
        .hint(format!(
            "ask somebody with that role to do it, or an admin for another token: \
             sayso token create --role {needed} --name {name:?}"
        )))
    }

    /// What is stored of it with something that goes on by itself; `None` for the owner.
    pub fn bearer(&self) -> Option<Bearer> {
        Some(Bearer {
            token: self.token.clone()?,
            role: self.role,
            rooms: self.rooms.clone(),
        })
    }
}

/// The room of a proposal: the one that its document is in, and whose roles count for all that is done with it.
pub fn proposal_room(id: &str) -> String {
    format!("proposal:{id}")
}

/// The token behind something that goes on by itself, and how far that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bearer {
    /// The token's id.
    pub token: String,
    /// Its role.
    pub role: Role,
    /// Other roles in rooms.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rooms: BTreeMap<String, Role>,
}

impl Bearer {
    /// The identity of `actor` with this token.
    pub fn identity(&self, actor: &str) -> Identity {
        Identity {
            actor: actor.to_owned(),
            role: self.role,
            token: Some(self.token.clone()),
            rooms: self.rooms.clone(),
            expires: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_is_more_than_the_one_before_it() {
        assert!(Role::ALL.is_sorted());
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }

    #[test]
    fn the_longest_name_of_a_room_counts() {
        let mut ada = Identity::owner("ada");
        ada.role = Role::Viewer;
        ada.rooms = BTreeMap::from([
            ("proposal:*".into(), Role::Author),
            ("proposal:p1".into(), Role::Viewer),
        ]);
        assert_eq!(ada.role_in("proposal:p2"), Role::Author);
        assert_eq!(ada.role_in("proposal:p1"), Role::Viewer);
        assert_eq!(ada.role_in("project:site"), Role::Viewer);
        assert!(ada.may_in("proposal:p2", Role::Author, "editing").is_ok());
        let refused = ada.may_in("proposal:p1", Role::Author, "editing");
        let refused = refused.unwrap_err();
        assert_eq!(refused.status, 403);
        assert_eq!(
            refused.detail,
            "editing needs the role author; ada has viewer here"
        );
        assert!(refused.hint.unwrap().contains("--role author"));
    }

    #[test]
    fn what_is_stored_of_a_bearer_gives_the_same_rights() {
        assert_eq!(Identity::owner("ada").bearer(), None);
        let mut bob = Identity::owner("bob");
        bob.token = Some("tok_1".into());
        bob.role = Role::Author;
        bob.rooms = BTreeMap::from([("proposal:*".into(), Role::Deployer)]);
        assert_eq!(bob.bearer().unwrap().identity("bob"), bob);
    }
}
