//! The fields of a request.

use crate::Failure;
use std::collections::BTreeMap;

/// The fields of a form, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) BTreeMap<String, String>);

impl Fields {
    /// More fields than any form of ours has by far.
    pub(crate) const MOST: usize = 1_000;

    /// Adds a field. Refuses one that is there already, a NUL, and one too many.
    pub(crate) fn insert(&mut self, name: String, value: String) -> Result<(), Failure> {
        if name.contains('\0') || value.contains('\0') {
            return Err(Failure::unreadable("A field contains a NUL character"));
        }
        if self.0.len() >= Self::MOST {
            return Err(Failure::unreadable("The form has too many fields"));
        }
        match self.0.insert(name, value) {
            None => Ok(()),
            Some(_) => Err(Failure::unreadable("A field is given twice")),
        }
    }
}
