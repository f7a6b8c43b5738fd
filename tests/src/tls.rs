//! TLS in front of a service on this machine, with a certificate from a certificate authority made for
//! the test.

use crate::Scratch;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A proxy that terminates TLS. It stops on drop.
pub struct TlsFront {
    url: String,
    scratch: Scratch,
    server: JoinHandle<()>,
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl TlsFront {
    /// Starts a proxy to the service at `upstream`, an `http` URL.
    pub async fn start(upstream: &str) -> Self {
        let scratch = Scratch::new();
        let (authority, config) = identity();
        std::fs::write(scratch.path().join("authority.pem"), authority).expect("a file");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(acceptor.clone(), stream, upstream.clone()));
            }
        });
        Self {
            url: format!("https://localhost:{port}"),
            scratch,
            server,
        }
    }

    /// The `https` URL of the proxy.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file with the authority's certificate.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.scratch.path().join("authority.pem")
    }
}

/// The certificate of a new authority in PEM, and a server configuration with a certificate that it
/// signed.
fn identity() -> (String, ServerConfig) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let own = params.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], key)
        .expect("an identity");
    (authority.pem(), config)
}

async fn pass(acceptor: TlsAcceptor, stream: TcpStream, upstream: String) {
    let _slower_only = stream.set_nodelay(true);
    let (Ok(mut inner), Ok(mut outer)) = (
        TcpStream::connect(upstream).await,
        acceptor.accept(stream).await,
    ) else {
        return;
    };
    let _slower_only = inner.set_nodelay(true);
    let _ended = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
}
