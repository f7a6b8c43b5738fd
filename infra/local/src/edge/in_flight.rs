//! Request collapsing: simultaneous requests with the same key go to the origin once.
//!
//! CloudFront documents that the waiting requests get the first one's response. It does not say
//! for every case whether it checks `no-store` first. Here it never checks: responses that must
//! not be shared must have a key of their own.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#request-custom-traffic-spikes>

use super::cache::BufferedResponse;
use super::key::Key;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The key, and whether the request is a HEAD: the response to a HEAD has no body, so a GET
/// cannot share it.
type RequestKey = (Key, bool);

type ResponseReceiver = watch::Receiver<Option<Arc<BufferedResponse>>>;

/// The origin requests that other requests may wait for.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    requests: Mutex<HashMap<RequestKey, ResponseReceiver>>,
}

/// Whether a request is the first of its key, or waits for the first.
#[derive(Debug)]
pub(crate) enum Joined {
    /// It goes to the origin and shares the response.
    Leader(Leader),
    /// It waits for the leader's response.
    Follower(Follower),
}

impl InFlight {
    /// Joins the origin request for `key`. If there is none, the caller becomes its leader.
    pub(crate) fn join(self: &Arc<Self>, key: &Key, is_head: bool) -> Joined {
        let request_key = (key.clone(), is_head);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        match requests.entry(request_key.clone()) {
            Entry::Occupied(running) => Joined::Follower(Follower(running.get().clone())),
            Entry::Vacant(free) => {
                let (sender, receiver) = watch::channel(None);
                free.insert(receiver);
                Joined::Leader(Leader {
                    in_flight: Arc::clone(self),
                    request_key,
                    sender,
                })
            }
        }
    }
}

/// A request that waits for the leader's response.
#[derive(Debug)]
pub(crate) struct Follower(ResponseReceiver);

impl Follower {
    /// The leader's response; `None` if the leader was dropped without one.
    pub(crate) async fn response(mut self) -> Option<Arc<BufferedResponse>> {
        let response = self.0.wait_for(Option::is_some).await.ok()?;
        response.clone()
    }
}

/// The request that goes to the origin. Dropping it ends the collapsing for its key.
#[derive(Debug)]
pub(crate) struct Leader {
    in_flight: Arc<InFlight>,
    request_key: RequestKey,
    sender: watch::Sender<Option<Arc<BufferedResponse>>>,
}

impl Leader {
    /// Sends the response to every follower.
    pub(crate) fn share(self, response: &BufferedResponse) {
        self.sender.send_replace(Some(Arc::new(response.clone())));
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        let requests = &self.in_flight.requests;
        let mut requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.remove(&self.request_key);
    }
}
