//! Tests against the engine's own HTTP server, which says what the responses must be.

use super::*;
use aws::{Access, Connections};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use store::Store;

/// An empty engine behind its own HTTP server, and one behind the connector.
struct Setup {
    served: Connections,
    url: String,
    connector: Connector,
    _dynamodb: DynamoDb,
}

impl Setup {
    async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(
            listener,
            Database::memory().unwrap(),
        ));
        let dynamodb = DynamoDb::start(None).unwrap();
        let threads = dynamodb.runtime.0.as_ref().unwrap().handle().clone();
        let connector = Connector::new(&dynamodb.engine, dynamodb.requests.clone(), threads);
        Self {
            served: Access::local().connect(Duration::from_secs(10)),
            url,
            connector,
            _dynamodb: dynamodb,
        }
    }

    /// The response of both engines, which must be the same: the status and the body.
    async fn call(&self, operation: &str, input: &Value) -> (u16, Value) {
        let served = send(&self.served, &self.url, operation, input).await;
        let embedded = send(&self.connector, ENDPOINT, operation, input).await;
        assert_eq!(embedded, served, "{operation} of {input}");
        embedded
    }

    /// The same, with the code of the error instead of the body.
    async fn error(&self, operation: &str, input: &Value) -> (u16, String) {
        let (status, body) = self.call(operation, input).await;
        (status, code(&body))
    }
}

fn code(body: &Value) -> String {
    let code = body["__type"].as_str().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().to_owned()
}

async fn send(
    client: &dyn HttpConnector,
    url: &str,
    operation: &str,
    input: &Value,
) -> (u16, Value) {
    let authorization = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                         SignedHeaders=host, Signature=0";
    let request = hyper::Request::post(url)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", authorization)
        .body(SdkBody::from(input.to_string()))
        .unwrap();
    let response = client.call(HttpRequest::try_from(request).unwrap()).await;
    let response = response.unwrap();
    let kind = response.headers().get("content-type");
    assert_eq!(kind, Some("application/x-amz-json-1.0"));
    assert!(response.headers().get("x-amzn-requestid").is_some());
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

/// Creates the table in both engines. Their responses differ in the time and in the table's id.
async fn create_table(setup: &Setup) {
    let input = json!({
        "TableName": "table", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
    });
    let served = send(&setup.served, &setup.url, "CreateTable", &input).await;
    let embedded = send(&setup.connector, ENDPOINT, "CreateTable", &input).await;
    assert_eq!(
        (served.0, embedded.0),
        (200, 200),
        "{served:?} {embedded:?}"
    );
    let again = setup.error("CreateTable", &input).await;
    assert_eq!(again, (400, "ResourceInUseException".to_owned()));
    let expiry = json!({
        "TableName": "table",
        "TimeToLiveSpecification": { "Enabled": true, "AttributeName": "expires_at" },
    });
    assert_eq!(setup.call("UpdateTimeToLive", &expiry).await.0, 200);
}

fn key(sk: &str) -> Value {
    json!({ "pk": { "S": "p" }, "sk": { "S": sk } })
}

/// A transaction's put that fails if the item exists.
fn put(sk: &str, attribute: &Value) -> Value {
    let item = json!({ "pk": { "S": "p" }, "sk": { "S": sk }, "a": attribute });
    json!({ "Put": {
        "TableName": "table", "Item": item, "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    } })
}

fn transaction(token: &str, items: &[Value]) -> Value {
    json!({ "TransactItems": items, "ClientRequestToken": token })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_store_responds_as_over_http() {
    let setup = Setup::new().await;
    create_table(&setup).await;
    let values = [
        json!({ "S": "ä\u{0}\"<" }),
        json!({ "N": "1.50" }),
        json!({ "NS": ["2", "10", "-1"] }),
        json!({ "L": [{ "M": { "x": { "BOOL": true } } }, { "NULL": true }] }),
    ];
    let items: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(number, value)| put(&number.to_string(), value))
        .collect();
    let written = setup
        .call("TransactWriteItems", &transaction("a", &items))
        .await;
    assert_eq!(written.0, 200, "{written:?}");
    let replayed = setup
        .call("TransactWriteItems", &transaction("a", &items))
        .await;
    assert_eq!(replayed.0, 200, "{replayed:?}");
    let batch = json!({ "RequestItems": { "table": [
        { "PutRequest": { "Item": { "pk": { "S": "p" }, "sk": { "S": "9" } } } },
        { "DeleteRequest": { "Key": key("none") } },
    ] } });
    let update = json!({
        "TableName": "table", "Key": key("9"), "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": { ":one": { "N": "1" } },
        "ReturnValues": "ALL_NEW", "ReturnConsumedCapacity": "TOTAL",
    });
    let get = |sk| json!({ "Get": { "TableName": "table", "Key": key(sk) } });
    let item = json!({ "pk": { "S": "p" }, "sk": { "S": "8" } });
    for (operation, input) in [
        ("BatchWriteItem", batch),
        ("PutItem", json!({ "TableName": "table", "Item": item })),
        ("UpdateItem", update),
        (
            "BatchGetItem",
            json!({ "RequestItems": { "table": {
                "Keys": [key("2")], "ConsistentRead": true
            } } }),
        ),
        (
            "TransactGetItems",
            json!({ "TransactItems": [get("2"), get("none")] }),
        ),
        (
            "Query",
            json!({
                "TableName": "table", "KeyConditionExpression": "pk = :p", "Limit": 2,
                "ExpressionAttributeValues": { ":p": { "S": "p" } },
            }),
        ),
        (
            "Scan",
            json!({ "TableName": "table", "ConsistentRead": true }),
        ),
        (
            "DeleteItem",
            json!({ "TableName": "table", "Key": key("9") }),
        ),
    ] {
        let response = setup.call(operation, &input).await;
        assert_eq!(response.0, 200, "{operation}: {response:?}");
    }
}

/// The SDK sends a transaction again if it has not heard of it in time, even while the first one runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_sent_again_is_written_once() {
    let setup = Setup::new().await;
    create_table(&setup).await;
    let add = json!({ "Update": {
        "TableName": "table", "Key": key("1"), "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": { ":one": { "N": "1" } },
    } });
    let request = transaction("again", &[add]);
    let both = || async { send(&setup.connector, ENDPOINT, "TransactWriteItems", &request).await };
    let at_once = futures_util::future::join_all((0..10).map(|_| both())).await;
    assert!(
        at_once.iter().all(|response| *response == at_once[0]),
        "{at_once:?}"
    );
    assert_eq!(at_once[0], (200, json!({})));
    assert_eq!(both().await, (200, json!({})));

    let get = json!({ "RequestItems": { "table": { "Keys": [key("1")] } } });
    let (_, found) = send(&setup.connector, ENDPOINT, "BatchGetItem", &get).await;
    assert_eq!(found["Responses"]["table"][0]["n"]["N"], "1", "{found}");
}

/// A transaction that was cancelled was not written, so the same one may be sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_transaction_can_be_sent_again() {
    let setup = Setup::new().await;
    create_table(&setup).await;
    let text = json!({ "S": "x" });
    let taken = transaction("a", &[put("1", &text)]);
    assert_eq!(setup.call("TransactWriteItems", &taken).await.0, 200);
    let refused = transaction("b", &[put("1", &text)]);
    assert_eq!(setup.call("TransactWriteItems", &refused).await.0, 400);
    let delete = json!({ "TableName": "table", "Key": key("1") });
    assert_eq!(setup.call("DeleteItem", &delete).await.0, 200);
    assert_eq!(setup.call("TransactWriteItems", &refused).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_the_one_over_http_with_its_cancellation_reasons() {
    let setup = Setup::new().await;
    create_table(&setup).await;
    let text = json!({ "S": "x" });
    let first = transaction("a", &[put("1", &json!({ "NS": ["10", "9"] }))]);
    assert_eq!(setup.call("TransactWriteItems", &first).await.0, 200);

    let second = transaction("b", &[put("2", &text), put("1", &text)]);
    let (status, body) = setup.call("TransactWriteItems", &second).await;
    assert_eq!(
        (status, code(&body).as_str()),
        (400, "TransactionCanceledException")
    );
    let reasons = &body["CancellationReasons"];
    assert_eq!(reasons[0]["Code"], "None", "{body}");
    assert_eq!(reasons[1]["Code"], "ConditionalCheckFailed", "{body}");
    assert!(reasons[1]["Item"]["a"]["NS"].is_array(), "{body}");

    let other_items = transaction("a", &[put("3", &text)]);
    let condition = json!({
        "TableName": "table", "Key": key("1"), "UpdateExpression": "SET a = :a",
        "ConditionExpression": "attribute_not_exists(pk)",
        "ExpressionAttributeValues": { ":a": text },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    let large = put("4", &json!({ "S": "x".repeat(500_000) }));
    let twice = transaction("c", &[put("5", &text), put("5", &text)]);
    let no_key = transaction("d", &[put("", &text)]);
    for (operation, input, code) in [
        (
            "TransactWriteItems",
            other_items,
            "IdempotentParameterMismatchException",
        ),
        ("TransactWriteItems", twice, "ValidationException"),
        ("TransactWriteItems", no_key, "ValidationException"),
        (
            "TransactWriteItems",
            transaction("e", &[large]),
            "ValidationException",
        ),
        (
            "TransactWriteItems",
            transaction("f", &[]),
            "ValidationException",
        ),
        ("UpdateItem", condition, "ConditionalCheckFailedException"),
        (
            "UpdateItem",
            json!({ "TableName": "table", "Key": key("1"), "UpdateExpression": "ADD" }),
            "ValidationException",
        ),
        (
            "UpdateItem",
            json!({ "TableName": "table", "Key": {} }),
            "ValidationException",
        ),
        (
            "Query",
            json!({ "TableName": "table" }),
            "ValidationException",
        ),
        (
            "Scan",
            json!({ "TableName": "none" }),
            "ResourceNotFoundException",
        ),
        ("NoSuchOperation", json!({}), "UnknownOperationException"),
    ] {
        let (status, found) = setup.error(operation, &input).await;
        assert_eq!((status, found.as_str()), (400, code), "{operation}");
    }
}

/// The server words this error differently for some operations. The product sees only the code.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_cannot_be_stored_has_the_same_code_as_over_http() {
    let setup = Setup::new().await;
    create_table(&setup).await;
    for number in [
        "1e200",
        "0.1234567890123456789012345678901234567890",
        "x",
        "",
    ] {
        let number = json!({ "N": number });
        let transaction = transaction("a", &[put("1", &number)]);
        let update = json!({
            "TableName": "table", "Key": key("1"), "UpdateExpression": "SET a = :a",
            "ExpressionAttributeValues": { ":a": number },
        });
        for (operation, input) in [("TransactWriteItems", transaction), ("UpdateItem", update)] {
            let served = send(&setup.served, &setup.url, operation, &input).await;
            let embedded = send(&setup.connector, ENDPOINT, operation, &input).await;
            assert_eq!(
                (served.0, code(&served.1)),
                (embedded.0, code(&embedded.1)),
                "{operation} {number}: {served:?} {embedded:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_stop_the_database_is_closed_and_calls_fail() {
    let directory = std::env::temp_dir().join(format!("edge-crm-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&directory).unwrap();
    let file = directory.join("dynamodb.sqlite");
    let dynamodb = DynamoDb::start(Some(&file)).unwrap();
    let store = Store::connect(dynamodb.table("table"));
    store.create_table_if_missing().await.unwrap();
    dynamodb.stop().await;
    // SQLite removes the log when it closes the database.
    assert!(!directory.join("dynamodb.sqlite-wal").exists());
    let error = store.create_table_if_missing().await.unwrap_err();
    assert!(
        matches!(error, store::StoreError::Unavailable(_)),
        "{error}"
    );
    std::fs::remove_dir_all(directory).unwrap();
}
