//! Many small histories made by chance: whatever a person staged or wrote is still there after the commit.
#![cfg(unix)]

mod vcs_support;

use sayso::model::Content;
use sayso::vcs::Repository;
use vcs_support::*;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// A text with a few lines changed, taken away or added. New lines are marked with `who`, so that each can
    /// be told from all others.
    fn edit(&mut self, text: &str, who: &str, often: u64) -> String {
        let mut out = String::new();
        for (n, line) in text.split_inclusive('\n').enumerate() {
            match self.roll(often) {
                0 => {}
                1 => out.push_str(&format!("{who} instead of {n}\n")),
                2 => out.push_str(&format!("{line}{who} after {n}\n")),
                _ => out.push_str(line),
            }
        }
        out
    }
}

fn marked(text: &str, who: &str) -> Vec<String> {
    text.lines()
        .filter(|line| line.starts_with(who))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_person_s_lines_are_never_lost() {
    let mut dice = Dice(7);
    let site = Site::with([("page.html", lines(40).as_str())]);
    let (mut clean, mut kept) = (0, 0);
    for round in 0..25 {
        site.write("page.html", lines(40));
        let base = site.commit_all(&format!("Round {round}"));
        let staged = dice.edit(&lines(40), "staged", 60);
        site.write("page.html", &staged);
        site.git(["add", "page.html"]);
        let work = dice.edit(&staged, "work", 60);
        site.write("page.html", &work);
        let wanted = dice.edit(&lines(40), "wanted", 60);
        if wanted == lines(40) {
            continue;
        }
        let change = file(
            "page.html",
            Content::text(lines(40)),
            Content::text(&*wanted),
        );
        let done = site.commit(vec![change]).await.unwrap();
        assert_eq!(site.git(["rev-parse", "HEAD^"]).trim(), base);
        assert_eq!(site.committed("page.html"), wanted);

        let (index_now, work_now) = (site.git(["show", ":page.html"]), site.read("page.html"));
        let context =
            format!("{wanted}\n---\n{staged}\n---\n{work}\n===\n{index_now}\n---\n{work_now}");
        for who in ["staged", "work"] {
            assert_eq!(marked(&work_now, who), marked(&work, who), "{context}");
        }
        assert_eq!(
            marked(&index_now, "staged"),
            marked(&staged, "staged"),
            "{context}"
        );
        for line in lines(40).lines() {
            // What the person took away stays away.
            assert!(work.contains(line) || !work_now.contains(line), "{context}");
        }
        if done.kept.is_empty() {
            clean += 1;
            for now in [&index_now, &work_now] {
                assert_eq!(
                    marked(now, "wanted"),
                    marked(&wanted, "wanted"),
                    "{context}"
                );
            }
        } else {
            kept += 1;
            assert!(work_now == work || index_now == staged, "{context}");
        }
    }
    assert!(
        clean > 3 && kept > 3,
        "too little was tried: {clean} clean, {kept} kept"
    );
}

#[tokio::test]
async fn committing_some_of_the_working_tree_changes_no_file() {
    let mut dice = Dice(11);
    // Few different lines, so that what is the same line is a matter of taste.
    let text = |dice: &mut Dice| -> String {
        (0..40)
            .map(|_| format!("<p>{}</p>\n", dice.roll(4)))
            .collect()
    };
    let site = Site::new();
    for round in 0..25 {
        let base = text(&mut dice);
        site.write("page.html", &base);
        site.commit_all(&format!("Round {round}"));
        let mut work = dice.edit(&base, "work", 14);
        if dice.roll(2) == 0 {
            work = dice.edit(&work, "<p>1</p>", 14);
        }
        site.write("page.html", &work);
        if dice.roll(3) == 0 {
            site.git(["add", "page.html"]);
        }
        let changes = site.changes().await;
        let count = changes.iter().map(|file| file.hunks.len()).sum::<usize>();
        let wanted: Vec<usize> = (0..count).filter(|_| dice.roll(2) == 0).collect();
        if wanted.is_empty() {
            continue;
        }
        let some = only(changes, &wanted);
        let committed = some[0].after.clone();
        let done = site.commit(some).await.unwrap();
        assert_eq!(site.read("page.html"), work);
        assert_eq!(Content::text(site.committed("page.html")), committed);
        assert_eq!(
            done.kept,
            Vec::<String>::new(),
            "{base}\n---\n{work}\n---\n{committed:?}"
        );
        let rest = site.open().await.working_changes(&[]).await.unwrap();
        assert_eq!(rest.is_empty(), wanted.len() == count);
    }
}
