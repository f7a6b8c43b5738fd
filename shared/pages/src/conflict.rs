//! The comparison that a form shows if another user has changed the record in the meantime.

use crate::fields::FieldSpec;
use action::FormState;
use action::input::trim;
use serde_json::Value;

/// Both versions of a record, field by field.
pub(crate) struct Conflict {
    pub(crate) rows: Vec<ConflictRow>,
    /// The number of the stored version, which saving again replaces.
    pub(crate) version: String,
    /// The path of a fresh form with the stored version.
    pub(crate) start_over: Option<String>,
}

/// One field in both versions.
pub(crate) struct ConflictRow {
    pub(crate) label: &'static str,
    pub(crate) yours: String,
    pub(crate) theirs: String,
}

impl ConflictRow {
    pub(crate) fn differs(&self) -> bool {
        self.yours != self.theirs
    }
}

impl Conflict {
    /// Compares the input, normalized as it would be stored, with the `current` record.
    pub(crate) fn new(
        fields: &[FieldSpec],
        state: &FormState,
        current: &Value,
        start_over: Option<String>,
    ) -> Self {
        let row = |field: &FieldSpec| ConflictRow {
            label: field.label,
            yours: trim(state.value(field.name)).replace("\r\n", "\n"),
            theirs: current[field.name].as_str().unwrap_or("").to_owned(),
        };
        Self {
            rows: fields.iter().map(row).collect(),
            version: current["version"].to_string(),
            start_over,
        }
    }
}
