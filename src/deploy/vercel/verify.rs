//! Whether visitors get the new release: our own probe of the live address.
//!
//! Vercel puts no deployment id into a site's answers, so "the new release answers" is told by three signs, and one of
//! them must be there besides a good answer:
//! 1. the page equals that of the deployment's own, immutable address;
//! 2. the page is another one than before the deployment;
//! 3. `GET /v13/deployments/{host}` says that the address is this deployment's. It alone decides where pages cannot be
//!    compared (the deployment's own address is protected, or the page is made anew at each request).
//!
//! When Vercel says that the address is another deployment's, no page can outweigh that.

use std::time::{Duration, Instant};

use super::Inner;
use super::seen::{Seen, address, best_alias};
use crate::deploy::DeployFailure;
use crate::deploy::remote::probe::Look;
use crate::deploy::remote::track::Track;
use crate::model::Stage;

/// The first pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest.
const LONGEST: Duration = Duration::from_secs(2);

/// What is known besides a good answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Signs<'a> {
    /// The page of the deployment's own address.
    own: Option<&'a str>,
    /// The page before the deployment; `Some(None)` when there was none.
    before: Option<Option<&'a str>>,
    /// Whose the address is, as Vercel says: ours, or another deployment's.
    owner: Option<Result<(), &'a str>>,
}

/// Whether `page`, a good answer, comes from the new release; the error says why that is not known.
fn shows(page: Option<&str>, signs: &Signs<'_>) -> Result<(), String> {
    if let Some(Err(other)) = signs.owner {
        return Err(format!("the address still leads to {other}"));
    }
    if signs.own.is_some() && page == signs.own {
        return Ok(());
    }
    if signs.before.is_some_and(|before| before != page) || signs.owner == Some(Ok(())) {
        return Ok(());
    }
    Err("it answers well, but nothing shows that the new release answers".to_owned())
}

impl Inner {
    /// Returns the live address once it serves `seen`.
    pub(super) async fn verify(
        &self,
        seen: &Seen,
        before: Option<&Look>,
        track: &mut Track,
    ) -> Result<String, DeployFailure> {
        let own = address(&seen.url);
        let url = match (&self.options.url, self.production()) {
            (Some(url), _) => url.clone(),
            (None, true) => {
                best_alias(&seen.aliases).map_or_else(|| own.clone(), |alias| address(alias))
            }
            (None, false) => own.clone(),
        };
        track.enter(Stage::Verify, format!("asks {url} for the new release"));
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default().to_owned();
        // A preview's own address can serve nothing else.
        let immutable = url == own;
        let own_page = async {
            if immutable {
                return None;
            }
            let look = self.probe.look(&own).await;
            look.page.filter(|_| look.probe.ok)
        };
        let owner = async {
            if immutable {
                return Some(Ok(()));
            }
            self.owner(&host, seen).await
        };
        let (mut look, own_page, mut owner) = tokio::join!(self.probe.look(&url), own_page, owner);
        let began = Instant::now();
        let mut pause = PAUSE;
        loop {
            let signs = Signs {
                own: own_page.as_deref(),
                before: before.map(|look| look.page.as_deref().filter(|_| look.probe.ok)),
                owner: owner
                    .as_ref()
                    .map(|owner| owner.as_ref().copied().map_err(String::as_str)),
            };
            // Vercel itself answers for a protected preview: it is there, and nobody may look inside.
            let protected = immutable && !self.production() && look.probe.status == 401;
            if look.probe.ok
                && let Err(why) = shows(look.page.as_deref(), &signs)
            {
                look.probe.ok = false;
                look.probe.message = why;
            }
            track.health(&look.probe);
            if protected {
                track.notice(format!(
                    "{url} is protected, so Sayso could not look at it; VERCEL_AUTOMATION_BYPASS_SECRET lets it in"
                ));
                return Ok(url);
            }
            if look.probe.ok {
                let same = before.is_some_and(|before| before.page == look.page);
                if same {
                    track.log("the page is the same as before; Vercel says that the address is this deployment's");
                }
                return Ok(url);
            }
            if began.elapsed() + pause > self.options.health.deadline {
                return Err(self.unwell(&url, &look, track));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
            if owner.as_ref().is_none_or(Result::is_err) && !immutable {
                let (now, whose) = tokio::join!(self.probe.look(&url), self.owner(&host, seen));
                look = now;
                owner = whose;
            } else {
                look = self.probe.look(&url).await;
            }
        }
    }

    /// Whose an address is; `None` when Vercel does not say.
    async fn owner(&self, host: &str, seen: &Seen) -> Option<Result<(), String>> {
        let at = self.deployment(host).await.ok()?;
        Some(if at.id == seen.id { Ok(()) } else { Err(at.id) })
    }

    fn unwell(&self, url: &str, look: &Look, track: &Track) -> DeployFailure {
        let hint = match look.probe.status {
            404 => {
                "usually the Root Directory or the Output Directory of the project on Vercel is wrong, so nothing was built; \
                 `sayso rollback` brings the release before it back"
            }
            401 | 403 => {
                "the address is protected: VERCEL_AUTOMATION_BYPASS_SECRET lets Sayso look at it"
            }
            _ => "open the address; `sayso rollback` brings the release before it back",
        };
        track.failure(
            format!(
                "Vercel says that it is live, but {url} says otherwise: {}",
                look.probe.message
            ),
            hint,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_answer_needs_a_sign_of_the_new_release() {
        let none = Signs::default();
        assert!(shows(Some("a"), &none).is_err());
        let own = Signs {
            own: Some("a"),
            ..Signs::default()
        };
        assert!(shows(Some("a"), &own).is_ok());
        assert!(shows(Some("b"), &own).is_err());
        let before = Signs {
            before: Some(Some("a")),
            ..Signs::default()
        };
        assert!(shows(Some("b"), &before).is_ok(), "it changed");
        assert!(shows(Some("a"), &before).is_err(), "it is the old page");
        let first = Signs {
            before: Some(None),
            ..Signs::default()
        };
        assert!(shows(Some("a"), &first).is_ok(), "there was none before");
        let ours = Signs {
            before: Some(Some("a")),
            owner: Some(Ok(())),
            ..Signs::default()
        };
        assert!(
            shows(Some("a"), &ours).is_ok(),
            "the same page in a new release"
        );
        let other = Signs {
            own: Some("a"),
            owner: Some(Err("dpl_2")),
            ..Signs::default()
        };
        assert!(shows(Some("a"), &other).unwrap_err().contains("dpl_2"));
    }
}
