//! Against bytes: what no stand-in sends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use super::{Bench, PAGE, Said, edit};

const DEADLINE: Duration = Duration::from_secs(40);

/// A server that gives each connection to `answer`, after its request was read.
fn server(answer: impl Fn(usize, TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_ok() {
                answer(count, stream);
            }
        }
    });
    url
}

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// Anthropic's events for a call with these arguments, without the last one.
fn call(arguments: &str) -> String {
    let mut out = HEAD.to_owned();
    out.push_str("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1200,\"cache_read_input_tokens\":800,\"output_tokens\":1}}}\n\n");
    let part = serde_json::json!({ "type": "content_block_delta", "delta": { "type": "input_json_delta", "partial_json": arguments } });
    out.push_str(&format!("event: content_block_delta\ndata: {part}\n\n"));
    out.push_str("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":44}}\n\n");
    out
}

const STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

fn hi() -> String {
    edit("index.html", "<h1>Hello there</h1>", "<h1>Hi</h1>").to_string()
}

#[test]
fn tokens_are_counted_and_a_clean_end_too_early_is_no_answer() {
    let url = server(|count, mut stream| {
        let stop = if count == 0 { STOP } else { "" };
        let _ = write!(stream, "{}{stop}", call(&hi()));
    });
    let bench = Bench::new(&url, &[("index.html", PAGE)]);
    let said = bench.say("anthropic", "make the heading nicer");
    let notes = said.proposal()["notes"].to_string();
    assert!(
        notes.contains("2000 tokens read (800 from its cache), 44 written"),
        "{notes}"
    );
    let said = bench.say("anthropic", "make the heading nicer");
    assert_eq!(said.code, Some(1), "{}", said.all);
    assert!(
        said.error()["message"].to_string().contains("broke off"),
        "{}",
        said.all
    );
}

#[test]
fn an_error_in_the_stream_ends_it_and_before_any_answer_is_tried_again() {
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let url = server(move |count, mut stream| {
        let _ = match count {
            // Before anything: tried again.
            0 => write!(stream, "{HEAD}{error}"),
            1 => write!(stream, "{}{STOP}", call(&hi())),
            // In the middle: asked for once more, and it breaks off again.
            _ => write!(stream, "{}{error}", call("{\"note\":")),
        };
    });
    let bench = Bench::new(&url, &[("index.html", PAGE)]);
    let said = bench.say("anthropic", "make the heading nicer");
    assert!(
        said.proposal()["patch"].to_string().contains("<h1>Hi</h1>"),
        "{}",
        said.all
    );
    let said = bench.say("anthropic", "make the heading nicer");
    assert_eq!(said.code, Some(1), "{}", said.all);
    assert!(
        said.error()["message"].to_string().contains("Overloaded"),
        "{}",
        said.all
    );
}

#[test]
fn a_page_instead_of_an_api_is_named() {
    let url = server(|_, mut stream| {
        let _ = write!(
            stream,
            "HTTP/1.1 404 Not Found\r\ncontent-length: 13\r\n\r\n<h1>Hello</h1>"
        );
    });
    let bench = Bench::new(&url, &[("index.html", PAGE)]);
    let said = bench.say("gemini", "make the heading nicer");
    assert_eq!(said.code, Some(1), "{}", said.all);
    assert!(
        said.error()["hint"].to_string().contains("address"),
        "{}",
        said.all
    );
}

#[test]
fn stopping_closes_the_connection() {
    let (gone, closed) = mpsc::channel();
    let (asked, begun) = mpsc::channel();
    let url = server(move |_, mut stream| {
        let _ = write!(stream, "{}", call("{\"note\":"));
        let _ = asked.send(());
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        // Nothing more comes from the other side, so an answer is its end.
        let mut byte = [0];
        let _ = gone.send(matches!(stream.read(&mut byte), Ok(0) | Err(_)));
    });
    let bench = Bench::new(&url, &[("index.html", PAGE)]);
    let child = bench
        .command(&[
            "say",
            "--engine",
            "anthropic",
            "--json",
            "make the heading nicer",
        ])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    begun.recv_timeout(DEADLINE).unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(closed.recv_timeout(DEADLINE), Ok(true));
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(130), "{}", said.all);
    assert!(
        said.events.iter().all(|event| event["type"] != "proposal"),
        "{}",
        said.all
    );
}
