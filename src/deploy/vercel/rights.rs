//! What a token may do on Vercel, for the check-up: whose it is, what it reaches, and whether the project is among that.

use jiff::Timestamp;
use serde_json::Value;

use super::VercelOptions;
use super::alias::is_pinned;
use super::cause::hint;
use crate::deploy::remote::api::{Api, Call, Fault};
use crate::model::Problem;

/// What a token reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole account, with its teams.
    Account,
    /// One team, by its id.
    Team(String),
}

/// What Vercel says of a token and of the project that is deployed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Whose token it is.
    pub login: String,
    /// What it reaches; `None` when Vercel does not say.
    pub scopes: Option<Vec<Scope>>,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// The team that the project is in; `None` for the account's own.
    pub team: Option<String>,
    /// The project's name; the error says why it cannot be seen.
    pub project: Result<String, String>,
    /// Production is pinned: new deployments do not go live.
    pub pinned: bool,
}

impl Default for Rights {
    fn default() -> Self {
        Self {
            login: String::new(),
            scopes: None,
            expires: None,
            team: None,
            project: Ok(String::new()),
            pinned: false,
        }
    }
}

impl Rights {
    /// What the token would have to reach and does not; `None` when nothing is lacking, or Vercel does not say.
    pub fn lacking(&self) -> Option<String> {
        let scopes = self.scopes.as_ref()?;
        if scopes.contains(&Scope::Account) {
            return None;
        }
        match &self.team {
            Some(team) if scopes.contains(&Scope::Team(team.clone())) => None,
            Some(team) => Some(format!("the team {team}")),
            None => Some("the account that the project is in".to_owned()),
        }
    }
}

/// Asks Vercel whose token this is, what it reaches, and for the project.
///
/// # Errors
/// When there is no token, it is not accepted, or Vercel cannot be asked.
pub async fn rights(options: &VercelOptions) -> Result<Rights, Problem> {
    let none = reqwest::header::HeaderMap::new();
    let (base, token) = (options.base.clone(), options.token.clone());
    let api = Api::new("Vercel", base, token, none, options.pace)?;
    let user = api
        .once(&Call::get(&["v2", "user"]))
        .await
        .map_err(|fault| fault.problem("Vercel does not say whose token it is", &hint))?;
    // A token of an integration cannot ask about itself: then its reach is not known.
    let token = api
        .once(&Call::get(&["v5", "user", "tokens", "current"]))
        .await
        .map_or(Value::Null, |answer| answer.body["token"].clone());
    let mut call = Call::get(&["v9", "projects", &options.project]);
    if let Some(team) = &options.team {
        call = call.with("teamId", team.clone());
    }
    let project = match api.once(&call).await {
        Ok(answer) => Ok(answer.body),
        Err(Fault::Refused(no)) => Err(format!("{}; {}", no.text(), hint(&no))),
        Err(fault) => return Err(fault.problem("Vercel does not tell of the project", &hint)),
    };
    Ok(Rights {
        login: login(&user.body["user"]),
        scopes: scopes(&token),
        expires: token["expiresAt"]
            .as_i64()
            .and_then(|at| Timestamp::from_millisecond(at).ok()),
        team: options.team.clone(),
        pinned: project.as_ref().is_ok_and(is_pinned),
        project: project.map(|project| {
            let name = project["name"].as_str();
            name.unwrap_or(&options.project).to_owned()
        }),
    })
}

fn login(user: &Value) -> String {
    ["username", "email", "id"]
        .iter()
        .find_map(|key| user[*key].as_str().filter(|text| !text.is_empty()))
        .unwrap_or("somebody")
        .to_owned()
}

/// The scopes that still hold.
fn scopes(token: &Value) -> Option<Vec<Scope>> {
    let now = Timestamp::now().as_millisecond();
    let holds = |scope: &&Value| scope["expiresAt"].as_i64().is_none_or(|at| at > now);
    let scopes = token["scopes"].as_array()?.iter().filter(holds);
    let scope = |scope: &Value| match scope["type"].as_str()? {
        "user" => Some(Scope::Account),
        "team" => Some(Scope::Team(scope["teamId"].as_str()?.to_owned())),
        _ => None,
    };
    Some(scopes.filter_map(scope).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_token_lacks_is_told() {
        let with = |scopes: Value, team: Option<&str>| Rights {
            scopes: super::scopes(&json!({ "scopes": scopes })),
            team: team.map(str::to_owned),
            ..Rights::default()
        };
        let account = json!([{"type": "user", "createdAt": 1}]);
        assert_eq!(with(account.clone(), Some("team_a")).lacking(), None);
        assert_eq!(with(account, None).lacking(), None);
        let team = json!([{"type": "team", "teamId": "team_a", "createdAt": 1}]);
        assert_eq!(with(team.clone(), Some("team_a")).lacking(), None);
        let other = with(team.clone(), Some("team_b")).lacking().unwrap();
        assert!(other.contains("team_b"), "{other}");
        assert!(with(team, None).lacking().unwrap().contains("account"));
        // One that has run out is none, and what is not said is not lacking.
        let old = json!([{"type": "user", "createdAt": 1, "expiresAt": 2}]);
        assert!(with(old, None).lacking().is_some());
        assert_eq!(Rights::default().lacking(), None);
    }
}
