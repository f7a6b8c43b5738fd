//! Passwords, hashed with Argon2id by
//! [OWASP's parameters](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id)
//! (19 MiB, two passes, one lane).

use action::{ActionError, Secret};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use validator::{ValidateLength, ValidationError};

/// Used if the account does not exist, so that checking the password takes the same time. It is a
/// constant: even the first attempt of a process does no other work.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const REDACTED: &str = "[redacted]";

/// The error for a signed-in user who confirms an action with a wrong password.
pub const WRONG_OWN_PASSWORD: ActionError = ActionError::WrongPassword {
    field: "password",
    message: "Wrong password",
};

/// The shortest new password, in characters.
pub const MIN_PASSWORD: u64 = 8;

/// The longest new password, in characters.
pub const MAX_PASSWORD: u64 = 128;

/// Hashes a new password, or compares an entered one with a hash.
pub trait Password {
    /// The hash of a new password. Every password needs a salt of its own.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if the hash cannot be computed.
    fn hash(&self, salt: &[u8; 16]) -> Result<PasswordHash, ActionError>;

    /// Whether the password matches `hash`. Without a hash the result is `false` and takes the same
    /// time, so that the time does not tell which accounts exist.
    fn matches(&self, hash: Option<&PasswordHash>) -> bool;
}

impl Password for Secret {
    fn hash(&self, salt: &[u8; 16]) -> Result<PasswordHash, ActionError> {
        let hash = Argon2::default()
            .hash_password_with_salt(self.reveal().as_bytes(), salt)
            .map_err(|e| ActionError::Internal(format!("password hashing failed: {e}")))?;
        Ok(PasswordHash(hash.to_string()))
    }

    fn matches(&self, hash: Option<&PasswordHash>) -> bool {
        let text = hash.map_or(DUMMY_HASH, |PasswordHash(text)| text);
        let Ok(parsed) = phc::PasswordHash::new(text) else {
            return false;
        };
        let verified = Argon2::default()
            .verify_password(self.reveal().as_bytes(), &parsed)
            .is_ok();
        verified && hash.is_some()
    }
}

/// Refuses a new password that is too short or too long. It is a function because a validation
/// error hides the value, so only code that sees the password can tell which of the two it is. For
/// `#[validate(custom(function = new_password))]`.
///
/// # Errors
/// The message for the user.
pub fn new_password(password: &Secret) -> Result<(), ValidationError> {
    let message: Cow<'static, str> = match password.length().unwrap_or_default() {
        0 => "Password is required".into(),
        1..MIN_PASSWORD => format!("Password must be at least {MIN_PASSWORD} characters").into(),
        MIN_PASSWORD..=MAX_PASSWORD => return Ok(()),
        _ => "Password too long".into(),
    };
    Err(ValidationError::new("password").with_message(message))
}

/// The Argon2id hash of a password, in PHC string format. Prints as `[redacted]`.
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

    fn secret(text: &str) -> Secret {
        Secret::from(text)
    }

    #[test]
    fn a_password_has_8_to_128_characters() {
        let is_valid = |length| new_password(&secret(&"é".repeat(length))).is_ok();
        assert!(!is_valid(7) && is_valid(8) && is_valid(128) && !is_valid(129));
    }

    #[test]
    fn only_the_same_password_matches_and_white_space_counts() {
        let hash = secret(" correct horse ").hash(&[1; 16]).unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(secret(" correct horse ").matches(Some(&hash)));
        assert!(!secret("correct horse").matches(Some(&hash)));
    }

    #[test]
    fn a_missing_account_costs_the_same_work_as_a_real_one_and_never_matches() {
        let real = secret("correct horse").hash(&[1; 16]).unwrap();
        let [real, dummy] =
            [real.0.as_str(), DUMMY_HASH].map(|text| phc::PasswordHash::new(text).unwrap());
        assert_eq!(
            (real.algorithm, real.version),
            (dummy.algorithm, dummy.version)
        );
        assert_eq!(real.params, dummy.params);
        let sizes =
            |hash: &phc::PasswordHash| (hash.salt.map(|s| s.len()), hash.hash.map(|h| h.len()));
        assert_eq!(sizes(&real), sizes(&dummy));
        assert!(!secret("correct horse").matches(None));
    }
}
