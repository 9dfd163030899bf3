//! The tokens of a project: made, checked, revoked. A token is a JWT; what was issued is in the project's store, without the
//! token itself.
//!
//! A good signature is not enough: the token must be known here and not be revoked, and what it may do is what is stored.

mod shared;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::auth::{Caller, Hash, hash, unauthorized};
use super::keys::{Keyring, Signing};
use crate::events::{EventLog, Put};
use crate::model::token::{CreateToken, CreatedToken, KeyInfo, Rotate, Rotated, TokenInfo};
use crate::model::{Identity, Problem, Role, TokenId};

/// Who makes the tokens.
const ISSUER: &str = "sayso";

/// What they are, so that no other JWT is taken for one (RFC 8725, 3.11).
const TYP: &str = "sayso+jwt";

/// A longer text is no token.
const LONGEST_TEXT: usize = 8 * 1024;

/// How long a token lasts unless it is said.
const USUAL: u64 = 30 * 24 * 3600;

/// Tokens that are known at the same time.
const MOST: usize = 10_000;

/// Tokens whose signature was found good, remembered so that it is not computed with every request.
const REMEMBERED: usize = 4096;

/// A token that ended so long ago is forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Clocks of two machines may differ by so many seconds before a token is too young.
const LEEWAY: u64 = 5;

/// The ends of tokens are looked for so often at least: a clock may be set.
const LOOK: Duration = Duration::from_secs(30);

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The name.
    sub: String,
    /// The token's id.
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    role: Role,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rooms: BTreeMap<String, Role>,
}

struct Issued {
    info: TokenInfo,
    ended: CancellationToken,
}

/// The tokens of a project.
pub(super) struct Tokens {
    log: EventLog,
    keys: RwLock<Keyring>,
    issued: RwLock<HashMap<String, Issued>>,
    /// Ids by the hash of a token whose signature was good.
    good: Mutex<HashMap<Hash, String>>,
    /// Held while one is made or revoked: what is stored and what is in memory change together.
    changing: tokio::sync::Mutex<()>,
    changed: Notify,
}

impl Tokens {
    /// The tokens in `log`.
    ///
    /// # Errors
    /// When the store or the keys cannot be read.
    pub(super) fn open(log: EventLog, signing: Signing) -> Result<Self, Problem> {
        let known: Vec<TokenInfo> = log.list(TokenInfo::KIND, MOST)?;
        let now = Timestamp::now();
        let issued = known.into_iter().map(|info| {
            let ended = CancellationToken::new();
            if info.over(now) {
                ended.cancel();
            }
            (info.id.clone(), Issued { info, ended })
        });
        Ok(Self {
            issued: RwLock::new(issued.collect()),
            keys: RwLock::new(Keyring::open(signing)?),
            log,
            good: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        })
    }

    fn keys(&self) -> RwLockReadGuard<'_, Keyring> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn issued(&self) -> RwLockReadGuard<'_, HashMap<String, Issued>> {
        self.issued.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn issued_mut(&self) -> RwLockWriteGuard<'_, HashMap<String, Issued>> {
        self.issued.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn good(&self) -> MutexGuard<'_, HashMap<Hash, String>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The project that they are for.
    pub(super) fn project(&self) -> &str {
        self.log.project()
    }

    fn audience(&self) -> String {
        format!("sayso:{}", self.project())
    }

    /// True for a token that was found good before: checking it again costs nothing.
    pub(super) fn was_good(&self, token: &str) -> bool {
        self.good().contains_key(&hash(token))
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// `unauthorized`.
    pub(super) fn check(&self, token: &str, now: Timestamp) -> Result<Caller, Problem> {
        let hash = hash(token);
        let remembered = self.good().get(&hash).cloned();
        let id = match remembered {
            Some(id) => id,
            None => {
                let id = self.verify(token)?;
                let mut good = self.good();
                if good.len() >= REMEMBERED {
                    good.clear();
                }
                good.insert(hash, id.clone());
                id
            }
        };
        let issued = self.issued();
        let Some(Issued { info, ended }) = issued.get(&id) else {
            return Err(refused("the token is not known here"));
        };
        if let Some(at) = info.revoked_at {
            return Err(refused(&format!("the token was revoked at {at}")));
        }
        if info.expires_at <= now {
            return Err(refused(&format!("the token ended at {}", info.expires_at)));
        }
        Ok(Caller {
            identity: Identity {
                actor: info.name.clone(),
                role: info.role,
                token: Some(id),
                rooms: info.rooms.clone(),
                expires: Some(info.expires_at),
            },
            ended: ended.clone(),
        })
    }

    /// Checks everything that a token says by itself; its id.
    fn verify(&self, token: &str) -> Result<String, Problem> {
        // One text for whatever is wrong before the signature is known to be good: it helps nobody to forge one.
        let bad = || unauthorized("the token is not accepted");
        if token.len() > LONGEST_TEXT {
            return Err(bad());
        }
        let header = decode_header(token).map_err(|_| bad())?;
        let typ = header.typ.as_deref().unwrap_or_default();
        let (Some(kid), None, true) = (&header.kid, &header.crit, typ.eq_ignore_ascii_case(TYP))
        else {
            return Err(bad());
        };
        let keys = self.keys();
        let key = keys.find(kid).ok_or_else(bad)?;
        let mut validation = Validation::new(key.alg);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_audience(&[self.audience()]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        let claims = match decode::<Claims>(token, &key.verify, &validation) {
            Ok(decoded) => decoded.claims,
            Err(error) => {
                use jsonwebtoken::errors::ErrorKind;
                // These are only found out after the signature was good.
                return Err(match error.kind() {
                    ErrorKind::ExpiredSignature => refused("the token has ended"),
                    ErrorKind::ImmatureSignature => unauthorized("the token is not valid yet")
                        .hint("compare the clocks of the machines"),
                    ErrorKind::InvalidAudience => unauthorized("the token is for another project")
                        .hint(format!("ask for one of the project {}", self.project())),
                    _ => bad(),
                });
            }
        };
        let issued = self.issued();
        let Some(Issued { info, .. }) = issued.get(&claims.jti) else {
            return Err(refused("the token is not known here"));
        };
        if info.key != *kid || info.name != claims.sub || info.role != claims.role {
            return Err(bad());
        }
        Ok(claims.jti)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// `invalid` for what makes no sense; `conflict` for another project, or when there are too many.
    pub(super) async fn create(
        &self,
        create: CreateToken,
        by: &Identity,
    ) -> Result<CreatedToken, Problem> {
        let name = create.checked()?;
        if let Some(project) = create.project.as_deref().filter(|p| *p != self.project()) {
            return Err(Problem::conflict(format!(
                "the project here is {}, not {project}",
                self.project()
            ))
            .hint("ask at the address of that project: GET /api/projects lists them"));
        }
        let _one_at_a_time = self.changing.lock().await;
        let now = Timestamp::now();
        let lasts = create.expires_in.unwrap_or(USUAL);
        let lasts = SignedDuration::from_secs(i64::try_from(lasts).unwrap_or(i64::MAX));
        let expires_at = now.checked_add(lasts).map_err(Problem::internal)?;
        // A claim counts whole seconds, and so does what is stored: both end together.
        let seconds = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
        let mut puts = self.forgettable(now)?;
        let info = TokenInfo {
            id: TokenId::new().0,
            name,
            role: create.role,
            project: self.project().to_owned(),
            rooms: create.rooms,
            key: String::new(),
            created_at: now,
            created_by: by.actor.clone(),
            expires_at: seconds(expires_at),
            revoked_at: None,
            revoked_by: None,
        };
        let (token, info) = self.signed(info)?;
        puts.push(Put::new(TokenInfo::KIND, &info.id, &info)?);
        self.log.append(vec![], puts).await?;
        let mut issued = self.issued_mut();
        issued.retain(|_, one| !forgotten(&one.info, now));
        issued.insert(
            info.id.clone(),
            Issued {
                info: info.clone(),
                ended: CancellationToken::new(),
            },
        );
        drop(issued);
        self.changed.notify_waiters();
        tracing::info!(id = info.id, name = info.name, role = %info.role, by = by.actor, "a token was made");
        Ok(CreatedToken { token, info })
    }

    fn signed(&self, mut info: TokenInfo) -> Result<(String, TokenInfo), Problem> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.ready()?;
        let (key, secret) = keys
            .signer()
            .ok_or_else(|| Problem::internal("there is no key to sign with"))?;
        info.key.clone_from(&key.id);
        let mut header = Header::new(key.alg);
        header.typ = Some(TYP.to_owned());
        header.kid = Some(key.id.clone());
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: self.audience(),
            sub: info.name.clone(),
            jti: info.id.clone(),
            iat: info.created_at.as_second(),
            nbf: info.created_at.as_second(),
            exp: info.expires_at.as_second(),
            role: info.role,
            rooms: info.rooms.clone(),
        };
        let token = encode(&header, &claims, secret).map_err(Problem::internal)?;
        Ok((token, info))
    }

    /// Removes what ended long ago; refuses when there are too many all the same.
    fn forgettable(&self, now: Timestamp) -> Result<Vec<Put>, Problem> {
        let issued = self.issued();
        let old: Vec<Put> = issued
            .values()
            .filter(|one| forgotten(&one.info, now))
            .map(|one| Put::delete(TokenInfo::KIND, &one.info.id))
            .collect();
        if issued.len() - old.len() < MOST {
            return Ok(old);
        }
        Err(
            Problem::conflict(format!("{MOST} tokens are known, which is the limit"))
                .hint("use longer-lived tokens, or fewer; ended ones are forgotten after 90 days"),
        )
    }

    /// All that are known, the newest first.
    pub(super) fn list(&self) -> Vec<TokenInfo> {
        let mut all: Vec<TokenInfo> = self.issued().values().map(|one| one.info.clone()).collect();
        all.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        all
    }

    /// Ends a token, with the streams and sockets that it opened. One that was revoked before stays so.
    ///
    /// # Errors
    /// `not-found`; `store` when the disk refuses.
    pub(super) async fn revoke(&self, id: &str, by: &Identity) -> Result<TokenInfo, Problem> {
        let _one_at_a_time = self.changing.lock().await;
        let known = self.issued().get(id).map(|one| one.info.clone());
        let info = known.ok_or_else(|| {
            Problem::not_found(format!("there is no token {id}"))
                .hint("`sayso token list` lists them")
        })?;
        if info.revoked_at.is_some() {
            return Ok(info);
        }
        let mut ended = self.revoke_all(vec![info], by).await?;
        ended
            .pop()
            .ok_or_else(|| Problem::internal("the token was lost"))
    }

    async fn revoke_all(
        &self,
        mut all: Vec<TokenInfo>,
        by: &Identity,
    ) -> Result<Vec<TokenInfo>, Problem> {
        let now = Timestamp::now();
        let mut puts = Vec::new();
        for info in &mut all {
            info.revoked_at = Some(now);
            info.revoked_by = Some(by.actor.clone());
            puts.push(Put::new(TokenInfo::KIND, &info.id, info)?);
        }
        self.log.append(vec![], puts).await?;
        let mut issued = self.issued_mut();
        for info in &all {
            if let Some(one) = issued.get_mut(&info.id) {
                one.info = info.clone();
                one.ended.cancel();
            }
            tracing::info!(
                id = info.id,
                name = info.name,
                by = by.actor,
                "a token was revoked"
            );
        }
        Ok(all)
    }

    /// A new key signs from now on.
    ///
    /// # Errors
    /// `conflict` where the operator's secret signs; when it cannot be stored.
    pub(super) async fn rotate(&self, rotate: Rotate, by: &Identity) -> Result<Rotated, Problem> {
        let _one_at_a_time = self.changing.lock().await;
        let now = Timestamp::now();
        let valid: Vec<TokenInfo> = {
            let issued = self.issued();
            let infos = issued.values().map(|one| &one.info);
            infos.filter(|info| !info.over(now)).cloned().collect()
        };
        // The keys go first: a rotation that is refused revokes nothing.
        let revoked = match rotate.revoke {
            true => {
                self.rotated(|_| false)?;
                self.good().clear();
                self.revoke_all(valid, by).await?
            }
            false => {
                self.rotated(|key| valid.iter().any(|info| info.key == key))?;
                Vec::new()
            }
        };
        let key = self.keys_told().into_iter().find(|key| key.signs);
        let key = key.ok_or_else(|| Problem::internal("there is no key to sign with"))?;
        tracing::info!(
            key = key.id,
            by = by.actor,
            revoked = revoked.len(),
            "a new key signs"
        );
        Ok(Rotated {
            key,
            revoked: revoked.into_iter().map(|info| info.id).collect(),
        })
    }

    fn rotated(&self, in_use: impl Fn(&str) -> bool) -> Result<(), Problem> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.rotate(in_use)
    }

    /// What can be told of the keys.
    pub(super) fn keys_told(&self) -> Vec<KeyInfo> {
        let now = Timestamp::now();
        let issued = self.issued();
        let valid = |key: &str| {
            let infos = issued.values().map(|one| &one.info);
            infos
                .filter(|info| info.key == key && !info.over(now))
                .count()
        };
        self.keys().told(valid)
    }

    /// Ends what tokens opened when they end, until `shutdown`.
    pub(super) async fn end_in_time(self: Arc<Self>, shutdown: CancellationToken) {
        loop {
            // Before the look: a token that is made during it is seen in the next round.
            let changed = self.changed.notified();
            let now = Timestamp::now();
            let mut wait = LOOK;
            for one in self.issued().values() {
                if one.ended.is_cancelled() {
                } else if one.info.expires_at <= now {
                    one.ended.cancel();
                } else {
                    let left = one.info.expires_at.duration_since(now);
                    wait = wait.min(Duration::try_from(left).unwrap_or_default());
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = changed => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

/// What is wrong with a token that is ours.
fn refused(detail: &str) -> Problem {
    unauthorized(detail).hint("ask an admin for another one: sayso token create")
}

fn forgotten(info: &TokenInfo, now: Timestamp) -> bool {
    info.expires_at.duration_since(now) < -FORGOTTEN
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
