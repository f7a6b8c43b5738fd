//! Brings the search index of the contacts up to date with what has been committed.

use action::{App, Function};
use std::sync::Arc;

/// The function that does it.
pub fn function(app: Arc<App>) -> Function {
    Function::index_search::<crm::Contact>(app)
}
