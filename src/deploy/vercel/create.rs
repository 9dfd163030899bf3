//! Creates a deployment exactly once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Inner;
use super::cause::hint;
use super::files::{self, File, once_each};
use super::seen::{META, META_COMMIT, Seen};
use crate::deploy::remote::api::{Body, Call, Fault, Refused};
use crate::deploy::remote::track::Track;
use crate::deploy::{DeployFailure, DeployRequest};
use crate::model::{DeploymentId, Problem, Source, Stage};

/// Files sent at the same time.
const AT_ONCE: usize = 16;

/// How often Vercel may say that it misses files that were just sent: they need a moment to be seen everywhere.
const MISSING: u32 = 6;

/// Looks at the list that must find nothing before a creation of unclear outcome is sent once more.
const LOOKS: u32 = 3;

/// How often a creation is sent at most.
const SENT: u32 = 3;

/// How long one file may take to be sent.
const UPLOAD: Duration = Duration::from_secs(10 * 60);

/// A created deployment.
pub(super) struct Created {
    pub seen: Seen,
    pub files: usize,
    pub bytes: u64,
}

/// What a deployment is made of.
enum Content {
    /// Vercel fetches it.
    Git(Value),
    /// Once more what a deployment had.
    Same(String),
    /// Files in a folder that goes with the guard.
    Files {
        files: Vec<File>,
        inline: Option<Vec<Value>>,
        _folder: tempfile::TempDir,
    },
}

impl Inner {
    /// Creates the deployment; with `again`, what an earlier try may have created is taken up.
    pub(super) async fn create(
        &self,
        request: &DeployRequest,
        again: bool,
        track: &mut Track,
    ) -> Result<Created, DeployFailure> {
        track.enter(Stage::Fetch, "collects the commit's files");
        if again && let Some(seen) = self.look_for(&request.id, track).await? {
            track.notice(format!(
                "Vercel has this deployment already as {}: it is followed on",
                seen.id
            ));
            return Ok(Created {
                seen,
                files: 0,
                bytes: 0,
            });
        }
        let source = &request.source;
        let current = self.memory.current();
        let same = current.filter(|known| request.force && known.commit == source.commit());
        let mut content = match (same, self.options.git) {
            (Some(known), _) => Content::Same(known.release.to_string()),
            (None, true) => Content::Git(self.git_source(source.commit(), track)?),
            (None, false) => self.files(source, track).await?,
        };
        let (files, bytes) = match &content {
            Content::Files { files, .. } => (files.len(), files.iter().map(|file| file.size).sum()),
            _ => (0, 0),
        };
        if let Content::Files {
            files,
            inline: None,
            ..
        } = &content
        {
            let unknown = self.sent.unknown(files);
            self.upload(&unknown, track).await?;
        }
        let mut settings = false;
        let (mut missing, mut sent) = (0, 0);
        let seen = loop {
            track.check()?;
            let body = self.body(request, &content, settings);
            // Not interrupted by a cancel: once it is sent, its answer is worth more.
            match self.send(body, request.force, track).await {
                Ok(seen) => break seen,
                Err(fault) if fault.is_unclear() => {
                    sent += 1;
                    track.log(&format!(
                        "unknown whether Vercel took the deployment ({}): looks at its list",
                        said(&fault)
                    ));
                    if let Some(seen) = self.look_for(&request.id, track).await? {
                        break seen;
                    }
                    if sent >= SENT {
                        return Err(fault.failure(
                            track,
                            "Vercel did not take the deployment",
                            &hint,
                        ));
                    }
                    track.log("Vercel does not have it: it is sent once more");
                }
                Err(Fault::Refused(no)) if no.code == "missing_files" && missing < MISSING => {
                    missing += 1;
                    self.send_missing(&no, &mut content, missing, track).await?;
                }
                Err(Fault::Refused(no)) if no.code == "missing_project_settings" && !settings => {
                    settings = true;
                }
                Err(Fault::Refused(no)) if no.status == 400 && takes_no_inline(&mut content) => {
                    track.log(&format!("Vercel does not take the files inside the call ({}): they are sent one by one", no.message));
                }
                Err(fault) => {
                    return Err(fault.failure(track, "Vercel did not take the deployment", &hint));
                }
            }
        };
        if let Content::Files {
            files,
            inline: None,
            ..
        } = &content
        {
            self.sent.add(files.iter().map(|file| file.sha.as_str()));
        }
        if sent > 0 {
            self.cancel_doubles(&request.id, &seen.id, track).await;
        }
        Ok(Created { seen, files, bytes })
    }

    fn git_source(&self, commit: &str, track: &Track) -> Result<Value, DeployFailure> {
        let Some((owner, name)) = &self.options.repository else {
            return Err(track.failure(
                "Vercel shall fetch the commit from GitHub, but the repository has no remote `origin` there",
                "add it (git remote add origin …), or set source = \"files\" under [deploy.vercel]",
            ));
        };
        Ok(json!({ "type": "github", "org": owner, "repo": name, "ref": commit, "sha": commit }))
    }

    async fn files(
        &self,
        source: &Arc<dyn Source>,
        track: &mut Track,
    ) -> Result<Content, DeployFailure> {
        let source = Arc::clone(source);
        let collected = tokio::task::spawn_blocking(move || {
            let folder = tempfile::tempdir()?;
            source.export(folder.path())?;
            let root: &Path = folder.path();
            let files = files::collect(root)?;
            let inline = files::inline(&files)?;
            Ok::<_, std::io::Error>(Content::Files {
                files,
                inline,
                _folder: folder,
            })
        });
        let content = collected
            .await
            .map_err(std::io::Error::other)
            .and_then(|content| content)
            .map_err(|error| {
                track.failure(
                    format!("the commit's files cannot be collected: {error}"),
                    "make sure that the repository is whole (git fsck) and that the disk is not full, then deploy again",
                )
            })?;
        if matches!(&content, Content::Files { files, .. } if files.is_empty()) {
            return Err(track.failure(
                "the commit has no files to deploy",
                "commit the site's files first",
            ));
        }
        Ok(content)
    }

    fn body(&self, request: &DeployRequest, content: &Content, settings: bool) -> Value {
        let project = &self.options.project;
        let mut meta = json!({
            META: request.id,
            META_COMMIT: request.source.commit(),
        });
        let mut body = json!({ "name": project, "project": project });
        match content {
            Content::Git(source) => body["gitSource"] = source.clone(),
            Content::Same(id) => {
                body["deploymentId"] = json!(id);
                meta["action"] = json!("redeploy");
            }
            Content::Files {
                inline: Some(inline),
                ..
            } => body["files"] = json!(inline),
            Content::Files {
                files,
                inline: None,
                ..
            } => {
                body["files"] = files.iter().map(File::named).collect();
            }
        }
        body["meta"] = meta;
        match self.options.place.as_str() {
            "production" => body["target"] = json!("production"),
            "preview" => {}
            slug => body["customEnvironmentSlugOrId"] = json!(slug),
        }
        if settings {
            body["projectSettings"] = json!({ "framework": null });
        }
        body
    }

    /// Sends the creation. It is not repeated where it may have been done.
    async fn send(&self, body: Value, force: bool, track: &mut Track) -> Result<Seen, Fault> {
        let mut call =
            Call::post(&["v13", "deployments"], body).with("skipAutoDetectionConfirmation", "1");
        if force {
            call = call.with("forceNew", "1");
        }
        let cancel = track.cancel.clone();
        let call = self.call(call);
        let answer = self
            .api
            .write(&call, &cancel, &mut |text| track.log(&text))
            .await?;
        Seen::read(&answer.body)
            .ok_or_else(|| Fault::Unclear("the answer names no deployment".to_owned()))
    }

    async fn send_missing(
        &self,
        no: &Refused,
        content: &mut Content,
        round: u32,
        track: &mut Track,
    ) -> Result<(), DeployFailure> {
        let Content::Files { files, inline, .. } = content else {
            return Err(track.failure(format!("Vercel misses files: {}", no.text()), hint(no)));
        };
        *inline = None;
        let error = no.body.get("error").unwrap_or(&no.body);
        let missing = super::seen::names(&error["missing"]);
        self.sent.remove(&missing);
        let wanted = once_each(files.iter().filter(|file| {
            // A list that names nothing of ours means all of it.
            missing.is_empty() || missing.contains(&file.sha)
        }));
        if round > 1 {
            // Sent already: they are on their way.
            tokio::time::sleep(self.options.pace.failed.mul_f64(0.25 * f64::from(round))).await;
        }
        self.upload(&wanted, track).await
    }

    /// Sends files, several at once. Safe to repeat: a file is named by its contents.
    async fn upload(&self, files: &[&File], track: &mut Track) -> Result<(), DeployFailure> {
        if files.is_empty() {
            return Ok(());
        }
        let total: u64 = files.iter().map(|file| file.size).sum();
        track.enter(
            Stage::Upload,
            format!("sends {} files, {}", files.len(), bytes(total)),
        );
        let (say, mut said) = mpsc::unbounded_channel::<String>();
        let cancel = track.cancel.clone();
        let sending: Vec<BoxFuture<'_, Result<u64, Fault>>> = files
            .iter()
            .map(|file| {
                self.send_file((*file).clone(), say.clone(), cancel.clone())
                    .boxed()
            })
            .collect();
        drop(say);
        let mut uploads = futures::stream::iter(sending).buffer_unordered(AT_ONCE);
        let (mut done, mut size) = (0, 0);
        loop {
            let next = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(track.stopped()),
                Some(text) = said.recv() => {
                    track.log(&text);
                    continue;
                }
                next = uploads.next() => next,
            };
            match next {
                None => return Ok(()),
                Some(Ok(sent)) => {
                    done += 1;
                    size += sent;
                    // Files without bytes are counted by their number.
                    let permille = (size * 1000)
                        .checked_div(total)
                        .unwrap_or_else(|| done as u64 * 1000 / files.len() as u64);
                    track.fraction(
                        permille as u16,
                        format!(
                            "sent {done} of {} files, {} of {}",
                            files.len(),
                            bytes(size),
                            bytes(total)
                        ),
                    );
                }
                Some(Err(fault)) => {
                    return Err(fault.failure(track, "a file could not be sent to Vercel", &hint));
                }
            }
        }
    }

    async fn send_file(
        &self,
        file: File,
        say: mpsc::UnboundedSender<String>,
        cancel: CancellationToken,
    ) -> Result<u64, Fault> {
        let data = file.read().map_err(|error| {
            Fault::NotSent(Problem::internal(format!("{}: {error}", file.path)))
        })?;
        let call = Call {
            headers: vec![
                ("content-type", "application/octet-stream".to_owned()),
                ("x-vercel-digest", file.sha.clone()),
            ],
            body: Body::Bytes(data.into()),
            timeout: Some(UPLOAD),
            ..Call::new(Method::POST, &["v2", "files"])
        };
        let call = self.call(call);
        let mut tell = |text: String| drop(say.send(text));
        self.api.repeat(&call, &cancel, &mut tell).await?;
        Ok(file.size)
    }

    /// Looks for our deployment in Vercel's list: `None` when several looks did not find it.
    async fn look_for(
        &self,
        id: &DeploymentId,
        track: &mut Track,
    ) -> Result<Option<Seen>, DeployFailure> {
        let mut absent = 0;
        let mut why = String::new();
        for look in 0..self.options.pace.looks.max(LOOKS) {
            if look > 0 {
                tokio::time::sleep(self.options.pace.failed).await;
            }
            match self.find(id).await {
                Ok(Some(seen)) => return Ok(Some(seen)),
                Ok(None) => {
                    absent += 1;
                    if absent >= LOOKS {
                        return Ok(None);
                    }
                }
                Err(fault) => {
                    let now = said(&fault);
                    if now != why {
                        track.log(&format!(
                            "unknown whether Vercel took the deployment: {now}; looks again"
                        ));
                        why = now;
                    }
                    // A token that is not accepted will not be at the next look.
                    if fault
                        .refused()
                        .is_some_and(|no| [401, 403].contains(&no.status) && no.wait.is_none())
                    {
                        break;
                    }
                }
            }
        }
        Err(track.unknown(
            format!("unknown whether Vercel took the deployment: its list cannot be read ({why})"),
            "Sayso looks again while it runs; nothing is sent a second time. The project's page on Vercel shows it too",
        ))
    }

    /// After a creation that was sent twice: of two, one goes.
    async fn cancel_doubles(&self, id: &DeploymentId, keep: &str, track: &mut Track) {
        let Ok(all) = self.list(100).await else {
            return;
        };
        for double in all
            .iter()
            .filter(|seen| seen.ours.as_deref() == Some(id.as_str()) && seen.id != keep)
        {
            let call = Call::new(Method::PATCH, &["v12", "deployments", &double.id, "cancel"]);
            // One that is over already serves nobody: its aliases follow the newer one.
            let canceled = self.ask(call).await.is_ok();
            track.notice(format!(
                "Vercel had taken the deployment twice: {} {}",
                double.id,
                if canceled {
                    "is canceled"
                } else {
                    "could not be canceled"
                }
            ));
        }
    }
}

/// What a fault says, in short.
pub(super) fn said(fault: &Fault) -> String {
    match fault {
        Fault::NotSent(problem) => problem.detail.clone(),
        Fault::Unclear(message) => message.clone(),
        Fault::Refused(no) => no.text(),
        Fault::Stopped => "stopped".to_owned(),
    }
}

/// True when the files were inside the call; they are not any more.
fn takes_no_inline(content: &mut Content) -> bool {
    match content {
        Content::Files { inline, .. } => inline.take().is_some(),
        _ => false,
    }
}

/// Bytes for people.
fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} bytes"),
        10_000..1_000_000 => format!("{} kB", count / 1000),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}
