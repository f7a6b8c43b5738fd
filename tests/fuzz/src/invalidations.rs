//! The XML of invalidations: what the local edge reads of calls, and what our client makes of
//! answers.

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

/// The statuses of answers that are tried.
const STATUSES: [u16; 8] = [201, 200, 400, 403, 404, 409, 500, 503];

/// The local edge and a service that answers what it is told to.
struct Services {
    distribution: Distribution,
    http: reqwest::Client,
    said: Arc<Mutex<(u16, Bytes)>>,
    client: Invalidations,
}

impl Services {
    async fn start() -> Self {
        let settings = DistributionSettings::local(443, &"k".repeat(64)).expect("randomness");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let said = Arc::new(Mutex::new((500, Bytes::new())));
        tokio::spawn(serve(listener, Arc::clone(&said)));
        Self {
            distribution: Distribution::start(settings).await.expect("a port"),
            http: reqwest::Client::new(),
            client: Invalidations::connect(CloudFront::local(&url)),
            said,
        }
    }
}

async fn serve(listener: TcpListener, said: Arc<Mutex<(u16, Bytes)>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let said = Arc::clone(&said);
        let service = service_fn(move |_: Request<_>| {
            let (status, body) = said.lock().expect("a lock").clone();
            let mut answer = Response::new(Full::new(body));
            *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
            async move { Ok::<_, Infallible>(answer) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// What the local edge accepts is what was asked for, and the same again is the same. What our
/// client takes for accepted is an invalidation, and what it does not names the reason that was
/// given.
pub fn invalidations(data: &[u8]) {
    thread_local! {
        static SERVICES: Services = block_on(Services::start());
    }
    let Some((&first, body)) = data.split_first() else {
        return;
    };
    SERVICES.with(|services| {
        // Digits, so that a corpus can be read: even ones call, odd ones answer.
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
        .expect("an answer");
    let status = sent.status().as_u16();
    (status, sent.text().await.expect("XML is text"))
}

async fn call(services: &Services, body: &[u8]) {
    let (status, text) = create(services, body).await;
    let read = Read::of(&text).expect("an answer is XML");
    if status != 201 {
        assert!([400, 409, 413].contains(&status), "{status} {text}");
        assert!(
            read.texts("Code").all(|code| !code.is_empty()) && read.has("Code"),
            "{text}"
        );
        return;
    }
    let asked = Read::of(&String::from_utf8_lossy(body)).expect("what is accepted is XML");
    let paths: Vec<_> = read.texts("Path").collect();
    assert_eq!(
        read.texts("Quantity").collect::<Vec<_>>(),
        [paths.len().to_string()]
    );
    for path in &paths {
        let is_tag = path.strip_prefix('#').is_some_and(|tag| !tag.is_empty());
        assert!(is_tag || path.starts_with('/'), "{path:?} of {asked:?}");
    }
    let again = create(services, body).await;
    assert_eq!(again.0, 201, "{again:?}");
    let again = Read::of(&again.1).expect("XML");
    let id = |read: &Read| read.texts("Id").map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        (id(&read).len(), id(&again)),
        (1, id(&read)),
        "the same again is the same"
    );
}

async fn answer(services: &Services, status: u16, body: &[u8]) {
    *services.said.lock().expect("a lock") = (status, Bytes::copy_from_slice(body));
    let tags = BTreeSet::from(["acme:contacts".to_owned()]);
    let cause = BTreeSet::from(["fuzz".to_owned()]);
    let text = String::from_utf8_lossy(body);
    match services.client.invalidate("EFUZZ", &tags, &cause).await {
        Ok(()) => {
            assert!(status < 300, "{status} was taken for accepted: {text}");
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

/// The texts of elements, by their names, read by a parser that knows no schema.
#[derive(Debug)]
struct Read(Vec<(String, String)>);

impl Read {
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
