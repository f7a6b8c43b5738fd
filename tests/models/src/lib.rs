//! The mark protocol as a model.

pub mod claims;
mod clock;
mod state;
pub mod time;
mod view;
mod write;

pub use state::*;

use stateright::{Model, Property};

/// The protocol, or one of its broken variants.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// Which rule is broken, if any.
    pub fault: Option<Fault>,
    /// Whether actions purge before they answer; else the drain does all.
    pub inline: bool,
    /// Whether CloudFront accepts purges at all.
    pub purges: bool,
    /// How many failures there may be.
    pub failures: u8,
    /// `s-maxage`, or pages that stay until they are purged.
    pub expiry: Option<u8>,
}

impl Protocol {
    /// As it runs by default.
    pub const fn new() -> Self {
        Self {
            fault: None,
            inline: true,
            purges: true,
            failures: 2,
            expiry: None,
        }
    }
}

impl Default for Protocol {
    fn default() -> Self {
        Self::new()
    }
}

/// A rule of the protocol that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The view reads before it marks.
    ReadsFirst,
    /// A young mark gets no second purge.
    NoSecondPurge,
    /// A mark is closed before its purge is accepted, and nobody remembers by whom.
    ClosesEarly,
    /// A mark is closed before its purge is accepted, for a record that finds it live again.
    ClosesForRecord,
    /// The CallerReference is made of the tags only.
    ReferenceOfTags,
    /// An answer is cacheable however late it is.
    LateAnswerCached,
    /// The outbox record is written after the commit.
    RecordApart,
    /// A mark is young if it is when the purge is accepted, not if it was at the commit.
    YoungSinceNow,
    /// A mark is closed even if it is not the one that was seen.
    ClosesAnyMark,
}

/// Who purges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The action of this writer.
    Action(Writer),
    /// The `revalidate` function.
    Drain,
}

impl By {
    /// All.
    pub const ALL: [Self; 3] = [
        Self::Action(Writer::Ann),
        Self::Action(Writer::Ben),
        Self::Drain,
    ];
}

/// What becomes of a CreateInvalidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Accepted, and the answer comes.
    Accepted,
    /// Accepted, but the answer is lost.
    AnswerLost,
    /// Refused, or never arrived.
    Refused,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Time goes on.
    Tick,
    /// A render that is not followed marks its tag.
    MarkElsewhere(Tag),
    /// The followed render marks.
    Mark,
    /// It reads.
    Read,
    /// It answers.
    Answer,
    /// The edge stores the answer.
    Store,
    /// A writer commits.
    Commit(Writer),
    /// The outbox record comes after.
    Record(Writer),
    /// The action looks at the marks.
    Settle(Writer),
    /// The drain takes a record.
    Drain(Writer),
    /// A mark is closed.
    Close(By),
    /// Purge.
    Purge(By, Reply),
    /// Postpone.
    Postpone(By, bool),
    /// Crash.
    Crash(By),
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let mut v = vec![];
        for view in Tag::ALL {
            for key in [Key::Shared, Key::FreshOfAnn] {
                v.push(State::start(view, key));
            }
        }
        v
    }

    fn actions(&self, _: &State, steps: &mut Vec<Step>) {
        use Step::*;
        steps.extend([Tick, Mark, Read, Answer, Store]);
        steps.extend([MarkElsewhere(Tag::List)]);
        for w in Writer::ALL {
            steps.extend([Commit(w), Record(w), Settle(w), Drain(w)]);
        }
        for by in By::ALL {
            steps
                .extend([Reply::Accepted, Reply::AnswerLost, Reply::Refused].map(|r| Purge(by, r)));
            steps.extend([
                Close(by),
                Postpone(by, true),
                Postpone(by, false),
                Crash(by),
            ]);
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut s = *before;
        match step {
            Step::Tick => self.tick(&mut s),
            Step::MarkElsewhere(tag) => self.mark_elsewhere(&mut s, tag),
            Step::Mark => self.mark_followed(&mut s),
            Step::Read => self.read(&mut s),
            Step::Answer => self.answer(&mut s),
            Step::Store => self.store(&mut s),
            Step::Commit(w) => self.commit(&mut s, w),
            Step::Record(w) => self.record(&mut s, w),
            Step::Settle(w) => self.settle(&mut s, w),
            Step::Drain(w) => self.drain(&mut s, w),
            Step::Close(by) => self.close_early(&mut s, by),
            Step::Purge(by, reply) => self.purge(&mut s, by, reply),
            Step::Postpone(by, closing) => self.postpone(&mut s, by, closing),
            Step::Crash(by) => self.crash(&mut s, by),
        }?;
        s.forget(self.expiry);
        self.forget_references(&mut s);
        Some(s)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        claims::properties(self)
    }
}
