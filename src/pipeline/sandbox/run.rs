//! The loop: changes come, settle, and are taken; what comes of it is pushed and deployed.

use std::collections::HashSet;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::Conductor;
use super::pass::{self, Passed, Worker};
use super::push::{Pusher, Went};
use super::{Order, locked};
use crate::model::api::WatchStatus;
use crate::model::{EventKind, Problem};
use crate::vcs::git::Git;
use crate::watch::{Changes, EXCLUDED, How, Pace, Settle, Watch};

/// Between two looks whether a rebase is over.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The longest wait after a failure.
const LONGEST: Duration = Duration::from_secs(60);

/// Begins to watch the files; also what is to be told.
pub(super) async fn open(
    conductor: &Arc<Conductor>,
    git: &Git,
    worker: &Worker,
) -> Result<(Watch, String), Problem> {
    let set = &conductor.config.watch;
    let patterns: Vec<&str> = EXCLUDED
        .iter()
        .copied()
        .chain(set.exclude.iter().map(String::as_str))
        // A pattern that takes back another one would make git list what it lists anyway.
        .filter(|pattern| !pattern.starts_with('!'))
        .collect();
    let tracked = git.tracked_though_ignored(&patterns).await?;
    let watch = Watch::start(pass::options(conductor, git, tracked)).await?;
    let told = format!(
        "watching {}: what you save goes to {} and from there to {}",
        how(watch.how()),
        worker.sandbox.branch(),
        worker.environment
    );
    let mut status = locked(&worker.status);
    status.message = told.clone();
    drop(status);
    Ok((watch, told))
}

fn how(how: &How) -> String {
    match how {
        How::Told { folders: 0 } => "your files".to_owned(),
        How::Told { folders: 1 } => "1 folder".to_owned(),
        How::Told { folders } => format!("{folders} folders"),
        How::Looking { every, why } => format!(
            "your files by looking at them every {:.1} s ({why})",
            every.as_secs_f64()
        ),
    }
}

/// What the loop goes by.
struct Loop {
    worker: Worker,
    settle: Settle,
    /// Nothing is taken before.
    not_before: Option<Instant>,
    failures: u32,
    /// The last thing that was told to be in the way.
    in_the_way: Option<String>,
    orders: mpsc::UnboundedSender<Order>,
}

/// Watches until it is told to stop; what has begun is ended first.
pub(super) async fn run(
    worker: Worker,
    watch: Watch,
    stop: CancellationToken,
    orders: mpsc::UnboundedSender<Order>,
    mut received: mpsc::UnboundedReceiver<Order>,
) {
    let set = worker.conductor.config.watch.clone();
    let mut this = Loop {
        settle: Settle::new(Pace {
            settle: set.settle.duration(),
            batch: set.batch.duration(),
            bound: set.bound.duration(),
        }),
        worker,
        not_before: None,
        failures: 0,
        in_the_way: None,
        orders: orders.clone(),
    };
    if let Some(pusher) = Pusher::of(&this.worker) {
        let wake = Arc::clone(&this.worker.pushes);
        tokio::spawn(pusher.run(wake, stop.clone(), orders.clone()));
    }
    let conductor = Arc::clone(&this.worker.conductor);
    tokio::spawn(answers(conductor, stop.clone(), orders));
    // What others saved, and what was saved while nobody watched.
    match this.worker.meet_remote().await {
        Ok(_) => {}
        Err(problem) => this.failed(&problem).await,
    }
    this.take().await;
    this.worker.pushes.notify_one();
    loop {
        let due = match (this.settle.due(), this.not_before) {
            (Some(due), Some(earliest)) => Some(due.max(earliest)),
            (due, _) => due,
        };
        let moment = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            Some(order) = received.recv() => this.order(order).await,
            changes = watch.changes() => this.changed(changes).await,
            () = moment => this.take().await,
        }
    }
}

/// Hands on answers to questions, whoever gave them.
async fn answers(
    conductor: Arc<Conductor>,
    stop: CancellationToken,
    orders: mpsc::UnboundedSender<Order>,
) {
    let mut follower = conductor.log.follow(conductor.log.head().seq);
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = follower.next() => event,
        };
        let Ok(event) = event else { return };
        let answer = match event.kind {
            EventKind::Approved => Some(true),
            EventKind::Rejected => Some(false),
            EventKind::Canceled => None,
            _ => continue,
        };
        if let Some(instruction) = &event.instruction
            && orders
                .send(Order::Answered(instruction.clone(), answer))
                .is_err()
        {
            return;
        }
    }
}

impl Loop {
    async fn changed(&mut self, changes: Changes) {
        if let Some(now) = &changes.how {
            let message = format!("watching {} from now on", how(now));
            locked(&self.worker.status).message = message.clone();
            self.worker
                .tell(
                    EventKind::Notice,
                    json!({ "message": message, "watch": true }),
                )
                .await;
        }
        self.settle
            .changed(Instant::now(), changes.paths, changes.all);
    }

    async fn order(&mut self, order: Order) {
        match order {
            Order::Once(reply) => {
                let answer = self.worker.once().await;
                if answer.is_ok() {
                    self.settle.take(Instant::now());
                    self.well();
                }
                // Whoever asked has gone: it is done all the same.
                let _ = reply.send(answer);
                self.deploy().await;
            }
            Order::Answered(instruction, ours) => {
                if self.worker.answered(&instruction, ours) {
                    self.take().await;
                    self.worker.pushes.notify_one();
                }
            }
            Order::Deployed => self.deploy().await,
            Order::Remote(commit) => match self.worker.take_in(&commit).await {
                Ok(Passed::Made(_)) => {
                    self.worker.pushes.notify_one();
                    self.deploy().await;
                }
                // It is here already; what it lacks goes there now.
                Ok(Passed::Nothing) => self.worker.pushes.notify_one(),
                Ok(Passed::Waits(why)) => self.waits(why).await,
                Err(problem) => self.failed(&problem).await,
            },
        }
    }

    /// Takes what has settled.
    async fn take(&mut self) {
        if let Some(operation) = self.worker.sandbox.under_way() {
            // Looked at once a second, and only while it lasts.
            self.settle.changed(Instant::now(), [], true);
            self.not_before = Some(Instant::now() + LOOK_AGAIN);
            self.waits(format!(
                "a {operation} is in progress: {} waits until it is over",
                self.worker.sandbox.branch()
            ))
            .await;
            return;
        }
        let taken = self.settle.take(Instant::now());
        for path in &taken.overdue {
            let message = format!(
                "{path} has been written to for {} without a pause: it is taken as it stands",
                self.worker.conductor.config.watch.bound
            );
            let data = json!({
                "message": message,
                "hint": "if it is no part of the site: [watch] exclude, or .gitignore",
            });
            self.worker
                .tell_once(
                    (path.clone(), "overdue".to_owned()),
                    EventKind::Notice,
                    data,
                )
                .await;
        }
        let busy: HashSet<String> = taken.busy.into_iter().collect();
        match self.worker.pass(&busy).await {
            Ok(Passed::Made(_) | Passed::Nothing) => {
                self.well();
                let moving = std::mem::take(&mut self.worker.moving);
                self.settle.changed(Instant::now(), moving, false);
            }
            Ok(Passed::Waits(why)) => self.waits(why).await,
            Err(problem) => {
                self.settle.changed(Instant::now(), [], true);
                self.failed(&problem).await;
            }
        }
        self.deploy().await;
    }

    async fn deploy(&mut self) {
        let Some(id) = self.worker.deploy_or_tell().await else {
            return;
        };
        if self.worker.following.as_ref() == Some(&id) {
            return;
        }
        self.worker.following = Some(id.clone());
        let (conductor, orders) = (Arc::clone(&self.worker.conductor), self.orders.clone());
        tokio::spawn(async move {
            conductor.deployment_over(id).await;
            // The watch has ended: the next one deploys what is new.
            let _ = orders.send(Order::Deployed);
        });
    }

    fn well(&mut self) {
        self.failures = 0;
        self.not_before = None;
        self.in_the_way = None;
        locked(&self.worker.status).waiting = None;
    }

    /// Says what is waited for, once.
    async fn waits(&mut self, why: String) {
        locked(&self.worker.status).waiting = Some(why.clone());
        // A question is an event of its own.
        let asked = self
            .worker
            .asked
            .as_ref()
            .is_some_and(|asked| asked.text == why);
        if self.in_the_way.as_ref() != Some(&why) {
            if !asked {
                self.worker
                    .tell(EventKind::Notice, json!({ "message": why }))
                    .await;
            }
            self.in_the_way = Some(why);
        }
    }

    /// Says what went wrong, once, and tries again later: nothing is lost, the files are where they were.
    async fn failed(&mut self, problem: &Problem) {
        self.failures = self.failures.saturating_add(1);
        let pause = Duration::from_secs(1 << self.failures.min(6)).min(LONGEST);
        self.not_before = Some(Instant::now() + pause);
        tracing::warn!(%problem, "the saves could not be taken; again in {pause:?}");
        locked(&self.worker.status).waiting = Some(problem.detail.clone());
        if self.in_the_way.as_ref() != Some(&problem.detail) {
            self.in_the_way = Some(problem.detail.clone());
            let data = json!({
                "message": problem.detail, "hint": problem.hint, "type": problem.kind,
            });
            self.worker.tell(EventKind::Error, data).await;
        }
    }
}

impl Worker {
    /// Takes what there is now, pushes it and begins its deployment.
    ///
    /// # Errors
    /// What keeps it from being taken.
    pub(super) async fn once(&mut self) -> Result<WatchStatus, Problem> {
        let before = self.sandbox.tip().await?;
        if let Some(Passed::Waits(why)) = self.meet_remote().await? {
            return Err(self.held(why));
        }
        if let Passed::Waits(why) = self.pass(&HashSet::new()).await? {
            return Err(self.held(why));
        }
        if let Some(mut pusher) = Pusher::of(self) {
            let mut went = pusher.push().await;
            if let Went::Elsewhere(theirs) = went {
                if let Passed::Waits(why) = self.take_in(&theirs).await? {
                    return Err(self.held(why));
                }
                went = pusher.push().await;
            }
            if let Went::Later(problem) = went {
                locked(&self.status).waiting = Some(problem.detail);
            }
        }
        let deployment = self.deploy_or_tell().await;
        let tip = self.sandbox.tip().await?;
        let mut status = locked(&self.status);
        let mut answer = status.clone();
        answer.commit = Some(tip.clone()).filter(|_| tip != before);
        answer.deployment = deployment;
        status.commit = Some(tip).filter(|tip| !tip.is_empty());
        Ok(answer)
    }

    fn held(&self, why: String) -> Problem {
        match &self.asked {
            Some(_) => Problem::new(409, "sandbox-conflict", why)
                .hint("answer it: sayso say yes, or sayso say no; or set [watch] conflicts = \"sandbox wins\""),
            None => Problem::new(409, "operation-in-progress", why)
                .hint("end it with git's --continue or --abort, then again"),
        }
    }
}
