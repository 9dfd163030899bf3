//! The offline edit engine: plain requests, exact bytes, no model and no network.

pub mod ask;
pub mod doc;
pub mod parse;
pub mod site;
pub mod text;
pub mod view;

use async_trait::async_trait;

use super::{Generated, Generator, Request};
use crate::model::{Refusal, RefusalReason};

/// The engine. Keeps an index of the last tree it saw.
#[derive(Default)]
pub struct Offline {}

#[async_trait]
impl Generator for Offline {
    fn name(&self) -> &'static str {
        "offline"
    }

    async fn generate(&self, request: Request) -> Result<Generated, Refusal> {
        Err(Refusal::new(
            RefusalReason::Unclear,
            format!("{:?} is not a change that is understood", request.words),
        ))
    }
}

/// A spelled-out hex colour, or one in notation.
pub(crate) fn spoken_hex(text: &str) -> Option<String> {
    crate::intent::numbers::hex(text)
}
