//! What the model remembers between two steps.

/// What a view reads, and so what it is tagged with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Of the view that queries a list.
    List,
    /// Of the view that gets one item.
    Item,
}

impl Tag {
    /// Both tags there are.
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

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Who changes data, once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Writer {
    /// The one whose `fresh` key may be followed.
    Ann,
    /// The other one.
    Ben,
}

impl Writer {
    /// Both writers there are.
    pub const ALL: [Self; 2] = [Self::Ann, Self::Ben];
}

/// Whose commits a page shows, one bit each.
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
    /// Something may be cached under it.
    No,
    /// Nothing is that is not seen to.
    Yes,
    /// Only under [`Fault::ClosesForRecord`](crate::Fault::ClosesForRecord): it is live for this
    /// writer's record.
    For(Writer),
}

/// The item `#mark:{tag}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Time since `markedAt`.
    pub age: u8,
    /// Whether it is closed.
    pub closed: Closed,
}

/// The one page that is followed, from its render until it leaves the cache of one edge location.
/// It is tagged with the list's tag; an item's page is the same with the tags exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// Not yet, or no more.
    Absent,
    /// The view is at work.
    Rendering {
        /// Only under [`Fault::ReadsFirst`](crate::Fault::ReadsFirst): it has read before it
        /// marks, and this is what it saw.
        read: Option<Shown>,
        /// A purge of the tag was accepted that came too early for this page.
        met: bool,
    },
    /// Read and answered, and on its way to the edge.
    Sent {
        /// Time since the answer.
        age: u8,
        /// What the view saw.
        shown: Shown,
        /// As above.
        met: bool,
    },
    /// In the cache: a request is a hit and gets this. It is gone as soon as a purge of it is
    /// accepted; how long that takes in truth comes on top of every bound.
    Cached {
        /// Time since it was stored; always 0 where pages do not expire.
        age: u8,
        /// What the view saw.
        shown: Shown,
        /// As above.
        met: bool,
    },
}

/// A second outbox record: purge these tags again, whatever their marks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Second {
    /// The tags whose marks were young.
    pub tags: Tags,
    /// Time until it is due; negative while it waits for the drain.
    pub due: i8,
}

/// Which outbox record of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// The one of the commit.
    First,
    /// The one that this worker has put in its place.
    SecondBy(Place),
}

/// Two workers may be at one record at the same time. Each puts its own second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The action, or in the background a drain.
    Front,
    /// A drain.
    Back,
}

/// A live mark as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// If it is young: the time until a second purge may be due, `markedAt` + T.
    pub again_in: Option<u8>,
    /// Not known to whoever saw it: the tag has been marked anew since, by another render.
    pub replaced: bool,
}

/// How far a worker is with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Only under [`Fault::RecordApart`](crate::Fault::RecordApart): the record is not written.
    Unrecorded,
    /// It knows the record, and next looks at the marks.
    Begun,
    /// It has seen what is live, and asks for the purge.
    Owes([Option<Seen>; 2]),
    /// The purge has been accepted, and the answer has come.
    Purged([Option<Seen>; 2]),
}

/// What a worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// Whose record.
    pub writer: Writer,
    /// Which of them.
    pub record: Record,
    /// How far it is.
    pub stage: Stage,
}

impl Job {
    /// The live marks that it has seen.
    pub fn seen(&mut self) -> Option<&mut [Option<Seen>; 2]> {
        match &mut self.stage {
            Stage::Owes(seen) | Stage::Purged(seen) => Some(seen),
            Stage::Unrecorded | Stage::Begun => None,
        }
    }
}

/// Who works on records. In the background, Ann's action is a drain, and there is none of Ben's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Worker {
    /// The action of Ann.
    OfAnn,
    /// The action of Ben.
    OfBen,
    /// The `revalidate` function.
    Drain,
}

impl Worker {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::OfAnn, Self::OfBen, Self::Drain];

    /// Where it puts its second records.
    pub fn place(self) -> Place {
        match self {
            Self::OfAnn | Self::OfBen => Place::Front,
            Self::Drain => Place::Back,
        }
    }
}

/// A writer's change and what is left to do about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Work {
    /// Time since the commit.
    pub commit: Option<u8>,
    /// Whether the outbox record of the commit is there.
    pub first: bool,
    /// The second records that are there, by who has put them.
    pub second: [Option<Second>; 2],
}

impl Work {
    /// Whether any of the writer's records is there.
    pub fn is_recorded(&self) -> bool {
        self.first || self.second.iter().any(Option::is_some)
    }
}

/// One state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The page that is followed.
    pub page: Page,
    /// The mark of each tag.
    pub marks: [Option<Mark>; 2],
    /// Each writer's work.
    pub work: [Work; 2],
    /// What each worker is at.
    pub jobs: [Option<Job>; 3],
    /// After a drain has failed: the time until the next sweep.
    pub grace: u8,
    /// The CallerReferences that CloudFront has seen, one bit each.
    pub references: u32,
    /// How often a worker has crashed, or a purge was refused or not answered.
    pub failures: u8,
}

impl State {
    /// Nothing cached, nothing changed.
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

    /// Whether this writer's change is committed.
    pub fn has_committed(&self, writer: Writer) -> bool {
        self.of(writer).commit.is_some()
    }

    /// What a read at this moment shows.
    pub fn now_shown(&self) -> Shown {
        let bit = |w: Writer| u8::from(self.has_committed(w)) << w as u8;
        Shown(Writer::ALL.into_iter().map(bit).sum())
    }

    /// What the followed page shows, once it has been read.
    pub fn page_shows(&self) -> Option<Shown> {
        match self.page {
            Page::Absent => None,
            Page::Rendering { read, .. } => read,
            Page::Sent { shown, .. } | Page::Cached { shown, .. } => Some(shown),
        }
    }

    /// Whether the followed page, or what becomes of it, is older than this writer's commit.
    pub fn is_stale_for(&self, writer: Writer) -> bool {
        let shows = |shown: Shown| shown.has(writer);
        self.has_committed(writer) && !self.page_shows().is_none_or(shows)
    }

    /// Whether anybody still deals with a record of this writer, or has to.
    pub fn is_owed(&self, writer: Writer) -> bool {
        let mut jobs = self.jobs.iter().flatten();
        self.of(writer).is_recorded() || jobs.any(|job| job.writer == writer)
    }
}
