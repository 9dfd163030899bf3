//! Moves production's traffic without a build: promote, instant rollback, and the pin that a rollback leaves.
//!
//! Writes that move traffic take no "expected current". So the live state is read first, at most one write is sent, and
//! what became of it is read from the project's `lastAliasRequest`; an unclear outcome is told as unclear.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Inner;
use super::alias::{Move, Request, is_pinned};
use super::cause::hint;
use super::create::said;
use super::follow::End;
use super::seen::{META, META_COMMIT, Phase, Seen, address};
use crate::deploy::remote::api::{Call, Fault};
use crate::deploy::remote::memory::Known;
use crate::deploy::remote::track::Track;
use crate::deploy::{DeployFailure, Deployed, PromoteRequest};
use crate::model::{DeploymentId, LiveRelease, Problem, ReleaseId, Stage};

/// How often it is looked whether traffic has moved, as Vercel's own command line does.
const EVERY: Duration = Duration::from_millis(250);

/// For how long.
const MOVED_WITHIN: Duration = Duration::from_secs(3 * 60);

impl Inner {
    /// Whether production is pinned; `None` when Vercel does not say.
    pub(super) async fn pinned(&self) -> Option<bool> {
        self.project().await.ok().map(|project| is_pinned(&project))
    }

    /// Looks whether production is pinned, remembers it, and says it before anything is built.
    pub(super) async fn note_pin(&self, track: &mut Track) -> Result<(), DeployFailure> {
        let project = match self
            .read(Call::get(&["v9", "projects", &self.options.project]), track)
            .await
        {
            Ok(answer) => answer.body,
            // A project that is not there yet is made by its first deployment.
            Err(fault) if fault.refused().is_some_and(|no| no.status == 404) => return Ok(()),
            Err(fault) => {
                return Err(fault.failure(track, "the project on Vercel cannot be read", &hint));
            }
        };
        self.remember_pin(&project);
        if let Some(note) = self.memory.note() {
            track.notice(note);
        }
        Ok(())
    }

    fn remember_pin(&self, project: &Value) {
        let live = self
            .memory
            .current()
            .map_or(String::new(), |known| format!(" to {}", known.release));
        self.memory.set_note(is_pinned(project).then(|| {
            format!(
                "production is pinned{live} since a rollback: new deployments are built but do not go live until one is \
                 promoted (`sayso promote RELEASE`)"
            )
        }));
    }

    /// The end of a deployment that was built while production is pinned.
    pub(super) async fn staged(&self, seen: &Seen, track: &mut Track) -> DeployFailure {
        if let Ok(project) = self.project().await {
            self.remember_pin(&project);
        }
        track.failure(
            format!(
                "{} is built but not live: production is pinned since a rollback",
                seen.id
            ),
            format!("`sayso promote {}` makes it live and ends the pin", seen.id),
        )
    }

    /// Makes a built deployment live.
    pub(super) async fn promote(
        &self,
        request: PromoteRequest,
        track: &mut Track,
    ) -> Result<Deployed, DeployFailure> {
        let Some(release) = request.release else {
            return Err(track.failure(
                "it is not said which release is to be promoted",
                "name it: `sayso deployments` lists them",
            ));
        };
        track.enter(Stage::Fetch, format!("looks at {release}"));
        if !self.production() {
            return Err(track.failure(
                format!(
                    "{} is no production environment: nothing is promoted there",
                    self.options.environment
                ),
                "deploy to it instead",
            ));
        }
        let _turn = self.turn.lock().await;
        let answer = self
            .read(Call::get(&["v13", "deployments", release.as_str()]), track)
            .await
            .map_err(|fault| fault.failure(track, "the release cannot be read", &hint))?;
        let Some(seen) = Seen::read(&answer.body) else {
            return Err(track.failure(
                format!("Vercel knows no {release}"),
                "`sayso deployments` lists those there are",
            ));
        };
        if seen.phase != Phase::Ready {
            return Err(track.failure(
                format!("{release} is not built ({:?})", seen.phase),
                "promote one that is ready",
            ));
        }
        let before = match self.known_url() {
            Some(url) => Some(self.probe.look(&url).await),
            None => None,
        };
        track.check()?;
        let live = if seen.target == "production" {
            track.enter(Stage::Activate, format!("moves the traffic to {release}"));
            self.move_to(Move::Promote, &seen, track).await?;
            self.deployment(&seen.id).await.unwrap_or(seen)
        } else {
            // A preview was built with a preview's variables: like Vercel's own command line, it is built anew.
            track.log("it is a preview: Vercel builds it anew for production");
            self.build_again(&request.id, &seen, track).await?
        };
        let url = self.verify(&live, before.as_ref(), track).await?;
        let stages = track.stages();
        self.now_live(&live, &url, Some(request.id), stages.clone());
        if let Ok(project) = self.project().await {
            self.remember_pin(&project);
        }
        Ok(Deployed {
            release: ReleaseId::from(live.id.as_str()),
            url,
            stages,
        })
    }

    async fn build_again(
        &self,
        id: &DeploymentId,
        seen: &Seen,
        track: &mut Track,
    ) -> Result<Seen, DeployFailure> {
        let body = json!({
            "name": self.options.project,
            "project": self.options.project,
            "deploymentId": seen.id,
            "target": "production",
            "meta": { "action": "promote", META: id, META_COMMIT: seen.commit },
        });
        let call = self.call(Call::post(&["v13", "deployments"], body).with("forceNew", "1"));
        let cancel = track.cancel.clone();
        let sent = self
            .api
            .write(&call, &cancel, &mut |text| track.log(&text))
            .await;
        let created = match sent {
            Ok(answer) => Seen::read(&answer.body),
            Err(fault) if fault.is_unclear() => self.find(id).await.ok().flatten(),
            Err(fault) => {
                return Err(fault.failure(track, "Vercel did not take the promotion", &hint));
            }
        };
        let Some(created) = created else {
            return Err(track.unknown(
                "unknown whether Vercel took the promotion",
                "look at the project on Vercel before you promote again",
            ));
        };
        match self.follow(created, track).await? {
            End::Live(live) => Ok(live),
            End::Staged(staged) => {
                self.move_to(Move::Promote, &staged, track).await?;
                Ok(staged)
            }
        }
    }

    /// Sends one write, and reads what became of it.
    async fn move_to(
        &self,
        kind: Move,
        seen: &Seen,
        track: &mut Track,
    ) -> Result<(), DeployFailure> {
        let project = self.project().await.map_err(|fault| {
            fault.failure(
                track,
                "the project on Vercel cannot be read, so nothing was moved",
                &hint,
            )
        })?;
        let before = Request::read(&project);
        let version = if kind == Move::Promote { "v10" } else { "v1" };
        let mut call = Call::new(
            Method::POST,
            &[
                version,
                "projects",
                &self.options.project,
                kind.word(),
                &seen.id,
            ],
        );
        if kind == Move::Promote {
            call.body = crate::deploy::remote::api::Body::Json(json!({}));
        }
        let sent = Instant::now();
        let answer = self.ask(call).await;
        let unclear = match &answer {
            Ok(answer) => {
                if answer.status == 202 {
                    track.notice(
                        "Vercel put it behind a rolling release: its first stage goes first",
                    );
                }
                false
            }
            Err(fault) if fault.is_unclear() => {
                track.log(&format!(
                    "unknown whether Vercel took it ({}): looks at the project",
                    said(fault)
                ));
                true
            }
            Err(_) => false,
        };
        if let Err(fault) = answer
            && !unclear
        {
            let what = format!("Vercel did not take the {}", kind.word());
            return Err(fault.failure(track, &what, &hint));
        }
        let mut last = String::new();
        loop {
            let waited = sent.elapsed();
            match self.project().await {
                Ok(project) => {
                    let request = Request::read(&project);
                    if request.is(kind, &seen.id, &before) {
                        match request.status.as_str() {
                            "succeeded" => return Ok(()),
                            "failed" | "skipped" => {
                                return Err(self.not_moved(kind, &request, track).await);
                            }
                            word if word != last => {
                                track.log(&format!("Vercel moves the traffic ({word})"));
                                last = word.to_owned();
                            }
                            _ => {}
                        }
                    } else if unclear && waited > self.options.pace.failed * self.options.pace.looks
                    {
                        return Err(track.unknown(
                            format!("unknown whether Vercel took the {}: the project shows none", kind.word()),
                            "look at the project on Vercel before you try again: it is not sent a second time by itself",
                        ));
                    }
                }
                Err(fault) => track.log(&format!("{}; looks again", said(&fault))),
            }
            if waited > MOVED_WITHIN.min(self.options.time_limit) {
                return Err(track.unknown(
                    format!(
                        "unknown whether the traffic moved to {}: Vercel is not done with it",
                        seen.id
                    ),
                    "look at the project on Vercel",
                ));
            }
            tokio::time::sleep(EVERY.min(self.options.pace.poll)).await;
        }
    }

    async fn not_moved(&self, kind: Move, request: &Request, track: &Track) -> DeployFailure {
        let call = Call::get(&[
            "v1",
            "projects",
            &self.options.project,
            "promote",
            "aliases",
        ])
        .with("failedOnly", "true");
        let failed = match self.ask(call).await {
            Ok(answer) => answer.body["aliases"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|alias| alias["alias"].as_str().map(str::to_owned))
                .collect::<Vec<_>>()
                .join(", "),
            Err(_) => String::new(),
        };
        let which = if failed.is_empty() {
            String::new()
        } else {
            format!(" of {failed}")
        };
        track.failure(
            format!(
                "Vercel's {} to {} {}: the traffic{which} stays where it was",
                kind.word(),
                request.to,
                request.status
            ),
            "look at the project's domains on Vercel, then try again",
        )
    }

    /// Goes back to `to`, or to the production deployment before the live one.
    pub(super) async fn rollback(&self, to: Option<ReleaseId>) -> Result<LiveRelease, Problem> {
        if !self.production() {
            return Err(Problem::new(
                422,
                "no-rollback",
                format!(
                    "{} is no production environment: it has nothing to go back to",
                    self.options.environment
                ),
            )
            .hint("deploy an earlier commit to it"));
        }
        let _turn = self.turn.lock().await;
        let (reports, _) = mpsc::unbounded_channel();
        let mut track = Track::new(
            reports,
            CancellationToken::new(),
            self.options.secrets.clone(),
        );
        track.enter(Stage::Activate, "goes back");
        let seen = self.goal(to).await?;
        let before = match self.known_url() {
            Some(url) => Some(self.probe.look(&url).await),
            None => None,
        };
        let failed = |failure: DeployFailure| {
            let kind = if failure.unknown {
                "outcome-unknown"
            } else {
                "rollback-failed"
            };
            Problem::new(502, kind, failure.message).hint(failure.hint)
        };
        self.move_to(Move::Rollback, &seen, &mut track)
            .await
            .map_err(failed)?;
        let url = self
            .verify(&seen, before.as_ref(), &mut track)
            .await
            .map_err(failed)?;
        let ours = seen.ours.as_deref().map(DeploymentId::from);
        self.now_live(&seen, &url, ours, BTreeMap::new());
        if let Ok(project) = self.project().await {
            self.remember_pin(&project);
        }
        self.memory
            .live()
            .ok_or_else(|| Problem::internal("what was rolled back to is not remembered"))
    }

    /// The deployment to go back to.
    async fn goal(&self, to: Option<ReleaseId>) -> Result<Seen, Problem> {
        let refused = |fault: Fault| fault.problem("Vercel's deployments cannot be read", &hint);
        if let Some(to) = to {
            return self.deployment(to.as_str()).await.map_err(refused);
        }
        let all = self.list(100).await.map_err(refused)?;
        let current = self.current(&all).await;
        let live_once = |seen: &&Seen| {
            seen.target == "production"
                && seen.phase == Phase::Ready
                && (seen.alias_assigned || seen.substate == "PROMOTED")
        };
        let mut production = all.iter().filter(live_once);
        let earlier = match &current {
            // Those after it in the list, newest first, are the ones before it in time.
            Some(current) => {
                let mut rest = production.skip_while(|seen| seen.id != *current);
                rest.next();
                rest.next().cloned()
            }
            None => {
                production.next();
                production.next().cloned()
            }
        };
        earlier.ok_or_else(|| {
            Problem::not_found("there is no earlier production deployment to go back to")
                .hint("`sayso deployments` lists those there are; deploy an earlier commit instead")
        })
    }

    /// The production deployment that is live now.
    pub(super) async fn current(&self, all: &[Seen]) -> Option<String> {
        let aliases = all
            .iter()
            .find(|seen| seen.alias_assigned && seen.target == "production");
        let url = self.known_url().or_else(|| {
            let seen = aliases?;
            super::seen::best_alias(&seen.aliases).map(|alias| address(alias))
        });
        if let Some(url) = url
            && let Ok(url) = url::Url::parse(&url)
            && let Some(host) = url.host_str()
        {
            let host = url
                .port()
                .map_or(host.to_owned(), |port| format!("{host}:{port}"));
            if let Ok(seen) = self.deployment(&host).await {
                return Some(seen.id);
            }
        }
        self.memory.current().map(|known| known.release.to_string())
    }

    /// Remembers what is live now.
    pub(super) fn now_live(
        &self,
        seen: &Seen,
        url: &str,
        deployment: Option<DeploymentId>,
        stages: BTreeMap<Stage, u64>,
    ) {
        let release = ReleaseId::from(seen.id.as_str());
        if self.memory.release(&release).is_some() {
            self.memory.set_current(&release);
            return;
        }
        self.memory.went_live(Known {
            release,
            commit: seen.commit.clone(),
            tree: String::new(),
            url: url.to_owned(),
            at: seen.created.unwrap_or_else(Timestamp::now),
            deployment,
            stages,
            files: 0,
            bytes: 0,
        });
    }
}
