//! The replies with which the services refuse a call.
//!
//! Sources: [errors of DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html),
//! [cancellation reasons](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html),
//! [errors of CloudFront](https://docs.aws.amazon.com/cloudfront/latest/APIReference/CommonErrors.html),
//! [errors of SES](https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors).

use super::calls::Service;
use super::random;
use bytes::Bytes;
use serde_json::{Value, json};

/// A service's reply.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: Bytes,
}

/// A reply of DynamoDB.
pub(super) fn json(status: u16, body: &Value) -> Reply {
    Reply {
        status,
        kind: Service::DynamoDb.content_type(),
        body: Bytes::from(body.to_string()),
    }
}

/// An error reply of this service.
pub(super) fn error(service: Service, status: u16, code: &str) -> Reply {
    let body = match service {
        Service::DynamoDb => {
            let namespace = match code {
                "ThrottlingException" | "ServiceUnavailable" => "com.amazon.coral.availability",
                _ => "com.amazonaws.dynamodb.v20120810",
            };
            json!({ "__type": format!("{namespace}#{code}"), "message": "injected" }).to_string()
        }
        Service::CloudFront => format!(
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
             <Error><Type>Sender</Type><Code>{code}</Code><Message>injected</Message></Error>\
             <RequestId>injected</RequestId></ErrorResponse>"
        ),
        Service::Ses => json!({ "code": code, "message": "injected" }).to_string(),
    };
    Reply {
        status,
        kind: service.content_type(),
        body: Bytes::from(body),
    }
}

/// DynamoDB's internal server error.
pub(super) fn internal_error() -> Reply {
    error(Service::DynamoDb, 500, "InternalServerError")
}

/// A cancelled transaction with these reasons, one for each item.
pub(super) fn cancelled(reasons: Vec<Value>) -> Reply {
    json(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, injected",
            "CancellationReasons": reasons,
        }),
    )
}

/// A cancelled transaction with these codes. The remaining items have the reason `None`.
pub(super) fn cancelled_with(codes: &[&str], count: usize) -> Reply {
    let reason = |at: usize| match codes.get(at) {
        None | Some(&"None") => json!({ "Code": "None" }),
        Some(code) => json!({ "Code": code, "Message": "injected" }),
    };
    cancelled((0..count).map(reason).collect())
}

/// A cancelled transaction with these reasons, in which each `None` becomes a random transient
/// reason or stays `None`. If `some`, at least one reason is not `None`.
pub(super) fn muddled(mut reasons: Vec<Value>, some: bool) -> Reply {
    let transient = [
        "None",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    for reason in &mut reasons {
        if reason["Code"] == "None" {
            let code = transient[random(4) as usize];
            *reason = json!({ "Code": code, "Message": "injected" });
        }
    }
    if some && reasons.iter().all(|reason| reason["Code"] == "None") {
        let at = random(reasons.len() as u64) as usize;
        reasons[at] = json!({ "Code": "TransactionConflict", "Message": "injected" });
    }
    cancelled(reasons)
}

/// The reply to a batch of reads of which nothing was processed.
pub(super) fn unprocessed(input: &Value) -> Reply {
    json(
        200,
        &json!({ "Responses": {}, "UnprocessedKeys": input["RequestItems"] }),
    )
}
