//! The mailbox of the local stack: SES's API for sending an email, and a page that shows the sent
//! emails.
//!
//! Signatures are not checked. Instead, the API's URL contains a secret.
//!
//! Source: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>

use crate::edge::Edge;
use crate::secret_path::SecretPath;
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

/// How many emails are kept.
const MAX_EMAILS: usize = 100;

/// The largest call that is read, in bytes.
const BODY_LIMIT: usize = 1 << 20;

/// The page's headers, the same as on every page of the product.
const PAGE_HEADERS: [(&str, &str); 7] = [
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

/// The faults of calls to send an email. Each is a percentage of the calls. A call gets at most one
/// fault, so the percentages add up to at most 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailFaults {
    /// The response is `TooManyRequestsException`.
    pub throttled: u8,
    /// The response is a 503.
    pub unavailable: u8,
    /// The response is `MessageRejected`.
    pub refused: u8,
    /// The email is sent, but the connection is closed without a response.
    pub lost_after: u8,
}

#[derive(Debug, Default)]
struct State {
    emails: VecDeque<pages::SentEmail>,
    faults: MailFaults,
    calls: u64,
}

/// The emails that were sent. Cheap to clone; the API stops when the last clone is dropped.
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
    /// If it cannot listen on any port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let secret = SecretPath::random();
        let endpoint = secret.endpoint(listener.local_addr()?).into();
        let shared = Shared::default();
        let api = SesApi {
            shared: shared.clone(),
            secret,
        };
        let api = Server::start(listener, api);
        Ok(Self {
            shared,
            endpoint,
            _api: Arc::new(api),
        })
    }

    /// The URL of the API, as the SDK expects it. It contains a secret: whoever knows the URL may
    /// send emails.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The sent emails, newest first.
    #[must_use]
    pub fn emails(&self) -> Vec<pages::SentEmail> {
        self.shared.lock().emails.iter().cloned().collect()
    }

    /// How many calls to send an email there were, whatever their result.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shared.lock().calls
    }

    /// Replaces the faults that are injected from now on.
    pub fn set_faults(&self, faults: MailFaults) {
        self.shared.lock().faults = faults;
    }
}

/// SES's API.
struct SesApi {
    shared: Shared,
    secret: SecretPath,
}

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
    fn from(email: SendEmail) -> Self {
        Self {
            at: jiff::Timestamp::now(),
            from: email.from_email_address,
            to: email.destination.to_addresses.join(", "),
            subject: email.content.simple.subject.data,
            plain: email.content.simple.body.text.data,
            html: email.content.simple.body.html.data,
        }
    }
}

/// The status code, the error's code if it is an error, and the body.
type CallResult = (StatusCode, Option<&'static str>, Value);

impl SesApi {
    /// The result of a call; `None` if the connection is to be closed without a response.
    async fn send(&self, request: Request<Incoming>) -> Option<CallResult> {
        let error = |status, code| Some((status, Some(code), json!({ "message": code })));
        let call = self.secret.call(request.uri().path());
        if request.method() != Method::POST || call != Some("/v2/email/outbound-emails") {
            return error(StatusCode::NOT_FOUND, "NotFoundException");
        }
        let body = Limited::new(request.into_body(), BODY_LIMIT)
            .collect()
            .await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        let mut state = self.shared.lock();
        state.calls += 1;
        let faults = state.faults;
        // One draw for all faults, so that a call gets at most one.
        let mut draw = fastrand::u8(..100);
        let mut hits = |percent: u8| {
            let hits = draw < percent;
            draw = draw.saturating_sub(percent).max(if hits { 100 } else { 0 });
            hits
        };
        if hits(faults.throttled) {
            return error(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException");
        }
        if hits(faults.unavailable) {
            return error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        }
        if hits(faults.refused) {
            return error(StatusCode::BAD_REQUEST, "MessageRejected");
        }
        let Ok(email) = serde_json::from_slice::<SendEmail>(&body) else {
            return error(StatusCode::BAD_REQUEST, "BadRequestException");
        };
        state.emails.push_front(email.into());
        state.emails.truncate(MAX_EMAILS);
        if hits(faults.lost_after) {
            return None;
        }
        let id = Uuid::new_v4().to_string();
        Some((StatusCode::OK, None, json!({ "MessageId": id })))
    }
}

impl Handler for SesApi {
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

/// The product, with the mailbox's page at the same port.
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
            return Some(page(&self.mailbox.emails(), request.method()));
        }
        Some(self.edge.respond(request, peer).await)
    }

    async fn finished(&self) {
        self.edge.finished().await;
    }
}

fn page(emails: &[pages::SentEmail], method: &Method) -> Response<Full<Bytes>> {
    let html = pages::mailbox(emails);
    let body = if *method == Method::HEAD {
        Bytes::new()
    } else {
        Bytes::from(html)
    };
    let mut response = Response::new(Full::new(body));
    let headers: HeaderMap = PAGE_HEADERS
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
