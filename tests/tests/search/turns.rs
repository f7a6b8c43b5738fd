//! Turns with more records than one transaction can remove.

use crate::scene::{ENOUGH, Scene};
use crm::Contact;
use edge_crm_tests::fault::{Fault, Proxy, Strike};
use edge_crm_tests::inside::unhurried;
use jiff::Timestamp;
use store::Store;

/// The first transaction begins the index. The second has the head and 99 records, the third 100 and the
/// fourth the rest.
const CONTACTS: usize = 250;

#[tokio::test]
async fn a_run_that_dies_between_its_transactions_loses_nothing_and_the_next_one_goes_on() {
    for (transactions, waiting) in [(1, 250), (2, 151), (3, 51), (4, 0)] {
        let scene = Scene::new(None).await;
        let contacts: Vec<_> = (0..CONTACTS as u64)
            .map(|n| scene.contact(&format!("Person {n}"), n * 1_000))
            .collect();
        scene.fill(&contacts, true).await;
        let mut all: Vec<_> = contacts.iter().map(|one| one.id.to_string()).collect();
        all.reverse();

        let proxy = Proxy::start(scene.table.url()).await;
        proxy.plan(vec![Strike {
            call: "TransactWriteItems".to_owned(),
            after: transactions,
            times: usize::MAX,
            fault: Fault::Refuse(400, "ValidationException"),
        }]);
        let dying = Store::connect(unhurried(&proxy.url));
        let now = Timestamp::now().as_millisecond();
        let run = dying.index::<Contact>(now, ENOUGH).await.unwrap();
        assert_eq!(run.failed.is_empty(), waiting == 0, "{run:?}");
        assert_eq!(scene.table.unindexed().len(), waiting);
        assert_eq!(scene.search("person", None, 300).await, all);

        assert_eq!(scene.index().await, waiting);
        assert!(scene.table.unindexed().is_empty());
        assert_eq!(scene.search("person", None, 300).await, all);
    }
}
