//! The steps of an action after its function has run, and those of the drain.

use crate::state::{Call, Owed, Page, Record, Seen, State, Tag, Tags, Work, Writer};
use crate::time::{PURGE, SETTLING, SWEEP};
use crate::{By, Fault, Protocol, Reply};

impl Protocol {
    /// The transaction with the data and the outbox record.
    pub(crate) fn commit(&self, s: &mut State, writer: Writer) -> Option<()> {
        let work = &mut s.work[writer as usize];
        if work.commit.is_some() {
            return None;
        }
        let apart = self.fault == Some(Fault::RecordApart);
        *work = Work {
            commit: Some(0),
            record: (!apart).then_some(Record::First),
            call: match apart {
                true => Some(Call::Unrecorded),
                false => self.inline.then_some(Call::Committed),
            },
        };
        Some(())
    }

    /// What the transaction should have done: only for [`Fault::RecordApart`].
    pub(crate) fn record(&self, s: &mut State, writer: Writer) -> Option<()> {
        let work = &mut s.work[writer as usize];
        if work.call != Some(Call::Unrecorded) {
            return None;
        }
        work.record = Some(Record::First);
        work.call = Some(Call::Committed);
        Some(())
    }

    /// The action deletes its record if nothing is live, or learns what is.
    pub(crate) fn settle(&self, s: &mut State, writer: Writer) -> Option<()> {
        if s.work[writer as usize].call != Some(Call::Committed) {
            return None;
        }
        let owed = self.live(s, writer);
        let work = &mut s.work[writer as usize];
        // Where the drain was faster, the record is gone or is the second: both are its business.
        work.call = match (owed, work.record) {
            (Some(owed), Some(Record::First)) => Some(Call::Owes(owed)),
            (None, Some(Record::First)) => {
                work.record = None;
                None
            }
            _ => None,
        };
        Some(())
    }

    /// The drain takes a record that is due.
    pub(crate) fn drain(&self, s: &mut State, writer: Writer) -> Option<()> {
        if s.drain.is_some() {
            return None;
        }
        let owed = match s.work[writer as usize].record? {
            Record::First => self.live(s, writer),
            Record::Second { tags, due } if due <= 0 => self.not_lapsed(s, tags),
            Record::Second { .. } => return None,
        };
        match owed {
            Some(owed) => s.drain = Some((writer, owed)),
            None => s.work[writer as usize].record = None,
        }
        Some(())
    }

    /// The live tags of a round 0 record: marked and open, or closed for this very record, whose
    /// purge is then still owed.
    fn live(&self, s: &State, writer: Writer) -> Option<Owed> {
        let remembers = self.fault == Some(Fault::ClosesForRecord);
        let since_commit = s.work[writer as usize].commit?;
        let seen_if_live = |tag: Tag| {
            let mark = s.marks[tag as usize]?;
            let own = mark.closed_by == Some(writer) && remembers;
            let live = writer.tags().has(tag) && (mark.closed_by.is_none() || own);
            let young = mark.age < since_commit + SETTLING;
            live.then_some(Seen {
                again_in: young.then_some(SETTLING.saturating_sub(mark.age)),
                replaced: false,
            })
        };
        let live = Tag::ALL.map(seen_if_live);
        let owed = Owed {
            live,
            second: false,
            accepted: false,
        };
        (!owed.tags().is_empty()).then_some(owed)
    }

    /// What a round 1 record purges. The marks say nothing, except by having lapsed.
    fn not_lapsed(&self, s: &State, tags: Tags) -> Option<Owed> {
        let stands = |tag: Tag| tags.has(tag) && s.marks[tag as usize].is_some();
        let seen = Seen {
            again_in: None,
            replaced: false,
        };
        let owed = Owed {
            live: Tag::ALL.map(|tag| stands(tag).then_some(seen)),
            second: true,
            accepted: false,
        };
        (!owed.tags().is_empty()).then_some(owed)
    }

    /// What an action or the drain owes.
    fn owed(s: &mut State, by: By) -> Option<(Writer, &mut Owed)> {
        match by {
            By::Drain => s.drain.as_mut().map(|(writer, owed)| (*writer, owed)),
            By::Action(writer) => match &mut s.work[writer as usize].call {
                Some(Call::Owes(owed)) => Some((writer, owed)),
                _ => None,
            },
        }
    }

    /// Whoever has seen a mark of this tag has not seen the new one.
    pub(crate) fn replace(s: &mut State, tag: Tag) {
        for by in By::ALL {
            if let Some((_, owed)) = Self::owed(s, by)
                && let Some(seen) = &mut owed.live[tag as usize]
                && !owed.second
            {
                seen.replaced = true;
            }
        }
    }

    /// An action or the drain is at its end.
    fn end(s: &mut State, by: By) {
        match by {
            By::Drain => s.drain = None,
            By::Action(writer) => s.work[writer as usize].call = None,
        }
    }

    /// Closes the marks before their purge is accepted: only in the variants that do so.
    pub(crate) fn close_early(&self, s: &mut State, by: By) -> Option<()> {
        let early = [Some(Fault::ClosesEarly), Some(Fault::ClosesForRecord)];
        early.contains(&self.fault).then_some(())?;
        let (writer, &mut owed) = Self::owed(s, by).filter(|(_, owed)| !owed.second)?;
        self.close(s, writer, &owed)
    }

    /// Closes the live marks that are open and still those that were seen.
    fn close(&self, s: &mut State, writer: Writer, owed: &Owed) -> Option<()> {
        let mut closed = None;
        for (mark, seen) in s.marks.iter_mut().zip(owed.live) {
            let Some((mark, seen)) = mark.as_mut().zip(seen) else {
                continue;
            };
            let unchanged = !seen.replaced || self.fault == Some(Fault::ClosesAnyMark);
            if unchanged && mark.closed_by.is_none() && !owed.second {
                mark.closed_by = Some(writer);
                closed = Some(());
            }
        }
        closed
    }

    /// CreateInvalidation. Whoever gets no good answer leaves the record to the drain.
    pub(crate) fn purge(&self, s: &mut State, by: By, reply: Reply) -> Option<()> {
        let (writer, owed) = Self::owed(s, by).filter(|(_, owed)| !owed.accepted)?;
        owed.accepted = reply == Reply::Accepted;
        let (tags, second) = (owed.tags(), owed.second);
        if reply != Reply::Refused {
            if !self.purges {
                return None;
            }
            let reference = self.reference(writer, second, tags);
            if s.references & reference == 0 {
                s.references |= reference;
                take_effect(s, tags);
            }
        }
        match reply {
            Reply::Accepted => Some(()),
            Reply::Refused | Reply::AnswerLost => self.fail(s, by),
        }
    }

    /// Whether a purge of the tag was accepted for a round 0 record that is still there.
    pub(crate) fn was_purged(&self, s: &State, tag: Tag) -> bool {
        let sets = (1..4).map(Tags).filter(|tags| tags.has(tag));
        let mut references =
            sets.flat_map(|tags| Writer::ALL.map(|w| self.reference(w, false, tags)));
        references.any(|reference| s.references & reference != 0)
    }

    /// Counts a failure, if there may be one more. A sweep that failed leaves its records to the
    /// next one.
    fn fail(&self, s: &mut State, by: By) -> Option<()> {
        if self.purges {
            s.failures += 1;
        }
        if by == By::Drain {
            s.grace = SWEEP;
        }
        Self::end(s, by);
        (s.failures <= self.failures).then_some(())
    }

    /// The CallerReference, as a bit: of the record's key and the items.
    fn reference(&self, writer: Writer, second: bool, tags: Tags) -> u16 {
        let record = match self.fault {
            Some(Fault::ReferenceOfTags) => 0,
            _ => 2 * (writer as u8) + u8::from(second),
        };
        1 << (4 * record + tags.0)
    }

    /// After an accepted purge: young tags are purged again later, by a second record that
    /// replaces the first; else the record is deleted.
    pub(crate) fn postpone(&self, s: &mut State, by: By, closing: bool) -> Option<()> {
        let (writer, &mut owed) = Self::owed(s, by).filter(|(_, owed)| owed.accepted)?;
        let work = &mut s.work[writer as usize];
        let again_in = |tag: Tag| {
            let again_in = owed.live[tag as usize]?.again_in?;
            let young = match self.fault {
                Some(Fault::NoSecondPurge) => false,
                // What is young is judged when the purge is accepted.
                Some(Fault::YoungSinceNow) => again_in > 0,
                _ => true,
            };
            young.then_some(again_in)
        };
        let young = Tags::which(|tag| again_in(tag).is_some());
        let due = Tag::ALL.into_iter().filter_map(again_in).max();
        let second = Record::Second {
            tags: young,
            due: due.unwrap_or(0).cast_signed(),
        };
        // A transaction, on condition that the record is the one this is about.
        let stands = work
            .record
            .is_some_and(|r| matches!(r, Record::Second { .. }) == owed.second);
        if stands {
            work.record = (!young.is_empty()).then_some(second);
        }
        if closing {
            stands.then_some(())?;
            self.close(s, writer, &owed)?;
        }
        Self::end(s, by);
        Some(())
    }

    /// An action or the drain crashes, wherever it is.
    pub(crate) fn crash(&self, s: &mut State, by: By) -> Option<()> {
        let runs = match by {
            By::Drain => s.drain.is_some(),
            By::Action(writer) => s.work[writer as usize].call.is_some(),
        };
        runs.then_some(())?;
        self.fail(s, by)
    }

    /// Forgets the references of records that are done with: nobody will send one again.
    pub(crate) fn forget_references(&self, s: &mut State) {
        if self.fault == Some(Fault::ReferenceOfTags) {
            return;
        }
        for writer in Writer::ALL {
            for second in [false, true] {
                if !sends_again(s, writer, second) {
                    let of_record = 4 * (2 * (writer as u8) + u8::from(second));
                    s.references &= !(0b1111 << of_record);
                }
            }
        }
    }
}

/// Whether a purge for this round of a writer's record may be asked for once more.
fn sends_again(s: &State, writer: Writer, second: bool) -> bool {
    let work = &s.work[writer as usize];
    let drained = |&(whose, owed): &(Writer, Owed)| whose == writer && owed.second == second;
    let called = work.call.is_some() && !second;
    let recorded = work
        .record
        .is_some_and(|record| matches!(record, Record::Second { .. }) == second);
    recorded || called || s.drain.as_ref().is_some_and(drained)
}

/// A purge is accepted: what is stored goes, in a while. What is on its way is not stored yet.
fn take_effect(s: &mut State, tags: Tags) {
    if !tags.has(s.view) {
        return;
    }
    match &mut s.page {
        Page::Absent => (),
        Page::Rendering { met, .. } | Page::Sent { met, .. } => *met = true,
        Page::Cached { leaving, .. } => *leaving = leaving.or(Some(PURGE)),
    }
}
