//! The steps of the workers on outbox records: an action after its commit, and the drain.

use crate::state::{
    Closed, First, Job, Place, Record, Second, Stage, State, Status, Tag, Tags, Worker, Writer,
};
use crate::{Fault, Protocol};

impl Protocol {
    /// Writes the outbox record after the commit. Only for [`Fault::SeparateRecord`].
    pub(crate) fn record(s: &mut State, worker: Worker) -> Option<()> {
        let job = s.jobs[worker as usize].as_mut()?;
        let Stage::Unrecorded(first) = job.stage else {
            return None;
        };
        job.stage = first.closed().map_or(Stage::Begun, Stage::MustPurge);
        s.work[job.writer as usize].first = first;
        Some(())
    }

    /// A drain takes a due record.
    pub(crate) fn take(
        &self,
        s: &mut State,
        worker: Worker,
        writer: Writer,
        record: Record,
    ) -> Option<()> {
        let drains = worker == Worker::Drain || (worker == Worker::OfAnn && !self.inline);
        (drains && s.jobs[worker as usize].is_none()).then_some(())?;
        let stage = match record {
            Record::First => match s.of(writer).first {
                First::Absent => return None,
                First::Unresolved(_) => Stage::Begun,
                First::Resolved(closed) => Stage::MustPurge(closed),
            },
            Record::SecondAt(place) => {
                let second = s.of(writer).second[place as usize]?;
                (second.due <= 0).then_some(())?;
                Stage::MustPurge(Closed {
                    tags: second.tags,
                    ..Closed::default()
                })
            }
        };
        s.jobs[worker as usize] = Some(Job {
            writer,
            record,
            stage,
        });
        Some(())
    }

    /// A worker settles an unresolved record. If marks are open, it closes them and resolves the record.
    /// Otherwise, if none is pending by another record, it deletes the record. Otherwise it leaves the
    /// record. An attempt that is cancelled has no effect and is left out.
    pub(crate) fn settle(&self, s: &mut State, worker: Worker) -> Option<()> {
        let Job { writer, stage, .. } = s.jobs[worker as usize]?;
        matches!(stage, Stage::Begun | Stage::MustDelete).then_some(())?;
        s.jobs[worker as usize] = None;
        let tags = match s.of(writer).first {
            _ if stage == Stage::MustDelete || self.breaks(Fault::DeletesUnresolved) => {
                s.work[writer as usize].first = First::Absent;
                return Some(());
            }
            First::Unresolved(tags) => tags,
            First::Resolved(_) if self.breaks(Fault::ResolvesAgain) => self.tags(),
            // Another worker has resolved or deleted it meanwhile.
            _ => return Some(()),
        };
        let is_pending = |tag| matches!(s.mark(tag).status, Status::Pending(_));
        let rest = Tags::which(|tag| tags.has(tag) && is_pending(tag));
        let since_commit = s.of(writer).commit?;
        let mut job = Job {
            writer,
            record: Record::First,
            stage: Stage::MustDelete,
        };
        if let Some(mut closed) = self.close(s, writer, tags, since_commit) {
            if !self.breaks(Fault::ForgetsRest) {
                closed.rest = rest;
            }
            s.work[writer as usize].first = First::Resolved(closed);
            job.stage = Stage::MustPurge(closed);
            s.jobs[worker as usize] = Some(job);
        } else if !rest.is_empty() {
            // It stays.
        } else if self.breaks(Fault::DeletesResolved) {
            s.jobs[worker as usize] = Some(job);
        } else {
            s.work[writer as usize].first = First::Absent;
        }
        Some(())
    }

    /// After an accepted purge, one transaction deletes the record, notes that the marks are purged,
    /// writes a second record for the young ones, and counts the items. It requires that the record
    /// exists.
    pub(crate) fn conclude(&self, s: &mut State, worker: Worker) -> Option<()> {
        let job = s.jobs[worker as usize]?;
        let Stage::Purged(closed) = job.stage else {
            return None;
        };
        s.jobs[worker as usize] = None;
        match job.record {
            Record::First => self.conclude_first(s, job.writer, closed),
            Record::SecondAt(place) => {
                let done = s.work[job.writer as usize].second[place as usize].take();
                self.spend(s, done.map_or(0, |second| second.tags.count()));
            }
        }
        Some(())
    }

    fn conclude_first(&self, s: &mut State, writer: Writer, closed: Closed) {
        let is_current = is_current(s.of(writer).first, closed);
        if !is_current && !self.breaks(Fault::ConcludesTwice) {
            return;
        }
        for tag in Tag::ALL.into_iter().filter(|&tag| closed.tags.has(tag)) {
            let status = &mut s.marks[tag as usize].status;
            if *status == Status::Pending(writer) || self.breaks(Fault::ConcludesAnyMark) {
                *status = Status::Clear;
            }
        }
        self.spend(s, closed.tags.count());
        let second = self.second_record(closed);
        let work = &mut s.work[writer as usize];
        work.first = match closed.rest {
            rest if rest.is_empty() => First::Absent,
            rest => First::Unresolved(rest),
        };
        if let Some(second) = second {
            let front = is_current && second.tags.has(Tag::List);
            let place = if front { Place::Front } else { Place::Back };
            work.second[place as usize] = Some(second);
        }
    }

    /// The second record, for the young marks.
    fn second_record(&self, closed: Closed) -> Option<Second> {
        let second_due_in = |tag: Tag| {
            let due_in = closed.second_due_in[tag as usize]?;
            let young = match self.fault {
                Some(Fault::NoSecondPurge) => false,
                Some(Fault::YoungSinceNow) => due_in > 0,
                _ => true,
            };
            young.then_some(due_in)
        };
        let due = Tag::ALL.into_iter().filter_map(second_due_in).max()?;
        Some(Second {
            tags: Tags::which(|tag| second_due_in(tag).is_some()),
            due: due.cast_signed(),
        })
    }

    /// A worker crashes, at any stage.
    pub(crate) fn crash(&self, s: &mut State, worker: Worker) -> Option<()> {
        s.jobs[worker as usize]?;
        self.fail(s, worker)
    }

    /// Counts a failure. `None` if there were too many. A failed sweep leaves its records to the next one.
    pub(crate) fn fail(&self, s: &mut State, worker: Worker) -> Option<()> {
        if self.purges {
            s.failures += 1;
        }
        if worker == Worker::Drain || !self.inline {
            s.grace = self.sweep;
        }
        s.jobs[worker as usize] = None;
        (s.failures <= self.failures).then_some(())
    }
}

/// Whether a record is still as a worker read it when it had closed these marks. A record closes the
/// mark of each tag once at most, so the tags tell.
pub(crate) fn is_current(first: First, closed: Closed) -> bool {
    first.closed().is_some_and(|now| now.tags == closed.tags)
}
