//! Functions that nobody waits for: they are started by the table's stream and by schedules.

use mail::Content;
use std::collections::BTreeMap;
use worker::Letters;
use wrapper::Function;

/// Purges what committed changes have made stale, if the actions that made them have not.
pub const REVALIDATE: Function = worker::revalidate();

/// Sends the letters that commits have left in the table.
pub const DELIVER_MAIL: Function = worker::deliver_mail::<Product>();

/// Brings the search index of the contacts up to date.
pub const INDEX_SEARCH: Function = worker::index_search::<crm::Contact>();

/// The letters of the product.
struct Product;

impl Letters for Product {
    fn write(template: &str, values: &BTreeMap<String, String>, link: &str) -> Option<Content> {
        let letter = pages::letter(template, values, link)?;
        Some(Content {
            subject: letter.subject,
            plain: letter.plain,
            html: letter.html,
        })
    }
}
