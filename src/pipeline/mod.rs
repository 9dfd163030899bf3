//! The conductor: drives one instruction through its stages and survives a crash.
//!
//! It owns no screen and no socket. Every step is an event in the log, stored in one transaction with the
//! document it changes; what is not final at a start is taken up again (`recover`).

mod answer;
mod approval;
mod approve;
mod batch;
mod checks;
mod checks_built_in;
mod compare;
mod control;
mod deploy;
mod describe;
mod drive;
mod evidence;
mod gate;
mod gate_words;
mod hearing;
mod held;
mod history;
mod hooks;
mod instruct;
mod live;
mod misheard;
mod notify;
pub mod outgoing;
mod plan;
mod preview;
mod promote;
mod propose;
mod question;
mod queue;
mod queued;
mod received;
mod recipes;
mod records;
mod recover;
mod review;
mod revision;
mod rights;
mod room_calls;
pub mod room_live;
mod room_store;
mod room_sync;
pub mod rooms;
mod sandbox;
mod spoken;
mod status;
mod steps;
mod sync;
mod versions;
mod vitals;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::deploy::{DeployTarget, LocalNotice, Previews};
use crate::events::EventLog;
use crate::generate::{Answered, Generator};
use crate::model::{Instruction, InstructionId, Problem};
use crate::speech::Transcriber;
use crate::vcs::Repository;

pub use hooks::Delivery;
pub use notify::Show;

/// What a conductor works with.
pub struct Setup {
    /// The event log.
    pub log: EventLog,
    /// The configuration.
    pub config: Config,
    /// The repository.
    pub repo: Arc<dyn Repository>,
    /// The generators, in the order `auto` asks them.
    pub generators: Vec<Arc<dyn Generator>>,
    /// The recogniser.
    pub transcriber: Option<Arc<dyn Transcriber>>,
    /// The target of each environment.
    pub targets: BTreeMap<String, Arc<dyn DeployTarget>>,
    /// The folder of the recordings.
    pub recordings: PathBuf,
    /// What the embedded host tells after a deployment has returned.
    pub notices: Option<mpsc::UnboundedReceiver<LocalNotice>>,
}

/// Drives instructions, proposals and deployments of one project. Shared behind an [`Arc`].
pub struct Conductor {
    log: EventLog,
    config: Config,
    repo: Arc<dyn Repository>,
    generators: Vec<Arc<dyn Generator>>,
    transcriber: Option<Arc<dyn Transcriber>>,
    targets: BTreeMap<String, Arc<dyn DeployTarget>>,
    /// What is set for each environment.
    rules: gate::Rules,
    /// Whose turn it is at each environment; held while anything about turns and approvals changes.
    lanes: tokio::sync::Mutex<queue::Lanes>,
    recordings: PathBuf,
    /// The known phrases, for the tree they were made for.
    phrases: tokio::sync::Mutex<Option<Arc<hearing::Phrases>>>,
    /// Held while an instruction is taken, so that one idempotency key makes one instruction.
    submitting: tokio::sync::Mutex<()>,
    /// Held while a proposal changes or becomes a commit: one reviewer's step at a time.
    reviewing: tokio::sync::Mutex<()>,
    /// Phrases of the screens that sent instructions, by the instruction's id. A screen that is gone needs no answer, so
    /// they are not stored.
    commands: Mutex<HashMap<String, Vec<String>>>,
    /// Who waits for the answer to a question of a generator at work, by the instruction's id.
    waiting: Mutex<HashMap<String, oneshot::Sender<Answered>>>,
    /// Held while a webhook is taken, so that one delivery is taken once.
    receiving: tokio::sync::Mutex<()>,
    /// Held while places are asked what they know.
    looking: tokio::sync::Mutex<()>,
    /// The previews, once they are served.
    previews: OnceLock<Arc<Previews>>,
    /// How every environment has been.
    vitals: Arc<vitals::Histories>,
    /// Counts up when an environment may serve something else than before.
    turned: tokio::sync::watch::Sender<u64>,
    /// What saves go to, once there is a clone to watch.
    sandbox: OnceLock<sandbox::Sandboxed>,
    /// What can be stopped, by id.
    running: Mutex<HashMap<String, CancellationToken>>,
    tasks: TaskTracker,
    /// What people share while they work.
    rooms: rooms::Rooms,
    /// What the embedded host tells, until this process conducts.
    notices: Mutex<Option<mpsc::UnboundedReceiver<LocalNotice>>>,
}

impl Conductor {
    /// A conductor; what an earlier process left unfinished is taken up at once. Where another server conducts the project, this
    /// one only answers from its copy until [`Self::conduct`].
    ///
    /// # Errors
    /// `store` when the log cannot be read; `config` when a phrase names an environment that is not configured.
    pub async fn open(setup: Setup) -> Result<Arc<Self>, Problem> {
        crate::config::Phrase::check_environments(
            &setup.config.phrase,
            setup.targets.keys().map(String::as_str),
        )?;
        let rules = gate::rules(&setup.config)?;
        let conductor = Arc::new(Self {
            rooms: rooms::Rooms::new(setup.log.clone()),
            rules,
            lanes: tokio::sync::Mutex::default(),
            phrases: tokio::sync::Mutex::new(None),
            log: setup.log,
            config: setup.config,
            repo: setup.repo,
            generators: setup.generators,
            transcriber: setup.transcriber,
            targets: setup.targets,
            recordings: setup.recordings,
            submitting: tokio::sync::Mutex::new(()),
            reviewing: tokio::sync::Mutex::new(()),
            commands: Mutex::new(HashMap::new()),
            waiting: Mutex::new(HashMap::new()),
            receiving: tokio::sync::Mutex::new(()),
            looking: tokio::sync::Mutex::new(()),
            previews: OnceLock::new(),
            vitals: Arc::default(),
            turned: tokio::sync::watch::Sender::default(),
            sandbox: OnceLock::new(),
            running: Mutex::new(HashMap::new()),
            tasks: TaskTracker::new(),
            notices: Mutex::new(setup.notices),
        });
        if conductor.log.conducts() {
            conductor.conduct().await?;
        }
        Ok(conductor)
    }

    /// Begins to conduct: what was left unfinished is taken up, wherever it was begun.
    ///
    /// # Errors
    /// `store` when the log cannot be read.
    pub async fn conduct(self: &Arc<Self>) -> Result<(), Problem> {
        let notices = self
            .notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(notices) = notices {
            let histories = Arc::clone(&self.vitals);
            let (log, weak) = (self.log.clone(), Arc::downgrade(self));
            tokio::spawn(watch::listen(weak, log, histories, notices));
        }
        if let Some(told) = self.repo.told() {
            tokio::spawn(watch::relay(self.log.clone(), told));
        }
        self.recover().await
    }

    /// The event log.
    pub fn log(&self) -> &EventLog {
        &self.log
    }

    /// An instruction.
    ///
    /// # Errors
    /// `not-found`.
    pub fn instruction(&self, id: &InstructionId) -> Result<Instruction, Problem> {
        records::instruction(&self.log, id)
    }

    /// Asks the recogniser to load in the background.
    pub fn warm_speech(&self) {
        if let Some(transcriber) = &self.transcriber {
            transcriber.warm();
        }
    }

    /// Loads the recogniser now and returns when it is ready.
    ///
    /// # Errors
    /// When there is none, or it cannot be loaded.
    pub async fn speech_ready(&self) -> Result<(), Problem> {
        match &self.transcriber {
            Some(transcriber) => transcriber.ready().await,
            None => Err(Problem::new(
                501,
                "no-speech-engine",
                "no speech engine is configured",
            )),
        }
    }

    /// Waits until nothing runs any more. New work may still be given.
    pub async fn settled(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    fn commands(&self) -> MutexGuard<'_, HashMap<String, Vec<String>>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Answered>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An environment may serve something else than before.
    fn turned(&self) {
        self.turned
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The environment named, or the default one.
    ///
    /// # Errors
    /// `not-found` when it is not configured.
    fn environment<'a>(&'a self, name: Option<&'a str>) -> Result<&'a str, Problem> {
        let name = name.unwrap_or(&self.config.deploy.environment);
        match self.targets.get_key_value(name) {
            Some((name, _)) => Ok(name),
            None => {
                let known: Vec<&str> = self.targets.keys().map(String::as_str).collect();
                Err(
                    Problem::not_found(format!("there is no environment {name:?}"))
                        .hint(format!("configured: {}", known.join(", "))),
                )
            }
        }
    }

    fn target(&self, environment: &str) -> Result<&Arc<dyn DeployTarget>, Problem> {
        self.environment(Some(environment))?;
        self.targets
            .get(environment)
            .ok_or_else(|| Problem::not_found(format!("there is no environment {environment:?}")))
    }
}
