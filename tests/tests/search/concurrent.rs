//! Searches while others write, index and rebuild.

use crate::scene::{SMALL, Scene, asked};
use crm::Contact;
use edge_crm_tests::fault::random;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Whoever saves a contact finds it at once, and under its new name alone, whatever goes on around.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_contact_is_found_the_moment_it_is_saved_and_never_under_its_old_name() {
    let scene = Arc::new(Scene::new(Some(SMALL)).await);
    let steady: Vec<_> = (0..40)
        .map(|n| scene.contact(&format!("steady {n}"), n * 10_000))
        .collect();
    scene.fill(&steady, true).await;
    let steady: Vec<_> = steady.iter().rev().map(|one| one.id.to_string()).collect();
    let done = Arc::new(AtomicBool::new(false));
    let indexed = Arc::new(AtomicUsize::new(0));
    let background: Vec<_> = (0..4)
        .map(|n| {
            tokio::spawn(disturb(
                n,
                Arc::clone(&scene),
                Arc::clone(&done),
                Arc::clone(&indexed),
            ))
        })
        .collect();
    let writers: Vec<_> = (0..4)
        .map(|writer| tokio::spawn(write(writer, Arc::clone(&scene))))
        .collect();
    for _ in 0..30 {
        assert_eq!(scene.search("steady", None, 50).await, steady);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    for task in background {
        task.await.unwrap();
    }
    assert!(
        indexed.load(Ordering::Relaxed) > 40,
        "the index was at work"
    );
    assert_eq!(scene.search("steady", None, 50).await, steady);
}

/// The head says where blocks begin, and it is read first. Whatever makes new ones known meanwhile
/// also removes the records of what is in them.
#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_found_in_a_block_that_is_newer_than_the_head_that_was_read() {
    let scene = with_three_indexed().await;
    let needle = scene.create("needle", 3_000).await;
    for n in 4..8 {
        scene.create(&format!("new {n}"), n * 1_000).await;
    }

    let (proxy, held) = scene.held("Query", 2).await;
    let search = tokio::spawn({
        let scene = Arc::clone(&scene);
        async move { scene.search_by(&held, "needle", None, 5).await }
    });
    asked(&proxy, "BatchGetItem").await;
    tokio::time::sleep(Duration::from_millis(300)).await; // Until it is answered.
    assert_eq!(scene.index().await, 5);
    assert!(!search.is_finished(), "its queries are still held back");
    assert_eq!(search.await.unwrap(), [needle.id.to_string()]);
}

/// What is saved while its last state is being indexed waits for the next run.
#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_saved_while_it_is_indexed_is_found_as_it_is() {
    let scene = Arc::new(Scene::new(Some(SMALL)).await);
    let first = scene.create("first", 0).await;
    for n in 1..5 {
        scene.create(&format!("other {n}"), n * 1_000).await;
    }
    assert_eq!(scene.index().await, 5);
    let second = scene.rename(&first, "second").await;
    let (proxy, held) = scene.held("TransactWriteItems", 1).await;
    let index = tokio::spawn(async move { Scene::index_by(&held).await });
    asked(&proxy, "TransactWriteItems").await;
    let third = scene.rename(&second, "third").await;
    assert!(!index.is_finished(), "its transaction is still held back");
    index.await.unwrap();
    for waiting in [1, 0] {
        assert_eq!(scene.table.under("#unindexed:").len(), waiting);
        assert_eq!(scene.search("third", None, 5).await, [third.id.to_string()]);
        for before in ["first", "second"] {
            assert!(scene.search(before, None, 5).await.is_empty(), "{before}");
        }
        scene.index().await;
    }
}

/// Of two who index at once, one begins again: each has cut the contacts into other blocks.
#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_found_that_another_has_indexed_meanwhile() {
    let scene = with_three_indexed().await;
    for n in 3..7 {
        scene.create(&format!("new {n}"), n * 1_000).await;
    }
    let (proxy, held) = scene.held("TransactWriteItems", 1).await;
    let index = tokio::spawn(async move { Scene::index_by(&held).await });
    asked(&proxy, "TransactWriteItems").await;
    let needle = scene.create("needle", 2_500).await;
    assert_eq!(scene.index().await, 5);
    assert!(!index.is_finished(), "its transaction is still held back");
    index.await.unwrap();
    assert!(scene.table.under("#unindexed:").is_empty());
    assert_eq!(
        scene.search("needle", None, 5).await,
        [needle.id.to_string()]
    );
}

/// A scene in which three contacts, of the first three seconds, are in the index.
async fn with_three_indexed() -> Arc<Scene> {
    let scene = Scene::new(Some(SMALL)).await;
    for n in 0..3 {
        scene.create(&format!("old {n}"), n * 1_000).await;
    }
    assert_eq!(scene.index().await, 3);
    Arc::new(scene)
}

/// Two who index, one who rebuilds, and one whose runs are killed.
async fn disturb(kind: u64, scene: Arc<Scene>, done: Arc<AtomicBool>, indexed: Arc<AtomicUsize>) {
    while !done.load(Ordering::Relaxed) {
        // No builder is waited for that is dead.
        let now = Timestamp::now().as_millisecond() + 120_000;
        let run = scene.store.index::<Contact>(now);
        match kind {
            0 | 1 => {
                let run = run.await.unwrap();
                indexed.fetch_add(run.entities, Ordering::Relaxed);
            }
            2 => {
                let killed = Duration::from_micros(random(20_000));
                let _killed = tokio::time::timeout(killed, run).await;
            }
            _ => {
                drop(run);
                let _overtaken = scene
                    .store
                    .rebuild_index::<Contact>("acme:contacts", None)
                    .await;
                tokio::time::sleep(Duration::from_millis(random(100))).await;
            }
        }
    }
}

async fn write(writer: u64, scene: Arc<Scene>) {
    for round in 0..12 {
        let first = format!("first {writer} {round}x");
        let second = format!("second {writer} {round}x");
        // Among the others by its time, so that it comes into a block that there is.
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
    }
}
