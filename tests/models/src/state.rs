//! The state of the model.

/// What a view reads, and therefore its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// The tag of the view that queries a list.
    List,
    /// The tag of the view that gets one item.
    Item,
}

impl Tag {
    /// Both tags.
    pub const ALL: [Self; 2] = [Self::List, Self::Item];
}

/// A set of tags, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tags(pub u8);

impl Tags {
    /// The tags for which `wanted` is true.
    pub fn which(wanted: impl Fn(Tag) -> bool) -> Self {
        let bit = |tag: Tag| u8::from(wanted(tag)) << tag as u8;
        Self(Tag::ALL.into_iter().map(bit).sum())
    }

    /// Whether `tag` is in the set.
    pub fn has(self, tag: Tag) -> bool {
        self.0 & (1 << tag as u8) != 0
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The number of tags.
    pub fn count(self) -> u8 {
        u8::from(self.has(Tag::List)) + u8::from(self.has(Tag::Item))
    }
}

/// The users who each change data once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Writer {
    /// The writer whose `fresh` key may be followed.
    Ann,
    /// The other writer.
    Ben,
}

impl Writer {
    /// Both writers.
    pub const ALL: [Self; 2] = [Self::Ann, Self::Ben];
}

/// The commits that a page shows, one bit for each writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shown(pub u8);

impl Shown {
    /// Both commits.
    pub const BOTH: Self = Self(3);

    /// Whether the page was read after this writer's commit.
    pub fn has(self, writer: Writer) -> bool {
        self.0 & (1 << writer as u8) != 0
    }
}

/// Whether pages may be cached under a mark, and who purges them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Absent, lapsed or purged: every page that is cached under it has a second record.
    #[default]
    Clear,
    /// A page may be cached under it.
    Open,
    /// Closed, and this writer's record will purge its pages.
    Pending(Writer),
}

/// The record `#mark:{tag}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The time since `markedAt`.
    pub age: u8,
    /// Whether it is open.
    pub status: Status,
    /// The time since `changedAt`, up to the longest that matters.
    pub changed: u8,
    /// Whether its cost was reserved in the current window.
    pub reserved: bool,
}

/// The followed page, from its render until it leaves the cache of one edge location. Its tag is the
/// list's. An item's page is the same case with the tags exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// Not rendered yet, or gone.
    Absent,
    /// The view is running.
    Rendering {
        /// Only with [`Fault::ReadsFirst`](crate::Fault::ReadsFirst): what the view read before it
        /// marked.
        read: Option<Shown>,
        /// Whether a purge of the tag was accepted too early for this page.
        missed: bool,
    },
    /// The view has responded. The page is on its way to the edge.
    Sent {
        /// The time since the response.
        age: u8,
        /// What the view read.
        shown: Shown,
        /// As above.
        missed: bool,
    },
    /// In the cache: requests get this page. It is gone as soon as a purge of it is accepted. The time
    /// that CloudFront really takes comes on top of every bound.
    Cached {
        /// The time since it was stored. Always 0 if pages do not expire.
        age: u8,
        /// What the view read.
        shown: Shown,
        /// As above.
        missed: bool,
    },
}

/// The marks that a record has closed, and must purge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Closed {
    /// Their tags.
    pub tags: Tags,
    /// For each young one, the time until the second purge is due, at `markedAt` + T.
    pub second_due_in: [Option<u8>; 2],
    /// The record's tags that were pending by another record when it was resolved.
    pub rest: Tags,
}

/// The outbox record of a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum First {
    /// There is none: the commit was quiet, or the record is done.
    #[default]
    Absent,
    /// The commit touched no mark of these tags.
    Unresolved(Tags),
    /// It has closed marks.
    Resolved(Closed),
}

impl First {
    /// Whether it is left to do something for this tag.
    pub fn has(self, tag: Tag) -> bool {
        match self {
            Self::Absent => false,
            Self::Unresolved(tags) => tags.has(tag),
            Self::Resolved(closed) => closed.tags.has(tag) || closed.rest.has(tag),
        }
    }

    /// The marks that it has closed.
    pub fn closed(self) -> Option<Closed> {
        match self {
            Self::Resolved(closed) => Some(closed),
            _ => None,
        }
    }
}

/// A second outbox record: purge these tags again, whatever their marks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Second {
    /// The tags whose marks were young.
    pub tags: Tags,
    /// The time until it is due. Negative while it waits for the drain.
    pub due: i8,
}

/// An outbox record of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// The record of the commit.
    First,
    /// A second record.
    SecondAt(Place),
}

/// The place of a second record. Only a record that was resolved twice, each time for one tag, has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The record for the list's tag, or for both.
    Front,
    /// The record for the item's tag.
    Back,
}

/// The progress of a worker with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Only with [`Fault::SeparateRecord`](crate::Fault::SeparateRecord): this record is not written yet.
    Unrecorded(First),
    /// The worker has an unresolved record.
    Begun,
    /// Only with [`Fault::DeletesResolved`](crate::Fault::DeletesResolved): the worker has found that no
    /// mark is open or pending, and deletes the record next.
    MustDelete,
    /// The worker has a record that has closed these marks, and must purge them. Or it has a second
    /// record.
    MustPurge(Closed),
    /// The purge was accepted, and the response has arrived.
    Purged(Closed),
}

/// A worker's current work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// The writer of the record.
    pub writer: Writer,
    /// The record.
    pub record: Record,
    /// The progress.
    pub stage: Stage,
}

impl Job {
    /// What the worker purges.
    pub fn closed(&mut self) -> Option<&mut Closed> {
        match &mut self.stage {
            Stage::MustPurge(closed) | Stage::Purged(closed) => Some(closed),
            Stage::Unrecorded(_) | Stage::Begun | Stage::MustDelete => None,
        }
    }
}

/// The workers on outbox records. If revalidation runs in the background, `OfAnn` is a second drain and
/// `OfBen` does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Worker {
    /// Ann's action.
    OfAnn,
    /// Ben's action.
    OfBen,
    /// The `revalidate` function.
    Drain,
}

impl Worker {
    /// All workers.
    pub const ALL: [Self; 3] = [Self::OfAnn, Self::OfBen, Self::Drain];
}

/// A writer's change and its pending records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Work {
    /// The time since the commit.
    pub commit: Option<u8>,
    /// The outbox record of the commit.
    pub first: First,
    /// The second records, by place.
    pub second: [Option<Second>; 2],
    /// Only with [`Fault::ClosesAnyRender`](crate::Fault::ClosesAnyRender): the marks that the commit
    /// will close, as it read them.
    pub prepared: Option<Closed>,
}

impl Work {
    /// Whether any of the writer's records exists.
    pub fn is_recorded(&self) -> bool {
        self.first != First::Absent || self.second.iter().any(Option::is_some)
    }
}

/// The allowance: what is reserved and bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Account {
    /// The time since the current window began.
    pub window: u8,
    /// The items reserved in this window and in the one before.
    pub reserved: [u8; 2],
    /// The items counted as bought.
    pub spent: u8,
    /// The items that CloudFront charges.
    pub bought: u8,
}

/// A state of the whole model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The followed page.
    pub page: Page,
    /// The mark of each tag.
    pub marks: [Mark; 2],
    /// Each writer's work.
    pub work: [Work; 2],
    /// Each worker's current work.
    pub jobs: [Option<Job>; 3],
    /// The time until the next sweep after a failed drain.
    pub grace: u8,
    /// The CallerReferences that CloudFront has seen, one bit each.
    pub references: u32,
    /// The number of crashes, refused purges and lost responses.
    pub failures: u8,
    /// Only in runs with an allowance.
    pub account: Account,
}

impl State {
    /// The initial state: nothing is cached, and nothing has changed for this long.
    pub fn start(unchanged: u8) -> Self {
        let mark = Mark {
            changed: unchanged,
            ..Mark::default()
        };
        Self {
            page: Page::Absent,
            marks: [mark; 2],
            work: [Work::default(); 2],
            jobs: [None; 3],
            grace: 0,
            references: 0,
            failures: 0,
            account: Account::default(),
        }
    }

    /// The mark of a tag.
    pub fn mark(&self, tag: Tag) -> &Mark {
        &self.marks[tag as usize]
    }

    /// A writer's work.
    pub fn of(&self, writer: Writer) -> &Work {
        &self.work[writer as usize]
    }

    /// Whether this writer has committed.
    pub fn has_committed(&self, writer: Writer) -> bool {
        self.of(writer).commit.is_some()
    }

    /// What a read now shows.
    pub fn now_shown(&self) -> Shown {
        let bit = |w: Writer| u8::from(self.has_committed(w)) << w as u8;
        Shown(Writer::ALL.into_iter().map(bit).sum())
    }

    /// What the followed page shows. `None` before it is read.
    pub fn page_shows(&self) -> Option<Shown> {
        match self.page {
            Page::Absent => None,
            Page::Rendering { read, .. } => read,
            Page::Sent { shown, .. } | Page::Cached { shown, .. } => Some(shown),
        }
    }

    /// Whether the followed page was read before this writer's commit.
    pub fn is_stale_for(&self, writer: Writer) -> bool {
        let shows = |shown: Shown| shown.has(writer);
        self.has_committed(writer) && !self.page_shows().is_none_or(shows)
    }

    /// Whether a record of this writer exists or a worker still has one.
    pub fn has_pending_work(&self, writer: Writer) -> bool {
        let mut jobs = self.jobs.iter().flatten();
        self.of(writer).is_recorded() || jobs.any(|job| job.writer == writer)
    }
}
