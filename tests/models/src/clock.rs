//! Time, and the steps that must come before the next tick.

use crate::state::{Job, Page, State, Tag, Work, Worker, Writer};
use crate::time::{LONG_AGO, NETWORK};
use crate::{Fault, Protocol};

impl Protocol {
    /// Moves to the next tick, unless a step is still due in this one.
    pub(crate) fn tick(&self, s: &mut State) -> Option<()> {
        (!self.is_any_step_due(s)).then_some(())?;
        s.page = self.age_page(s.page);
        for tag in Tag::ALL {
            self.age_mark(s, tag);
        }
        for seen in s.jobs.iter_mut().flatten().filter_map(Job::seen) {
            let young = seen.iter_mut().flatten();
            young
                .filter_map(|seen| seen.second_due_in.as_mut())
                .for_each(|t| *t = t.saturating_sub(1));
        }
        for work in &mut s.work {
            if let Some(age) = &mut work.commit {
                *age = (*age + 1).min(LONG_AGO);
            }
            for second in work.second.iter_mut().flatten() {
                second.due = (second.due - 1).max(-self.sweep.cast_signed());
            }
        }
        s.grace = s.grace.saturating_sub(1);
        Some(())
    }

    fn age_mark(&self, s: &mut State, tag: Tag) {
        let Some(mark) = &mut s.marks[tag as usize] else {
            return;
        };
        mark.age = mark.age.saturating_add(1);
        let lapse = self.expiry.map(|s_maxage| s_maxage + self.settling());
        if lapse.is_some_and(|lapse| mark.age >= lapse) {
            s.marks[tag as usize] = None;
            s.forget_seen(tag);
        }
    }

    /// Returns the page one tick later. A page that is late or has expired is gone.
    fn age_page(&self, mut page: Page) -> Page {
        let gone = match &mut page {
            Page::Absent => true,
            // Its response is late, so it is not cached.
            Page::Rendering { .. } => true,
            Page::Sent { age, .. } => {
                *age += 1;
                let caches_late = self.fault == Some(Fault::LateResponseCached);
                *age > NETWORK + if caches_late { self.settling() } else { 0 }
            }
            Page::Cached { age, .. } => {
                *age += u8::from(self.expiry.is_some());
                self.expiry.is_some_and(|s_maxage| *age >= s_maxage)
            }
        };
        if gone { Page::Absent } else { page }
    }

    fn is_any_step_due(&self, s: &State) -> bool {
        let late = |worker: Worker| match (s.jobs[worker as usize], worker) {
            (None, _) => false,
            // Unless it crashes, a drain finishes a record in the tick in which it took it.
            (Some(_), Worker::Drain) => true,
            (Some(_), _) if !self.inline => true,
            (Some(job), _) => s
                .of(job.writer)
                .commit
                .is_none_or(|age| age >= self.patience),
        };
        let missed = |writer: Writer| self.is_missed(s.of(writer));
        Worker::ALL.into_iter().any(late) || (s.grace == 0 && Writer::ALL.into_iter().any(missed))
    }

    /// Whether a record has been due for a whole sweep period, in which a sweep must have taken it.
    fn is_missed(&self, work: &Work) -> bool {
        let since_due = -self.sweep.cast_signed();
        let first = work.first && work.commit.is_some_and(|age| age >= self.sweep);
        let mut second = work.second.iter().flatten();
        first || second.any(|second| second.due <= since_due)
    }
}
