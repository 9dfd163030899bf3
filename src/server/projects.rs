//! Several projects on one server: each with its whole interface under `/projects/NAME/`, the first one at the root, too. They
//! share the port, the server's own token and the limits; people's tokens, sessions and what is written down are each one's own.

use std::sync::{OnceLock, Weak};
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method};

use super::auth::Caller;
use super::{App, Shared, routes};
use crate::model::Problem;
use crate::model::token::{ProjectInfo, project_path};

/// All projects of a server, once all are there. They know each other weakly: the server holds them.
#[derive(Default)]
pub(super) struct Projects(OnceLock<Vec<Weak<Shared>>>);

impl Projects {
    /// They are these.
    pub(super) fn are(&self, apps: &[App]) {
        let _ = self
            .0
            .set(apps.iter().map(std::sync::Arc::downgrade).collect());
    }
}

/// Refuses two projects that would have the same address.
///
/// # Errors
/// `conflict`.
pub(super) fn distinct(names: &[&str]) -> Result<(), Problem> {
    for (at, name) in names.iter().enumerate() {
        let same = |other: &&&str| project_path(other) == project_path(name);
        if let Some(other) = names[..at].iter().find(same) {
            return Err(Problem::conflict(format!(
                "two projects would be at {}: {other} and {name}",
                project_path(name)
            ))
            .hint("a project is called like its folder: rename one of the folders"));
        }
    }
    Ok(())
}

/// The router over all projects.
pub(super) fn router(apps: &[App]) -> Router {
    let mut all = Router::new();
    for app in apps {
        let path = project_path(app.auth.tokens().project());
        all = all.nest(path.trim_end_matches('/'), routes::router(app));
    }
    match apps.first() {
        Some(first) => all.fallback_service(routes::router(first)),
        None => all,
    }
}

/// `GET /api/projects`: those that let the caller in.
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> axum::Json<Vec<ProjectInfo>> {
    let all = app.projects.0.get().into_iter().flatten();
    let seen = all.filter_map(Weak::upgrade).filter_map(|other| {
        let role = if std::sync::Arc::ptr_eq(&other, &app) {
            caller.identity.role
        } else {
            let there = other.auth.identify(&Method::GET, &headers, Instant::now());
            there.ok()?.identity.role
        };
        let name = other.auth.tokens().project().to_owned();
        let path = project_path(&name);
        Some(ProjectInfo { name, path, role })
    });
    axum::Json(seen.collect())
}
