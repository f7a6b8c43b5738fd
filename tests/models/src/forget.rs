//! Forgets what no longer makes a difference, so that states that differ only in that become one.

use crate::Protocol;
use crate::state::{Closed, Job, Page, Place, Record, Shown, Stage, State, Tag, Writer};
use crate::time::LONG_AGO;

impl Record {
    /// All records that a writer can have.
    pub(crate) const ALL: [Self; 3] = [
        Self::First,
        Self::SecondBy(Place::Front),
        Self::SecondBy(Place::Back),
    ];
}

impl State {
    /// Notes for every worker that read the mark of this tag that the mark has changed since.
    pub(crate) fn forget_seen(&mut self, tag: Tag) {
        for seen in self.jobs.iter_mut().flatten().filter_map(Job::seen) {
            if let Some(seen) = &mut seen[tag as usize] {
                seen.replaced = true;
            }
        }
    }

    /// Notes the same for marks that are closed or gone: no worker can close them any more.
    fn forget_closed(&mut self) {
        for tag in Tag::ALL {
            if self.marks[tag as usize].is_none_or(|mark| mark.closed != Closed::No) {
                self.forget_seen(tag);
            }
        }
    }

    /// Whether a worker will still read the marks for this writer's commit.
    fn will_read_marks(&self, writer: Writer) -> bool {
        let begun = |job: &Job| matches!(job.stage, Stage::Begun | Stage::Unrecorded);
        let mut jobs = self.jobs.iter().flatten();
        let work = self.of(writer);
        work.first || work.commit.is_none() || jobs.any(|job| job.writer == writer && begun(job))
    }
}

impl Protocol {
    /// Forgets what makes no difference.
    pub(crate) fn forget(&self, s: &mut State) {
        // A page that shows everything cannot become stale.
        let unread = matches!(s.page, Page::Rendering { read: None, .. });
        let shows = if unread {
            Some(s.now_shown())
        } else {
            s.page_shows()
        };
        if shows == Some(Shown::BOTH) {
            s.page = Page::Absent;
        }
        self.forget_marks(s);
        s.forget_closed();
        for writer in Writer::ALL {
            let forgettable = !s.has_pending_work(writer) && !s.is_stale_for(writer);
            match &mut s.work[writer as usize].commit {
                Some(age) if forgettable => *age = LONG_AGO,
                _ => (),
            }
        }
        self.forget_references(s);
    }

    /// A mark matters as long as a worker will still read it. Its age matters up to the age at which it is
    /// young for no commit.
    fn forget_marks(&self, s: &mut State) {
        let readers = Writer::ALL.into_iter().filter(|&w| s.will_read_marks(w));
        let needed = readers
            .map(|w| s.of(w).commit.unwrap_or(0) + self.settling())
            .max();
        let Some(needed) = needed else {
            s.marks = [None; 2];
            return;
        };
        let needed = needed.max(self.expiry.map_or(0, |s_maxage| s_maxage + self.settling()));
        for mark in s.marks.iter_mut().flatten() {
            mark.age = mark.age.min(needed);
        }
    }
}
