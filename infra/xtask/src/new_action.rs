//! `cargo xtask new-action`.

use crate::Failure;
use std::path::Path;

/// Writes an action.
///
/// # Errors
/// [`Failure`].
pub fn run(_root: &Path, _arguments: &[&str]) -> Result<String, Failure> {
    Err(Failure::Usage("not yet".to_owned()))
}
