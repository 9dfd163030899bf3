use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::*;
use crate::store::Store;

fn open(dir: &tempfile::TempDir, signing: Signing) -> Tokens {
    let log = EventLog::open(Store::open(&dir.path().join("db")).unwrap(), "site").unwrap();
    Tokens::open(log, signing).unwrap()
}

fn in_file(dir: &tempfile::TempDir) -> Signing {
    Signing {
        file: Some(dir.path().join("keys.json")),
        secrets: vec![],
    }
}

fn asked(name: &str, role: Role) -> CreateToken {
    CreateToken {
        name: name.into(),
        role,
        project: None,
        rooms: BTreeMap::new(),
        expires_in: None,
    }
}

fn admin() -> Identity {
    Identity::owner("Ada")
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn told(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn kind(tokens: &Tokens, token: &str) -> String {
    match tokens.check(token, Timestamp::now()) {
        Ok(_) => "good".to_owned(),
        Err(problem) => {
            assert_eq!(problem.status, 401, "{problem}");
            problem.detail
        }
    }
}

#[tokio::test]
async fn a_token_says_who_what_and_how_long_and_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let made = {
        let tokens = open(&dir, in_file(&dir));
        let mut create = asked(" Bob ", Role::Author);
        create.rooms.insert("proposal:*".into(), Role::Deployer);
        tokens.create(create, &admin()).await.unwrap()
    };
    let header = part(&made.token, 0);
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["typ"], TYP);
    assert_eq!(header["kid"], made.info.key.as_str());
    let claims = part(&made.token, 1);
    assert_eq!(claims["aud"], "sayso:site");
    assert_eq!(claims["jti"], made.info.id.as_str());
    assert_eq!(claims["exp"], made.info.expires_at.as_second());
    let tokens = open(&dir, in_file(&dir));
    let caller = tokens.check(&made.token, Timestamp::now()).unwrap();
    assert_eq!(caller.identity.actor, "Bob");
    assert_eq!(caller.identity.role, Role::Author);
    assert_eq!(caller.identity.role_in("proposal:p"), Role::Deployer);
    assert_eq!(tokens.list(), std::slice::from_ref(&made.info));
    // The token itself is nowhere in the state folder.
    let signature = made.token.rsplit('.').next().unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes
            .windows(signature.len())
            .any(|it| it == signature.as_bytes());
        assert!(!found);
    }
}

#[tokio::test]
async fn what_is_not_signed_by_a_known_key_in_its_own_way_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = open(&dir, in_file(&dir));
    let made = tokens
        .create(asked("Bob", Role::Viewer), &admin())
        .await
        .unwrap();
    let token = &made.token;
    let (header, claims) = (part(token, 0), part(token, 1));
    let signature = token.rsplit('.').next().unwrap();
    let with = |header: &Value, claims: &Value, signature: &str| {
        format!("{}.{}.{signature}", told(header), told(claims))
    };
    let changed = |value: &Value, key: &str, to: Value| {
        let mut value = value.clone();
        value[key] = to;
        value
    };
    assert_eq!(with(&header, &claims, signature).len(), token.len());
    let public = tokens.keys_told()[0].public.clone().unwrap();
    // The public key as an HMAC secret: the classic.
    let confused = |secret: &[u8]| {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYP.into());
        header.kid = Some(made.info.key.clone());
        encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let mut middle = token.clone().into_bytes();
    let at = token.len() - 20;
    middle[at] = if middle[at] == b'A' { b'B' } else { b'A' };
    for (what, forged) in [
        (
            "another role",
            with(
                &header,
                &changed(&claims, "role", json!("admin")),
                signature,
            ),
        ),
        (
            "none",
            with(&changed(&header, "alg", json!("none")), &claims, ""),
        ),
        (
            "None",
            with(&changed(&header, "alg", json!("None")), &claims, ""),
        ),
        (
            "another alg",
            with(&changed(&header, "alg", json!("ES256")), &claims, signature),
        ),
        ("HS256", confused(public.as_bytes())),
        (
            "HS256 of the bytes",
            confused(&URL_SAFE_NO_PAD.decode(&public).unwrap()),
        ),
        (
            "another key",
            with(
                &changed(&header, "kid", json!("key-other")),
                &claims,
                signature,
            ),
        ),
        (
            "no key",
            with(&changed(&header, "kid", Value::Null), &claims, signature),
        ),
        (
            "another type",
            with(&changed(&header, "typ", json!("JWT")), &claims, signature),
        ),
        (
            "crit",
            with(
                &changed(&header, "crit", json!(["b64"])),
                &claims,
                signature,
            ),
        ),
        ("a bent signature", String::from_utf8(middle).unwrap()),
        ("no signature", with(&header, &claims, "")),
        ("cut", token[..token.len() - 4].to_owned()),
        ("no token", "a.b.c".to_owned()),
        ("empty parts", "..".to_owned()),
        (
            "huge",
            format!("{}.{}.{signature}", "a".repeat(9000), told(&claims)),
        ),
    ] {
        assert_eq!(
            kind(&tokens, &forged),
            "the token is not accepted",
            "{what}"
        );
        assert!(!tokens.was_good(&forged), "{what}");
    }
    assert_eq!(kind(&tokens, token), "good");
    assert!(tokens.was_good(token));
}

/// A token with other claims, signed with the right key.
fn signed(tokens: &Tokens, change: impl Fn(&mut Value)) -> String {
    let keys = tokens.keys();
    let (key, secret) = keys.signer().unwrap();
    let info = tokens.list().remove(0);
    let now = Timestamp::now().as_second();
    let mut claims = json!({
        "iss": ISSUER, "aud": tokens.audience(), "sub": info.name, "jti": info.id, "role": info.role,
        "iat": now, "nbf": now, "exp": now + 60,
    });
    change(&mut claims);
    let mut header = Header::new(key.alg);
    header.typ = Some(TYP.into());
    header.kid = Some(key.id.clone());
    encode(&header, &claims, secret).unwrap()
}

#[tokio::test]
async fn every_claim_is_there_and_right() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = open(&dir, in_file(&dir));
    tokens
        .create(asked("Bob", Role::Viewer), &admin())
        .await
        .unwrap();
    let now = Timestamp::now().as_second();
    assert_eq!(kind(&tokens, &signed(&tokens, |_| {})), "good");
    for claim in ["iss", "aud", "sub", "jti", "iat", "nbf", "exp", "role"] {
        let without = signed(&tokens, |claims| {
            claims.as_object_mut().unwrap().remove(claim);
        });
        assert_eq!(
            kind(&tokens, &without),
            "the token is not accepted",
            "{claim}"
        );
    }
    let table = [
        ("iss", json!("other"), "the token is not accepted"),
        (
            "aud",
            json!("sayso:other"),
            "the token is for another project",
        ),
        ("aud", json!(["sayso:site"]), "the token is not accepted"),
        ("exp", json!(now - 60), "the token has ended"),
        ("exp", json!("soon"), "the token is not accepted"),
        ("nbf", json!(now + 60), "the token is not valid yet"),
        ("jti", json!("tok_other"), "the token is not known here"),
        ("sub", json!("Grace"), "the token is not accepted"),
        ("role", json!("admin"), "the token is not accepted"),
        ("role", json!("root"), "the token is not accepted"),
    ];
    for (claim, value, why) in table {
        let forged = signed(&tokens, |claims| claims[claim] = value.clone());
        assert_eq!(kind(&tokens, &forged), why, "{claim} {value}");
    }
}

#[tokio::test]
async fn a_token_ends_when_it_is_revoked_or_over() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = Arc::new(open(&dir, in_file(&dir)));
    let made = tokens
        .create(asked("Bob", Role::Viewer), &admin())
        .await
        .unwrap();
    let caller = tokens.check(&made.token, Timestamp::now()).unwrap();
    let info = tokens.revoke(&made.info.id, &admin()).await.unwrap();
    assert_eq!(info.revoked_by.as_deref(), Some("Ada"));
    assert!(caller.ended.is_cancelled());
    assert!(kind(&tokens, &made.token).starts_with("the token was revoked"));
    assert_eq!(tokens.revoke(&made.info.id, &admin()).await.unwrap(), info);
    assert!(
        tokens
            .revoke("tok_none", &admin())
            .await
            .unwrap_err()
            .is("not-found")
    );

    // By the clock: what it opened ends, too.
    let shutdown = CancellationToken::new();
    let ends = tokio::spawn(Arc::clone(&tokens).end_in_time(shutdown.clone()));
    let mut create = asked("Bob", Role::Viewer);
    create.expires_in = Some(2);
    let made = tokens.create(create, &admin()).await.unwrap();
    if let Ok(caller) = tokens.check(&made.token, Timestamp::now()) {
        let ended = tokio::time::timeout(Duration::from_secs(30), caller.ended.cancelled());
        ended.await.expect("the end of the token");
    }
    let later = made.info.expires_at;
    assert!(
        tokens
            .check(&made.token, later)
            .unwrap_err()
            .detail
            .contains("ended")
    );
    shutdown.cancel();
    ends.await.unwrap();

    // Both are over after a restart, too.
    drop(tokens);
    let tokens = open(&dir, in_file(&dir));
    assert!(tokens.issued().values().all(|one| one.ended.is_cancelled()));
    assert!(kind(&tokens, &made.token).contains("ended"));
}

#[tokio::test]
async fn a_new_key_signs_and_the_old_tokens_stay_unless_they_are_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = open(&dir, in_file(&dir));
    let old = tokens
        .create(asked("Bob", Role::Viewer), &admin())
        .await
        .unwrap();
    let rotated = tokens
        .rotate(Rotate { revoke: false }, &admin())
        .await
        .unwrap();
    assert!(rotated.revoked.is_empty() && rotated.key.signs);
    let new = tokens
        .create(asked("Eve", Role::Viewer), &admin())
        .await
        .unwrap();
    assert_ne!(old.info.key, new.info.key);
    let restarted = open(&dir, in_file(&dir));
    for token in [&old.token, &new.token] {
        assert_eq!(kind(&tokens, token), "good");
        assert_eq!(kind(&restarted, token), "good");
    }
    drop(restarted);
    assert_eq!(tokens.keys_told().len(), 2);
    // Nothing needs the first key any more.
    tokens.revoke(&old.info.id, &admin()).await.unwrap();
    tokens
        .rotate(Rotate { revoke: false }, &admin())
        .await
        .unwrap();
    assert_eq!(tokens.keys_told().len(), 2);
    assert_eq!(kind(&tokens, &new.token), "good");
    let caller = tokens.check(&new.token, Timestamp::now()).unwrap();
    let rotated = tokens
        .rotate(Rotate { revoke: true }, &admin())
        .await
        .unwrap();
    assert_eq!(rotated.revoked, std::slice::from_ref(&new.info.id));
    assert!(caller.ended.is_cancelled());
    assert_eq!(tokens.keys_told().len(), 1);
    assert_eq!(kind(&tokens, &new.token), "the token is not accepted");
}

#[tokio::test]
async fn a_secret_of_the_operator_signs_with_hmac_and_binds_it_to_that() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = ("1".repeat(40), "2".repeat(40));
    let with = |secrets: &[&String]| Signing {
        file: Some(dir.path().join("keys.json")),
        secrets: secrets.iter().map(|it| (*it).clone()).collect(),
    };
    let made = {
        let tokens = open(&dir, with(&[&one]));
        tokens
            .create(asked("Bob", Role::Viewer), &admin())
            .await
            .unwrap()
    };
    assert_eq!(part(&made.token, 0)["alg"], "HS256");
    assert!(!dir.path().join("keys.json").exists());
    // The next one signs, the first one verifies as long as it is there.
    assert_eq!(kind(&open(&dir, with(&[&two, &one])), &made.token), "good");
    let without = open(&dir, with(&[&two]));
    assert_eq!(kind(&without, &made.token), "the token is not accepted");
}
