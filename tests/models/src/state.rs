//! What the model remembers between two steps.

use crate::time::{LONG_AGO, SETTLING, YOUNG};

/// What a view reads: a list by query, or one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// The view that queries.
    List,
    /// The view that gets one item.
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
    /// Adds a contact.
    Ann,
    /// Adds another one.
    Ben,
}

impl Writer {
    /// Both writers there are.
    pub const ALL: [Self; 2] = [Self::Ann, Self::Ben];

    /// The tags of the commit: so far the list alone, for both.
    pub fn tags(self) -> Tags {
        Tags::which(|tag| tag == Tag::List)
    }
}

/// Whose commits a page shows, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shown(pub u8);

impl Shown {
    /// Whether the page was read after this writer's commit.
    pub fn has(self, writer: Writer) -> bool {
        self.0 & (1 << writer as u8) != 0
    }
}

/// The item `#mark:{tag}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Time since `markedAt`.
    pub age: u8,
    /// Whose outbox record closed it; open if nobody's.
    pub closed_by: Option<Writer>,
}

/// The key under which the followed page is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// What everybody of the same organisation and role shares.
    Shared,
    /// The one with the `fresh` value that Ann got with the answer to her action.
    FreshOfAnn,
}

/// The one page that is followed, from its render until it leaves the cache of one edge location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// Not yet, or no more.
    Absent,
    /// The view is at work.
    Rendering {
        /// Time since the view began.
        age: u8,
        /// It has marked its tag, or relied on a young mark.
        marked: bool,
        /// It has read, and this is what it saw.
        read: Option<Shown>,
        /// A purge of the tag was accepted that came too early for this page.
        met: bool,
    },
    /// Answered, and on its way to the edge.
    Sent {
        /// Time since the answer.
        age: u8,
        /// What the view saw.
        shown: Shown,
        /// As above.
        met: bool,
    },
    /// In the cache: a request is a hit and gets this.
    Cached {
        /// Time since it was stored; always 0 where pages do not expire.
        age: u8,
        /// What the view saw.
        shown: Shown,
        /// As above.
        met: bool,
        /// A purge of it has been accepted and has this long to take effect.
        leaving: Option<u8>,
    },
}

/// An outbox record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// Round 0, written with the commit.
    First,
    /// Round 1: purge these tags again, whatever their marks say.
    Second {
        /// The tags whose marks were young.
        tags: Tags,
        /// Time until it is due; negative while it waits for the drain.
        due: i8,
    },
}

/// A live mark as `settle` saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// If it is young: the time until a second purge may be due, `markedAt` + T.
    pub again_in: Option<u8>,
    /// Not known to whoever saw it: the tag has been marked anew since.
    pub replaced: bool,
}

/// Purges that are owed for a record, while an action or the drain is about to ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owed {
    /// The tags to purge, each with its live mark as `settle` saw it.
    pub live: [Option<Seen>; 2],
    /// Whether it is a round 1 record.
    pub second: bool,
    /// The purge has been accepted, and the answer has come.
    pub accepted: bool,
}

impl Owed {
    /// The tags to purge.
    pub fn tags(&self) -> Tags {
        Tags::which(|tag| self.live[tag as usize].is_some())
    }
}

/// Where an action stands after its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Only under [`Fault::RecordApart`](crate::Fault::RecordApart): the outbox record is missing.
    Unrecorded,
    /// Next it settles.
    Committed,
    /// It found live tags.
    Owes(Owed),
}

/// A writer's change and what is left to do about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Work {
    /// Time since the commit.
    pub commit: Option<u8>,
    /// The outbox record that is there.
    pub record: Option<Record>,
    /// The action, as long as it runs.
    pub call: Option<Call>,
}

/// One state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Which view's page is followed.
    pub view: Tag,
    /// Under which key it is cached.
    pub key: Key,
    /// That page.
    pub page: Page,
    /// The mark of each tag.
    pub marks: [Option<Mark>; 2],
    /// Each writer's work.
    pub work: [Work; 2],
    /// Which record the drain is at, and what it owes.
    pub drain: Option<(Writer, Owed)>,
    /// After the drain has failed: the time until the next sweep.
    pub grace: u8,
    /// The CallerReferences that CloudFront has seen, one bit each.
    pub references: u16,
    /// How often an action or the drain has crashed, or a purge was refused or not answered.
    pub failures: u8,
}

impl State {
    /// Nothing cached, nothing changed.
    pub fn start(view: Tag, key: Key) -> Self {
        Self {
            view,
            key,
            page: Page::Absent,
            marks: [None; 2],
            work: [Work::default(); 2],
            drain: None,
            grace: 0,
            references: 0,
            failures: 0,
        }
    }

    /// What a read at this moment shows.
    pub fn now_shown(&self) -> Shown {
        let bit = |w: Writer| u8::from(self.work[w as usize].commit.is_some()) << w as u8;
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

    /// Whether the followed page, or what becomes of it, is older than this writer's commit to
    /// its tag.
    pub fn is_stale_for(&self, writer: Writer) -> bool {
        let committed = self.work[writer as usize].commit.is_some();
        let shows = |shown: Shown| shown.has(writer);
        committed && writer.tags().has(self.view) && !self.page_shows().is_none_or(shows)
    }

    /// Whether anybody still deals with a record of this writer, or has to.
    pub fn is_owed(&self, writer: Writer) -> bool {
        let work = &self.work[writer as usize];
        let drained = self.drain.is_some_and(|(whose, _)| whose == writer);
        work.record.is_some() || work.call.is_some() || drained
    }

    /// Forgets what can make no difference any more, so that states which differ in nothing else
    /// are one.
    pub fn forget(&mut self, expiry: Option<u8>) {
        let no_matter = |w: Writer| {
            let committed = self.work[w as usize].commit.is_some();
            !w.tags().has(self.view) || (committed && !self.is_stale_for(w))
        };
        if Writer::ALL.into_iter().all(no_matter) {
            self.page = Page::Absent;
        }
        let mut needed = YOUNG + 1;
        for writer in Writer::ALL {
            let idle = !self.is_owed(writer);
            let forgettable = idle && !self.is_stale_for(writer);
            let work = &mut self.work[writer as usize];
            match &mut work.commit {
                // The next commit finds a mark young, or old.
                None => needed = needed.max(SETTLING),
                Some(age) if forgettable => *age = LONG_AGO,
                Some(age) if !idle => needed = needed.max(SETTLING + *age),
                Some(_) => (),
            }
        }
        let needed = needed.max(expiry.map_or(0, |s_maxage| s_maxage + SETTLING));
        for mark in self.marks.iter_mut().flatten() {
            mark.age = mark.age.min(needed);
        }
    }
}
