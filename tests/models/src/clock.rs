//! Time, and the steps that must come before the next tick.

use crate::state::{
    Closed, First, Job, Page, Second, State, Status, Tag, Tags, Work, Worker, Writer,
};
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
        self.age_window(s);
        for closed in s.jobs.iter_mut().flatten().filter_map(Job::closed) {
            age_closed(closed);
        }
        for work in &mut s.work {
            if let Some(age) = &mut work.commit {
                *age = (*age + 1).min(LONG_AGO);
            }
            if let First::Resolved(closed) = &mut work.first {
                age_closed(closed);
            }
            work.prepared.iter_mut().for_each(age_closed);
            for second in work.second.iter_mut().flatten() {
                second.due = (second.due - 1).max(-self.sweep.cast_signed());
            }
        }
        s.grace = s.grace.saturating_sub(1);
        Some(())
    }

    fn age_mark(&self, s: &mut State, tag: Tag) {
        let mark = &mut s.marks[tag as usize];
        mark.age = mark.age.saturating_add(1);
        mark.changed = (mark.changed + 1).min(self.unchanged());
        if self.life().is_some_and(|life| mark.age >= life) {
            mark.status = Status::Clear;
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
                let caches_late = self.breaks(Fault::LateResponseCached);
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
        let missed = |writer: Writer| self.is_missed(s, writer);
        Worker::ALL.into_iter().any(late) || (s.grace == 0 && Writer::ALL.into_iter().any(missed))
    }

    /// Whether a record has been due for a whole sweep period, in which a sweep must have taken it. A sweep
    /// leaves a record that waits for another.
    fn is_missed(&self, s: &State, writer: Writer) -> bool {
        let Work {
            commit,
            first,
            second,
            ..
        } = *s.of(writer);
        let missed = |second: Second| second.due <= -self.sweep.cast_signed();
        let first_is_due = match first {
            First::Absent => false,
            First::Unresolved(tags) => !s.is_waiting(tags),
            First::Resolved(_) => true,
        };
        let first_is_missed = first_is_due && commit.is_some_and(|age| age >= self.sweep);
        first_is_missed || second.into_iter().flatten().any(missed)
    }
}

impl State {
    /// Whether an unresolved record of these tags waits for the purges of other records.
    pub(crate) fn is_waiting(&self, tags: Tags) -> bool {
        let any = |is: fn(Status) -> bool| {
            let mut tags = Tag::ALL.into_iter().filter(|&tag| tags.has(tag));
            tags.any(|tag| is(self.mark(tag).status))
        };
        any(|status| matches!(status, Status::Pending(_))) && !any(|status| status == Status::Open)
    }
}

fn age_closed(closed: &mut Closed) {
    for due_in in closed.second_due_in.iter_mut().flatten() {
        *due_in = due_in.saturating_sub(1);
    }
}
