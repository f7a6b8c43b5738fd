//! Session tokens.

use crate::{keys, other_keys, previous_keys};
use auth::Token;

/// Only a signed text is a token, and the token has exactly the signed claims.
pub fn session(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let keys = keys();
    // No fuzzer guesses a signature, so its raw input is never a token.
    assert_eq!(Token::verify(&text, &keys), None, "{text:?}");
    for signer in [&keys, &previous_keys()] {
        let signed = format!("{text}.{}", signer.sign("session", &text));
        let Some(token) = Token::verify(&signed, &keys) else {
            continue;
        };
        // Signing the parsed token again gives the same token.
        let again = token.sign(signer);
        assert_eq!(Token::verify(&again, &keys).as_ref(), Some(&token));
        assert_eq!(Token::verify(&signed, &other_keys()), None);
        let other_purpose = format!("{text}.{}", signer.sign("cursor session", &text));
        assert_eq!(Token::verify(&other_purpose, &keys), None);
        let at = data.len() / 2;
        let mut bytes = signed.into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8_lossy(&bytes);
        assert_eq!(Token::verify(&changed, &keys), None, "{changed:?}");
    }
}
