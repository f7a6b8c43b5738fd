//! Search by the index: that it finds what reading everything would find, whatever was committed,
//! indexed, left half done or rebuilt meanwhile, and that it reads little.

mod concurrent;
mod index;
mod property;
mod scene;
