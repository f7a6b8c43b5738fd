//! What is to go wrong, and at which call.

use std::collections::BTreeMap;
use std::time::Duration;

/// What goes wrong with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The call is made, and its answer comes so much later.
    SlowAnswer(Duration),
    /// The call is made so much later, whether or not the caller still waits.
    SlowCall(Duration),
    /// The call is made once other faults are planned.
    HeldCall,
    /// The connection is closed without an answer; the call is not made.
    DropBefore,
    /// The connection is closed without an answer; the call is made.
    DropAfter,
    /// The connection is reset; the call is not made.
    ResetBefore,
    /// The connection is reset; the call is made.
    ResetAfter,
    /// The connection is closed without an answer, and so is the next as soon as it is accepted;
    /// the call is not made.
    CloseNext,
    /// The call is made, and the connection closed in the middle of its answer.
    Cut,
    /// The service answers with this status and error; the call is not made.
    Refuse(u16, &'static str),
    /// The same, and the call is made.
    RefuseAfter(u16, &'static str),
    /// A 200 with this body; the call is not made.
    Junk(&'static str),
    /// The transaction is cancelled with these reasons, those that are missing being `None`.
    Cancel(Vec<&'static str>),
    /// Of a batch of reads, all is left unprocessed.
    Unprocessed,
    /// Of a batch of reads, every key but the first is left unprocessed.
    HalfUnprocessed,
}

impl Fault {
    /// What kind it is, in a few words.
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
                let mut said = reasons.iter().filter(|reason| **reason != "None");
                match (said.next(), said.next()) {
                    (Some(only), None) => format!("cancelled: {only}"),
                    _ => "cancelled: a mixture".to_owned(),
                }
            }
            Self::Unprocessed => "all keys unprocessed".to_owned(),
            Self::HalfUnprocessed => "some keys unprocessed".to_owned(),
        }
    }
}

/// A fault, and the calls that it befalls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    /// The operation, such as `Query`; empty for every one.
    pub call: String,
    /// How many of these are spared first.
    pub after: usize,
    /// How many are befallen then.
    pub times: usize,
    /// What befalls them.
    pub fault: Fault,
}

impl Strike {
    /// This fault at every call, until something else is planned.
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

/// What is to go wrong, and what has been asked since it was planned.
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

    /// What befalls this call.
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
