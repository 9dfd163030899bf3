//! `GET /api/deployments/compare`.

use axum::extract::State;
use axum::http::Uri;
use url::form_urlencoded;

use super::App;
use crate::model::Problem;
use crate::model::api::Comparison;

pub(super) async fn show(
    State(app): State<App>,
    uri: Uri,
) -> Result<axum::Json<Comparison>, Problem> {
    let query = uri.query().unwrap_or_default();
    let named = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.is_empty() && value.len() <= 128)
            .ok_or_else(|| {
                Problem::bad_request(format!("`{wanted}` is missing"))
                    .hint("name two deployments, releases or commits: ?a=…&b=…")
            })
    };
    let b = named("b")?;
    let short = form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "patch" && value == "0");
    let comparison = if short {
        let a = named("a").ok();
        app.conductor.compare_commits(a.as_deref(), &b).await?
    } else {
        app.conductor.compare(&named("a")?, &b).await?
    };
    Ok(axum::Json(comparison))
}
