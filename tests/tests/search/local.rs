//! The local stack with its embedded DynamoDB, which must know every operation that the index needs.

use edge_crm_tests::{Launch, Scratch, Table};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn the_local_stack_keeps_the_index_up_to_date() {
    let data = Scratch::new();
    let product = Launch::new().data(data.path()).start();
    let client = product.sign_up("Acme").await;
    client.create("Zoë", "zoe@example.com").await;
    let table = Table::open(data.path()).await;
    let late = Instant::now() + Duration::from_secs(120);
    while !table.unindexed().is_empty() {
        assert!(Instant::now() < late, "{:?}", table.unindexed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!table.under("#search:acme:contacts").is_empty());
    assert_eq!(client.all("zoë").await.len(), 1);
}
