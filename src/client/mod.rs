//! The typed client of the HTTP API: the cockpit, the command line and tests speak to a server only through it.

mod gates;
mod history;
mod options;
pub mod outbox;
mod poll;
pub mod reconnect;
pub mod room;
pub mod sequence;
pub mod stream;
mod tokens;
mod transport;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::model::api::{
    Accepted, Answer, Approval, Approved, BatchApproval, Comparison, Decide, DeploymentList,
    EditText, EventPage, ProposalView, RecipeInfo, Reject, Restore, Revise, RunRecipe, SiteWords,
    StartPreview, Status, Submission, SyncRequest, Synced, VersionView, WatchRequest, WatchStatus,
};
use crate::model::{
    Cursor, Deployment, DeploymentId, Instruction, InstructionId, Preview, Problem, ProposalId,
};

/// Where a server is and how to be let in.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Endpoint {
    /// Base address, e.g. `http://127.0.0.1:41234`.
    pub url: Url,
    /// Bearer token.
    pub token: String,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is a secret: it must not reach a log by way of `{:?}`.
        f.debug_struct("Endpoint")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

/// How long a process may take to serve a project after the one that did has ended.
const TAKEN_OVER: Duration = Duration::from_secs(5);

/// A client of one server. Cheap to clone; all clones follow the server when it moves.
#[derive(Clone, Debug)]
pub struct Client {
    endpoint: Arc<RwLock<Endpoint>>,
    /// The file in which the server of a project writes its address.
    address: Option<Arc<Path>>,
    http: reqwest::Client,
}

impl Client {
    /// A client for `endpoint`.
    ///
    /// # Errors
    /// When the machine's TLS set-up is broken.
    pub fn new(endpoint: Endpoint) -> Result<Self, Problem> {
        // A second call finds the provider installed; that is no error.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(Problem::internal)?;
        Ok(Self {
            endpoint: Arc::new(RwLock::new(endpoint)),
            address: None,
            http,
        })
    }

    /// The server.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The same client, which looks into `file` for the address of the server when it is not reached any more:
    /// another process may serve the project by then.
    pub fn at_address_in(mut self, file: &Path) -> Self {
        self.address = Some(file.into());
        self
    }

    /// Speaks to the server at `endpoint` from now on, as do all clones.
    pub fn move_to(&self, endpoint: Endpoint) {
        *self
            .endpoint
            .write()
            .unwrap_or_else(PoisonError::into_inner) = endpoint;
    }

    /// Looks whether the server is elsewhere now; true when it is.
    pub fn look_for_server(&self) -> bool {
        let known = self
            .address
            .as_deref()
            .and_then(|file| std::fs::read(file).ok());
        let found = known.and_then(|bytes| serde_json::from_slice::<Endpoint>(&bytes).ok());
        match found {
            Some(found) if found != self.endpoint() => {
                self.move_to(found);
                true
            }
            _ => false,
        }
    }

    /// `GET /api/status`.
    pub async fn status(&self) -> Result<Status, Problem> {
        self.get("api/status").await
    }

    /// `POST /api/voice-to-code` with words.
    pub async fn submit(&self, submission: &Submission, key: &str) -> Result<Accepted, Problem> {
        // By its key the server knows one that it was sent before.
        self.reach(true, || {
            let request = self.request(Method::POST, "api/voice-to-code")?;
            Ok(request.header("Idempotency-Key", key).json(submission))
        })
        .await
    }

    /// `POST /api/voice-to-code` with a WAV file, as multipart.
    pub async fn submit_audio(
        &self,
        wav: Vec<u8>,
        submission: &Submission,
        key: &str,
    ) -> Result<Accepted, Problem> {
        let part = reqwest::multipart::Part::bytes(wav)
            .file_name("recording.wav")
            .mime_str("audio/wav")
            .map_err(Problem::internal)?;
        let action = serde_json::to_value(submission.action).map_err(Problem::internal)?;
        let mut form = reqwest::multipart::Form::new()
            .part("audio", part)
            .text("action", action.as_str().unwrap_or("preview").to_owned());
        if let Some(path) = &submission.file_path {
            form = form.text("filePath", path.clone());
        }
        if let Some(engine) = &submission.engine {
            form = form.text("engine", engine.clone());
        }
        if !submission.commands.is_empty() {
            form = form.text("commands", submission.commands.join("\n"));
        }
        let request = self.request(Method::POST, "api/voice-to-code")?;
        answer(request.header("Idempotency-Key", key).multipart(form)).await
    }

    /// `GET /api/instructions/{id}`.
    pub async fn instruction(&self, id: &InstructionId) -> Result<Instruction, Problem> {
        self.get(&format!("api/instructions/{id}")).await
    }

    /// `POST /api/instructions/{id}/answer`.
    pub async fn answer(&self, id: &InstructionId, yes: bool) -> Result<Instruction, Problem> {
        let answer = Answer { yes, keep: None };
        self.answer_with(id, &answer).await
    }

    /// The same, of a plan with the lines that remain.
    pub async fn answer_with(
        &self,
        id: &InstructionId,
        answer: &Answer,
    ) -> Result<Instruction, Problem> {
        self.post(&format!("api/instructions/{id}/answer"), answer)
            .await
    }

    /// `POST /api/instructions/{id}/cancel`.
    pub async fn cancel_instruction(&self, id: &InstructionId) -> Result<Instruction, Problem> {
        self.post(
            &format!("api/instructions/{id}/cancel"),
            &serde_json::json!({}),
        )
        .await
    }

    /// `GET /api/proposals`.
    pub async fn proposals(&self) -> Result<Vec<ProposalView>, Problem> {
        self.get("api/proposals").await
    }

    /// `GET /api/proposals/{id}`.
    pub async fn proposal(&self, id: &ProposalId) -> Result<ProposalView, Problem> {
        self.get(&format!("api/proposals/{id}")).await
    }

    /// `POST /api/proposals/{id}/approve`.
    pub async fn approve(&self, id: &ProposalId, approval: &Approval) -> Result<Approved, Problem> {
        self.post(&format!("api/proposals/{id}/approve"), approval)
            .await
    }

    /// `POST /api/proposals/approve`: several as one commit.
    pub async fn approve_batch(&self, approval: &BatchApproval) -> Result<Synced, Problem> {
        self.post("api/proposals/approve", approval).await
    }

    /// `POST /api/proposals/{id}/reject`.
    pub async fn reject(&self, id: &ProposalId, reject: &Reject) -> Result<ProposalView, Problem> {
        self.post(&format!("api/proposals/{id}/reject"), reject)
            .await
    }

    /// `POST /api/proposals/{id}/reopen`: the way back from a rejection.
    pub async fn reopen(&self, id: &ProposalId) -> Result<ProposalView, Problem> {
        self.post(
            &format!("api/proposals/{id}/reopen"),
            &serde_json::json!({}),
        )
        .await
    }

    /// `POST /api/proposals/{id}/decide`.
    pub async fn decide(&self, id: &ProposalId, decide: &Decide) -> Result<ProposalView, Problem> {
        self.post(&format!("api/proposals/{id}/decide"), decide)
            .await
    }

    /// `POST /api/proposals/{id}/edit`.
    pub async fn edit(&self, id: &ProposalId, edit: &EditText) -> Result<ProposalView, Problem> {
        self.post(&format!("api/proposals/{id}/edit"), edit).await
    }

    /// `GET /api/proposals/{id}/versions`.
    pub async fn versions(&self, id: &ProposalId) -> Result<Vec<VersionView>, Problem> {
        self.get(&format!("api/proposals/{id}/versions")).await
    }

    /// `POST /api/proposals/{id}/restore`.
    pub async fn restore(
        &self,
        id: &ProposalId,
        restore: &Restore,
    ) -> Result<ProposalView, Problem> {
        self.post(&format!("api/proposals/{id}/restore"), restore)
            .await
    }

    /// `POST /api/proposals/{id}/revise`.
    pub async fn revise(&self, id: &ProposalId, revise: &Revise) -> Result<Accepted, Problem> {
        self.post(&format!("api/proposals/{id}/revise"), revise)
            .await
    }

    /// `POST /api/proposals/{id}/preview`: build and serve it before it is approved.
    pub async fn preview(&self, id: &ProposalId, start: StartPreview) -> Result<Preview, Problem> {
        self.post(&format!("api/proposals/{id}/preview"), &start)
            .await
    }

    /// `GET /api/proposals/{id}/preview`.
    pub async fn preview_of(&self, id: &ProposalId) -> Result<Preview, Problem> {
        self.get(&format!("api/proposals/{id}/preview")).await
    }

    /// `DELETE /api/proposals/{id}/preview`.
    pub async fn end_preview(&self, id: &ProposalId) -> Result<(), Problem> {
        let request = self.request(Method::DELETE, &format!("api/proposals/{id}/preview"))?;
        bytes_of(request.timeout(Duration::from_secs(15))).await?;
        Ok(())
    }

    /// `GET /api/proposals/{id}/preview/picture`: a picture of the page, as PNG.
    pub async fn preview_picture(&self, id: &ProposalId) -> Result<Vec<u8>, Problem> {
        let request = self.request(Method::GET, &format!("api/proposals/{id}/preview/picture"))?;
        bytes_of(request.timeout(Duration::from_secs(15))).await
    }

    /// `GET /api/words`.
    pub async fn words(&self) -> Result<SiteWords, Problem> {
        self.get("api/words").await
    }

    /// `GET /api/recipes`.
    pub async fn recipes(&self) -> Result<Vec<RecipeInfo>, Problem> {
        self.get("api/recipes").await
    }

    /// `GET /api/recipes/{name}`.
    pub async fn recipe(&self, name: &str) -> Result<RecipeInfo, Problem> {
        let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        self.get(&format!("api/recipes/{name}")).await
    }

    /// `POST /api/recipes/{name}`: follow it.
    pub async fn run_recipe(&self, name: &str, run: &RunRecipe) -> Result<Accepted, Problem> {
        let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        self.post(&format!("api/recipes/{name}"), run).await
    }

    /// `POST /api/sync/instant`: commit and deploy.
    pub async fn instant_sync(&self, request: &SyncRequest) -> Result<Synced, Problem> {
        self.post("api/sync/instant", request).await
    }

    /// `POST /api/sync/batch`: many proposals, one commit, one deployment.
    pub async fn batch_sync(&self, request: &SyncRequest) -> Result<Synced, Problem> {
        self.post("api/sync/batch", request).await
    }

    /// `POST /api/sync/commit`: commit only.
    pub async fn quick_commit(&self, request: &SyncRequest) -> Result<Synced, Problem> {
        self.post("api/sync/commit", request).await
    }

    /// `POST /api/sync/deploy`: deploy the branch's head.
    pub async fn deploy(&self, request: &SyncRequest) -> Result<Synced, Problem> {
        self.post("api/sync/deploy", request).await
    }

    /// `POST /api/sync/redeploy`: deploy the current state again.
    pub async fn force_redeploy(&self, request: &SyncRequest) -> Result<Synced, Problem> {
        self.post("api/sync/redeploy", request).await
    }

    /// `POST /api/watch`: every save goes to a sandbox, or no longer.
    pub async fn watch(&self, request: &WatchRequest) -> Result<WatchStatus, Problem> {
        self.post("api/watch", request).await
    }

    /// `GET /api/deployments`.
    pub async fn deployments(&self) -> Result<DeploymentList, Problem> {
        self.get("api/deployments").await
    }

    /// `GET /api/deployments/{id}`.
    pub async fn deployment(&self, id: &DeploymentId) -> Result<Deployment, Problem> {
        self.get(&format!("api/deployments/{id}")).await
    }

    /// `GET /api/deployments/compare`: what differs between two deployments, releases or commits.
    pub async fn compare(&self, a: &str, b: &str) -> Result<Comparison, Problem> {
        let request = self.request(Method::GET, "api/deployments/compare")?;
        let request = request.query(&[("a", a), ("b", b)]);
        answer(request.timeout(Duration::from_secs(60))).await
    }

    /// `GET /api/events`: a page of the log after `after` (absent: from the oldest), waiting up to `wait`.
    pub async fn events(
        &self,
        after: Option<&Cursor>,
        limit: usize,
        wait: Duration,
    ) -> Result<EventPage, Problem> {
        let mut query = vec![
            ("limit", limit.to_string()),
            ("wait", wait.as_secs().to_string()),
        ];
        query.extend(after.map(|cursor| ("after", cursor.to_string())));
        let request = self.request(Method::GET, "api/events")?.query(&query);
        answer(request.timeout(wait + Duration::from_secs(15))).await
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Problem> {
        let endpoint = self.endpoint();
        let url = endpoint
            .url
            .join(path)
            .map_err(|e| Problem::bad_request(e.to_string()))?;
        Ok(self.http.request(method, url).bearer_auth(&endpoint.token))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        self.reach(true, || {
            let request = self.request(Method::GET, path)?;
            Ok(request.timeout(Duration::from_secs(15)))
        })
        .await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Problem> {
        self.reach(false, || {
            // Hooks of a repository may take minutes; the server answers when they are done.
            let request = self.request(Method::POST, path)?;
            Ok(request.timeout(Duration::from_secs(900)).json(body))
        })
        .await
    }

    /// Sends the request that `make` makes, and reads the answer. Where nobody listens at the address, and another
    /// process may take the project over, it is made again for that one: a request that was refused did nothing, as one
    /// that a server at its end leaves undone. With `harmless`, one that broke off is made again as well.
    async fn reach<T: DeserializeOwned>(
        &self,
        harmless: bool,
        make: impl Fn() -> Result<RequestBuilder, Problem>,
    ) -> Result<T, Problem> {
        let deadline = Instant::now() + TAKEN_OVER;
        loop {
            let asked = self.endpoint();
            let (undone, problem) = match make()?.send().await {
                Err(error) => (
                    error.is_connect() || harmless && !error.is_timeout(),
                    unreachable_server(&error),
                ),
                Ok(response) => match bytes_in(response).await {
                    Ok(bytes) => return read_json(&bytes),
                    Err(problem) => (problem.is("ending"), problem),
                },
            };
            if !undone || self.address.is_none() || Instant::now() >= deadline {
                return Err(problem);
            }
            while !self.look_for_server() && self.endpoint() == asked && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Sends a request and reads its JSON, or its problem document.
async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Problem> {
    read_json(&bytes_of(request).await?)
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        Problem::new(
            502,
            "bad-answer",
            format!("the server's answer is not understood: {error}"),
        )
        .hint("client and server may be of different versions")
    })
}

/// Sends a request and reads its body as it is, or its problem document.
async fn bytes_of(request: RequestBuilder) -> Result<Vec<u8>, Problem> {
    let response = request
        .send()
        .await
        .map_err(|error| unreachable_server(&error))?;
    bytes_in(response).await
}

async fn bytes_in(response: Response) -> Result<Vec<u8>, Problem> {
    if !response.status().is_success() {
        return Err(problem_of(response).await);
    }
    let bytes = response
        .bytes()
        .await
        .map_err(|error| unreachable_server(&error))?;
    Ok(bytes.into())
}

async fn problem_of(response: Response) -> Problem {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap_or_default();
    serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Problem::new(status, "http", format!("the server answered {status}")))
}

fn unreachable_server(error: &reqwest::Error) -> Problem {
    // The error's own text names the address and, for a refused connection, little else: say what it means.
    let what = if error.is_timeout() {
        "did not answer in time"
    } else {
        "cannot be reached"
    };
    Problem::new(
        503,
        "unreachable",
        format!("the Sayso server {what}: {error}"),
    )
    .hint("check that it runs (`sayso serve`) and that the address is right")
}
