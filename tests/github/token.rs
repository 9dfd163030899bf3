//! The token, through the real program: where it goes, whose it is, what it lacks.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::hub::Hub;
use super::program::{Person, both};
use super::relay::{Act, refusal};

#[test]
fn the_token_is_nowhere_but_in_the_requests() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let person = Person::new(&hub, &site);
    let mut said = String::new();
    for (n, trouble) in [None, Some(401), Some(403), Some(422), Some(500)]
        .into_iter()
        .enumerate()
    {
        if let Some(status) = trouble {
            hub.relay.rule(
                "POST",
                "/git/trees",
                Act::Answer(status, Vec::new(), refusal("No")),
            );
        }
        site.write("index.html", format!("<h1>{n}</h1>\n"));
        said += &both(&person.run(&["commit", "--yes", "-m", "Try"]));
        said += &both(&person.run(&["commit", "--yes", "-m", "Try", "--json"]));
    }
    said += &both(&person.run(&["doctor"]));
    said += &both(&person.run(&["doctor", "--json"]));
    assert!(!said.contains(&hub.token), "{said}");
    let mut looked = 0;
    let mut folders = vec![site.home().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let place = entry.path();
            if place.is_dir() && !place.is_symlink() {
                folders.push(place);
            } else if let Ok(bytes) = std::fs::read(&place) {
                looked += 1;
                let token = hub.token.as_bytes();
                let found = bytes.windows(token.len()).any(|window| window == token);
                assert!(!found, "{} holds the token", place.display());
            }
        }
    }
    assert!(looked > 10);
}

#[test]
fn the_check_up_tells_whose_token_it_is_and_what_it_lacks() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let person = Person::new(&hub, &site);
    let look = || -> Value {
        let output = person.run(&["doctor", "--json"]);
        let checks: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        checks
            .into_iter()
            .find(|check| check["name"] == "github")
            .unwrap()
    };
    let scopes = |text: &str| Act::Headers(vec![("x-oauth-scopes", text.to_owned())]);
    hub.relay.rule("GET", "/user", scopes("repo, workflow"));
    let check = look();
    assert_eq!(check["ok"], true, "{check}");
    let found = check["found"].as_str().unwrap();
    assert!(
        found.contains("GITHUB_PAT") && found.contains("repo, workflow"),
        "{found}"
    );
    hub.relay.rule(
        "GET",
        "/user",
        Act::Answer(
            200,
            vec![("x-oauth-scopes", "gist".to_owned())],
            serde_json::json!({ "login": "ada" }),
        ),
    );
    let check = look();
    assert_eq!(check["ok"], false, "{check}");
    assert!(
        check["found"]
            .as_str()
            .unwrap()
            .contains("lacks repo, workflow"),
        "{check}"
    );
    hub.relay.rule(
        "GET",
        "/user",
        Act::Answer(401, Vec::new(), refusal("Bad credentials")),
    );
    assert!(
        look()["next"]
            .as_str()
            .unwrap()
            .contains("sayso login github")
    );
    // gh's own login is found where there is no other.
    let programs = site.home().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let script = format!(
        "#!/bin/sh\n[ \"$1 $2\" = 'auth token' ] && echo {}\n",
        hub.token
    );
    std::fs::write(programs.join("gh"), script).unwrap();
    Command::new("chmod")
        .arg("+x")
        .arg(programs.join("gh"))
        .status()
        .unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = person
        .command(&["doctor", "--json"])
        .env_remove("GITHUB_PAT")
        .env_remove("GH_TOKEN")
        .env_remove("GITHUB_TOKEN")
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(both(&output).contains("gh auth token"), "{}", both(&output));
}

#[test]
fn without_a_token_it_says_how_to_get_one() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let output = Person::new(&hub, &site)
        .command(&["status"])
        .env_remove("GITHUB_PAT")
        .env_remove("GH_TOKEN")
        .env_remove("GITHUB_TOKEN")
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    let said = both(&output);
    if Path::new("/usr/bin/gh").exists() {
        return;
    }
    assert!(
        said.contains("sayso login github") && said.contains("GITHUB_PAT"),
        "{said}"
    );
    let login = Person::new(&hub, &site).run(&["login", "github"]);
    assert!(!login.status.success());
}
