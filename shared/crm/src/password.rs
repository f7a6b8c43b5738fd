//! Passwords, hashed with Argon2id by
//! [OWASP's parameters](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id)
//! (19 MiB, two passes, one lane).
//!
//! Keyboards spell one password differently: `é` as one character or as two, a space of another kind.
//! So a password is hashed in the form of the profile OpaqueString
//! ([RFC 8265, section 4.2](https://www.rfc-editor.org/rfc/rfc8265#section-4.2)): with the space of
//! ASCII for every space, in Unicode's composed form (NFC), and otherwise as it was typed.

use action::{ActionError, Secret};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use validator::ValidationError;

/// Used if the account does not exist, so that checking the password takes the same time. It is a
/// constant: even the first attempt of a process does no other work.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const REDACTED: &str = "[redacted]";

/// The error for a signed-in user who confirms an action with a wrong password.
pub const WRONG_OWN_PASSWORD: ActionError = ActionError::WrongPassword {
    field: "password",
    message: "Wrong password",
};

/// The shortest new password, in characters of its hashed form.
pub const MIN_PASSWORD: u64 = 8;

/// The longest new password, in characters of its hashed form.
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
    ///
    /// Hashes that are older than the hashed form are of what was typed. So if the two differ, and the
    /// one does not match, the other is tried. It is still one guess: of one text, with one result.
    fn matches(&self, hash: Option<&PasswordHash>) -> bool;
}

impl Password for Secret {
    fn hash(&self, salt: &[u8; 16]) -> Result<PasswordHash, ActionError> {
        let hash = Argon2::default()
            .hash_password_with_salt(hashed_form(self.reveal()).as_bytes(), salt)
            .map_err(|e| ActionError::Internal(format!("password hashing failed: {e}")))?;
        Ok(PasswordHash(hash.to_string()))
    }

    fn matches(&self, hash: Option<&PasswordHash>) -> bool {
        let text = hash.map_or(DUMMY_HASH, |PasswordHash(text)| text);
        let Ok(parsed) = phc::PasswordHash::new(text) else {
            return false;
        };
        let verify = |text: &str| {
            let verified = Argon2::default().verify_password(text.as_bytes(), &parsed);
            verified.is_ok()
        };
        let (typed, form) = (self.reveal(), hashed_form(self.reveal()));
        let verified = verify(&form) || form != typed && verify(typed);
        verified && hash.is_some()
    }
}

/// The text that is hashed for a password.
fn hashed_form(typed: &str) -> Cow<'_, str> {
    if typed.is_ascii() {
        return typed.into();
    }
    typed
        .chars()
        .map(plain_space)
        .nfc()
        .collect::<String>()
        .into()
}

/// The space of ASCII for a space of another kind (Unicode's category Zs).
fn plain_space(c: char) -> char {
    match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        c => c,
    }
}

/// Refuses a new password that is too short or too long. It is a function because a validation
/// error hides the value, so only code that sees the password can tell which of the two it is. For
/// `#[validate(custom(function = new_password))]`.
///
/// # Errors
/// The message for the user.
pub fn new_password(password: &Secret) -> Result<(), ValidationError> {
    let length = hashed_form(password.reveal()).chars().count() as u64;
    let message: Cow<'static, str> = match length {
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

    /// As hashes were made before there was a hashed form.
    fn old_hash(text: &str) -> PasswordHash {
        let hash = Argon2::default().hash_password_with_salt(text.as_bytes(), &[1; 16]);
        PasswordHash(hash.unwrap().to_string())
    }

    #[test]
    fn a_password_is_the_same_from_every_keyboard() {
        for (set, entered) in [
            ("caf\u{e9} au lait", "cafe\u{301} au lait"),
            ("cafe\u{301} au lait", "caf\u{e9} au lait"),
            (
                "한국어 비밀번호",
                "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}\u{110b}\u{1165} 비밀번호",
            ),
            ("correct horse", "correct\u{a0}horse"),
            ("パスワード　です", "パスワード です"),
            ("\u{212b}ngström!", "Ångstro\u{308}m!"),
            ("thin\u{2009}\u{202f}\u{205f}space", "thin   space"),
        ] {
            let hash = secret(set).hash(&[1; 16]).unwrap();
            assert!(secret(entered).matches(Some(&hash)), "{set} {entered}");
        }
        for (set, other) in [
            ("ﬁnancial district", "financial district"),
            ("Ｐassword１", "Password1"),
            ("zero\u{200b}width", "zerowidth"),
            ("tab\tseparated", "tab separated"),
            ("Straße 12", "STRASSE 12"),
            ("é1234567", "e1234567"),
        ] {
            let hash = secret(set).hash(&[1; 16]).unwrap();
            assert!(!secret(other).matches(Some(&hash)), "{set} {other}");
        }
    }

    #[test]
    fn a_hash_of_what_was_typed_still_matches() {
        for text in [
            "correct horse",
            "cafe\u{301} au lait",
            "caf\u{e9} au lait",
            "correct\u{a0}horse",
        ] {
            assert!(secret(text).matches(Some(&old_hash(text))), "{text:?}");
        }
        assert!(!secret("cafe\u{301} au lait").matches(Some(&old_hash("cafe au lait"))));
        assert!(!secret("cafe\u{301} au lait").matches(None));
    }

    #[test]
    fn the_limits_count_the_hashed_form() {
        let is_valid = |text: &str| new_password(&secret(text)).is_ok();
        assert!(!is_valid(&"e\u{301}".repeat(7)) && is_valid(&"e\u{301}".repeat(8)));
        assert!(is_valid(&"e\u{301}".repeat(128)) && !is_valid(&"e\u{301}".repeat(129)));
    }

    #[test]
    fn every_space_is_the_space_of_ascii() {
        let class = regex_syntax::parse(r"\p{Zs}").unwrap();
        let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) =
            class.kind()
        else {
            panic!("{class:?}")
        };
        let spaces = class.iter().flat_map(|range| range.start()..=range.end());
        let mapped = ('\0'..=char::MAX).filter(|c| plain_space(*c) == ' ');
        assert!(spaces.eq(mapped));
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
