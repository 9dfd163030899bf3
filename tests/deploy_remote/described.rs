//! The services' published descriptions: is there such a request, with such parameters and fields?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::service::Seen;

/// What the description in `file` has against a request; nothing where it is not installed.
pub fn complaints(file: &'static str, request: &Seen) -> Vec<String> {
    static KNOWN: Mutex<BTreeMap<&str, Option<Arc<Value>>>> = Mutex::new(BTreeMap::new());
    let description = KNOWN
        .lock()
        .unwrap()
        .entry(file)
        .or_insert_with(|| {
            let file = super::emulate_support::folder()
                .join("node_modules")
                .join(file);
            let read = serde_json::from_slice(&std::fs::read(file).ok()?);
            Some(Arc::new(read.expect("it is JSON")))
        })
        .clone();
    let Some(described) = description.as_deref().and_then(Value::as_object) else {
        return Vec::new();
    };
    let given: Vec<&str> = request.path.split('/').collect();
    let fits = |path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        // `{ref}` alone takes several parts.
        let open = parts.last() == Some(&"{ref}") && given.len() > parts.len();
        (parts.len() == given.len() || open)
            && parts
                .iter()
                .zip(&given)
                .all(|(part, given)| part.starts_with('{') || part == given)
    };
    let method = request.method.to_ascii_lowercase();
    let operation = described
        .iter()
        .filter(|(path, _)| fits(path))
        .find_map(|(_, methods)| methods.get(&method));
    let Some(operation) = operation else {
        return vec![format!("{} is not described", request.line())];
    };
    let mut complaints = Vec::new();
    for (name, _) in url::form_urlencoded::parse(request.query.as_bytes()) {
        if !operation["query"]
            .as_array()
            .unwrap()
            .iter()
            .any(|known| *known == *name)
        {
            complaints.push(format!("{}: no parameter {name}", request.line()));
        }
    }
    for name in request
        .json()
        .as_object()
        .into_iter()
        .flat_map(|body| body.keys())
    {
        if operation["body"]["properties"].get(name).is_none() {
            complaints.push(format!("{}: no field {name}", request.line()));
        }
    }
    complaints
}

#[test]
fn a_request_that_nobody_described_is_found() {
    let seen = |method: &str, path: &str, query: &str, body: &'static str| Seen {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: bytes::Bytes::from_static(body.as_bytes()),
    };
    let file = "vercel-api.json";
    if !super::emulate_support::folder()
        .join("node_modules")
        .join(file)
        .is_file()
    {
        println!("SKIPPED: the descriptions are not installed: scripts/setup.sh test");
        return;
    }
    let of = |request: &Seen| complaints(file, request).len();
    let create = "/v13/deployments";
    assert_eq!(
        of(&seen("POST", create, "forceNew=1", r#"{"name": "x"}"#)),
        0
    );
    assert_eq!(
        of(&seen("POST", create, "forceNow=1", r#"{"nome": "x"}"#)),
        2
    );
    assert_eq!(of(&seen("PUT", create, "", "")), 1);
    assert_eq!(of(&seen("POST", "/v1/projects/p/rollback/d", "", "")), 0);
    assert_eq!(of(&seen("POST", "/v1/projects/p/rollforth/d", "", "")), 1);
}
