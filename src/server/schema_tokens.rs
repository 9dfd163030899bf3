//! The schemas of tokens, of who did what, and of the projects of a server.

use serde_json::{Value, json};

use super::schema::{count, flag, many, object, of, one_of, request, text, time};
use crate::model::Role;
use crate::model::token::LONGEST;

fn rooms() -> Value {
    json!({
        "type": "object",
        "description": "Other roles in rooms, by the room's name; a name that ends with `*` stands for all that begin so.",
        "additionalProperties": of("Role"),
    })
}

/// What `/api/tokens`, `/api/audit`, `/api/me` and `/api/projects` take and answer.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let known = || {
        vec![
            ("id", text()),
            ("name", text()),
            ("role", of("Role")),
            ("project", text()),
            ("rooms?", rooms()),
            ("key", text()),
            ("created_at", time()),
            ("created_by", text()),
            ("expires_at", time()),
            ("revoked_at?", time()),
            ("revoked_by?", text()),
        ]
    };
    let mut created = known();
    created.push((
        "token",
        json!({ "type": "string", "description": "The token itself. It is told here and never again." }),
    ));
    vec![
        ("Role", one_of(&Role::ALL.map(Role::as_str))),
        (
            "Bearer",
            object(&[("token", text()), ("role", of("Role")), ("rooms?", rooms())]),
        ),
        (
            "CreateToken",
            request(&[
                (
                    "name",
                    json!({ "type": "string", "minLength": 1, "maxLength": 64 }),
                ),
                ("role", of("Role")),
                ("project?", json!({ "type": ["string", "null"] })),
                ("rooms?", rooms()),
                (
                    "expires_in?",
                    json!({ "type": ["integer", "null"], "minimum": 1, "maximum": LONGEST, "description": "Seconds; absent: thirty days." }),
                ),
            ]),
        ),
        ("TokenInfo", object(&known())),
        ("CreatedToken", object(&created)),
        ("Rotate", request(&[("revoke?", flag())])),
        (
            "KeyInfo",
            object(&[
                ("id", text()),
                ("alg", one_of(&["EdDSA", "HS256"])),
                ("signs", flag()),
                ("created_at?", time()),
                ("retired_at?", time()),
                ("public?", text()),
                ("tokens", count()),
            ]),
        ),
        (
            "Rotated",
            object(&[("key", of("KeyInfo")), ("revoked", many(text()))]),
        ),
        (
            "AuditPage",
            object(&[
                (
                    "entries",
                    many(object(&[
                        ("id", count()),
                        ("at", time()),
                        ("actor?", text()),
                        ("token?", text()),
                        ("role?", of("Role")),
                        ("address", text()),
                        ("method", text()),
                        ("route", text()),
                        ("path", text()),
                        ("status", count()),
                    ])),
                ),
                ("next?", count()),
            ]),
        ),
        (
            "Me",
            object(&[
                ("actor", text()),
                ("role", of("Role")),
                ("project", text()),
                ("token?", text()),
                ("rooms?", rooms()),
                ("expires?", time()),
            ]),
        ),
        (
            "ProjectInfo",
            object(&[("name", text()), ("path", text()), ("role", of("Role"))]),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::Timestamp;
    use serde::Serialize;

    use super::*;
    use crate::model::token::{
        AuditEntry, AuditPage, CreateToken, CreatedToken, KeyInfo, Me, ProjectInfo, Rotate,
        Rotated, TokenInfo,
    };

    fn names(value: &Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    /// `value`, with every field set, must have exactly the fields of the schema.
    fn same(schema: &Value, value: &impl Serialize) {
        let value = serde_json::to_value(value).unwrap();
        assert_eq!(names(&schema["properties"]), names(&value));
    }

    #[test]
    fn schemas_have_the_fields_that_serde_has() {
        let all: BTreeMap<_, _> = schemas().into_iter().collect();
        let at = Timestamp::UNIX_EPOCH;
        let rooms = BTreeMap::from([("proposal:*".to_owned(), Role::Author)]);
        let info = TokenInfo {
            id: "tok_1".into(),
            name: "x".into(),
            role: Role::Viewer,
            project: "x".into(),
            rooms: rooms.clone(),
            key: "x".into(),
            created_at: at,
            created_by: "x".into(),
            expires_at: at,
            revoked_at: Some(at),
            revoked_by: Some("x".into()),
        };
        let key = KeyInfo {
            id: "x".into(),
            alg: "EdDSA".into(),
            signs: true,
            created_at: Some(at),
            retired_at: Some(at),
            public: Some("x".into()),
            tokens: 1,
        };
        same(&all["TokenInfo"], &info);
        let token = "x".to_owned();
        same(&all["CreatedToken"], &CreatedToken { token, info });
        same(&all["KeyInfo"], &key);
        let revoked = vec![];
        same(&all["Rotated"], &Rotated { key, revoked });
        same(&all["Rotate"], &Rotate { revoke: true });
        let create = CreateToken {
            name: "x".into(),
            role: Role::Viewer,
            project: Some("x".into()),
            rooms: rooms.clone(),
            expires_in: Some(1),
        };
        same(&all["CreateToken"], &create);
        let entry = AuditEntry {
            id: 1,
            at,
            actor: Some("x".into()),
            token: Some("x".into()),
            role: Some(Role::Viewer),
            address: "x".into(),
            method: "x".into(),
            route: "x".into(),
            path: "x".into(),
            status: 200,
        };
        same(
            &all["AuditPage"]["properties"]["entries"]["items"],
            &entry.clone(),
        );
        let page = AuditPage {
            entries: vec![entry],
            next: Some(1),
        };
        same(&all["AuditPage"], &page);
        let me = Me {
            actor: "x".into(),
            role: Role::Viewer,
            project: "x".into(),
            token: Some("x".into()),
            rooms,
            expires: Some(at),
        };
        same(&all["Me"], &me);
        let project = ProjectInfo {
            name: "x".into(),
            path: "x".into(),
            role: Role::Viewer,
        };
        same(&all["ProjectInfo"], &project);
    }
}
