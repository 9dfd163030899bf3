//! A git server on loopback that speaks HTTP as those on the web do: `git http-backend` behind a small server.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use tokio::io::AsyncWriteExt;

/// Serves the bare repositories in a folder; ends with the test's runtime.
pub async fn serve(folder: &Path) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new()
        .fallback(answer)
        .with_state(folder.to_owned());
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// One request through the program, by the rules of CGI (RFC 3875).
async fn answer(State(folder): State<PathBuf>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    let header = |headers: &HeaderMap, name| {
        let value = headers.get(name);
        value
            .map_or("", |value: &HeaderValue| value.to_str().unwrap())
            .to_owned()
    };
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        // Whom the server knows may push.
        .env("REMOTE_USER", "tester")
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header(&parts.headers, CONTENT_TYPE))
        .env(
            "HTTP_CONTENT_ENCODING",
            header(&parts.headers, CONTENT_ENCODING),
        )
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let write = async move {
        // It may have said no before it read all.
        let _ = stdin.write_all(&body).await;
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), write);
    let said = output.unwrap().stdout;
    let end = said.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return status(StatusCode::INTERNAL_SERVER_ERROR, said);
    };
    let head = String::from_utf8(said[..end].to_vec()).unwrap();
    let mut response = status(StatusCode::OK, said[end + 4..].to_vec());
    for line in head.lines() {
        let (name, value) = line.split_once(": ").unwrap();
        if name.eq_ignore_ascii_case("status") {
            *response.status_mut() = value[..3].parse().unwrap();
        } else {
            let name: HeaderName = name.parse().unwrap();
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    response
}

fn status(code: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = code;
    response
}
