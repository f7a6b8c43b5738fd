//! Search with the index. It finds what reading everything would find, whatever was committed,
//! indexed, left half done or rebuilt meanwhile. And it reads little.

mod bounds;
mod concurrent;
mod forms;
mod index;
mod local;
mod property;
mod scene;
mod turns;
