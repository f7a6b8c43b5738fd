//! `events/`: one sample event for each function.

use crate::{Error, Output, json};
use action::{Encoding, Sample};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use functions::REGISTRY;
use functions::registry::{ActionDescription, Description, ViewDescription};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const DIRECTORY: &str = "events";
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0";
const ACCEPT_HTML: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

/// The events with the text that they should have. A file that belongs to no function should not
/// exist.
pub(crate) fn outputs(root: &Path) -> Result<Vec<Output>, Error> {
    let mut files = BTreeMap::new();
    let listed = std::fs::read_dir(root.join(DIRECTORY))
        .map_err(|e| Error::File(DIRECTORY.to_owned(), e))?;
    for file in listed.flatten() {
        files.insert(file.file_name().to_string_lossy().into_owned(), None);
    }
    for entry in REGISTRY {
        let name = entry.function.name;
        let event = event(name, &(entry.describe)());
        files.insert(format!("{name}.json"), Some(json::pretty(event)));
    }
    let files = files.into_iter();
    Ok(files
        .map(|(name, text)| Output {
            path: format!("{DIRECTORY}/{name}"),
            text,
        })
        .collect())
}

fn event(name: &str, description: &Description) -> Value {
    match description {
        Description::Action(action) => action_event(action),
        Description::Views(views) => view_event(name, views),
        Description::Stream(key) => stream_event(key),
        Description::Schedule => schedule_event(name),
    }
}

/// A text of this length that looks random but is always the same for the name.
fn text_from_name(name: &str, alphabet: &[u8], length: usize) -> String {
    // FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut step = |byte: u8| {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        hash
    };
    for byte in name.bytes() {
        step(byte);
    }
    let characters = (0..length).map(|_| {
        let index = usize::try_from(step(b'.') >> 33).unwrap_or_default();
        char::from(alphabet[index % alphabet.len()])
    });
    characters.collect()
}

/// An id in the format of a UUID.
fn id(name: &str) -> String {
    let hex = text_from_name(name, b"0123456789abcdef", 32);
    let part = |from: usize, to: usize| &hex[from..to];
    let (a, b, c, d, e) = (
        part(0, 8),
        part(9, 12),
        part(12, 15),
        part(15, 18),
        part(18, 30),
    );
    format!("{a}-0{b}-4{c}-8{d}-{e}")
}

/// The event of a request to a function URL
/// (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads).
fn request(name: &str, method: &str, path: &str) -> Value {
    let prefix = text_from_name(name, b"abcdefghijklmnopqrstuvwxyz0123456789", 32);
    let host = format!("{prefix}.lambda-url.eu-central-1.on.aws");
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": ACCEPT_HTML,
            "accept-encoding": "gzip, br",
            "accept-language": "en-GB,en;q=0.7",
            "host": host,
            "sec-fetch-dest": "document",
            "sec-fetch-mode": "navigate",
            "sec-fetch-site": "same-origin",
            "user-agent": USER_AGENT,
            "via": "2.0 3f1c0d9e5b7a4c628d10e9f2a6b8c4d7.cloudfront.net (CloudFront)",
            "x-amz-cf-id": "Yq3vT8nLx2KpW7cRz5dJm9Fh4SgBt6Na1UeXo0CiVkQyHwEj2rPlMA==",
            "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256",
            "x-amzn-tls-version": "TLSv1.3",
            "x-amzn-trace-id": "Root=1-6968b5a4-5c1f0e7a2b9d483646a1c0de",
            "x-forwarded-for": "203.0.113.24",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": prefix,
            "domainName": host,
            "domainPrefix": prefix,
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.24",
                "userAgent": USER_AGENT,
            },
            "requestId": id(name),
            "routeKey": "$default",
            "stage": "$default",
            "time": "15/Jan/2026:09:41:40 +0000",
            "timeEpoch": 1_768_470_100_412_u64,
        },
        "isBase64Encoded": false,
    })
}

fn session_cookies() -> Value {
    json!(["__Host-session={{session}}"])
}

/// The event of an action that is sent by a browser.
fn action_event(action: &ActionDescription) -> Value {
    let mut event = request(action.name, "POST", &format!("/actions/{}", action.name));
    event["headers"]["origin"] = json!("https://d111111abcdef8.cloudfront.net");
    if action.sample.signed_in {
        event["cookies"] = session_cookies();
    }
    let key = id(&format!("key of {}", action.name));
    match action.sample.encoding {
        Encoding::Json => json_body(&mut event, &action.sample, &key),
        Encoding::Form => form_body(&mut event, &action.sample, &key),
    }
    event
}

/// Adds the fields as JSON, as a script sends them.
fn json_body(event: &mut Value, sample: &Sample, key: &str) {
    let body = json::sorted(sample.fields.clone()).to_string();
    let headers = &mut event["headers"];
    for (name, value) in [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("content-length", &body.len().to_string()),
        ("idempotency-key", key),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
    ] {
        headers[name] = json!(value);
    }
    event["body"] = json!(body);
}

/// Adds the fields as a form without a script sends them. Lambda passes such a body in base64.
fn form_body(event: &mut Value, sample: &Sample, key: &str) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let fields = json::sorted(sample.fields.clone());
    for (name, value) in fields.as_object().unwrap_or(&Map::new()) {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        form.append_pair(name, &text);
    }
    form.append_pair("idempotency_key", key);
    // Placeholders must stay readable, because the tests fill them in.
    let body = form
        .finish()
        .replace("%7B%7B", "{{")
        .replace("%7D%7D", "}}");
    event["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
    event["headers"]["content-length"] = json!(body.len().to_string());
    event["body"] = json!(STANDARD.encode(body));
    event["isBase64Encoded"] = json!(true);
}

/// The event of a view that a browser opens: the first view of one record, or else the first view.
fn view_event(name: &str, views: &[ViewDescription]) -> Value {
    let one_record = views.iter().find(|view| view.path.contains("{id}"));
    let Some(view) = one_record.or(views.first()) else {
        return Value::Null;
    };
    let kind = view.path.split('/').nth(3).unwrap_or_default();
    let record = format!("{{{{{}}}}}", kind.trim_end_matches('s'));
    let path = view
        .path
        .replace("{tenant}", "acme")
        .replace("{id}", &record);
    let mut event = request(name, "GET", &path);
    event["cookies"] = session_cookies();
    event["headers"]["sec-fetch-user"] = json!("?1");
    if !view.sample.is_empty() {
        event["rawQueryString"] = json!(view.sample);
        let pairs = form_urlencoded::parse(view.sample.as_bytes()).into_owned();
        let pairs = pairs.map(|(name, value)| (name, Value::String(value)));
        event["queryStringParameters"] = Value::Object(pairs.collect());
    }
    event
}

/// The event of the table's stream when a record is inserted under `key`.
fn stream_event(key: &str) -> Value {
    json!({ "Records": [{
        "eventID": "c81e728d9d4c2f636f067f89cc14862c",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_763_690_400,
            "Keys": {
                "pk": { "S": format!("{key}:7") },
                "sk": { "S": "1763690401000:019aa3e1-4c00-7a11-8c5d-2f6b0d9e4a37" },
            },
            "SequenceNumber": "4421584500000000017450439091",
            "SizeBytes": 74,
            "StreamViewType": "KEYS_ONLY",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/edge-crm/stream/2026-11-20T00:00:00.000",
    }] })
}

/// The event of a schedule.
fn schedule_event(name: &str) -> Value {
    json!({
        "version": "0",
        "id": id(name),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-20T10:00:00Z",
        "region": "eu-central-1",
        "resources": [format!("arn:aws:events:eu-central-1:123456789012:rule/edge-crm-{name}")],
        "detail": {},
    })
}
