//! Keeps asking every live environment how it is, as long as the process runs, and acts when one is unwell: once, to what
//! was known to be good; and a person is told.
//!
//! All waits are those of the monotonic clock: setting the machine's time neither starts nor stops anything.

mod pulse;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::watch;

use self::pulse::{Beat, Pulse};
use super::Conductor;
use super::records::{self, Change};
use crate::deploy::health::{HealthOptions, Probe};
use crate::deploy::{DeployTarget, Retreat};
use crate::events::EventLog;
use crate::model::{
    Deployment, DeploymentState, EventKind, HealthAnswer, NewEvent, Problem, ReleaseId, Vitals,
};

/// The history of an environment's answers, by its name.
const KIND: &str = "vitals";

/// Good answers that are stored together: a power cut may cost the last minute of a history, and the disk is left alone.
const TOGETHER: usize = 3;

/// Answers that a listing has.
const LISTED: usize = 60;

/// Earlier deployments among which the one of a release is looked for.
const RECENT: usize = 50;

/// How every environment has been.
#[derive(Debug, Default)]
pub(super) struct Histories {
    all: Mutex<BTreeMap<String, History>>,
    /// Environments whose new releases are watched from here.
    watched: Mutex<BTreeSet<String>>,
}

#[derive(Debug)]
struct History {
    vitals: Vitals,
    /// Answers since it was stored last.
    unsaved: usize,
}

impl Histories {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, History>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watched(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when the end of its watch is told of what goes live in `environment`.
    pub fn watches(&self, environment: &str) -> bool {
        self.watched().contains(environment)
    }

    /// Goes on with what an earlier process stored.
    fn put(&self, vitals: Vitals) {
        let history = History { unsaved: 0, vitals };
        let environment = history.vitals.environment.clone();
        self.all().insert(environment, history);
    }

    /// The newest answers of every environment that was asked.
    pub fn listed(&self) -> Vec<Vitals> {
        self.all().values().filter_map(newest).collect()
    }

    /// The newest answers of one environment, if it was asked.
    pub fn of(&self, environment: &str) -> Option<Vitals> {
        self.all().get(environment).and_then(newest)
    }

    /// Takes an answer; returns the history when it is time to store it.
    pub fn add(&self, environment: &str, release: &ReleaseId, probe: &Probe) -> Option<Vitals> {
        let mut all = self.all();
        let history = all
            .entry(environment.to_owned())
            .or_insert_with(|| History {
                vitals: Vitals::new(environment),
                unsaved: 0,
            });
        let vitals = &mut history.vitals;
        let was_bad = vitals.failing > 0;
        vitals.release = Some(release.clone());
        vitals.add(HealthAnswer {
            at: Timestamp::now(),
            ok: probe.ok,
            status: probe.status,
            ms: probe.millis,
            message: match probe.ok {
                true => String::new(),
                false => probe.message.clone(),
            },
        });
        if probe.ok {
            vitals.note = None;
        }
        history.unsaved += 1;
        if probe.ok && !was_bad && history.unsaved < TOGETHER {
            return None;
        }
        history.unsaved = 0;
        Some(vitals.clone())
    }

    /// What a person has to know of an environment that is unwell.
    pub fn note(&self, environment: &str, note: String) -> Option<Vitals> {
        let mut all = self.all();
        let history = all.get_mut(environment)?;
        history.vitals.note = Some(note);
        Some(history.vitals.clone())
    }
}

fn newest(history: &History) -> Option<Vitals> {
    let vitals = &history.vitals;
    let from = vitals.answers.len().saturating_sub(LISTED);
    let asked = !vitals.answers.is_empty();
    asked.then(|| Vitals {
        environment: vitals.environment.clone(),
        release: vitals.release.clone(),
        failing: vitals.failing,
        note: vitals.note.clone(),
        answers: vitals.answers[from..].to_vec(),
    })
}

impl Conductor {
    /// Asks the live environments how they are, each by its own options, as long as the conductor lives.
    ///
    /// # Errors
    /// `store` when the histories cannot be read.
    pub fn check_regularly(
        self: &Arc<Self>,
        health: BTreeMap<String, HealthOptions>,
    ) -> Result<(), Problem> {
        for (environment, options) in health {
            let Some(target) = self.targets.get(&environment) else {
                continue;
            };
            if let Some(known) = self.log.get::<Vitals>(KIND, &environment)? {
                self.vitals.put(known);
            }
            if !options.watch.is_zero() && target.memory().is_some() {
                self.vitals.watched().insert(environment.clone());
            }
            let round = Round {
                conductor: Arc::downgrade(self),
                target: Arc::clone(target),
                environment,
                options,
                turned: self.turned.subscribe(),
            };
            tokio::spawn(round.run());
        }
        Ok(())
    }
}

/// The checks of one environment.
struct Round {
    conductor: Weak<Conductor>,
    target: Arc<dyn DeployTarget>,
    environment: String,
    options: HealthOptions,
    /// Something went live somewhere.
    turned: watch::Receiver<u64>,
}

impl Round {
    async fn run(mut self) {
        let mut pulse = Pulse::default();
        loop {
            self.meet(&mut pulse);
            let pause = pulse.pause(&self.options, Instant::now());
            let due = tokio::select! {
                () = wait(pause) => true,
                changed = self.turned.changed() => match changed {
                    Ok(()) => false,
                    Err(_) => return,
                },
            };
            let Some(conductor) = self.conductor.upgrade() else {
                return;
            };
            if due && let Err(problem) = self.ask(&conductor, &mut pulse).await {
                tracing::error!(%problem, "what a check found could not be stored");
            }
        }
    }

    /// A release that is live since the last look may have to be watched for a while.
    fn meet(&self, pulse: &mut Pulse) {
        let live = self.target.live(&self.environment).map(|live| live.release);
        if pulse.meet(live.as_ref())
            && let Some(release) = &live
            && !self.target.watching(&self.environment)
            && !self.target.proven(&self.environment, release)
        {
            pulse.watch(Instant::now() + self.options.watch);
        }
    }

    async fn ask(&self, conductor: &Arc<Conductor>, pulse: &mut Pulse) -> Result<(), Problem> {
        let (target, environment) = (&self.target, self.environment.as_str());
        let Some(release) = pulse.release().cloned() else {
            return Ok(());
        };
        // Whoever watches tells what is found, and acts on it.
        if target.watching(environment) {
            return Ok(());
        }
        let Some(probe) = target.look(environment).await else {
            return Ok(());
        };
        let live = target.live(environment);
        if live.is_none_or(|live| live.release != release) {
            return Ok(());
        }
        let mut change = Change::new();
        if let Some(vitals) = conductor.vitals.add(environment, &release, &probe) {
            change = change.put(KIND, environment, &vitals)?;
        }
        let beat = pulse.beat(probe.ok, &self.options, Instant::now());
        match beat {
            Beat::Well | Beat::Bad => {}
            Beat::Proven => {
                target.prove(environment, &release).await;
                change = change.event(watched(&conductor.log, environment, &release)?);
            }
            Beat::FirstBad => {
                change = change.event(bad(&conductor.log, environment, &release, &probe)?);
            }
            Beat::Back => {
                let data = json!({
                    "ok": true, "status": probe.status, "ms": probe.millis, "url": probe.url,
                    "message": "it is well again", "release": release, "again": true,
                });
                let event = about(&conductor.log, &release, EventKind::Health, data)?;
                change = change.event(event.environment(environment));
            }
            Beat::Fell => {
                change.store(&conductor.log).await?;
                let reason = probe.message;
                let retreat = target.retreat(environment, &release, &reason).await;
                fell(conductor, environment, &release, &reason, retreat).await?;
                return conductor.expire(environment).await;
            }
        }
        change.store(&conductor.log).await?;
        // It goes on to where its environment leads.
        if beat == Beat::Proven {
            conductor.stays_well(environment, &release).await;
        }
        Ok(())
    }
}

async fn wait(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

/// Tells what became of an unwell release.
pub(super) async fn fell(
    conductor: &Arc<Conductor>,
    environment: &str,
    release: &ReleaseId,
    reason: &str,
    retreat: Retreat,
) -> Result<(), Problem> {
    let returned = matches!(retreat, Retreat::Returned(_));
    let change = match retreat {
        Retreat::Moved => return Ok(()),
        Retreat::Returned(to) => {
            conductor.turned();
            taken_back(&conductor.log, environment, release, &to, reason)?
        }
        Retreat::Stays(hint) => {
            let mut change = still_unwell(&conductor.log, environment, release, reason, &hint)?;
            if let Some(vitals) = conductor.vitals.note(environment, hint) {
                change = change.put(KIND, environment, &vitals)?;
            }
            change
        }
    };
    change.store(&conductor.log).await?;
    if returned {
        conductor.expire(environment).await?;
    }
    Ok(())
}

/// A bad answer.
pub(super) fn bad(
    log: &EventLog,
    environment: &str,
    release: &ReleaseId,
    probe: &Probe,
) -> Result<NewEvent, Problem> {
    let data = json!({
        "ok": false, "status": probe.status, "ms": probe.millis, "url": probe.url,
        "message": probe.message, "release": release,
    });
    Ok(about(log, release, EventKind::Health, data)?.environment(environment))
}

/// A release was well for as long as it was watched.
pub(super) fn watched(
    log: &EventLog,
    environment: &str,
    release: &ReleaseId,
) -> Result<NewEvent, Problem> {
    let data = json!({
        "message": format!("{release} was well while it was watched"), "release": release,
        "watched": true,
    });
    Ok(about(log, release, EventKind::Notice, data)?.environment(environment))
}

/// An unwell release was taken back by itself: the events, and the end of its deployment.
pub(super) fn taken_back(
    log: &EventLog,
    environment: &str,
    from: &ReleaseId,
    to: &ReleaseId,
    reason: &str,
) -> Result<Change, Problem> {
    let data = json!({ "from": from, "to": to, "automatic": true, "reason": reason });
    let event = about(log, from, EventKind::Rollback, data)?.environment(environment);
    let mut change = Change::new().event(event);
    if let Some(mut deployment) = deployment_of(log, from)? {
        deployment.state = DeploymentState::RolledBack;
        deployment.problem = Some(Problem::new(502, "unwell", reason.to_owned()));
        change = change.deployment(&deployment)?;
    }
    let data = json!({
        "message": format!("{environment} was unwell and went back to {to} by itself: {reason}"),
        "hint": format!(
            "find out what is wrong with {from} and deploy again; it is not offered again, and within the cool-down \
             nothing else is taken back by itself"
        ),
        "unwell": true, "release": from,
    });
    let event = about(log, from, EventKind::Error, data)?.environment(environment);
    Ok(change.event(event))
}

/// An unwell release is still served: a person is called.
pub(super) fn still_unwell(
    log: &EventLog,
    environment: &str,
    release: &ReleaseId,
    reason: &str,
    hint: &str,
) -> Result<Change, Problem> {
    let data = json!({
        "message": format!("{environment} is unwell: {reason}"), "hint": hint,
        "unwell": true, "release": release,
    });
    let event = about(log, release, EventKind::Error, data)?.environment(environment);
    Ok(Change::new().event(event))
}

fn about(
    log: &EventLog,
    release: &ReleaseId,
    kind: EventKind,
    data: serde_json::Value,
) -> Result<NewEvent, Problem> {
    let deployment = deployment_of(log, release)?;
    Ok(NewEvent::new(kind, "sayso", data)
        .deployment(deployment.as_ref().map(|deployment| &deployment.id))
        .instruction(
            deployment
                .as_ref()
                .and_then(|deployment| deployment.instruction.as_ref()),
        ))
}

fn deployment_of(log: &EventLog, release: &ReleaseId) -> Result<Option<Deployment>, Problem> {
    let recent = records::deployments(log, RECENT)?;
    Ok(recent
        .into_iter()
        .find(|deployment| deployment.release.as_ref() == Some(release)))
}
