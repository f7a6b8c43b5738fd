//! Read your own writes: after a change, the edge keeps the writer's pages apart for a while, so
//! that no page from before the change is found for them.

use crate::Config;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::{KEPT_AT_EDGE, SETTLING};
use uuid::Uuid;

/// A new value: 128 bits, 122 of them random, in base64url.
fn value() -> String {
    URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes())
}

/// Whether `text` has the shape of a value. The CloudFront function asks the same.
pub(crate) fn is_value(text: &str) -> bool {
    text.len() == 22
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The cookie that a change is answered with. It lasts as long as a page from before the change
/// can be at the edge.
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
    fn every_value_is_one_and_another() {
        assert!(is_value(&value()));
        assert_ne!(value(), value());
        assert!(!is_value("AAAAAAAAAAAAAAAAAAAAA|"));
    }
}
