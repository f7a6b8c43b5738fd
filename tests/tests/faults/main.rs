//! Faults between the SDKs and their services, at every call of every action and every view. Either
//! the request is done once and the response says so, or the response says to try again, and then
//! the retry succeeds.

mod actions;
mod cases;
mod connections;
mod effect;
mod emails;
mod lane;
mod membership;
mod report;
mod views;
