//! A model of the protocol that makes each change take effect once (`shared/wrapper`, `shared/store`),
//! which is checked in every order of its steps.
//!
//! # What is modelled
//!
//! Two clients change one entity. Either both send the same form with the same idempotency key, or each
//! has its own key. A client that gets no response sends the form again, while the earlier attempt may
//! still be running. Each attempt is a run of a function with the steps of the code. A step of one run
//! may come between any two steps of another. A transaction of the product is one step here. A failure
//! is a crash between any two steps, a lost transaction, or a lost response to the transaction or to the
//! client. If the model revokes, the user of both clients loses the membership at any moment. After both
//! clients have a response, the record of the key may expire, but remain stored, and
//! the key may be reused.
//!
//! # What must hold
//!
//! See [`Commits::properties`]. Each [`Rule`] is needed: without it one of the properties has a
//! counterexample.

use stateright::{Model, Property};

/// The number of a client.
pub type Client = usize;

/// The most attempts of one client that run at once.
const AT_ONCE: usize = 2;

/// A rule of the protocol that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The idempotency record is written in the transaction of the change.
    RecordInTransaction,
    /// The outbox record is written in the transaction of the change.
    OutboxInTransaction,
    /// The idempotency record is written only if it does not exist.
    RecordMustBeAbsent,
    /// The entity is written only if it still has the version that was read.
    VersionMustMatch,
    /// The idempotency record is read again before a failure is reported.
    CheckBeforeFailing,
    /// An expired idempotency record counts as absent while it is still stored.
    ExpiredIsAbsent,
    /// The transaction is written only if the user still has the membership that was read.
    MembershipMustHold,
}

/// The clients, and what may go wrong.
#[derive(Clone, Debug)]
pub struct Commits {
    /// Whether both clients send the same form with the same key.
    pub twins: bool,
    /// Whether the form has the version that it changes, as an edit does. If not, the function reruns when
    /// the entity has changed.
    pub versioned: bool,
    /// Whether the user of both clients may lose the membership.
    pub revokes: bool,
    /// The most failures in total.
    pub failures: u8,
    /// The rule that is left out, if any.
    pub without: Option<Rule>,
}

/// The response to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Response {
    /// The form has taken effect.
    Success,
    /// 409: the form has not taken effect, and will not.
    Conflict,
    /// 503 or 504: send the form again.
    Retry,
    /// 401: the user is no longer a member.
    Refused,
}

/// The progress of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It reads, and decides when it has read everything.
    Read,
    /// It sends the transaction.
    Transact,
    /// It has committed. Without [`Rule::RecordInTransaction`], it still writes the idempotency record.
    SaveRecord,
    /// It has committed. Without [`Rule::OutboxInTransaction`], it still writes the outbox record.
    SaveOutbox,
    /// It purges the cached pages.
    Purge,
    /// It is about to fail with this response.
    Fail(Response),
    /// It sends this response.
    Respond(Response),
}

/// An attempt of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Run {
    /// Whether the idempotency record exists, once it is read.
    record: Option<bool>,
    /// Whether the user is a member, as read at the same time.
    member: bool,
    /// The entity's version, once it is read.
    version: Option<u8>,
    stage: Stage,
}

const STARTED: Run = Run {
    record: None,
    member: true,
    version: None,
    stage: Stage::Read,
};

/// The stored idempotency record of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Saved {
    Absent,
    Kept,
    Expired,
}

/// A state of the whole model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The entity's version. It starts at 1.
    version: u8,
    /// How often the form of each key took effect since the key was last new.
    done: [u8; 2],
    /// How often any form took effect.
    changes: u8,
    /// Whether the user has lost the membership.
    revoked: bool,
    /// Whether a form took effect after that.
    late: bool,
    saved: [Saved; 2],
    /// The clients whose changes made pages stale that are not purged yet.
    stale: [bool; 2],
    /// The clients whose changes have an outbox record.
    outbox: [bool; 2],
    runs: [[Option<Run>; AT_ONCE]; 2],
    attempts: [u8; 2],
    responses: [Option<Response>; 2],
    failures: u8,
    /// Whether the keys have expired and are reused.
    reused: bool,
}

/// A step of a client, or of one of its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The client sends the form, or sends it again.
    Send(Client),
    /// The user loses the membership.
    Revoke,
    /// The run reads the idempotency record and the membership.
    ReadRecord(Client, usize),
    /// The run reads the entity.
    ReadEntity(Client, usize),
    /// The function runs on what was read.
    Decide(Client, usize),
    /// The transaction. The flags: whether it arrives, and whether its response does.
    Transact(Client, usize, bool, bool),
    /// The run writes the idempotency record on its own.
    SaveRecord(Client, usize),
    /// The run writes the outbox record on its own.
    SaveOutbox(Client, usize),
    /// The run purges the stale pages and deletes the outbox record.
    Purge(Client, usize),
    /// The run checks the idempotency record before it fails.
    Check(Client, usize),
    /// The run responds. The flag: whether the response arrives.
    Respond(Client, usize, bool),
    /// The run crashes.
    Crash(Client, usize),
    /// The drain purges for an outbox record and deletes it.
    Drain(Client),
    /// A day passes: idempotency records expire, and the keys are reused.
    Expire,
}

impl Commits {
    fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// The number of the client's key.
    fn key(&self, client: Client) -> usize {
        if self.twins { 0 } else { client }
    }

    fn exists(&self, saved: Saved) -> bool {
        saved == Saved::Kept || (saved == Saved::Expired && !self.has(Rule::ExpiredIsAbsent))
    }

    fn decide(&self, run: &mut Run) -> Option<()> {
        let (record, version) = (run.record?, run.version?);
        run.stage = match (record, self.versioned && version != 1) {
            _ if !run.member => Stage::Respond(Response::Refused),
            (true, _) => Stage::Respond(Response::Success),
            (false, true) => Stage::Fail(Response::Conflict),
            (false, false) => Stage::Transact,
        };
        Some(())
    }

    fn transact(
        &self,
        s: &mut State,
        client: Client,
        run: &mut Run,
        arrives: bool,
        response_arrives: bool,
    ) {
        let key = self.key(client);
        if !arrives {
            run.stage = Stage::Fail(Response::Retry);
            return;
        }
        let separate = !self.has(Rule::RecordInTransaction);
        if self.exists(s.saved[key]) && self.has(Rule::RecordMustBeAbsent) && !separate {
            run.stage = Stage::Respond(Response::Success);
        } else if s.revoked && self.has(Rule::MembershipMustHold) {
            run.stage = Stage::Fail(Response::Refused);
        } else if run.version != Some(s.version) && self.has(Rule::VersionMustMatch) {
            *run = STARTED;
        } else {
            s.version = run.version.unwrap_or_default() + 1;
            s.changes += 1;
            s.late |= s.revoked;
            s.done[key] += 1;
            s.stale[client] = true;
            if !separate {
                s.saved[key] = Saved::Kept;
            }
            s.outbox[client] = self.has(Rule::OutboxInTransaction);
            run.stage = match (separate, s.outbox[client]) {
                (true, _) => Stage::SaveRecord,
                (false, false) => Stage::SaveOutbox,
                (false, true) => Stage::Purge,
            };
        }
        if !response_arrives {
            run.stage = Stage::Fail(Response::Retry);
        }
    }

    fn check(&self, s: &State, client: Client, run: &mut Run) -> Option<()> {
        let Stage::Fail(failure) = run.stage else {
            return None;
        };
        let exists = self.has(Rule::CheckBeforeFailing) && self.exists(s.saved[self.key(client)]);
        run.stage = Stage::Respond(if exists { Response::Success } else { failure });
        Some(())
    }

    /// Takes a step of a run. Returns whether the run goes on, or `None` if the step is not possible now.
    fn step(&self, s: &mut State, client: Client, run: &mut Run, step: Step) -> Option<bool> {
        match (step, run.stage) {
            (Step::ReadRecord(..), Stage::Read) if run.record.is_none() => {
                run.record = Some(self.exists(s.saved[self.key(client)]));
                run.member = !s.revoked;
            }
            (Step::ReadEntity(..), Stage::Read) if run.version.is_none() => {
                run.version = Some(s.version);
            }
            (Step::Decide(..), Stage::Read) => self.decide(run)?,
            (Step::Transact(_, _, arrives, response_arrives), Stage::Transact) => {
                s.fail(!(arrives && response_arrives))?;
                self.transact(s, client, run, arrives, response_arrives);
            }
            (Step::SaveRecord(..), Stage::SaveRecord) => {
                s.saved[self.key(client)] = Saved::Kept;
                run.stage = Stage::Purge;
            }
            (Step::SaveOutbox(..), Stage::SaveOutbox) => {
                s.outbox[client] = true;
                run.stage = Stage::Purge;
            }
            (Step::Purge(..), Stage::Purge) => {
                s.purge(client);
                run.stage = Stage::Respond(Response::Success);
            }
            (Step::Check(..), Stage::Fail(_)) => self.check(s, client, run)?,
            (Step::Respond(_, _, arrives), Stage::Respond(response)) => {
                s.fail(!arrives)?;
                if arrives && response != Response::Retry && s.responses[client].is_none() {
                    s.responses[client] = Some(response);
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
    /// Counts a failure. `None` if there were too many.
    fn fail(&mut self, fails: bool) -> Option<()> {
        self.failures = self.failures.checked_sub(u8::from(fails))?;
        Some(())
    }

    fn purge(&mut self, client: Client) {
        self.stale[client] = false;
        self.outbox[client] = false;
    }

    fn is_quiet(&self) -> bool {
        self.runs.iter().flatten().all(Option::is_none)
            && self.responses.iter().all(Option::is_some)
    }

    fn send(&mut self, client: Client, most: u8) -> Option<()> {
        if self.responses[client].is_some() || self.attempts[client] > most {
            return None;
        }
        let free = self.runs[client].iter().position(Option::is_none)?;
        self.runs[client][free] = Some(STARTED);
        self.attempts[client] += 1;
        Some(())
    }

    fn expire(&mut self) -> Option<()> {
        if self.reused || !self.is_quiet() || self.stale != [false; 2] {
            return None;
        }
        for saved in &mut self.saved {
            if *saved == Saved::Kept {
                *saved = Saved::Expired;
            }
        }
        self.reused = true;
        self.done = [0; 2];
        self.attempts = [0; 2];
        self.responses = [None; 2];
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
            revoked: false,
            late: false,
            saved: [Saved::Absent; 2],
            stale: [false; 2],
            outbox: [false; 2],
            runs: [[None; AT_ONCE]; 2],
            attempts: [0; 2],
            responses: [None; 2],
            failures: self.failures,
            reused: false,
        }]
    }

    fn actions(&self, s: &State, steps: &mut Vec<Step>) {
        for client in 0..2 {
            steps.extend([Step::Send(client), Step::Drain(client)]);
            for at in (0..AT_ONCE).filter(|at| s.runs[client][*at].is_some()) {
                steps.extend([
                    Step::ReadRecord(client, at),
                    Step::ReadEntity(client, at),
                    Step::Decide(client, at),
                    Step::Transact(client, at, true, true),
                    Step::Transact(client, at, true, false),
                    Step::Transact(client, at, false, false),
                    Step::SaveRecord(client, at),
                    Step::SaveOutbox(client, at),
                    Step::Purge(client, at),
                    Step::Check(client, at),
                    Step::Respond(client, at, true),
                    Step::Respond(client, at, false),
                    Step::Crash(client, at),
                ]);
            }
        }
        steps.extend([Step::Expire, Step::Revoke]);
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut s = before.clone();
        match step {
            Step::Send(client) => s.send(client, self.failures)?,
            Step::Drain(client) if s.outbox[client] => s.purge(client),
            Step::Drain(_) => return None,
            Step::Expire => s.expire()?,
            Step::Revoke if self.revokes && !s.revoked => s.revoked = true,
            Step::Revoke => return None,
            Step::ReadRecord(client, at)
            | Step::ReadEntity(client, at)
            | Step::Decide(client, at)
            | Step::Transact(client, at, ..)
            | Step::SaveRecord(client, at)
            | Step::SaveOutbox(client, at)
            | Step::Purge(client, at)
            | Step::Check(client, at)
            | Step::Respond(client, at, _)
            | Step::Crash(client, at) => {
                let mut run = s.runs[client][at]?;
                let goes_on = self.step(&mut s, client, &mut run, step)?;
                s.runs[client][at] = goes_on.then_some(run);
            }
        }
        Some(s)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no form takes effect twice", |_: &Self, s: &State| {
                s.done.iter().all(|done| *done <= 1)
            }),
            Property::always("no change overwrites another", |_: &Self, s: &State| {
                s.version == 1 + s.changes
            }),
            Property::always("a success is true", |model: &Self, s: &State| {
                let is_true = |client: Client| {
                    s.responses[client] != Some(Response::Success) || s.done[model.key(client)] == 1
                };
                (0..2).all(is_true)
            }),
            Property::always(
                "a conflict is true and stays true",
                |model: &Self, s: &State| {
                    let is_true = |client: Client| {
                        s.responses[client] != Some(Response::Conflict)
                            || s.done[model.key(client)] == 0
                    };
                    (0..2).all(is_true)
                },
            ),
            Property::always("every stale page is purged", |_: &Self, s: &State| {
                let is_purged_in_time = |client: Client| {
                    let will_purge = |run: &Run| {
                        matches!(
                            run.stage,
                            Stage::Purge | Stage::SaveRecord | Stage::SaveOutbox
                        )
                    };
                    !s.stale[client]
                        || s.outbox[client]
                        || s.runs[client].iter().flatten().any(will_purge)
                };
                (0..2).all(is_purged_in_time)
            }),
            Property::always(
                "nothing takes effect after the membership has ended",
                |_: &Self, s: &State| !s.late,
            ),
            Property::eventually(
                "every client gets a response in the end",
                |_: &Self, s: &State| s.responses.iter().all(Option::is_some),
            ),
            Property::sometimes("a key is reused after a day", |_: &Self, s: &State| {
                s.reused && s.done.contains(&1)
            }),
        ]
    }
}
