//! A TCP proxy that cuts connections: at once, or after so many bytes from the server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The proxy; dropping it closes its port and all connections.
pub struct Proxy {
    pub addr: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    target: Arc<Mutex<Option<SocketAddr>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    /// A proxy to nowhere yet, so that its address can be allowed at the server first. `budget` says, for each connection in turn, after how many bytes from the server it is
    /// cut; `None` leaves it alone.
    pub async fn start(mut budget: impl FnMut() -> Option<usize> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let target = Arc::new(Mutex::new(None));
        let (count, to) = (connections.clone(), target.clone());
        let accepting = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            loop {
                let (near, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let target = *to.lock().unwrap();
                if let Some(target) = target {
                    open.spawn(pump(near, target, budget()));
                }
            }
        });
        Self {
            addr,
            connections,
            target,
            accepting,
        }
    }

    /// New connections go to `target`.
    pub fn lead_to(&self, target: SocketAddr) {
        *self.target.lock().unwrap() = Some(target);
    }
}

async fn pump(near: TcpStream, target: SocketAddr, mut budget: Option<usize>) {
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    let up = async {
        let _ = tokio::io::copy(&mut near_in, &mut far_out).await;
    };
    let down = async {
        let mut buffer = vec![0; 4096];
        while let Ok(n) = far_in.read(&mut buffer).await
            && n > 0
        {
            let n = budget.map_or(n, |left| left.min(n));
            if near_out.write_all(&buffer[..n]).await.is_err() {
                return;
            }
            if let Some(left) = &mut budget {
                *left -= n;
                if *left == 0 {
                    return;
                }
            }
        }
    };
    // Whichever side ends, both sockets close with the future.
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}
