//! "Mine and theirs": what to show where somebody else changed the record meanwhile.

use crate::fields::FieldSpec;
use action::FormState;
use serde_json::Value;

/// Both versions, field by field.
pub(crate) struct Conflict {
    pub(crate) rows: Vec<ConflictRow>,
    /// The version that saving again replaces.
    pub(crate) version: String,
    /// A fresh form with their version.
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
    /// Compares what was entered with `current`, as it would be stored.
    pub(crate) fn new(
        fields: &[FieldSpec],
        state: &FormState,
        current: &Value,
        start_over: Option<String>,
    ) -> Self {
        let row = |field: &FieldSpec| ConflictRow {
            label: field.label,
            yours: state
                .value(field.name)
                .replace("\r\n", "\n")
                .trim()
                .to_owned(),
            theirs: current[field.name].as_str().unwrap_or("").to_owned(),
        };
        Self {
            rows: fields.iter().map(row).collect(),
            version: current["version"].to_string(),
            start_over,
        }
    }
}
