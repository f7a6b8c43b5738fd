//! Drains the outbox: has the edge forget what committed changes have made stale, where the
//! actions that made them have not seen to it.

use action::{App, Function};
use std::sync::Arc;

/// The function that does it.
pub fn function(app: Arc<App>) -> Function {
    Function::revalidate(app)
}
