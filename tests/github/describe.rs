//! GitHub's published description of its interface: is there such a request, and is its body of that form?

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::emulate_support::folder;

static DESCRIPTION: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let text = std::fs::read_to_string(folder().join("node_modules/github-api.json"))
        .expect("the description is installed: scripts/setup.sh test");
    serde_json::from_str(&text).unwrap()
});

/// What is wrong with a request; nothing for one that is described.
pub fn check(method: &str, path: &str, query: &str, body: Option<&Value>) -> Result<(), String> {
    let found: Vec<&Value> = DESCRIPTION
        .iter()
        .filter(|(template, _)| fits(template, path))
        .map(|(_, methods)| methods)
        .collect();
    if found.is_empty() {
        return Err(format!("there is no path {path}"));
    }
    let method = method.to_ascii_lowercase();
    let Some(operation) = found.iter().find_map(|methods| methods.get(&method)) else {
        return Err(format!("{path} knows no {method}"));
    };
    for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
        let known = operation["query"].as_array().unwrap();
        if !known.iter().any(|parameter| *parameter == *name) {
            return Err(format!("{method} {path} knows no parameter {name}"));
        }
    }
    match (body, &operation["body"]) {
        (None, _) if operation["required"] == true => Err(format!("{method} {path} needs a body")),
        (Some(_), Value::Null) => Err(format!("{method} {path} takes no body")),
        (Some(body), schema) => form(schema, body, "body"),
        (None, _) => Ok(()),
    }
}

/// `/repos/{owner}/{repo}/git/ref/{ref}`: only the last name of a template may stand for several parts.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    let last = template.len() - 1;
    let several = ["{ref}", "{path}", "{basehead}", "{branch}"].contains(&template[last]);
    if path.len() < template.len() || path.len() > template.len() && !several {
        return false;
    }
    template.iter().zip(&path).all(|(wanted, part)| {
        if wanted.starts_with('{') {
            !part.is_empty()
        } else {
            wanted == part
        }
    })
}

fn form(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if schema["nullable"] == true && value.is_null() {
        return Ok(());
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(ways) = schema[key].as_array()
            && !ways.iter().any(|way| form(way, value, at).is_ok())
        {
            return Err(format!("{at} is of none of the forms"));
        }
    }
    let right = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        _ => true,
    };
    if !right {
        return Err(format!("{at} should be {}, not {value}", schema["type"]));
    }
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        return Err(format!("{at} cannot be {value}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
            return Err(format!("{at} lacks {name}"));
        }
    }
    if let (Some(members), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, member) in members {
            let schema = known
                .get(name)
                .ok_or_else(|| format!("{at} knows no {name}"))?;
            form(schema, member, &format!("{at}.{name}"))?;
        }
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        for (n, item) in items.iter().enumerate() {
            form(schema, item, &format!("{at}[{n}]"))?;
        }
    }
    Ok(())
}

#[test]
fn the_description_finds_mistakes() {
    if !folder().join("node_modules/github-api.json").is_file() {
        println!("SKIPPED: GitHub's description is not installed: scripts/setup.sh test");
        return;
    }
    let tree = serde_json::json!({ "base_tree": "x", "tree": [{ "path": "a", "mode": "100644", "type": "blob", "sha": null }] });
    let trees = "/repos/ada/site/git/trees";
    assert_eq!(check("POST", trees, "", Some(&tree)), Ok(()));
    assert_eq!(
        check("GET", "/repos/ada/site/git/ref/heads/a%2Fb/c", "", None),
        Ok(())
    );
    let mut wrong = tree.clone();
    wrong["tree"][0]["mode"] = "644".into();
    assert!(check("POST", trees, "", Some(&wrong)).is_err());
    let mut wrong = tree;
    wrong["commiter"] = "x".into();
    assert!(check("POST", trees, "", Some(&wrong)).is_err());
    assert!(check("POST", trees, "", None).is_err());
    assert!(check("PUT", trees, "", None).is_err());
    assert!(check("GET", "/repos/ada/site/git/nothing", "", None).is_err());
}
