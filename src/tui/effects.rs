//! Effects that go their own way: calls to the server and to the system, one task each. What came of them comes back
//! as a message.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::checkup::Doctor;
use super::keymap::spoken;
use super::message::{EditRequest, Effect, Message, Outcome};
use super::model::{Subject, Tone};
use super::painter::Painter;
use super::pictures::{Drawing, Way};
use super::shared::Shared;
use super::terminal;
use crate::client::Client;
use crate::client::stream::{self, StreamItem};
use crate::model::api::{
    Answer, ApproveDeployment, EditText, Promote, Reject, Restore, Revise, Rollback, StartPreview,
    Submission, SyncRequest, WatchRequest,
};
use crate::model::{Cursor, Event, InstructionId, Problem};

/// Starts effects.
pub struct Effects {
    client: Client,
    results: mpsc::UnboundedSender<Message>,
    /// Calls that change something: they are not cut off at the end.
    changing: TaskTracker,
    doctor: Option<Arc<dyn Doctor>>,
    shared: Shared,
    painter: Mutex<Painter>,
    pictures: Way,
}

impl Effects {
    /// Effects against `client`'s server; their results go to `results`.
    pub fn new(client: Client, results: mpsc::UnboundedSender<Message>) -> Self {
        Self {
            shared: Shared::new(client.clone(), results.clone(), None),
            client,
            painter: Mutex::new(Painter::new(results.clone())),
            results,
            changing: TaskTracker::new(),
            doctor: None,
            pictures: Way::No("no terminal was asked"),
        }
    }

    /// Who looks at this machine.
    pub fn with_doctor(mut self, doctor: Option<Arc<dyn Doctor>>) -> Self {
        self.doctor = doctor;
        self
    }

    /// Where what is shared is kept; what an earlier run kept there is told.
    pub fn with_folder(mut self, folder: Option<PathBuf>) -> Self {
        self.shared = Shared::new(self.client.clone(), self.results.clone(), folder);
        let kept = self.shared.read_outbox();
        if !kept.is_empty() {
            let _ = self.results.send(Message::OutboxKept(kept));
        }
        let rooms = self.shared.kept_rooms();
        if !rooms.is_empty() {
            let _ = self.results.send(Message::RoomsKept(rooms));
        }
        self
    }

    /// Tells when `company` has come.
    pub fn with_company(self, company: Option<BoxFuture<'static, ()>>) -> Self {
        if let Some(company) = company {
            let results = self.results.clone();
            tokio::spawn(async move {
                company.await;
                let _ = results.send(Message::Company);
            });
        }
        self
    }

    /// How pictures are made ready.
    pub fn with_pictures(mut self, pictures: Way) -> Self {
        self.pictures = pictures;
        self
    }

    /// Follows the events after `cursor`.
    pub fn follow(&self, cursor: Cursor) -> mpsc::Receiver<StreamItem> {
        stream::follow(self.client.clone(), Some(cursor))
    }

    /// Waits for the calls that change something, but no longer than `grace`.
    pub async fn finish(&self, grace: Duration) {
        self.changing.close();
        let _ = tokio::time::timeout(grace, self.changing.wait()).await;
        let _ = tokio::time::timeout(grace, self.shared.finish()).await;
    }

    /// Hands in an edited text.
    pub fn edit(&self, request: EditRequest, text: String) {
        let client = self.client.clone();
        self.change(async move {
            let edit = EditText {
                path: request.path,
                text,
                version: request.version,
            };
            let result = client.edit(&request.proposal, &edit).await;
            Outcome::Edited(request.proposal, result.map(Some))
        });
    }

    /// Gives `text` to the first of `programs` that is there; what they say goes nowhere.
    pub fn clipboard(&self, programs: Vec<Vec<&'static str>>, text: String) {
        tokio::spawn(async move {
            for words in programs {
                let mut command = tokio::process::Command::new(words[0]);
                command.args(&words[1..]).kill_on_drop(true);
                command.stdin(Stdio::piped());
                command.stdout(Stdio::null()).stderr(Stdio::null());
                let Ok(mut child) = command.spawn() else {
                    continue;
                };
                let Some(mut input) = child.stdin.take() else {
                    continue;
                };
                let done = async {
                    input.write_all(text.as_bytes()).await?;
                    drop(input);
                    child.wait().await
                };
                // Some stay to own the clipboard; none is waited for long.
                match tokio::time::timeout(CLIPBOARD, done).await {
                    Ok(Ok(status)) if status.success() => return,
                    _ => {}
                }
            }
        });
    }

    /// Starts an effect. Those that need the terminal or the microphone are the driver's.
    pub fn begin(&self, effect: Effect) {
        let client = self.client.clone();
        match effect {
            Effect::Submit(text) => self.change(async move {
                let result = client.submit(&words(&text), &key()).await;
                Outcome::Submitted(text, result)
            }),
            Effect::SendClip(path) => self.change(async move {
                let wav = match read(&path).await {
                    Ok(wav) => wav,
                    Err(problem) => return Outcome::ClipSent(Err(problem)),
                };
                Outcome::ClipSent(client.submit_audio(wav, &spoken_words(), &key()).await)
            }),
            Effect::Approve(id, approval) => self.change(async move {
                let result = client.approve(&id, &approval).await;
                Outcome::Approved(id, result)
            }),
            Effect::Reject(id) => self.change(async move {
                let result = client.reject(&id, &Reject::default()).await;
                Outcome::Rejected(id, result)
            }),
            Effect::Reopen(id) => self.change(async move {
                let result = client.reopen(&id).await;
                Outcome::Reopened(id, result)
            }),
            Effect::Decide(id, decide) => self.change(async move {
                let result = client.decide(&id, &decide).await;
                Outcome::Decided(id, result)
            }),
            Effect::EditText(id, edit) => self.change(async move {
                let result = client.edit(&id, &edit).await;
                Outcome::Edited(id, result.map(Some))
            }),
            Effect::ApproveBatch(approval) => {
                self.change(async move { Outcome::Batched(client.approve_batch(&approval).await) })
            }
            Effect::Paint(job) => self
                .painter
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .begin(job),
            Effect::Restore(id, later) => self.change(async move {
                let restore = Restore {
                    version: None,
                    later,
                };
                let result = client.restore(&id, &restore).await;
                Outcome::Restored(result.map(Box::new))
            }),
            Effect::Revise(id, prompt) => self.change(async move {
                let revise = Revise { prompt };
                let result = client.revise(&id, &revise).await;
                Outcome::Revised(revise.prompt, result)
            }),
            Effect::Answer(id, yes) => self.change(async move {
                let result = client.answer(&id, yes).await;
                Outcome::Answered(id, result)
            }),
            Effect::AnswerPlan(id, keep) => self.change(async move {
                let answer = Answer {
                    yes: true,
                    keep: Some(keep),
                };
                let result = client.answer_with(&id, &answer).await;
                Outcome::Answered(id, result)
            }),
            Effect::Watch(on) => self.change(async move {
                let request = WatchRequest {
                    on: Some(on),
                    ..WatchRequest::default()
                };
                Outcome::Watched(client.watch(&request).await)
            }),
            Effect::Deploy(force) => self.change(async move {
                let request = SyncRequest::default();
                Outcome::Synced(if force {
                    client.force_redeploy(&request).await
                } else {
                    client.deploy(&request).await
                })
            }),
            Effect::Rollback(environment) => self.change(async move {
                Outcome::RolledBack(client.rollback(&environment, &Rollback::default()).await)
            }),
            Effect::RollbackTo(environment, release) => self.change(async move {
                let rollback = Rollback { to: Some(release) };
                Outcome::RolledBack(client.rollback(&environment, &rollback).await)
            }),
            Effect::RedeployTo(environment, commit) => self.change(async move {
                let request = SyncRequest {
                    environment: Some(environment),
                    commit: Some(commit),
                    ..SyncRequest::default()
                };
                Outcome::Synced(client.force_redeploy(&request).await)
            }),
            Effect::LoadWords => self.ask(async move { Outcome::Words(client.words().await) }),
            Effect::LoadRecipes => {
                self.ask(async move { Outcome::Recipes(client.recipes().await) })
            }
            Effect::Promote(environment, release) => self.change(async move {
                let promote = Promote {
                    release: Some(release),
                    ..Promote::default()
                };
                Outcome::Synced(client.promote(&environment, &promote).await)
            }),
            Effect::Let(id, expected) => self.change(async move {
                let approval = ApproveDeployment {
                    expected,
                    during_freeze: false,
                };
                let done = client.approve_deployment(&id, &approval).await;
                Outcome::Let(done.map(Box::new))
            }),
            Effect::LoadDeployments => {
                self.ask(async move { Outcome::Deployments(client.deployments().await) })
            }
            Effect::LoadEvent(at) => {
                self.ask(async move { Outcome::Details(event(&client, at).await) })
            }
            Effect::LoadDeployment(id) => self.ask(async move {
                let loaded = client.deployment(&id).await;
                Outcome::Details(loaded.map(|found| Subject::Deployment(Box::new(found))))
            }),
            Effect::Compare(a, b) => self.ask(async move {
                let compared = client.compare(&a.0, &b.0).await;
                Outcome::Details(compared.map(|found| Subject::Comparison(Box::new(found))))
            }),
            Effect::Stop(id) => {
                self.change(async move { Outcome::Stopped(client.cancel(&id).await) })
            }
            Effect::StopInstruction(id) => self.change(async move {
                let stopped = client.cancel_instruction(&id).await;
                Outcome::StoppedInstruction(stopped.map(Box::new))
            }),
            Effect::Preview(id, allow) => self.change(async move {
                let previewed = client.preview(&id, StartPreview { allow }).await;
                Outcome::Previewed(id, previewed)
            }),
            Effect::LoadPicture(id, version) => {
                let way = self.pictures;
                self.ask(async move {
                    let Ok(png) = client.preview_picture(&id).await else {
                        return Outcome::Picture(id, version, None);
                    };
                    let made = tokio::task::spawn_blocking(move || {
                        Drawing::of(&png, way, terminal::character())
                    });
                    Outcome::Picture(id, version, made.await.ok().flatten())
                });
            }
            Effect::LoadProposal(id, updated) => {
                self.ask(async move { Outcome::Proposal(updated, client.proposal(&id).await) })
            }
            Effect::LoadStatus(after) => self.ask(async move {
                if !after.is_zero() {
                    tokio::time::sleep(after).await;
                }
                Outcome::Status(client.status().await)
            }),
            Effect::LoadHistory(until, from) => {
                self.ask(async move { history(&client, until, from).await })
            }
            Effect::Checkup => {
                let doctor = self.doctor.clone();
                self.ask(async move {
                    match doctor {
                        Some(doctor) => Outcome::Checkup(doctor.look().await),
                        None => {
                            let words = "this machine can be looked at with `sayso doctor`";
                            Outcome::Told(Tone::Plain, words.to_owned())
                        }
                    }
                });
            }
            Effect::Fix(name) => {
                let doctor = self.doctor.clone();
                self.change(async move {
                    let result = match doctor {
                        Some(doctor) => doctor.fix(&name).await,
                        None => Err(Problem::internal("nobody here can mend it")),
                    };
                    Outcome::Fixed(name, result)
                });
            }
            Effect::Open(url) => self.ask(async move {
                let opened = tokio::task::spawn_blocking(move || {
                    open::that_detached(&url).map_err(|error| (url, error))
                });
                match opened.await {
                    Ok(Ok(())) => Outcome::Told(Tone::Good, "opened in the browser".to_owned()),
                    Ok(Err((url, error))) => {
                        let words = format!("no browser was found ({error}); the address is {url}");
                        Outcome::Told(Tone::Warn, words)
                    }
                    Err(error) => Outcome::Told(Tone::Bad, error.to_string()),
                }
            }),
            Effect::JoinRoom(name) => self.shared.join(name),
            Effect::LeaveRoom(name) => self.shared.leave(&name),
            Effect::GreetRoom(name, frames) => self.shared.greet(&name, frames),
            Effect::ToRoom(name, frames) => self.shared.send(&name, frames),
            Effect::KeepRoom(name, state) => self.shared.keep_room(name, state),
            Effect::Keep(queued) => self.shared.keep(queued, &self.changing),
            Effect::Send(queued) => self.change(self.shared.deliver(queued)),
            Effect::Forget(key) => self.shared.forget(key, &self.changing),
            Effect::Press | Effect::Start | Effect::Release | Effect::CancelRecording => {}
            Effect::Dictate(_) | Effect::Replay(_) | Effect::Sound(_) => {}
            Effect::WatchDevices(_) | Effect::ChooseDevice(_) => {}
            Effect::Edit(_) | Effect::Follow(_) | Effect::Copy(_) | Effect::Notify(_) => {}
            Effect::Repaint | Effect::Suspend | Effect::Quit => {}
        }
    }

    fn change(&self, work: impl Future<Output = Outcome> + Send + 'static) {
        let results = self.results.clone();
        self.changing.spawn(async move {
            // Nobody listens any more: the cockpit has ended.
            let _ = results.send(Message::Done(Box::new(work.await)));
        });
    }

    fn ask(&self, work: impl Future<Output = Outcome> + Send + 'static) {
        let results = self.results.clone();
        tokio::spawn(async move {
            let _ = results.send(Message::Done(Box::new(work.await)));
        });
    }
}

pub(super) fn words(text: &str) -> Submission {
    Submission {
        prompt: Some(text.to_owned()),
        ..Submission::default()
    }
}

/// A recording may hold words for the cockpit itself: the server is told which it knows.
pub(super) fn spoken_words() -> Submission {
    Submission {
        commands: spoken::phrases().map(str::to_owned).collect(),
        ..Submission::default()
    }
}

/// A key of its own for each thing said: the same words said twice are two instructions.
fn key() -> String {
    InstructionId::new().0
}

async fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let wav = tokio::fs::read(path).await;
    wav.map_err(|error| Problem::internal(format!("the recording cannot be read: {error}")))
}

/// An event, with the deployment that it is about.
async fn event(client: &Client, at: Cursor) -> Result<Subject, Problem> {
    let before = Cursor {
        epoch: at.epoch,
        seq: at.seq.saturating_sub(1),
    };
    let page = client.events(Some(&before), 1, Duration::ZERO).await?;
    let found = page.events.into_iter().find(|event| event.seq == at.seq);
    let event = found.ok_or_else(|| {
        Problem::not_found("the event is not kept any more").hint("Ctrl+L loads what is there")
    })?;
    let deployment = match &event.deployment {
        // The event stands without it.
        Some(id) => client.deployment(id).await.ok().map(Box::new),
        None => None,
    };
    Ok(Subject::Event(Box::new(event), deployment))
}

/// How long a program for the clipboard may take.
const CLIPBOARD: Duration = Duration::from_secs(2);

/// Calls for one piece of history; a page of the server may hold less than was asked for.
const CALLS: usize = 32;

/// The events after `from` up to `until`, without a hole.
async fn history(client: &Client, until: Cursor, from: u64) -> Outcome {
    let mut events: Vec<Event> = Vec::new();
    let mut after = from;
    for _ in 0..CALLS {
        let count = usize::try_from(until.seq.saturating_sub(after)).unwrap_or(usize::MAX);
        if count == 0 {
            break;
        }
        let place = Cursor {
            epoch: until.epoch.clone(),
            seq: after,
        };
        let page = client.events(Some(&place), count.min(PAGE), Duration::ZERO);
        match page.await {
            Ok(page) if !page.reset => {
                after = page.next.seq;
                let end = page.events.is_empty();
                let wanted = page.events.into_iter();
                events.extend(wanted.filter(|event| event.seq <= until.seq));
                if end {
                    break;
                }
            }
            Ok(_) => break,
            Err(problem) => {
                // The timeline then begins with what happens next; that is no reason to bother anybody.
                tracing::warn!("earlier events were not loaded: {problem}");
                break;
            }
        }
    }
    if after < until.seq {
        // What lies before a hole would stand where it does not belong.
        events.clear();
    }
    Outcome::History(events)
}

/// Events that the server gives in one page at most.
const PAGE: usize = 1_000;
