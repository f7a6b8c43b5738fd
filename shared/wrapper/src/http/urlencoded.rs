//! `application/x-www-form-urlencoded`
//! ([URL Standard](https://url.spec.whatwg.org/#urlencoded-parsing)), but strict about UTF-8: invalid
//! bytes are refused, not replaced.

use crate::Failure;
use crate::http::fields::Fields;
use percent_encoding::percent_decode;

/// The fields in `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Result<Fields, Failure> {
    let mut fields = Fields::default();
    for pair in bytes.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |b| *b == b'=');
        let name = decode(halves.next().unwrap_or_default())?;
        let value = decode(halves.next().unwrap_or_default())?;
        fields.insert(name, value)?;
    }
    Ok(fields)
}

/// Decodes a name or a value.
fn decode(bytes: &[u8]) -> Result<String, Failure> {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|b| if *b == b'+' { b' ' } else { *b })
        .collect();
    String::from_utf8(percent_decode(&spaced).collect())
        .map_err(|_| Failure::unreadable("The form is not valid UTF-8"))
}
