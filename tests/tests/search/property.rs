//! Compares the search with reading everything, over random histories.

use crate::scene::{ENOUGH, SMALL, Scene, at};
use crm::{Contact, TrashedContact};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// When contacts are created.
const TIMES: std::ops::Range<u64> = 0..1_000_000;

#[derive(Debug, Clone)]
enum Step {
    /// With an id of this time, which need not be the newest.
    Create(String, u64),
    /// With an id just before this many of the newest: the last blocks change most.
    CreateNear(String, usize),
    Update(usize, String),
    Delete(usize),
    Restore(usize),
    Index,
    /// The run is dropped after this many microseconds, as by a crash.
    IndexKilled(u64),
    Rebuild,
    RebuildKilled(u64),
    RemoveStale,
    Search(String, Option<usize>, usize),
}

fn name() -> impl Strategy<Value = String> {
    // Few letters, so that names share grams, and some that case folding changes.
    prop_oneof![8 => "[abA ]{0,4}[abß]", 1 => "[a-c]{2,9}", 1 => "[éÉİ🦀]{1,3}",
        // More grams than the index has of one contact.
        1 => "[ab]{0,2}[一-龥]{88,95}[ab]{0,2}"]
}

fn step() -> impl Strategy<Value = Step> {
    let at = TIMES;
    prop_oneof![
        4 => (name(), at).prop_map(|(name, at)| Step::Create(name, at)),
        10 => (name(), 0usize..8).prop_map(|(name, n)| Step::CreateNear(name, n)),
        4 => (any::<usize>(), name()).prop_map(|(n, name)| Step::Update(n, name)),
        2 => any::<usize>().prop_map(Step::Delete),
        1 => any::<usize>().prop_map(Step::Restore),
        4 => Just(Step::Index),
        2 => (0u64..60_000).prop_map(Step::IndexKilled),
        1 => Just(Step::Rebuild),
        1 => (0u64..60_000).prop_map(Step::RebuildKilled),
        1 => Just(Step::RemoveStale),
        8 => ("[abs]{0,4}|[abs]{1,3} [abs]{1,3}( [ab@]{1,2})?|[éi🦀@]{1,2}|[0-9]{1,3}|[ab]?[一-龥]{1,2}", proptest::option::of(any::<usize>()), 1usize..20)
            .prop_map(|(text, after, limit)| Step::Search(text, after, limit)),
    ]
}

/// The contacts that exist.
#[derive(Default)]
struct Known {
    live: BTreeMap<String, Contact>,
    trash: Vec<TrashedContact>,
}

impl Known {
    fn nth(&self, n: usize) -> Option<Contact> {
        let count = self.live.len().max(1);
        self.live.values().nth(n % count).cloned()
    }

    /// A time just before this many of the newest.
    fn near(&self, n: usize) -> u64 {
        let newer = n
            .checked_sub(1)
            .and_then(|n| self.live.values().rev().nth(n));
        newer.map_or(TIMES.end, |newer| at(newer).saturating_sub(1))
    }

    fn search(&self, text: &str, after: Option<&str>, limit: usize) -> Vec<String> {
        // Not by `Contact::texts`: each word is in one of the texts as they are shown.
        let words: Vec<_> = crm::fold(text)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let matches = |contact: &Contact| {
            let email = contact.details.email.as_ref().map(crm::Email::as_str);
            let texts = [contact.details.name.as_str(), email.unwrap_or_default()].map(crm::fold);
            // The letters of `name` without their marks.
            let without = |text: &String| text.replace("i\u{307}", "i").replace('é', "e");
            let is_in = |word: &String| {
                let is_in = |text: &String| text.contains(word) || without(text).contains(word);
                texts.iter().any(is_in)
            };
            words.iter().all(is_in)
        };
        let older = |id: &str| after.is_none_or(|after| id < after);
        let found = self.live.iter().rev();
        found
            .filter(|(id, contact)| older(id) && matches(contact))
            .map(|(id, _)| id.clone())
            .take(limit)
            .collect()
    }
}

async fn perform(scene: &Scene, known: &mut Known, step: Step) -> Result<(), TestCaseError> {
    let collection = "acme:contacts";
    let now = Timestamp::now();
    match step {
        Step::Create(name, at) => {
            let contact = scene.create(&name, at).await;
            known.live.insert(contact.id.to_string(), contact);
        }
        Step::CreateNear(name, n) => {
            let contact = scene.create(&name, known.near(n)).await;
            known.live.insert(contact.id.to_string(), contact);
        }
        Step::Update(n, name) => {
            let Some(contact) = known.nth(n) else {
                return Ok(());
            };
            let renamed = scene.rename(&contact, &name).await;
            known.live.insert(renamed.id.to_string(), renamed);
        }
        Step::Delete(n) => {
            let Some(contact) = known.nth(n) else {
                return Ok(());
            };
            scene.commit(contact.delete(&scene.actor, now, ())).await;
            known.live.remove(contact.id.as_str());
            known
                .trash
                .push(TrashedContact::new(&contact, &scene.actor, now));
        }
        Step::Restore(n) => {
            if known.trash.is_empty() {
                return Ok(());
            }
            let trashed = known.trash.remove(n % known.trash.len());
            let commit = trashed.restore(None, now);
            let contact = commit.output().clone();
            scene.commit(commit).await;
            known.live.insert(contact.id.to_string(), contact);
        }
        Step::Index => {
            scene.index().await;
        }
        Step::IndexKilled(micros) => {
            let later = now.as_millisecond() + 120_000;
            let run = scene.store.index::<Contact>(later, ENOUGH);
            let _killed = tokio::time::timeout(Duration::from_micros(micros), run).await;
        }
        Step::Rebuild => {
            let _overtaken = scene.store.rebuild_index::<Contact>(collection).await;
        }
        Step::RebuildKilled(micros) => {
            let run = scene.store.rebuild_index::<Contact>(collection);
            let _killed = tokio::time::timeout(Duration::from_micros(micros), run).await;
        }
        Step::RemoveStale => {
            scene.store.remove_stale_indexes(collection).await.unwrap();
        }
        Step::Search(text, after, limit) => {
            let after = after
                .and_then(|n| known.nth(n))
                .map(|contact| contact.id.to_string());
            let found = scene.search(&text, after.as_deref(), limit).await;
            prop_assert_eq!(
                found,
                known.search(&text, after.as_deref(), limit),
                "{} {:?}",
                text,
                after
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 30, ..ProptestConfig::default() })]
    #[test]
    fn a_search_finds_what_reading_everything_finds(
        names in proptest::collection::vec((name(), TIMES), 0..60),
        waiting in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let scene = Scene::new(Some(SMALL)).await;
            let mut known = Known::default();
            let contacts: Vec<_> = names.iter().map(|(name, at)| scene.contact(name, *at)).collect();
            scene.fill(&contacts, waiting).await;
            known.live = contacts.into_iter().map(|contact| (contact.id.to_string(), contact)).collect();
            for step in steps {
                perform(&scene, &mut known, step).await?;
            }
            let names: BTreeSet<_> = known.live.values().map(|one| one.details.name.as_str()).collect();
            for text in names.into_iter().chain(["a", "ab", ""]) {
                let found = scene.search(text, None, 500).await;
                prop_assert_eq!(found, known.search(text, None, 500), "{}", text);
            }
            Ok(())
        })?;
    }
}
