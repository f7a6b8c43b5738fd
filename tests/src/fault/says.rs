//! What the services say when they refuse.
//!
//! Sources: [errors of DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html),
//! [cancellation reasons](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html),
//! [errors of CloudFront](https://docs.aws.amazon.com/cloudfront/latest/APIReference/CommonErrors.html),
//! [errors of SES](https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors).

use super::calls::Service;
use super::random;
use bytes::Bytes;
use serde_json::{Value, json};

/// An answer: its status, its content type, its body.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: Bytes,
}

/// DynamoDB's JSON.
pub(super) fn json(status: u16, body: &Value) -> Said {
    Said {
        status,
        kind: Service::DynamoDb.content_type(),
        body: Bytes::from(body.to_string()),
    }
}

/// An error of the service that is asked.
pub(super) fn error(service: Service, status: u16, code: &str) -> Said {
    let body = match service {
        Service::DynamoDb => {
            let of = match code {
                "ThrottlingException" | "ServiceUnavailable" => "com.amazon.coral.availability",
                _ => "com.amazonaws.dynamodb.v20120810",
            };
            json!({ "__type": format!("{of}#{code}"), "message": "injected" }).to_string()
        }
        Service::CloudFront => format!(
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
             <Error><Type>Sender</Type><Code>{code}</Code><Message>injected</Message></Error>\
             <RequestId>injected</RequestId></ErrorResponse>"
        ),
        Service::Ses => json!({ "code": code, "message": "injected" }).to_string(),
    };
    Said {
        status,
        kind: service.content_type(),
        body: Bytes::from(body),
    }
}

/// A server's error of DynamoDB.
pub(super) fn internal_error() -> Said {
    error(Service::DynamoDb, 500, "InternalServerError")
}

/// A cancellation for these reasons, one for each item.
pub(super) fn cancelled(reasons: Vec<Value>) -> Said {
    json(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, injected",
            "CancellationReasons": reasons,
        }),
    )
}

/// A cancellation with these codes; the items that are left over say `None`.
pub(super) fn cancelled_with(codes: &[&str], count: usize) -> Said {
    let reason = |at: usize| match codes.get(at) {
        None | Some(&"None") => json!({ "Code": "None" }),
        Some(code) => json!({ "Code": code, "Message": "injected" }),
    };
    cancelled((0..count).map(reason).collect())
}

/// A cancellation with these reasons, of which those that say nothing are given a random one that
/// passes by itself; at least one where `some`.
pub(super) fn muddled(mut reasons: Vec<Value>, some: bool) -> Said {
    let passing = [
        "None",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    for reason in &mut reasons {
        if reason["Code"] == "None" {
            let code = passing[random(4) as usize];
            *reason = json!({ "Code": code, "Message": "injected" });
        }
    }
    if some && reasons.iter().all(|reason| reason["Code"] == "None") {
        let at = random(reasons.len() as u64) as usize;
        reasons[at] = json!({ "Code": "TransactionConflict", "Message": "injected" });
    }
    cancelled(reasons)
}

/// The answer to a batch of reads of which nothing was processed.
pub(super) fn unprocessed(input: &Value) -> Said {
    json(
        200,
        &json!({ "Responses": {}, "UnprocessedKeys": input["RequestItems"] }),
    )
}
