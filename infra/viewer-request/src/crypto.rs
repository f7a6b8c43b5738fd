//! The hashing for the runtime's `crypto` module. `runtime.js` has the rest of the module.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rquickjs::{Ctx, Exception, Result};
use sha2::{Digest, Sha256};

/// The digest of `text`; an HMAC if there is a key.
///
/// CloudFront's runtime also has md5 and sha1, and returns a `Buffer` if no encoding is given. The
/// product does not use them, so they throw.
pub(crate) fn digest(
    ctx: Ctx<'_>,
    algorithm: String,
    key: Option<String>,
    text: String,
    encoding: Option<String>,
) -> Result<String> {
    if algorithm != "sha256" {
        return Err(Exception::throw_type(&ctx, "only sha256 is supported"));
    }
    let bytes: [u8; 32] = match key {
        None => Sha256::digest(text).into(),
        Some(key) => Hmac::<Sha256>::new_from_slice(key.as_bytes())
            .map_err(|_| Exception::throw_type(&ctx, "the key cannot be used"))?
            .chain_update(text)
            .finalize()
            .into_bytes()
            .into(),
    };
    match encoding.as_deref() {
        Some("hex") => Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        Some("base64") => Ok(BASE64_STANDARD.encode(bytes)),
        Some("base64url") => Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes)),
        _ => Err(Exception::throw_type(
            &ctx,
            "the encoding must be hex, base64 or base64url",
        )),
    }
}
