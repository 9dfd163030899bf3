//! PyPI's schemathesis on `/api/openapi.json`: what the document says is what the server does, for requests that fit it and
//! for requests that do not.

use std::time::Duration;

use tokio::process::Command;

use crate::process::services;
use crate::support::{Server, TOKEN};

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() {
    let packages = services().join("python");
    if !packages.join("bin/st").is_file() {
        println!("SKIPPED: PyPI's schemathesis is not installed: scripts/setup.sh test");
        return;
    }
    let server = Server::with(|options| {
        let secret = || Some("a secret of the tests".to_owned());
        options.webhooks.github = secret();
        options.webhooks.vercel = secret();
        options.webhooks.generic = secret();
        options.notice = true;
    })
    .await;
    server.append(0, 20).await;
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new("python3")
        .arg("-B")
        .arg(packages.join("bin/st"))
        .arg("run")
        .arg(server.url("/api/openapi.json"))
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        .args([
            "--max-examples",
            "4",
            "--phases",
            "coverage,fuzzing",
            "--seed",
            "9",
            "--no-shrink",
        ])
        // They never end, which is what they are for; they have tests of their own.
        .args([
            "--exclude-path",
            "/api/realtime-sync",
            "--exclude-path",
            "/notice",
        ])
        // A call that waits for news waits.
        .args(["--exclude-path", "/api/events"])
        // What this server has nothing to do with: it says so by 501, which counts as its failure there; and a socket.
        .args(["--exclude-path-regex", "/preview|^/api/watch|^/realtime/"])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
             response_schema_conformance,negative_data_rejection,unsupported_method",
        ])
        .env("PYTHONPATH", &packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(folder.path())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(240), run)
        .await
        .expect("schemathesis ends")
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("generated"), "{text}");
}
