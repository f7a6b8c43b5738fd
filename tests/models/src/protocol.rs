//! The settings of one exploration: the protocol or a broken variant, and its limits.

use crate::time::{NETWORK, RENDER};

/// The protocol or one of its broken variants, and the limits of one exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// The broken rule, if any.
    pub fault: Option<Fault>,
    /// The page to follow.
    pub follows: Follows,
    /// Whether there is a second tag. Every change touches it too.
    pub two_tags: bool,
    /// Whether actions purge before they respond. If not, two drains do all purges, and race.
    pub inline: bool,
    /// The most ticks that an action takes after its commit, unless it crashes.
    pub patience: u8,
    /// The most ticks from when a view reads the clock until it writes its mark. In the meantime a later
    /// view may write its mark, which the older time then replaces.
    pub write: u8,
    /// The ticks from one sweep of the outbox to the next.
    pub sweep: u8,
    /// Whether CloudFront accepts purges at all.
    pub purges: bool,
    /// The most failures. If CloudFront accepts no purge, failures are not counted.
    pub failures: u8,
    /// `s-maxage`. `None` if pages stay until they are purged.
    pub expiry: Option<u8>,
}

impl Protocol {
    /// The product's defaults, with one tag and up to two failures.
    pub const fn new() -> Self {
        Self {
            fault: None,
            follows: Follows::Shared,
            two_tags: false,
            inline: true,
            patience: 1,
            write: 1,
            sweep: 2,
            purges: true,
            failures: 2,
            expiry: None,
        }
    }

    /// T: this long after `markedAt`, no page that was rendered under the mark is still on its way to the
    /// edge.
    pub const fn settling(&self) -> u8 {
        match self.fault {
            Some(Fault::SettlesTooSoon) => RENDER + NETWORK,
            _ => RENDER + NETWORK + self.write,
        }
    }

    /// The defaults with this rule broken.
    pub const fn with(fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..Self::new()
        }
    }
}

impl Default for Protocol {
    fn default() -> Self {
        Self::new()
    }
}

/// The page to follow. Of other pages the model has only their marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Follows {
    /// A page under the cache key that all users with the same organisation and role share.
    Shared,
    /// A page under the cache key with the `fresh` value from the response to Ann's action.
    FreshOfAnn,
    /// No page: only the outbox is checked.
    Nothing,
}

/// A rule that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A view reads before it marks.
    ReadsFirst,
    /// A response is cacheable even if it is late.
    LateResponseCached,
    /// The outbox record is written after the commit, in a separate step.
    SeparateRecord,
    /// A mark is closed before its purge is accepted, without a note of the record.
    ClosesEarly,
    /// A mark is closed before its purge is accepted, with a note of the record, for which it stays live.
    /// The second record is written only if the first still exists.
    ClosesForRecord,
    /// A mark is closed even if it was replaced after the worker read it.
    ClosesAnyMark,
    /// A young mark gets no second purge.
    NoSecondPurge,
    /// The age of a mark is judged when the purge is accepted, not at the commit.
    YoungSinceNow,
    /// The CallerReference consists of the tags only.
    ReferenceOfTags,
    /// T does not allow for an older mark that replaces a younger one.
    SettlesTooSoon,
}
