//! A proposal is built and served before it is approved.

use futures::StreamExt;
use sayso::client::Client;
use sayso::model::api::{Decide, EditText, Reject, StartPreview};
use sayso::model::{Decision, Preview, PreviewState, ProposalId};

use crate::bench::{Bench, PAGE};
use crate::stage::{self, read, wait_for};

async fn in_state(client: &Client, id: &ProposalId, version: u32, state: PreviewState) -> Preview {
    wait_for(&format!("a preview that is {state:?}"), async || {
        let now = client.preview_of(id).await.ok()?;
        (now.state == state && now.version == version).then_some(now)
    })
    .await
}

async fn page(url: &str) -> Option<String> {
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(url)
        .send()
        .await
        .ok()?
        .text()
        .await
        .ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_is_served_follows_its_versions_and_goes_with_it() {
    let bench = Bench::new(&[("index.html", PAGE)]);
    bench.configure("[preview]\nbrowser = \"none\"\n");
    let said = bench.say("change the headline to Good morning");
    assert_eq!(said.code, Some(0), "{}", said.all);
    let (child, client) = bench.serve(&["preview"]).await;
    let id = client.status().await.unwrap().proposals[0]
        .proposal
        .id
        .clone();
    let shown = in_state(&client, &id, 1, PreviewState::Ready).await;
    assert_eq!(
        client.status().await.unwrap().previews,
        std::slice::from_ref(&shown)
    );
    let text = page(&shown.url).await.unwrap();
    assert!(text.contains("<h1>Good morning</h1>"), "{text}");
    assert!(
        text.contains("/__sayso/client.js"),
        "open pages load themselves anew: {text}"
    );
    assert_eq!(
        read(bench.site.path(), "index.html"),
        PAGE,
        "the person's file is untouched"
    );

    // An open page is told of the next version.
    let news = reqwest::Client::builder().no_proxy().build().unwrap();
    let news = news
        .get(format!("{}__sayso/events", shown.url))
        .send()
        .await
        .unwrap();
    let mut news = news.bytes_stream();
    let mut heard = String::from_utf8_lossy(&news.next().await.unwrap().unwrap()).into_owned();
    let edit = EditText {
        path: "index.html".into(),
        text: PAGE.replace("Hello there", "Good evening"),
        version: 1,
    };
    client.edit(&id, &edit).await.unwrap();
    let again = in_state(&client, &id, 2, PreviewState::Ready).await;
    assert_eq!(again.url, shown.url, "the address stays");
    assert!(page(&again.url).await.unwrap().contains("Good evening"));
    while heard.matches("event: release").count() < 2 {
        let more = tokio::time::timeout(stage::DEADLINE, news.next())
            .await
            .unwrap();
        heard.push_str(&String::from_utf8_lossy(&more.unwrap().unwrap()));
    }
    drop(news);

    let folder = bench.state().join("previews");
    assert!(std::fs::read_dir(&folder).unwrap().next().is_some());
    client.reject(&id, &Reject::default()).await.unwrap();
    wait_for("the end of the preview", async || {
        let gone = client.preview_of(&id).await.is_err() && page(&shown.url).await.is_none();
        // `sayso preview` itself ends, and takes the folder with it, when it had not yet seen the preview get ready.
        let left = std::fs::read_dir(&folder).map_or(0, |left| left.count());
        (gone && left == 0).then_some(())
    })
    .await;
    drop(child);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_crash_leaves_is_removed() {
    let bench = Bench::new(&[("index.html", PAGE)]);
    bench.configure("[preview]\nbrowser = \"none\"\n");
    bench.say("change the headline to Good morning");
    let (child, client) = bench.serve(&["preview"]).await;
    let id = client.status().await.unwrap().proposals[0]
        .proposal
        .id
        .clone();
    in_state(&client, &id, 1, PreviewState::Ready).await;
    drop(child);
    let folder = bench.state().join("previews");
    assert!(
        std::fs::read_dir(&folder).unwrap().next().is_some(),
        "it was killed"
    );
    assert_eq!(bench.run(&["status"]).code, Some(0));
    let left = std::fs::read_dir(&folder).map_or(0, |left| left.count());
    assert_eq!(left, 0);
}

/// A recipe of the site that changes the program that builds it.
const WIDENS: &str = "title = \"Tidy up\"\nabout = \"x\"\n[[variant]]\nfor = [\"html\"]\n\
    [[variant.edit]]\nfiles = [\"build.sh\"]\nat_start = true\ntext = \"touch \\\"$OUT\\\"/ran\\n\"\n\
    [[variant.edit]]\nfiles = [\"index.html\"]\nafter = \"<h1>\"\ntext = \"New: \"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_proposal_changes_about_the_build_is_run_only_when_allowed() {
    let out = tempfile::tempdir().unwrap();
    let build = format!(
        "OUT={}\nmkdir -p dist && cp index.html dist/\n",
        out.path().display()
    );
    let widens = WIDENS.replace("$OUT", &out.path().display().to_string());
    let bench = Bench::new(&[
        ("index.html", PAGE),
        ("build.sh", &build),
        (
            "sayso.toml",
            "[build]\ncommand = \"sh build.sh\"\noutput = \"dist\"\n",
        ),
        (".sayso/recipes/tidy/recipe.toml", &widens),
    ]);
    bench.configure("[preview]\nbrowser = \"none\"\n");
    let said = bench.run(&["recipe", "run", "tidy", "--json", "--yes"]);
    assert_eq!(said.paths(), ["build.sh", "index.html"], "{}", said.all);
    let files = said.proposal()["files"].as_array().unwrap();
    assert_eq!(
        files[0]["hunks"][0]["decision"], "rejected",
        "it needs an approval of its own"
    );

    let (_child, client) = bench.serve(&["preview"]).await;
    let view = client.status().await.unwrap().proposals.remove(0);
    let id = view.proposal.id.clone();
    let shown = in_state(&client, &id, 1, PreviewState::Ready).await;
    assert!(page(&shown.url).await.unwrap().contains("New: Hello there"));
    let ran = out.path().join("ran");
    assert!(!ran.exists(), "what was left out was not run");

    let decide = Decide {
        hunks: vec![view.proposal.files[0].hunks[0].id.clone()],
        lines: None,
        decision: Decision::Accepted,
    };
    client.decide(&id, &decide).await.unwrap();
    let held = in_state(&client, &id, 2, PreviewState::Held).await;
    assert!(held.message.contains("build.sh"), "{held:?}");
    assert!(
        !ran.exists(),
        "accepting the hunk for the commit is not leave to run it now"
    );
    assert!(
        page(&shown.url).await.unwrap().contains("New: Hello there"),
        "the version before is still there"
    );

    client
        .preview(&id, StartPreview { allow: true })
        .await
        .unwrap();
    in_state(&client, &id, 2, PreviewState::Ready).await;
    assert!(ran.exists());
}

#[test]
fn a_build_that_fails_is_told_with_its_last_lines() {
    let bench = Bench::new(&[
        ("index.html", PAGE),
        (
            "sayso.toml",
            "[build]\ncommand = \"echo no such page; exit 3\"\n",
        ),
    ]);
    bench.configure("[preview]\nbrowser = \"none\"\n");
    bench.say("change the headline to Good morning");
    let said = bench.run(&["preview", "--check"]);
    assert_eq!(said.code, Some(1), "{}", said.all);
    assert!(
        said.all.contains("exit code 3") && said.all.contains("no such page"),
        "{}",
        said.all
    );
    let said = bench.run(&["preview", "--check", "pro_nothing"]);
    assert_eq!(said.code, Some(1), "{}", said.all);
}

#[test]
fn preview_changes_can_be_said() {
    let bench = Bench::new(&[("index.html", PAGE)]);
    bench.configure("[preview]\nbrowser = \"none\"\n");
    bench.say("change the headline to Good morning");
    let said = bench.say("preview changes");
    let told: String = said
        .events
        .iter()
        .map(|event| event["data"]["message"].to_string())
        .collect();
    assert!(
        told.contains("the preview will be at http://127.0.0.1:"),
        "{}",
        said.all
    );
}
