//! The secrets of a deployment, in two slots.

use crate::{Keys, WeakKey};

/// How many characters at the end of a secret prove to a function that a request comes through the edge.
const ORIGIN_LENGTH: usize = 64;

/// The two secrets of a deployment, A and B, and which one is in use. Both are accepted, so that a switch from
/// one to the other may reach the functions and the edge in any order. Each secret has two parts: the
/// last 64 characters prove that a request comes through the edge, and what is before them signs sessions.
#[derive(Clone)]
pub struct Secrets {
    in_use: String,
    spare: Option<String>,
}

/// The text does not hold such secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// There are not one or two secrets of 96 or more letters, digits, `-` and `_`.
    #[error(
        "expected one or two secrets of at least 96 letters and digits, with a dot between them"
    )]
    Malformed,
    /// The secret in use is neither A nor B, or is missing.
    #[error("expected A or B, for the first or the second secret")]
    InUse,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Reads `{A}` or `{A}.{B}`, and which one is in use: `A` or `B`.
    ///
    /// # Errors
    /// [`SecretsError`], which contains no secret.
    pub fn parse(text: &str, in_use: &str) -> Result<Self, SecretsError> {
        let mut secrets = text.split('.');
        let a = secrets.next().unwrap_or_default();
        let b = secrets.next();
        if secrets.next().is_some() || !is_secret(a) || !b.is_none_or(is_secret) {
            return Err(SecretsError::Malformed);
        }
        let (in_use, spare) = match in_use {
            "A" => (a, b),
            "B" => (b.ok_or(SecretsError::InUse)?, Some(a)),
            _ => return Err(SecretsError::InUse),
        };
        Ok(Self {
            in_use: in_use.to_owned(),
            spare: spare.map(str::to_owned),
        })
    }

    /// The keys of sessions: the one in use signs, both are accepted.
    ///
    /// # Errors
    /// Never, because [`Secrets::parse`] accepts no shorter keys.
    pub fn keys(&self) -> Result<Keys, WeakKey> {
        let key = |secret: &str| split(secret).0.as_bytes().to_vec();
        Keys::new(
            &key(&self.in_use),
            self.spare.as_deref().map(key).as_deref(),
        )
    }

    /// What the edge may send, the one in use first.
    #[must_use]
    pub fn origin(&self) -> Vec<String> {
        std::iter::once(&self.in_use)
            .chain(&self.spare)
            .map(|secret| split(secret).1.to_owned())
            .collect()
    }
}

fn split(secret: &str) -> (&str, &str) {
    secret.split_at(secret.len() - ORIGIN_LENGTH)
}

fn is_secret(text: &str) -> bool {
    text.len() >= 32 + ORIGIN_LENGTH
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(key: &str, origin: &str) -> String {
        key.repeat(64) + &origin.repeat(64)
    }

    fn both(in_use: &str) -> Secrets {
        let text = format!("{}.{}", secret("a", "1"), secret("b", "2"));
        Secrets::parse(&text, in_use).unwrap()
    }

    #[test]
    fn the_one_in_use_signs_and_both_are_accepted() {
        let (a, b) = (both("A"), both("B"));
        assert_eq!(a.origin(), ["1".repeat(64), "2".repeat(64)]);
        assert_eq!(b.origin(), ["2".repeat(64), "1".repeat(64)]);
        let (a, b) = (a.keys().unwrap(), b.keys().unwrap());
        let signature = a.sign("session", "text");
        assert_ne!(signature, b.sign("session", "text"));
        assert!(a.verify("session", "text", &signature));
        assert!(b.verify("session", "text", &signature));
        let alone = Secrets::parse(&secret("a", "1"), "A").unwrap();
        assert_eq!(alone.origin(), ["1".repeat(64)]);
        assert!(alone.keys().unwrap().verify("session", "text", &signature));
    }

    #[test]
    fn what_a_deployment_has_not_filled_in_is_refused() {
        let good = secret("a", "1");
        let reference = "{{resolve:secretsmanager:arn:aws:secretsmanager:us-east-1:123456789012:secret:edge-crm-secrets-a-b-0197a3b0-0000-4000-8000-000000000001:SecretString}}";
        for text in [
            "",
            ".",
            "short",
            &format!("{good}."),
            &format!(".{good}"),
            &format!("{good}.{good}.{good}"),
            &format!("{good} "),
            &good.replacen('a', "é", 1),
            reference,
        ] {
            let refused = Secrets::parse(text, "A").unwrap_err();
            assert_eq!(refused, SecretsError::Malformed, "{text:?}");
        }
        for in_use in ["", "a", "C", "AB"] {
            let refused = Secrets::parse(&format!("{good}.{good}"), in_use).unwrap_err();
            assert_eq!(refused, SecretsError::InUse);
        }
        assert_eq!(Secrets::parse(&good, "B").unwrap_err(), SecretsError::InUse);
    }
}
