//! A model of the protocol that keeps cached pages fresh (`docs/caching.md`), which is checked in every
//! order of its steps.
//!
//! # What is modelled
//!
//! The model follows one page, from its render until it leaves the cache. Of all other renders it has
//! only the marks that they write: a run that follows one of their pages is explored too. There are
//! one or two tags, a list's and an item's, and two writers, who each commit one change that touches
//! every tag. A commit is quiet, closes marks, or is recorded only. The last is possible at any time,
//! because a commit may meet a conflict on a mark. The action and a drain both purge for a change,
//! possibly at the same time, or two drains do so in the background. A step of one may come between any
//! two steps of the others. A transaction of the product is one step here. A transaction that is
//! cancelled, because a mark or a record is not as it was read, has no effect and is left out.
//!
//! A failure is the crash of an action or a drain at any point, a refused purge, or an accepted purge
//! whose response is lost. A view that crashes leaves a mark but no page. That is the same as a render
//! that is not followed.
//!
//! A purge removes the page as soon as it is accepted. The time that CloudFront really takes comes on
//! top of each bound. A second purge is due as soon as T has passed.
//!
//! The quiet time and the allowance only ever refuse to open a mark. So a run without them contains
//! every order of steps that a run with them has. In the runs with an allowance no page is followed, and
//! the writers commit again and again.
//!
//! # The bounds, in ticks
//!
//! What takes less than a second takes no tick. The other durations are in [`time`] and [`Protocol`]:
//! T is `RENDER + NETWORK + write`. There is a sweep every `sweep` ticks. An action that does not crash
//! ends at most `patience` ticks after its commit. So a change is first seen to after `first` ticks:
//! `patience`, or `sweep` in the background.
//!
//! - *A page that no purge missed.* Each failure leaves the record to the next sweep:
//!   `first + failures * sweep`. If the page misses two changes, the record of the second may have closed
//!   the marks before the first was seen to, and so purges for both: another `first`.
//! - *A page that was on its way to the edge when a purge of its tag was accepted*, or that a purge did
//!   not remove because it repeated an earlier one. The marks are closed within `first` of the commit. A
//!   second purge is due at most T after the youngest of them, and is made within a sweep. Each failure
//!   costs a sweep: `first + T + sweep + failures * sweep`.
//! - *No purge is ever accepted.* At the commit the old page was on its way or already cached:
//!   `NETWORK` + `s-maxage`.
//!
//! # The allowance
//!
//! What a mark can cost is reserved when it is opened, and bought and counted at most `life + sweep`
//! ticks later. Each failure may add a sweep. If a window is that long, the budget is not exceeded,
//! failures or not. Otherwise each failure may cost [`allowance::PRICE`] more. This is for one record to
//! a call: see [`Fault::ReferenceOfCall`].

pub mod allowance;
mod change;
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

pub use change::Way;
pub use protocol::{Allowance, Fault, Follows, Protocol};
pub use state::*;

use stateright::{Model, Property};

/// The outcome of a CreateInvalidation call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Accepted, and the response arrives.
    Accepted,
    /// Accepted, but the response is lost.
    ResponseLost,
    /// Refused, or the call never arrives.
    Refused,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A tick passes.
    Tick,
    /// A render that is not followed marks its tag, with a time this many ticks ago.
    MarkUnfollowed(Tag, u8),
    /// The followed render marks its tag.
    Mark,
    /// The followed render reads and responds.
    Read,
    /// The edge stores its response.
    Store,
    /// A writer reads the marks to close. Only in a broken variant.
    Prepare(Writer),
    /// A writer commits.
    Commit(Writer, Way),
    /// The outbox record is written after the commit. Only in a broken variant.
    Record(Worker),
    /// A drain takes a due record.
    Take(Worker, Writer, Record),
    /// A worker settles or resolves a record whose commit touched no mark.
    Settle(Worker),
    /// A worker calls CloudFront for the purge.
    Purge(Worker, Reply),
    /// After the purge, a worker deletes the record and writes a second one if needed.
    Conclude(Worker),
    /// A worker crashes.
    Crash(Worker),
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::start(self.unchanged())]
    }

    fn actions(&self, s: &State, steps: &mut Vec<Step>) {
        steps.extend([Step::Tick, Step::Mark, Step::Read, Step::Store]);
        for tag in Tag::ALL {
            steps.extend((0..=self.write).map(|late| Step::MarkUnfollowed(tag, late)));
        }
        for writer in Writer::ALL {
            steps.push(Step::Prepare(writer));
            steps.extend(Way::ALL.map(|way| Step::Commit(writer, way)));
        }
        for worker in Worker::ALL {
            if s.jobs[worker as usize].is_none() {
                for writer in Writer::ALL {
                    steps.extend(Record::ALL.map(|record| Step::Take(worker, writer, record)));
                }
            } else {
                let replies = [Reply::Accepted, Reply::ResponseLost, Reply::Refused];
                steps.extend(replies.map(|reply| Step::Purge(worker, reply)));
                steps.extend([Step::Record(worker), Step::Settle(worker)]);
                steps.extend([Step::Conclude(worker), Step::Crash(worker)]);
            }
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut s = *before;
        match step {
            Step::Tick => self.tick(&mut s),
            Step::MarkUnfollowed(tag, late) => self.mark_unfollowed(&mut s, tag, late),
            Step::Mark => self.mark_followed(&mut s),
            Step::Read => self.read(&mut s),
            Step::Store => self.store(&mut s),
            Step::Prepare(writer) => self.prepare(&mut s, writer),
            Step::Commit(writer, way) => self.commit(&mut s, writer, way),
            Step::Record(worker) => Self::record(&mut s, worker),
            Step::Take(worker, writer, record) => self.take(&mut s, worker, writer, record),
            Step::Settle(worker) => self.settle(&mut s, worker),
            Step::Purge(worker, reply) => self.purge(&mut s, worker, reply),
            Step::Conclude(worker) => self.conclude(&mut s, worker),
            Step::Crash(worker) => self.crash(&mut s, worker),
        }?;
        self.forget(&mut s);
        Some(s)
    }

    /// A run ends once the followed page is gone and no later page can become stale.
    fn within_boundary(&self, s: &State) -> bool {
        let over = s.page == Page::Absent && Writer::ALL.into_iter().all(|w| s.has_committed(w));
        self.follows == Follows::Nothing || !over
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = claims::claims();
        properties.extend(claims::occurrences(self));
        properties
    }
}
