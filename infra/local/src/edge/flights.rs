//! Collapsing: simultaneous requests with one key go to the origin once.
//!
//! CloudFront documents that those who wait get the first one's answer. Whether it looks at
//! `no-store` before it gives it to them is not said for every case, so here it never does: what
//! must not be shared must have a key of its own.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#request-custom-traffic-spikes>

use super::cache::Answer;
use super::key::Key;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// A key, and whether the request is a HEAD: its answer has no body for others.
type Of = (Key, bool);

type Waiting = watch::Receiver<Option<Arc<Answer>>>;

/// The origin requests that others may wait for.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    running: Mutex<HashMap<Of, Waiting>>,
}

/// What a request is to do.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Ask the origin, for everybody who comes meanwhile.
    Lead(Flight),
    /// Wait for the one who asks.
    Follow(Follower),
}

impl Flights {
    /// Joins the flight of `key`, or starts it.
    pub(crate) fn join(self: &Arc<Self>, key: &Key, is_head: bool) -> Turn {
        let of = (key.clone(), is_head);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match running.entry(of.clone()) {
            Entry::Occupied(flight) => Turn::Follow(Follower(flight.get().clone())),
            Entry::Vacant(free) => {
                let (sender, receiver) = watch::channel(None);
                free.insert(receiver);
                Turn::Lead(Flight {
                    flights: Arc::clone(self),
                    of,
                    sender,
                })
            }
        }
    }
}

/// Somebody who waits for another's answer.
#[derive(Debug)]
pub(crate) struct Follower(Waiting);

impl Follower {
    /// The answer; `None` where the one who asked broke.
    pub(crate) async fn answer(mut self) -> Option<Arc<Answer>> {
        let answer = self.0.wait_for(Option::is_some).await.ok()?;
        answer.clone()
    }
}

/// A flight under way. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Flight {
    flights: Arc<Flights>,
    of: Of,
    sender: watch::Sender<Option<Arc<Answer>>>,
}

impl Flight {
    /// Gives everybody who waits the answer.
    pub(crate) fn land(self, answer: &Answer) {
        self.sender.send_replace(Some(Arc::new(answer.clone())));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let running = &self.flights.running;
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.of);
    }
}
