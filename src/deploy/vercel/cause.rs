//! What a failure usually means, and what to do next. Pure.

use super::seen::BuildError;
use crate::deploy::remote::api::Refused;
use crate::deploy::remote::usual;

/// What to do about a refused call.
pub(super) fn hint(refused: &Refused) -> String {
    let code = refused.code.as_str();
    let text = match (refused.status, code) {
        (_, "builds_rate_limited") => {
            "the plan's builds are used up for now: wait, or deploy fewer times"
        }
        (_, "rate_limited") | (429, _) => "too many calls: wait some minutes, then try again",
        (401, _) => {
            "the token is not accepted: make a new one at vercel.com/account/tokens and set VERCEL_TOKEN"
        }
        (_, "forbidden") | (403, _) => {
            "the token may not do this: check VERCEL_ORG_ID (team_…) and that the token's scope covers that team and project"
        }
        (402, _) => {
            "the plan does not allow this: Hobby, for example, goes back only to the release just before"
        }
        (404, _) => {
            "check VERCEL_PROJECT_ID and VERCEL_ORG_ID: what the token may not see is not found either"
        }
        (409, _) => {
            "something else moves traffic now: look at the project on Vercel, then try again"
        }
        (413, _) | (_, "too_many_files") => {
            "the site is too large to be sent: leave files out with .vercelignore, or set source = \"git\""
        }
        (_, "missing_project_settings") => {
            "open the project once on Vercel and choose its framework"
        }
        (_, "cert_missing") => {
            "the domain has no certificate yet: look at the project's domains on Vercel"
        }
        _ if code.starts_with("domain_") => "look at the project's domains on Vercel",
        _ if code.starts_with("api-upload-") => {
            "a file could not be taken: try again; source = \"git\" does without uploads"
        }
        (500.., _) => "Vercel itself failed: vercel-status.com tells more; try again",
        _ => "see what Vercel's dashboard says about the project",
    };
    text.to_owned()
}

/// What a failed build usually means: from Vercel's code and from the last lines of its log.
pub(super) fn usual<'a>(error: &BuildError, log: impl Iterator<Item = &'a str>) -> String {
    /// Signs that mean something on Vercel, in lower case, before those that mean the same everywhere.
    const SIGNS: [usual::Sign; 4] = [
        (
            "no output directory",
            "the build wrote its result elsewhere: set the project's Output Directory on Vercel",
        ),
        (
            "serverless functions",
            "the plan's number of functions is used up (Hobby: 12): merge some, or change the plan",
        ),
        (
            "root directory",
            "the project's Root Directory on Vercel does not exist in this commit",
        ),
        (
            "timed out",
            "the build took longer than Vercel allows (45 min)",
        ),
    ];
    let said = format!("{} {}", error.code, error.message);
    let lines = std::iter::once(said).chain(log.map(str::to_owned));
    usual::cause(&SIGNS, lines)
        .unwrap_or("read the last lines of its log; the old release still serves")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_build_names_the_usual_cause() {
        let none = BuildError::default();
        let log = ["> next build", "Module not found: Can't resolve './Hero'"];
        assert!(usual(&none, log.into_iter()).contains("upper and lower case"));
        let error = BuildError {
            message: "No Output Directory named \"public\" found".into(),
            ..none.clone()
        };
        assert!(usual(&error, [].into_iter()).contains("Output Directory"));
        assert!(usual(&none, ["x"].into_iter()).contains("last lines"));
    }

    #[test]
    fn refusals_say_what_to_do() {
        let no = |status, code: &str| {
            hint(&Refused {
                status,
                code: code.into(),
                message: String::new(),
                wait: None,
                body: serde_json::Value::Null,
            })
        };
        assert!(no(401, "").contains("VERCEL_TOKEN"));
        assert!(no(403, "forbidden").contains("VERCEL_ORG_ID"));
        assert!(no(403, "builds_rate_limited").contains("builds"));
        assert!(no(502, "").contains("vercel-status.com"));
        assert!(no(400, "domain_x").contains("domains"));
    }
}
