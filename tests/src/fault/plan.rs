//! The plan: which fault hits which call.

use std::collections::BTreeMap;
use std::time::Duration;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The call is made, and the reply is held back for this long.
    SlowAnswer(Duration),
    /// The call is held back for this long and then made, even if the caller has given up.
    SlowCall(Duration),
    /// The call is held back until the plan is replaced.
    HeldCall,
    /// The call is not made. The connection is closed without a reply.
    DropBefore,
    /// The call is made. The connection is closed without a reply.
    DropAfter,
    /// The call is not made. The connection is reset.
    ResetBefore,
    /// The call is made. The connection is reset.
    ResetAfter,
    /// The call is not made. The connection is closed without a reply, and the next connection is closed
    /// as soon as it is accepted.
    CloseNext,
    /// The call is made. The connection is closed in the middle of the reply.
    Cut,
    /// The call is not made. The reply is this status and error.
    Refuse(u16, &'static str),
    /// The call is made. The reply is this status and error all the same.
    RefuseAfter(u16, &'static str),
    /// The call is not made. The reply is a 200 with this body.
    Junk(&'static str),
    /// The transaction is cancelled with these reasons, one for each item. Missing ones are `None`.
    Cancel(Vec<&'static str>),
    /// A batch of reads reports every key as unprocessed.
    Unprocessed,
    /// A batch of reads reports every key but the first as unprocessed.
    HalfUnprocessed,
}

impl Fault {
    /// The kind of fault, in a few words.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::SlowAnswer(by) => format!("answer {} ms later", by.as_millis()),
            Self::SlowCall(by) => format!("call {} ms later", by.as_millis()),
            Self::HeldCall => "call held back".to_owned(),
            Self::DropBefore => "closed before the call".to_owned(),
            Self::DropAfter => "closed after the call".to_owned(),
            Self::ResetBefore => "reset before the call".to_owned(),
            Self::ResetAfter => "reset after the call".to_owned(),
            Self::CloseNext => "closed, and the next one too".to_owned(),
            Self::Cut => "answer cut in the middle".to_owned(),
            Self::Refuse(status, code) => format!("{status} {code}"),
            Self::RefuseAfter(status, code) => format!("{status} {code} after the call"),
            Self::Junk("") => "200 without a body".to_owned(),
            Self::Junk("{}") => "200 with an empty object".to_owned(),
            Self::Junk(_) => "200 with junk".to_owned(),
            Self::Cancel(reasons) => {
                let mut given = reasons.iter().filter(|reason| **reason != "None");
                match (given.next(), given.next()) {
                    (Some(only), None) => format!("cancelled: {only}"),
                    _ => "cancelled: a mixture".to_owned(),
                }
            }
            Self::Unprocessed => "all keys unprocessed".to_owned(),
            Self::HalfUnprocessed => "some keys unprocessed".to_owned(),
        }
    }
}

/// A fault and the calls that it hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    /// The operation, such as `Query`. Empty for every operation.
    pub call: String,
    /// How many of these calls to let through first.
    pub after: usize,
    /// How many of the calls after those to hit.
    pub times: usize,
    /// What happens to them.
    pub fault: Fault,
}

impl Strike {
    /// Hits every call until the plan is replaced.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self {
            call: String::new(),
            after: 0,
            times: usize::MAX,
            fault,
        }
    }
}

/// The planned faults, and how often each operation was called since the plan was made.
#[derive(Debug, Default)]
pub(super) struct Plan {
    strikes: Vec<Strike>,
    seen: BTreeMap<String, usize>,
}

impl Plan {
    pub(super) fn new(strikes: Vec<Strike>) -> Self {
        Self {
            strikes,
            seen: BTreeMap::new(),
        }
    }

    /// Counts the call. Returns the fault that hits it.
    pub(super) fn strike(&mut self, call: &str) -> Option<Fault> {
        let nth = |seen: &mut BTreeMap<String, usize>, name: &str| {
            let count = seen.entry(name.to_owned()).or_default();
            *count += 1;
            *count - 1
        };
        let of_kind = nth(&mut self.seen, call);
        let of_all = nth(&mut self.seen, "");
        let due = self.strikes.iter().find(|strike| {
            let at = match strike.call.as_str() {
                "" => of_all,
                name if name == call => of_kind,
                _ => return false,
            };
            at >= strike.after && at - strike.after < strike.times
        });
        due.map(|strike| strike.fault.clone())
    }
}
