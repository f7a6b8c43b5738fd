//! The functions behind the caching edge: nobody sees what is stale for long, and never what is
//! another's.

mod in_flight;
mod outage;
mod profile;
mod property;
mod readers;
