//! CloudFront's REST API for invalidations, as the SDK calls it.
//!
//! Signatures are not checked. Instead, the URL contains a secret.
//!
//! Source: <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html>

mod invalidations;
mod xml;

use super::faults::{Fault, count};
use super::state::State;
use crate::secret_path::SecretPath;
use crate::server::Handler;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Method, Request, Response, StatusCode};
use invalidations::{Invalidations, Page};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// The largest body that is read, in bytes. 3,000 paths of 4,000 characters each would be larger,
/// but no client sends them.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The default and the largest number of invalidations on a page of the list.
const PAGE_SIZE: usize = 100;

/// Why a call is refused, by CloudFront's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiError {
    NoSuchDistribution,
    NoSuchInvalidation,
    NoSuchOperation,
    MissingBody,
    MalformedInput,
    InvalidArgument,
    InconsistentQuantities,
    BatchTooLarge,
    TooManyInvalidationsInProgress,
    InvalidationBatchAlreadyExists,
    Throttling,
    ServiceUnavailable,
}

impl ApiError {
    /// The status, the code and the message.
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::NoSuchDistribution => (
                S::NOT_FOUND,
                "NoSuchDistribution",
                "The specified distribution does not exist.",
            ),
            Self::NoSuchInvalidation => (
                S::NOT_FOUND,
                "NoSuchInvalidation",
                "The specified invalidation does not exist.",
            ),
            Self::NoSuchOperation => (
                S::NOT_FOUND,
                "UnknownOperationException",
                "There is no such operation here.",
            ),
            Self::MissingBody => (
                S::BAD_REQUEST,
                "MissingBody",
                "This operation requires a body.",
            ),
            Self::MalformedInput => (S::BAD_REQUEST, "MalformedInput", "Could not parse XML."),
            Self::InvalidArgument => (
                S::BAD_REQUEST,
                "InvalidArgument",
                "Your request contains one or more invalid arguments.",
            ),
            Self::InconsistentQuantities => (
                S::BAD_REQUEST,
                "InconsistentQuantities",
                "The value of Quantity and the size of Items don't match.",
            ),
            Self::BatchTooLarge => (
                S::PAYLOAD_TOO_LARGE,
                "BatchTooLarge",
                "Invalidation batch specified is too large.",
            ),
            Self::TooManyInvalidationsInProgress => (
                S::BAD_REQUEST,
                "TooManyInvalidationsInProgress",
                "Processing your request will cause you to exceed the maximum number of in-progress invalidations.",
            ),
            Self::InvalidationBatchAlreadyExists => (
                S::CONFLICT,
                "InvalidationBatchAlreadyExists",
                "Another invalidation has this caller reference.",
            ),
            Self::Throttling => (S::BAD_REQUEST, "Throttling", "Rate exceeded"),
            Self::ServiceUnavailable => (
                S::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                "CloudFront is temporarily unavailable.",
            ),
        }
    }
}

/// The API of one distribution.
pub(super) struct Api {
    state: Arc<State>,
    secret: SecretPath,
    invalidations: Invalidations,
}

/// The result of a call: the status, the body, and the location of what was created.
type CallResult = Result<(StatusCode, String, Option<String>), ApiError>;

impl Api {
    pub(super) fn new(state: Arc<State>, secret: SecretPath) -> Self {
        Self {
            state,
            secret,
            invalidations: Invalidations::default(),
        }
    }

    /// The result of a call; `None` if the connection is to be closed without a response.
    async fn call(&self, request: Request<Incoming>) -> Option<CallResult> {
        let path = request.uri().path().to_owned();
        let path = self.secret.call(&path);
        let path = path.and_then(|path| path.strip_prefix("/2020-05-31/distribution/"));
        let Some(path) = path else {
            return Some(Err(ApiError::NoSuchOperation));
        };
        let (distribution, operation) = path.split_once('/').unwrap_or((path, ""));
        let known = match distribution == self.state.settings.id {
            true => Ok(()),
            false => Err(ApiError::NoSuchDistribution),
        };
        match (request.method(), operation.split_once('/')) {
            (&Method::POST, None) if operation == "invalidation" => {
                self.create(request.into_body(), known).await
            }
            (&Method::GET, None) if operation == "invalidation" => {
                let query = request.uri().query().unwrap_or_default();
                Some(known.and_then(|()| self.list(query)))
            }
            (&Method::GET, Some(("invalidation", id))) => Some(known.and_then(|()| self.get(id))),
            _ => Some(Err(ApiError::NoSuchOperation)),
        }
    }

    async fn create(&self, body: Incoming, known: Result<(), ApiError>) -> Option<CallResult> {
        count(&self.state.counters.invalidation_requests);
        let fault = self.state.faults().draw();
        match fault {
            Some(Fault::LostBefore) => return None,
            Some(Fault::Throttled) => return Some(Err(ApiError::Throttling)),
            Some(Fault::TooMany) => return Some(Err(ApiError::TooManyInvalidationsInProgress)),
            Some(Fault::Refused) => return Some(Err(ApiError::ServiceUnavailable)),
            Some(Fault::LostAfter) | None => {}
        }
        let result = match (known, read(body).await) {
            (Err(error), _) | (_, Err(error)) => Err(error),
            (Ok(()), Ok(body)) => self.accept(&body),
        };
        fault.is_none().then_some(result)
    }

    fn accept(&self, body: &[u8]) -> CallResult {
        let batch = xml::parse_batch(body)?;
        let delay = self.state.faults().effect_delay;
        let purge = |items: &[_]| {
            self.state.cache.purge(items, delay);
            count(&self.state.counters.invalidations);
            let billed = u64::try_from(items.len()).unwrap_or(u64::MAX);
            self.state
                .counters
                .items
                .fetch_add(billed, Ordering::Relaxed);
        };
        let accepted = self.invalidations.accept(batch, delay, purge)?;
        let location = format!(
            "https://cloudfront.amazonaws.com/2020-05-31/distribution/{}/invalidation/{}",
            self.state.settings.id, accepted.id
        );
        Ok((
            StatusCode::CREATED,
            xml::invalidation(&accepted),
            Some(location),
        ))
    }

    fn get(&self, id: &str) -> CallResult {
        let found = self.invalidations.get(id);
        let found = found.ok_or(ApiError::NoSuchInvalidation)?;
        Ok((StatusCode::OK, xml::invalidation(&found), None))
    }

    fn list(&self, query: &str) -> CallResult {
        let (mut marker, mut max_items) = (None, PAGE_SIZE);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "Marker" => marker = Some(value.into_owned()),
                "MaxItems" => {
                    max_items = value.parse().map_err(|_| ApiError::InvalidArgument)?;
                }
                _ => {}
            }
        }
        if !(1..=PAGE_SIZE).contains(&max_items) {
            return Err(ApiError::InvalidArgument);
        }
        let page: Page = self.invalidations.page(marker, max_items)?;
        Ok((StatusCode::OK, xml::list(&page), None))
    }
}

async fn read(body: Incoming) -> Result<Bytes, ApiError> {
    match timeout(TIMEOUT, Limited::new(body, BODY_LIMIT).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(ApiError::BatchTooLarge),
        Err(_) => Err(ApiError::MissingBody),
    }
}

impl Handler for Api {
    async fn handle(
        &self,
        request: Request<Incoming>,
        _peer: IpAddr,
    ) -> Option<Response<Full<Bytes>>> {
        let result = self.call(request).await;
        let delay = self.state.faults().response_delay;
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let id = Uuid::new_v4().to_string();
        let (status, body, location) = result?.unwrap_or_else(|error| {
            let (status, code, message) = error.parts();
            (status, xml::error(code, message, &id), None)
        });
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
        for (name, value) in [
            ("x-amzn-requestid", Some(id)),
            (LOCATION.as_str(), location),
        ] {
            if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
                headers.insert(hyper::header::HeaderName::from_static(name), value);
            }
        }
        Some(response)
    }

    async fn finished(&self) {}
}

#[cfg(test)]
#[path = "../api_tests.rs"]
mod tests;
