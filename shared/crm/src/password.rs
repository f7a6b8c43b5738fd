//! Passwords: chosen, attempted, and hashed with Argon2id by
//! [OWASP's parameters](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id)
//! (19 MiB, two passes, one lane).

use crate::InvalidText;
use action::ActionError;
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// Stands in for the hash of an account that does not exist: as much work as a real one, at the
/// first attempt of a process too.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const REDACTED: &str = "[redacted]";

macro_rules! secret {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(REDACTED)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(REDACTED)
            }
        }
    };
}

/// A password that somebody chooses. Serialises and prints as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);
secret!(Password);

impl Password {
    /// The password, to the letter, where it has 8 to 128 characters.
    ///
    /// # Errors
    /// The message for the user.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        match text.chars().count() {
            0 => Err(InvalidText("Password is required")),
            1..8 => Err(InvalidText("Password must be at least 8 characters")),
            8..=128 => Ok(Self(text.to_owned())),
            _ => Err(InvalidText("Password too long")),
        }
    }

    /// Hashes it with this salt, which is new for each password.
    ///
    /// # Errors
    /// [`ActionError::Internal`] where the system gives no randomness.
    pub fn hash(&self, salt: &[u8; 16]) -> Result<PasswordHash, ActionError> {
        let hash = Argon2::default()
            .hash_password_with_salt(self.0.as_bytes(), salt)
            .map_err(|e| ActionError::Internal(format!("password hashing failed: {e}")))?;
        Ok(PasswordHash(hash.to_string()))
    }

    /// This password as an attempt at an existing account.
    #[must_use]
    pub fn attempt(&self) -> PasswordAttempt {
        PasswordAttempt(self.0.clone())
    }
}

/// A password that somebody claims to have. Serialises and prints as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordAttempt(String);
secret!(PasswordAttempt);

impl PasswordAttempt {
    /// The attempt, to the letter.
    ///
    /// # Errors
    /// The message for the user where there is none.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        if text.is_empty() {
            Err(InvalidText("Password is required"))
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// This attempt as a password to choose.
    ///
    /// # Errors
    /// The message for the user.
    pub fn choose(&self) -> Result<Password, InvalidText> {
        Password::parse(&self.0)
    }

    /// Whether it is the password behind `hash`. Takes the same time without a hash, so that the
    /// time does not tell which accounts exist; the answer is then no.
    #[must_use]
    pub fn matches(&self, hash: Option<&PasswordHash>) -> bool {
        let text = hash.map_or(NOBODY, |PasswordHash(text)| text);
        let Ok(parsed) = phc::PasswordHash::new(text) else {
            return false;
        };
        let verified = Argon2::default()
            .verify_password(self.0.as_bytes(), &parsed)
            .is_ok();
        verified && hash.is_some()
    }
}

/// A password's Argon2id hash in PHC string format. Prints as `[redacted]`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_8_to_128_characters() {
        assert!(Password::parse("ééééééé").is_err());
        assert!(Password::parse(&"é".repeat(8)).is_ok());
        assert!(Password::parse(&"é".repeat(128)).is_ok());
        assert!(Password::parse(&"é".repeat(129)).is_err());
    }

    #[test]
    fn only_the_same_password_matches_and_white_space_counts() {
        let hash = Password::parse(" correct horse ")
            .unwrap()
            .hash(&[1; 16])
            .unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            PasswordAttempt::parse(" correct horse ")
                .unwrap()
                .matches(Some(&hash))
        );
        assert!(
            !PasswordAttempt::parse("correct horse")
                .unwrap()
                .matches(Some(&hash))
        );
    }

    #[test]
    fn an_attempt_at_no_account_fails_after_the_work_of_a_real_one() {
        let real = Password::parse("correct horse")
            .unwrap()
            .hash(&[1; 16])
            .unwrap();
        let [real, nobody] =
            [real.0.as_str(), NOBODY].map(|text| phc::PasswordHash::new(text).unwrap());
        assert_eq!(
            (real.algorithm, real.version),
            (nobody.algorithm, nobody.version)
        );
        assert_eq!(real.params, nobody.params);
        let sizes =
            |hash: &phc::PasswordHash| (hash.salt.map(|s| s.len()), hash.hash.map(|h| h.len()));
        assert_eq!(sizes(&real), sizes(&nobody));
        assert!(
            !PasswordAttempt::parse("correct horse")
                .unwrap()
                .matches(None)
        );
    }

    #[test]
    fn a_password_never_prints() {
        let password = Password::parse("correct horse").unwrap();
        assert_eq!(format!("{password:?}"), "[redacted]");
        assert_eq!(serde_json::to_string(&password).unwrap(), "\"[redacted]\"");
    }
}
