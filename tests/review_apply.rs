//! Patches are what git takes: `git apply` of a proposal gives exactly the proposed files.

mod vcs_support;

use std::fs;

use proptest::prelude::*;
use sayso::model::{Content, Decision, ProposedFile};
use sayso::review::{diff, patch, rebase, select};
use vcs_support::*;

/// Applies a patch to the working tree of `site` with no options, and gives back git's complaint.
fn apply(site: &Site, text: &str) -> Result<String, String> {
    let place = site.home().join("change.patch");
    fs::write(&place, text).unwrap();
    site.git_in(&site.root, &["apply", place.to_str().unwrap()])
}

/// Puts one side of the files into the working tree.
fn lay_out(site: &Site, files: &[ProposedFile], after: bool) {
    for file in files {
        let (content, mode) = if after {
            (&file.after, file.mode_after)
        } else {
            (&file.before, file.mode_before)
        };
        let place = site.path(&file.path);
        let _ = fs::remove_file(&place);
        match content {
            Content::Text { text } if mode == LINK => {
                #[cfg(unix)]
                std::os::unix::fs::symlink(text, &place).unwrap();
            }
            Content::Text { text } => {
                site.write(&file.path, text);
                site.chmod(&file.path, mode & 0o777);
            }
            _ => {}
        }
    }
}

fn assert_applies(files: &[ProposedFile]) {
    if files.is_empty() {
        return;
    }
    let site = Site::without_git();
    lay_out(&site, files, true);
    let expected = site.files();
    for name in expected.keys() {
        fs::remove_file(site.path(name)).unwrap();
    }
    lay_out(&site, files, false);
    let text = patch::unified(files);
    apply(&site, &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(site.files(), expected, "{text}");
}

fn with_modes(mut file: ProposedFile, before: u32, after: u32) -> ProposedFile {
    (file.mode_before, file.mode_after) = (before, after);
    diff::refresh(&mut file);
    file
}

#[test]
fn every_kind_of_text_change_applies() {
    let text = |text: &str| Content::text(text);
    let page = lines(40);
    assert_applies(&[
        file(
            "two hunks.html",
            text(&page),
            text(&page.replace("line 2\n", "").replace("38", "x")),
        ),
        file(
            "crlf.html",
            text("a\r\nb\r\nc\r\n"),
            text("a\r\nB\r\nc\r\n"),
        ),
        file("to-crlf.html", text("a\nb\n"), text("a\r\nb\r\n")),
        file("no-newline", text("a\nb"), text("a\nB")),
        file("gets-newline", text("a"), text("a\n")),
        file("loses-newline", text("a\nb\n"), text("a\nb")),
        file("new.html", Content::Absent, text("<p>new</p>")),
        file("new-empty.html", Content::Absent, text("")),
        file("deleted.html", text("x\ny\n"), Content::Absent),
        file("deleted-empty.html", text(""), Content::Absent),
        file("emptied.html", text("x\n"), text("")),
        file("filled.html", text(""), text("x\n")),
        file("a/b c/deep.html", Content::Absent, text("x\n")),
        file("\"quoted\".html", text("a\n"), text("b\n")),
        file("tab\tand\nline\\.html", text("a\n"), text("b\n")),
        file("ünï 日本.html", text("a\n"), text("ü\n")),
        file("-n", text("a\n"), text("b\n")),
        file("a b/c", Content::Absent, text("x")),
        file(
            "looks",
            text("--- a\n+++ b\n@@ -1 +1 @@\n"),
            text("-- a\n++ b\ndiff --git a b\n"),
        ),
        with_modes(file("chmod.sh", text("x\n"), text("x\n")), FILE, PROGRAM),
        with_modes(
            file("chmod and edit.sh", text("x\n"), text("y\n")),
            PROGRAM,
            FILE,
        ),
        with_modes(file("new.sh", Content::Absent, text("y\n")), 0, PROGRAM),
        #[cfg(unix)]
        with_modes(file("link", text("target"), text("elsewhere")), LINK, LINK),
        #[cfg(unix)]
        with_modes(
            file("becomes-link", text("x\ny\n"), text("target")),
            FILE,
            LINK,
        ),
    ]);
}

#[test]
fn a_binary_change_applies_where_its_blobs_are() {
    let site = Site::new();
    site.write("picture.png", b"\x89PNG\0one");
    site.commit_all("Start");
    site.write("new.png", b"\0two");
    let oid = site.git(["hash-object", "-w", "new.png"]).trim().to_owned();
    let before = site.git(["rev-parse", ":picture.png"]).trim().to_owned();
    fs::remove_file(site.path("new.png")).unwrap();
    let binary = |oid: &str, size| Content::Binary {
        oid: oid.to_owned(),
        size,
    };
    let files = [
        file("new.png", Content::Absent, binary(&oid, 4)),
        file("picture.png", binary(&before, 8), binary(&oid, 4)),
    ];
    apply(&site, &patch::unified(&files)).unwrap();
    assert_eq!(fs::read(site.path("new.png")).unwrap(), b"\0two");
    assert_eq!(fs::read(site.path("picture.png")).unwrap(), b"\0two");
}

#[test]
fn hunks_are_those_of_git() {
    let before = lines(60);
    let after = before
        .replace("line 5\n", "five\n")
        .replace("line 12\n", "")
        .replace("line 30\n", "line 30\nand\nmore\n")
        .replace("line 60\n", "the end");
    let site = Site::with([("page.html", before.as_str())]);
    site.write("page.html", &after);
    let git = site.git(["diff", "--no-color"]);
    let ours = patch::unified(&[file(
        "page.html",
        Content::text(before),
        Content::text(after),
    )]);
    // git adds the blobs, and the line a hunk is under.
    let plain = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with("index "))
            .map(|line| {
                match line
                    .strip_prefix("@@ ")
                    .and_then(|rest| rest.split_once(" @@"))
                {
                    Some((place, _)) => format!("@@ {place} @@"),
                    None => line.to_owned(),
                }
            })
            .collect()
    };
    assert_eq!(plain(&ours), plain(&git));
}

/// Texts that share many lines, with all the line endings there are.
fn texts() -> impl Strategy<Value = String> {
    let line = (
        0..6_u8,
        prop_oneof![4 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r")],
    );
    (proptest::collection::vec(line, 0..40), any::<bool>()).prop_map(|(lines, cut)| {
        let mut text: String = lines
            .iter()
            .map(|(n, end)| format!("<p>{n}</p>{end}"))
            .collect();
        if cut && text.ends_with('\n') {
            text.pop();
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_applies_in_whole_and_in_part(
        pairs in proptest::collection::vec((texts(), texts()), 1..6),
        choices in proptest::collection::vec(any::<bool>(), 64),
    ) {
        let mut files: Vec<ProposedFile> = pairs
            .iter()
            .enumerate()
            .map(|(n, (a, b))| file(&format!("{n}.html"), Content::text(&**a), Content::text(&**b)))
            .collect();
        files.retain(|file| !file.hunks.is_empty());
        assert_applies(&files);

        let mut choices = choices.into_iter().cycle();
        for hunk in files.iter_mut().flat_map(|file| &mut file.hunks) {
            if choices.next() == Some(false) {
                hunk.decision = Decision::Rejected;
            }
        }
        let some = files.iter().filter_map(select::accepted).collect::<Vec<_>>();
        assert_applies(&some);
        prop_assert_eq!(patch::accepted(&files), patch::unified(&some));
    }

    #[test]
    fn any_subset_and_the_rest_make_the_whole(
        (before, after) in (texts(), texts()),
        choices in proptest::collection::vec(any::<bool>(), 64),
    ) {
        let mut all = file("x", Content::text(&*before), Content::text(&*after));
        for (hunk, accept) in all.hunks.iter_mut().zip(&choices) {
            hunk.decision = if *accept { Decision::Accepted } else { Decision::Rejected };
        }
        let rejected = all.hunks.iter().filter(|h| h.decision == Decision::Rejected).count();
        let ids = |file: &ProposedFile| -> Vec<String> {
            file.hunks.iter().map(|hunk| hunk.id.clone()).collect()
        };
        let half = match select::accepted(&all) {
            None => file("x", Content::text(&*before), Content::text(&*before)),
            Some(half) => half,
        };
        // What was left out, on top of what was taken, is the whole.
        let rest = file("x", half.after.clone(), Content::text(&*after));
        prop_assert_eq!(rest.hunks.is_empty(), rejected == 0);
        // And the same hunks in the other order give the same, by way of a rebase.
        let mut others = all.clone();
        for hunk in &mut others.hunks {
            hunk.decision = match hunk.decision {
                Decision::Accepted => Decision::Rejected,
                Decision::Rejected => Decision::Accepted,
            };
        }
        if let Some(others) = select::accepted(&others) {
            let base = rebase::Base { content: half.after.clone(), mode: FILE };
            if let Ok(moved) = rebase::onto(&[others], |_| base.clone()) {
                let whole = moved.first().map_or(&half.after, |file| &file.after);
                prop_assert_eq!(whole, &Content::text(&*after));
            }
        }
        let again = file("x", Content::text(&*before), Content::text(&*after));
        prop_assert_eq!(ids(&again), ids(&all));
    }

    #[test]
    fn merges_are_those_of_git(
        ours in proptest::collection::vec(0..12_u8, 12),
        theirs in proptest::collection::vec(0..12_u8, 12),
    ) {
        let base = lines(12);
        let (ours, theirs) = (edited(&ours, "ours"), edited(&theirs, "theirs"));
        let change = file("x", Content::text(&*base), Content::text(&*theirs));
        let now = rebase::Base { content: Content::text(&*ours), mode: FILE };
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let place = folder.path().join(name);
            fs::write(&place, text).unwrap();
            place
        };
        let output = std::process::Command::new("git")
            .args(["merge-file", "-p", "-q"])
            .args([write("ours", &ours), write("base", &base), write("theirs", &theirs)])
            .output()
            .unwrap();
        let merged = rebase::onto(&[change], |_| now.clone()).ok().map(|files| {
            files.first().map_or(ours.clone(), |file| file.after.as_text().unwrap().to_owned())
        });
        let git = output.status.success().then(|| String::from_utf8(output.stdout).unwrap());
        prop_assert_eq!(merged, git);
    }
}

/// Twelve lines with an edit to some: most are left, so that sides often go together.
fn edited(choices: &[u8], side: &str) -> String {
    let mut text = String::new();
    for (n, choice) in choices.iter().enumerate() {
        let n = n + 1;
        match choice {
            0 => {}
            1 => text.push_str(&format!("{side} {n}\n")),
            2 => text.push_str(&format!("line {n}\nafter {n} by {side}\n")),
            3 => text.push_str(&format!("both {n}\n")),
            _ => text.push_str(&format!("line {n}\n")),
        }
    }
    text
}
