//! Forgets what no longer makes a difference, so that states that differ only in that become one.

use crate::state::{Closed, First, Mark, Page, Place, Record, Shown, Stage, State, Status, Writer};
use crate::time::LONG_AGO;
use crate::worker::is_current;
use crate::{Fault, Protocol};

impl Record {
    /// All records that a writer can have.
    pub(crate) const ALL: [Self; 3] = [
        Self::First,
        Self::SecondAt(Place::Front),
        Self::SecondAt(Place::Back),
    ];
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
        self.forget_closed(s);
        for writer in Writer::ALL {
            let forgettable = !s.has_pending_work(writer) && !s.is_stale_for(writer);
            match &mut s.work[writer as usize].commit {
                Some(age) if forgettable => *age = LONG_AGO,
                _ => (),
            }
        }
        self.forget_references(s);
        if let Some(allowance) = self.allowance
            && allowance.is_spent(s.account.spent)
        {
            s.account.reserved = [0; 2];
        }
    }

    /// Whether a writer will still read the marks for a commit, or a worker for a record.
    fn will_read_marks(&self, s: &State, writer: Writer) -> bool {
        let reads = |stage| matches!(stage, Stage::Unrecorded(_) | Stage::Begun);
        let mut jobs = s.jobs.iter().flatten();
        let work = s.of(writer);
        self.repeats
            || work.commit.is_none()
            || matches!(work.first, First::Unresolved(_))
            || work
                .first
                .closed()
                .is_some_and(|closed| !closed.rest.is_empty())
            || jobs.any(|job| job.writer == writer && reads(job.stage))
    }

    /// A mark matters as long as somebody will still read it. Its age matters while it is open, up to the
    /// age at which it is young for no commit, or until it lapses.
    fn forget_marks(&self, s: &mut State) {
        let readers = Writer::ALL
            .into_iter()
            .filter(|&w| self.will_read_marks(s, w));
        let needed = readers
            .map(|w| s.of(w).commit.unwrap_or(0) + self.settling())
            .max();
        let Some(needed) = needed else {
            s.marks = State::start(self.unchanged()).marks;
            return;
        };
        for mark in &mut s.marks {
            let needed = match (mark.status, self.life()) {
                (Status::Clear, _) | (Status::Pending(_), None) => 0,
                (Status::Pending(_), Some(life)) => life,
                (Status::Open, life) => needed.max(life.unwrap_or(0)),
            };
            let reopens = self.breaks(Fault::ReopensUnreserved);
            *mark = Mark {
                age: mark.age.min(needed),
                reserved: mark.reserved && (mark.status == Status::Open || reopens),
                ..*mark
            };
        }
    }

    /// A worker whose record is done by another does nothing more than perhaps repeat its purge.
    fn forget_closed(&self, s: &mut State) {
        if self.breaks(Fault::ConcludesTwice) {
            return;
        }
        let work = s.work;
        for job in s.jobs.iter_mut().flatten() {
            let first = work[job.writer as usize].first;
            if let Some(closed) = job.closed()
                && !is_current(first, *closed)
            {
                *closed = Closed {
                    tags: closed.tags,
                    ..Closed::default()
                };
            }
        }
    }
}
