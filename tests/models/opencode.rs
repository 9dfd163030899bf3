//! A real agent: opencode, with aimock as its model, without any network.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::doubles::Double;
use super::{Bench, PAGE, Said, stage};

/// The program, where the list of test services holds it for this machine.
fn program() -> Option<PathBuf> {
    let modules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/services/node_modules");
    let program = modules.join("opencode-linux-x64/bin/opencode");
    if !program.is_file() {
        println!("SKIPPED: the package opencode-linux-x64 is not installed: scripts/setup.sh test");
        return None;
    }
    Some(program)
}

/// What the model says: it reads the page, changes it, and is done. To a request without tools (a title) it says "done" too.
fn model() -> Value {
    let call = |name: &str, arguments: Value| json!({ "toolCalls": [{ "name": name, "arguments": arguments.to_string() }] });
    json!([
        {
            "match": { "toolName": "edit", "toolResultContains": "Hello there" },
            "response": call("edit", json!({ "filePath": "index.html", "oldString": "Hello there", "newString": "Hello from afar" })),
        },
        {
            "match": { "toolName": "edit", "hasToolResult": false },
            "response": call("read", json!({ "filePath": "index.html" })),
        },
        { "match": { "userMessage": "" }, "response": { "content": "The heading is friendlier now." } },
    ])
}

/// A site, and opencode set up to ask before it edits.
fn bench(url: &str, program: &std::path::Path) -> Bench {
    let bench = Bench::new(url, &[("index.html", PAGE)]);
    let folder = bench.home.path().join("config/opencode");
    std::fs::create_dir_all(&folder).unwrap();
    let config = json!({
        "model": "mock/m",
        "small_model": "mock/m",
        "autoupdate": false,
        "share": "disabled",
        "permission": { "edit": "ask" },
        "provider": { "mock": {
            "npm": "@ai-sdk/openai-compatible",
            "options": { "baseURL": format!("{url}/v1"), "apiKey": "x" },
            "models": { "m": { "name": "m" } },
        } },
    });
    std::fs::write(folder.join("opencode.json"), config.to_string()).unwrap();
    bench.configure(&format!(
        "[generate.agent]\nprotocol = \"acp\"\ncommand = [{program:?}, \"acp\"]\nenv = [\"OPENCODE_*\"]\n"
    ));
    bench
}

fn say(bench: &Bench, more: &[&str]) -> Said {
    let mut args = vec!["say", "--engine", "agent", "--action", "preview", "--json"];
    args.extend(more);
    args.push("make the heading friendlier");
    let home = bench.home.path();
    let mut command = bench.command(&args);
    command
        .env("HOME", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("OPENCODE_DISABLE_MODELS_FETCH", "1")
        .env("OPENCODE_DISABLE_AUTOUPDATE", "1")
        .env("OPENCODE_DISABLE_LSP_DOWNLOAD", "1");
    Said::of(command.output().unwrap())
}

#[test]
fn a_real_agent_edits_a_site_when_it_may_and_does_not_when_it_may_not() {
    let (Some(program), Some(double)) = (program(), Double::start(&model())) else {
        return;
    };
    let allowed = bench(&double.url, &program);
    let said = say(&allowed, &["--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.all);
    let patch = said.proposal()["patch"].as_str().unwrap();
    assert!(patch.contains("+<h1>Hello from afar</h1>"), "{patch}");
    let asked = said
        .events
        .iter()
        .find_map(|event| event["data"]["question"]["text"].as_str());
    let asked = asked.unwrap_or_else(|| panic!("nothing was asked: {}", said.all));
    assert!(asked.contains("index.html"), "{asked}");
    assert_eq!(stage::read(allowed.site.path(), "index.html"), PAGE);
    // The same agent where nobody is there to say yes.
    let said = say(&bench(&double.url, &program), &[]);
    assert_eq!(said.code, Some(3), "{}", said.all);
    assert!(
        said.events.iter().all(|event| event["type"] != "proposal"),
        "{}",
        said.all
    );
}
