//! Refusals that arrive.
//!
//! A server that answers and closes while a client is still sending resets the connection, and the client never reads
//! why its upload was refused. So after an error the rest of the body is taken and thrown away, within bounds.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use futures::{Stream, StreamExt as _};

/// The most that is thrown away.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The longest time spent on it.
const MAX_TIME: Duration = Duration::from_secs(5);

/// Where a body that was not read to its end comes back to.
type Home = Arc<Mutex<Option<BodyDataStream>>>;

/// A body that returns home when its reader drops it.
struct Lent {
    body: Option<BodyDataStream>,
    home: Home,
}

impl Stream for Lent {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let next = body.poll_next_unpin(context);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        next
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

/// Takes what is left of the body of a refused request before the refusal is sent.
pub(super) async fn linger(request: Request, next: Next) -> Response {
    // Who asks first whether to send has not sent, and a plain GET has nothing to send.
    if request.method().is_safe() || request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let home = Home::default();
    let request = request.map(|body| {
        Body::from_stream(Lent {
            body: Some(body.into_data_stream()),
            home: home.clone(),
        })
    });
    let response = next.run(request).await;
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let left = home.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut body) = left {
            let drain = async {
                let mut taken = 0;
                while let Some(Ok(bytes)) = body.next().await
                    && taken <= MAX_BYTES
                {
                    taken += bytes.len();
                }
            };
            // Too much or too slow: then the connection is reset after all.
            let _ = tokio::time::timeout(MAX_TIME, drain).await;
        }
    }
    response
}
