//! The constants of the protocol, in ticks.
//!
//! A tick is about ten seconds. The numbers are as small as they can be with the proportions
//! kept. What takes less than a second takes no tick, but any number of other steps may come in
//! between.

/// A view that answers this long after it began, or later, says `no-store`: so an answer that is
/// cached was given in the tick in which its view began.
pub const ANSWER: u8 = 1;

/// The longest way of an answer to the edge.
pub const NETWORK: u8 = 1;

/// `s-maxage`, where the model lets pages expire at all.
pub const S_MAXAGE: u8 = 4;

/// Ages of commits end here: what is older than every bound is all the same.
pub const LONG_AGO: u8 = 24;
