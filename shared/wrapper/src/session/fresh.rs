//! Users read their own writes: after a change, the edge caches the user's pages under keys of their
//! own for a while, so that the user gets no page from before the change.

use crate::Config;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::{KEPT_AT_EDGE, SETTLING};
use uuid::Uuid;

/// A new value: 128 bits, 122 of them random, in base64url.
fn value() -> String {
    URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes())
}

/// Whether `text` has the shape of a value. The CloudFront function checks the same.
pub(crate) fn is_value(text: &str) -> bool {
    text.len() == 22
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The cookie that the response to a change sets. It lasts as long as the edge can have a page from
/// before the change.
pub(crate) fn cookie(config: &Config) -> String {
    let seconds = (KEPT_AT_EDGE + SETTLING).as_secs();
    let secure = if config.https { "; Secure" } else { "" };
    format!(
        "fresh={}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
        value()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_well_formed_and_differ() {
        assert!(is_value(&value()));
        assert_ne!(value(), value());
        assert!(!is_value("AAAAAAAAAAAAAAAAAAAAA|"));
    }
}
