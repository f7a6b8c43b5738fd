//! The values that a deployment fills into the file.

use crate::FunctionError;
use std::fmt;

/// The longest function that CloudFront allows, in bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
const MAX_BYTES: usize = 10_240;

/// The shortest secret, in bytes. `auth::Secrets` requires the same.
const MIN_SECRET_BYTES: usize = 96;

/// The values of the file's placeholders. The debug text shows no secret.
#[derive(Clone)]
pub struct Settings {
    /// The name of the session cookie, for `${SessionCookie}`.
    pub cookie: String,
    /// The secrets `A` or `A.B`, for `${Secrets}`: each is the key that signs session tokens, and 64 characters
    /// that prove to a function that a request comes through the edge.
    pub secrets: String,
    /// Which of them is in use, for `${SecretsInUse}`: `A` or `B`.
    pub in_use: String,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("cookie", &self.cookie)
            .field("in_use", &self.in_use)
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
        let secrets: Vec<_> = self.secrets.split('.').collect();
        let allowed: &[&str] = if secrets.len() == 1 {
            &["A"]
        } else {
            &["A", "B"]
        };
        if secrets.len() > 2
            || !secrets.into_iter().all(is_secret)
            || !allowed.contains(&self.in_use.as_str())
        {
            return Err(FunctionError::Secrets);
        }
        if self.cookie.is_empty() || !self.cookie.bytes().all(is_token) {
            return Err(FunctionError::CookieName);
        }
        let values = [
            ("${SecretsInUse}", self.in_use.as_str()),
            ("${Secrets}", self.secrets.as_str()),
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

fn is_secret(text: &str) -> bool {
    text.len() >= MIN_SECRET_BYTES
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Whether a cookie's name may contain the byte (RFC 6265, section 4.1.1) without an escape.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}
