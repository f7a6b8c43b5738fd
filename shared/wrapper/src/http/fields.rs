//! The fields of a request.

use crate::Failure;
use std::collections::BTreeMap;

/// The fields of a form. Each name occurs once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) BTreeMap<String, String>);

impl Fields {
    /// The maximum number of fields: many more than any of our forms has.
    pub(crate) const MAX: usize = 1_000;

    /// Adds a field.
    ///
    /// # Errors
    /// 400 if the name already exists, if there are too many fields, or for a NUL character.
    pub(crate) fn insert(&mut self, name: String, value: String) -> Result<(), Failure> {
        if name.contains('\0') || value.contains('\0') {
            return Err(Failure::unreadable("A field contains a NUL character"));
        }
        if self.0.len() >= Self::MAX {
            return Err(Failure::unreadable("The form has too many fields"));
        }
        match self.0.insert(name, value) {
            None => Ok(()),
            Some(_) => Err(Failure::unreadable("A field is given twice")),
        }
    }
}
