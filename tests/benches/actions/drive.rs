//! Sends requests, some at once, and measures the time of each.

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

/// Requests, and the check that each response must pass.
pub type Load<'a> = (Requests, &'a dyn Fn(&Reply) -> bool);

/// The measured server.
#[derive(Debug, Clone)]
pub struct Server {
    pub address: String,
    pub process: u32,
}

/// The results of a round of requests.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub times: Statistics,
    /// Operations a second, in wall-clock time.
    pub rate: f64,
    /// The processor time of the server for each operation.
    pub server: Duration,
    /// The processor time of this process, which sends the requests, for each operation.
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

/// The number of requests to send before the measurement.
pub const WARM: usize = 100;

/// Sends all requests on `at_once` kept-alive connections. Does not measure the first [`WARM`]. Asserts
/// `check` for each response. Returns the responses in the order of the requests.
pub async fn drive(
    server: &Server,
    at_once: usize,
    mut requests: Requests,
    check: impl Fn(&Reply) -> bool,
) -> (Measured, Vec<Reply>) {
    assert!(requests.len() > WARM, "too few requests");
    let rest = requests.split_off(WARM);
    let mut wires = Vec::new();
    for _ in 0..at_once {
        wires.push(Wire::connect(&server.address).await);
    }
    let (mut replies, _) = send(&mut wires, requests, &check).await;
    let usage = || [server.process, std::process::id()].map(|id| Usage::of(id).time());
    let (before, begin) = (usage(), Instant::now());
    let (measured_replies, times) = send(&mut wires, rest, &check).await;
    let (elapsed, after) = (begin.elapsed(), usage());
    replies.extend(measured_replies);
    let count = u32::try_from(times.len()).expect("few");
    let [server, client] = [0, 1].map(|process| (after[process] - before[process]) / count);
    let measured = Measured {
        times: Statistics::of(times),
        rate: f64::from(count) / elapsed.as_secs_f64(),
        server,
        client,
    };
    (measured, replies)
}

/// Sends what `next` returns for this long, on as many kept-alive connections as `at_once`. Asserts `check`
/// for each response. Returns when each arrived, from the beginning.
pub async fn sustain(
    server: &Server,
    at_once: usize,
    length: Duration,
    next: impl FnMut() -> Request<Full<Bytes>>,
    check: impl Fn(&Reply) -> bool,
) -> Vec<Duration> {
    let mut wires = Vec::new();
    for _ in 0..at_once {
        wires.push(Wire::connect(&server.address).await);
    }
    let (next, begin) = (RefCell::new(next), Instant::now());
    let done = join_all(wires.iter_mut().map(async |wire| {
        let mut done = Vec::new();
        while begin.elapsed() < length {
            let request = next.borrow_mut()();
            let reply = wire.send(request).await;
            assert!(check(&reply), "{reply:?}");
            done.push(begin.elapsed());
        }
        done
    }));
    done.await.concat()
}

async fn send(
    wires: &mut [Wire],
    requests: Requests,
    check: &impl Fn(&Reply) -> bool,
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
            assert!(check(&reply), "{reply:?}");
            done.push((number, reply, time));
        }
    }));
    let mut done: Vec<_> = done.await.into_iter().flatten().collect();
    done.sort_by_key(|(number, ..)| *number);
    let pairs = done.into_iter().map(|(_, reply, time)| (reply, time));
    pairs.unzip()
}
