//! The server's own TLS.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::model::Problem;

/// How long a client may take to agree on keys.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Connections that have agreed on keys and wait to be served.
const WAITING: usize = 64;

/// How long to wait when no connection can be taken, for want of file handles, say.
const PAUSE: Duration = Duration::from_millis(200);

/// Where the server's certificate and key are, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, and those between it and its root.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Tls {
    /// Reads both.
    ///
    /// # Errors
    /// `config` when one cannot be read, or they do not belong together.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, Problem> {
        let refuse = |path: &Path, why: String| {
            Problem::new(422, "config", format!("{}: {why}", path.display())).hint(
                "[server] tls_cert names a file with the certificate and those above it, tls_key one with its key, both \
                 in PEM",
            )
        };
        let certificates: Result<Vec<_>, _> = match CertificateDer::pem_file_iter(&self.cert) {
            Ok(certificates) => certificates.collect(),
            Err(error) => return Err(refuse(&self.cert, error.to_string())),
        };
        let certificates = certificates.map_err(|error| refuse(&self.cert, error.to_string()))?;
        if certificates.is_empty() {
            return Err(refuse(
                &self.cert,
                "there is no certificate in it".to_owned(),
            ));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| refuse(&self.key, error.to_string()))?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(|error| refuse(&self.cert, error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Connections that speak TLS. One that is slow to agree on keys keeps no other waiting.
pub(super) struct Secured {
    address: std::io::Result<SocketAddr>,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl Secured {
    pub(super) fn new(
        listener: TcpListener,
        acceptor: TlsAcceptor,
        stop: CancellationToken,
    ) -> Self {
        let (sender, ready) = mpsc::channel(WAITING);
        let address = listener.local_addr();
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((tcp, from)) = accepted else {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                };
                let _ = tcp.set_nodelay(true);
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    match tokio::time::timeout(HANDSHAKE, acceptor.accept(tcp)).await {
                        Ok(Ok(stream)) => {
                            // The server has ended: nobody takes it.
                            let _ = sender.send((stream, from)).await;
                        }
                        Ok(Err(error)) => tracing::debug!(%error, %from, "no TLS"),
                        Err(_) => tracing::debug!(%from, "TLS took too long"),
                    }
                });
            }
        });
        Self { address, ready }
    }
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        match &self.address {
            Ok(address) => Ok(*address),
            Err(error) => Err(std::io::Error::new(error.kind(), error.to_string())),
        }
    }
}
