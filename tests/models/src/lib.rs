//! The protocol that keeps cached pages fresh (`docs/caching.md`), as a model in which every order
//! of steps is tried.
//!
//! # What is modelled
//!
//! One page is followed, from its render until it leaves the cache. Other renders are seen by the
//! marks they write: their pages, if they are to be cached, might have been the one that is
//! followed. There are two writers, who each commit one change that touches every tag; with one
//! tag, or with two, a list's and an item's. Each change is seen to by its action and by a drain,
//! both at once if it comes to that, or in the background by two drains. Any step of one may come
//! between any two of the others. What is one transaction in the product is one step here.
//!
//! A failure is the crash of an action or a drain at any point, a purge that is refused, or one
//! that is accepted while its answer is lost. A view that crashes leaves a mark and no page, which
//! is a render that is not followed.
//!
//! A purge removes the page at the moment of its acceptance. How long that takes in truth is
//! CloudFront's affair, and comes on top of each bound. Second purges are due at once when T has
//! passed; that they are rounded up to 5 s comes on top as well.
//!
//! # The bounds, in ticks
//!
//! What takes less than a second takes no tick. Others are, see [`time`] and [`Protocol`]:
//! `ANSWER`, `NETWORK` and `write` make up T; a sweep comes every `sweep` ticks; an action that
//! does not crash is done `patience` ticks after its commit.
//!
//! - *A page that no purge came too early for.* The action purges within `patience`. If that
//!   fails, a sweep takes the record `sweep` ticks after the commit at the latest, and each further
//!   failure leaves it to the next: `max(patience, failures * sweep)`. In the background the first
//!   sweep is the first try: `(1 + failures) * sweep`.
//! - *A page that was on its way while a purge of its tag was accepted*, or that a purge did not
//!   remove because it was a repetition. The marks are seen within `patience` (in the background
//!   `sweep`) of the commit, if nothing fails; a second purge is due T after the youngest of them
//!   at the latest, and is made within a sweep. Each failure costs a sweep:
//!   `patience + T + sweep + failures * sweep`.
//! - *No purge is ever accepted.* A page from before the commit was on its way then, or cached
//!   already: `NETWORK + S_MAXAGE`.

pub mod claims;
mod clock;
pub mod commits;
mod edge;
mod forget;
mod protocol;
mod state;
pub mod time;
mod view;
mod worker;

pub use protocol::{Fault, Follows, Protocol};
pub use state::*;

use stateright::{Model, Property};

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
    /// A render that is not followed marks its tag, with a time so many ticks ago.
    MarkElsewhere(Tag, u8),
    /// The followed render marks its tag.
    Mark,
    /// It reads and answers.
    Read,
    /// The edge stores its answer.
    Store,
    /// A writer commits.
    Commit(Writer),
    /// The outbox record is written after the commit.
    Record(Worker),
    /// A drain takes a record that is due.
    Take(Worker, Writer, Record),
    /// A worker looks which marks are live.
    Look(Worker),
    /// It closes them before their purge is accepted.
    CloseEarly(Worker),
    /// It asks for the purge.
    Purge(Worker, Reply),
    /// After that it closes the marks, deletes the record and puts a second one.
    Conclude(Worker),
    /// It crashes.
    Crash(Worker),
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::start()]
    }

    fn actions(&self, s: &State, steps: &mut Vec<Step>) {
        steps.extend([Step::Tick, Step::Mark, Step::Read, Step::Store]);
        for tag in Tag::ALL {
            steps.extend((0..=self.write).map(|late| Step::MarkElsewhere(tag, late)));
        }
        steps.extend(Writer::ALL.map(Step::Commit));
        for worker in Worker::ALL {
            if s.jobs[worker as usize].is_none() {
                for writer in Writer::ALL {
                    steps.extend(Record::ALL.map(|record| Step::Take(worker, writer, record)));
                }
            } else {
                let replies = [Reply::Accepted, Reply::AnswerLost, Reply::Refused];
                steps.extend(replies.map(|reply| Step::Purge(worker, reply)));
                steps.extend([Step::Record(worker), Step::Look(worker)]);
                steps.extend([Step::CloseEarly(worker), Step::Conclude(worker)]);
                steps.push(Step::Crash(worker));
            }
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut s = *before;
        match step {
            Step::Tick => self.tick(&mut s),
            Step::MarkElsewhere(tag, late) => self.mark_elsewhere(&mut s, tag, late),
            Step::Mark => self.mark_followed(&mut s),
            Step::Read => self.read(&mut s),
            Step::Store => self.store(&mut s),
            Step::Commit(writer) => self.commit(&mut s, writer),
            Step::Record(worker) => Self::record(&mut s, worker),
            Step::Take(worker, writer, record) => self.take(&mut s, worker, writer, record),
            Step::Look(worker) => self.look(&mut s, worker),
            Step::CloseEarly(worker) => self.close_early(&mut s, worker),
            Step::Purge(worker, reply) => self.purge(&mut s, worker, reply),
            Step::Conclude(worker) => self.conclude(&mut s, worker),
            Step::Crash(worker) => self.crash(&mut s, worker),
        }?;
        self.forget(&mut s);
        Some(s)
    }

    /// Where a page is followed, and it is gone and none can come that could be stale, nothing is
    /// left to be seen.
    fn within_boundary(&self, s: &State) -> bool {
        let over = s.page == Page::Absent && Writer::ALL.into_iter().all(|w| s.has_committed(w));
        self.follows == Follows::Nothing || !over
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = claims::claims();
        if self.follows == Follows::Shared && self.purges {
            properties.extend(claims::occurrences());
        }
        properties
    }
}
