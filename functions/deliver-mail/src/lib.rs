//! Sends the letters that committed changes have left in the table.

use action::{App, Function, Letters};
use mail::Text;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The letters of the product.
struct Product;

impl Letters for Product {
    fn write(template: &str, values: &BTreeMap<String, String>, link: &str) -> Option<Text> {
        let letter = pages::letter(template, values, link)?;
        Some(Text {
            subject: letter.subject,
            plain: letter.plain,
            html: letter.html,
        })
    }
}

/// The function that sends them.
pub fn function(app: Arc<App>) -> Function {
    Function::deliver_mail::<Product>(app)
}
