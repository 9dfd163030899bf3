//! Straight from the publisher, going on where an earlier download was cut off.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use http::{StatusCode, header};
use reqwest::{Client, Response};
use tokio::io::AsyncWriteExt;

use super::catalog::Part;
use super::{Step, Watch, part_file, sha256};

/// How long the publisher may take to answer at all. Short: another source is waiting.
const ANSWER: Duration = Duration::from_secs(3);

/// How long a download may stand still.
const STALL: Duration = Duration::from_secs(15);

/// No part of a model is larger.
const LARGEST: u64 = 1 << 30;

/// What could be had.
#[derive(Default)]
pub struct Fetched {
    /// Checked files, with where they came from.
    pub fetched: Vec<(&'static Part, PathBuf, String)>,
    /// Why the source was given up, if it was.
    pub refused: Option<String>,
}

/// Fetches those of `parts` that have an address, until one fails.
pub async fn fetch(parts: &[&'static Part], downloads: &Path, watch: Watch<'_>) -> Fetched {
    let mut result = Fetched::default();
    let wanted: Vec<_> = parts
        .iter()
        .filter_map(|&part| Some((part, part.url?)))
        .collect();
    if wanted.is_empty() {
        return result;
    }
    // Fails only when another part of the program installed one, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .connect_timeout(ANSWER)
        .read_timeout(STALL)
        .user_agent(concat!("sayso/", env!("CARGO_PKG_VERSION")))
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            result.refused = Some(format!("no HTTPS on this machine: {}", innermost(&error)));
            return result;
        }
    };
    for (part, url) in wanted {
        let host = url.split('/').nth(2).unwrap_or(url);
        match download(&client, part, url, downloads, watch).await {
            Ok(path) => result.fetched.push((part, path, format!("https://{host}"))),
            Err(why) => {
                watch(Step::Note(format!("{host}: {why}")));
                result.refused = Some(format!("{host}: {why}"));
                break;
            }
        }
    }
    result
}

async fn download(
    client: &Client,
    part: &Part,
    url: &str,
    downloads: &Path,
    watch: Watch<'_>,
) -> Result<PathBuf, String> {
    let path = part_file(downloads, part);
    let mut done = fs::metadata(&path).map_or(0, |meta| meta.len());
    // Without a known size nobody can tell whether what is there is whole.
    if done > part.bytes || !part.known() {
        done = 0;
    }
    if done < part.bytes || !part.known() {
        let response = ask(client, url, done).await?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            done = 0;
        }
        store(response, part, &path, done, watch).await?;
    }
    let checked = path.clone();
    let sum = tokio::task::spawn_blocking(move || sha256(&checked)).await;
    match sum {
        Ok(Ok(sum)) if sum == part.sha256 || !part.known() => Ok(path),
        _ => {
            let _ = fs::remove_file(&path);
            Err(format!(
                "{} has changed there: its SHA-256 is another",
                part.path
            ))
        }
    }
}

async fn ask(client: &Client, url: &str, from: u64) -> Result<Response, String> {
    let mut request = client.get(url);
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    let response = tokio::time::timeout(ANSWER, request.send())
        .await
        .map_err(|_| format!("no answer in {} s", ANSWER.as_secs()))?
        .map_err(|error| innermost(&error))?;
    if !response.status().is_success() {
        return Err(format!("answered {}", response.status()));
    }
    Ok(response)
}

async fn store(
    response: Response,
    part: &Part,
    path: &Path,
    from: u64,
    watch: Watch<'_>,
) -> Result<(), String> {
    let unwritable = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    let total = match (part.known(), response.content_length()) {
        (true, _) => part.bytes,
        (false, Some(length @ 1..=LARGEST)) => length,
        (false, _) => return Err(format!("{} has no size there", part.path)),
    };
    let mut file = tokio::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(from == 0)
        .append(from > 0)
        .open(path)
        .await
        .map_err(unwritable)?;
    let mut done = from;
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| innermost(&error))?;
        done += chunk.len() as u64;
        if done > total {
            return Err(format!("{} is larger there than it should be", part.path));
        }
        file.write_all(&chunk).await.map_err(unwritable)?;
        watch(Step::Bytes {
            what: part.path.to_owned(),
            done,
            total,
        });
    }
    file.sync_all().await.map_err(unwritable)?;
    if done < total {
        return Err(format!("the connection ended at {done} of {total} bytes"));
    }
    Ok(())
}

/// The cause at the bottom of a chain of errors: the others only repeat the address.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    const WORDS: &[u8] = b"0123456789";

    /// `WORDS`, but at an address of this machine.
    fn part(url: &'static str) -> &'static Part {
        Box::leak(Box::new(Part {
            path: "a/b.bin",
            url: Some(url),
            entry: "b",
            bytes: 10,
            sha256: "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882",
            licence: "MIT",
        }))
    }

    /// A server that sends `answers` to one connection each and returns the requests it got.
    async fn server(answers: Vec<String>) -> (&'static str, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/b.bin", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let mut requests = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut buffer = [0; 4096];
                let count = stream.read(&mut buffer).await.unwrap();
                requests.push(String::from_utf8_lossy(&buffer[..count]).to_lowercase());
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
            requests
        });
        (Box::leak(url.into_boxed_str()), serving)
    }

    #[tokio::test]
    async fn a_cut_off_download_goes_on_where_it_ended() {
        let (url, serving) = server(vec![
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n0123".to_owned(),
            "HTTP/1.1 206 Partial Content\r\ncontent-length: 6\r\nconnection: close\r\n\r\n456789"
                .to_owned(),
        ])
        .await;
        let folder = tempfile::tempdir().unwrap();
        let first = fetch(&[part(url)], folder.path(), &mut |_| {}).await;
        assert!(first.fetched.is_empty() && first.refused.is_some());
        let second = fetch(&[part(url)], folder.path(), &mut |_| {}).await;
        assert_eq!(fs::read(&second.fetched[0].1).unwrap(), WORDS);
        let requests = serving.await.unwrap();
        assert!(
            !requests[0].contains("range:") && requests[1].contains("range: bytes=4-"),
            "{requests:?}"
        );
    }

    #[tokio::test]
    async fn changed_bytes_are_refused_and_forgotten() {
        let (url, serving) = server(vec![
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n012345678X"
                .to_owned(),
        ])
        .await;
        let folder = tempfile::tempdir().unwrap();
        let result = fetch(&[part(url)], folder.path(), &mut |_| {}).await;
        assert!(result.refused.unwrap().contains("SHA-256"));
        assert!(!part_file(folder.path(), part(url)).exists());
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_closed_door_is_told_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/b.bin", listener.local_addr().unwrap());
        drop(listener);
        let folder = tempfile::tempdir().unwrap();
        let began = std::time::Instant::now();
        let result = fetch(
            &[part(Box::leak(url.into_boxed_str()))],
            folder.path(),
            &mut |_| {},
        )
        .await;
        assert!(result.refused.is_some());
        assert!(began.elapsed() < ANSWER);
    }
}
