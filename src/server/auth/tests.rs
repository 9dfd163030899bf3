//! Who is let in by which headers, and for how long.

use axum::http::{HeaderName, HeaderValue};

use super::*;
use crate::events::EventLog;
use crate::model::token::CreateToken;
use crate::server::keys::Signing;
use crate::store::Store;

const TOKEN: &str = "a-token-of-some-length";

fn auth(dir: &tempfile::TempDir) -> Auth {
    let log = EventLog::open(Store::open(&dir.path().join("db")).unwrap(), "site").unwrap();
    let tokens = Arc::new(Tokens::open(log, Signing::default()).unwrap());
    Auth::new(TOKEN, "ada", Cookie::new(4000, "/", false), tokens)
}

fn owner(auth: &Auth) -> Caller {
    auth.bearer(TOKEN).unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

fn status(auth: &Auth, method: &Method, pairs: &[(&'static str, &str)], now: Instant) -> u16 {
    auth.identify(method, &headers(pairs), now)
        .map_or_else(|problem| problem.status, |_| 200)
}

#[test]
fn bearer_tokens() {
    let dir = tempfile::tempdir().unwrap();
    let auth = auth(&dir);
    let now = Instant::now();
    let get = |value: &str| status(&auth, &Method::GET, &[("authorization", value)], now);
    assert_eq!(get(&format!("Bearer {TOKEN}")), 200);
    assert_eq!(get(&format!("bearer  {TOKEN}")), 200);
    for bad in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a-token-of-some-lengt",
        "Basic a-token-of-some-length",
        TOKEN,
    ] {
        assert_eq!(get(bad), 401, "{bad:?}");
    }
    assert_eq!(status(&auth, &Method::GET, &[], now), 401);
}

#[test]
fn a_session_reads_by_cookie_and_writes_only_with_header_and_origin() {
    let dir = tempfile::tempdir().unwrap();
    let auth = auth(&dir);
    let now = Instant::now();
    let set = auth.begin(owner(&auth), now).unwrap();
    assert!(set.starts_with("sayso_4000=") && set.ends_with("; HttpOnly; SameSite=Strict"));
    let cookie = format!("other=1; {}", set.split(';').next().unwrap());
    let with = |method: &Method, more: &[(&'static str, &str)], now| {
        let mut pairs = vec![("cookie", cookie.as_str())];
        pairs.extend_from_slice(more);
        status(&auth, method, &pairs, now)
    };
    let origin = ("origin", "http://localhost:4000");
    assert_eq!(with(&Method::GET, &[], now), 200);
    assert_eq!(with(&Method::POST, &[], now), 403);
    assert_eq!(with(&Method::POST, &[origin], now), 403);
    assert_eq!(with(&Method::POST, &[(CSRF_HEADER, "1")], now), 403);
    assert_eq!(with(&Method::POST, &[(CSRF_HEADER, "1"), origin], now), 200);
    assert_eq!(with(&Method::DELETE, &[], now), 403);
    // A wrong token is not rescued by a good cookie.
    assert_eq!(
        with(&Method::GET, &[("authorization", "Bearer x")], now),
        401
    );
    assert_eq!(with(&Method::GET, &[], now + SESSION), 401);
    auth.end(&headers(&[("cookie", &cookie)]));
    assert_eq!(with(&Method::GET, &[], now), 401);
}

#[test]
fn sessions_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let auth = auth(&dir);
    let now = Instant::now();
    for n in 0..200 {
        auth.begin(owner(&auth), now + Duration::from_secs(n))
            .unwrap();
    }
    assert_eq!(auth.sessions.lock().unwrap().len(), MAX_SESSIONS);
}

#[tokio::test]
async fn a_session_is_its_tokens_and_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let auth = auth(&dir);
    let now = Instant::now();
    let create = CreateToken {
        name: "Bob".into(),
        role: Role::Viewer,
        project: None,
        rooms: BTreeMap::new(),
        expires_in: None,
    };
    let admin = Identity::owner("ada");
    let made = auth.tokens().create(create, &admin).await.unwrap();
    let set = auth.begin(auth.bearer(&made.token).unwrap(), now).unwrap();
    let cookie = set.split(';').next().unwrap();
    let signed_in = headers(&[("cookie", cookie)]);
    let bob = auth.identify(&Method::GET, &signed_in, now).unwrap();
    assert_eq!(bob.identity.actor, "Bob");
    assert_eq!(bob.identity.role, Role::Viewer);
    assert!(!bob.ended.is_cancelled());
    auth.tokens().revoke(&made.info.id, &admin).await.unwrap();
    assert!(bob.ended.is_cancelled(), "streams of the session end");
    assert!(auth.identify(&Method::GET, &signed_in, now).is_err());
    // Signing out ends the streams of that session, and of no other.
    let one = auth.begin(owner(&auth), now).unwrap();
    let other = auth.begin(owner(&auth), now).unwrap();
    let of = |set: &str| headers(&[("cookie", set.split(';').next().unwrap())]);
    let streams = [&one, &other].map(|set| auth.identify(&Method::GET, &of(set), now).unwrap());
    auth.end(&of(&one));
    let ended = streams.map(|caller| caller.ended.is_cancelled());
    assert_eq!(ended, [true, false]);
}

#[tokio::test]
async fn a_socket_names_its_token_as_a_subprotocol() {
    let dir = tempfile::tempdir().unwrap();
    let auth = auth(&dir);
    let now = Instant::now();
    let offer = |value: &str| headers(&[("sec-websocket-protocol", value)]);
    let good = format!("sayso.v1, bearer.{TOKEN}");
    let caller = auth.identify_socket(&offer(&good), now).unwrap();
    assert_eq!(caller.identity.role, Role::Admin);
    for bad in ["sayso.v1", "sayso.v1, bearer.x", "bearer.", TOKEN] {
        assert!(auth.identify_socket(&offer(bad), now).is_err(), "{bad}");
    }
}
