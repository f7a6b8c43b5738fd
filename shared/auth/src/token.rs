//! Session tokens: what the cookie holds.
//!
//! A token is `1.{secret}.{tenant}.{user}.{role}.{expires}.{signature}`. It says who somebody is
//! for two minutes, so that the edge can serve a cached page without asking; behind that, the
//! session stored under the hash of its secret decides.

use crate::Keys;
use action::{Actor, Role, TenantId, UserId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;

/// How long a token is believed without asking, in seconds.
pub const TOKEN_LIFETIME: i64 = 120;

const PURPOSE: &str = "session";

/// The secret that names a session: 256 random bits, of which the table holds only the hash.
/// Prints as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionSecret(String);

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl SessionSecret {
    /// A fresh one; `None` where the system gives no randomness.
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

/// What a session cookie says, believed because it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The secret of the session.
    pub secret: SessionSecret,
    /// Who, where, in which role.
    pub actor: Actor,
    /// Until when the edge believes it, in seconds since 1970.
    pub expires: i64,
}

impl Token {
    /// The token as text, signed.
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

    /// The token that `text` is, where its signature is right. It may have expired.
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
            // The last character of base64 has bits that do not count; strict decoding refuses them.
            assert_eq!(
                Token::verify(&String::from_utf8(bytes).unwrap(), &keys()),
                None,
                "at {at}"
            );
        }
    }

    #[test]
    fn the_table_holds_no_secret() {
        let token = token();
        assert!(!token.sign(&keys()).contains(&token.secret.hash()));
    }

    proptest! {
        #[test]
        fn junk_is_no_token(text in ".{0,200}") {
            prop_assert_eq!(Token::verify(&text, &keys()), None);
        }
    }
}
