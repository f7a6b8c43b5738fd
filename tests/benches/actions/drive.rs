//! Sends requests, so many at once, and takes the time of each.

use bytes::Bytes;
use edge_crm_tests::statistics::Statistics;
use edge_crm_tests::usage::Usage;
use edge_crm_tests::wire::{Reply, Wire};
use futures_util::future::join_all;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::time::{Duration, Instant};

pub type Requests = Vec<Request<Full<Bytes>>>;

/// Who answers: its address and process.
#[derive(Debug, Clone)]
pub struct Server {
    pub address: String,
    pub process: u32,
}

/// What a round of requests came to.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub times: Statistics,
    /// Operations a second, by the clock on the wall.
    pub rate: f64,
    /// Time of a processor that the server took for each.
    pub server: Duration,
    /// The same of this process, which sends them.
    pub client: Duration,
}

impl Measured {
    pub fn json(&self) -> Value {
        let mut json = self.times.json();
        json["perSecond"] = json!(self.rate.round());
        json["serverCpuMs"] = json!(millis(self.server));
        json["clientCpuMs"] = json!(millis(self.client));
        json
    }
}

pub fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// How many requests are sent before any is measured.
pub const WARM: usize = 100;

/// Sends all of them, `at_once` at a time, each on a connection that is kept; the first [`WARM`]
/// are not measured. Gives the answers in the order of the requests, all of which `right` must
/// hold of.
pub async fn drive(
    server: &Server,
    at_once: usize,
    mut requests: Requests,
    right: impl Fn(&Reply) -> bool,
) -> (Measured, Vec<Reply>) {
    assert!(requests.len() > WARM, "too few requests");
    let rest = requests.split_off(WARM);
    let mut wires = Vec::new();
    for _ in 0..at_once {
        wires.push(Wire::connect(&server.address).await);
    }
    let (mut replies, _) = send(&mut wires, requests, &right).await;
    let usage = || [server.process, std::process::id()].map(|id| Usage::of(id).time());
    let (before, begin) = (usage(), Instant::now());
    let (answered, times) = send(&mut wires, rest, &right).await;
    let (elapsed, after) = (begin.elapsed(), usage());
    replies.extend(answered);
    let count = u32::try_from(times.len()).expect("few");
    let [server, client] = [0, 1].map(|who| (after[who] - before[who]) / count);
    let measured = Measured {
        times: Statistics::of(times),
        rate: f64::from(count) / elapsed.as_secs_f64(),
        server,
        client,
    };
    (measured, replies)
}

async fn send(
    wires: &mut [Wire],
    requests: Requests,
    right: &impl Fn(&Reply) -> bool,
) -> (Vec<Reply>, Vec<Duration>) {
    let left = RefCell::new(requests.into_iter().enumerate());
    let done = join_all(wires.iter_mut().map(async |wire| {
        let mut done = Vec::new();
        loop {
            let next = left.borrow_mut().next();
            let Some((number, request)) = next else {
                return done;
            };
            let begin = Instant::now();
            let reply = wire.send(request).await;
            let time = begin.elapsed();
            assert!(right(&reply), "{reply:?}");
            done.push((number, reply, time));
        }
    }));
    let mut done: Vec<_> = done.await.into_iter().flatten().collect();
    done.sort_by_key(|(number, ..)| *number);
    let pairs = done.into_iter().map(|(_, reply, time)| (reply, time));
    pairs.unzip()
}
