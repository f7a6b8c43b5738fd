//! Ids and similar values that can only be built from valid text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The text is not a valid id of this kind. Displays as the message for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Invalid id")]
pub struct InvalidId;

/// The text is not a [`Version`]. Displays as the message for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Invalid version")]
pub struct InvalidVersion;

/// Defines an identifier that is a UUIDv7 in lower case (RFC 9562, section 5.7), so that sorting
/// by id sorts by time of creation.
#[macro_export]
macro_rules! uuid_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses an identifier: a UUID in lower case with hyphens.
            ///
            /// # Errors
            /// [`InvalidId`]($crate::InvalidId) for anything else.
            pub fn parse(text: &str) -> Result<Self, $crate::InvalidId> {
                $crate::is_uuid(text).then(|| Self(text.to_owned())).ok_or($crate::InvalidId)
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::InvalidId;
            fn try_from(text: String) -> Result<Self, $crate::InvalidId> {
                Self::parse(&text)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::InvalidId;
            fn from_str(text: &str) -> Result<Self, $crate::InvalidId> {
                Self::parse(text)
            }
        }

        impl $crate::schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut $crate::schemars::SchemaGenerator) -> $crate::schemars::Schema {
                $crate::schemars::json_schema!({
                    "type": "string", "format": "uuid",
                    "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
                })
            }
        }

        impl From<::uuid::Uuid> for $name {
            fn from(id: ::uuid::Uuid) -> Self {
                Self(id.hyphenated().to_string())
            }
        }
    };
}

/// Whether `text` is a UUID in lower case with hyphens.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

uuid_id! {
    /// A user, who has an account.
    UserId
}

/// The id of an organisation: a slug, so that paths, tags and keys can contain it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    inline,
    extend("maxLength" = Self::MAX_LENGTH, "pattern" = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
)]
pub struct TenantId(String);

impl TenantId {
    /// The longest slug, in bytes.
    pub const MAX_LENGTH: usize = 63;

    /// Parses a slug: `a` to `z`, `0` to `9` and inner hyphens, 1 to 63 bytes.
    ///
    /// # Errors
    /// [`InvalidId`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let slug = (1..=Self::MAX_LENGTH).contains(&text.len())
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        slug.then(|| Self(text.to_owned())).ok_or(InvalidId)
    }

    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.0
    }
}

impl TryFrom<String> for TenantId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}

impl FromStr for TenantId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::parse(text)
    }
}

/// How often a record has been written: a whole number from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[schemars(inline)]
pub struct Version(#[schemars(range(min = 1))] u64);

impl Version {
    /// The version of a new record.
    pub const FIRST: Self = Self(1);

    /// Parses a version: a whole number from 1, in decimal digits.
    ///
    /// # Errors
    /// [`InvalidVersion`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidVersion> {
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidVersion);
        }
        match text.parse() {
            Ok(number @ 1..) => Ok(Self(number)),
            _ => Err(InvalidVersion),
        }
    }

    /// The version after one more write.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        Self::parse(text)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The client's key for one request. The client sends the same key when it retries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses a key: 1 to 255 visible ASCII characters.
    ///
    /// # Errors
    /// [`InvalidId`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let usable = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        usable.then(|| Self(text.to_owned())).ok_or(InvalidId)
    }

    /// The key as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_whole_number_from_one() {
        assert_eq!(Version::parse("1"), Ok(Version::FIRST));
        for text in [
            "",
            "0",
            "-1",
            "+1",
            "1.0",
            "1e3",
            " 1",
            "99999999999999999999",
            "١",
        ] {
            assert_eq!(Version::parse(text), Err(InvalidVersion), "{text:?}");
        }
    }

    #[test]
    fn a_tenant_is_a_slug() {
        assert!(TenantId::parse("acme-2").is_ok());
        for text in [
            "",
            "Acme",
            "a:b",
            "a#b",
            "-a",
            "a-",
            "a b",
            "é",
            &"a".repeat(64),
        ] {
            assert_eq!(TenantId::parse(text), Err(InvalidId), "{text:?}");
        }
    }

    #[test]
    fn an_idempotency_key_is_visible_ascii() {
        assert!(IdempotencyKey::parse("k-1~!").is_ok());
        for text in ["", " ", "a b", "é", "a\u{7f}", &"k".repeat(256)] {
            assert_eq!(IdempotencyKey::parse(text), Err(InvalidId), "{text:?}");
        }
    }

    #[test]
    fn a_uuid_has_lower_case_and_hyphens() {
        assert!(is_uuid("0197a3b0-0000-7000-8000-00000000000f"));
        assert!(!is_uuid("0197A3B0-0000-7000-8000-00000000000F"));
        assert!(!is_uuid("0197a3b000007000800000000000000f"));
        assert!(!is_uuid("0197a3b0-0000-7000-8000-00000000000é"));
    }
}
