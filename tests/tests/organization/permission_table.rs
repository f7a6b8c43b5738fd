//! Who may do what: every action and view, with every role, in the user's own organisation, in
//! another, and signed out. `cargo xtask generate` makes `docs/permissions.md` from the same registry.

use action::Role;
use edge_crm_tests::inside::{Answer, KEY, event};
use edge_crm_tests::prepared::{Copy, Prepared, person};
use serde_json::{Value, json};
use wrapper::Route;

const ROLES: [Role; 4] = [Role::Viewer, Role::Member, Role::Admin, Role::Owner];

/// Who sends the request. The records of the samples belong to Acme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    SignedOut,
    OfAcme(Role),
    OfAnother(Role),
}

impl Who {
    fn all() -> Vec<Self> {
        let in_each = ROLES.map(|role| [Self::OfAcme(role), Self::OfAnother(role)]);
        [Self::SignedOut]
            .into_iter()
            .chain(in_each.into_iter().flatten())
            .collect()
    }

    /// The session token, or empty if signed out.
    fn token(self, copy: &Copy) -> String {
        let keys = auth::Keys::new(&KEY, None).expect("a strong key");
        match self {
            Self::SignedOut => String::new(),
            Self::OfAcme(role) => person(&copy.inside.table, &keys, "acme", role),
            Self::OfAnother(role) => person(&copy.inside.table, &keys, "another", role),
        }
    }
}

/// Whether the rule allows a user with this role who owns none of the records.
fn allows(rule: &str, role: Role) -> bool {
    match rule {
        "" => true,
        // The sample's member is a viewer.
        "only the contact's owner or an admin"
        | "only for themselves, or as an admin for any member"
        | "only themselves, or as an admin a member with a role up to their own"
        | "only roles up to their own" => role >= Role::Admin,
        "only their own organizations" | "not as the last owner of an organization" => true,
        other => panic!("say here whom the rule {other:?} allows"),
    }
}

/// The event of a request for this route with this token.
fn ask(prepared: &Prepared, entry: &Route, token: &str) -> Value {
    let cookies = match token {
        "" => json!([]),
        token => json!([format!("__Host-session={token}")]),
    };
    let mut asked = match entry.method {
        "POST" => prepared.event(),
        _ => {
            let path = prepared.samples.path(entry.path);
            let mut asked = event("GET", &path, "", "");
            asked["rawQueryString"] = json!(prepared.samples.query(entry.path));
            asked
        }
    };
    asked["cookies"] = cookies;
    asked
}

/// Whether the response is right for `who`.
fn is_right(entry: &Route, who: Who, response: &Answer) -> bool {
    let code = response.json["code"].as_str().unwrap_or_default();
    let allowed = (200..400).contains(&response.status);
    let Some(least) = entry.least else {
        return match (who, entry.rule) {
            (Who::SignedOut, "signed in, or with the token from signing in") => {
                (response.status, code) == (401, "AUTH_ERROR")
            }
            _ => allowed,
        };
    };
    match who {
        Who::SignedOut => (response.status, code) == (401, "AUTH_ERROR"),
        // The sample's session belongs to another user, so it is not found.
        Who::OfAcme(_) | Who::OfAnother(_) if entry.rule == "only their own sessions" => {
            (response.status, code) == (404, "NOT_FOUND")
        }
        // The sample's link was sent to another user.
        Who::OfAcme(_) | Who::OfAnother(_)
            if entry.rule == "only the email of their own account" =>
        {
            (response.status, code) == (400, "VALIDATION_ERROR")
        }
        // The only owner of that organisation.
        Who::OfAnother(Role::Owner) if entry.rule == "not as the last owner of an organization" => {
            (response.status, code) == (403, "AUTH_ERROR")
        }
        Who::OfAcme(role) if role >= least && allows(entry.rule, role) => allowed,
        Who::OfAcme(_) => (response.status, code) == (403, "AUTH_ERROR"),
        // In the other organisation, records can be created and Acme's are not found.
        Who::OfAnother(role) if entry.method == "POST" && role >= least => {
            allowed || (response.status, code) == (404, "NOT_FOUND")
        }
        Who::OfAnother(_) if entry.method == "POST" => {
            (response.status, code) == (403, "AUTH_ERROR")
        }
        Who::OfAnother(_) if entry.path.contains("{tenant}") => {
            [403, 404].contains(&response.status)
        }
        Who::OfAnother(role) => allowed == (role >= least),
    }
}

/// Everything stored of Acme, without counters.
fn of_acme(copy: &Copy) -> Vec<edge_crm_tests::Record> {
    let mut records = copy.inside.table.saved();
    records.retain(|record| record.pk.starts_with("acme:") || record.pk.contains(":acme"));
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn every_user_may_do_what_the_table_says_and_nothing_else() {
    let mut cases = 0;
    for prepared in Prepared::all().await {
        let entries = prepared.copy().await.function.function().routes();
        for (entry, who) in entries
            .iter()
            .flat_map(|entry| Who::all().into_iter().map(move |who| (entry, who)))
        {
            let copy = prepared.copy().await;
            let asked = ask(&prepared, entry, &who.token(&copy));
            let before = of_acme(&copy);
            let response = copy.send(&asked).await;
            assert!(
                is_right(entry, who, &response),
                "{} {} by {who:?}: {response:?}",
                entry.method,
                entry.path
            );
            if matches!(who, Who::OfAnother(_)) && entry.least.is_some() {
                assert_eq!(of_acme(&copy), before, "{} by {who:?}", entry.path);
                // The response may repeat the sample's input, but no stored data.
                let leaks = entry.method == "GET" && response.text.contains("Ågaard");
                assert!(!leaks, "{} by {who:?}: {response:?}", entry.path);
            }
            cases += 1;
        }
    }
    assert!(cases > 150, "{cases}");
}

#[test]
fn the_table_in_the_docs_follows_from_the_registry() {
    let stale = xtask::stale(&xtask::root()).expect("what is generated");
    let mut paths = stale.iter().map(|output| output.path.as_str());
    assert!(
        !paths.any(|path| path == "docs/permissions.md"),
        "`cargo xtask generate` writes it anew"
    );
}
