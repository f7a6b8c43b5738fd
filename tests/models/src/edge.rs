//! CloudFront's side of a purge.

use crate::state::{First, Job, Page, Record, Stage, State, Tag, Tags, Worker, Writer};
use crate::{Fault, Protocol, Reply};

impl Protocol {
    /// A worker calls CreateInvalidation. If it gets no success, it leaves the record to the drain.
    pub(crate) fn purge(&self, s: &mut State, worker: Worker, reply: Reply) -> Option<()> {
        let job = s.jobs[worker as usize]?;
        let Stage::MustPurge(closed) = job.stage else {
            return None;
        };
        let tags = closed.tags;
        if reply != Reply::Refused {
            self.purges.then_some(())?;
            let reference = self.reference(&job, tags);
            let repeated = s.references & reference != 0;
            s.references |= reference;
            if !repeated {
                self.charge(s, tags.count());
            }
            accept(s, tags, repeated);
        }
        if reply == Reply::Accepted {
            s.jobs[worker as usize].as_mut()?.stage = Stage::Purged(closed);
            return Some(());
        }
        self.fail(s, worker)
    }

    /// The CallerReference as a bit. It consists of the record's key and the tags.
    fn reference(&self, job: &Job, tags: Tags) -> u32 {
        match self.fault {
            Some(Fault::ReferenceOfTags) => 1 << tags.0,
            Some(Fault::ReferenceOfCall) => 0,
            _ => 1 << (of_record(job.writer, job.record) + tags.0),
        }
    }

    /// Drops the references of finished records, which no worker sends again.
    pub(crate) fn forget_references(&self, s: &mut State) {
        if self.breaks(Fault::ReferenceOfTags) {
            return;
        }
        for writer in Writer::ALL {
            for record in Record::ALL {
                let work = s.of(writer);
                let exists = match record {
                    Record::First => work.first != First::Absent,
                    Record::SecondAt(place) => work.second[place as usize].is_some(),
                };
                let mut jobs = s.jobs.iter().flatten();
                if !exists && !jobs.any(|job| job.writer == writer && job.record == record) {
                    s.references &= !(0b1111 << of_record(writer, record));
                }
            }
        }
    }
}

/// The first bit of a record's references.
fn of_record(writer: Writer, record: Record) -> u8 {
    let record = match record {
        Record::First => 0,
        Record::SecondAt(place) => 1 + place as u8,
    };
    4 * (3 * writer as u8 + record)
}

/// A purge is accepted and removes the cached page. It misses a page that is still on its way. A purge
/// with a known reference counts as the earlier one and removes nothing.
fn accept(s: &mut State, tags: Tags, repeated: bool) {
    if !tags.has(Tag::List) {
        return;
    }
    match &mut s.page {
        Page::Absent => (),
        Page::Rendering { missed, .. } | Page::Sent { missed, .. } => *missed = true,
        Page::Cached { missed, .. } if repeated => *missed = true,
        Page::Cached { .. } => s.page = Page::Absent,
    }
}
