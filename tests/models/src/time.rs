//! The constants of the protocol, in ticks.
//!
//! A tick is about ten seconds. The numbers are as small as possible in the product's proportions.
//! What takes less than a second takes no tick, but any number of other steps may come in between.

/// A view that takes this long to respond, or longer, responds with `no-store`. So a cacheable response
/// is sent in the tick in which its view began.
pub const RENDER: u8 = 1;

/// The longest time that a response takes to reach the edge.
pub const NETWORK: u8 = 1;

/// `s-maxage`, in runs in which pages expire.
pub const S_MAXAGE: u8 = 4;

/// The greatest age of a commit. It is longer than every bound, so older commits need not be told apart.
pub const LONG_AGO: u8 = 24;
