//! The protocol that makes a change once (`shared/wrapper`, `shared/store`), as a model in which
//! every order of steps is tried.
//!
//! # What is modelled
//!
//! Two clients change one entity: twins who send the same form with one idempotency key, or two
//! people with a key each. A client sends again when no answer comes, while the earlier attempt may
//! still be under way. Each attempt is a run of a function, whose steps are those of the code; any
//! step of one may come between any two of the others, and what is one transaction in the product
//! is one step here. A failure is a crash between any two steps, a transaction that is lost or
//! whose answer is, or an answer that does not reach the client. When all is done the record of
//! the key may expire and stay stored, and the key may be used again.
//!
//! # What must hold
//!
//! See [`Commits::properties`]. Each of the rules in [`Rule`] is needed: without it, one of the
//! properties has a counterexample.

use stateright::{Model, Property};

/// A client, by number.
pub type Who = usize;

/// How many attempts of one client are under way at once.
const AT_ONCE: usize = 2;

/// A rule that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The record of the key is written in the transaction of the change.
    RecordInTransaction,
    /// So is the outbox record.
    OutboxInTransaction,
    /// The record is written only where none is there.
    RecordMustBeAbsent,
    /// The entity is written only where it has the version that was read.
    VersionMustMatch,
    /// Before a failure is answered, the record is read once more.
    LookBeforeFailing,
    /// A record that has expired counts as absent, though it is still stored.
    ExpiredIsAbsent,
}

/// The clients and what may go wrong.
#[derive(Clone, Debug)]
pub struct Commits {
    /// Whether both clients send the same form with the same key.
    pub twins: bool,
    /// Whether the form says which version it changes, as an edit does; without, the function runs
    /// again where the entity has moved.
    pub versioned: bool,
    /// How much may go wrong in all.
    pub failures: u8,
    /// Which rule is left out, if one is.
    pub without: Option<Rule>,
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It has been done.
    Success,
    /// 409: it has not been done, and will not be.
    Conflict,
    /// 503 or 504: send it again.
    Retry,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It reads, and decides when it has read all.
    Gather,
    /// It has decided to write.
    Transact,
    /// It has committed; without the rule, the record is still to be written.
    Record,
    /// Without the rule, the outbox record is.
    Outbox,
    /// It sees to what the edge keeps.
    Settle,
    /// It is about to fail so.
    Fail(Answer),
    /// It answers.
    Reply(Answer),
}

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Run {
    /// Whether the record was there, once that is read.
    record: Option<bool>,
    /// The entity's version, once that is read.
    version: Option<u8>,
    stage: Stage,
}

const STARTED: Run = Run {
    record: None,
    version: None,
    stage: Stage::Gather,
};

/// A record of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Saved {
    Absent,
    Kept,
    Expired,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The entity's version, from 1.
    version: u8,
    /// How often the form of each key has been done since the key was last new.
    done: [u8; 2],
    /// How often anything has been done.
    changes: u8,
    saved: [Saved; 2],
    /// Commits whose cached pages are not seen to.
    stale: [bool; 2],
    /// Outbox records.
    outbox: [bool; 2],
    runs: [[Option<Run>; AT_ONCE]; 2],
    attempts: [u8; 2],
    told: [Option<Answer>; 2],
    failures: u8,
    /// Whether the keys have expired and been used again.
    again: bool,
}

/// One step: `who`, and which of their attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The client sends the form, or sends it again.
    Send(Who),
    /// The run reads the record of its key.
    ReadRecord(Who, usize),
    /// It reads the entity.
    ReadEntity(Who, usize),
    /// The function runs on what was read.
    Decide(Who, usize),
    /// The transaction: whether it arrives, and whether its answer does.
    Transact(Who, usize, bool, bool),
    /// The record is written on its own.
    Save(Who, usize),
    /// The outbox record is written on its own.
    Post(Who, usize),
    /// The run sees to the outbox record.
    Settle(Who, usize),
    /// Before it fails, it looks for the record.
    Look(Who, usize),
    /// It answers: whether that arrives.
    Reply(Who, usize, bool),
    /// It crashes.
    Crash(Who, usize),
    /// The drain sees to an outbox record.
    Drain(Who),
    /// A day has passed: records expire, and the keys are used again.
    Expire,
}

impl Commits {
    fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// The key that a client uses.
    fn key(&self, who: Who) -> usize {
        if self.twins { 0 } else { who }
    }

    fn is_there(&self, saved: Saved) -> bool {
        saved == Saved::Kept || (saved == Saved::Expired && !self.has(Rule::ExpiredIsAbsent))
    }

    fn decide(&self, run: &mut Run) -> Option<()> {
        let (record, version) = (run.record?, run.version?);
        run.stage = match (record, self.versioned && version != 1) {
            (true, _) => Stage::Reply(Answer::Success),
            (false, true) => Stage::Fail(Answer::Conflict),
            (false, false) => Stage::Transact,
        };
        Some(())
    }

    fn transact(&self, s: &mut State, who: Who, run: &mut Run, arrives: bool, answered: bool) {
        let key = self.key(who);
        if !arrives {
            run.stage = Stage::Fail(Answer::Retry);
            return;
        }
        let apart = !self.has(Rule::RecordInTransaction);
        if self.is_there(s.saved[key]) && self.has(Rule::RecordMustBeAbsent) && !apart {
            run.stage = Stage::Reply(Answer::Success);
        } else if run.version != Some(s.version) && self.has(Rule::VersionMustMatch) {
            *run = STARTED;
        } else {
            s.version = run.version.unwrap_or_default() + 1;
            s.changes += 1;
            s.done[key] += 1;
            s.stale[who] = true;
            if !apart {
                s.saved[key] = Saved::Kept;
            }
            s.outbox[who] = self.has(Rule::OutboxInTransaction);
            run.stage = match (apart, s.outbox[who]) {
                (true, _) => Stage::Record,
                (false, false) => Stage::Outbox,
                (false, true) => Stage::Settle,
            };
        }
        if !answered {
            run.stage = Stage::Fail(Answer::Retry);
        }
    }

    fn look(&self, s: &State, who: Who, run: &mut Run) -> Option<()> {
        let Stage::Fail(answer) = run.stage else {
            return None;
        };
        let found = self.has(Rule::LookBeforeFailing) && self.is_there(s.saved[self.key(who)]);
        run.stage = Stage::Reply(if found { Answer::Success } else { answer });
        Some(())
    }

    /// A step of one run; `None` where it is not its turn. The run is gone where it has ended.
    fn step(&self, s: &mut State, who: Who, run: &mut Run, step: Step) -> Option<bool> {
        match (step, run.stage) {
            (Step::ReadRecord(..), Stage::Gather) if run.record.is_none() => {
                run.record = Some(self.is_there(s.saved[self.key(who)]));
            }
            (Step::ReadEntity(..), Stage::Gather) if run.version.is_none() => {
                run.version = Some(s.version);
            }
            (Step::Decide(..), Stage::Gather) => self.decide(run)?,
            (Step::Transact(_, _, arrives, answered), Stage::Transact) => {
                s.fail(!(arrives && answered))?;
                self.transact(s, who, run, arrives, answered);
            }
            (Step::Save(..), Stage::Record) => {
                s.saved[self.key(who)] = Saved::Kept;
                run.stage = Stage::Settle;
            }
            (Step::Post(..), Stage::Outbox) => {
                s.outbox[who] = true;
                run.stage = Stage::Settle;
            }
            (Step::Settle(..), Stage::Settle) => {
                s.see_to(who);
                run.stage = Stage::Reply(Answer::Success);
            }
            (Step::Look(..), Stage::Fail(_)) => self.look(s, who, run)?,
            (Step::Reply(_, _, arrives), Stage::Reply(answer)) => {
                s.fail(!arrives)?;
                if arrives && answer != Answer::Retry && s.told[who].is_none() {
                    s.told[who] = Some(answer);
                }
                return Some(false);
            }
            (Step::Crash(..), _) => {
                s.fail(true)?;
                return Some(false);
            }
            _ => return None,
        }
        Some(true)
    }
}

impl State {
    /// Counts a failure; `None` where there have been enough.
    fn fail(&mut self, fails: bool) -> Option<()> {
        self.failures = self.failures.checked_sub(u8::from(fails))?;
        Some(())
    }

    fn see_to(&mut self, who: Who) {
        self.stale[who] = false;
        self.outbox[who] = false;
    }

    fn is_quiet(&self) -> bool {
        self.runs.iter().flatten().all(Option::is_none) && self.told.iter().all(Option::is_some)
    }

    fn send(&mut self, who: Who, most: u8) -> Option<()> {
        if self.told[who].is_some() || self.attempts[who] > most {
            return None;
        }
        let free = self.runs[who].iter().position(Option::is_none)?;
        self.runs[who][free] = Some(STARTED);
        self.attempts[who] += 1;
        Some(())
    }

    fn expire(&mut self) -> Option<()> {
        if self.again || !self.is_quiet() || self.stale != [false; 2] {
            return None;
        }
        for saved in &mut self.saved {
            if *saved == Saved::Kept {
                *saved = Saved::Expired;
            }
        }
        self.again = true;
        self.done = [0; 2];
        self.attempts = [0; 2];
        self.told = [None; 2];
        Some(())
    }
}

impl Model for Commits {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            version: 1,
            done: [0; 2],
            changes: 0,
            saved: [Saved::Absent; 2],
            stale: [false; 2],
            outbox: [false; 2],
            runs: [[None; AT_ONCE]; 2],
            attempts: [0; 2],
            told: [None; 2],
            failures: self.failures,
            again: false,
        }]
    }

    fn actions(&self, s: &State, steps: &mut Vec<Step>) {
        for who in 0..2 {
            steps.extend([Step::Send(who), Step::Drain(who)]);
            for at in (0..AT_ONCE).filter(|at| s.runs[who][*at].is_some()) {
                steps.extend([
                    Step::ReadRecord(who, at),
                    Step::ReadEntity(who, at),
                    Step::Decide(who, at),
                    Step::Transact(who, at, true, true),
                    Step::Transact(who, at, true, false),
                    Step::Transact(who, at, false, false),
                    Step::Save(who, at),
                    Step::Post(who, at),
                    Step::Settle(who, at),
                    Step::Look(who, at),
                    Step::Reply(who, at, true),
                    Step::Reply(who, at, false),
                    Step::Crash(who, at),
                ]);
            }
        }
        steps.push(Step::Expire);
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut s = before.clone();
        match step {
            Step::Send(who) => s.send(who, self.failures)?,
            Step::Drain(who) if s.outbox[who] => s.see_to(who),
            Step::Drain(_) => return None,
            Step::Expire => s.expire()?,
            Step::ReadRecord(who, at)
            | Step::ReadEntity(who, at)
            | Step::Decide(who, at)
            | Step::Transact(who, at, ..)
            | Step::Save(who, at)
            | Step::Post(who, at)
            | Step::Settle(who, at)
            | Step::Look(who, at)
            | Step::Reply(who, at, _)
            | Step::Crash(who, at) => {
                let mut run = s.runs[who][at]?;
                let goes_on = self.step(&mut s, who, &mut run, step)?;
                s.runs[who][at] = goes_on.then_some(run);
            }
        }
        Some(s)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no form is done twice", |_: &Self, s: &State| {
                s.done.iter().all(|done| *done <= 1)
            }),
            Property::always("no change overwrites another", |_: &Self, s: &State| {
                s.version == 1 + s.changes
            }),
            Property::always("a success is true", |model: &Self, s: &State| {
                let is_true =
                    |who: Who| s.told[who] != Some(Answer::Success) || s.done[model.key(who)] == 1;
                (0..2).all(is_true)
            }),
            Property::always(
                "a conflict is true, and stays so",
                |model: &Self, s: &State| {
                    let is_true = |who: Who| {
                        s.told[who] != Some(Answer::Conflict) || s.done[model.key(who)] == 0
                    };
                    (0..2).all(is_true)
                },
            ),
            Property::always("what is stale is seen to", |_: &Self, s: &State| {
                let seen_to = |who: Who| {
                    let settles = |run: &Run| {
                        matches!(run.stage, Stage::Settle | Stage::Record | Stage::Outbox)
                    };
                    !s.stale[who] || s.outbox[who] || s.runs[who].iter().flatten().any(settles)
                };
                (0..2).all(seen_to)
            }),
            Property::eventually(
                "everybody is told, however much goes wrong",
                |_: &Self, s: &State| s.told.iter().all(Option::is_some),
            ),
            Property::sometimes("a key is used again after a day", |_: &Self, s: &State| {
                s.again && s.done.contains(&1)
            }),
        ]
    }
}
