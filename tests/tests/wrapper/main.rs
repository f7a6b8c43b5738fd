//! What the wrapper guarantees for every action: one effect, one response, limits, and what is stored.

mod drain;
mod every_action;
mod every_form;
mod idempotency;
mod idempotency_keys;
mod race;
mod rate_limits;
mod requests;
mod restart;
mod round_trips;
mod table_audit;
mod walls;
