//! What is done about outbox records: their marks are checked, and a purge that CloudFront has accepted
//! is noted.

use crate::allowance::Bought;
use crate::marks::{Mark, MarkState};
use crate::transact::{TRANSACTION, backoff, cancelled};
use crate::verdict::{has_failed, is_contended, leave_out_failed};
use crate::{OutboxRecord, Store, StoreError};
use action::{Expect, Operation};
use aws_sdk_dynamodb::types::TransactWriteItem;
use std::collections::{BTreeMap, BTreeSet};

/// How often a transaction that conflicts with others is sent.
const ATTEMPTS: u32 = 4;

/// The most marks that are closed for a record at once: a transaction takes 100 items. The others wait.
const CLOSED_FOR_RECORD: usize = 90;

/// The most marks in which the conclusion of a purge is noted. With the counts of as many organisations, a
/// transaction takes no more.
const NOTED_AT_ONCE: usize = 30;

impl Store {
    /// Removes a record if no page with its tags needs a purge, in one transaction. Otherwise the record
    /// stays, and the result is `false`.
    ///
    /// # Errors
    /// [`StoreError`]. The record then stays.
    pub async fn settle(&self, record: &OutboxRecord, now: i64) -> Result<bool, StoreError> {
        let mut items = vec![self.remove(record)?];
        for tag in &record.tags {
            items.push(self.is_quiet(tag, now)?);
        }
        for attempt in 0..ATTEMPTS {
            match self.send(items.clone()).await? {
                None => return Ok(true),
                Some(reasons) if reasons.iter().any(has_failed) => return Ok(false),
                Some(reasons) if is_contended(&reasons) => backoff(attempt).await,
                Some(reasons) => return Err(cancelled(&reasons)),
            }
        }
        Err(contended())
    }

    /// Checks the marks of these records, and closes those that are open, each for the first record that
    /// has its tag. Returns the records that can be purged now, or need no purge. Their tags are those that
    /// still wait: for the purge of another record, or because the mark was being written. A record
    /// that only waits is not returned.
    ///
    /// # Errors
    /// [`StoreError`]. Marks that were closed are in the records as they are stored.
    pub async fn check_marks(
        &self,
        records: Vec<OutboxRecord>,
        now: i64,
    ) -> Result<Vec<OutboxRecord>, StoreError> {
        let unchecked = records.iter().filter(|record| record.is_unchecked());
        let tags: BTreeSet<_> = unchecked.flat_map(|record| record.tags.clone()).collect();
        if tags.is_empty() {
            return Ok(records);
        }
        let marks: BTreeMap<_, _> = self.marks(&tags, now).await?.into_iter().collect();
        let (mut checked, mut taken) = (Vec::new(), BTreeSet::new());
        for mut record in records {
            if record.is_unchecked() {
                let open = record.tags.iter().filter_map(|tag| match marks.get(tag) {
                    Some(MarkState::Open(mark)) if !taken.contains(tag) => Some(mark.clone()),
                    _ => None,
                });
                let open: Vec<_> = open.take(CLOSED_FOR_RECORD).collect();
                taken.extend(open.iter().map(|mark| mark.tag.clone()));
                if !open.is_empty() {
                    self.close_for(&mut record, &open, now).await?;
                }
                let waits = |tag: &String| !matches!(marks.get(tag), None | Some(MarkState::Quiet));
                record.tags.retain(waits);
            }
            checked.push(record);
        }
        checked.retain(|record| !record.is_unchecked());
        Ok(checked)
    }

    /// Closes marks for a record and notes them in it, in one transaction. Writes nothing if the record is gone,
    /// or if a mark has changed since it was read or is being written.
    async fn close_for(
        &self,
        record: &mut OutboxRecord,
        open: &[Mark],
        now: i64,
    ) -> Result<(), StoreError> {
        let mut with_marks = record.clone();
        with_marks.revision += 1;
        with_marks.closed.extend_from_slice(open);
        with_marks
            .tags
            .retain(|tag| open.iter().all(|mark| mark.tag != *tag));
        let mut items = vec![self.put_outbox_record(&with_marks, record.unchanged())?];
        for mark in open {
            items.push(self.close(mark, &record.key(), now)?);
        }
        match self.send(items).await? {
            None => *record = with_marks,
            Some(reasons) if reasons.iter().any(has_failed) || is_contended(&reasons) => {}
            Some(reasons) => return Err(cancelled(&reasons)),
        }
        Ok(())
    }

    /// Removes checked records that need no purge, unless another worker has changed them.
    ///
    /// # Errors
    /// [`StoreError`]. The records then stay.
    pub async fn remove_checked(&self, records: &[OutboxRecord]) -> Result<(), StoreError> {
        for some in records.chunks(TRANSACTION) {
            let removals = some.iter().map(|record| self.remove(record));
            let removals = removals.collect::<Result<_, _>>()?;
            self.write_if_unchanged(removals, &[]).await?;
        }
        Ok(())
    }

    /// Notes that CloudFront has accepted the purge of a record: removes the record or, if some of its tags
    /// still wait, keeps those; writes the records `second` for second purges; notes the purge in the marks that
    /// were closed for it, unless a view has opened them since; and counts what was `bought` by `now` (in
    /// milliseconds since 1970). All in one transaction, unless there are too many marks: then some are
    /// noted before. Does nothing if another worker has done it.
    ///
    /// # Errors
    /// [`StoreError`]. The record then stays, except perhaps after a timeout.
    pub async fn conclude(
        &self,
        record: &OutboxRecord,
        second: &[OutboxRecord],
        bought: &Bought,
        now: i64,
    ) -> Result<(), StoreError> {
        let notes = record.closed.iter();
        let notes = notes.map(|mark| self.note_purge(&mark.tag, record));
        let mut notes: Vec<_> = notes.collect::<Result<_, _>>()?;
        while notes.len() > NOTED_AT_ONCE {
            let some = notes.split_off(notes.len() - NOTED_AT_ONCE);
            self.write_if_unchanged(some, &[]).await?;
        }
        let mut rest = vec![self.end(record)?];
        rest.extend(self.count_bought(bought, now)?);
        for record in second {
            rest.push(self.put_outbox_record(record, Expect::Absent)?);
        }
        self.write_if_unchanged(notes, &rest).await
    }

    /// Removes a record, or keeps only the tags that still wait.
    fn end(&self, record: &OutboxRecord) -> Result<TransactWriteItem, StoreError> {
        if record.again_at.is_some() || record.tags.is_empty() {
            return self.remove(record);
        }
        let waiting = OutboxRecord {
            closed: Vec::new(),
            revision: record.revision + 1,
            ..record.clone()
        };
        self.put_outbox_record(&waiting, record.unchanged())
    }

    /// Writes `rest` and those of the `conditional` writes whose conditions hold, in one transaction. Writes
    /// nothing if a condition of `rest` fails.
    async fn write_if_unchanged(
        &self,
        mut conditional: Vec<TransactWriteItem>,
        rest: &[TransactWriteItem],
    ) -> Result<(), StoreError> {
        let mut attempt = 0;
        while attempt < ATTEMPTS {
            let items = [conditional.as_slice(), rest].concat();
            if items.is_empty() {
                return Ok(());
            }
            let count = conditional.len();
            let Some(reasons) = self.send(items).await? else {
                return Ok(());
            };
            if reasons.iter().skip(count).any(has_failed) {
                return Ok(());
            }
            if !leave_out_failed(&mut conditional, &reasons) {
                if !is_contended(&reasons) {
                    return Err(cancelled(&reasons));
                }
                backoff(attempt).await;
                attempt += 1;
            }
        }
        Err(contended())
    }

    fn remove(&self, record: &OutboxRecord) -> Result<TransactWriteItem, StoreError> {
        self.write(&Operation::Delete {
            key: record.key(),
            expect: record.unchanged(),
        })
    }
}

fn contended() -> StoreError {
    StoreError::Unavailable("the outbox conflicted with other writes at each attempt".to_owned())
}
