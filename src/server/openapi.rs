//! `GET /api/openapi.json`: the contract, made from the table of routes.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::routes::{Access, Gives, ROUTES, Route, Takes};
use super::schema;

pub(super) async fn show() -> impl IntoResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into_bytes().into());
    ([(CONTENT_TYPE, "application/json")], TEXT.clone())
}

fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.info.path).or_insert_with(|| json!({}));
        path[route.info.method.to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sayso",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Say it, see the diff, say yes, watch it go live. Errors are RFC 9457 problem documents with `hint`: what to do next.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schema::all(),
            "responses": {
                "Problem": {
                    "description": "What failed, why, and what to do next",
                    "content": { "application/problem+json": { "schema": schema::of("Problem") } },
                },
            },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "The server's own token, or one that an admin made: `x-sayso-role` of an operation is the least role that may call it. An operation that comes to more (an approval that deploys) needs the role for that, too." },
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "responses": responses(route),
        "security": match route.info.access {
            Access::Open => json!([]),
            Access::Role(_) | Access::Host => json!([{ "bearer": [] }]),
        },
    });
    match route.info.access {
        Access::Open => {}
        Access::Role(role) => operation["x-sayso-role"] = role.as_str().into(),
        Access::Host => operation["x-sayso-role"] = "deployer, or the token for deployments".into(),
    }
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = request_body(route.takes) {
        operation["requestBody"] = body;
    }
    operation
}

/// `post_api_proposals_id_approve`.
fn operation_id(route: &Route) -> String {
    let path = route
        .info
        .path
        .replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let mut id = route.info.method.to_ascii_lowercase();
    for part in path.split('_').filter(|part| !part.is_empty()) {
        id.push('_');
        id.push_str(part);
    }
    id
}

fn request_body(takes: Takes) -> Option<Value> {
    let json_of = |name| json!({ "application/json": { "schema": schema::of(name) } });
    match takes {
        Takes::Nothing => None,
        Takes::Json(name) => Some(json!({ "required": true, "content": json_of(name) })),
        Takes::Bytes => Some(json!({
            "required": true,
            "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } },
        })),
        Takes::Optional(name) => Some(json!({ "required": false, "content": json_of(name) })),
        Takes::Instruction => Some(json!({
            "required": true,
            "content": {
                "application/json": { "schema": schema::of("Submission") },
                "multipart/form-data": { "schema": schema::of("Recording") },
            },
        })),
    }
}

fn responses(route: &Route) -> Value {
    let (status, what) = match route.gives {
        Gives::Json(name) => (
            "200",
            json!({ "description": "Done", "content": { "application/json": { "schema": schema::of(name) } } }),
        ),
        Gives::Many(name) => (
            "200",
            json!({ "description": "Done", "content": { "application/json": {
                "schema": { "type": "array", "items": schema::of(name) },
            } } }),
        ),
        Gives::Accepted(name) => (
            "202",
            json!({ "description": "Taken; events tell the rest", "content": { "application/json": { "schema": schema::of(name) } } }),
        ),
        Gives::Nothing => ("204", json!({ "description": "Done" })),
        Gives::Redirect => (
            "303",
            json!({ "description": "Look there", "headers": {
            "Location": { "schema": { "type": "string" } },
        } }),
        ),
        Gives::Socket => ("101", json!({ "description": "A WebSocket" })),
        Gives::Text("application/json") => (
            "200",
            json!({ "description": "Done", "content": { "application/json": { "schema": { "type": "object" } } } }),
        ),
        Gives::Text(kind) => (
            "200",
            json!({ "description": "Done", "content": { kind: { "schema": { "type": "string" } } } }),
        ),
    };
    json!({
        status: what,
        "default": { "$ref": "#/components/responses/Problem" },
    })
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut all = Vec::new();
    for name in ["id", "name", "room"] {
        if route.info.path.contains(&format!("{{{name}}}")) {
            all.push(json!({
                "name": name, "in": "path", "required": true,
                "schema": { "type": "string", "minLength": 1, "maxLength": 128 },
            }));
        }
    }
    if route.info.path.contains("{number}") {
        all.push(json!({
            "name": "number", "in": "path", "required": true,
            "schema": { "type": "integer", "minimum": 0 },
        }));
    }
    if route.info.path.contains("{sha256}") {
        all.push(json!({
            "name": "sha256", "in": "path", "required": true,
            "schema": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
        }));
    }
    let query = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    if matches!(route.takes, Takes::Bytes) {
        let number = || json!({ "type": "integer", "minimum": 0 });
        for (name, description) in [
            (
                crate::model::host::OFFSET,
                "Where in the content the piece begins",
            ),
            (crate::model::host::LENGTH, "Bytes of the whole content"),
        ] {
            let mut required = header(name, description, number());
            required["required"] = true.into();
            all.push(required);
        }
    }
    if matches!(route.info.path, "/api/realtime-sync" | "/api/events") {
        all.push(query(
            "after",
            "The id of the last event you have; absent begins at the oldest kept. A bare number is a position in the present log.",
            json!({ "type": "string", "pattern": schema::CURSOR_OR_SEQ }),
        ));
        all.push(query(
            "channel",
            "Only events of these: `project:…`, `proposal:…`, `build:…` and `deployment:…` (a deployment's id), `preview:…` (a proposal's), `instruction:…`, with commas between them. On the stream each event then carries `prev`, the position told before it. `presence` adds who is here: events without an id on the stream, the field `presence` in a page.",
            json!({ "type": "string", "pattern": schema::CHANNELS }),
        ));
    }
    if route.info.path == "/api/realtime-sync" {
        all.push(query(
            "beats",
            "1: heartbeats are events `beat` without an id, for readers that are told of no comments.",
            json!({ "type": "integer", "minimum": 0, "maximum": 1, "default": 0 }),
        ));
    }
    match route.info.path {
        "/api/deployments" => {
            all.push(query(
                "limit",
                "At most so many deployments.",
                json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 100 }),
            ));
            all.push(query(
                "before",
                "Only those older than this one: the last one of the page before.",
                json!({ "type": "string", "pattern": schema::NAME }),
            ));
        }
        "/api/deployments/compare" => {
            for name in ["a", "b"] {
                let mut named = query(
                    name,
                    "A deployment, a release or a full commit id.",
                    json!({ "type": "string", "minLength": 1, "maxLength": 128 }),
                );
                named["required"] = (name == "b").into();
                all.push(named);
            }
            all.push(query(
                "patch",
                "0: the commits alone, without the files and the patch; without `a` then the newest up to `b`.",
                json!({ "type": "integer", "minimum": 0, "maximum": 1, "default": 1 }),
            ));
        }
        "/notice" => all.push(query(
            "environment",
            "The environment; absent: the server's usual one; `*`: all of them.",
            json!({ "type": "string", "pattern": "^([0-9A-Za-z_. -]{1,64}|[*])?$" }),
        )),
        "/api/realtime-sync" => all.push(header(
            "Last-Event-ID",
            "As `after`, which it beats. An id of another log is answered with an event `reset`.",
            json!({ "type": "string" }),
        )),
        "/api/events" => {
            let number = |least: u64, most: u64, usual: u64| json!({ "type": "integer", "minimum": least, "maximum": most, "default": usual });
            all.push(query("limit", "At most so many events.", number(1, 1000, 500)));
            all.push(query("wait", "Seconds to wait for the next event.", number(0, 60, 0)));
        }
        "/api/audit" => {
            let number = |most: u64| json!({ "type": "integer", "minimum": 1, "maximum": most });
            all.push(query("limit", "At most so many entries; 100 unless it is said.", number(1000)));
            all.push(query("before", "Only entries before this number: the `next` of an answer.", number(i64::MAX as u64)));
        }
        "/api/voice-to-code" => all.push(header(
            "Idempotency-Key",
            "The same key gives the same instruction again.",
            json!({ "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$" }),
        )),
        "/api/session" if route.info.method == "DELETE" => all.push(json!({
            "name": super::auth::CSRF_HEADER, "in": "header", "required": true,
            "description": "Any value: a foreign page cannot add it.", "schema": { "type": "string" },
        })),
        _ => {}
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every `$ref` below `value`.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get("$ref") {
                    found.insert(target.clone());
                }
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_route_is_described_and_every_reference_resolves() {
        let document = document();
        for route in ROUTES {
            let method = route.info.method.to_ascii_lowercase();
            assert!(document["paths"][route.info.path][&method].is_object());
        }
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for target in &found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
        let used: BTreeSet<&str> = found.iter().filter_map(|t| t.rsplit('/').next()).collect();
        for name in document["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys()
        {
            assert!(
                used.contains(name.as_str()),
                "{name} is described and never used"
            );
        }
    }

    #[test]
    fn operation_ids_are_unique() {
        let ids: BTreeSet<String> = ROUTES.iter().map(operation_id).collect();
        assert_eq!(ids.len(), ROUTES.len());
    }
}
