//! Measures each action and view of the product and of the baseline, with one and with sixteen requests
//! at once.

use crate::bare::Bare;
use crate::drive::{Load, Measured, Requests, Server, WARM, drive};
use crate::session::{Session, with_body};
use bytes::Bytes;
use edge_crm_tests::usage::Usage;
use edge_crm_tests::wire::Reply;
use edge_crm_tests::{Launch, Product, Scratch};
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// The number of contacts of the organisation that lists and searches read.
const LISTED: usize = 1_000;

/// How many requests are sent at once.
pub const AT_ONCE: [usize; 2] = [1, 16];

/// How many times the bare handler's median the product's may be, one request at a time.
const BUDGETS: [(&str, f64); 2] = [("create", 3.0), ("list, miss", 2.0)];

/// The most processor time that the idle product takes in a second.
const IDLE: Duration = Duration::from_millis(100);

/// A row of the results.
pub struct Row {
    pub operation: &'static str,
    pub at_once: usize,
    pub product: Measured,
    pub bare: Option<Measured>,
}

impl Row {
    pub fn budget(&self) -> Option<f64> {
        let (_, budget) = BUDGETS.iter().find(|(name, _)| *name == self.operation)?;
        (self.at_once == 1).then_some(*budget)
    }

    /// How many times the bare handler's median the product's is.
    pub fn times(&self) -> Option<f64> {
        let bare = self.bare.as_ref()?;
        Some(self.product.times.median.as_secs_f64() / bare.times.median.as_secs_f64())
    }

    pub fn json(&self) -> Value {
        json!({
            "operation": self.operation, "atOnce": self.at_once, "budget": self.budget(), "times": self.times(),
            "product": self.product.json(), "bare": self.bare.map(|bare| bare.json()),
        })
    }
}

/// Measures every operation `samples` times.
pub async fn run(samples: usize) -> Vec<Row> {
    let data = Scratch::new();
    let product = Launch::new().data(data.path()).start();
    let mut bench = Bench {
        session: Session::sign_up(&product, "Acme").await,
        listed: Session::sign_up(&product, "Listed").await,
        product: Some(product),
        data,
        bare: Bare::start(),
        samples,
    };
    let ids = bench.fill().await;
    let mut rows = Vec::new();
    for at_once in AT_ONCE {
        rows.extend(bench.writes(at_once).await);
        rows.extend(bench.reads(at_once, &ids).await);
    }
    rows
}

struct Bench {
    session: Session,
    listed: Session,
    /// `None` while the product restarts.
    product: Option<Product>,
    data: Scratch,
    bare: Bare,
    samples: usize,
}

impl Bench {
    fn server(&self) -> Server {
        let product = self.product.as_ref().expect("a running product");
        Server {
            address: product.address().to_owned(),
            process: product.id(),
        }
    }

    /// Restarts the product and waits until it is idle. Otherwise earlier measurements would slow down
    /// later ones, because their contacts are still being indexed.
    async fn restart(&mut self) {
        let product = self.product.take().expect("a running product");
        let (_, port) = product.address().rsplit_once(':').expect("a port");
        let port = port.parse().expect("a number");
        let _output = product.stop();
        let launch = Launch::new().data(self.data.path()).port(port);
        self.product = Some(launch.start());
        let used = |process: u32| Usage::of(process).time();
        let process = self.server().process;
        let mut before = used(process);
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = used(process);
            if now - before < IDLE {
                return;
            }
            before = now;
        }
    }

    /// Creates the contacts that lists and searches read. Returns the ids in the product and in the
    /// baseline.
    async fn fill(&self) -> [Vec<String>; 2] {
        let forms = forms(LISTED);
        let keys = keys(LISTED);
        let own = self.listed.actions("create-contact", &forms, &keys);
        let (_, own) = drive(&self.server(), 4, own, is_ok).await;
        let (_, bare) = drive(&self.bare.server, 4, posts("/create", &forms), is_ok).await;
        [ids(&own, "data"), ids(&bare, "")]
    }

    /// Restarts the product and measures an operation, also in the baseline if it has the operation.
    async fn row(
        &mut self,
        operation: &'static str,
        at_once: usize,
        own: Load<'_>,
        bare: Option<Load<'_>>,
    ) -> (Row, [Vec<Reply>; 2]) {
        self.restart().await;
        self.measure(operation, at_once, own, bare).await
    }

    async fn measure(
        &self,
        operation: &'static str,
        at_once: usize,
        own: Load<'_>,
        bare: Option<Load<'_>>,
    ) -> (Row, [Vec<Reply>; 2]) {
        let (product, replies) = drive(&self.server(), at_once, own.0, own.1).await;
        let (bare, others) = match bare {
            Some((requests, check)) => {
                let (bare, replies) = drive(&self.bare.server, at_once, requests, check).await;
                (Some(bare), replies)
            }
            None => (None, Vec::new()),
        };
        let row = Row {
            operation,
            at_once,
            product,
            bare,
        };
        eprintln!("{operation}, {at_once} at once: {:.0}/s", product.rate);
        (row, [replies, others])
    }

    async fn writes(&mut self, at_once: usize) -> Vec<Row> {
        let count = self.samples + WARM;
        let (forms, used) = (forms(count), keys(count));
        let create = self.session.actions("create-contact", &forms, &used);
        let again = self.session.actions("create-contact", &forms, &used);
        let bare = (posts("/create", &forms), &is_ok as &dyn Fn(&Reply) -> bool);
        let (created, [own, others]) = self
            .row("create", at_once, (create, &is_new), Some(bare))
            .await;
        let (own, others) = (ids(&own, "data"), ids(&others, ""));
        let (replayed, _) = self.row("replay", at_once, (again, &is_replay), None).await;
        let wrong: Vec<_> = forms
            .iter()
            .map(|form| form.replace("&name=", "&n="))
            .collect();
        let invalid = self.session.actions("create-contact", &wrong, &keys(count));
        let bare = (
            posts("/create", &wrong),
            &is_refused as &dyn Fn(&Reply) -> bool,
        );
        let (invalid, _) = self
            .row("refusal, 400", at_once, (invalid, &is_refused), Some(bare))
            .await;
        let foreign = self.session.actions("create-contact", &forms, &keys(count));
        let foreign = foreign.into_iter().map(cross_site).collect();
        let (foreign, _) = self
            .row("refusal, 403", at_once, (foreign, &is_forbidden), None)
            .await;
        let change = |ids: &[String]| -> Vec<String> {
            let pairs = ids.iter().zip(&forms);
            pairs
                .map(|(id, form)| format!("{form}+again&id={id}&version=1"))
                .collect()
        };
        let update = self
            .session
            .actions("update-contact", &change(&own), &keys(count));
        let bare = (
            posts("/update", &change(&others)),
            &is_ok as &dyn Fn(&Reply) -> bool,
        );
        let (updated, _) = self
            .row("update", at_once, (update, &is_new), Some(bare))
            .await;
        let which =
            |ids: &[String]| -> Vec<String> { ids.iter().map(|id| format!("id={id}")).collect() };
        let delete = self
            .session
            .actions("delete-contact", &which(&own), &keys(count));
        let bare = (
            posts("/delete", &which(&others)),
            &is_ok as &dyn Fn(&Reply) -> bool,
        );
        let (deleted, _) = self
            .row("delete", at_once, (delete, &is_new), Some(bare))
            .await;
        vec![created, updated, deleted, replayed, invalid, foreign]
    }

    async fn reads(&mut self, at_once: usize, ids: &[Vec<String>; 2]) -> Vec<Row> {
        let count = self.samples + WARM;
        let one = |ids: &[String]| -> Vec<String> {
            ids.iter()
                .cycle()
                .take(count)
                .map(|id| format!("/{id}"))
                .collect()
        };
        let page = || std::iter::repeat_n(String::new(), count);
        // Three contacts have the word in their names.
        let search = || std::iter::repeat_n("?q=quillfeather".to_owned(), count);
        let gets = |path: &str, rests: Vec<String>| -> Requests {
            let request =
                |rest: String| Request::get(format!("{path}{rest}")).body(Full::default());
            rests
                .into_iter()
                .map(|rest| request(rest).expect("a request"))
                .collect()
        };
        let by_id = ids[1]
            .iter()
            .cycle()
            .take(count)
            .map(|id| format!("?id={id}"))
            .collect();
        let lists = [
            (
                "get",
                self.listed.views(one(&ids[0]), true),
                gets("/get", by_id),
            ),
            (
                "list",
                self.listed.views(page(), true),
                gets("/list", page().collect()),
            ),
            (
                "search",
                self.listed.views(search(), true),
                gets("/list", search().collect()),
            ),
        ];
        let mut rows = Vec::new();
        for (name, own, bare) in lists {
            let miss = match name {
                "get" => "get, miss",
                "list" => "list, miss",
                _ => "search, miss",
            };
            let bare = Some((bare, &is_ok as &dyn Fn(&Reply) -> bool));
            rows.push(self.row(miss, at_once, (own, &is_miss), bare).await.0);
        }
        let hits = [
            ("get, hit", one(&ids[0][..WARM / 2])),
            ("list, hit", page().collect()),
            ("search, hit", search().collect()),
        ];
        for (name, rests) in hits {
            // Fill the cache first, with each page that the measured requests get.
            let once = rests[..=WARM].to_vec();
            let requests = self.listed.views(once, false);
            drive(&self.server(), 1, requests, is_ok).await;
            let requests = self.listed.views(rests, false);
            let (row, _) = self.measure(name, at_once, (requests, &is_hit), None).await;
            rows.push(row);
        }
        rows
    }
}

/// Forms that create contacts, each with a different email.
pub fn forms(count: usize) -> Vec<String> {
    let form = |number: usize| {
        let email = Uuid::new_v4().simple();
        let family = if number % 400 == 100 {
            "Quillfeather"
        } else {
            "Lindqvist"
        };
        format!(
            "email={email}%40example.com&company=Harbour+%26+Sons&phone=%2B46+8+123+456\
             &notes=Met+at+the+fair&name=Person+{number}+{family}"
        )
    };
    (0..count).map(form).collect()
}

pub fn keys(count: usize) -> Vec<String> {
    (0..count).map(|_| Uuid::new_v4().to_string()).collect()
}

/// Requests to the baseline.
fn posts(path: &str, forms: &[String]) -> Requests {
    let content = ("content-type", "application/x-www-form-urlencoded");
    let post = |form: &String| with_body(Request::post(path).header(content.0, content.1), form);
    forms.iter().map(post).collect()
}

/// The request as another site's page sends it.
pub fn cross_site(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let headers = request.headers_mut();
    headers.insert(
        "origin",
        "https://elsewhere.example".parse().expect("a header"),
    );
    headers.insert("sec-fetch-site", "cross-site".parse().expect("a header"));
    request
}

/// The ids of the created contacts. Each response has its contact under `name`, or is the contact itself.
pub fn ids(replies: &[Reply], name: &str) -> Vec<String> {
    let id = |reply: &Reply| {
        let json = reply.json();
        let record = json.get(name).unwrap_or(&json);
        record["id"].as_str().expect("an id").to_owned()
    };
    replies.iter().map(id).collect()
}

pub fn is_ok(reply: &Reply) -> bool {
    reply.status == 200
}

pub fn is_new(reply: &Reply) -> bool {
    is_ok(reply) && reply.header("idempotency-replayed").is_empty()
}

pub fn is_replay(reply: &Reply) -> bool {
    is_ok(reply) && reply.header("idempotency-replayed") == "true"
}

pub fn is_refused(reply: &Reply) -> bool {
    reply.status == 400
}

pub fn is_forbidden(reply: &Reply) -> bool {
    reply.status == 403
}

pub fn is_miss(reply: &Reply) -> bool {
    is_ok(reply) && !reply.is_hit()
}

pub fn is_hit(reply: &Reply) -> bool {
    is_ok(reply) && reply.is_hit()
}
