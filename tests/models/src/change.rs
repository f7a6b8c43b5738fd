//! A writer's commit, in one of three ways.

use crate::state::{Closed, First, Job, Record, Stage, State, Status, Tag, Tags, Work, Writer};
use crate::{Fault, Follows, Protocol};

/// How a commit treats the marks of its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It requires that no mark is open or pending, and writes no outbox record.
    Quiet,
    /// It closes the open marks, and writes the outbox record that will purge them. No mark may be
    /// pending.
    Closing,
    /// It touches no mark, and writes an unresolved outbox record.
    RecordOnly,
}

impl Way {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::Quiet, Self::Closing, Self::RecordOnly];
}

impl Protocol {
    /// The tags of every commit.
    pub(crate) fn tags(&self) -> Tags {
        Tags::which(|tag| tag == Tag::List || self.two_tags)
    }

    /// The transaction with the data. An attempt that is cancelled has no effect and is left out.
    pub(crate) fn commit(&self, s: &mut State, writer: Writer, way: Way) -> Option<()> {
        self.may_commit(s, writer).then_some(())?;
        let is_pending = |tag| matches!(s.mark(tag).status, Status::Pending(_));
        let pending = Tag::ALL.into_iter().any(is_pending);
        let first = match way {
            Way::Quiet => self.is_quiet(s).then_some(First::Absent)?,
            Way::Closing => First::Resolved((!pending).then(|| self.close_seen(s, writer))??),
            Way::RecordOnly => {
                (pending || self.contention).then_some(())?;
                First::Unresolved(self.tags())
            }
        };
        if way != Way::RecordOnly && self.quiet > 0 {
            let touched = Tag::ALL.into_iter().filter(|&tag| self.tags().has(tag));
            touched.for_each(|tag| s.marks[tag as usize].changed = 0);
        }
        let separate = self.breaks(Fault::SeparateRecord) && first != First::Absent;
        s.work[writer as usize] = Work {
            commit: Some(0),
            first: if separate { First::Absent } else { first },
            ..Work::default()
        };
        let stage = match first {
            First::Absent => return Some(()),
            _ if separate => Stage::Unrecorded(first),
            First::Unresolved(_) => Stage::Begun,
            First::Resolved(closed) => Stage::MustPurge(closed),
        };
        if self.inline {
            s.jobs[writer as usize] = Some(Job {
                writer,
                record: Record::First,
                stage,
            });
        }
        Some(())
    }

    /// Whether the writer may commit. If the writers are interchangeable, Ann commits first.
    fn may_commit(&self, s: &State, writer: Writer) -> bool {
        let interchangeable = self.follows != Follows::FreshOfAnn;
        let in_order = !interchangeable || writer == Writer::Ann || s.has_committed(Writer::Ann);
        let again = self.repeats && !s.has_pending_work(writer);
        in_order && (again || !s.has_committed(writer))
    }

    /// Whether nothing is cached under the tags but what second records purge.
    fn is_quiet(&self, s: &State) -> bool {
        let allows = |status: Status| match self.fault {
            Some(Fault::QuietUnchecked) => true,
            Some(Fault::QuietWhilePending) => status != Status::Open,
            _ => status == Status::Clear,
        };
        s.marks.iter().all(|mark| allows(mark.status))
    }

    /// Reads the marks that a commit will close. Only for [`Fault::ClosesAnyRender`]: otherwise a
    /// commit that has read other marks than there are now is cancelled.
    pub(crate) fn prepare(&self, s: &mut State, writer: Writer) -> Option<()> {
        let may = self.breaks(Fault::ClosesAnyRender) && self.may_commit(s, writer);
        may.then_some(())?;
        let mut read = *s;
        s.work[writer as usize].prepared = Some(self.close(&mut read, writer, self.tags(), 0)?);
        Some(())
    }

    fn close_seen(&self, s: &mut State, writer: Writer) -> Option<Closed> {
        let now = self.close(s, writer, self.tags(), 0)?;
        if self.breaks(Fault::ClosesAnyRender) {
            return s.of(writer).prepared;
        }
        Some(now)
    }

    /// Closes the open ones of these tags on behalf of a writer's record. `None` if there are none.
    pub(crate) fn close(
        &self,
        s: &mut State,
        writer: Writer,
        tags: Tags,
        since_commit: u8,
    ) -> Option<Closed> {
        let mut closed = Closed {
            tags: Tags::which(|tag| tags.has(tag) && s.mark(tag).status == Status::Open),
            ..Closed::default()
        };
        for tag in Tag::ALL.into_iter().filter(|&tag| closed.tags.has(tag)) {
            let mark = &mut s.marks[tag as usize];
            mark.status = Status::Pending(writer);
            let young = mark.age < since_commit + self.settling();
            let due_in = self.settling().saturating_sub(mark.age);
            closed.second_due_in[tag as usize] = young.then_some(due_in);
            if self.breaks(Fault::TakesBack) {
                let window = usize::from(!mark.reserved);
                let reserved = &mut s.account.reserved[window];
                *reserved = reserved.saturating_sub(crate::allowance::PRICE);
            }
        }
        (!closed.tags.is_empty()).then_some(closed)
    }
}
