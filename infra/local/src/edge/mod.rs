//! A caching edge on this machine that behaves as CloudFront does where it matters.
//!
//! A request passes the CloudFront function, is looked for in the cache under the key that its
//! behaviour's policies make, and goes to the behaviour's function if it is not there. The real
//! client of CloudFront's API invalidates what is cached.
//!
//! Left out: compression (though the key tells apart who takes it), conditional and range
//! requests, and custom error pages. A body that comes with a GET of a cached behaviour is
//! dropped, where CloudFront refuses the request.

mod api;
mod cache;
mod distribution;
mod errand;
mod faults;
mod flights;
mod front;
mod function;
mod key;
mod lifetime;
mod origin;
mod policy;
mod purges;
mod response;
mod route;
mod tags;

pub use distribution::{Distribution, DistributionSettings};
pub use faults::{Counters, Faults};
pub use front::{Edge, EdgeError};
pub use origin::Origin;
pub use policy::Behavior;

pub(crate) use cache::Answer;
pub(crate) use policy::{
    CachePolicy, OriginHeader, Selection, Selections, Ttl, managed_origin_request,
};

#[cfg(test)]
mod deployed_tests;
