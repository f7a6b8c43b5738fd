//! Creates contacts for a minute, one at a time and sixteen at once, and shows the rate of every ten
//! seconds: whether writing slows down as the table, the search index and the engine's memory grow.

use crate::cases::{AT_ONCE, forms, is_new, keys};
use crate::drive::{Server, millis, sustain};
use crate::session::Session;
use edge_crm_tests::usage::Usage;
use edge_crm_tests::{Launch, Scratch, Table};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// The part of a run for which one rate is shown.
const SLICE: Duration = Duration::from_secs(10);

/// How many requests are prepared at a time.
const PREPARED: usize = 100;

/// A row of the results.
pub struct Row {
    pub at_once: usize,
    /// Whether it is the earlier commit's product.
    pub is_earlier: bool,
    /// Creates a second, for each slice.
    pub rates: Vec<f64>,
    /// The processor time of the product for each create, its work in the background included.
    pub processor: Duration,
    /// How many contacts the search index did not have at the end.
    pub unindexed: usize,
}

impl Row {
    /// Creates a second.
    pub fn rate(&self) -> f64 {
        self.rates.iter().sum::<f64>() / self.rates.len() as f64
    }

    /// The rate of the last ten seconds, divided by that of the first ten.
    pub fn kept(&self) -> f64 {
        self.rates.last().expect("a slice") / self.rates[0]
    }

    pub fn json(&self) -> Value {
        let rates: Vec<_> = self.rates.iter().map(|rate| rate.round()).collect();
        json!({
            "atOnce": self.at_once, "earlier": self.is_earlier, "perSecond": rates,
            "serverCpuMs": millis(self.processor), "unindexed": self.unindexed,
        })
    }
}

/// Measures this product and, if there is one, the one that `earlier` is the binary of. Each run begins
/// with an empty table.
pub async fn run(slices: u32, earlier: Option<&Path>) -> Vec<Row> {
    let mut rows = Vec::new();
    for at_once in AT_ONCE {
        if let Some(binary) = earlier {
            rows.push(measure(at_once, slices, Some(binary)).await);
        }
        rows.push(measure(at_once, slices, None).await);
    }
    rows
}

async fn measure(at_once: usize, slices: u32, earlier: Option<&Path>) -> Row {
    let data = Scratch::new();
    let mut launch = Launch::new().data(data.path());
    if let Some(binary) = earlier {
        launch = launch.binary(binary);
    }
    let product = launch.start();
    let session = Session::sign_up(&product, "Acme").await;
    let server = Server {
        address: product.address().to_owned(),
        process: product.id(),
    };
    let mut prepared = Vec::new();
    let next = || loop {
        match prepared.pop() {
            Some(request) => return request,
            None => {
                prepared = session.actions("create-contact", &forms(PREPARED), &keys(PREPARED));
            }
        }
    };
    let used = || Usage::of(server.process).time();
    let before = used();
    let done = sustain(&server, at_once, SLICE * slices, next, is_new).await;
    let processor = (used() - before) / u32::try_from(done.len()).expect("few");
    let mut counts = vec![0u32; slices as usize];
    for time in done {
        // What ends after the run, because it was sent before its end, counts for the last slice.
        let slice = (time.as_secs_f64() / SLICE.as_secs_f64()) as usize;
        counts[slice.min(slices as usize - 1)] += 1;
    }
    let rate = |count: u32| f64::from(count) / SLICE.as_secs_f64();
    let _output = product.stop();
    let row = Row {
        at_once,
        is_earlier: earlier.is_some(),
        rates: counts.into_iter().map(rate).collect(),
        processor,
        unindexed: Table::open(data.path()).await.unindexed().len(),
    };
    eprintln!("sustained, {at_once} at once: {:.0?}/s", row.rates);
    row
}
