//! The audit as a CSV file ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)).

use crate::audit::filter::{self, Filter};
use crate::audit::log::{AuditEntry, AuditLine};
use action::{
    ActionError, Actor, Admins, Context, Download, FormState, Found, Reads, UserId, View, ViewPage,
};
use crm::UserNames;
use csv::{QuoteStyle, Terminator, WriterBuilder};
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;

/// The most records in a file.
pub(crate) const MAX_RECORDS: usize = 2000;

/// The most records that are read for a file with a filter.
const MAX_READ: usize = 20_000;

/// The most bytes in a file. Lambda's limit is 6 MB for the response as JSON, in which a quote
/// takes two bytes.
const MAX_BYTES: usize = 4 << 20;

const HEADINGS: [&str; 16] = [
    "id",
    "at",
    "action",
    "outcome",
    "resource",
    "record",
    "user_id",
    "user_name",
    "role",
    "ip",
    "user_agent",
    "request_id",
    "input",
    "previous",
    "hash",
    "user_email",
];

/// The view.
#[derive(Debug)]
pub struct Export;

/// The file and its name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditFile {
    name: String,
    text: String,
    records: usize,
    next: Option<String>,
}

impl View for Export {
    const PATH: &'static str = "/t/{tenant}/audit.csv";
    const FUNCTION: &'static str = "audit";
    const FILE_ENDING: &'static str = ".csv";
    type Permission = Admins;
    type Params = Filter;
    type Output = AuditFile;

    fn sample() -> &'static str {
        "action=create-contact"
    }

    fn reads(context: &Context<Actor>, filter: &Filter) -> Result<Reads, ActionError> {
        let records = filter
            .records(context, MAX_RECORDS + 1)?
            .reading_at_most(MAX_READ);
        let tenant = &context.caller.tenant;
        Ok(Reads::none()
            .query(records)
            .query(UserNames::members_query(tenant))
            .query(UserNames::former_members_query(tenant)))
    }

    fn show(
        context: &Context<Actor>,
        filter: &Filter,
        found: &Found,
    ) -> Result<AuditFile, ActionError> {
        let tenant = &context.caller.tenant;
        let records = AuditLine::from_found(context, found, &UserNames::from_found(found, tenant));
        let mut text = csv_line(HEADINGS.map(Cow::Borrowed))?;
        let (mut count, mut size) = (0_usize, text.len());
        for record in records.iter().take(MAX_RECORDS) {
            let line = csv_line(match record {
                AuditLine::Entry(entry) => cells(entry),
                AuditLine::Unreadable(id) => unreadable(id.as_deref()),
            })?;
            size += json_size(&line);
            if size > MAX_BYTES && count > 0 {
                break;
            }
            text.push_str(&line);
            count += 1;
        }
        let written = records.iter().take(count).rev();
        let last = written.map(AuditLine::id).find(Option::is_some).flatten();
        let last = last.filter(|_| count < records.len());
        let next = filter.next(context, last.or(Filter::unread(context, found)));
        let path = pages::paths::audit_file(tenant);
        Ok(AuditFile {
            name: format!("{tenant}-audit.csv"),
            text,
            records: count,
            next: next.map(|cursor| path + &filter.for_page().query(&cursor)),
        })
    }

    fn download(file: &AuditFile) -> Option<Download> {
        Some(Download {
            name: file.name.clone(),
            content_type: Download::CSV,
            text: file.text.clone(),
            records: file.records,
            next: file.next.clone(),
        })
    }

    fn wrong_page_reads(context: &Context<Actor>) -> Reads {
        filter::form_reads(context)
    }

    fn wrong_page(
        context: &Context<Actor>,
        page: &ViewPage<'_>,
        sent: &FormState,
        found: &Found,
    ) -> Option<String> {
        filter::form_again(context, page, sent, found)
    }

    fn page(_: &ViewPage<'_>, _: &AuditFile) -> String {
        String::new()
    }
}

/// The line of a record that cannot be read.
fn unreadable(id: Option<&str>) -> [Cow<'_, str>; 16] {
    let mut cells = [const { Cow::Borrowed("") }; 16];
    cells[0] = id.unwrap_or_default().into();
    cells[3] = "unreadable".into();
    cells
}

fn cells(entry: &AuditEntry) -> [Cow<'_, str>; 16] {
    let record = &entry.record;
    let optional = |text: Option<&'_ str>| Cow::from(text.unwrap_or_default().to_owned());
    [
        Cow::from(&record.id),
        record.at.to_string().into(),
        Cow::from(&record.action),
        Cow::from(&record.outcome),
        Cow::from(&record.resource),
        Cow::from(&record.subject_id),
        optional(record.user_id.as_ref().map(UserId::as_str)),
        optional(record.user_name.as_deref()),
        optional(record.role.map(action::Role::as_str)),
        Cow::from(&record.ip),
        optional(record.user_agent.as_deref()),
        Cow::from(&record.request_id),
        record.input.to_string().into(),
        optional(record.previous.as_deref()),
        optional(record.hash.as_deref()),
        optional(record.user_email.as_deref()),
    ]
}

/// One line. Every cell is quoted, so that nothing in it can be mistaken for a separator, whichever
/// one a spreadsheet uses.
fn csv_line(cells: [Cow<'_, str>; 16]) -> Result<String, ActionError> {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    let failed = |reason: String| ActionError::Internal(format!("a line of CSV: {reason}"));
    let cells = cells.iter().map(|cell| escape_formula(cell).into_owned());
    writer
        .write_record(cells)
        .map_err(|e| failed(e.to_string()))?;
    let bytes = writer.into_inner().map_err(|e| failed(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| failed(e.to_string()))
}

/// The text as a cell that no spreadsheet takes for a formula
/// ([OWASP](https://owasp.org/www-community/attacks/CSV_Injection)): if it could start one, it gets
/// an apostrophe in front.
fn escape_formula(cell: &str) -> Cow<'_, str> {
    const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.trim_start_matches(' ').starts_with(FORMULA) {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

/// The most bytes that the text takes in JSON.
fn json_size(text: &str) -> usize {
    let escaped = |b: u8| match b {
        b'"' | b'\\' => 2,
        0..=31 => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_starts_a_formula() {
        for cell in [
            "=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", " =1", "＝1",
        ] {
            assert_eq!(escape_formula(cell), format!("'{cell}"));
        }
        for cell in ["", "a=1", "Zoë", "{\"a\":1}", "1-1"] {
            assert_eq!(escape_formula(cell), cell);
        }
    }

    #[test]
    fn a_line_can_contain_quotes_and_newlines() {
        let mut cells = [const { Cow::Borrowed("") }; 16];
        cells[0] = "a\"b\nc,d".into();
        let empty = ",\"\"".repeat(15);
        assert_eq!(
            csv_line(cells).unwrap(),
            format!("\"a\"\"b\nc,d\"{empty}\r\n")
        );
    }

    #[test]
    fn the_json_is_never_larger_than_its_estimated_size() {
        let text = "\"a\\\n\u{1}é";
        let json = serde_json::to_string(text).unwrap();
        assert!(json_size(text) + 2 >= json.len());
    }
}
