//! Signing keys: one that signs, and the one before it, which is still believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// A key is shorter than 32 bytes, HMAC-SHA-256's security (RFC 2104, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeakKey;

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a signing key needs at least 32 bytes")
    }
}

impl std::error::Error for WeakKey {}

/// HMAC-SHA-256 keys in two slots, for rotation. Prints no key.
#[derive(Clone)]
pub struct Keys {
    current: Hmac<Sha256>,
    previous: Option<Hmac<Sha256>>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Keys from secrets of at least 32 bytes each.
    ///
    /// # Errors
    /// [`WeakKey`] for a shorter one.
    pub fn new(current: &[u8], previous: Option<&[u8]>) -> Result<Self, WeakKey> {
        let key = |secret: &[u8]| {
            if secret.len() < 32 {
                return Err(WeakKey);
            }
            Hmac::<Sha256>::new_from_slice(secret).map_err(|_| WeakKey)
        };
        Ok(Self {
            current: key(current)?,
            previous: previous.map(key).transpose()?,
        })
    }

    /// The signature of `text` for one purpose, in base64url. A signature for one purpose is
    /// worth nothing for another.
    #[must_use]
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(feed(&self.current, purpose, text).finalize().into_bytes())
    }

    /// Whether `signature` is the one of `text` for that purpose, by either key. Takes the same
    /// time wherever they differ.
    #[must_use]
    pub fn verify(&self, purpose: &str, text: &str, signature: &str) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        std::iter::once(&self.current)
            .chain(&self.previous)
            .any(|key| feed(key, purpose, text).verify_slice(&signature).is_ok())
    }

    /// A text that only a holder of the keys can have made for this purpose.
    #[must_use]
    pub fn seal(&self, purpose: &str, text: &str) -> String {
        format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(text),
            self.sign(purpose, text)
        )
    }

    /// The text within a seal of this purpose; `None` where it is no such seal.
    #[must_use]
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<String> {
        let (text, signature) = sealed.split_once('.')?;
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        self.verify(purpose, &text, signature).then_some(text)
    }
}

impl action::Seal for Keys {
    fn seal(&self, purpose: &str, text: &str) -> String {
        Self::seal(self, purpose, text)
    }

    fn open(&self, purpose: &str, sealed: &str) -> Option<String> {
        Self::open(self, purpose, sealed)
    }
}

fn feed(key: &Hmac<Sha256>, purpose: &str, text: &str) -> Hmac<Sha256> {
    let mut mac = key.clone();
    mac.update(purpose.as_bytes());
    mac.update(b"\n");
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(current: u8, previous: Option<u8>) -> Keys {
        Keys::new(
            &[current; 32],
            previous.map(|b| [b; 32]).as_ref().map(|k| &k[..]),
        )
        .unwrap()
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(Keys::new(&[0; 31], None).is_err());
        assert!(Keys::new(&[0; 32], Some(&[0; 31])).is_err());
    }

    #[test]
    fn a_rotated_key_is_still_believed_and_a_dropped_one_is_not() {
        let signature = keys(1, None).sign("a", "text");
        assert!(keys(2, Some(1)).verify("a", "text", &signature));
        assert!(!keys(3, Some(2)).verify("a", "text", &signature));
    }

    #[test]
    fn a_signature_is_worth_nothing_for_another_purpose() {
        assert!(!keys(1, None).verify("b", "text", &keys(1, None).sign("a", "text")));
    }

    proptest! {
        #[test]
        fn only_what_was_sealed_opens(text in ".{0,80}", junk in ".{0,80}") {
            let keys = keys(1, None);
            prop_assert_eq!(keys.open("a", &keys.seal("a", &text)), Some(text));
            prop_assert_eq!(keys.open("a", &junk), None);
        }
    }
}
