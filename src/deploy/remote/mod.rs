//! What targets outside this process share: bookkeeping of one deployment, what is remembered of an environment, a
//! probe of any address on the web, and calls of a service's API with an outcome that is never guessed.

pub(crate) mod api;
mod fault;
pub(crate) mod memory;
pub(crate) mod probe;
pub(crate) mod redact;
pub(crate) mod track;
pub(crate) mod usual;

use std::sync::Arc;

use futures::future::BoxFuture;

use super::DeployFailure;
use crate::model::{Problem, Stage};

pub use api::Pace;
pub use redact::Redactor;

/// Where a token comes from, asked at each use: one that was renewed meanwhile is taken at once.
pub type Token = Arc<dyn Fn() -> BoxFuture<'static, Result<String, Problem>> + Send + Sync>;

/// Does `work` in a task of its own, so that it comes to its end even when nobody waits for it any more.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, DeployFailure>> + Send + 'static,
) -> Result<T, DeployFailure> {
    tokio::spawn(work).await.unwrap_or_else(|error| {
        Err(DeployFailure {
            stage: Stage::Queue,
            message: format!("the deployment ended unexpectedly: {error}"),
            hint: "look at what is live, then deploy again".to_owned(),
            log_tail: Vec::new(),
            canceled: false,
            rolled_back: false,
            unknown: true,
        })
    })
}
