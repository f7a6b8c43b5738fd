//! Calls as they arrive at the proxy.

use super::Fault;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request};
use serde_json::Value;
use std::collections::BTreeSet;

/// One call to a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// The operation, such as `Query`.
    pub name: String,
    /// How many items a transaction has.
    pub items: usize,
    /// Whether the caller needs data from the response, so that an empty response is an error.
    pub returns: bool,
    /// The SDK's id of the call, which is the same for each attempt.
    pub invocation: String,
    /// The transaction's idempotency token (`ClientRequestToken`).
    pub token: String,
    /// The invalidation's idempotency token (`CallerReference`).
    pub reference: String,
    /// The planned fault that hit it.
    pub fault: Option<Fault>,
}

/// The service that a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    DynamoDb,
    CloudFront,
    Ses,
}

impl Service {
    /// The content type of its responses.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::DynamoDb => "application/x-amz-json-1.0",
            Self::CloudFront => "text/xml",
            Self::Ses => "application/json",
        }
    }
}

/// A request as it arrived.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The body parsed as JSON. Null if it is not JSON.
    pub(super) input: Value,
    pub(super) service: Service,
    pub(super) call: Call,
}

impl Received {
    pub(super) async fn read(request: Request<Incoming>) -> Self {
        let (parts, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .map(|body| body.to_bytes())
            .unwrap_or_default();
        let header = |name: &str| {
            let value = parts.headers.get(name);
            value.and_then(|value| value.to_str().ok())
        };
        let target = header("x-amz-target");
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let (service, name) = match target.and_then(|target| target.rsplit('.').next()) {
            Some(name) => (Service::DynamoDb, name),
            None if path.ends_with("/invalidation") => (Service::CloudFront, "CreateInvalidation"),
            None if path.ends_with("/outbound-emails") => (Service::Ses, "SendEmail"),
            None => (Service::CloudFront, path),
        };
        let input: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = String::from_utf8_lossy(&body);
        let reference = text.split_once("<CallerReference>");
        let reference = reference.and_then(|(_, rest)| rest.split('<').next());
        let call = Call {
            name: name.to_owned(),
            items: input["TransactItems"].as_array().map_or(0, Vec::len),
            returns: returns(name, &input),
            invocation: header("amz-sdk-invocation-id")
                .unwrap_or_default()
                .to_owned(),
            token: input["ClientRequestToken"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            reference: reference.unwrap_or_default().to_owned(),
            fault: None,
        };
        Self {
            method: parts.method.clone(),
            path: path.to_owned(),
            service,
            call,
            input,
            body,
            headers: parts.headers,
        }
    }
}

/// Whether the call returns data: a read, or a write that asks for the written item.
fn returns(name: &str, input: &Value) -> bool {
    let reads = ["BatchGetItem", "Query", "TransactGetItems"];
    reads.contains(&name)
        || input["ReturnValues"]
            .as_str()
            .is_some_and(|values| values != "NONE")
}

/// The IAM permissions that a call needs. A transaction needs one for each of its operations
/// ([IAM and transactions](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html)).
pub(super) fn permissions(call: &str, input: &Value) -> BTreeSet<String> {
    let operation = |item: &Value| {
        let name = item
            .as_object()
            .and_then(|item| item.keys().next().cloned());
        match name.unwrap_or_default().as_str() {
            "ConditionCheck" => "dynamodb:ConditionCheckItem".to_owned(),
            name => format!("dynamodb:{name}Item"),
        }
    };
    match input["TransactItems"].as_array() {
        Some(items) => items.iter().map(operation).collect(),
        None => [format!("dynamodb:{call}")].into(),
    }
}
