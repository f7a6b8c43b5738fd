//! The values that a deployment fills into the file.

use crate::FunctionError;
use std::fmt;

/// The longest function that CloudFront allows, in bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
const MAX_BYTES: usize = 10_240;

/// The shortest key, in bytes. `auth::Keys` requires the same.
const MIN_KEY_BYTES: usize = 32;

/// The values of the file's placeholders. The debug text shows no key.
#[derive(Clone)]
pub struct Settings {
    /// The name of the session cookie, for `${SessionCookie}`.
    pub cookie: String,
    /// The key that signs session tokens, for `${SessionKey}`.
    pub key: String,
    /// The previous key, for `${SessionKeyPrevious}`. An empty text is the same as `None`.
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
    /// The text with every placeholder replaced. Like CloudFormation's `Fn::Sub`, it works in one
    /// pass, so that a value which contains a placeholder stays as it is.
    ///
    /// # Errors
    /// [`FunctionError`] if a value is invalid between quotes or the result is too long.
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
        if filled.len() > MAX_BYTES {
            return Err(FunctionError::TooLarge(filled.len()));
        }
        Ok(filled)
    }
}

fn is_key(text: &str) -> bool {
    text.len() >= MIN_KEY_BYTES
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'\'' | b'"' | b'\\'))
}

/// Whether a cookie's name may contain the byte (RFC 6265, section 4.1.1) without an escape.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}
