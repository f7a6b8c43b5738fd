//! The part of the runtime's `crypto` module that is computed here.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rquickjs::{Ctx, Exception, Result};
use sha2::{Digest, Sha256};

/// The digest of `text`, keyed where there is a key.
///
/// The runtime knows md5 and sha1 too, and a `Buffer` where no encoding is named. Nothing here
/// uses them, so they throw.
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
            "the encoding is hex, base64 or base64url",
        )),
    }
}
