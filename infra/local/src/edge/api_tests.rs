//! The API, called by the real client.

use crate::edge::{Distribution, DistributionSettings, Faults};
use aws::Access;
use aws_sdk_cloudfront::config::retry::RetryConfig;
use aws_sdk_cloudfront::config::{BehaviorVersion, Region};
use aws_sdk_cloudfront::error::ProvideErrorMetadata;
use aws_sdk_cloudfront::types::{Invalidation, InvalidationBatch, Paths};
use aws_sdk_cloudfront::{Client, Config};
use std::time::Duration;

struct Stage {
    distribution: Distribution,
    client: Client,
}

impl Stage {
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
        #[expect(clippy::disallowed_methods, reason = "the API is what is tested")]
        let client = Client::from_conf(config);
        Self {
            distribution,
            client,
        }
    }

    /// The invalidation of `paths` under `reference`, or the code of the error.
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
            Err(error) => Err(error.code().unwrap_or("no answer").to_owned()),
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
            Err(error) => Err(error.code().unwrap_or("no answer").to_owned()),
        }
    }

    fn slow(&self, effect_delay: Duration) {
        self.distribution.set_faults(Faults {
            effect_delay,
            ..Faults::default()
        });
    }
}

#[tokio::test]
async fn an_invalidation_is_made_and_can_be_looked_up() {
    let stage = Stage::new().await;
    let paths = ["#acme:contacts", "/t/acme/*", "#a&<b>"];
    let made = stage.create("r1", &paths).await.unwrap();
    assert!(made.id().starts_with('I'));
    let batch = made.invalidation_batch().unwrap();
    assert_eq!(batch.caller_reference(), "r1");
    assert_eq!(batch.paths().unwrap().items(), paths);
    assert_eq!(stage.status(made.id()).await.unwrap(), "Completed");
    assert_eq!(
        stage.status("INONE").await.unwrap_err(),
        "NoSuchInvalidation"
    );
    let counters = stage.distribution.counters();
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
async fn it_is_in_progress_until_it_has_taken_effect() {
    let stage = Stage::new().await;
    stage.slow(Duration::from_millis(300));
    let made = stage.create("r1", &["#a"]).await.unwrap();
    assert_eq!(made.status(), "InProgress");
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(stage.status(made.id()).await.unwrap(), "Completed");
}

#[tokio::test]
async fn the_same_reference_is_the_same_invalidation_or_a_mistake() {
    let stage = Stage::new().await;
    let first = stage.create("r1", &["#a", "#b"]).await.unwrap();
    let again = stage.create("r1", &["#a", "#b"]).await.unwrap();
    assert_eq!(first.id(), again.id());
    for other in [&["#a"][..], &["#a", "#c"], &["#a", "#b", "#c"]] {
        assert_eq!(
            stage.create("r1", other).await.unwrap_err(),
            "InvalidationBatchAlreadyExists"
        );
    }
    assert_ne!(
        stage.create("r2", &["#a", "#b"]).await.unwrap().id(),
        first.id()
    );
    let counters = stage.distribution.counters();
    assert_eq!((counters.invalidations, counters.items), (2, 4));
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_name() {
    let stage = Stage::new().await;
    for (paths, code) in [
        (&["no-slash"][..], "InvalidArgument"),
        (&["#"], "InvalidArgument"),
        (&["#a b"], "InvalidArgument"),
        (&["/a*b"], "InvalidArgument"),
        (&[], "InvalidArgument"),
    ] {
        assert_eq!(
            stage.create("r", paths).await.unwrap_err(),
            code,
            "{paths:?}"
        );
    }
    assert_eq!(
        stage.create("", &["#a"]).await.unwrap_err(),
        "InvalidArgument"
    );
    let wrong = stage
        .create_as(stage.distribution.id(), "r", 2, &["#a"])
        .await;
    assert_eq!(wrong.unwrap_err(), "InconsistentQuantities");
    let wrong = stage.create_as("ENONE", "r", 1, &["#a"]).await;
    assert_eq!(wrong.unwrap_err(), "NoSuchDistribution");
    let many = vec!["#a"; 3001];
    assert_eq!(stage.create("r", &many).await.unwrap_err(), "BatchTooLarge");
    let call = stage.client.create_invalidation();
    let nothing = call.distribution_id(stage.distribution.id()).send().await;
    assert_eq!(nothing.unwrap_err().code(), Some("MissingBody"));
    assert_eq!(stage.distribution.counters().invalidations, 0);
}

#[tokio::test]
async fn no_more_is_in_progress_than_cloudfront_allows() {
    let stage = Stage::new().await;
    stage.slow(Duration::from_millis(700));
    stage.create("r1", &vec!["#a"; 2000]).await.unwrap();
    let refused = stage.create("r2", &vec!["#a"; 1001]).await.unwrap_err();
    assert_eq!(refused, "TooManyInvalidationsInProgress");
    stage.create("r3", &["/a*"; 15]).await.unwrap();
    let refused = stage.create("r4", &["/a*"]).await.unwrap_err();
    assert_eq!(refused, "TooManyInvalidationsInProgress");
    // Nothing was accepted under the references that were refused.
    tokio::time::sleep(Duration::from_millis(800)).await;
    stage.create("r2", &["#b"]).await.unwrap();
    stage.create("r4", &["/a*"]).await.unwrap();
}

#[tokio::test]
async fn the_list_is_newest_first_and_comes_in_pages() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let made = stage.create(&number.to_string(), &["#a"]).await.unwrap();
        ids.insert(0, made.id().to_owned());
    }
    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let call = stage.client.list_invalidations().max_items(2);
        let call = call
            .distribution_id(stage.distribution.id())
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
    let call = stage.client.list_invalidations().marker("INONE");
    let unknown = call.distribution_id(stage.distribution.id()).send().await;
    assert_eq!(unknown.unwrap_err().code(), Some("InvalidArgument"));
}

#[tokio::test]
async fn each_fault_does_what_it_says() {
    let stage = Stage::new().await;
    let faults = Faults::default();
    for (number, (faults, answer, done)) in [
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
            "no answer",
            false,
        ),
        (
            Faults {
                lost_after: 100,
                ..faults
            },
            "no answer",
            true,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let reference = number.to_string();
        stage.distribution.set_faults(faults);
        let before = stage.distribution.counters();
        let failed = stage.create(&reference, &["#a"]).await.unwrap_err();
        assert_eq!(failed, answer);
        let after = stage.distribution.counters();
        assert_eq!(
            after.invalidations - before.invalidations,
            u64::from(done),
            "{faults:?}"
        );
        // Tried again with the same reference it is made, if it was not made before.
        stage.distribution.set_faults(Faults::default());
        stage.create(&reference, &["#a"]).await.unwrap();
        assert_eq!(
            stage.distribution.counters().invalidations,
            before.invalidations + 1
        );
    }
    stage.distribution.set_faults(Faults {
        answer_delay: Duration::from_millis(200),
        ..faults
    });
    let started = std::time::Instant::now();
    stage.create("slow", &["#a"]).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(200));
}
