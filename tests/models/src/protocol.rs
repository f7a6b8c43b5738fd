//! What is explored: the protocol or a broken variant, and how much of it.

use crate::time::{ANSWER, NETWORK};

/// The protocol, or one of its broken variants, and the limits of one exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Which rule is broken, if any.
    pub fault: Option<Fault>,
    /// Which page is followed.
    pub follows: Follows,
    /// Whether there is a second tag, which every change touches too.
    pub two_tags: bool,
    /// Whether actions purge before they answer. If not, two drains do it all, and race.
    pub inline: bool,
    /// How many ticks an action that does not crash takes at most.
    pub patience: u8,
    /// How many ticks a view may take from its look at the clock to the write of its mark.
    /// Meanwhile a younger view may have written its own, and the older time replaces the
    /// younger.
    pub write: u8,
    /// From one sweep of the outbox to the next, in ticks.
    pub sweep: u8,
    /// Whether CloudFront accepts purges at all.
    pub purges: bool,
    /// How many failures there may be. Where CloudFront accepts nothing, none is counted.
    pub failures: u8,
    /// `s-maxage`, or pages that stay until they are purged.
    pub expiry: Option<u8>,
}

impl Protocol {
    /// As it runs by default, with one tag and any two failures.
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

    /// T: so long after `markedAt`, nothing rendered under a mark is on its way to the edge any
    /// more.
    pub const fn settling(&self) -> u8 {
        match self.fault {
            Some(Fault::SettlesTooSoon) => ANSWER + NETWORK,
            _ => ANSWER + NETWORK + self.write,
        }
    }

    /// The same with this rule broken.
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

/// The one page that is followed. Others are seen only by the marks they leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Follows {
    /// A page under the key that everybody of the same organisation and role shares.
    Shared,
    /// A page under the key with the `fresh` value that Ann got with the answer to her action.
    FreshOfAnn,
    /// None: only the outbox is looked at.
    Nothing,
}

/// A rule of the protocol that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The view reads before it marks.
    ReadsFirst,
    /// An answer is cacheable however late it is.
    LateAnswerCached,
    /// The outbox record is written after the commit.
    RecordApart,
    /// A mark is closed before its purge is accepted, and nobody remembers by whom.
    ClosesEarly,
    /// A mark is closed before its purge is accepted, for a record that finds it live again; the
    /// second record is written only if the first is still there.
    ClosesForRecord,
    /// A mark is closed even if it is not the one that was seen.
    ClosesAnyMark,
    /// A young mark gets no second purge.
    NoSecondPurge,
    /// A mark is young if it is when the purge is accepted, not if it was at the commit.
    YoungSinceNow,
    /// The CallerReference is made of the tags only.
    ReferenceOfTags,
    /// T leaves out that an older mark may be written over a younger one.
    SettlesTooSoon,
}
