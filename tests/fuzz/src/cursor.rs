//! List cursors and the tokens in links, which are sealed in the same way.

use crate::{keys, other_keys, previous_keys};
use action::{Context, Source};
use jiff::Timestamp;
use std::sync::Arc;

/// Only a cursor that was issued for a list has a position in that list.
pub fn cursor(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let [context, previous, foreign] = [keys(), previous_keys(), other_keys()].map(|keys| {
        let source = Source::new(Timestamp::UNIX_EPOCH, [0; 32]);
        Context::new((), 0, source, Arc::new(keys))
    });
    assert_eq!(context.position("acme:contacts", &text), None, "{text:?}");
    assert_eq!(context.open("invitation", &text), None, "{text:?}");
    for issuer in [&context, &previous] {
        let issued = issuer.cursor("acme:contacts", &text);
        let position = context.position("acme:contacts", &issued);
        assert_eq!(position.as_deref(), Some(&*text));
        assert_eq!(context.position("beta:contacts", &issued), None);
        assert_eq!(context.open("acme:contacts", &issued), None);
        assert_eq!(foreign.position("acme:contacts", &issued), None);
        assert!(!issued.contains(['&', '=', '+', '%', '#', '/']), "{issued}");
        for at in [0, issued.len() / 2, issued.len() - 1] {
            let mut bytes = issued.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8_lossy(&bytes);
            assert_eq!(context.position("acme:contacts", &changed), None);
        }
    }
    // A valid signature over a different text must not be accepted.
    if let Some((claimed, signature)) = text.split_once(' ') {
        let issued = context.cursor("acme:contacts", claimed);
        let valid = issued
            .split_once('.')
            .map_or("", |(_, signature)| signature);
        let forged = format!("{signature}.{valid}");
        let position = context.position("acme:contacts", &forged);
        assert!(position.is_none() || forged == issued, "{forged}");
    }
}
