//! Session tokens: the value of the session cookie.
//!
//! A token is `1.{secret}.{tenant}.{user}.{role}.{expires}.{signature}`. For two minutes it proves
//! who the user is, so that the edge can serve a cached page without a look-up. After that, the
//! session stored under the hash of its secret decides.

use crate::Keys;
use action::{Actor, Role, TenantId, UserId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;

/// How long a token is valid without a session look-up, in seconds.
pub const TOKEN_LIFETIME: i64 = 120;

const PURPOSE: &str = "session";

/// The secret of a session: 256 random bits. The table stores only its hash. `Debug` prints
/// `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionSecret(String);

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl SessionSecret {
    /// A new secret; `None` if the system has no randomness.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The SHA-256 of the secret, in base64url.
    #[must_use]
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()))
    }
}

/// The contents of a session cookie, trusted because of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The secret of the session.
    pub secret: SessionSecret,
    /// The user, the tenant and the role.
    pub actor: Actor,
    /// When the edge stops accepting it, in seconds since 1970.
    pub expires: i64,
}

impl Token {
    /// The token as signed text.
    #[must_use]
    pub fn sign(&self, keys: &Keys) -> String {
        let Actor { tenant, user, role } = &self.actor;
        let claims = format!(
            "1.{}.{tenant}.{user}.{}.{}",
            self.secret.0,
            role.as_str(),
            self.expires
        );
        let signature = keys.sign(PURPOSE, &claims);
        format!("{claims}.{signature}")
    }

    /// Parses a token; `None` if the signature is wrong. The token may have expired.
    #[must_use]
    pub fn verify(text: &str, keys: &Keys) -> Option<Self> {
        let (claims, signature) = text.rsplit_once('.')?;
        if !keys.verify(PURPOSE, claims, signature) {
            return None;
        }
        let [version, secret, tenant, user, role, expires] =
            claims.split('.').collect::<Vec<_>>().try_into().ok()?;
        if version != "1" {
            return None;
        }
        let actor = Actor {
            tenant: TenantId::parse(tenant).ok()?,
            user: UserId::parse(user).ok()?,
            role: Role::parse(role)?,
        };
        Some(Self {
            secret: SessionSecret(secret.to_owned()),
            actor,
            expires: expires.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> Keys {
        Keys::new(&[7; 32], None).unwrap()
    }

    fn token() -> Token {
        Token {
            secret: SessionSecret::random().unwrap(),
            actor: Actor {
                tenant: TenantId::parse("acme").unwrap(),
                user: uuid::Uuid::now_v7().into(),
                role: Role::Owner,
            },
            expires: 1_800_000_000,
        }
    }

    #[test]
    fn a_signed_token_reads_back() {
        let token = token();
        assert_eq!(Token::verify(&token.sign(&keys()), &keys()), Some(token));
    }

    #[test]
    fn a_token_with_any_character_changed_is_refused() {
        let text = token().sign(&keys());
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            // The last base64 character has unused bits; strict decoding refuses them if set.
            assert_eq!(
                Token::verify(&String::from_utf8(bytes).unwrap(), &keys()),
                None,
                "at {at}"
            );
        }
    }

    #[test]
    fn a_token_does_not_contain_the_hash_of_its_secret() {
        let token = token();
        assert!(!token.sign(&keys()).contains(&token.secret.hash()));
    }

    proptest! {
        #[test]
        fn junk_is_not_a_token(text in ".{0,200}") {
            prop_assert_eq!(Token::verify(&text, &keys()), None);
        }
    }
}
