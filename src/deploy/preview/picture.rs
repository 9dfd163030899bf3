//! A picture of a page.

use super::browser::Browser;

/// Bytes that a picture may have: a page of noise is not worth more.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Takes a picture of the page at `url`, as PNG.
///
/// # Errors
/// Why there is none, in a sentence.
pub(super) async fn take(browser: &Browser, url: &str) -> Result<Vec<u8>, String> {
    let folder =
        tempfile::tempdir().map_err(|error| format!("no folder for a picture: {error}"))?;
    let file = folder.path().join("page.png");
    browser.picture(url, &file, folder.path()).await?;
    let size = std::fs::metadata(&file).map_or(0, |found| found.len());
    if size == 0 || size > LARGEST {
        return Err(format!("{} took no picture of the page", browser.name()));
    }
    let bytes = tokio::fs::read(&file).await;
    bytes.map_err(|error| format!("the picture cannot be read: {error}"))
}
