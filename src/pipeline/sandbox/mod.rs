//! A sandbox that follows every save: the working tree is watched, what changed goes to a branch of its own, is pushed
//! and deployed. `run` is the loop, `pass` one look with what comes of it, `push` the exchange with the remote,
//! `conflict` what is asked when two sides changed the same lines.

mod conflict;
mod deploy;
mod journal;
mod pass;
mod push;
mod run;
mod words;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Conductor;
use super::records::Change;
use crate::model::api::{WatchRequest, WatchStatus};
use crate::model::{EventKind, Identity, InstructionId, NewEvent, Problem, Role};
use crate::vcs::git::Git;

use pass::Worker;

/// What a conductor has for it, once it has a clone.
pub(super) struct Sandboxed {
    git: Git,
    /// Held while it is switched on or off.
    turning: tokio::sync::Mutex<()>,
    running: Mutex<Option<Running>>,
}

/// A watch that runs.
struct Running {
    stop: CancellationToken,
    orders: mpsc::UnboundedSender<Order>,
    status: Arc<Mutex<WatchStatus>>,
    task: JoinHandle<()>,
}

/// What the loop is told besides changes.
enum Order {
    /// Take what there is now, and say what came of it.
    Once(oneshot::Sender<Result<WatchStatus, Problem>>),
    /// The question was answered: `Some(true)` for what was saved here, `None` when it was stopped.
    Answered(InstructionId, Option<bool>),
    /// A deployment ended.
    Deployed,
    /// The remote's branch is here.
    Remote(String),
}

impl Sandboxed {
    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked(status: &Mutex<WatchStatus>) -> MutexGuard<'_, WatchStatus> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Conductor {
    /// Makes watching possible: `git` is the clone whose working tree it is. What an earlier process left half-way is
    /// finished.
    pub async fn serve_sandbox(self: &Arc<Self>, git: Git) {
        let sandboxed = Sandboxed {
            git,
            turning: tokio::sync::Mutex::default(),
            running: Mutex::default(),
        };
        if self.sandbox.set(sandboxed).is_err() {
            return;
        }
        if let Err(problem) = self.recover_sandbox().await {
            tracing::warn!(%problem, "a commit to the sandbox was cut off and could not be finished yet");
        }
    }

    fn sandboxed(&self) -> Result<&Sandboxed, Problem> {
        self.sandbox.get().ok_or_else(|| {
            Problem::new(
                501,
                "no-working-tree",
                "there are no files here to watch: the site is worked on without a clone",
            )
            .hint("run Sayso in a clone of the repository")
        })
    }

    /// Switches watching on or off, takes what there is once, or only says how it stands.
    ///
    /// # Errors
    /// `no-working-tree` (501); `no-sandbox` (422); `not-found` for an environment that is not configured;
    /// `sandbox-checked-out` (409). With `once` also what keeps the files from being taken: `operation-in-progress`,
    /// `sandbox-conflict` (409), `disk-full` (507) …
    pub async fn watch(
        self: &Arc<Self>,
        request: WatchRequest,
        by: &Identity,
    ) -> Result<WatchStatus, Problem> {
        if request.once || request.on == Some(true) {
            // Every save is deployed from then on.
            by.may(Role::Deployer, "watching the files")?;
        }
        let actor = by.actor.as_str();
        let sandboxed = self.sandboxed()?;
        let turning = sandboxed.turning.lock().await;
        if request.once {
            return self
                .once(sandboxed, request.environment.as_deref(), actor)
                .await;
        }
        match request.on {
            Some(true) => {
                self.begin_watch(sandboxed, request.environment.as_deref(), actor)
                    .await?;
            }
            Some(false) => {
                let running = sandboxed.running().take();
                if let Some(running) = running {
                    let environment = locked(&running.status).environment.clone();
                    end(running).await;
                    self.tell_watch(
                        "watching ended; what is saved from now on stays here",
                        false,
                        &environment,
                        actor,
                    )
                    .await;
                }
            }
            None => {}
        }
        drop(turning);
        Ok(self.watch_status().unwrap_or_default())
    }

    /// How watching stands; `None` where it cannot be.
    pub fn watch_status(&self) -> Option<WatchStatus> {
        let sandboxed = self.sandbox.get()?;
        let running = sandboxed.running();
        Some(match &*running {
            Some(running) => locked(&running.status).clone(),
            None => WatchStatus {
                branch: self.config.watch.branch.clone(),
                environment: self.config.sandbox_environment(None).unwrap_or_default(),
                ..WatchStatus::default()
            },
        })
    }

    /// Ends watching, after what is being committed is committed.
    pub async fn end_watch(&self) {
        let running = self
            .sandbox
            .get()
            .and_then(|sandboxed| sandboxed.running().take());
        if let Some(running) = running {
            end(running).await;
        }
    }

    /// Tells the watch to end, without waiting for it.
    pub fn stop_watch(&self) {
        if let Some(running) = self
            .sandbox
            .get()
            .and_then(|sandboxed| sandboxed.running().take())
        {
            running.stop.cancel();
        }
    }

    async fn begin_watch(
        self: &Arc<Self>,
        sandboxed: &Sandboxed,
        environment: Option<&str>,
        actor: &str,
    ) -> Result<(), Problem> {
        let environment = self.config.sandbox_environment(environment)?;
        let earlier = {
            let mut running = sandboxed.running();
            let same = running.as_ref().is_some_and(|running| {
                !running.task.is_finished() && locked(&running.status).environment == environment
            });
            if same {
                return Ok(());
            }
            running.take()
        };
        if let Some(earlier) = earlier {
            end(earlier).await;
        }
        let worker = Worker::open(Arc::clone(self), &sandboxed.git, &environment, actor).await?;
        let (files, told) = run::open(self, &sandboxed.git, &worker).await?;
        let (orders, received) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let status = Arc::clone(&worker.status);
        self.tell_watch(&told, true, &environment, actor).await;
        let task = tokio::spawn(run::run(
            worker,
            files,
            stop.clone(),
            orders.clone(),
            received,
        ));
        *sandboxed.running() = Some(Running {
            stop,
            orders,
            status,
            task,
        });
        Ok(())
    }

    async fn once(
        self: &Arc<Self>,
        sandboxed: &Sandboxed,
        environment: Option<&str>,
        actor: &str,
    ) -> Result<WatchStatus, Problem> {
        let orders = {
            let running = sandboxed.running();
            running
                .as_ref()
                .filter(|running| !running.task.is_finished())
                .map(|running| running.orders.clone())
        };
        if let Some(orders) = orders {
            let (reply, answer) = oneshot::channel();
            if orders.send(Order::Once(reply)).is_ok()
                && let Ok(answer) = answer.await
            {
                return answer;
            }
        }
        let environment = self.config.sandbox_environment(environment)?;
        let mut worker =
            Worker::open(Arc::clone(self), &sandboxed.git, &environment, actor).await?;
        let mut answer = worker.once().await?;
        answer.on = false;
        Ok(answer)
    }

    /// Says why the files are not watched though they should be.
    pub async fn not_watched(&self, problem: &Problem) {
        let data = serde_json::json!({
            "message": format!("your files are not watched: {}", problem.detail),
            "hint": problem.hint,
            "type": problem.kind,
        });
        let event = NewEvent::new(EventKind::Error, "sayso", data);
        if let Err(problem) = Change::new().event(event).store(&self.log).await {
            tracing::error!(%problem, "that the files are not watched could not be stored");
        }
    }

    async fn tell_watch(&self, message: &str, on: bool, environment: &str, actor: &str) {
        let data = serde_json::json!({ "message": message, "watch": on });
        let event = NewEvent::new(EventKind::Notice, actor, data).environment(environment);
        if let Err(problem) = Change::new().event(event).store(&self.log).await {
            tracing::error!(%problem, "that watching began or ended could not be stored");
        }
    }
}

async fn end(running: Running) {
    running.stop.cancel();
    // It ends between two steps; one that panicked has ended too.
    let _ = running.task.await;
}
