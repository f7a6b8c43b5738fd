//! Request bodies of every kind, passed to a function in an event.

use crate::{block_on, keys};
use action::Sample;
use action::{Action, ActionError, Actor, Anyone, Commit, Context, Form, FormPage, Found, Layout};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cdn::{CloudFront, Invalidations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use store::{Allowance, Store, TableSettings};
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};
use wrapper::{App, Config, Revalidation, Runner};

/// The content types, chosen by the first byte of the input. Other first bytes take the type from the
/// first line of the input, or check that all encodings read the same.
const KINDS: [&str; 7] = [
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/json; charset=utf-8",
    "",
    "text/plain",
];

/// The field that always has an error, which tells a JSON body that was read from one that was not. It need
/// not be a field of the body.
const ALWAYS: &str = "always";

/// An action whose form shows every field of the body. It reads and writes no records.
struct Echo;

/// Any fields at all, which are always refused.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
struct Refused(BTreeMap<String, String>);

thread_local! {
    /// The fields whose values are returned as their error messages.
    static NAMES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl Validate for Refused {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let value = |name: &String| self.0.get(name).cloned().unwrap_or_default();
        let mut messages: Vec<_> = NAMES.with_borrow(|names| {
            let pairs = names.iter().map(|name| (name.clone(), value(name)));
            pairs.collect()
        });
        messages.push((ALWAYS.to_owned(), "refused".to_owned()));
        let errors = messages.into_iter().map(|(name, message)| {
            let error = ValidationError::new("refused").with_message(message.into());
            (name.into(), ValidationErrorsKind::Field(vec![error]))
        });
        Err(ValidationErrors(errors.collect()))
    }
}

impl Action for Echo {
    const NAME: &'static str = "echo";
    type Permission = Anyone;
    type Input = Refused;
    type Output = ();

    fn sample() -> Sample {
        Sample::json(json!({}))
    }

    fn run(_: &Context<Option<Actor>>, _: &Refused, _: &Found) -> Result<Commit<()>, ActionError> {
        Err(ActionError::NotFound("the input is always refused"))
    }
}

impl Form for Echo {
    fn success_path(_: Option<&Layout>, _: &Refused, (): &()) -> String {
        "/".to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        json!(page.state.values).to_string()
    }
}

fn echo() -> Runner {
    // No input passes, so neither the store nor the edge is ever called.
    let store = Store::connect(TableSettings::local("http://127.0.0.1:1", "edge-crm"));
    let edge = Invalidations::connect(CloudFront::local("http://127.0.0.1:1"));
    let config = Config {
        https: true,
        allowed_origins: Vec::new(),
        origin_secrets: Vec::new(),
        keys: keys(),
        rate_limit_per_user: 0,
        rate_limit_per_ip: 0,
        body_limit: 1 << 16,
        revalidation: Revalidation::Background,
        inline_purge_timeout: Config::INLINE_PURGE_TIMEOUT,
        quiet_time: Config::QUIET_TIME,
        allowance: Allowance { a_month: 0 },
        best_effort_timeout: Config::BEST_EFFORT_TIMEOUT,
        log: |_| (),
    };
    Runner::new(
        App::new(store, edge, config, functions::SITE),
        wrapper::Function::action::<Echo>(),
    )
}

/// Sends a body to the function. Returns the status, and the fields if the body was readable.
fn read(kind: &str, body: &str, encoded: bool) -> (u64, Option<Value>) {
    thread_local! {
        static ECHO: Runner = echo();
    }
    let mut event = json!({
        "version": "2.0", "rawPath": "/actions/echo", "rawQueryString": "",
        "headers": { "accept": "text/html", "sec-fetch-site": "same-origin" },
        "requestContext": {
            "http": { "method": "POST", "path": "/actions/echo", "sourceIp": "192.0.2.1" },
            "requestId": "fuzz",
        },
        "body": body, "isBase64Encoded": encoded,
    });
    if !kind.is_empty() {
        event["headers"]["content-type"] = json!(kind);
    }
    let response = ECHO.with(|echo| block_on(echo.invoke(event.to_string().as_bytes())));
    let response: Value = serde_json::from_slice(&response).expect("a JSON response");
    let status = response["statusCode"].as_u64().expect("a status");
    let page: Option<Value> =
        serde_json::from_str(response["body"].as_str().unwrap_or_default()).ok();
    let fields = match response["headers"]["content-type"].as_str() {
        Some("application/json") => page.map(|page| page["fieldErrors"].clone()),
        _ => page,
    };
    (status, fields.filter(Value::is_object))
}

/// The same for a JSON body, whose response has only the fields that the input asks for.
fn read_json(kind: &str, body: &str, fields: &BTreeMap<&str, &str>) -> (u64, Option<Value>) {
    let names = fields.keys().map(|name| (*name).to_owned()).collect();
    NAMES.set(names);
    let (status, mut read_fields) = read(kind, body, false);
    NAMES.set(Vec::new());
    let object = read_fields.as_mut().and_then(Value::as_object_mut);
    object.map(|fields| fields.remove(ALWAYS));
    (status, read_fields)
}

/// Every body is read or refused, in base64 the same as in plain text. Fields that every encoding can
/// express are read the same from all of them.
pub fn body(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    match KINDS.get(usize::from(first % 10)) {
        Some(kind) => junk(kind, rest),
        None if first % 2 == 0 => alike(rest),
        None => {
            let line = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            let kind = String::from_utf8_lossy(&rest[..line]);
            junk(&kind, rest.get(line + 1..).unwrap_or_default());
        }
    }
}

fn junk(kind: &str, body: &[u8]) {
    let (status, fields) = read(kind, &STANDARD.encode(body), true);
    let expected = [400, 413, 415];
    assert!(expected.contains(&status), "{status} for {kind:?} {body:?}");
    for (name, value) in fields
        .iter()
        .flat_map(|fields| fields.as_object())
        .flatten()
    {
        let value = value.as_str().expect("a text");
        if name == ALWAYS {
            continue;
        }
        assert!(!name.contains('\0') && !value.contains('\0'));
        assert!(
            name.len() + value.len() <= body.len() * 3,
            "the fields are longer than the body"
        );
    }
    if let Ok(text) = std::str::from_utf8(body) {
        assert_eq!(
            read(kind, text, false),
            (status, fields),
            "{kind:?} {text:?}"
        );
    }
    let (status, fields) = read(kind, &String::from_utf8_lossy(body), true);
    assert!(expected.contains(&status), "{status}, {fields:?}");
}

/// Reads each line as a field `name=value`, and sends the fields in each encoding. Of two lines with
/// the same name, the last counts. Names with `_` are left out: errors have the name of a Rust field, which
/// JSON has in camel case.
fn alike(data: &[u8]) {
    let text = String::from_utf8_lossy(data).replace(['\0', '\r'], "");
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let fields: BTreeMap<&str, &str> = pairs
        .filter(|(name, _)| !name.is_empty() && !name.contains('_') && *name != ALWAYS)
        .take(50)
        .collect();
    let object: Map<_, _> = fields
        .iter()
        .map(|(k, v)| ((*k).to_owned(), json!(v)))
        .collect();
    let expected = (400, Some(Value::Object(object.clone())));
    let urlencoded: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&fields)
        .finish();
    // The form's page shows all fields. JSON has only the errors of those that the input asks for.
    assert_eq!(read(KINDS[0], &urlencoded, false), expected);
    assert_eq!(
        read_json(KINDS[1], &Value::Object(object).to_string(), &fields),
        expected
    );
    // Browsers differ in how they quote a name in a part's header, so only plain names are sent.
    if fields
        .keys()
        .all(|name| name.bytes().all(|b| b.is_ascii_alphanumeric()))
        && !fields.is_empty()
    {
        let parts = fields.iter().map(|(name, value)| {
            format!(
                "--a boundary\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
        });
        let multipart = format!("{}--a boundary--\r\n", parts.collect::<String>());
        if !text.contains("--a boundary") {
            let kind = "multipart/form-data; boundary=\"a boundary\"";
            assert_eq!(read(kind, &multipart, false), expected, "{multipart:?}");
        }
    }
}
