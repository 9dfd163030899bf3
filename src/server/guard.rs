//! Who may even speak to us: `Host` must be a name of this server, `Origin` (when a browser sends one) must be
//! this server's own, or one of the list in [`cors`](super::cors).
//!
//! A page on the internet can make a browser call a loopback port. By DNS rebinding its own name then points here,
//! so the `Host` header carries that name: refusing foreign names closes that door.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::cors::{Origins, preflight};
use crate::model::Problem;

/// The `Host` values that are this server's own, in lower case.
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    /// The loopback names with the port of `addr`, `addr` itself, and `extra`.
    pub(super) fn new(addr: SocketAddr, extra: &[String]) -> Self {
        let port = addr.port();
        let mut names: Vec<String> = ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .map(|name| format!("{name}:{port}"))
            .collect();
        if port == 80 {
            // A client leaves the scheme's own port out.
            names.extend(["127.0.0.1", "localhost", "[::1]"].map(str::to_owned));
        }
        if !addr.ip().is_unspecified() {
            names.push(addr.to_string());
        }
        names.extend(extra.iter().map(|name| name.to_ascii_lowercase()));
        Self(names)
    }

    fn allow(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.0.contains(&name)
    }

    /// Checks target, `Host` and `Origin` of a request; the origin, when it is another one that may call.
    fn check(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        listed: &Origins,
    ) -> Result<Option<HeaderValue>, Problem> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().unwrap_or_default(),
            (None, _) => {
                return Err(Problem::bad_request("the request has no Host header")
                    .hint("send one Host header with the address of the server"));
            }
            (Some(_), Some(_)) => {
                return Err(Problem::bad_request("the request has several Host headers")
                    .hint("send one Host header with the address of the server"));
            }
        };
        // `GET http://name/path` names its host in the target.
        for name in [Some(host), uri.authority().map(|a| a.as_str())]
            .into_iter()
            .flatten()
        {
            if !self.allow(name) {
                return Err(Problem::new(
                    403,
                    "host-not-allowed",
                    format!("this server is not known as {name:?}"),
                )
                .hint("use 127.0.0.1 or localhost with the server's port, or allow the name in its configuration"));
            }
        }
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Ok(None),
            (Some(origin), None) if same_origin(origin.to_str().unwrap_or_default(), host) => {
                Ok(None)
            }
            (Some(origin), None) if listed.allow(origin.to_str().unwrap_or_default()) => {
                Ok(Some(origin.clone()))
            }
            _ => Err(Problem::new(
                403,
                "origin-not-allowed",
                "the request comes from a page of another origin",
            )
            .hint(
                "open the server's own status page, call without a browser, or name the page's origin in its configuration: \
                 [server] origins",
            )),
        }
    }
}

/// True when `origin` is a page that was served under `host`. `null` never is.
fn same_origin(origin: &str, host: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .filter_map(|scheme| origin.strip_prefix(scheme))
        .any(|authority| authority.eq_ignore_ascii_case(host))
}

/// Refuses requests with a foreign `Host` or `Origin`, before anything else looks at them.
pub(super) async fn check(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let foreign = match app
        .hosts
        .check(request.uri(), request.headers(), &app.origins)
    {
        Ok(foreign) => foreign,
        Err(problem) => return problem.into_response(),
    };
    let mut response = None;
    if foreign.is_some() {
        response = preflight(request.method(), request.headers());
        // It is this server's own page's.
        request.headers_mut().remove(COOKIE);
    }
    let mut response = match response {
        Some(response) => response,
        None => next.run(request).await,
    };
    app.origins.mark(&mut response, foreign);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, hosts: &[&str], origins: &[&str]) -> Option<u16> {
        let allowed = Hosts::new(
            ([127, 0, 0, 1], 4000).into(),
            &["Sayso.example.org".to_owned()],
        );
        let listed = Origins::new(&["https://status.example.org".to_owned()]).unwrap();
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_str(host).unwrap());
        }
        for origin in origins {
            headers.append(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        allowed
            .check(&target.parse().unwrap(), &headers, &listed)
            .err()
            .map(|problem| problem.status)
    }

    #[test]
    fn only_own_names_and_own_origins_pass() {
        for good in [
            "127.0.0.1:4000",
            "localhost:4000",
            "LOCALHOST:4000",
            "[::1]:4000",
            "sayso.example.org",
        ] {
            assert_eq!(check("/", &[good], &[]), None, "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "127.0.0.1",
            "127.0.0.1:4001",
            "localhost.:4000",
            "localhost:4000.evil.example",
            "evil.example:4000",
            "sayso.example.org:4000",
            "0.0.0.0:4000",
        ] {
            assert_eq!(check("/", &[bad], &[]), Some(403), "{bad}");
        }
        assert_eq!(check("/", &[], &[]), Some(400));
        assert_eq!(
            check("/", &["localhost:4000", "localhost:4000"], &[]),
            Some(400)
        );
        assert_eq!(
            check("http://evil.example/", &["localhost:4000"], &[]),
            Some(403)
        );
        assert_eq!(
            check("http://localhost:4000/", &["localhost:4000"], &[]),
            None
        );
    }

    #[test]
    fn an_origin_is_ours_or_refused() {
        let host = "localhost:4000";
        assert_eq!(check("/", &[host], &["http://localhost:4000"]), None);
        assert_eq!(check("/", &[host], &["https://status.example.org"]), None);
        for bad in [
            "null",
            "",
            "http://localhost:4001",
            "http://127.0.0.1:4000",
            "http://evil.example",
            "http://localhost:4000.evil.example",
            "ftp://localhost:4000",
            "localhost:4000",
        ] {
            assert_eq!(check("/", &[host], &[bad]), Some(403), "{bad}");
        }
        let twice = ["http://localhost:4000", "http://evil.example"];
        assert_eq!(check("/", &[host], &twice), Some(403));
    }
}
