//! Tokens that other servers of the project make and revoke: what they store comes with the event log.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::{Issued, MOST, Tokens};
use crate::model::token::TokenInfo;

impl Tokens {
    /// Takes over what other servers of the project make and revoke, until `shutdown`.
    pub(in crate::server) async fn follow(self: Arc<Self>, shutdown: CancellationToken) {
        let Some(mut changes) = self.log.remote().map(|remote| remote.changes()) else {
            return;
        };
        let mut all = true;
        loop {
            if std::mem::take(&mut all) {
                match self.log.list(TokenInfo::KIND, MOST) {
                    Ok(known) => known.into_iter().for_each(|info| self.is_now(info)),
                    Err(problem) => {
                        tracing::error!(%problem, "tokens of other servers are not known")
                    }
                }
            }
            let change = tokio::select! {
                () = shutdown.cancelled() => return,
                change = changes.recv() => change,
            };
            match change {
                Ok((kind, id)) if kind == TokenInfo::KIND => match self.log.get(&kind, &id) {
                    Ok(Some(info)) => self.is_now(info),
                    Ok(None) => drop(self.issued_mut().remove(&id)),
                    Err(problem) => tracing::error!(%problem, id, "a token is not known"),
                },
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => all = true,
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// What is stored of a token counts; what it opened ends when it was revoked.
    fn is_now(&self, info: TokenInfo) {
        let mut issued = self.issued_mut();
        let one = issued.entry(info.id.clone()).or_insert_with(|| Issued {
            info: info.clone(),
            ended: CancellationToken::new(),
        });
        one.info = info;
        if one.info.over(Timestamp::now()) {
            one.ended.cancel();
        }
        drop(issued);
        self.changed.notify_waiters();
    }
}
