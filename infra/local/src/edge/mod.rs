//! A caching edge on this machine that behaves as CloudFront does in what the product uses.
//!
//! The CloudFront function sees each request first. Then the edge looks in the cache, under the
//! key that the behaviour's policies make. On a miss it invokes the behaviour's function. The
//! product invalidates with the real client of CloudFront's API.
//!
//! Left out: compression (though the key distinguishes viewers that accept it), conditional and
//! range requests, and custom error pages. If a GET of a cached behaviour has a body, the edge
//! drops it; CloudFront refuses such a request.

mod api;
mod cache;
mod distribution;
mod error;
mod faults;
mod fetch;
mod front;
mod function;
mod in_flight;
mod key;
mod lifetime;
mod origin;
mod policy;
mod purges;
mod response;
mod route;
mod settings;
mod state;
mod tags;

pub use distribution::Distribution;
pub use error::EdgeError;
pub use faults::{Counters, Faults};
pub use front::Edge;
pub use origin::FunctionOrigin;
pub use policy::Behavior;
pub use settings::DistributionSettings;

pub(crate) use cache::BufferedResponse;
pub(crate) use policy::{CachePolicy, Selection, Selections, Ttl, managed_origin_request};

#[cfg(test)]
mod deployed_tests;
