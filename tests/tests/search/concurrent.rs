//! Searches while contacts are written and indexed and the index is rebuilt.

use crate::scene::{ENOUGH, SMALL, Scene, arrived, release};
use crm::Contact;
use edge_crm_tests::fault::random;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many contacts are indexed while others search and write, at least.
const INDEXED: usize = 40;

/// What the tasks of the first test share.
struct Race {
    scene: Scene,
    /// How many contacts have been indexed.
    indexed: AtomicUsize,
    /// Whether all searches and writes are done.
    done: AtomicBool,
    /// When the test gives up.
    late: Instant,
}

impl Race {
    fn indexed(&self) -> usize {
        self.indexed.load(Ordering::Relaxed)
    }

    fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    /// Whether searches and writes have met enough work on the index. They go on until then,
    /// because how fast the index works depends on the machine.
    fn has_indexed_enough(&self) -> bool {
        assert!(Instant::now() < self.late, "the index makes no progress");
        self.indexed() > INDEXED
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_contact_is_found_the_moment_it_is_saved_and_never_under_its_old_name() {
    let race = Arc::new(Race {
        scene: Scene::new(Some(SMALL)).await,
        indexed: AtomicUsize::new(0),
        done: AtomicBool::new(false),
        late: Instant::now() + Duration::from_secs(300),
    });
    let steady: Vec<_> = (0..40)
        .map(|n| race.scene.contact(&format!("steady {n}"), n * 10_000))
        .collect();
    race.scene.fill(&steady, true).await;
    let steady: Vec<_> = steady.iter().rev().map(|one| one.id.to_string()).collect();
    let background: Vec<_> = (0..4)
        .map(|kind| tokio::spawn(disturb(kind, Arc::clone(&race))))
        .collect();
    let writers: Vec<_> = (0..4)
        .map(|writer| tokio::spawn(write(writer, Arc::clone(&race))))
        .collect();
    let mut searches = 0;
    while searches < 30 || !race.has_indexed_enough() {
        assert_eq!(race.scene.search("steady", None, 50).await, steady);
        searches += 1;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    race.done.store(true, Ordering::Relaxed);
    for task in background {
        task.await.unwrap();
    }
    assert_eq!(race.scene.search("steady", None, 50).await, steady);
}

/// A search first reads the head, which says where blocks begin. An index run that adds new blocks
/// meanwhile also removes the waiting records of the contacts in them.
#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_found_in_a_block_that_is_newer_than_the_head_that_was_read() {
    let scene = with_three_indexed().await;
    let needle = scene.create("needle", 3_000).await;
    for n in 4..8 {
        scene.create(&format!("new {n}"), n * 1_000).await;
    }

    let (proxy, held) = scene.held("Query", 0, 2).await;
    let search = tokio::spawn({
        let scene = Arc::clone(&scene);
        async move { scene.search_by(&held, "needle", None, 5).await }
    });
    // It has read the head by now.
    arrived(&proxy, "Query").await;
    assert_eq!(scene.index().await, 5);
    assert!(!search.is_finished(), "its queries are still held back");
    release(&proxy);
    assert_eq!(search.await.unwrap(), [needle.id.to_string()]);
}

/// A contact that is saved while its previous state is being indexed is indexed again.
#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_saved_while_it_is_indexed_is_found_as_it_is() {
    let scene = Arc::new(Scene::new(Some(SMALL)).await);
    let first = scene.create("first", 0).await;
    for n in 1..5 {
        scene.create(&format!("other {n}"), n * 1_000).await;
    }
    assert_eq!(scene.index().await, 5);
    let second = scene.rename(&first, "second").await;
    let (proxy, held) = scene.held("TransactWriteItems", 0, 1).await;
    let index = tokio::spawn(async move { Scene::index_by(&held).await });
    arrived(&proxy, "TransactWriteItems").await;
    let third = scene.rename(&second, "third").await;
    assert!(!index.is_finished(), "its transaction is still held back");
    release(&proxy);
    index.await.unwrap();
    // The run has not removed the new record with the old one, but indexed it too.
    assert!(scene.table.under("#unindexed:").is_empty());
    assert_eq!(scene.search("third", None, 5).await, [third.id.to_string()]);
    for before in ["first", "second"] {
        assert!(scene.search(before, None, 5).await.is_empty(), "{before}");
    }
}

/// Of two concurrent index runs, one starts again, because each puts the contacts into other blocks.
#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_found_that_a_concurrent_run_has_indexed() {
    let scene = with_three_indexed().await;
    for n in 3..7 {
        scene.create(&format!("new {n}"), n * 1_000).await;
    }
    let (proxy, held) = scene.held("TransactWriteItems", 0, 1).await;
    let index = tokio::spawn(async move { Scene::index_by(&held).await });
    arrived(&proxy, "TransactWriteItems").await;
    let needle = scene.create("needle", 2_500).await;
    assert_eq!(scene.index().await, 5);
    assert!(!index.is_finished(), "its transaction is still held back");
    release(&proxy);
    index.await.unwrap();
    assert!(scene.table.under("#unindexed:").is_empty());
    assert_eq!(
        scene.search("needle", None, 5).await,
        [needle.id.to_string()]
    );
}

/// The overtaken run has added contacts to the lists of a page of the directory that does not exist.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_skips_what_an_overtaken_run_has_left() {
    let scene = with_three_indexed().await;
    for n in 3..6 {
        scene.create(&format!("old {n}"), n * 1_000).await;
    }
    assert_eq!(scene.index().await, 3);
    // The seventh contact begins a page.
    let needle = scene.create("needle", 7_000).await;
    let (proxy, held) = scene.held("TransactWriteItems", 0, 1).await;
    let index = tokio::spawn(async move { Scene::index_by(&held).await });
    arrived(&proxy, "TransactWriteItems").await;
    scene.create("before the needle", 6_000).await;
    assert_eq!(scene.index().await, 2);
    release(&proxy);
    index.await.unwrap();
    for n in 8..20 {
        scene.create(&format!("new {n}"), n * 1_000).await;
    }
    assert_eq!(scene.index().await, 12);
    let found = scene.search("needle", None, 5).await;
    assert_eq!(found.first(), Some(&needle.id.to_string()));
}

/// A scene with three contacts in the index, created in the first three seconds.
async fn with_three_indexed() -> Arc<Scene> {
    let scene = Scene::new(Some(SMALL)).await;
    for n in 0..3 {
        scene.create(&format!("old {n}"), n * 1_000).await;
    }
    assert_eq!(scene.index().await, 3);
    Arc::new(scene)
}

/// Works on the index until the race is done: kinds 0 and 1 index, 2 indexes and is killed, and 3
/// rebuilds.
async fn disturb(kind: u64, race: Arc<Race>) {
    while !race.is_done() {
        let store = &race.scene.store;
        // Two minutes ahead: no run waits for a rebuild that was killed.
        let now = Timestamp::now().as_millisecond() + 120_000;
        match kind {
            0 | 1 => {
                let run = store.index::<Contact>(now, ENOUGH).await.unwrap();
                race.indexed.fetch_add(run.entities, Ordering::Relaxed);
            }
            2 => {
                let killed = Duration::from_micros(random(20_000));
                let _killed =
                    tokio::time::timeout(killed, store.index::<Contact>(now, ENOUGH)).await;
            }
            _ => {
                let before = race.indexed();
                let _overtaken = store.rebuild_index::<Contact>("acme:contacts").await;
                tokio::time::sleep(Duration::from_millis(random(100))).await;
                // Each rebuild makes the index runs start again, so on a slow machine rebuilds
                // without a pause would let none of them finish.
                while race.indexed() == before && !race.is_done() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }
}

async fn write(writer: u64, race: Arc<Race>) {
    let scene = &race.scene;
    let mut round = 0;
    while round < 12 || !race.has_indexed_enough() {
        let first = format!("first-{writer}-{round}x");
        let second = format!("second-{writer}-{round}x");
        // Created among the others, so that it goes into a block that exists.
        let contact = scene.create(&first, random(400_000)).await;
        let id = contact.id.to_string();
        assert_eq!(scene.search(&first, None, 5).await, [id.as_str()]);
        let renamed = scene.rename(&contact, &second).await;
        assert_eq!(scene.search(&second, None, 5).await, [id]);
        assert!(scene.search(&first, None, 5).await.is_empty());
        if round % 3 == 0 {
            let delete = renamed.delete(&scene.actor, Timestamp::now(), ());
            scene.commit(delete).await;
            assert!(scene.search(&second, None, 5).await.is_empty());
        }
        round += 1;
    }
}
