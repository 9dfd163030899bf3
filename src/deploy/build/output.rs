//! Finds the result of a build.

use std::path::{Path, PathBuf};

use super::Plan;

/// Where builds of unknown tools put their result.
const BUILT: [&str; 5] = ["dist", "build", "out", "_site", "public"];

/// Where a site without a build may be, when it is not in the root.
const PLAIN: [&str; 12] = [
    "public", "dist", "build", "_site", "out", "docs", "site", "www", "htdocs", "html", "web",
    "src",
];

/// The folder to publish. `root` holds the commit's files, after the build if there is one.
///
/// # Errors
/// What was looked for, and what to do.
pub(crate) fn find(root: &Path, plan: &Plan) -> Result<PathBuf, (String, String)> {
    let base = root.join(&plan.base);
    if plan.exact || !plan.outputs.is_empty() {
        for output in &plan.outputs {
            if let Some(folder) = usable(root, &base, output, plan) {
                return Ok(folder);
            }
        }
        let looked = plan.outputs.join(", ");
        let hint = match plan.hint {
            Some(hint) if !plan.exact => hint.to_owned(),
            _ => "name the folder that the build writes as `output` under [build] in sayso.toml"
                .to_owned(),
        };
        return Err((format!("{} left no files in {looked}", subject(plan)), hint));
    }
    let places: &[&str] = if plan.command.is_some() {
        &BUILT
    } else {
        &PLAIN
    };
    let mut candidates: Vec<PathBuf> = places.iter().map(|place| base.join(place)).collect();
    // A build's result lies in a folder of its own, if it made one; plain files begin at the root.
    candidates.insert(
        if plan.command.is_some() {
            candidates.len()
        } else {
            0
        },
        base.clone(),
    );
    if let Some(folder) = candidates.into_iter().find(|folder| has_index(folder)) {
        return Ok(folder);
    }
    if plan.command.is_none() && has_pages(&base) {
        return Ok(base);
    }
    Err((
        format!("{} has no page to begin with: no index.html in the root or in {}", subject(plan), places.join(", ")),
        "name the folder with the site as `output`, or the build as `command`, under [build] in sayso.toml".to_owned(),
    ))
}

fn subject(plan: &Plan) -> &str {
    if plan.command.is_some() {
        "the build"
    } else {
        "the commit"
    }
}

/// The folder `output`, when it has files and does not lead out of `root`.
fn usable(root: &Path, base: &Path, output: &str, plan: &Plan) -> Option<PathBuf> {
    let folder = base.join(output).canonicalize().ok()?;
    let root = root.canonicalize().ok()?;
    if !folder.starts_with(root)
        || !folder.is_dir()
        || std::fs::read_dir(&folder).ok()?.next().is_none()
    {
        return None;
    }
    if plan.nested && !has_index(&folder) {
        return nested(&folder, 2);
    }
    Some(folder)
}

/// The first folder below `folder` with a start page.
fn nested(folder: &Path, depth: usize) -> Option<PathBuf> {
    let mut below: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    below.sort();
    if let Some(found) = below.iter().find(|path| has_index(path)) {
        return Some(found.clone());
    }
    if depth == 0 {
        None
    } else {
        below.iter().find_map(|path| nested(path, depth - 1))
    }
}

fn has_index(folder: &Path) -> bool {
    folder.join("index.html").is_file()
}

fn has_pages(folder: &Path) -> bool {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "html")
                && entry.path().is_file()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        folder
    }

    fn found(files: &[&str], plan: &Plan) -> Result<String, String> {
        let folder = folder(files);
        let root = folder.path().canonicalize().unwrap();
        find(&root, plan)
            .map_err(|(message, _)| message)
            .map(|found| {
                found
                    .canonicalize()
                    .unwrap()
                    .strip_prefix(&root)
                    .unwrap()
                    .display()
                    .to_string()
            })
    }

    #[test]
    fn plain_files_begin_at_the_root_or_in_a_usual_folder() {
        let plain = Plan::default();
        assert_eq!(
            found(&["index.html", "docs/index.html"], &plain).as_deref(),
            Ok("")
        );
        assert_eq!(
            found(&["README.md", "public/index.html"], &plain).as_deref(),
            Ok("public")
        );
        assert_eq!(
            found(&["README.md", "docs/index.html"], &plain).as_deref(),
            Ok("docs")
        );
        assert_eq!(
            found(&["about.html", "docs/guide.md"], &plain).as_deref(),
            Ok("")
        );
        assert!(
            found(&["README.md", "docs/guide.md"], &plain)
                .unwrap_err()
                .contains("no index.html")
        );
    }

    #[test]
    fn an_unknown_build_is_looked_for_in_its_own_folder_first() {
        let built = Plan {
            command: Some("make".into()),
            ..Plan::default()
        };
        assert_eq!(
            found(&["index.html", "dist/index.html"], &built).as_deref(),
            Ok("dist")
        );
        assert_eq!(
            found(&["index.html", "style.css"], &built).as_deref(),
            Ok("")
        );
        // A `public` without a start page is the input of a tool, not its output.
        assert!(found(&["public/favicon.ico", "src/a.js"], &built).is_err());
    }

    #[test]
    fn a_known_tool_writes_where_it_writes() {
        let plan = Plan {
            command: Some("next build".into()),
            outputs: vec!["out".into()],
            hint: Some("export it"),
            ..Plan::default()
        };
        assert_eq!(found(&["out/index.html"], &plan).as_deref(), Ok("out"));
        let folder = folder(&["public/index.html", "index.html"]);
        let (message, hint) = find(folder.path(), &plan).unwrap_err();
        assert!(
            message.contains("out") && hint == "export it",
            "{message} {hint}"
        );
    }

    #[test]
    fn angular_puts_its_site_in_a_folder_of_its_own() {
        let plan = Plan {
            command: Some("ng build".into()),
            outputs: vec!["dist".into()],
            nested: true,
            ..Plan::default()
        };
        assert_eq!(
            found(
                &[
                    "dist/shop/browser/index.html",
                    "dist/shop/3rdpartylicenses.txt"
                ],
                &plan
            )
            .as_deref(),
            Ok("dist/shop/browser")
        );
    }

    #[test]
    fn an_output_outside_the_commit_is_refused() {
        let plan = Plan {
            outputs: vec!["../..".into()],
            exact: true,
            ..Plan::default()
        };
        assert!(found(&["index.html"], &plan).is_err());
        let plan = Plan {
            outputs: vec!["/etc".into()],
            exact: true,
            ..Plan::default()
        };
        assert!(found(&["index.html"], &plan).is_err());
    }
}
