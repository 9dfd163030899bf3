//! Branch, head and what differs from it.

use super::Git;
use crate::model::Problem;
use crate::model::api::RepositoryStatus;

/// Name, branch, head and the number of changed paths, by one git process.
pub async fn status(git: &Git) -> Result<RepositoryStatus, Problem> {
    let output = git
        .runner
        .run(&[
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
            "--untracked-files=all",
            "--no-renames",
        ])
        .await?
        .checked("status")?;
    let mut status = RepositoryStatus {
        name: git.root.file_name().map_or_else(
            || "site".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        ),
        root: git.root.display().to_string(),
        ..RepositoryStatus::default()
    };
    for record in output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|record| !record.is_empty())
    {
        let text = String::from_utf8_lossy(record);
        if let Some(oid) = text.strip_prefix("# branch.oid ") {
            if oid != "(initial)" {
                status.head = oid.to_owned();
            }
        } else if let Some(branch) = text.strip_prefix("# branch.head ") {
            if branch != "(detached)" {
                status.branch = branch.to_owned();
            }
        } else if !text.starts_with('#') {
            status.changes += 1;
        }
    }
    Ok(status)
}

/// Those of `paths` that differ from the head in the index or the working tree.
pub async fn dirty(git: &Git, paths: &[String]) -> Result<Vec<String>, Problem> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let mut args = vec![
        "status",
        "--porcelain=v2",
        "-z",
        "--untracked-files=all",
        "--no-renames",
        "--",
    ];
    args.extend(paths.iter().map(String::as_str));
    let output = git.runner.run(&args).await?.checked("status")?;
    Ok(output
        .stdout
        .split(|byte| *byte == 0)
        .filter_map(path_of)
        .collect())
}

/// The path of a `--porcelain=v2 -z` record (without renames).
pub fn path_of(record: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(record).ok()?;
    let fields = match text.as_bytes().first()? {
        b'1' => 8,
        b'u' => 10,
        b'?' => 1,
        _ => return None,
    };
    text.splitn(fields + 1, ' ').nth(fields).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_spaces_are_whole() {
        let record = b"1 .M N... 100644 100644 100644 1111 2222 a b c.html";
        assert_eq!(path_of(record).as_deref(), Some("a b c.html"));
        assert_eq!(path_of(b"? new file").as_deref(), Some("new file"));
        assert_eq!(path_of(b"# branch.head main"), None);
    }
}
