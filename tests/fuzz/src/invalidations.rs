//! The XML of invalidations: how the local edge parses calls, and how the client parses responses.

use crate::block_on;
use cdn::{CloudFront, InvalidationError, Invalidations};
use edge_crm_local::{Distribution, DistributionSettings};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// The response statuses to try.
const STATUSES: [u16; 8] = [201, 200, 400, 403, 404, 409, 500, 503];

/// The local edge, and a service that sends a configured response to the client.
struct Services {
    distribution: Distribution,
    http: reqwest::Client,
    response: Arc<Mutex<(u16, Bytes)>>,
    client: Invalidations,
}

impl Services {
    async fn start() -> Self {
        let settings = DistributionSettings::local(443, &"k".repeat(64)).expect("randomness");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let response = Arc::new(Mutex::new((500, Bytes::new())));
        tokio::spawn(serve(listener, Arc::clone(&response)));
        Self {
            distribution: Distribution::start(settings).await.expect("a port"),
            http: reqwest::Client::new(),
            client: Invalidations::connect(CloudFront::local(&url)),
            response,
        }
    }
}

async fn serve(listener: TcpListener, response: Arc<Mutex<(u16, Bytes)>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let response = Arc::clone(&response);
        let service = service_fn(move |_: Request<_>| {
            let (status, body) = response.lock().expect("a lock").clone();
            let mut reply = Response::new(Full::new(body));
            *reply.status_mut() = StatusCode::from_u16(status).expect("a status");
            async move { Ok::<_, Infallible>(reply) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// The local edge creates exactly the requested invalidation, and the same request again returns the
/// same one. The client accepts only a response with an invalidation, and otherwise returns the error
/// that the response names.
pub fn invalidations(data: &[u8]) {
    thread_local! {
        static SERVICES: Services = block_on(Services::start());
    }
    let Some((&first, body)) = data.split_first() else {
        return;
    };
    SERVICES.with(|services| {
        // The first byte is a digit, so that the corpus is readable. Even means a call, odd a
        // response.
        if first % 2 == 0 {
            block_on(call(services, body));
        } else {
            let status = STATUSES[usize::from(first / 2) % STATUSES.len()];
            block_on(answer(services, status, body));
        }
    });
}

async fn create(services: &Services, body: &[u8]) -> (u16, String) {
    let url = format!(
        "{}/2020-05-31/distribution/{}/invalidation",
        services.distribution.endpoint(),
        services.distribution.id()
    );
    let sent = services
        .http
        .post(url)
        .body(body.to_vec())
        .send()
        .await
        .expect("a response");
    let status = sent.status().as_u16();
    (status, sent.text().await.expect("XML is text"))
}

async fn call(services: &Services, body: &[u8]) {
    let (status, text) = create(services, body).await;
    let read = Parsed::of(&text).expect("a response is XML");
    if status != 201 {
        assert!([400, 409, 413].contains(&status), "{status} {text}");
        assert!(
            read.texts("Code").all(|code| !code.is_empty()) && read.has("Code"),
            "{text}"
        );
        return;
    }
    let requested = Parsed::of(&String::from_utf8_lossy(body)).expect("an accepted call is XML");
    let paths: Vec<_> = read.texts("Path").collect();
    assert_eq!(
        read.texts("Quantity").collect::<Vec<_>>(),
        [paths.len().to_string()]
    );
    for path in &paths {
        let is_tag = path.strip_prefix('#').is_some_and(|tag| !tag.is_empty());
        assert!(is_tag || path.starts_with('/'), "{path:?} of {requested:?}");
    }
    let again = create(services, body).await;
    assert_eq!(again.0, 201, "{again:?}");
    let again = Parsed::of(&again.1).expect("XML");
    let id = |read: &Parsed| read.texts("Id").map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        (id(&read).len(), id(&again)),
        (1, id(&read)),
        "the same call again returns the same invalidation"
    );
}

async fn answer(services: &Services, status: u16, body: &[u8]) {
    *services.response.lock().expect("a lock") = (status, Bytes::copy_from_slice(body));
    let tags = BTreeSet::from(["acme:contacts".to_owned()]);
    let cause = BTreeSet::from(["fuzz".to_owned()]);
    let text = String::from_utf8_lossy(body);
    match services.client.invalidate("EFUZZ", &tags, &cause).await {
        Ok(()) => {
            assert!(status < 300, "{status} counts as accepted: {text}");
            assert!(
                text.contains("<Id") || text.contains(":Id"),
                "no invalidation: {text}"
            );
        }
        Err(InvalidationError::InProgress) => {
            assert!(status >= 300 && text.contains("TooManyInvalidationsInProgress"));
        }
        Err(InvalidationError::Throttled) => assert!(status >= 300 && !text.is_empty()),
        Err(InvalidationError::Refused(_)) => assert!(status >= 300 && !text.is_empty()),
        Err(InvalidationError::Unavailable(_)) => {}
    }
}

/// The names and texts of all elements, parsed without a schema.
#[derive(Debug)]
struct Parsed(Vec<(String, String)>);

impl Parsed {
    fn of(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        let (mut found, mut open) = (Vec::new(), Vec::new());
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    open.push((name, String::new()));
                }
                Event::Text(text) => {
                    if let Some((_, inside)) = open.last_mut() {
                        inside.push_str(&text);
                    }
                }
                Event::GeneralRef(of) => {
                    if let Some((_, inside)) = open.last_mut() {
                        inside.push('&');
                        inside.push_str(&of);
                        inside.push(';');
                    }
                }
                Event::CData(text) => {
                    if let Some((_, inside)) = open.last_mut() {
                        inside.push_str(&text);
                    }
                }
                Event::End(_) => found.push(open.pop()?),
                Event::Eof => return Some(Self(found)),
                _ => {}
            }
        }
    }

    fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(of, _)| of == name);
        named.map(|(_, text)| text.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.texts(name).next().is_some()
    }
}
