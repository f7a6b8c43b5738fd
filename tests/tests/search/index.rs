//! The index itself: what a search costs, what stays in the table, and the command that rebuilds it.

use crate::scene::{SMALL, Scene};
use crm::Contact;
use edge_crm_local::{RebuildOptions, rebuild_search};
use edge_crm_tests::fault::Proxy;
use edge_crm_tests::inside::{Inside, unhurried};
use edge_crm_tests::samples::Samples;
use serde_json::{Value, json};
use std::sync::Arc;
use store::Store;

/// How many calls of the table a search makes among `count` contacts. Three of them are called
/// Zyxomma, all others Person.
async fn calls(count: u64, wanted: &str) -> usize {
    let scene = Scene::new(None).await;
    let name = |n: u64| match n % (count / 3) {
        7 => format!("Zyxomma {n} Person"),
        _ => format!("Person {n}"),
    };
    let contacts: Vec<_> = (0..count)
        .map(|n| scene.contact(&name(n), n * 1_000))
        .collect();
    scene.fill(&contacts, false).await;
    let built = scene
        .store
        .rebuild_index::<Contact>("acme:contacts")
        .await
        .unwrap();
    assert_eq!(built.entities as u64, count);
    let proxy = Proxy::start(scene.table.url()).await;
    let counted = Store::connect(unhurried(&proxy.url));
    let found = scene.search_by(&counted, wanted, None, 51).await;
    let expected = contacts
        .iter()
        .rev()
        .filter(|one| {
            let name = crm::fold(one.details.name.as_str());
            let mut words = wanted.split(' ').map(crm::fold);
            words.all(|word| name.contains(&word))
        })
        .map(|one| one.id.to_string());
    assert_eq!(found, expected.take(51).collect::<Vec<_>>());
    proxy.calls().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_reads_more_if_it_finds_more_and_not_if_there_are_more_contacts() {
    let (few, many) = (calls(450, "Zyxomma").await, calls(3_000, "Zyxomma").await);
    assert_eq!(few, many);
    assert!(many <= 15, "{many} calls");
    assert!(calls(3_000, "Nobody").await <= 12);
    // It stops when the newest ones fill the page.
    assert_eq!(calls(3_000, "Person").await, 3);
}

/// The rare word decides what is read, whatever else is searched for and in which order.
#[tokio::test(flavor = "multi_thread")]
async fn a_rare_word_reads_little_beside_common_ones() {
    let alone = calls(3_000, "Zyxomma").await;
    for query in ["person zyxomma", "zyxomma p", "p e r zyxomma person son"] {
        let all = calls(3_000, query).await;
        assert!(all <= alone + 3, "{query}: {all} calls, {alone} alone");
    }
    // More words than a search has grams.
    let long: String = (0..40).map(|n| format!("word{n} ")).collect();
    assert!(calls(3_000, &format!("{long}zyxomma")).await <= 15);
}

#[tokio::test]
async fn an_indexed_contact_no_longer_waits_and_the_index_has_each_gram_once() {
    let scene = Scene::new(Some(SMALL)).await;
    let ada = scene.create("Ada", 1_000).await;
    let waiting = scene.table.under("#unindexed:");
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].sk, format!("acme:contacts:{}", ada.id));
    assert_eq!(waiting[0].get("texts")[0], "ada");
    assert_eq!(scene.index().await, 1);
    assert!(scene.table.under("#unindexed:").is_empty());
    let lists = scene.table.under("#search:acme:contacts:1");
    let list = lists.iter().find(|list| list.sk == "3ada:").unwrap();
    assert_eq!(list.get("blocks"), json!([0]));
    assert_eq!(scene.index().await, 0);

    scene.rename(&ada, "Grace").await;
    assert_eq!(scene.index().await, 1);
    let now = scene.table.under("#search:acme:contacts:1");
    assert!(now.iter().any(|list| list.sk == "3gra:"));
    let (one, other) = (scene.search("ada", None, 5), scene.search("grace", None, 5));
    assert_eq!(one.await.len() + other.await.len(), 1);
}

#[tokio::test]
async fn the_command_builds_missing_indexes_and_removes_old_ones() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
    for n in 0..7 {
        let fields = json!({ "name": format!("Person {n}"), "email": format!("p{n}@example.com") });
        assert_eq!(inside.post(&create, &cookie, &fields).await.status, 200);
    }
    let options = |tenant: Option<&str>| RebuildOptions {
        target: inside.table.target(),
        tenant: tenant.map(str::to_owned),
    };
    let built = rebuild_search(&options(None)).await.unwrap();
    let [(collection, Some(built))] = built.as_slice() else {
        panic!("{built:?}")
    };
    assert_eq!((collection.as_str(), built.entities), ("acme:contacts", 7));
    assert!(!inside.table.under("#search:acme:contacts:1").is_empty());
    let unknown = rebuild_search(&options(Some("nobody"))).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no organisation \"nobody\"");
    assert!(inside.table.under("#search:nobody").is_empty());
}

#[tokio::test]
async fn the_function_indexes_the_contacts_that_actions_have_saved() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
    let fields = json!({ "name": "Ada", "email": "ada@example.com" });
    assert_eq!(inside.post(&create, &cookie, &fields).await.status, 200);
    let index = edge_crm_tests::runner(Arc::clone(&inside.app), "index-search");
    let event = Samples::default().event("index-search").to_string();
    let response = index.invoke(event.as_bytes()).await;
    let response: Value = serde_json::from_slice(&response).unwrap();
    assert_eq!(response, json!({ "indexed": 1 }));
    assert!(inside.table.under("#unindexed:").is_empty());
    assert!(!inside.table.under("#search:acme:contacts:1").is_empty());
}
