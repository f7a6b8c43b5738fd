//! Time, and who must have acted before it goes on.

use crate::state::{Call, Page, Record, State};
use crate::time::{ACTION, ANSWER, LONG_AGO, NETWORK, SETTLING, SWEEP};
use crate::{Fault, Protocol};

impl Protocol {
    /// The next tick, unless somebody has to act in this one.
    pub(crate) fn tick(&self, s: &mut State) -> Option<()> {
        if s.drain.is_some() || late_action(s) || late_sweep(s) {
            return None;
        }
        for mark in &mut s.marks {
            if let Some(m) = mark {
                m.age = m.age.saturating_add(1);
            }
            *mark = mark.filter(|m| !self.has_lapsed(m.age));
        }
        s.page = self.age_page(s.page);
        for work in &mut s.work {
            if let Some(age) = &mut work.commit {
                *age = (*age + 1).min(LONG_AGO);
            }
            if let Some(Call::Owes(owed)) = &mut work.call {
                let young = owed.live.iter_mut().flatten();
                young
                    .filter_map(|seen| seen.again_in.as_mut())
                    .for_each(|t| *t = t.saturating_sub(1));
            }
            if let Some(Record::Second { due, .. }) = &mut work.record {
                *due = (*due - 1).max(-SWEEP.cast_signed());
            }
        }
        s.grace = s.grace.saturating_sub(1);
        Some(())
    }

    fn has_lapsed(&self, age: u8) -> bool {
        self.expiry
            .is_some_and(|s_maxage| age >= s_maxage + SETTLING)
    }

    /// A page a tick later. What has missed its time, as what a purge or its age removes, is gone.
    fn age_page(&self, mut page: Page) -> Page {
        let gone = match &mut page {
            Page::Absent => true,
            Page::Rendering { age, .. } => {
                *age += 1;
                let late = self.fault == Some(Fault::LateAnswerCached);
                *age >= ANSWER + if late { 2 } else { 0 }
            }
            Page::Sent { age, .. } => {
                *age += 1;
                *age > NETWORK
            }
            Page::Cached { age, leaving, .. } => {
                *age += u8::from(self.expiry.is_some());
                let purged = *leaving == Some(0);
                *leaving = leaving.map(|in_ticks| in_ticks.saturating_sub(1));
                purged || self.expiry.is_some_and(|s_maxage| *age >= s_maxage)
            }
        };
        if gone { Page::Absent } else { page }
    }
}

/// An action that does not crash comes to its end.
fn late_action(s: &State) -> bool {
    let late = |age: u8| age >= ACTION;
    s.work
        .iter()
        .any(|work| work.call.is_some() && work.commit.is_some_and(late))
}

/// A sweep that does not fail takes what is due, and there is one in every period.
fn late_sweep(s: &State) -> bool {
    let waits = |record: Record, since_commit: u8| match record {
        Record::First => since_commit >= SWEEP,
        Record::Second { due, .. } => due <= -SWEEP.cast_signed(),
    };
    let missed = s.work.iter().any(|work| {
        work.record
            .zip(work.commit)
            .is_some_and(|(r, c)| waits(r, c))
    });
    s.grace == 0 && missed
}
