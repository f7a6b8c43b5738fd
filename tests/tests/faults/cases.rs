//! Which faults are tried, at which calls.

use edge_crm_tests::fault::{Call, Fault, Strike};
use std::time::Duration;

/// Longer than one attempt may take in these tests, and the whole operation not.
const LATE: Duration = Duration::from_millis(1_300);

/// What a page of a proxy in between looks like.
const HTML: &str = "<html><body><h1>200 OK</h1></body></html>";

/// Until the plan is changed.
const ALWAYS: usize = usize::MAX;

/// The reasons of a cancellation: all that
/// [`TransactWriteItems`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html)
/// may give. The last two say that the request itself is wrong.
const REASONS: [&str; 6] = [
    "ConditionalCheckFailed",
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "ItemCollectionSizeLimitExceeded",
    "ValidationError",
];

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The row of the table.
    pub(crate) label: String,
    pub(crate) database: Vec<Strike>,
    /// What befalls the calls of CloudFront, or of SES.
    pub(crate) beside: Vec<Strike>,
    /// Whether the service says that a condition failed, at an item that is not the key's record.
    pub(crate) denies: bool,
    /// Whether it says so of any item.
    pub(crate) renews: bool,
    /// Whether the service says that a request itself is wrong, as only a bug can make it.
    pub(crate) is_bug: bool,
}

impl Case {
    /// Whether it befalls only what comes after the commit.
    pub(crate) fn is_after_commit(&self) -> bool {
        matches!(
            self.database.as_slice(),
            [only] if only.call == "TransactWriteItems" && only.after > 0
                || only.call == "DeleteItem"
        )
    }

    fn database(strikes: Vec<Strike>) -> Self {
        let label = match strikes.as_slice() {
            [only] if only.call.is_empty() => format!("{}, at every call", only.fault.kind()),
            [only] if only.times == ALWAYS => format!("{}, from then on", only.fault.kind()),
            [only] => only.fault.kind(),
            _ => "two faults".to_owned(),
        };
        let failed = |strike: &Strike, from: usize| match &strike.fault {
            Fault::Cancel(codes) => codes.iter().skip(from).any(|code| *code == REASONS[0]),
            _ => false,
        };
        let is_wrong = |strike: &Strike| match &strike.fault {
            Fault::Cancel(codes) => codes.iter().any(|code| REASONS[4..].contains(code)),
            _ => false,
        };
        Self {
            label,
            is_bug: strikes.iter().any(is_wrong),
            denies: strikes.iter().any(|strike| failed(strike, 1)),
            renews: strikes.iter().any(|strike| failed(strike, 0)),
            database: strikes,
            beside: Vec::new(),
        }
    }
}

/// What befalls any call of DynamoDB.
pub(crate) fn general() -> Vec<Fault> {
    let mut faults = network();
    faults.extend([
        Fault::Refuse(400, "ProvisionedThroughputExceededException"),
        Fault::Refuse(400, "ThrottlingException"),
        Fault::Refuse(400, "RequestLimitExceeded"),
        Fault::Refuse(500, "InternalServerError"),
        Fault::RefuseAfter(500, "InternalServerError"),
        Fault::Refuse(503, "ServiceUnavailable"),
    ]);
    faults
}

fn network() -> Vec<Fault> {
    vec![
        Fault::SlowAnswer(Duration::from_millis(40)),
        Fault::SlowAnswer(LATE),
        Fault::SlowCall(LATE),
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::CloseNext,
        Fault::Cut,
        Fault::Junk(HTML),
    ]
}

/// What befalls a call of CloudFront.
fn of_edge() -> Vec<Fault> {
    let mut faults = network();
    faults.extend([
        Fault::Junk(""),
        Fault::Refuse(400, "Throttling"),
        Fault::Refuse(400, "TooManyInvalidationsInProgress"),
        Fault::Refuse(403, "AccessDenied"),
        Fault::Refuse(404, "NoSuchDistribution"),
        Fault::Refuse(400, "InvalidArgument"),
        Fault::Refuse(500, "InternalError"),
        Fault::RefuseAfter(500, "InternalError"),
        Fault::Refuse(503, "ServiceUnavailable"),
    ]);
    faults
}

/// What befalls a call of SES.
fn of_post() -> Vec<Fault> {
    let mut faults = network();
    faults.extend([
        Fault::SlowAnswer(mail::PATIENCE + LATE),
        Fault::Junk(""),
        Fault::Junk("{}"),
        Fault::Refuse(400, "BadRequestException"),
        Fault::Refuse(400, "LimitExceededException"),
        Fault::Refuse(400, "MailFromDomainNotVerifiedException"),
        Fault::Refuse(400, "MessageRejected"),
        Fault::Refuse(400, "SendingPausedException"),
        Fault::Refuse(403, "AccessDeniedException"),
        Fault::Refuse(403, "AccountSuspendedException"),
        Fault::Refuse(404, "NotFoundException"),
        Fault::Refuse(429, "TooManyRequestsException"),
        Fault::Refuse(500, "InternalFailure"),
        Fault::RefuseAfter(500, "InternalFailure"),
        Fault::Refuse(503, "ServiceUnavailable"),
    ]);
    faults
}

/// What befalls this call of DynamoDB. An empty object is what it answers to a write that it has
/// made, so only a read can tell that one is wrong.
pub(crate) fn faults_of(call: &Call) -> Vec<Fault> {
    let mut faults = general();
    let empty = [Fault::Junk("{}"), Fault::Junk("")];
    match call.name.as_str() {
        "BatchGetItem" => {
            faults.extend([Fault::Unprocessed, Fault::HalfUnprocessed]);
            faults.extend(empty);
        }
        "TransactWriteItems" => faults.push(Fault::Refuse(400, "TransactionInProgressException")),
        _ if call.returns => faults.extend(empty),
        _ => {}
    }
    faults
}

/// One reason at one item, for each of both.
fn cancellations(items: usize) -> impl Iterator<Item = Fault> {
    (0..items).flat_map(|at| {
        REASONS.iter().map(move |reason| {
            let mut codes = vec!["None"; at];
            codes.push(reason);
            Fault::Cancel(codes)
        })
    })
}

/// Reasons at random: those that pass by themselves, or any.
fn mixture(random: &mut fastrand::Rng, items: usize, passing: bool) -> Fault {
    let of = if passing {
        &REASONS[1..4]
    } else {
        &REASONS[..]
    };
    let mut codes: Vec<_> = (0..items)
        .map(|_| match random.bool() {
            true => of[random.usize(..of.len())],
            false => "None",
        })
        .collect();
    codes[random.usize(..items)] = of[random.usize(..of.len())];
    Fault::Cancel(codes)
}

/// The calls with the ordinal that each has among those of its name.
fn numbered(calls: &[Call]) -> Vec<(&Call, usize)> {
    let nth = |at: usize| {
        calls[..at]
            .iter()
            .filter(|c| c.name == calls[at].name)
            .count()
    };
    (0..calls.len()).map(|at| (&calls[at], nth(at))).collect()
}

fn strike(call: &Call, after: usize, times: usize, fault: Fault) -> Strike {
    Strike {
        call: call.name.clone(),
        after,
        times,
        fault,
    }
}

/// Every fault at every one of these calls: once, and from then on.
pub(crate) fn systematic(calls: &[Call], random: &mut fastrand::Rng) -> Vec<Case> {
    let mut cases = Vec::new();
    for (call, nth) in numbered(calls) {
        for fault in faults_of(call) {
            for times in [1, ALWAYS] {
                cases.push(vec![strike(call, nth, times, fault.clone())]);
            }
        }
        if call.name == "TransactWriteItems" {
            cases.extend(cancellations(call.items).map(|f| vec![strike(call, nth, 1, f)]));
            for times in [1, 1, 3, 3, ALWAYS] {
                let fault = mixture(random, call.items, true);
                cases.push(vec![strike(call, nth, times, fault)]);
                let fault = mixture(random, call.items, false);
                cases.push(vec![strike(call, nth, 1, fault)]);
            }
        }
    }
    cases.extend(
        general()
            .into_iter()
            .map(|fault| vec![Strike::always(fault)]),
    );
    cases.extend(recalled(calls));
    cases.into_iter().map(Case::database).collect()
}

/// The answer to the commit is lost for good, and what is read then to find out fails too.
fn recalled(calls: &[Call]) -> Vec<Vec<Strike>> {
    let Some(commit) = calls.iter().find(|call| call.name == "TransactWriteItems") else {
        return Vec::new();
    };
    let read = Call {
        name: "TransactGetItems".to_owned(),
        items: 1,
        returns: true,
        ..Call::default()
    };
    let lost = [
        Fault::RefuseAfter(500, "InternalServerError"),
        Fault::SlowAnswer(LATE),
        Fault::Cancel(vec![REASONS[1]]),
    ];
    let mut cases = Vec::new();
    for lost in lost {
        let mut faults = faults_of(&read);
        faults.extend([REASONS[1], REASONS[3], REASONS[5]].map(|code| Fault::Cancel(vec![code])));
        for fault in faults {
            let lost = strike(commit, 0, ALWAYS, lost.clone());
            cases.push(vec![lost, strike(&read, 0, ALWAYS, fault)]);
        }
    }
    cases
}

/// Two faults in one request, at random.
pub(crate) fn pair(calls: &[Call], random: &mut fastrand::Rng) -> Case {
    let numbered = numbered(calls);
    let strikes = (0..2).map(|_| {
        let (call, nth) = numbered[random.usize(..numbered.len())];
        let mut faults = faults_of(call);
        if call.name == "TransactWriteItems" {
            faults.extend((0..8).map(|_| mixture(random, call.items, true)));
        }
        // What waits costs time, so it comes seldom.
        faults.retain(|fault| !matches!(fault, Fault::SlowCall(_) | Fault::SlowAnswer(_)));
        let fault = faults.swap_remove(random.usize(..faults.len()));
        strike(call, nth, random.usize(1..4), fault)
    });
    Case::database(strikes.collect())
}

/// Every fault of CloudFront: at the action's call, and from then on until it is healed.
pub(crate) fn at_the_edge() -> Vec<Case> {
    beside("CloudFront", of_edge())
}

/// Every fault of SES: at the first attempt to send a letter, and from then on until it is healed.
pub(crate) fn at_the_post() -> Vec<Case> {
    beside("SES", of_post())
}

fn beside(service: &str, faults: Vec<Fault>) -> Vec<Case> {
    let each = faults.into_iter().flat_map(|fault| {
        [1, ALWAYS].map(|times| {
            let from_then_on = if times == 1 { "" } else { ", from then on" };
            Case {
                label: format!("{service}: {}{from_then_on}", fault.kind()),
                database: Vec::new(),
                beside: vec![Strike {
                    times,
                    ..Strike::always(fault.clone())
                }],
                denies: false,
                renews: false,
                is_bug: false,
            }
        })
    });
    each.collect()
}
