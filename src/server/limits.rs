//! How often one may ask: per token, per address, and far less often with what is not a token. In memory, so a restart forgets.
//!
//! The address is that of the connection. What a header says of it is believed only from the proxies that are configured: anybody
//! can write `X-Forwarded-For`.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio_util::sync::CancellationToken;

use super::App;
use crate::model::{Identity, Problem};

/// Between two looks for what can be forgotten.
const TIDY: Duration = Duration::from_secs(60);

/// Requests a minute; 0 is no limit. So many may also come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// With one token.
    pub token: u32,
    /// From one address.
    pub address: u32,
    /// From one address with what is not a token.
    pub failed: u32,
    /// Messages on WebSockets with one token.
    pub messages: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            token: 60_000,
            address: 120_000,
            failed: 600,
            messages: 120_000,
        }
    }
}

/// The limiters.
pub(super) struct Limits {
    tokens: Limiter<String>,
    messages: Limiter<String>,
    addresses: Limiter<IpAddr>,
    failures: Limiter<IpAddr>,
    /// Until when nothing is computed for an address.
    blocked: Mutex<HashMap<IpAddr, Instant>>,
    proxies: Vec<Net>,
}

/// One kind of limit.
struct Limiter<K: Hash + Eq + Clone> {
    limiter: Option<DefaultKeyedRateLimiter<K>>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(a_minute: u32) -> Self {
        let quota = NonZeroU32::new(a_minute).map(Quota::per_minute);
        Self {
            limiter: quota.map(RateLimiter::keyed),
            clock: DefaultClock::default(),
        }
    }

    /// Counts one; how long to wait when it was one too many.
    fn take(&self, key: &K) -> Option<Duration> {
        let late = self.limiter.as_ref()?.check_key(key).err()?;
        Some(late.wait_time_from(self.clock.now()))
    }

    fn tidy(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

impl Limits {
    /// Limits with the addresses of `proxies` (`10.0.0.0/8`, `::1`).
    ///
    /// # Errors
    /// `config` for what is no address.
    pub(super) fn new(rates: RateLimits, proxies: &[String]) -> Result<Self, Problem> {
        let proxies = proxies.iter().map(|text| {
            Net::parse(text).ok_or_else(|| {
                Problem::new(
                    422,
                    "config",
                    format!("[server] proxies: {text:?} is no address"),
                )
                .hint("write an address (127.0.0.1) or a network (10.0.0.0/8)")
            })
        });
        Ok(Self {
            tokens: Limiter::new(rates.token),
            messages: Limiter::new(rates.messages),
            addresses: Limiter::new(rates.address),
            failures: Limiter::new(rates.failed),
            blocked: Mutex::default(),
            proxies: proxies.collect::<Result<_, _>>()?,
        })
    }

    /// Counts a request with a token; how long to wait when it was one too many.
    pub(super) fn token(&self, identity: &Identity) -> Option<Duration> {
        self.tokens.take(&key(identity))
    }

    /// Counts a message on a WebSocket; how long to wait when it was one too many.
    pub(super) fn message(&self, identity: &Identity) -> Option<Duration> {
        self.messages.take(&key(identity))
    }

    fn blocked_now(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what was no token.
    pub(super) fn failed(&self, address: IpAddr) {
        let address = one_of(address);
        if let Some(wait) = self.failures.take(&address) {
            self.blocked_now().insert(address, Instant::now() + wait);
        }
    }

    /// How long nothing is computed for an address any more.
    pub(super) fn blocked(&self, address: IpAddr) -> Option<Duration> {
        let blocked = self.blocked_now();
        let until = blocked.get(&one_of(address))?;
        until.checked_duration_since(Instant::now())
    }

    /// Where a request comes from: `peer`, or what a proxy that is believed says of it. Proxies add to the end of the list, so
    /// it is read from there, as far as it was written by those that are believed.
    fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut at = peer.to_canonical();
        let lines: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            if !self.proxies.iter().any(|proxy| proxy.holds(at)) {
                break;
            }
            match address(entry.trim()) {
                Some(before) => at = before.to_canonical(),
                None => break,
            }
        }
        at
    }

    /// Forgets who has not asked lately, until `shutdown`.
    pub(super) async fn tidy_regularly(&self, shutdown: &CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(TIDY) => {}
            }
            self.tokens.tidy();
            self.messages.tidy();
            self.addresses.tidy();
            self.failures.tidy();
            let now = Instant::now();
            self.blocked_now().retain(|_, until| *until > now);
        }
    }
}

fn key(identity: &Identity) -> String {
    identity.token.clone().unwrap_or_default()
}

/// What counts as one: an IPv6 network of 64 bits is one customer's.
fn one_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// An address, maybe with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()))
}

/// Addresses that begin with the same bits.
struct Net {
    address: IpAddr,
    bits: u32,
}

impl Net {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    fn holds(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u32| {
            let rest = width - self.bits;
            // A shift by the whole width is none at all.
            rest == 128 || a >> rest == b >> rest
        };
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
            _ => false,
        }
    }
}

/// Where a request comes from.
#[derive(Clone, Copy)]
struct Address(IpAddr);

/// Where the request with these extensions comes from.
pub(super) fn address_of(extensions: &Extensions) -> IpAddr {
    extensions
        .get::<Address>()
        .map_or(Ipv4Addr::UNSPECIFIED.into(), |address| address.0)
}

/// 429, with when to come back: never at once.
pub(super) fn too_many(what: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
    let problem = Problem::new(429, "too-many-requests", format!("too many {what}"))
        .hint(format!("try again in {seconds} s"));
    ([(RETRY_AFTER, seconds.to_string())], problem).into_response()
}

/// Finds out where a request comes from, and refuses what comes too often.
pub(super) async fn check(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip());
    let origin = app.limits.origin(peer, request.headers());
    if let Some(wait) = app.limits.addresses.take(&one_of(origin)) {
        return too_many("requests from this address", wait);
    }
    request.extensions_mut().insert(Address(origin));
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn limits(proxies: &[&str]) -> Limits {
        let proxies: Vec<String> = proxies.iter().map(|text| (*text).to_owned()).collect();
        let rates = RateLimits {
            token: 3,
            failed: 2,
            messages: 0,
            ..RateLimits::default()
        };
        Limits::new(rates, &proxies).unwrap()
    }

    fn seen(limits: &Limits, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        limits.origin(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_known_proxies_say_where_a_request_comes_from() {
        let none = limits(&[]);
        assert_eq!(seen(&none, "10.0.0.1", &["1.2.3.4"]), "10.0.0.1");
        let one = limits(&["10.0.0.0/8", "::1"]);
        assert_eq!(seen(&one, "10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(seen(&one, "::ffff:10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(seen(&one, "11.0.0.1", &["1.2.3.4"]), "11.0.0.1");
        // What stands further left was written by whoever asks.
        assert_eq!(seen(&one, "10.0.0.1", &["9.9.9.9, 1.2.3.4"]), "1.2.3.4");
        let two = ["9.9.9.9", "1.2.3.4, 10.0.0.2"];
        assert_eq!(seen(&one, "::1", &two), "1.2.3.4");
        assert_eq!(seen(&one, "::1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(seen(&one, "::1", &["1.2.3.4, unknown"]), "::1");
        for bad in ["", "x", "10.0.0.0/33", "10.0.0.0/x", "*"] {
            let proxies = [bad.to_owned()];
            assert!(
                Limits::new(RateLimits::default(), &proxies).is_err(),
                "{bad}"
            );
        }
        let all = Net::parse("0.0.0.0/0").unwrap();
        assert!(all.holds("1.2.3.4".parse().unwrap()));
        assert!(!all.holds("::1".parse().unwrap()));
        assert!(
            Net::parse("::/0")
                .unwrap()
                .holds("2001::1".parse().unwrap())
        );
    }

    #[test]
    fn each_token_has_its_own_allowance_and_none_is_no_limit() {
        let limits = limits(&[]);
        let mut bob = Identity::owner("bob");
        bob.token = Some("tok_1".into());
        for _ in 0..3 {
            assert_eq!(limits.token(&bob), None);
        }
        assert!(limits.token(&bob).unwrap() > Duration::ZERO);
        assert_eq!(limits.token(&Identity::owner("ada")), None);
        for _ in 0..1000 {
            assert_eq!(limits.message(&bob), None);
        }
    }

    #[test]
    fn an_address_that_guesses_is_blocked_and_its_network_with_it() {
        let limits = limits(&[]);
        let here: IpAddr = "2001:db8::1".parse().unwrap();
        for _ in 0..2 {
            limits.failed(here);
            assert_eq!(limits.blocked(here), None);
        }
        limits.failed(here);
        assert!(limits.blocked(here).is_some());
        assert!(limits.blocked("2001:db8::2".parse().unwrap()).is_some());
        assert!(limits.blocked("2001:db8:1::".parse().unwrap()).is_none());
    }

    #[test]
    fn nobody_is_told_to_come_back_at_once() {
        let header = |wait| too_many("x", wait).headers()[RETRY_AFTER].clone();
        assert_eq!(header(Duration::ZERO), "1");
        assert_eq!(header(Duration::from_millis(1500)), "2");
    }
}
