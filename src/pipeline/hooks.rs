//! Webhooks: a hint that something happened, never the truth about it. Each delivery is taken once, told as an event at
//! once, and then the place itself is read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Conductor;
use super::records::Change;
use crate::model::{EventKind, NewEvent, Problem};

/// Deliveries by who sent them and their id.
const DELIVERY: &str = "webhook";

/// The same in the order in which they came, so that the oldest can go.
const SLOT: &str = "webhook-slot";

/// How many came.
const COUNT: &str = "webhook-count";

/// Deliveries that are remembered.
const REMEMBERED: u64 = 4096;

/// A delivery whose signature is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// `github`, `vercel` or `generic`.
    pub source: String,
    /// What names it among those of the source.
    pub id: String,
    /// What kind of thing happened, in the source's words.
    pub kind: String,
    /// The same for people.
    pub message: String,
    /// Fields for programs.
    pub data: Value,
}

impl Conductor {
    /// Takes a delivery; false when it was taken before.
    ///
    /// # Errors
    /// `store` when it cannot be remembered: then the sender should send it again.
    pub async fn receive(self: &Arc<Self>, delivery: Delivery) -> Result<bool, Problem> {
        {
            let _one = self.receiving.lock().await;
            let key = format!("{}:{}", delivery.source, delivery.id);
            if self.log.get::<u64>(DELIVERY, &key)?.is_some() {
                return Ok(false);
            }
            let count: u64 = self.log.get(COUNT, "n")?.unwrap_or(0);
            let slot = format!("{:04}", count % REMEMBERED);
            let oldest: Option<String> = self.log.get(SLOT, &slot)?;
            let mut data = delivery.data;
            data["message"] = json!(delivery.message);
            data["source"] = json!(delivery.source);
            data["kind"] = json!(delivery.kind);
            data["delivery"] = json!(delivery.id);
            let event = NewEvent::new(EventKind::Notice, &delivery.source, data);
            let mut change = Change::new()
                .event(event)
                .put(DELIVERY, &key, &count)?
                .put(SLOT, &slot, &key)?
                .put(COUNT, "n", &(count + 1))?;
            if let Some(oldest) = oldest {
                change = change.delete(DELIVERY, &oldest);
            }
            change.store(&self.log).await?;
        }
        // Running deployments look at once; and what nobody here began is read from the place.
        for target in self.targets.values() {
            target.nudge();
        }
        let conductor = Arc::clone(self);
        self.tasks
            .spawn(async move { conductor.look_elsewhere().await });
        Ok(true)
    }
}
