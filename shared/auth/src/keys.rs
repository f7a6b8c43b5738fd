//! Signing keys: the current key signs, and the previous key still verifies.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// A key is shorter than 32 bytes, the output length of SHA-256 (RFC 2104, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing key needs at least 32 bytes")]
pub struct WeakKey;

/// HMAC-SHA-256 keys in two slots, for rotation. `Debug` prints no key.
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
    /// Builds keys from secrets of at least 32 bytes each.
    ///
    /// # Errors
    /// [`WeakKey`] if a secret is shorter.
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

    /// Signs `text` for one purpose, in base64url. The signature is invalid for any other purpose.
    #[must_use]
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(feed(&self.current, purpose, text).finalize().into_bytes())
    }

    /// Whether either key made `signature` for this text and purpose. Compares in constant time.
    #[must_use]
    pub fn verify(&self, purpose: &str, text: &str, signature: &str) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        std::iter::once(&self.current)
            .chain(&self.previous)
            .any(|key| feed(key, purpose, text).verify_slice(&signature).is_ok())
    }

    /// Seals `text`: only a holder of the keys can make such a seal for this purpose. The text stays
    /// readable.
    #[must_use]
    pub fn seal(&self, purpose: &str, text: &str) -> String {
        format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(text),
            self.sign(purpose, text)
        )
    }

    /// The sealed text; `None` if `sealed` was not sealed for this purpose by one of the keys.
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
    fn the_previous_key_verifies_and_a_dropped_key_does_not() {
        let signature = keys(1, None).sign("a", "text");
        assert!(keys(2, Some(1)).verify("a", "text", &signature));
        assert!(!keys(3, Some(2)).verify("a", "text", &signature));
    }

    #[test]
    fn a_signature_is_invalid_for_another_purpose() {
        assert!(!keys(1, None).verify("b", "text", &keys(1, None).sign("a", "text")));
    }

    proptest! {
        #[test]
        fn only_sealed_texts_open(text in ".{0,80}", junk in ".{0,80}") {
            let keys = keys(1, None);
            prop_assert_eq!(keys.open("a", &keys.seal("a", &text)), Some(text));
            prop_assert_eq!(keys.open("a", &junk), None);
        }
    }
}
