//! Follows a deployment until its aliases are assigned or it failed: the event stream and polling at the same time.

use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::Inner;
use super::cause;
use super::create::said;
use super::lines::{Line, Lines};
use super::seen::{Phase, Seen};
use crate::deploy::DeployFailure;
use crate::deploy::remote::api::{Api, Call, Fault, shown};
use crate::deploy::remote::track::Track;
use crate::model::Stage;

/// A queue that takes longer is explained.
const LONG_QUEUE: Duration = Duration::from_secs(60);

/// After a failure the stream may still bring the lines that tell why.
const LAST_LINES: Duration = Duration::from_millis(1500);

/// Between polls while aliases are being assigned, a matter of moments.
const SOON: Duration = Duration::from_millis(250);

/// For how long they are.
const SOON_FOR: Duration = Duration::from_secs(20);

/// Looks in a row that were refused before a deployment is given up.
const REFUSED: u32 = 3;

/// How it came out.
#[derive(Debug)]
pub(super) enum End {
    /// Aliases are assigned, or it is a preview that is ready.
    Live(Seen),
    /// Built, but production's aliases stay where they are.
    Staged(Seen),
}

/// What the watching tasks say.
enum Signal {
    Line(Line),
    /// The connection ended.
    Broken(String),
}

impl Inner {
    /// Follows `seen` to its end.
    pub(super) async fn follow(
        &self,
        mut seen: Seen,
        track: &mut Track,
    ) -> Result<End, DeployFailure> {
        let (signals, mut heard) = mpsc::unbounded_channel();
        let stream = Stream {
            api: self.api.clone(),
            call: self.events(&seen.id),
            pause: self.options.pace.failed,
            signals,
        };
        let _stream = AbortOnDropHandle::new(tokio::spawn(stream.run()));
        let mut watch = Watch {
            began: Instant::now(),
            ready: None,
            refused: 0,
            canceling: false,
            broken: false,
            slow: None,
            assigned: None,
        };
        let mut next = tokio::time::Instant::now();
        let mut first = true;
        loop {
            if first {
                // The answer to the creation is a look already.
                first = false;
                if let Some(end) = self.judge(&seen, &mut watch, track, &mut heard).await? {
                    return Ok(end);
                }
                next = tokio::time::Instant::now() + self.pause(&watch);
            }
            if watch.began.elapsed() > self.options.time_limit {
                return Err(self.overdue(&seen, track));
            }
            let cancel = track.cancel.clone();
            let look = tokio::select! {
                biased;
                () = cancel.cancelled(), if !watch.canceling => {
                    watch.canceling = true;
                    self.cancel(&seen, track).await;
                    true
                }
                Some(signal) = heard.recv() => match signal {
                    Signal::Line(Line::Output(text)) => {
                        track.log(&text);
                        false
                    }
                    Signal::Line(Line::State) => true,
                    Signal::Line(Line::Aliases { names, error }) => {
                        watch.told(names, error.is_none());
                        true
                    }
                    Signal::Broken(why) => {
                        if !watch.broken {
                            watch.broken = true;
                            tracing::debug!(why, "the build's log broke off; connects again");
                        }
                        false
                    }
                },
                () = self.nudge.notified() => true,
                () = tokio::time::sleep_until(next) => true,
            };
            if !look {
                continue;
            }
            match self.deployment(&seen.id).await {
                Ok(now) => {
                    watch.refused = 0;
                    watch.slow = None;
                    seen = watch.with_told(now);
                    if let Some(end) = self.judge(&seen, &mut watch, track, &mut heard).await? {
                        return Ok(end);
                    }
                }
                Err(fault) => self.lost(fault, &seen, &mut watch, track)?,
            }
            next = tokio::time::Instant::now() + self.pause(&watch);
        }
    }

    fn events(&self, id: &str) -> Call {
        self.call(
            Call::get(&["v3", "deployments", id, "events"])
                .with("direction", "forward")
                .with("follow", "1")
                .with("limit", "-1")
                .with("builds", "1")
                .with("format", "lines"),
        )
    }

    /// As Vercel's own command line polls: every second at first, ever more slowly.
    fn pause(&self, watch: &Watch) -> Duration {
        let unit = self.options.pace.poll;
        if let Some(wait) = watch.slow {
            return wait;
        }
        if watch.ready.is_some_and(|ready| ready.elapsed() < SOON_FOR) {
            return SOON.min(unit);
        }
        let units = watch.began.elapsed().as_secs_f64() / unit.as_secs_f64().max(0.001);
        unit * match units {
            0.0..15.0 => 1,
            15.0..60.0 => 5,
            60.0..300.0 => 15,
            _ => 30,
        }
    }

    /// What a look means: still at work, at its end, or failed.
    async fn judge(
        &self,
        seen: &Seen,
        watch: &mut Watch,
        track: &mut Track,
        heard: &mut mpsc::UnboundedReceiver<Signal>,
    ) -> Result<Option<End>, DeployFailure> {
        match &seen.phase {
            Phase::Queued => {
                let waited = watch.began.elapsed();
                track.enter(Stage::Queue, "waits in Vercel's queue");
                if waited > LONG_QUEUE {
                    // By minutes, so that it is not said at every look.
                    let minutes = Duration::from_secs(waited.as_secs() / 60 * 60);
                    track.fraction(0, format!(
                        "waits in Vercel's queue for {} already (the Hobby plan builds one at a time)",
                        shown(minutes)
                    ));
                }
                Ok(None)
            }
            Phase::Building => {
                track.enter(Stage::Build, "builds on Vercel");
                Ok(None)
            }
            Phase::Other(word) => {
                track.enter(Stage::Build, format!("Vercel says {word}"));
                Ok(None)
            }
            Phase::Ready => self.ready(seen, watch, track).await,
            Phase::Error => {
                last_lines(heard, track).await;
                let error = &seen.error;
                let step = match error.step.as_str() {
                    "" => String::new(),
                    step => format!(" at step {step}"),
                };
                let message = match error.message.as_str() {
                    "" => "no reason was given",
                    message => message,
                };
                let usual = cause::usual(error, track.tail());
                Err(track.failure(format!("the build failed on Vercel{step}: {message}"), format!("{usual}{}", page(seen))))
            }
            Phase::Canceled if watch.canceling => Err(track.stopped()),
            Phase::Canceled => Err(DeployFailure {
                canceled: true,
                ..track.failure(
                    "it was canceled on Vercel, not by Sayso",
                    "the release before it still serves; deploy again when you are ready",
                )
            }),
            Phase::Blocked => Err(track.failure(
                "Vercel blocked the deployment",
                format!("usually the commit's author is no member of the Vercel team, or the plan does not allow it; \
                 commit with an identity that is, or set source = \"files\" under [deploy.vercel]{}", page(seen)),
            )),
            Phase::Deleted => Err(track.failure(
                "the deployment was deleted on Vercel",
                "the release before it still serves; deploy again when you are ready",
            )),
        }
    }

    async fn ready(
        &self,
        seen: &Seen,
        watch: &mut Watch,
        track: &mut Track,
    ) -> Result<Option<End>, DeployFailure> {
        if seen.checks_failed() {
            let names = self.failed_checks(&seen.id).await;
            return Err(track.failure(
                format!("Vercel built it, but its checks failed{names}, so it did not go live"),
                format!(
                    "correct what the check found and deploy again{}",
                    page(seen)
                ),
            ));
        }
        if let Some(why) = &seen.alias_error
            && self.production()
        {
            return Err(track.failure(
                format!("Vercel built it, but could not assign the addresses: {why}"),
                "the release before it still serves; look at the project's domains on Vercel, then `sayso redeploy`",
            ));
        }
        if !self.production() {
            if seen.checks_run() {
                track.enter(Stage::Activate, "waits for Vercel's checks");
                return Ok(None);
            }
            return Ok(Some(End::Live(seen.clone())));
        }
        if seen.alias_assigned {
            if seen.substate == "ROLLING" {
                track.enter(Stage::Activate, "a rolling release: only a part of the visitors gets it yet; approve its next stage on Vercel");
                return Ok(None);
            }
            return Ok(Some(End::Live(seen.clone())));
        }
        if seen.checks_run() {
            track.enter(Stage::Activate, "waits for Vercel's checks");
            return Ok(None);
        }
        watch.ready.get_or_insert_with(Instant::now);
        track.enter(
            Stage::Activate,
            "is built; waits until its addresses are assigned",
        );
        if seen.substate == "STAGED" && self.pinned().await == Some(true) {
            return Ok(Some(End::Staged(seen.clone())));
        }
        Ok(None)
    }

    async fn failed_checks(&self, id: &str) -> String {
        let Ok(answer) = self
            .ask(Call::get(&["v1", "deployments", id, "checks"]))
            .await
        else {
            return String::new();
        };
        let checks = answer.body["checks"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let failed: Vec<&str> = checks
            .iter()
            .filter(|check| check["conclusion"] == "failed")
            .filter_map(|check| check["name"].as_str())
            .collect();
        if failed.is_empty() {
            String::new()
        } else {
            format!(" ({})", failed.join(", "))
        }
    }

    /// A look that was not answered.
    fn lost(
        &self,
        fault: Fault,
        seen: &Seen,
        watch: &mut Watch,
        track: &mut Track,
    ) -> Result<(), DeployFailure> {
        watch.slow = self.api.wait(&fault);
        if let Some(no) = fault
            .refused()
            .filter(|no| no.wait.is_none() && no.status < 500)
        {
            watch.refused += 1;
            if watch.refused >= REFUSED {
                return Err(track.unknown(
                    format!(
                        "unknown what became of {}: Vercel does not let Sayso look any more ({})",
                        seen.id,
                        no.text()
                    ),
                    format!(
                        "{}; the deployment goes on there{}",
                        cause::hint(no),
                        page(seen)
                    ),
                ));
            }
            return Ok(());
        }
        let wait = watch.slow.map_or(String::new(), |wait| {
            format!("; looks again in {}", shown(wait))
        });
        track.log(&format!("{}{wait}", said(&fault)));
        Ok(())
    }

    /// Stops it on Vercel. Its next state says whether that came in time.
    async fn cancel(&self, seen: &Seen, track: &mut Track) {
        let call = Call::new(Method::PATCH, &["v12", "deployments", &seen.id, "cancel"]);
        let call = self.call(call);
        let never = tokio_util::sync::CancellationToken::new();
        let done = self
            .api
            .repeat(&call, &never, &mut |text| track.log(&text))
            .await;
        match done {
            Ok(_) => track.log("asked Vercel to stop it"),
            Err(fault) if fault.refused().is_some_and(|no| no.status == 400) => {
                track.log("it is too late to stop it: Vercel is done with it");
            }
            Err(fault) => track.log(&format!(
                "Vercel was asked to stop it, and did not say whether it will: {}",
                said(&fault)
            )),
        }
    }

    fn overdue(&self, seen: &Seen, track: &Track) -> DeployFailure {
        track.unknown(
            format!(
                "unknown what becomes of {}: after {} it is still not done ({:?})",
                seen.id,
                shown(self.options.time_limit),
                seen.phase
            ),
            format!("Vercel goes on with it, and Sayso tells when it sees its end{}; `time_limit` under [deploy.vercel] waits longer", page(seen)),
        )
    }
}

/// What is known of the following so far.
struct Watch {
    began: Instant,
    ready: Option<Instant>,
    refused: u32,
    canceling: bool,
    broken: bool,
    /// The service asked for this wait.
    slow: Option<Duration>,
    /// The aliases, once the event stream has told that they are assigned.
    assigned: Option<Vec<String>>,
}

impl Watch {
    /// The event stream told what became of the aliases. What else there is to it (checks, a release that rolls out) only
    /// a look tells, so one is made at once, and again soon when it is not answered.
    fn told(&mut self, names: Vec<String>, good: bool) {
        self.assigned = good.then_some(names);
        if good {
            self.ready.get_or_insert_with(Instant::now);
        }
    }

    /// A look, together with what the event stream told: it is the first to know of aliases, and reads lag behind it.
    fn with_told(&self, mut seen: Seen) -> Seen {
        let Some(names) = self.assigned.as_ref().filter(|_| !self.canceling) else {
            return seen;
        };
        if matches!(
            seen.phase,
            Phase::Queued | Phase::Building | Phase::Other(_)
        ) {
            seen.phase = Phase::Ready;
        }
        seen.alias_assigned = true;
        if !names.is_empty() {
            seen.aliases.clone_from(names);
        }
        seen
    }
}

/// Where people look at it.
fn page(seen: &Seen) -> String {
    if seen.inspector.is_empty() {
        String::new()
    } else {
        format!(" ({})", super::seen::address(&seen.inspector))
    }
}

/// The lines that are on their way when a build has failed.
async fn last_lines(heard: &mut mpsc::UnboundedReceiver<Signal>, track: &mut Track) {
    let lines = async {
        while let Some(signal) = heard.recv().await {
            match signal {
                Signal::Line(Line::Output(text)) => track.log(&text),
                Signal::Line(_) => {}
                // The stream of a build that is over ends by itself, with all lines told.
                Signal::Broken(_) => return,
            }
        }
    };
    let _ = tokio::time::timeout(LAST_LINES, lines).await;
}

/// The event stream, connected again whenever it breaks.
struct Stream {
    api: Api,
    call: Call,
    pause: Duration,
    signals: mpsc::UnboundedSender<Signal>,
}

impl Stream {
    async fn run(self) {
        let mut lines = Lines::default();
        loop {
            let mut call = self.call.clone();
            if let Some(last) = lines.last {
                call = call.with("since", last.to_string());
            }
            let why = match self.api.open(&call).await {
                Ok(mut response) => loop {
                    match response.chunk().await {
                        Ok(Some(chunk)) => {
                            for line in lines.push(&chunk) {
                                if self.signals.send(Signal::Line(line)).is_err() {
                                    return;
                                }
                            }
                        }
                        Ok(None) => break "it ended".to_owned(),
                        Err(error) => break error.to_string(),
                    }
                },
                Err(fault) => said(&fault),
            };
            // An answer without a last line end (one whole array, say) is complete.
            for line in lines.push(b"\n") {
                let _ = self.signals.send(Signal::Line(line));
            }
            lines.torn();
            if self.signals.send(Signal::Broken(why)).is_err() {
                return;
            }
            tokio::time::sleep(self.pause).await;
        }
    }
}
