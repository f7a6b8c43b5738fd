//! An organisation and the operations of its members.

use crate::slices::Outcome;
use edge_crm_tests::fault::random;
use edge_crm_tests::{Answer, Client, Exchange, Product, people};
use reqwest::Method;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of contacts at the start. The number stays near it, so that lists and searches always read
/// about as much.
const CONTACTS: usize = 100;
const FEWEST: usize = 75;
const MOST: usize = 125;

/// How many requests are kept to be replayed.
const REMEMBERED: usize = 50;

const WORDS: [&str; 8] = [
    "Orchard", "Harbour", "Lantern", "Quarry", "Meadow", "Copper", "Juniper", "Walnut",
];

/// A kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Create,
    Update,
    Delete,
    Restore,
    List,
    Search,
    Get,
    Replay,
    DoubleClick,
    Refused,
    SignIn,
}

impl Kind {
    pub const ALL: [Self; 11] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Restore,
        Self::List,
        Self::Search,
        Self::Get,
        Self::Replay,
        Self::DoubleClick,
        Self::Refused,
        Self::SignIn,
    ];

    /// A random kind, weighted as in real use.
    fn random() -> Self {
        match random(100) {
            0..11 => Self::Create,
            11..23 => Self::Update,
            23..38 => Self::Delete,
            38..42 => Self::Restore,
            42..66 => Self::List,
            66..72 => Self::Search,
            72..88 => Self::Get,
            88..92 => Self::Replay,
            92..94 => Self::DoubleClick,
            94..98 => Self::Refused,
            _ => Self::SignIn,
        }
    }
}

/// A request that created a contact, and the `data` of its response.
#[derive(Clone)]
struct Sent {
    fields: Vec<(&'static str, String)>,
    key: String,
    data: Value,
}

/// An organisation with one member who writes and one who only reads.
pub struct Team {
    writer: Client,
    reader: Client,
    contacts: Mutex<Vec<Value>>,
    trash: Mutex<Vec<Value>>,
    sent: Mutex<Vec<Sent>>,
    founded: [(&'static str, usize); 4],
}

type Done = Result<Outcome, String>;

impl Team {
    /// Signs up an organisation and adds its members and contacts.
    pub async fn found(product: &Product, number: u64) -> Arc<Self> {
        let writer = product.sign_up(&format!("Team {number}")).await;
        let email = people::email();
        let invitation = [("email", &*email), ("role", "member")];
        let invited = writer.post("invite-member", &invitation).await.data();
        let token = people::token(invited["link"].as_str().expect("a link"));
        let acceptance = [
            ("token", &*token),
            ("name", "Rita Reader"),
            ("password", Client::PASSWORD),
        ];
        let mut reader = product.client();
        let accepted = reader.post("accept-invite", &acceptance).await;
        assert_eq!(accepted.status, 200, "{accepted:?}");
        reader.tenant.clone_from(&writer.tenant);
        let team = Self {
            writer,
            reader,
            contacts: Mutex::default(),
            trash: Mutex::default(),
            sent: Mutex::default(),
            founded: [
                ("sign-up", 1),
                ("invite-member", 1),
                ("accept-invite", 1),
                ("create-contact", CONTACTS),
            ],
        };
        for _ in 0..CONTACTS {
            team.create().await.expect("a contact");
        }
        Arc::new(team)
    }

    /// The successes of `found`, by action.
    pub fn founded(&self) -> [(&'static str, usize); 4] {
        self.founded
    }

    /// Chooses an operation, so that the number of contacts stays about the same.
    pub fn choose(&self) -> Kind {
        let (contacts, trash) = (lock(&self.contacts).len(), lock(&self.trash).len());
        match Kind::random() {
            Kind::Create | Kind::DoubleClick | Kind::Restore if contacts > MOST => Kind::Delete,
            Kind::Delete if contacts < FEWEST => Kind::Create,
            Kind::Restore if trash == 0 => Kind::Create,
            kind => kind,
        }
    }

    /// Runs an operation. The error is the unexpected response.
    pub async fn run(&self, kind: Kind) -> Done {
        match kind {
            Kind::Create => self.create().await,
            Kind::Update => self.update().await,
            Kind::Delete => self.delete().await,
            Kind::Restore => self.restore().await,
            Kind::List => self.list().await,
            Kind::Search => self.search().await,
            Kind::Get => self.get().await,
            Kind::Replay => self.replay().await,
            Kind::DoubleClick => self.double_click().await,
            Kind::Refused => self.refused().await,
            Kind::SignIn => self.sign_in().await,
        }
    }

    async fn create(&self) -> Done {
        let (fields, key) = (details(), uuid::Uuid::new_v4().to_string());
        let answer = self.post("create-contact", &fields, &key).await;
        let data = once(&answer)?;
        self.remember(fields, key, &data);
        lock(&self.contacts).push(data);
        Ok(done("create-contact"))
    }

    async fn update(&self) -> Done {
        let Some(before) = take(&self.contacts) else {
            return self.create().await;
        };
        let mut fields = details();
        fields.extend([
            ("id", id(&before)),
            ("version", before["version"].to_string()),
        ]);
        let answer = self.post("update-contact", &fields, &key()).await;
        lock(&self.contacts).push(once(&answer)?);
        Ok(done("update-contact"))
    }

    async fn delete(&self) -> Done {
        let Some(contact) = take(&self.contacts) else {
            return self.create().await;
        };
        let fields = vec![("id", id(&contact))];
        once(&self.post("delete-contact", &fields, &key()).await)?;
        lock(&self.trash).push(contact);
        Ok(done("delete-contact"))
    }

    async fn restore(&self) -> Done {
        let Some(contact) = take(&self.trash) else {
            return self.create().await;
        };
        let fields = vec![("id", id(&contact))];
        let answer = self.post("restore-contact", &fields, &key()).await;
        lock(&self.contacts).push(once(&answer)?);
        Ok(done("restore-contact"))
    }

    /// Gets the list, mostly as the reader: the edge caches the reader's pages until the next change.
    async fn list(&self) -> Done {
        let client = if random(4) == 0 {
            &self.writer
        } else {
            &self.reader
        };
        let answer = match random(4) {
            0 => client.get(&client.contacts("")).await,
            _ => client.page(&client.contacts("")).await,
        };
        page(&answer)
    }

    async fn search(&self) -> Done {
        let word = WORDS[random(WORDS.len() as u64) as usize].to_ascii_lowercase();
        let path = self.reader.contacts(&format!("?q={word}"));
        let answer = self.reader.get(&path).await;
        let outcome = page(&answer)?;
        let found = answer.data();
        let found = found["contacts"].as_array().ok_or("no list")?;
        let holds = |contact: &Value| contact.to_string().to_ascii_lowercase().contains(&word);
        match found.iter().all(holds) {
            true => Ok(outcome),
            false => Err(format!("{word} is not in all of {found:?}")),
        }
    }

    async fn get(&self) -> Done {
        let Some(contact) = take(&self.contacts) else {
            return self.create().await;
        };
        let path = self.reader.contacts(&format!("/{}", id(&contact)));
        lock(&self.contacts).push(contact);
        let answer = match random(4) {
            0 => self.reader.get(&path).await,
            _ => self.reader.page(&path).await,
        };
        // Another operation may have deleted it.
        match answer.status {
            404 => Ok(Outcome::default()),
            _ => page(&answer),
        }
    }

    async fn replay(&self) -> Done {
        let Some(sent) = take(&self.sent) else {
            return self.create().await;
        };
        let answer = self.post("create-contact", &sent.fields, &sent.key).await;
        let expected = answer.status == 200 && answer.is_replayed() && answer.data() == sent.data;
        lock(&self.sent).push(sent);
        match expected {
            true => Ok(Outcome::default()),
            false => Err(unexpected(&answer)),
        }
    }

    async fn double_click(&self) -> Done {
        let (fields, key) = (details(), key());
        let twins = [(), ()].map(|()| self.post("create-contact", &fields, &key));
        let twins = futures_util::future::join_all(twins).await;
        let data = twins[0].json()["data"].take();
        let ran = twins.iter().filter(|twin| !twin.is_replayed()).count();
        for twin in &twins {
            if twin.status != 200 || twin.data() != data || ran != 1 {
                return Err(unexpected(twin));
            }
        }
        lock(&self.contacts).push(data);
        Ok(done("create-contact"))
    }

    async fn refused(&self) -> Done {
        let mut fields = details();
        let (answer, expected) = match random(3) {
            0 => {
                fields[1].1 = "no email".to_owned();
                (self.post("create-contact", &fields, &key()).await, 400)
            }
            1 => {
                let Some(contact) = take(&self.contacts) else {
                    return self.create().await;
                };
                fields[1].1 = contact["email"].as_str().unwrap_or_default().to_uppercase();
                let answer = self.post("create-contact", &fields, &key()).await;
                lock(&self.contacts).push(contact);
                (answer, 409)
            }
            _ => {
                let request = self.writer.request(Method::POST, "/actions/create-contact");
                let foreign = request.header("origin", "https://elsewhere.example");
                (foreign.form(&fields).answer().await, 403)
            }
        };
        match answer.status == expected {
            true => Ok(Outcome::default()),
            false => Err(unexpected(&answer)),
        }
    }

    async fn sign_in(&self) -> Done {
        let fields = [
            ("email", &*self.writer.email),
            ("password", Client::PASSWORD),
        ];
        let answer = Client::new(&self.writer.origin())
            .post("sign-in", &fields)
            .await;
        once(&answer)?;
        Ok(done("sign-in"))
    }

    async fn post(&self, action: &str, fields: &[(&'static str, String)], key: &str) -> Answer {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        self.writer.post_form(action, &fields, Some(key)).await
    }

    fn remember(&self, fields: Vec<(&'static str, String)>, key: String, data: &Value) {
        let data = data.clone();
        let mut sent = lock(&self.sent);
        if sent.len() >= REMEMBERED {
            let at = random(sent.len() as u64) as usize;
            sent.swap_remove(at);
        }
        sent.push(Sent { fields, key, data });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes one out at random, so that no other operation changes it in the meantime.
fn take<T>(pool: &Mutex<Vec<T>>) -> Option<T> {
    let mut pool = lock(pool);
    let count = pool.len() as u64;
    (count > 0).then(|| pool.swap_remove(random(count) as usize))
}

fn id(contact: &Value) -> String {
    contact["id"].as_str().unwrap_or_default().to_owned()
}

fn key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The fields of a new contact, with name and email first.
fn details() -> Vec<(&'static str, String)> {
    let word = || WORDS[random(WORDS.len() as u64) as usize];
    vec![
        ("name", format!("{} {}", word(), word())),
        ("email", people::email()),
        ("company", format!("{} & Sons", word())),
        (
            "notes",
            "Met at the fair; wants to hear from us in spring.".to_owned(),
        ),
    ]
}

fn done(action: &'static str) -> Outcome {
    Outcome {
        done: vec![action],
        ..Outcome::default()
    }
}

/// The data of a success that is not a replay.
fn once(answer: &Answer) -> Result<Value, String> {
    match answer.status == 200 && !answer.is_replayed() {
        true => Ok(answer.data()),
        false => Err(unexpected(answer)),
    }
}

/// The outcome of a page: a cache hit or a miss.
fn page(answer: &Answer) -> Done {
    if answer.status != 200 {
        return Err(unexpected(answer));
    }
    let cache = answer.header("x-cache").unwrap_or_default();
    let hit = u64::from(cache.starts_with("Hit"));
    Ok(Outcome {
        done: Vec::new(),
        hits: hit,
        misses: 1 - hit,
    })
}

fn unexpected(answer: &Answer) -> String {
    format!("{} {}", answer.status, answer.text)
}
