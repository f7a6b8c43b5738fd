//! The faults that are tried, and at which calls.

use edge_crm_tests::fault::{Call, Fault, Strike};
use edge_crm_tests::inside;
use std::time::Duration;
use store::Patience;

/// The time limits of calls that no fault delays: so long that none ends early, however busy the
/// machine is.
pub(crate) const UNHURRIED: Patience = Patience {
    wait: HURRIED.wait,
    ..inside::UNHURRIED
};

/// The time limits of calls that a fault delays by [`LATE`]: in about the proportion of
/// production's, and shorter, so that the tests end. On a busy machine other calls may exceed them
/// too, so no test may rely on one that does not.
pub(crate) const HURRIED: Patience = Patience {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(1),
    operation: Duration::from_millis(2_200),
    wait: Some(Duration::from_millis(10)),
};

/// Longer than one attempt of [`HURRIED`], and shorter than the whole operation.
const LATE: Duration = Duration::from_millis(1_300);

/// Whether the fault makes a call exceed the limits of [`HURRIED`].
pub(crate) fn is_late(fault: &Fault) -> bool {
    match fault {
        Fault::SlowAnswer(by) | Fault::SlowCall(by) => *by >= LATE,
        _ => false,
    }
}

/// Whether one of these faults makes a call exceed its limits.
pub(crate) fn hurry(strikes: &[Strike]) -> bool {
    strikes.iter().any(|strike| is_late(&strike.fault))
}

/// The kind of page that a proxy on the way may send.
const HTML: &str = "<html><body><h1>200 OK</h1></body></html>";

/// From then on, until the plan changes.
const ALWAYS: usize = usize::MAX;

/// The reasons for which
/// [`TransactWriteItems`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html)
/// may cancel. The last two say that the request itself is wrong.
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
    /// Its row in the report.
    pub(crate) label: String,
    pub(crate) database: Vec<Strike>,
    /// The faults of CloudFront or SES.
    pub(crate) others: Vec<Strike>,
    /// Whether the service says that a condition failed, at an item other than the idempotency record.
    pub(crate) denies: bool,
    /// Whether it says so at any item.
    pub(crate) renews: bool,
    /// Whether the service says that the request itself is wrong, which only a bug can cause.
    pub(crate) is_bug: bool,
}

impl Case {
    /// Whether it strikes only calls after the commit.
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
            others: Vec::new(),
        }
    }
}

/// The faults of any call of DynamoDB.
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

/// The faults of a call of CloudFront.
fn of_cloudfront() -> Vec<Fault> {
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

/// The faults of a call of SES.
fn of_ses() -> Vec<Fault> {
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

/// The faults of this call of DynamoDB. An empty object is the right response to a write, so it is
/// a fault only of a call that returns something.
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

/// Each reason at each item.
fn cancellations(items: usize) -> impl Iterator<Item = Fault> {
    (0..items).flat_map(|at| {
        REASONS.iter().map(move |reason| {
            let mut codes = vec!["None"; at];
            codes.push(reason);
            Fault::Cancel(codes)
        })
    })
}

/// Random reasons at random items. If `passing`, only those that a retry overcomes.
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

/// The calls, each with its number among those of its name.
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

/// Every fault at each of these calls: once, and from then on.
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
    cases.extend(lost_commits(calls));
    cases.into_iter().map(Case::database).collect()
}

/// The response to the commit is lost on every attempt, and the read that finds out what became of
/// it fails too.
fn lost_commits(calls: &[Call]) -> Vec<Vec<Strike>> {
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
        // Slow faults cost time, so they are left to the systematic cases.
        faults.retain(|fault| !matches!(fault, Fault::SlowCall(_) | Fault::SlowAnswer(_)));
        let fault = faults.swap_remove(random.usize(..faults.len()));
        strike(call, nth, random.usize(1..4), fault)
    });
    Case::database(strikes.collect())
}

/// Every fault of CloudFront: at the action's call, and from then on.
pub(crate) fn of_invalidations() -> Vec<Case> {
    others("CloudFront", of_cloudfront())
}

/// Every fault of SES: at the first attempt to send an email, and from then on.
pub(crate) fn of_emails() -> Vec<Case> {
    others("SES", of_ses())
}

fn others(service: &str, faults: Vec<Fault>) -> Vec<Case> {
    let each = faults.into_iter().flat_map(|fault| {
        [1, ALWAYS].map(|times| {
            let from_then_on = if times == 1 { "" } else { ", from then on" };
            Case {
                label: format!("{service}: {}{from_then_on}", fault.kind()),
                database: Vec::new(),
                others: vec![Strike {
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
