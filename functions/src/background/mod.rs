//! The functions that work in the background, started by the table's stream and by schedules.

use mail::Content;
use std::collections::BTreeMap;
use worker::EmailTemplates;
use wrapper::Function;

/// Purges the pages that commits have made stale, if the actions have not done it.
pub const REVALIDATE: Function = worker::revalidate();

/// Sends the emails that commits have stored.
pub const DELIVER_MAIL: Function = worker::deliver_mail::<Product>();

/// Brings the search index of the contacts up to date.
pub const INDEX_SEARCH: Function = worker::index_search::<crm::Contact>();

/// The email templates of the product.
struct Product;

impl EmailTemplates for Product {
    fn render(template: &str, values: &BTreeMap<String, String>, link: &str) -> Option<Content> {
        let email = pages::email(template, values, link)?;
        Some(Content {
            subject: email.subject,
            plain: email.plain,
            html: email.html,
        })
    }
}
