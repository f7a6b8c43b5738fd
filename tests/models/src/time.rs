//! The constants of the protocol, in ticks.
//!
//! A tick is about ten seconds. The numbers are as small as they can be with the proportions
//! kept: [`SETTLING`] is [`YOUNG`] + [`ANSWER`] + [`NETWORK`], and an answer, like the lapse of a
//! mark, is compared as the product compares it. What takes less than a second takes no tick, but
//! any number of other steps may come in between.

/// T: so long after `markedAt`, nothing rendered under a mark is on its way to the edge any more.
pub const SETTLING: u8 = 3;

/// Y: the highest age at which a further render may rely on a mark.
pub const YOUNG: u8 = 1;

/// A view that answers this long after it began to mark, or later, says `no-store`.
pub const ANSWER: u8 = 1;

/// The longest way of an answer to the edge.
pub const NETWORK: u8 = 1;

/// From one sweep of the outbox to the next.
pub const SWEEP: u8 = 2;

/// From the acceptance of a purge until its pages are gone.
pub const PURGE: u8 = 1;

/// How long an action that does not crash takes from its commit to its end.
pub const ACTION: u8 = 1;

/// `s-maxage`, where the model lets pages expire at all.
pub const S_MAXAGE: u8 = 4;

/// Ages of commits end here: what is older than every bound is all the same.
pub const LONG_AGO: u8 = 24;

const _: () = assert!(SETTLING == YOUNG + ANSWER + NETWORK);
