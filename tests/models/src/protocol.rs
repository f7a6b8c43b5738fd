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
    /// Whether a commit may meet a conflict on a mark at any time.
    pub contention: bool,
    /// The quiet time: a view marks a tag only if it has not changed for this many ticks. If it is 0, a
    /// view may always mark.
    pub quiet: u8,
    /// The allowance of items, if any.
    pub allowance: Option<Allowance>,
    /// Whether a writer whose change is done may change the data again.
    pub repeats: bool,
}

impl Protocol {
    /// The product's defaults, with one tag, no quiet time, no allowance and up to two failures.
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
            contention: true,
            quiet: 0,
            allowance: None,
            repeats: false,
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

    /// The time after which a mark lapses, if it does.
    pub fn life(&self) -> Option<u8> {
        self.expiry.map(|s_maxage| s_maxage + self.settling())
    }

    /// The time since a change that makes no difference any more to when a view may mark.
    pub const fn unchanged(&self) -> u8 {
        match self.quiet {
            0 => 0,
            quiet => quiet + self.write,
        }
    }

    /// The defaults with this rule broken.
    pub const fn with(fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..Self::new()
        }
    }

    /// Whether this rule is broken.
    pub(crate) fn breaks(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }
}

impl Default for Protocol {
    fn default() -> Self {
        Self::new()
    }
}

/// The items that may be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The number of items.
    pub budget: u8,
    /// The length of a window, in ticks.
    pub window: u8,
    /// The most items that may be bought beyond the budget for each failure.
    pub overshoot: u8,
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
    /// A view that marks leaves a closed mark closed.
    KeepsClosed,
    /// A quiet commit does not look at the marks.
    QuietUnchecked,
    /// A quiet commit requires that no mark is open, but a mark may be pending.
    QuietWhilePending,
    /// A commit closes a mark even if it was renewed after the commit read it.
    ClosesAnyRender,
    /// The outbox record is written after the commit, in a separate step.
    SeparateRecord,
    /// An unresolved record is deleted without a look at the marks.
    DeletesUnresolved,
    /// An unresolved record is resolved again by a worker that has not seen that another worker has
    /// resolved it.
    ResolvesAgain,
    /// A worker that has found no open mark deletes its record, which another worker has resolved
    /// meanwhile.
    DeletesResolved,
    /// A record that is resolved forgets its tags that are pending by other records.
    ForgetsRest,
    /// The conclusion counts a mark as purged even if it was opened again, or closed by another record.
    ConcludesAnyMark,
    /// The conclusion writes a second record even if the first is gone.
    ConcludesTwice,
    /// A young mark gets no second purge.
    NoSecondPurge,
    /// The age of a mark is judged when the purge is accepted, not at the commit.
    YoungSinceNow,
    /// The CallerReference consists of the tags only.
    ReferenceOfTags,
    /// The CallerReference depends on which other records are purged in the same call.
    ReferenceOfCall,
    /// T does not allow for an older mark that replaces a younger one.
    SettlesTooSoon,
    /// Opening a mark reserves one item.
    ReservesOne,
    /// The reservation of a mark ends when the mark is closed.
    TakesBack,
    /// Only what was reserved in the current window counts.
    CountsThisWindowOnly,
    /// A mark that was closed is opened with the reservation that it had.
    ReopensUnreserved,
}
