//! Tests of the API with the real client.

use crate::edge::{Distribution, DistributionSettings, Faults};
use aws::Access;
use aws_sdk_cloudfront::config::retry::RetryConfig;
use aws_sdk_cloudfront::config::{BehaviorVersion, Region};
use aws_sdk_cloudfront::error::ProvideErrorMetadata;
use aws_sdk_cloudfront::types::{Invalidation, InvalidationBatch, Paths};
use aws_sdk_cloudfront::{Client, Config};
use std::time::Duration;

/// A distribution and a client of its API.
struct Setup {
    distribution: Distribution,
    client: Client,
}

impl Setup {
    async fn new() -> Self {
        let settings = DistributionSettings::local(3000, &"k".repeat(32)).unwrap();
        let distribution = Distribution::start(settings).await.unwrap();
        let access = Access::local();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(access.credentials())
            .http_client(access.connect(Duration::from_secs(2)).client())
            .retry_config(RetryConfig::disabled())
            .endpoint_url(distribution.endpoint())
            .build();
        #[expect(clippy::disallowed_methods, reason = "this tests the API itself")]
        let client = Client::from_conf(config);
        Self {
            distribution,
            client,
        }
    }

    /// Creates an invalidation of `paths`. The error is its code.
    async fn create(&self, reference: &str, paths: &[&str]) -> Result<Invalidation, String> {
        let quantity = i32::try_from(paths.len()).unwrap();
        self.create_as(self.distribution.id(), reference, quantity, paths)
            .await
    }

    async fn create_as(
        &self,
        distribution: &str,
        reference: &str,
        quantity: i32,
        paths: &[&str],
    ) -> Result<Invalidation, String> {
        let paths = Paths::builder()
            .quantity(quantity)
            .set_items(Some(paths.iter().map(|path| (*path).to_owned()).collect()))
            .build()
            .unwrap();
        let batch = InvalidationBatch::builder()
            .caller_reference(reference)
            .paths(paths)
            .build()
            .unwrap();
        let call = self.client.create_invalidation();
        match call
            .distribution_id(distribution)
            .invalidation_batch(batch)
            .send()
            .await
        {
            Ok(created) => {
                let invalidation = created.invalidation().unwrap().clone();
                assert!(created.location().unwrap().ends_with(invalidation.id()));
                Ok(invalidation)
            }
            Err(error) => Err(error.code().unwrap_or("no response").to_owned()),
        }
    }

    async fn status(&self, id: &str) -> Result<String, String> {
        let call = self.client.get_invalidation();
        let found = call
            .distribution_id(self.distribution.id())
            .id(id)
            .send()
            .await;
        match found {
            Ok(found) => Ok(found.invalidation().unwrap().status().to_owned()),
            Err(error) => Err(error.code().unwrap_or("no response").to_owned()),
        }
    }

    fn set_effect_delay(&self, effect_delay: Duration) {
        self.distribution.set_faults(Faults {
            effect_delay,
            ..Faults::default()
        });
    }
}

#[tokio::test]
async fn an_invalidation_is_created_and_can_be_read() {
    let setup = Setup::new().await;
    let paths = ["#acme:contacts", "/t/acme/*", "#a&<b>"];
    let created = setup.create("r1", &paths).await.unwrap();
    assert!(created.id().starts_with('I'));
    let batch = created.invalidation_batch().unwrap();
    assert_eq!(batch.caller_reference(), "r1");
    assert_eq!(batch.paths().unwrap().items(), paths);
    assert_eq!(setup.status(created.id()).await.unwrap(), "Completed");
    assert_eq!(
        setup.status("INONE").await.unwrap_err(),
        "NoSuchInvalidation"
    );
    let counters = setup.distribution.counters();
    assert_eq!(
        (
            counters.invalidation_requests,
            counters.invalidations,
            counters.items
        ),
        (1, 1, 3)
    );
}

#[tokio::test]
async fn an_invalidation_is_in_progress_until_it_takes_effect() {
    let setup = Setup::new().await;
    setup.set_effect_delay(Duration::from_millis(300));
    let created = setup.create("r1", &["#a"]).await.unwrap();
    assert_eq!(created.status(), "InProgress");
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(setup.status(created.id()).await.unwrap(), "Completed");
}

#[tokio::test]
async fn a_reference_returns_the_same_invalidation_or_is_refused_for_another_batch() {
    let setup = Setup::new().await;
    let first = setup.create("r1", &["#a", "#b"]).await.unwrap();
    let again = setup.create("r1", &["#a", "#b"]).await.unwrap();
    assert_eq!(first.id(), again.id());
    for other in [&["#a"][..], &["#a", "#c"], &["#a", "#b", "#c"]] {
        assert_eq!(
            setup.create("r1", other).await.unwrap_err(),
            "InvalidationBatchAlreadyExists"
        );
    }
    assert_ne!(
        setup.create("r2", &["#a", "#b"]).await.unwrap().id(),
        first.id()
    );
    let counters = setup.distribution.counters();
    assert_eq!((counters.invalidations, counters.items), (2, 4));
}

#[tokio::test]
async fn each_mistake_has_its_own_error_code() {
    let setup = Setup::new().await;
    for (paths, code) in [
        (&["no-slash"][..], "InvalidArgument"),
        (&["#"], "InvalidArgument"),
        (&["#a b"], "InvalidArgument"),
        (&["/a*b"], "InvalidArgument"),
        (&[], "InvalidArgument"),
    ] {
        assert_eq!(
            setup.create("r", paths).await.unwrap_err(),
            code,
            "{paths:?}"
        );
    }
    assert_eq!(
        setup.create("", &["#a"]).await.unwrap_err(),
        "InvalidArgument"
    );
    let refused = setup
        .create_as(setup.distribution.id(), "r", 2, &["#a"])
        .await;
    assert_eq!(refused.unwrap_err(), "InconsistentQuantities");
    let refused = setup.create_as("ENONE", "r", 1, &["#a"]).await;
    assert_eq!(refused.unwrap_err(), "NoSuchDistribution");
    let many = vec!["#a"; 3001];
    assert_eq!(setup.create("r", &many).await.unwrap_err(), "BatchTooLarge");
    let call = setup.client.create_invalidation();
    let nothing = call.distribution_id(setup.distribution.id()).send().await;
    assert_eq!(nothing.unwrap_err().code(), Some("MissingBody"));
    assert_eq!(setup.distribution.counters().invalidations, 0);
}

#[tokio::test]
async fn the_limits_of_invalidations_in_progress_are_cloudfronts() {
    let setup = Setup::new().await;
    setup.set_effect_delay(Duration::from_millis(700));
    setup.create("r1", &vec!["#a"; 2000]).await.unwrap();
    let refused = setup.create("r2", &vec!["#a"; 1001]).await.unwrap_err();
    assert_eq!(refused, "TooManyInvalidationsInProgress");
    setup.create("r3", &["/a*"; 15]).await.unwrap();
    let refused = setup.create("r4", &["/a*"]).await.unwrap_err();
    assert_eq!(refused, "TooManyInvalidationsInProgress");
    // The refused calls did not use up their references.
    tokio::time::sleep(Duration::from_millis(800)).await;
    setup.create("r2", &["#b"]).await.unwrap();
    setup.create("r4", &["/a*"]).await.unwrap();
}

#[tokio::test]
async fn the_list_is_newest_first_and_in_pages() {
    let setup = Setup::new().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let created = setup.create(&number.to_string(), &["#a"]).await.unwrap();
        ids.insert(0, created.id().to_owned());
    }
    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let call = setup.client.list_invalidations().max_items(2);
        let call = call
            .distribution_id(setup.distribution.id())
            .set_marker(marker);
        let page = call.send().await.unwrap().invalidation_list.unwrap();
        assert_eq!(page.quantity(), i32::try_from(page.items().len()).unwrap());
        seen.extend(page.items().iter().map(|summary| summary.id().to_owned()));
        assert_eq!(page.is_truncated(), page.next_marker().is_some());
        match page.next_marker() {
            Some(next) => marker = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    let call = setup.client.list_invalidations().marker("INONE");
    let unknown = call.distribution_id(setup.distribution.id()).send().await;
    assert_eq!(unknown.unwrap_err().code(), Some("InvalidArgument"));
}

#[tokio::test]
async fn each_fault_has_its_documented_effect() {
    let setup = Setup::new().await;
    let faults = Faults::default();
    for (number, (faults, code, takes_effect)) in [
        (
            Faults {
                throttled: 100,
                ..faults
            },
            "Throttling",
            false,
        ),
        (
            Faults {
                too_many: 100,
                ..faults
            },
            "TooManyInvalidationsInProgress",
            false,
        ),
        (
            Faults {
                refused: 100,
                ..faults
            },
            "ServiceUnavailable",
            false,
        ),
        (
            Faults {
                lost_before: 100,
                ..faults
            },
            "no response",
            false,
        ),
        (
            Faults {
                lost_after: 100,
                ..faults
            },
            "no response",
            true,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let reference = number.to_string();
        setup.distribution.set_faults(faults);
        let before = setup.distribution.counters();
        let failed = setup.create(&reference, &["#a"]).await.unwrap_err();
        assert_eq!(failed, code);
        let after = setup.distribution.counters();
        assert_eq!(
            after.invalidations - before.invalidations,
            u64::from(takes_effect),
            "{faults:?}"
        );
        // A retry with the same reference creates it, unless the first call did.
        setup.distribution.set_faults(Faults::default());
        setup.create(&reference, &["#a"]).await.unwrap();
        assert_eq!(
            setup.distribution.counters().invalidations,
            before.invalidations + 1
        );
    }
    setup.distribution.set_faults(Faults {
        response_delay: Duration::from_millis(200),
        ..faults
    });
    let started = std::time::Instant::now();
    setup.create("slow", &["#a"]).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(200));
}
