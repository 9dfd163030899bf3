//! What servers of a project tell each other beside the log: it is true now or not at all, and nobody keeps it.

use futures::{Stream, StreamExt as _};

use super::Remote;
use super::link::trouble;
use crate::model::Problem;

impl Remote {
    /// Tells the other servers `body` about `topic`; who is not reached has missed it.
    pub async fn tell(&self, topic: &str, body: Vec<u8>) {
        let subject = format!("sayso.{}.{topic}", self.link.project);
        if let Err(error) = self.link.client.publish(subject, body.into()).await {
            tracing::debug!(%error, topic, "other servers were not told");
        }
    }

    /// What is told about `topic` from now on, by this server as well.
    ///
    /// # Errors
    /// `nats`.
    pub async fn heard(&self, topic: &str) -> Result<impl Stream<Item = Vec<u8>> + use<>, Problem> {
        let subject = format!("sayso.{}.{topic}", self.link.project);
        let messages = self.link.client.subscribe(subject).await;
        let messages = messages.map_err(|error| trouble(error.to_string()))?;
        Ok(messages.map(|message| message.payload.to_vec()))
    }
}
