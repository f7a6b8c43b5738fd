//! What tests write straight to a table, instead of through actions.

use crate::{Record, Table};
use serde_json::{Value, json};

impl Table {
    /// Writes a membership directly: the user with this email becomes a member of the organisation
    /// `tenant` too.
    pub fn add_membership(&self, email: &str, tenant: &str, role: &str) {
        let account = self.under(&format!("#account:{email}")).remove(0);
        let user = account.get("id");
        let member = json!({
            "id": user, "name": account.get("name"), "email": account.get("email"), "role": role,
            "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "version": 1,
        });
        let user = user.as_str().expect("an id");
        self.put(&format!("{tenant}:members"), user, &member);
        let mut item = Value::Object(account.item());
        let organization = json!({ "tenant": tenant });
        item["organizations"]
            .as_array_mut()
            .expect("a list")
            .push(organization);
        self.put(&account.pk, &account.sk, &item);
    }

    /// Confirms the addresses of all accounts, directly, and removes the emails that ask for it.
    pub fn confirm_emails(&self) {
        for account in self.under("#account:") {
            let mut item = Value::Object(account.item());
            item["emailVerified"] = json!(true);
            self.put(&account.pk, &account.sk, &item);
        }
        let mut asking = self.emails();
        asking.retain(|email| email.get("template") == "confirm-email");
        for record in asking.iter().chain(&self.under("#emails:")) {
            self.remove(&record.pk, &record.sk);
        }
    }

    /// Adds an owner to each organisation, directly, so that every other one may leave it.
    pub fn add_owners(&self) {
        for organization in self.under("#tenant:") {
            let mut item = Value::Object(organization.item());
            let owner = json!("0197a3b0-0000-7000-8000-00000000000f");
            item["owners"].as_array_mut().expect("a list").push(owner);
            self.put(&organization.pk, &organization.sk, &item);
        }
    }

    /// Opens the mark of a tag as a view does that ran at `at` (in milliseconds since 1970): a cached page may
    /// have the tag.
    pub fn mark(&self, tag: &str, distribution: &str, at: i64) {
        let mark = json!({
            "markedAt": at, "render": uuid::Uuid::new_v4(), "distribution": distribution,
            "reservedIn": at / 900_000, "expires_at": at / 1_000 + 86_400,
        });
        self.put(&format!("#mark:{tag}"), "mark", &mark);
    }

    /// Writes what the sample of this function needs and no other sample makes: another owner, so that the
    /// user may delete the account, another session, and time since the last link.
    pub fn prepare_sample(&self, name: &str) {
        match name {
            "delete-account" => self.add_owners(),
            "send-confirmation" => {
                for sent in self.under("#emails:") {
                    self.remove(&sent.pk, &sent.sk);
                }
            }
            "settings" => {
                let session = self.under("#session:").pop().expect("a session");
                let id = uuid::Uuid::now_v7().to_string();
                let mut item = Value::Object(session.item());
                item["id"] = json!(id);
                item["hash"] = json!(id);
                self.put(&session.pk, &id, &item);
            }
            _ => {}
        }
    }

    /// Makes a record of pending work, such as an email, due now.
    ///
    /// # Panics
    /// If its sort key has no due time.
    pub fn make_due(&self, record: &Record) {
        let (_, id) = record.sk.rsplit_once(':').expect("a due time and an id");
        let mut item = record.whole();
        item.insert("dueAt".to_owned(), json!(1));
        self.remove(&record.pk, &record.sk);
        let sk = format!("{:013}:{id}", 1);
        self.put(&record.pk, &sk, &Value::Object(item));
    }
}
