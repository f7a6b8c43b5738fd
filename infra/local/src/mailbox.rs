//! The post of the local stack: SES's API, as far as sending a letter goes, and a page that shows
//! what was sent.
//!
//! Signatures are not looked at: the API listens on this machine only.
//!
//! Source: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>

use crate::edge::Edge;
use crate::server::{Handler, Server};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use uuid::Uuid;

/// The page's path.
const PATH: &str = "/mailbox";

/// How many letters are kept.
const KEPT: usize = 100;

/// The largest letter, in bytes.
const LIMIT: usize = 1 << 20;

/// What the page has, as every page of the product.
const HEADERS: [(&str, &str); 7] = [
    ("cache-control", "private, no-store"),
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("content-type", "text/html; charset=utf-8"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=()",
    ),
    ("referrer-policy", "origin-when-cross-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// What goes wrong with the calls to send a letter, each in percent, one at most of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailFaults {
    /// Answered with `TooManyRequestsException`.
    pub throttled: u8,
    /// Answered with a 503.
    pub unavailable: u8,
    /// Answered with `MessageRejected`.
    pub refused: u8,
    /// Taken, and the connection closed without an answer.
    pub lost_after: u8,
}

#[derive(Debug, Default)]
struct State {
    letters: VecDeque<pages::SentEmail>,
    faults: MailFaults,
    calls: u64,
}

/// The letters that were sent. Cheap to clone; its API ends with the last clone.
#[derive(Debug, Clone)]
pub struct Mailbox {
    shared: Shared,
    endpoint: Arc<str>,
    _api: Arc<Server>,
}

#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<State>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailbox {
    /// Starts an empty mailbox, and its API at a free port of this machine.
    ///
    /// # Errors
    /// Where no port can be listened at.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?).into();
        let shared = Shared::default();
        let api = Server::start(listener, Api(shared.clone()));
        Ok(Self {
            shared,
            endpoint,
            _api: Arc::new(api),
        })
    }

    /// Where the API is, as the SDK wants it.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What was sent, the newest first.
    #[must_use]
    pub fn letters(&self) -> Vec<pages::SentEmail> {
        self.shared.lock().letters.iter().cloned().collect()
    }

    /// How often a letter was to be sent, whatever became of it.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shared.lock().calls
    }

    /// From now on this goes wrong, instead of what did.
    pub fn set_faults(&self, faults: MailFaults) {
        self.shared.lock().faults = faults;
    }
}

/// The API.
struct Api(Shared);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: String,
    destination: Destination,
    content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Simple,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Data,
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Data,
    html: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    data: String,
}

impl From<SendEmail> for pages::SentEmail {
    fn from(letter: SendEmail) -> Self {
        Self {
            at: jiff::Timestamp::now(),
            from: letter.from_email_address,
            to: letter.destination.to_addresses.join(", "),
            subject: letter.content.simple.subject.data,
            plain: letter.content.simple.body.text.data,
            html: letter.content.simple.body.html.data,
        }
    }
}

/// A status, an error's code if it is one, and the body.
type Outcome = (StatusCode, Option<&'static str>, Value);

impl Api {
    /// The outcome of a call; `None` where the connection is closed instead.
    async fn send(&self, request: Request<Incoming>) -> Option<Outcome> {
        let error = |status, code| Some((status, Some(code), json!({ "message": code })));
        let is_call =
            request.method() == Method::POST && request.uri().path() == "/v2/email/outbound-emails";
        if !is_call {
            return error(StatusCode::NOT_FOUND, "NotFoundException");
        }
        let body = Limited::new(request.into_body(), LIMIT).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        let mut state = self.0.lock();
        state.calls += 1;
        let faults = state.faults;
        let mut left = fastrand::u8(..100);
        let mut befalls = |percent: u8| {
            let befalls = left < percent;
            left = left
                .saturating_sub(percent)
                .max(if befalls { 100 } else { 0 });
            befalls
        };
        if befalls(faults.throttled) {
            return error(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException");
        }
        if befalls(faults.unavailable) {
            return error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        }
        if befalls(faults.refused) {
            return error(StatusCode::BAD_REQUEST, "MessageRejected");
        }
        let Ok(letter) = serde_json::from_slice::<SendEmail>(&body) else {
            return error(StatusCode::BAD_REQUEST, "BadRequestException");
        };
        state.letters.push_front(letter.into());
        state.letters.truncate(KEPT);
        if befalls(faults.lost_after) {
            return None;
        }
        let id = Uuid::new_v4().to_string();
        Some((StatusCode::OK, None, json!({ "MessageId": id })))
    }
}

impl Handler for Api {
    async fn handle(
        &self,
        request: Request<Incoming>,
        _peer: IpAddr,
    ) -> Option<Response<Full<Bytes>>> {
        let (status, error, body) = self.send(request).await?;
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(error) = error {
            headers.insert("x-amzn-errortype", HeaderValue::from_static(error));
        }
        Some(response)
    }

    async fn finished(&self) {}
}

/// The product with the mailbox's page, at the product's own port.
pub(crate) struct WithMailbox {
    pub(crate) edge: Edge,
    pub(crate) mailbox: Mailbox,
}

impl Handler for WithMailbox {
    async fn handle(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
    ) -> Option<Response<Full<Bytes>>> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if request.uri().path() == PATH && reads {
            return Some(page(&self.mailbox.letters(), request.method()));
        }
        Some(self.edge.answer(request, peer).await)
    }

    async fn finished(&self) {
        self.edge.finished().await;
    }
}

fn page(letters: &[pages::SentEmail], method: &Method) -> Response<Full<Bytes>> {
    let html = pages::mailbox(letters);
    let body = if *method == Method::HEAD {
        Bytes::new()
    } else {
        Bytes::from(html)
    };
    let mut response = Response::new(Full::new(body));
    let headers: HeaderMap = HEADERS
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .into_iter()
        .collect();
    *response.headers_mut() = headers;
    if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}
