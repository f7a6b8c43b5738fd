//! The allowance: marks are opened only if it covers what their purges can cost.

use crate::state::{State, Status, Tag};
use crate::{Allowance, Fault, Protocol};

/// The most items that an opened mark can cost: the first and the second purge.
pub const PRICE: u8 = 2;

impl Allowance {
    /// Whether everything is spent, so that no mark is opened any more.
    pub(crate) fn is_spent(self, spent: u8) -> bool {
        spent + PRICE > self.budget
    }
}

impl Protocol {
    /// Reserves in the current window what the tag's mark can cost, unless the mark is open and that was
    /// done already. `None` if the allowance does not cover it.
    pub(crate) fn reserve(&self, s: &mut State, tag: Tag) -> Option<()> {
        let Some(Allowance { budget, .. }) = self.allowance else {
            return Some(());
        };
        let mark = &mut s.marks[tag as usize];
        let open = mark.status == Status::Open || self.breaks(Fault::ReopensUnreserved);
        if open && mark.reserved {
            return Some(());
        }
        let [this, previous] = &mut s.account.reserved;
        let price = match self.fault {
            Some(Fault::ReservesOne) => 1,
            _ => PRICE,
        };
        let counted = match self.fault {
            Some(Fault::CountsThisWindowOnly) => 0,
            _ => *previous,
        };
        (s.account.spent + counted + *this + price <= budget).then_some(())?;
        *this += price;
        mark.reserved = true;
        Some(())
    }

    /// Moves the windows to the next tick.
    pub(crate) fn age_window(&self, s: &mut State) {
        let Some(Allowance { window, .. }) = self.allowance else {
            return;
        };
        s.account.window += 1;
        if s.account.window == window {
            s.account.window = 0;
            s.account.reserved = [0, s.account.reserved[0]];
            s.marks.iter_mut().for_each(|mark| mark.reserved = false);
        }
    }

    /// Notes that CloudFront charges for items.
    pub(crate) fn charge(&self, s: &mut State, items: u8) {
        if self.allowance.is_some() {
            s.account.bought += items;
        }
    }

    /// Counts items as bought, in the transaction that concludes their purge.
    pub(crate) fn spend(&self, s: &mut State, items: u8) {
        if self.allowance.is_some() {
            s.account.spent += items;
        }
    }
}
