//! The history of a record, as its page shows it.

use crate::dates::moment;
use crm::HistoryEvent;

/// One line of a record's history.
pub(crate) struct HistoryEntry<'a> {
    /// What happened: "Created".
    pub(crate) done: String,
    pub(crate) by: &'a str,
    pub(crate) at: String,
    pub(crate) when: String,
}

impl<'a> HistoryEntry<'a> {
    pub(crate) fn new(event: &'a HistoryEvent) -> Self {
        Self {
            done: done(&event.action),
            by: &event.by,
            at: event.at.to_string(),
            when: moment(event.at),
        }
    }
}

/// The past tense of an action's verb: `create-contact` becomes "Created".
fn done(action: &str) -> String {
    let verb = action.split('-').next().unwrap_or_default();
    let past = match verb {
        "create" => "Created",
        "update" => "Updated",
        "change" => "Changed",
        "delete" => "Deleted",
        "restore" => "Restored",
        "archive" => "Archived",
        "remove" => "Removed",
        "import" => "Imported",
        "merge" => "Merged",
        _ => return sentence(action),
    };
    past.to_owned()
}

/// An action's name as words: `clear-notes` becomes "Clear notes".
fn sentence(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_verbs_are_shown_in_the_past_tense() {
        assert_eq!(done("create-contact"), "Created");
        assert_eq!(done("clear-notes"), "Clear notes");
        assert_eq!(done(""), "");
    }
}
