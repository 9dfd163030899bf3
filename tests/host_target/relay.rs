//! A relay between two programs: it counts what is sent, and cuts a connection once when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What travelled.
#[derive(Default)]
pub struct Counts {
    /// Requests that carry a piece of a content.
    pub pieces: AtomicUsize,
    /// Bytes from the client to the server.
    pub up: AtomicU64,
    /// Connections that were cut.
    pub cuts: AtomicUsize,
    /// Cut the connection once so many bytes more have gone up; 0 never.
    cut_after: AtomicU64,
}

pub struct Relay {
    pub addr: SocketAddr,
    pub counts: Arc<Counts>,
    target: Arc<Mutex<Option<u16>>>,
}

impl Relay {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (counts, target) = (Arc::new(Counts::default()), Arc::new(Mutex::new(None)));
        let (counted, to) = (Arc::clone(&counts), Arc::clone(&target));
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let port: Option<u16> = *to.lock().unwrap();
                let Some(Ok(far)) = port.map(|port| TcpStream::connect(("127.0.0.1", port))) else {
                    continue;
                };
                let counts = Arc::clone(&counted);
                std::thread::spawn(move || pump(near, far, &counts));
            }
        });
        Self {
            addr,
            counts,
            target,
        }
    }

    /// New connections go to this port.
    pub fn lead_to(&self, port: u16) {
        *self.target.lock().unwrap() = Some(port);
    }

    /// Cuts the connection that carries the byte which is so many bytes away.
    pub fn cut_after(&self, bytes: u64) {
        self.counts.cut_after.store(bytes, Ordering::SeqCst);
    }

    /// The pieces that were sent since the last time this was asked.
    pub fn pieces(&self) -> usize {
        self.counts.pieces.swap(0, Ordering::SeqCst)
    }

    /// The bytes that were sent since the last time this was asked.
    pub fn up(&self) -> u64 {
        self.counts.up.swap(0, Ordering::SeqCst)
    }
}

fn pump(mut near: TcpStream, mut far: TcpStream, counts: &Arc<Counts>) {
    let (mut far_in, mut near_out) = (far.try_clone().unwrap(), near.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut far_in, &mut near_out);
        let _ = near_out.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 16 * 1024];
    // A request line may be torn by the buffer: its beginning is kept.
    let mut tail: Vec<u8> = Vec::new();
    while let Ok(read) = near.read(&mut buffer)
        && read > 0
    {
        const MARK: &[u8] = b"PUT /api/host/blobs/";
        tail.extend_from_slice(&buffer[..read]);
        let seen = tail
            .windows(MARK.len())
            .filter(|part| *part == MARK)
            .count();
        counts.pieces.fetch_add(seen, Ordering::SeqCst);
        tail.drain(..tail.len().saturating_sub(MARK.len() - 1));
        counts.up.fetch_add(read as u64, Ordering::SeqCst);
        let left = counts.cut_after.load(Ordering::SeqCst);
        if left > 0 && left <= read as u64 {
            counts.cut_after.store(0, Ordering::SeqCst);
            counts.cuts.fetch_add(1, Ordering::SeqCst);
            // Half of what came is passed on: the request is torn in its middle.
            let _ = far.write_all(&buffer[..read / 2]);
            break;
        }
        if left > 0 {
            counts.cut_after.fetch_sub(read as u64, Ordering::SeqCst);
        }
        if far.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = far.shutdown(Shutdown::Both);
    let _ = near.shutdown(Shutdown::Both);
}
