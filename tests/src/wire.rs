//! A cheap HTTP client for measurements: one connection, one request at a time, no cookie jar. So the
//! measured cost is almost all the server's.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A kept-alive connection.
#[derive(Debug)]
pub struct Wire {
    sender: SendRequest<Full<Bytes>>,
    address: String,
}

/// A response.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Wire {
    /// Connects to `127.0.0.1:{port}`.
    ///
    /// # Panics
    /// If nothing listens there.
    pub async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("a listener");
        stream.set_nodelay(true).expect("a socket");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        Self {
            sender,
            address: address.to_owned(),
        }
    }

    /// Sends a request and reads the whole response.
    ///
    /// # Panics
    /// If the connection breaks.
    pub async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Reply {
        let host = self.address.parse().expect("a host");
        request.headers_mut().insert(HOST, host);
        self.sender.ready().await.expect("a connection");
        let response = self.sender.send_request(request).await.expect("a response");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole response").to_bytes();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }
}

impl Reply {
    /// A header's value. Empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Whether the response came from the edge's cache.
    #[must_use]
    pub fn is_hit(&self) -> bool {
        self.header("x-cache").starts_with("Hit")
    }

    /// The body as JSON, or null.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
