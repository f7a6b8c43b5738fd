//! One organisation's contacts, in a table of their own.

use action::{Actor, Commit, Operation, Query, Role, TenantId};
use crm::{Contact, ContactDetails, ContactFields, Email};
use edge_crm_tests::Table;
use edge_crm_tests::fault::{Fault, Proxy, Strike};
use edge_crm_tests::inside::unhurried;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Shape, Store};
use uuid::{NoContext, Timestamp as IdTime, Uuid};

/// An index so small that a few contacts fill many blocks and pages.
pub const SMALL: Shape = Shape {
    block: 3,
    page: 2,
    newest: 1,
};

/// A budget that no run uses up.
pub const ENOUGH: Duration = Duration::from_secs(600);

/// The start of 2026, in seconds since 1970.
const EPOCH: u64 = 1_767_225_600;

pub struct Scene {
    pub table: Arc<Table>,
    pub store: Store,
    pub actor: Actor,
}

impl Scene {
    /// Another organisation in the same table.
    pub fn beside(&self, tenant: &str) -> Self {
        let tenant = TenantId::parse(tenant).unwrap();
        Self {
            table: Arc::clone(&self.table),
            store: self.store.clone(),
            actor: Actor {
                tenant,
                ..self.actor.clone()
            },
        }
    }

    pub async fn new(shape: Option<Shape>) -> Self {
        let table = Table::start().await;
        let store = Store::connect(unhurried(table.url()));
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
            table: Arc::new(table),
            store,
            actor,
        }
    }

    /// A contact with this name, created `at` milliseconds after the start of 2026. It is not stored.
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
        let email = contact.details.email.as_ref().map(Email::as_str);
        let details = details(name, email.unwrap_or_default());
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

    /// Stores many contacts. If `waiting` is false, they do not wait to be indexed, like contacts
    /// that are older than the index.
    pub async fn fill(&self, contacts: &[Contact], waiting: bool) {
        let waits = |operation: &Operation| operation.key().parts().0.starts_with("#unindexed:");
        for some in contacts.chunks(33) {
            let all = some.iter().flat_map(|contact| {
                let commit = contact.clone().create(&self.actor.tenant);
                commit.operations().to_vec()
            });
            let all: Vec<_> = all
                .filter(|operation| waiting || !waits(operation))
                .collect();
            self.store.transact(None, &all).await.unwrap();
        }
    }

    /// The ids of the contacts that a search finds, newest first.
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
            .holding::<Contact>(crm::words(text));
        let found = store.find(&query).await.unwrap().items;
        found
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Indexes until nothing waits. Returns how many contacts were indexed.
    pub async fn index(&self) -> usize {
        Self::index_by(&self.store).await
    }

    pub async fn index_by(store: &Store) -> usize {
        let now = Timestamp::now().as_millisecond();
        let mut entities = 0;
        loop {
            let run = store.index::<Contact>(now, ENOUGH).await.unwrap();
            assert!(run.failed.is_empty(), "{run:?}");
            entities += run.entities;
            if run.entities == 0 {
                return entities;
            }
        }
    }

    /// A store over the same table. After the first `after` calls of this kind, the next `times` are
    /// held back until [`release`]. And the proxy that holds them back.
    pub async fn held(&self, call: &str, after: usize, times: usize) -> (Proxy, Store) {
        let proxy = Proxy::start(self.table.url()).await;
        proxy.plan(vec![Strike {
            call: call.to_owned(),
            after,
            times,
            fault: Fault::HeldCall,
        }]);
        let store = Store::connect(unhurried(&proxy.url));
        (proxy, store.with_search_shape(SMALL))
    }
}

/// Makes the calls that the proxy holds back.
pub fn release(proxy: &Proxy) {
    proxy.plan(Vec::new());
}

/// Waits until this call has reached the proxy.
pub async fn arrived(proxy: &Proxy, call: &str) {
    let late = Instant::now() + Duration::from_secs(120);
    while !proxy.calls().iter().any(|name| name == call) {
        assert!(Instant::now() < late, "nobody calls {call}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// When a contact was created, in milliseconds after the start of 2026.
pub fn at(contact: &Contact) -> u64 {
    let id = Uuid::parse_str(contact.id.as_str()).unwrap();
    let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
    (seconds - EPOCH) * 1000 + u64::from(nanos / 1_000_000)
}

pub fn details(name: &str, email: &str) -> ContactDetails {
    let fields = ContactFields {
        name: name.into(),
        email: Some(email.into()),
        ..ContactFields::default()
    };
    fields.details().unwrap()
}
