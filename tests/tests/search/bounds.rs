//! No organisation can hold up the index of another, whatever its contacts are.

use crate::scene::{SMALL, Scene};
use action::{Entity, Key};
use crm::{Contact, ContactFields};
use edge_crm_tests::fault::random;
use edge_crm_tests::hostile;
use jiff::Timestamp;
use std::time::{Duration, Instant};

/// The most items that a contact may add to an index.
const MOST: usize = 256;

/// How many contacts the organisation has that floods the index.
const FLOOD: u64 = 600;

fn contact(scene: &Scene, at: u64, fields: &ContactFields) -> Contact {
    Contact {
        details: fields.details().unwrap(),
        ..scene.contact("", at)
    }
}

/// The organisation whose turn comes just before that of the scene's.
fn neighbour(scene: &Scene) -> Scene {
    let shard = |scene: &Scene| {
        let collection = Key::collection::<Contact>(&scene.actor.tenant);
        Key::unindexed(&collection, "").into_parts().0
    };
    let mut neighbours = ('a'..='z').map(|last| scene.beside(&format!("aa{last}")));
    neighbours
        .find(|other| shard(other) == shard(scene))
        .unwrap()
}

async fn index(scene: &Scene, budget: Duration) -> usize {
    let now = Timestamp::now().as_millisecond();
    let run = scene.store.index::<Contact>(now, budget).await.unwrap();
    assert!(run.failed.is_empty(), "{run:?}");
    run.entities
}

/// How many contacts of the scene's organisation wait to be indexed.
fn waiting(scene: &Scene) -> usize {
    let own = format!("{}:", scene.actor.tenant.as_str());
    let records = scene.table.under("#unindexed:");
    records
        .iter()
        .filter(|record| record.sk.starts_with(&own))
        .count()
}

#[tokio::test]
async fn a_contact_adds_few_items_to_the_index_and_is_found_by_each_part_of_its_texts() {
    let scene = Scene::new(Some(SMALL)).await;
    for n in 0..20 {
        scene.create(&format!("Person {n}"), n * 1_000).await;
    }
    scene.index().await;
    let items = || scene.table.under("#search:acme:contacts:1").len();
    for (at, fields) in [(3_500, hostile::longest()), (12_500, hostile::costliest())] {
        let (contact, before) = (contact(&scene, at, &fields), items());
        scene
            .commit(contact.clone().create(&scene.actor.tenant))
            .await;
        assert_eq!(scene.index().await, 1);
        let added = items() - before;
        assert!((1..=MOST).contains(&added), "{added} items");
        let stored = serde_json::to_value(&contact).unwrap();
        for text in Contact::texts(stored.as_object().unwrap()) {
            let text: Vec<_> = text.chars().collect();
            for _ in 0..20 {
                let start = random(text.len() as u64) as usize;
                let end = start + 1 + random((text.len() - start) as u64) as usize;
                let part: String = text[start..end].iter().collect();
                let found = scene.search(&part, None, 50).await;
                assert!(found.contains(&contact.id.to_string()), "{part}");
            }
        }
    }
}

#[tokio::test]
async fn an_organisation_with_hostile_contacts_does_not_hold_up_another() {
    let scene = Scene::new(None).await;
    let flood = neighbour(&scene);
    let contacts: Vec<_> = (0..FLOOD)
        .map(|n| match n % 12 {
            0 => contact(&flood, n * 1_000, &hostile::costliest()),
            _ => contact(&flood, n * 1_000, &hostile::longest()),
        })
        .collect();
    flood.fill(&contacts, true).await;
    let ada = scene.create("Ada", 0).await;
    let budget = Duration::from_secs(10);

    index(&scene, budget).await;
    assert_eq!(waiting(&scene), 0);
    assert!(waiting(&flood) < contacts.len(), "nothing is saved");
    assert_eq!(scene.search("ada", None, 5).await, [ada.id.to_string()]);
    let late = Instant::now() + Duration::from_secs(300);
    while waiting(&flood) > 0 {
        assert!(Instant::now() < late, "the index makes no progress");
        index(&scene, budget).await;
    }
    for contact in [&contacts[0], &contacts[1], &contacts[599]] {
        let found = flood.search(contact.details.name.as_str(), None, 5).await;
        assert_eq!(found, [contact.id.to_string()]);
    }
}

/// The run is cut off in its first turn. The next run begins with the next organisation.
#[tokio::test]
async fn runs_that_are_cut_off_take_turns() {
    let scene = Scene::new(None).await;
    let flood = neighbour(&scene);
    for at in [0, 1_000] {
        flood.create("Grace", at).await;
        scene.create("Ada", at).await;
        if at == 0 {
            scene.index().await;
        }
    }
    let cut_off = async |after| {
        let (proxy, held) = scene.held("TransactWriteItems", after, usize::MAX).await;
        let now = Timestamp::now().as_millisecond();
        let run = held.index::<Contact>(now, Duration::from_secs(3)).await;
        drop(proxy);
        run.unwrap().entities
    };
    assert_eq!(cut_off(0).await, 0);
    assert_eq!(cut_off(1).await, 1);
    assert_eq!((waiting(&scene), waiting(&flood)), (0, 1));
}
