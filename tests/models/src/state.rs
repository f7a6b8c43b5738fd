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

/// Whether a mark is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closed {
    /// Open: a page may be cached under it.
    No,
    /// Closed: every page that is cached under it has a pending purge.
    Yes,
    /// Only with [`Fault::ClosesForRecord`](crate::Fault::ClosesForRecord): closed, but live for this
    /// writer's record.
    For(Writer),
}

/// The record `#mark:{tag}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The time since `markedAt`.
    pub age: u8,
    /// Whether it is closed.
    pub closed: Closed,
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

/// A second outbox record: purge these tags again, even if their marks are closed.
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
    /// The second record, written by this worker.
    SecondBy(Place),
}

/// The worker that wrote a second record. Two workers may have the same record at the same time, and
/// each writes its own second record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The action, or in the background a drain.
    Front,
    /// A drain.
    Back,
}

/// A live mark as a worker read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// If it is young: the time until the second purge is due, at `markedAt` + T.
    pub second_due_in: Option<u8>,
    /// Whether another render has marked the tag again since. The worker does not know this.
    pub replaced: bool,
}

/// The progress of a worker with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Only with [`Fault::SeparateRecord`](crate::Fault::SeparateRecord): the record is not written yet.
    Unrecorded,
    /// The worker has the record, and reads the marks next.
    Begun,
    /// The worker has read the live marks, and must purge them.
    MustPurge([Option<Seen>; 2]),
    /// The purge was accepted, and the response has arrived.
    Purged([Option<Seen>; 2]),
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
    /// The live marks that the worker has read.
    pub fn seen(&mut self) -> Option<&mut [Option<Seen>; 2]> {
        match &mut self.stage {
            Stage::MustPurge(seen) | Stage::Purged(seen) => Some(seen),
            Stage::Unrecorded | Stage::Begun => None,
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

    /// The place of this worker's second records.
    pub fn place(self) -> Place {
        match self {
            Self::OfAnn | Self::OfBen => Place::Front,
            Self::Drain => Place::Back,
        }
    }
}

/// A writer's change and its pending records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Work {
    /// The time since the commit.
    pub commit: Option<u8>,
    /// Whether the outbox record of the commit exists.
    pub first: bool,
    /// The second records, by place.
    pub second: [Option<Second>; 2],
}

impl Work {
    /// Whether any of the writer's records exists.
    pub fn is_recorded(&self) -> bool {
        self.first || self.second.iter().any(Option::is_some)
    }
}

/// A state of the whole model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The followed page.
    pub page: Page,
    /// The mark of each tag.
    pub marks: [Option<Mark>; 2],
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
}

impl State {
    /// The initial state: nothing is cached or changed.
    pub fn start() -> Self {
        Self {
            page: Page::Absent,
            marks: [None; 2],
            work: [Work::default(); 2],
            jobs: [None; 3],
            grace: 0,
            references: 0,
            failures: 0,
        }
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
