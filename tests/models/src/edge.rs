//! CloudFront's side of a purge.

use crate::state::{Job, Page, Record, Stage, State, Tag, Tags, Worker, Writer};
use crate::{Fault, Protocol, Reply};

impl Protocol {
    /// CreateInvalidation. A worker that gets no good answer leaves the record to the drain.
    pub(crate) fn purge(&self, s: &mut State, worker: Worker, reply: Reply) -> Option<()> {
        let job = s.jobs[worker as usize]?;
        let Stage::Owes(seen) = job.stage else {
            return None;
        };
        let tags = Tags::which(|tag| seen[tag as usize].is_some());
        if reply != Reply::Refused {
            self.purges.then_some(())?;
            let reference = self.reference(&job, tags);
            let repeated = s.references & reference != 0;
            s.references |= reference;
            accept(s, tags, repeated);
        }
        if reply == Reply::Accepted {
            s.jobs[worker as usize].as_mut()?.stage = Stage::Purged(seen);
            return Some(());
        }
        self.fail(s, worker)
    }

    /// The CallerReference, as a bit: of the record's key and the items.
    fn reference(&self, job: &Job, tags: Tags) -> u32 {
        match self.fault {
            Some(Fault::ReferenceOfTags) => 1 << tags.0,
            _ => 1 << (of_record(job.writer, job.record) + tags.0),
        }
    }

    /// Forgets the references of records that are done with: nobody will send one again.
    pub(crate) fn forget_references(&self, s: &mut State) {
        if self.fault == Some(Fault::ReferenceOfTags) {
            return;
        }
        for writer in Writer::ALL {
            for record in Record::ALL {
                let work = s.of(writer);
                let there = match record {
                    Record::First => work.first,
                    Record::SecondBy(place) => work.second[place as usize].is_some(),
                };
                let mut jobs = s.jobs.iter().flatten();
                if !there && !jobs.any(|job| job.writer == writer && job.record == record) {
                    s.references &= !(0b1111 << of_record(writer, record));
                }
            }
        }
    }
}

/// Where the bits of a record's references begin.
fn of_record(writer: Writer, record: Record) -> u8 {
    let record = match record {
        Record::First => 0,
        Record::SecondBy(place) => 1 + place as u8,
    };
    4 * (3 * writer as u8 + record)
}

/// A purge is accepted: what is stored goes. What is on its way is not stored yet. A purge that is repeated under the same reference is the one that was made before, and removes
/// nothing.
fn accept(s: &mut State, tags: Tags, repeated: bool) {
    if !tags.has(Tag::List) {
        return;
    }
    match &mut s.page {
        Page::Absent => (),
        Page::Rendering { met, .. } | Page::Sent { met, .. } => *met = true,
        Page::Cached { met, .. } if repeated => *met = true,
        Page::Cached { .. } => s.page = Page::Absent,
    }
}
