//! The baseline: the same actions and views written by hand, without the wrapper. Each parses its form
//! with serde and makes one call to DynamoDB, through the same SDK, to the same engine on the same
//! disk. It has no session, origin check, permission, rate limit, idempotency, email guard, audit,
//! revalidation or edge.

use crate::drive::Server;
use aws::Access;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_sdk_dynamodb::{Client, Config};
use bytes::Bytes;
use dynoxide::Database;
use edge_crm_tests::Scratch;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use store::{Store, TableSettings};
use tokio::net::TcpListener;

const TABLE: &str = "edge-crm";
const PK: &str = "acme:contacts";
const OWNER: &str = "0197a3b0-0000-7000-8000-000000000001";

type Failed = Box<dyn Error + Send + Sync>;
type Attributes = HashMap<String, AttributeValue>;

#[derive(Deserialize)]
struct Details {
    name: String,
    email: String,
    company: Option<String>,
    phone: Option<String>,
    notes: Option<String>,
}

#[derive(Deserialize)]
struct Update {
    id: String,
    version: u64,
}

#[derive(Deserialize)]
struct Which {
    id: String,
}

#[derive(Deserialize)]
struct Search {
    q: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Contact {
    id: String,
    name: String,
    email: String,
    company: Option<String>,
    phone: Option<String>,
    notes: Option<String>,
    owner_id: String,
    created_at: String,
    updated_at: String,
    version: u64,
}

/// A process that serves the handwritten handlers. It is killed on drop.
pub struct Bare {
    pub server: Server,
    child: Child,
    _data: Scratch,
}

impl Bare {
    /// Starts the process with an empty table.
    pub fn start() -> Self {
        let data = Scratch::new();
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .arg("--bare")
            .arg(data.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program");
        let output = child.stdout.take().expect("piped");
        let mut address = String::new();
        BufReader::new(output)
            .read_line(&mut address)
            .expect("an address");
        let server = Server {
            address: address.trim().to_owned(),
            process: child.id(),
        };
        Self {
            server,
            child,
            _data: data,
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}

/// Serves the handlers, with the data in `directory`, until the process ends. Prints the address.
pub async fn serve(directory: &Path) {
    let file = directory.join("dynamodb.sqlite");
    let database = Database::new(file.to_str().expect("UTF-8")).expect("a database");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let engine = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let store = Store::connect(TableSettings::local(&engine, TABLE));
    store.create_table_if_missing().await.expect("a table");
    let client = connect(&engine);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    std::io::stdout().flush().expect("a reader");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let client = client.clone();
        let service = service_fn(move |request| answer(client.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the baseline does without the store crate"
)]
fn connect(engine: &str) -> Client {
    let access = Access::local();
    let connections = access.connect(Duration::from_secs(1));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(access.credentials())
        .http_client(connections.client())
        .identity_cache(IdentityCache::no_cache())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .endpoint_url(engine);
    Client::from_conf(config.build())
}

async fn answer(
    client: Client,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = match handle(&client, request).await {
        Ok(body) => (200, body),
        Err(error) => (
            400,
            serde_json::json!({ "error": error.to_string() }).to_string(),
        ),
    };
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::from(body));
    Ok(response.expect("a response"))
}

async fn handle(client: &Client, request: Request<Incoming>) -> Result<String, Failed> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let body = body.collect().await?.to_bytes();
    match parts.uri.path() {
        "/create" => create(client, form(&body)?).await,
        "/update" => update(client, form(&body)?, form(&body)?).await,
        "/delete" => delete(client, form(&body)?).await,
        "/get" => get(client, form(query.as_bytes())?).await,
        "/list" => list(client, form(query.as_bytes())?).await,
        path => Err(format!("no {path}").into()),
    }
}

fn form<T: for<'a> Deserialize<'a>>(text: &[u8]) -> Result<T, Failed> {
    Ok(serde_urlencoded::from_bytes(text)?)
}

fn key(id: &str) -> Attributes {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    [("pk".to_owned(), text(PK)), ("sk".to_owned(), text(id))].into()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the baseline does without the wrapper"
)]
async fn create(client: &Client, details: Details) -> Result<String, Failed> {
    let now = jiff::Timestamp::now().to_string();
    let contact = Contact {
        id: uuid::Uuid::now_v7().to_string(),
        name: details.name,
        email: details.email,
        company: details.company,
        phone: details.phone,
        notes: details.notes,
        owner_id: OWNER.to_owned(),
        created_at: now.clone(),
        updated_at: now,
        version: 1,
    };
    let item: Attributes = serde_dynamo::to_item(&contact)?;
    let sent = client
        .put_item()
        .table_name(TABLE)
        .set_item(Some(item.into_iter().chain(key(&contact.id)).collect()))
        .condition_expression("attribute_not_exists(pk)")
        .send();
    sent.await.map_err(SdkError::into_service_error)?;
    Ok(serde_json::to_string(&contact)?)
}

async fn update(client: &Client, update: Update, details: Details) -> Result<String, Failed> {
    let optional =
        |text: Option<String>| text.map_or(AttributeValue::Null(true), AttributeValue::S);
    let number = |number: u64| AttributeValue::N(number.to_string());
    let Details {
        name,
        email,
        company,
        phone,
        notes,
    } = details;
    let now = jiff::Timestamp::now().to_string();
    let sent = client
        .update_item()
        .table_name(TABLE)
        .set_key(Some(key(&update.id)))
        .update_expression(
            "SET #name = :name, email = :email, company = :company, phone = :phone, \
             notes = :notes, updatedAt = :now, version = :next",
        )
        .condition_expression("version = :version")
        .expression_attribute_names("#name", "name")
        .expression_attribute_values(":name", AttributeValue::S(name))
        .expression_attribute_values(":email", AttributeValue::S(email))
        .expression_attribute_values(":company", optional(company))
        .expression_attribute_values(":phone", optional(phone))
        .expression_attribute_values(":notes", optional(notes))
        .expression_attribute_values(":now", AttributeValue::S(now))
        .expression_attribute_values(":next", number(update.version + 1))
        .expression_attribute_values(":version", number(update.version))
        .return_values(ReturnValue::AllNew)
        .send();
    let answer = sent.await.map_err(SdkError::into_service_error)?;
    contact(answer.attributes)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the baseline does without the wrapper"
)]
async fn delete(client: &Client, which: Which) -> Result<String, Failed> {
    let sent = client
        .delete_item()
        .table_name(TABLE)
        .set_key(Some(key(&which.id)))
        .condition_expression("attribute_exists(pk)")
        .send();
    sent.await.map_err(SdkError::into_service_error)?;
    Ok(serde_json::json!({ "id": which.id }).to_string())
}

async fn get(client: &Client, which: Which) -> Result<String, Failed> {
    let sent = client
        .get_item()
        .table_name(TABLE)
        .set_key(Some(key(&which.id)))
        .consistent_read(true)
        .send();
    let answer = sent.await.map_err(SdkError::into_service_error)?;
    contact(answer.item)
}

fn contact(item: Option<Attributes>) -> Result<String, Failed> {
    let contact: Contact = serde_dynamo::from_item(item.ok_or("no such contact")?)?;
    Ok(serde_json::to_string(&contact)?)
}

/// Up to fifty contacts, or up to fifty that contain a text.
async fn list(client: &Client, search: Search) -> Result<String, Failed> {
    const PAGE: usize = 50;
    let text = search.q.map(|q| q.to_lowercase());
    let matches = |contact: &Contact| {
        let fields = [
            Some(&contact.name),
            Some(&contact.email),
            contact.company.as_ref(),
        ];
        let mut fields = fields.into_iter().flatten();
        text.as_ref()
            .is_none_or(|text| fields.any(|field| field.to_lowercase().contains(text)))
    };
    let mut found: Vec<Contact> = Vec::new();
    let mut from = None;
    loop {
        let sent = client
            .query()
            .table_name(TABLE)
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(PK.to_owned()))
            .limit(if text.is_some() { 500 } else { 51 })
            .set_exclusive_start_key(from)
            .send();
        let answer = sent.await.map_err(SdkError::into_service_error)?;
        let contacts: Vec<Contact> = serde_dynamo::from_items(answer.items.unwrap_or_default())?;
        found.extend(contacts.into_iter().filter(matches));
        from = answer.last_evaluated_key;
        if found.len() > PAGE || from.is_none() {
            break;
        }
    }
    found.truncate(PAGE);
    Ok(serde_json::to_string(&found)?)
}
