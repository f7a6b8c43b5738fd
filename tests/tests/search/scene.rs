//! Contacts of one organisation in a table of their own.

use action::{Actor, Commit, Form, Operation, Query, Role, TenantId};
use crm::{Contact, ContactDetails};
use edge_crm_tests::Table;
use edge_crm_tests::fault::{Fault, Proxy, Strike};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use store::{Patience, Shape, Store, TableSettings};
use uuid::{NoContext, Timestamp as IdTime, Uuid};

/// So small that a few contacts make many blocks and pages.
pub const SMALL: Shape = Shape {
    block: 3,
    page: 2,
    newest: 1,
};

/// The beginning of 2026, in seconds since 1970.
const EPOCH: u64 = 1_767_225_600;

pub struct Scene {
    pub table: Table,
    pub store: Store,
    pub actor: Actor,
}

impl Scene {
    pub async fn new(shape: Option<Shape>) -> Self {
        let table = Table::start().await;
        let store = Store::connect(TableSettings::local(table.url(), "edge-crm"));
        store.create_table_if_missing().await.unwrap();
        let store = match shape {
            Some(shape) => store.with_search_shape(shape),
            None => store,
        };
        let actor = Actor {
            tenant: TenantId::parse("acme").unwrap(),
            user: Uuid::now_v7().into(),
            role: Role::Owner,
        };
        Self {
            table,
            store,
            actor,
        }
    }

    /// A contact with this name, made that many milliseconds after 2026 began.
    pub fn contact(&self, name: &str, at: u64) -> Contact {
        let time = IdTime::from_unix(NoContext, EPOCH + at / 1000, (at % 1000) as u32 * 1_000_000);
        let id = Uuid::new_v7(time);
        let email = format!("{}@example.com", &id.simple().to_string()[20..]);
        Contact::new(
            id.into(),
            &self.actor,
            details(name, &email),
            Timestamp::UNIX_EPOCH,
        )
    }

    pub async fn create(&self, name: &str, at: u64) -> Contact {
        let contact = self.contact(name, at);
        self.commit(contact.clone().create(&self.actor.tenant))
            .await;
        contact
    }

    pub async fn rename(&self, contact: &Contact, name: &str) -> Contact {
        let details = details(name, contact.details.email.as_str());
        let renamed = contact.replaced(details, Timestamp::UNIX_EPOCH);
        self.commit(renamed.clone().update(&self.actor.tenant, contact))
            .await;
        renamed
    }

    pub async fn commit<T>(&self, commit: Commit<T>) {
        self.store
            .transact(None, commit.operations())
            .await
            .unwrap();
    }

    /// Many contacts at once; as if they were older than the index where they are not to be noted
    /// for it.
    pub async fn fill(&self, contacts: &[Contact], noted: bool) {
        let is_note = |operation: &Operation| operation.key().parts().0.starts_with("#unindexed:");
        for some in contacts.chunks(33) {
            let all = some.iter().flat_map(|contact| {
                let commit = contact.clone().create(&self.actor.tenant);
                commit.operations().to_vec()
            });
            let all: Vec<_> = all
                .filter(|operation| noted || !is_note(operation))
                .collect();
            self.store.transact(None, &all).await.unwrap();
        }
    }

    pub async fn search(&self, text: &str, after: Option<&str>, limit: usize) -> Vec<String> {
        self.search_by(&self.store, text, after, limit).await
    }

    pub async fn search_by(
        &self,
        store: &Store,
        text: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<String> {
        let query = Query::newest::<Contact>(&self.actor.tenant, limit)
            .after(after.map(str::to_owned))
            .holding::<Contact>(crm::fold(text));
        let found = store.find(&query).await.unwrap();
        found
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }

    pub async fn index(&self) -> usize {
        Self::index_by(&self.store).await
    }

    pub async fn index_by(store: &Store) -> usize {
        let now = Timestamp::now().as_millisecond();
        let mut entities = 0;
        loop {
            let run = store.index::<Contact>(now).await.unwrap();
            assert!(run.too_large.is_empty(), "{run:?}");
            entities += run.entities;
            if run.entities == 0 {
                return entities;
            }
        }
    }

    /// The same table with small blocks, of which the first so many calls of a kind are held back for some seconds,
    /// and the proxy that does it.
    pub async fn held(&self, call: &str, times: usize) -> (Proxy, Store) {
        let proxy = Proxy::start(self.table.url()).await;
        proxy.plan(vec![Strike {
            call: call.to_owned(),
            after: 0,
            times,
            fault: Fault::SlowCall(Duration::from_secs(3)),
        }]);
        let patience = Patience {
            attempt: Duration::from_secs(30),
            operation: Duration::from_secs(30),
            ..Patience::default()
        };
        let store = Store::connect(TableSettings {
            patience,
            ..TableSettings::local(&proxy.url, "edge-crm")
        });
        (proxy, store.with_search_shape(SMALL))
    }
}

/// Waits until the proxy has been asked for this.
pub async fn asked(proxy: &Proxy, call: &str) {
    let late = Instant::now() + Duration::from_secs(30);
    while !proxy.calls().iter().any(|name| name == call) {
        assert!(Instant::now() < late, "nobody asks for {call}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The time that a contact was made with.
pub fn at(contact: &Contact) -> u64 {
    let id = Uuid::parse_str(contact.id.as_str()).unwrap();
    let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
    (seconds - EPOCH) * 1000 + u64::from(nanos / 1_000_000)
}

pub fn details(name: &str, email: &str) -> ContactDetails {
    let values = BTreeMap::from([("name".into(), name.into()), ("email".into(), email.into())]);
    Form::new(&values).parse().unwrap()
}
