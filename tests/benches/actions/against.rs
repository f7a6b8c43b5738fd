//! Measures an earlier commit's product and this one in turns, so that the machine's other load hits both.

use crate::cases::{
    AT_ONCE, cross_site, forms, ids, is_forbidden, is_hit, is_miss, is_new, is_ok, is_refused,
    is_replay, keys,
};
use crate::drive::{Load, Measured, Server, WARM, drive, millis};
use crate::session::Session;
use edge_crm_tests::{Launch, Product, Scratch};
use serde_json::{Value, json};
use std::path::Path;

/// How often the two products take turns at each operation.
const TURNS: usize = 6;

/// The contacts that lists read.
const LISTED: usize = 200;

/// What is measured.
const OPERATIONS: [&str; 7] = [
    "create",
    "replay",
    "refusal, 400",
    "refusal, 403",
    "get, miss",
    "list, miss",
    "list, hit",
];

/// The results of one operation, for the earlier product and this one: one for each turn.
pub struct Row {
    pub operation: &'static str,
    pub at_once: usize,
    pub turns: Vec<[Measured; 2]>,
}

impl Row {
    /// The mean of all turns, for both products.
    pub fn mean(&self, of: fn(&Measured) -> f64) -> [f64; 2] {
        [0, 1].map(|side| {
            let all = self.turns.iter().map(|turn| of(&turn[side]));
            all.sum::<f64>() / self.turns.len() as f64
        })
    }

    /// How many times as fast this product is: in the slowest turn, in the median one and in the fastest
    /// one.
    pub fn ratios(&self) -> [f64; 3] {
        let ratio = |[earlier, this]: &[Measured; 2]| this.rate / earlier.rate;
        let mut ratios: Vec<_> = self.turns.iter().map(ratio).collect();
        ratios.sort_by(f64::total_cmp);
        [0, ratios.len() / 2, ratios.len() - 1].map(|at| ratios[at])
    }

    pub fn json(&self) -> Value {
        let [earlier, this] = self.mean(|measured| measured.rate.round());
        let processor = self.mean(|measured| millis(measured.server));
        json!({
            "operation": self.operation, "atOnce": self.at_once, "earlierPerSecond": earlier,
            "perSecond": this, "ratios": self.ratios(), "serverCpuMs": processor,
        })
    }
}

/// One of the two products.
struct Side {
    session: Session,
    server: Server,
    contacts: Vec<String>,
    /// The form that created the first contact, and its idempotency key. Replays send them again.
    sent: [String; 2],
    _product: Product,
    _data: Scratch,
}

impl Side {
    async fn start(binary: Option<&Path>) -> Self {
        let data = Scratch::new();
        let mut launch = Launch::new().data(data.path());
        if let Some(binary) = binary {
            launch = launch.binary(binary);
        }
        let product = launch.start();
        let server = Server {
            address: product.address().to_owned(),
            process: product.id(),
        };
        let session = Session::sign_up(&product, "Acme").await;
        let (forms, keys) = (forms(LISTED), keys(LISTED));
        let create = session.actions("create-contact", &forms, &keys);
        let (_, replies) = drive(&server, 4, create, is_ok).await;
        Self {
            session,
            server,
            contacts: ids(&replies, "data"),
            sent: [forms[0].clone(), keys[0].clone()],
            _product: product,
            _data: data,
        }
    }

    /// One turn.
    async fn measure(&self, operation: &str, at_once: usize, count: usize) -> Measured {
        if operation == "list, hit" {
            // Fill the cache.
            let pages = std::iter::repeat_n(String::new(), WARM + 1);
            drive(&self.server, 1, self.session.views(pages, false), is_ok).await;
        }
        let (requests, check) = self.load(operation, count);
        drive(&self.server, at_once, requests, check).await.0
    }

    /// The requests of one turn, and the check of their responses.
    fn load(&self, operation: &str, count: usize) -> Load<'static> {
        let count = count + WARM;
        let page = || std::iter::repeat_n(String::new(), count);
        let ids = || self.contacts.iter().cycle().take(count);
        let create =
            |forms: &[String], keys: &[String]| self.session.actions("create-contact", forms, keys);
        match operation {
            "create" => (create(&forms(count), &keys(count)), &is_new),
            "replay" => {
                let [form, key] = self.sent.each_ref().map(|sent| vec![sent.clone(); count]);
                (create(&form, &key), &is_replay)
            }
            "refusal, 400" => {
                let wrong = vec!["name=".to_owned(); count];
                (create(&wrong, &keys(count)), &is_refused)
            }
            "refusal, 403" => {
                let foreign = create(&forms(count), &keys(count)).into_iter();
                (foreign.map(cross_site).collect(), &is_forbidden)
            }
            "get, miss" => {
                let one = ids().map(|id| format!("/{id}"));
                (self.session.views(one, true), &is_miss)
            }
            "list, miss" => (self.session.views(page(), true), &is_miss),
            _ => (self.session.views(page(), false), &is_hit),
        }
    }
}

/// Measures each operation `samples` times with each product. `earlier` is the binary of the earlier one.
pub async fn run(samples: usize, earlier: &Path) -> Vec<Row> {
    let sides = [Side::start(Some(earlier)).await, Side::start(None).await];
    let count = samples.div_ceil(TURNS);
    let mut rows = Vec::new();
    for at_once in AT_ONCE {
        for operation in OPERATIONS {
            let mut turns = Vec::new();
            for number in 0..TURNS {
                let mut turn = [None; 2];
                // The one that is first takes turns too.
                for side in [number % 2, 1 - number % 2] {
                    turn[side] = Some(sides[side].measure(operation, at_once, count).await);
                }
                turns.push(turn.map(|measured| measured.expect("both were measured")));
            }
            let row = Row {
                operation,
                at_once,
                turns,
            };
            eprintln!("{operation}, {at_once} at once: {:.2?} times", row.ratios());
            rows.push(row);
        }
    }
    rows
}
