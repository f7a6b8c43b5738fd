//! CloudFront's REST API, as far as invalidations go: the calls that the SDK makes.
//!
//! Signatures are not looked at: the API listens on this machine only.
//!
//! Source: <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html>

mod invalidations;
mod xml;

use super::distribution::State;
use super::faults::{Fate, count};
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

/// The largest body that is read, in bytes: 3,000 paths of 4,000 characters would be larger, and
/// nobody sends them.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many invalidations a page of the list has unless asked for otherwise, and at most.
const PAGE: usize = 100;

/// Why a call is refused: CloudFront's codes with their statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
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

impl Refused {
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
    invalidations: Invalidations,
}

/// What a call comes to: a status, a body, and where the new thing is.
type Outcome = Result<(StatusCode, String, Option<String>), Refused>;

impl Api {
    pub(super) fn new(state: Arc<State>) -> Self {
        Self {
            state,
            invalidations: Invalidations::default(),
        }
    }

    /// The outcome of a call; `None` where the connection is to be closed instead.
    async fn call(&self, request: Request<Incoming>) -> Option<Outcome> {
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix("/2020-05-31/distribution/") else {
            return Some(Err(Refused::NoSuchOperation));
        };
        let (distribution, operation) = path.split_once('/').unwrap_or((path, ""));
        let known = match distribution == self.state.settings.id {
            true => Ok(()),
            false => Err(Refused::NoSuchDistribution),
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
            _ => Some(Err(Refused::NoSuchOperation)),
        }
    }

    async fn create(&self, body: Incoming, known: Result<(), Refused>) -> Option<Outcome> {
        count(&self.state.tally.invalidation_requests);
        let fate = self.state.faults().draw();
        match fate {
            Fate::LostBefore => return None,
            Fate::Throttled => return Some(Err(Refused::Throttling)),
            Fate::TooMany => return Some(Err(Refused::TooManyInvalidationsInProgress)),
            Fate::Refused => return Some(Err(Refused::ServiceUnavailable)),
            Fate::LostAfter | Fate::Spared => {}
        }
        let outcome = match (known, read(body).await) {
            (Err(refused), _) | (_, Err(refused)) => Err(refused),
            (Ok(()), Ok(body)) => self.accept(&body),
        };
        (fate == Fate::Spared).then_some(outcome)
    }

    fn accept(&self, body: &[u8]) -> Outcome {
        let batch = xml::read_batch(body)?;
        let delay = self.state.faults().effect_delay;
        let purge = |items: &[_]| {
            self.state.cache.purge(items, delay);
            count(&self.state.tally.invalidations);
            let billed = u64::try_from(items.len()).unwrap_or(u64::MAX);
            self.state.tally.items.fetch_add(billed, Ordering::Relaxed);
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

    fn get(&self, id: &str) -> Outcome {
        let found = self.invalidations.get(id);
        let found = found.ok_or(Refused::NoSuchInvalidation)?;
        Ok((StatusCode::OK, xml::invalidation(&found), None))
    }

    fn list(&self, query: &str) -> Outcome {
        let (mut marker, mut most) = (None, PAGE);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "Marker" => marker = Some(value.into_owned()),
                "MaxItems" => {
                    most = value.parse().map_err(|_| Refused::InvalidArgument)?;
                }
                _ => {}
            }
        }
        if !(1..=PAGE).contains(&most) {
            return Err(Refused::InvalidArgument);
        }
        let page: Page = self.invalidations.page(marker, most)?;
        Ok((StatusCode::OK, xml::list(&page), None))
    }
}

async fn read(body: Incoming) -> Result<Bytes, Refused> {
    match timeout(PATIENCE, Limited::new(body, BODY_LIMIT).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(Refused::BatchTooLarge),
        Err(_) => Err(Refused::MissingBody),
    }
}

impl Handler for Api {
    async fn handle(
        &self,
        request: Request<Incoming>,
        _peer: IpAddr,
    ) -> Option<Response<Full<Bytes>>> {
        let outcome = self.call(request).await;
        let delay = self.state.faults().answer_delay;
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let id = Uuid::new_v4().to_string();
        let (status, body, location) = outcome?.unwrap_or_else(|refused| {
            let (status, code, message) = refused.parts();
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
