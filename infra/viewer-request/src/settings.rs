//! What deployment fills into the file.

use crate::FunctionError;
use std::fmt;

/// The most that CloudFront takes as a function, in bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
const MOST_BYTES: usize = 10_240;

/// The least length of a key, in bytes, as `auth::Keys` asks for.
const LEAST_KEY: usize = 32;

/// What the placeholders of the file stand for. Prints no key.
#[derive(Clone)]
pub struct Settings {
    /// The name of the session cookie, for `${SessionCookie}`.
    pub cookie: String,
    /// The key that signs session tokens, for `${SessionKey}`.
    pub key: String,
    /// The key before it, for `${SessionKeyPrevious}`; an empty one is none.
    pub previous: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("cookie", &self.cookie)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// The text with every placeholder replaced, as CloudFormation's `Fn::Sub` does it: in one
    /// pass, so that nothing within a value is taken for a placeholder.
    ///
    /// # Errors
    /// [`FunctionError`] for a value that cannot stand between quotes, and for a text that is
    /// then too long.
    pub(crate) fn fill(&self, source: &str) -> Result<String, FunctionError> {
        let previous = self.previous.as_deref().unwrap_or_default();
        if !is_key(&self.key) || !(previous.is_empty() || is_key(previous)) {
            return Err(FunctionError::Key);
        }
        if self.cookie.is_empty() || !self.cookie.bytes().all(is_token) {
            return Err(FunctionError::CookieName);
        }
        let values = [
            ("${SessionKey}", self.key.as_str()),
            ("${SessionKeyPrevious}", previous),
            ("${SessionCookie}", &self.cookie),
        ];
        let mut filled = String::with_capacity(source.len() + 256);
        let mut rest = source;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            let found = values.iter().find(|(name, _)| from.starts_with(name));
            let (placeholder, value) = found.copied().unwrap_or(("${", "${"));
            filled.push_str(before);
            filled.push_str(value);
            rest = &from[placeholder.len()..];
        }
        filled.push_str(rest);
        if filled.len() > MOST_BYTES {
            return Err(FunctionError::TooLarge(filled.len()));
        }
        Ok(filled)
    }
}

fn is_key(text: &str) -> bool {
    text.len() >= LEAST_KEY
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'\'' | b'"' | b'\\'))
}

/// Whether the byte may stand in a cookie's name (RFC 6265, section 4.1.1) and needs no escape.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}
