//! What can make no difference any more is forgotten, so that states which differ in nothing else
//! are one.

use crate::Protocol;
use crate::state::{Closed, Job, Page, Place, Record, Shown, Stage, State, Tag, Writer};
use crate::time::LONG_AGO;

impl Record {
    /// All that a writer can have.
    pub(crate) const ALL: [Self; 3] = [
        Self::First,
        Self::SecondBy(Place::Front),
        Self::SecondBy(Place::Back),
    ];
}

impl State {
    /// Whoever has seen a mark of this tag has not seen the one that is there now.
    pub(crate) fn forget_seen(&mut self, tag: Tag) {
        for seen in self.jobs.iter_mut().flatten().filter_map(Job::seen) {
            if let Some(seen) = &mut seen[tag as usize] {
                seen.replaced = true;
            }
        }
    }

    /// A mark that is closed, or gone, cannot be closed as the one that was seen.
    fn forget_closed(&mut self) {
        for tag in Tag::ALL {
            if self.marks[tag as usize].is_none_or(|mark| mark.closed != Closed::No) {
                self.forget_seen(tag);
            }
        }
    }

    /// Whether somebody is going to look at the marks for this writer's commit.
    fn is_looked_for(&self, writer: Writer) -> bool {
        let begun = |job: &Job| matches!(job.stage, Stage::Begun | Stage::Unrecorded);
        let mut jobs = self.jobs.iter().flatten();
        let work = self.of(writer);
        work.first || work.commit.is_none() || jobs.any(|job| job.writer == writer && begun(job))
    }
}

impl Protocol {
    /// Forgets.
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
            let forgettable = !s.is_owed(writer) && !s.is_stale_for(writer);
            match &mut s.work[writer as usize].commit {
                Some(age) if forgettable => *age = LONG_AGO,
                _ => (),
            }
        }
        self.forget_references(s);
    }

    /// The age of a mark matters up to where it is young for no commit, and the mark itself as
    /// long as somebody is going to look at it.
    fn forget_marks(&self, s: &mut State) {
        let looked = Writer::ALL.into_iter().filter(|&w| s.is_looked_for(w));
        let needed = looked
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
