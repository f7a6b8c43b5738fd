//! Faults between the SDKs and their services, at every call of every action and of every view:
//! what is asked for is done once and said so, or the answer says to try again, and that succeeds.

mod actions;
mod cases;
mod connections;
mod effect;
mod lane;
mod letters;
mod report;
mod views;
