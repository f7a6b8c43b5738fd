//! The steps of the workers on outbox records: an action after its commit, and the drain.

use crate::state::{
    Closed, Job, Mark, Record, Second, Seen, Stage, State, Tag, Tags, Work, Worker, Writer,
};
use crate::{Fault, Follows, Protocol};

impl Protocol {
    /// The tags of every commit.
    fn tags(&self) -> Tags {
        Tags::which(|tag| tag == Tag::List || self.two_tags)
    }

    /// The transaction that writes the data and the outbox record. If the writers are interchangeable,
    /// Ann commits first.
    pub(crate) fn commit(&self, s: &mut State, writer: Writer) -> Option<()> {
        let interchangeable = self.follows != Follows::FreshOfAnn;
        let in_order = !interchangeable || writer == Writer::Ann || s.has_committed(Writer::Ann);
        (in_order && !s.has_committed(writer)).then_some(())?;
        let separate = self.fault == Some(Fault::SeparateRecord);
        s.work[writer as usize] = Work {
            commit: Some(0),
            first: !separate,
            ..Work::default()
        };
        if self.inline {
            let stage = if separate {
                Stage::Unrecorded
            } else {
                Stage::Begun
            };
            s.jobs[writer as usize] = Some(Job {
                writer,
                record: Record::First,
                stage,
            });
        }
        Some(())
    }

    /// Writes the outbox record after the commit. Only for [`Fault::SeparateRecord`].
    pub(crate) fn record(s: &mut State, worker: Worker) -> Option<()> {
        let job = s.jobs[worker as usize].as_mut()?;
        (job.stage == Stage::Unrecorded).then_some(())?;
        job.stage = Stage::Begun;
        s.work[job.writer as usize].first = true;
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
            Record::First => s.of(writer).first.then_some(Stage::Begun)?,
            Record::SecondBy(place) => {
                let second = s.of(writer).second[place as usize]?;
                (second.due <= 0).then_some(())?;
                let seen = Seen {
                    second_due_in: None,
                    replaced: true,
                };
                Stage::MustPurge(Tag::ALL.map(|tag| second.tags.has(tag).then_some(seen)))
            }
        };
        s.jobs[worker as usize] = Some(Job {
            writer,
            record,
            stage,
        });
        Some(())
    }

    /// A worker reads the marks. If none is live, it deletes the record and is done. The action does both
    /// in one transaction.
    pub(crate) fn read_marks(&self, s: &mut State, worker: Worker) -> Option<()> {
        let Job { writer, stage, .. } = s.jobs[worker as usize]?;
        (stage == Stage::Begun).then_some(())?;
        let since_commit = s.of(writer).commit?;
        let seen_if_live = |tag: Tag| {
            let mark = s.marks[tag as usize]?;
            let live = self.tags().has(tag) && is_live(mark, writer);
            let young = mark.age < since_commit + self.settling();
            live.then_some(Seen {
                second_due_in: young.then_some(self.settling().saturating_sub(mark.age)),
                replaced: false,
            })
        };
        let live = Tag::ALL.map(seen_if_live);
        if live == [None; 2] {
            s.work[writer as usize].first = false;
            s.jobs[worker as usize] = None;
        } else {
            s.jobs[worker as usize].as_mut()?.stage = Stage::MustPurge(live);
        }
        Some(())
    }

    /// Closes marks before their purge is accepted. Only in the broken variants that do so.
    pub(crate) fn close_early(&self, s: &mut State, worker: Worker) -> Option<()> {
        let Job {
            writer,
            record,
            stage,
        } = s.jobs[worker as usize]?;
        let closed = match self.fault {
            Some(Fault::ClosesEarly) => Closed::Yes,
            Some(Fault::ClosesForRecord) => Closed::For(writer),
            _ => return None,
        };
        match stage {
            Stage::MustPurge(seen) if record == Record::First => self.close(s, seen, closed),
            _ => None,
        }
    }

    /// Closes the marks that are still open and unchanged since the worker read them.
    fn close(&self, s: &mut State, seen: [Option<Seen>; 2], closed: Closed) -> Option<()> {
        let mut done = None;
        for (mark, seen) in s.marks.iter_mut().zip(seen) {
            let Some((mark, seen)) = mark.as_mut().zip(seen) else {
                continue;
            };
            let unchanged = !seen.replaced || self.fault == Some(Fault::ClosesAnyMark);
            if unchanged && mark.closed == Closed::No {
                mark.closed = closed;
                done = Some(());
            }
        }
        done
    }

    /// After an accepted purge, one transaction closes the unchanged marks, deletes the record, and writes
    /// a second record for the young marks.
    pub(crate) fn conclude(&self, s: &mut State, worker: Worker) -> Option<()> {
        let job = s.jobs[worker as usize]?;
        let Stage::Purged(seen) = job.stage else {
            return None;
        };
        let at_first = job.record == Record::First;
        let early = matches!(
            self.fault,
            Some(Fault::ClosesEarly | Fault::ClosesForRecord)
        );
        if at_first && !early {
            self.close(s, seen, Closed::Yes);
        }
        s.jobs[worker as usize] = None;
        let work = &mut s.work[job.writer as usize];
        let fails = self.fault == Some(Fault::ClosesForRecord) && at_first && !work.first;
        match job.record {
            Record::First => work.first = false,
            Record::SecondBy(place) => work.second[place as usize] = None,
        }
        let second = self.second_record(seen);
        if second.is_some() && !fails {
            work.second[worker.place() as usize] = second;
        }
        Some(())
    }

    /// The second record, for the young marks.
    fn second_record(&self, seen: [Option<Seen>; 2]) -> Option<Second> {
        let second_due_in = |tag: Tag| {
            let second_due_in = seen[tag as usize]?.second_due_in?;
            let young = match self.fault {
                Some(Fault::NoSecondPurge) => false,
                Some(Fault::YoungSinceNow) => second_due_in > 0,
                _ => true,
            };
            young.then_some(second_due_in)
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

/// Whether a mark is live for a writer's record.
fn is_live(mark: Mark, writer: Writer) -> bool {
    mark.closed == Closed::No || mark.closed == Closed::For(writer)
}
