//! What the host takes, and from whom: asked directly.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::world::*;

fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Api {
    base: String,
    client: reqwest::Client,
}

impl Api {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}api/{path}", self.base);
        self.client.request(method, url).bearer_auth(HOST_TOKEN)
    }

    async fn piece(
        &self,
        digest: &str,
        offset: usize,
        length: usize,
        bytes: &[u8],
    ) -> (u16, Value) {
        let request = self
            .request(Method::PUT, &format!("host/blobs/{digest}"))
            .header("upload-offset", offset)
            .header("upload-length", length)
            .body(bytes.to_vec());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(Method::POST, path).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn release(id: &str, files: &[(&str, &[u8])]) -> Value {
    let files: Vec<Value> = files
        .iter()
        .map(|(path, bytes)| json!({"path": path, "sha256": digest(bytes), "size": bytes.len()}))
        .collect();
    json!({
        "deployment": id, "commit": "c", "tree": id, "recipe": "r", "built": false, "actor": "Ada", "files": files,
    })
}

#[tokio::test]
async fn only_whole_and_right_contents_are_taken() {
    let mut host = Host::new();
    let base = host.start(&[]);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let api = Api { base, client };

    // The token for deployments opens nothing else; and without one nothing is open.
    let status = api.request(Method::GET, "status").send().await.unwrap();
    assert_eq!(status.status(), StatusCode::UNAUTHORIZED);
    let rollback = api.request(Method::POST, "environments/production/rollback");
    assert_eq!(
        rollback.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let bare = api.client.get(format!("{}api/host/production", api.base));
    assert_eq!(
        bare.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );

    // A wrong content is refused, at once and in pieces, and nothing of it stays.
    let (page, name) = (b"<h1>hello</h1>".as_slice(), digest(b"<h1>hello</h1>"));
    let (status, problem) = api.piece(&name, 0, page.len(), b"<h1>HELLO</h1>").await;
    assert_eq!(
        (status, problem["type"].as_str()),
        (422, Some("about:sayso/wrong-content"))
    );
    let (status, half) = api.piece(&name, 0, page.len(), &page[..6]).await;
    assert_eq!((status, half["have"].as_u64()), (200, Some(6)));
    let (status, _) = api.piece(&name, 6, page.len(), b"XXXXXXXX").await;
    assert_eq!(status, 422);
    let (_, missing) = api
        .post(
            "host/production/missing",
            &json!({"files": release("dep_x", &[("index.html", page)])["files"]}),
        )
        .await;
    assert_eq!(missing["missing"][0]["have"], 0, "{missing}");
    // A piece that does not go on where the last one ended.
    api.piece(&name, 0, page.len(), &page[..6]).await;
    assert_eq!(api.piece(&name, 3, page.len(), &page[3..]).await.0, 409);
    assert_eq!(api.piece("%2e%2e%2fetc%2fpasswd", 0, 1, b"x").await.0, 400);
    assert_eq!(api.piece(&"0".repeat(63), 0, 1, b"x").await.0, 400);
    assert_eq!(api.piece(&name, 6, 10, &page[6..]).await.0, 400);

    // A release of what is not there, and of what could leave its folder.
    let whole = release("dep_1", &[("index.html", page)]);
    let (status, problem) = api.post("host/production/release", &whole).await;
    assert_eq!(
        (status, problem["type"].as_str()),
        (409, Some("about:sayso/missing-files"))
    );
    for path in ["../index.html", "/index.html", ".git/config", "a\\b"] {
        let bad = release("dep_1", &[(path, page)]);
        assert_eq!(
            api.post("host/production/release", &bad).await.0,
            400,
            "{path}"
        );
    }
    let odd = release("../x", &[("index.html", page)]);
    assert_eq!(api.post("host/production/release", &odd).await.0, 400);
    assert_eq!(api.post("host/nowhere/release", &whole).await.0, 404);

    // The rest of it, and it goes live; asked for twice it is one deployment.
    assert_eq!(api.piece(&name, 6, page.len(), &page[6..]).await.0, 200);
    for _ in 0..2 {
        let (status, accepted) = api.post("host/production/release", &whole).await;
        assert_eq!(
            (status, accepted["deployment"].as_str()),
            (202, Some("dep_1"))
        );
    }
    let began = std::time::Instant::now();
    let url = loop {
        let asked = api.request(Method::GET, "host/production/deployments/dep_1");
        let deployment: Value = asked.send().await.unwrap().json().await.unwrap();
        match deployment["state"].as_str().unwrap() {
            "live" => break deployment["url"].as_str().unwrap().to_owned(),
            "queued" | "running" => {}
            other => panic!("{other}: {deployment}"),
        }
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let answer = api.client.get(url).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), page);
    let state: Value = api
        .request(Method::GET, "host/production")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(state["releases"].as_array().unwrap().len(), 1, "{state}");

    // What is damaged on the host's disk is found before it is served, and sent anew.
    let object = files_below(&host.home.path().join("STATE"))
        .into_iter()
        .find(|path| path.ends_with(format!("objects/{name}")))
        .unwrap();
    std::fs::remove_file(&object).unwrap();
    std::fs::write(&object, b"<h1>jello</h1>").unwrap();
    let other = b"body{}".as_slice();
    api.piece(&digest(other), 0, other.len(), other).await;
    let damaged = release("dep_2", &[("index.html", page), ("style.css", other)]);
    assert_eq!(api.post("host/production/release", &damaged).await.0, 202);
    loop {
        let asked = api.request(Method::GET, "host/production/deployments/dep_2");
        let deployment: Value = asked.send().await.unwrap().json().await.unwrap();
        if deployment["state"] == "failed" {
            let why = deployment["problem"]["detail"].as_str().unwrap();
            break assert!(why.contains("index.html is damaged"), "{why}");
        }
        assert!(began.elapsed() < PATIENCE, "{deployment}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let (_, missing) = api
        .post(
            "host/production/missing",
            &json!({"files": damaged["files"]}),
        )
        .await;
    assert_eq!(missing["missing"][0]["sha256"], name.as_str(), "{missing}");
}
