//! Recipes on sites of each kind.

use crate::bench::{Bench, PAGE};

/// A proposal whose files have nothing left to be filled in.
fn follow(bench: &Bench, name: &str, set: &[&str]) -> crate::bench::Said {
    let mut args = vec!["recipe", "run", name, "--json", "--yes"];
    for pair in set {
        args.extend(["--set", pair]);
    }
    let said = bench.run(&args);
    assert_eq!(said.code, Some(0), "{name}: {}", said.all);
    let left: Vec<&str> = said
        .patch()
        .lines()
        .filter(|line| line.contains("%{"))
        .collect();
    assert!(left.is_empty(), "{name}: {left:?}");
    assert_eq!(said.proposal()["engine"], "recipe");
    said
}

const ADDRESS: &str = "address=https://example.org/";

#[test]
fn next() {
    let bench = Bench::of("next-app");
    let said = follow(&bench, "realtime", &["path=/api/live"]);
    assert!(
        said.paths()
            .contains(&"src/app/api/live/route.ts".to_owned()),
        "{:?}",
        said.paths()
    );
    assert!(
        said.patch()
            .contains("from '../../../../lib/realtime/stream'")
            || said.patch().contains("from '../../../lib/realtime/stream'")
    );
    assert!(said.patch().contains("REALTIME_PATH = \"/api/live\""));
    let said = follow(&bench, "dark-mode", &[]);
    assert!(said.paths().contains(&"src/app/layout.tsx".to_owned()));
    assert!(
        said.patch().contains("suppressHydrationWarning>"),
        "{}",
        said.patch()
    );
    let said = follow(&bench, "sitemap", &[ADDRESS]);
    assert!(said.patch().contains("+  \"/about\","), "{}", said.patch());
    let said = follow(&bench, "contact-form", &["title=Say \"hello\", please"]);
    assert!(
        said.patch().contains(r#"{"Say \"hello\", please"}"#),
        "{}",
        said.patch()
    );
}

#[test]
fn sveltekit_and_astro() {
    let svelte = Bench::of("sveltekit");
    let said = follow(&svelte, "realtime", &[]);
    assert!(
        said.paths()
            .contains(&"src/routes/api/realtime/+server.ts".to_owned())
    );
    let said = follow(&svelte, "dark-mode", &[]);
    assert!(
        said.patch().contains("%sveltekit.assets%/theme.js"),
        "{}",
        said.patch()
    );
    follow(&svelte, "sitemap", &[ADDRESS]);
    follow(&svelte, "contact-form", &[]);
    let astro = Bench::of("astro");
    let said = follow(&astro, "realtime", &[]);
    assert!(
        said.patch().contains("'../../lib/realtime/stream'"),
        "{}",
        said.patch()
    );
    let said = follow(&astro, "dark-mode", &["toggle=no"]);
    assert!(
        said.paths().contains(&"src/layouts/Base.astro".to_owned()),
        "{:?}",
        said.paths()
    );
    assert!(!said.paths().iter().any(|path| path.contains("ThemeToggle")));
    follow(&astro, "sitemap", &[ADDRESS]);
    // The site has a page of that name already: nothing is written over.
    let said = astro.run(&["recipe", "run", "contact-form", "--json", "--yes"]);
    if said.code == Some(3) {
        assert!(
            said.error()["message"]
                .as_str()
                .unwrap()
                .contains("already"),
            "{}",
            said.all
        );
    }
}

#[test]
fn servers() {
    let express = Bench::new(&[
        ("package.json", "{\"dependencies\":{\"express\":\"5\"}}\n"),
        ("server.js", "const express = require('express')\n"),
    ]);
    let said = follow(&express, "realtime", &[]);
    assert_eq!(
        said.paths(),
        [
            "realtime/client.js",
            "realtime/router.cjs",
            "realtime/router.mjs"
        ]
    );
    follow(&express, "contact-form", &[]);
    let module = "import { Module } from '@nestjs/common';\n\n@Module({ imports: [], controllers: [] })\nexport class AppModule {}\n";
    let nest = Bench::new(&[
        (
            "package.json",
            "{\"dependencies\":{\"@nestjs/core\":\"11\"}}\n",
        ),
        ("src/app.module.ts", module),
    ]);
    let said = follow(&nest, "realtime", &[]);
    assert!(
        said.patch().contains("imports: [RealtimeModule, ]"),
        "{}",
        said.patch()
    );
    assert!(
        said.patch()
            .contains("+import { RealtimeModule } from './realtime/realtime.module';")
    );
    follow(&nest, "contact-form", &[]);
}

#[test]
fn plain_pages() {
    let bench = Bench::new(&[
        ("index.html", PAGE),
        ("shop/index.html", PAGE),
        ("about.html", &PAGE.replace('\n', "\r\n")),
    ]);
    let said = follow(&bench, "sitemap", &[ADDRESS]);
    for loc in [
        "https://example.org/",
        "https://example.org/about.html",
        "https://example.org/shop/",
    ] {
        assert!(
            said.patch().contains(&format!("<loc>{loc}</loc>")),
            "{}",
            said.patch()
        );
    }
    let said = bench.say("add dark mode");
    assert_eq!(
        said.paths(),
        [
            "about.html",
            "index.html",
            "shop/index.html",
            "theme.css",
            "theme.js"
        ],
        "{}",
        said.all
    );
    assert!(
        said.patch().contains("href=\"../theme.css\""),
        "{}",
        said.patch()
    );
    let crlf = said
        .patch()
        .split('\n')
        .find(|line| line.contains("href=\"theme.css\"") && line.ends_with('\r'));
    assert!(
        crlf.is_some(),
        "line ends are the file's own: {}",
        said.patch()
    );
}

#[test]
fn what_is_missing_or_in_the_way_is_said() {
    let bench = Bench::new(&[("index.html", PAGE), ("theme.css", "body{}\n")]);
    let said = bench.say("add dark mode");
    assert_eq!(said.code, Some(3), "{}", said.all);
    assert!(
        said.error()["message"]
            .as_str()
            .unwrap()
            .contains("theme.css is there already")
    );
    let said = bench.say("add a sitemap");
    assert_eq!(said.error()["reason"], "value_missing", "{}", said.all);
    assert!(
        said.error()["hint"]
            .as_str()
            .unwrap()
            .contains("run the recipe sitemap with address=")
    );
    let said = bench.say("run the recipe sitemap with address=javascript:alert");
    assert_eq!(said.code, Some(3), "{}", said.all);
    let said = bench.say("run the recipe realtime");
    assert!(
        said.error()["message"]
            .as_str()
            .unwrap()
            .contains("plain HTML"),
        "{}",
        said.all
    );
    let said = bench.run(&["recipe", "run", "nothing", "--json", "--yes"]);
    assert_eq!(said.code, Some(1), "{}", said.all);
    assert!(
        said.all.contains("dark-mode"),
        "the recipes that there are: {}",
        said.all
    );
}

#[test]
fn recipes_are_listed_and_ones_own_win() {
    let own = "title = \"Ours\"\nabout = \"Our own sitemap\"\nsay = [\"banner of ours\"]\n[[variant]]\nfor = [\"html\"]\n\
        [[variant.file]]\npath = \"%{root}ours/%{name:kebab}.txt\"\nfrom = \"a.txt\"\n\
        [[question]]\nname = \"name\"\nask = \"Which name?\"\n";
    let bench = Bench::new(&[
        ("index.html", PAGE),
        (".sayso/recipes/sitemap/recipe.toml", own),
        (".sayso/recipes/sitemap/a.txt", "for %{name}\n"),
        (".sayso/recipes/broken/recipe.toml", "title = 3\n"),
    ]);
    let said = bench.run(&["recipe", "list", "--json"]);
    let all = said.events[0].as_array().unwrap();
    let names: Vec<&str> = all
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["broken", "contact-form", "dark-mode", "realtime", "sitemap"]
    );
    assert!(
        all[0]["not_here"]
            .as_str()
            .unwrap()
            .contains("cannot be read")
    );
    assert_eq!(all[4]["origin"], "this site");
    let shown = bench.run(&["recipe", "show", "sitemap"]).all;
    assert!(
        shown.contains("Which name?") && shown.contains("must be given"),
        "{shown}"
    );
    let said = follow(&bench, "sitemap", &["name=Big News"]);
    assert_eq!(said.paths(), ["ours/big-news.txt"]);
    assert!(said.patch().contains("+for Big News"));
    // An answer cannot lead out of the site.
    let escape = "title = \"E\"\nabout = \"e\"\n[[variant]]\nfor = [\"html\"]\n\
        [[variant.file]]\npath = \"%{name}/x.txt\"\nfrom = \"a.txt\"\n[[question]]\nname = \"name\"\nask = \"?\"\n";
    let bench = Bench::new(&[
        ("index.html", PAGE),
        (".sayso/recipes/escape/recipe.toml", escape),
        (".sayso/recipes/escape/a.txt", "x\n"),
    ]);
    for name in ["name=..", "name=/etc", "name=.git"] {
        let said = bench.run(&["recipe", "run", "escape", "--json", "--yes", "--set", name]);
        assert_eq!(said.code, Some(3), "{name}: {}", said.all);
    }
}

#[test]
fn where_something_is_set_up_for_it_the_scaffold_is_fitted_in() {
    let bench = Bench::new(&[("index.html", PAGE)]);
    bench.configure(
        "[generate.agent]\ncommand = [\"sh\", \"-c\", \"echo '/* fitted */' >> theme.css\"]\n",
    );
    let said = bench.say("add dark mode");
    assert!(said.patch().contains("+/* fitted */"), "{}", said.all);
    assert!(
        said.patch().contains("+:root {"),
        "the scaffold is there: {}",
        said.all
    );
    assert!(
        said.lines("notes")
            .contains("agent fitted it into the site"),
        "{}",
        said.all
    );
    let said = bench.run(&["recipe", "run", "dark-mode", "--alone", "--json", "--yes"]);
    assert!(!said.patch().contains("fitted"), "{}", said.all);
}
