//! Random interleavings of reads, writes and forged requests by members of several organisations,
//! while CloudFront throttles, delays and loses responses, and processes are killed.

use crate::PATIENCE;
use action::Role;
use auth::{Keys, Token};
use edge_crm_local::Faults;
use edge_crm_tests::fault::random;
use edge_crm_tests::world::{Person, Response, World};
use hyper::Request;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// How many requests are sent. Fewer on DynamoDB Local, which is slower: what they try is the cache.
fn requests() -> u64 {
    match std::env::var_os("EDGE_CRM_DYNAMODB_LOCAL") {
        Some(_) => 20_000,
        None => 100_000,
    }
}

const ORGANISATIONS: usize = 3;
const PEOPLE: usize = 6;

/// Every `WRITE`th request is a change.
const WRITE: u64 = 80;

/// A member and the contact that only they write. Its name counts up.
struct Writer {
    person: Person,
    organisation: usize,
    id: String,
    email: String,
    version: u64,
    /// The count in the last change whose response said success.
    written: u64,
}

/// The first word of the name of each contact of an organisation. It is in no request of another
/// organisation's members, so a response to them that contains it is a leak.
struct Secret(String);

struct Game {
    world: World,
    secrets: Vec<Secret>,
    slugs: Vec<String>,
    left: AtomicU64,
    hits: AtomicU64,
    forged: AtomicU64,
    changes: AtomicU64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_ever_gets_a_byte_of_another_organisation_and_nothing_stays_stale() {
    let (game, writers) = Game::start().await;
    let game = Arc::new(game);
    game.world.crash(2);
    let chaos = tokio::spawn(chaos(Arc::clone(&game)));
    let mut players = JoinSet::new();
    for writer in writers {
        players.spawn(play(Arc::clone(&game), writer));
    }
    let writers = players.join_all().await;
    chaos.abort();
    game.world.crash(0);
    game.world.faults(Faults::default());
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let counters = game.world.distribution.counters();
    println!(
        "{} requests: {} hits, {} forged, {} changes; {counters:?}",
        requests(),
        count(&game.hits),
        count(&game.forged),
        count(&game.changes)
    );
    assert!(count(&game.hits) > requests() / 10 && count(&game.forged) > requests() / 4);
    assert!(counters.invalidations > 0 && counters.invalidation_requests > counters.invalidations);
    // The longest backoff, the settling time, the sweeps, and time for a busy machine.
    game.world
        .settled(Duration::from_secs(60 + 37) + PATIENCE)
        .await;
    for writer in &writers {
        game.is_up_to_date(writer).await;
    }
}

/// Changes the faults of the edge every half second.
async fn chaos(game: Arc<Game>) {
    loop {
        let percent = || u8::try_from(random(12)).unwrap_or_default();
        let millis = |most| Duration::from_millis(random(most));
        game.world.faults(Faults {
            throttled: percent(),
            too_many: percent(),
            refused: percent(),
            lost_before: percent(),
            lost_after: percent(),
            response_delay: millis(60),
            effect_delay: millis(400),
            transit: (Duration::ZERO, millis(30)),
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn play(game: Arc<Game>, mut writer: Writer) -> Writer {
    while let Some(turn) = game.turn() {
        if turn % WRITE == 0 {
            game.change(&mut writer).await;
            game.read_own_write(&writer).await;
        } else if turn % 3 == 0 {
            game.forge(&writer).await;
        } else {
            game.read(&mut writer).await;
        }
    }
    writer
}

impl Game {
    async fn start() -> (Self, Vec<Writer>) {
        let world = World::start().await;
        let (mut secrets, mut slugs, mut writers) = (Vec::new(), Vec::new(), Vec::new());
        for organisation in 0..ORGANISATIONS {
            let secret = format!("secret{}", uuid::Uuid::new_v4().simple());
            let owner = world.sign_up(&format!("Org {organisation}")).await;
            for n in 0..PEOPLE {
                let mut person = match n {
                    0 => owner.clone(),
                    1 => world.join(&owner, Role::Admin),
                    _ => world.join(&owner, Role::Member),
                };
                let email = format!("{organisation}-{n}@example.com");
                let fields = json!({ "name": format!("{secret} {n}:0."), "email": email });
                let contact = world.change(&mut person, "create-contact", &fields).await;
                let id = contact["id"].as_str().unwrap().to_owned();
                writers.push(Writer {
                    person,
                    organisation,
                    id,
                    email,
                    version: 1,
                    written: 0,
                });
            }
            slugs.push(owner.tenant.clone());
            secrets.push(Secret(secret));
        }
        let zero = AtomicU64::default;
        let left = AtomicU64::new(requests());
        let game = Self {
            world,
            secrets,
            slugs,
            left,
            hits: zero(),
            forged: zero(),
            changes: zero(),
        };
        (game, writers)
    }

    fn turn(&self) -> Option<u64> {
        let take = |left: u64| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .ok()
    }

    /// Asserts that the response to a member of `organisation` contains nothing of another
    /// organisation, and no cookie of another user.
    fn check(&self, response: &Response, organisation: usize, user: Option<&str>) {
        for (other, secret) in self.secrets.iter().enumerate() {
            let leaks = other != organisation && response.text.contains(&secret.0);
            assert!(
                !leaks,
                "organisation {organisation} got a page of {other}: {response:?}"
            );
        }
        assert_eq!(response.header("cache-tag"), "");
        if let Some(session) = response
            .cookie("__Host-session")
            .filter(|session| !session.is_empty())
        {
            let given = session.split('.').nth(3).map(str::to_owned);
            assert_eq!(
                given.as_deref(),
                user,
                "a session of another user: {response:?}"
            );
        }
        if response.is_hit() {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn change(&self, writer: &mut Writer) {
        let next = writer.written + 1;
        let name = format!(
            "{} {}:{next}.",
            self.secrets[writer.organisation].0,
            writer.number()
        );
        let fields = json!({
            "id": writer.id, "version": writer.version, "name": name, "email": writer.email,
            "idempotency_key": uuid::Uuid::new_v4().to_string(),
        });
        // A killed process does not respond, and a browser sends the form again.
        for _ in 0..20 {
            let response = self
                .world
                .act(&writer.person, "update-contact", &fields)
                .await;
            self.check(&response, writer.organisation, Some(writer.user()));
            writer.person.learn(&response);
            if response.status == 200 {
                writer.version = response.json()["data"]["version"].as_u64().unwrap();
                writer.written = next;
                self.changes.fetch_add(1, Ordering::Relaxed);
                return;
            }
            assert!(response.status >= 500, "{response:?}");
        }
        panic!("a change never succeeds");
    }

    async fn read_own_write(&self, writer: &Writer) {
        let response = self.world.look(&writer.person, &writer.path()).await;
        self.check(&response, writer.organisation, Some(writer.user()));
        if response.status == 200 {
            assert!(
                response.text.contains(&writer.expected()),
                "not the writer's own change: {response:?}"
            );
        } else {
            assert!(response.status >= 500, "killed: {response:?}");
        }
    }

    async fn read(&self, writer: &mut Writer) {
        let path = match random(4) {
            0 => writer.path(),
            1 => "/contacts?q=secret".to_owned(),
            _ => "/contacts".to_owned(),
        };
        let accept = if random(4) == 0 {
            "application/json"
        } else {
            "text/html"
        };
        let reader = if random(2) == 0 {
            writer.person.clone()
        } else {
            writer.person.stale()
        };
        let request = reader.get(&format!("/t/{}{path}", reader.tenant), accept);
        let response = self.world.send(request).await;
        self.check(&response, writer.organisation, Some(writer.user()));
        assert!(
            response.status == 200 || response.status >= 500,
            "{response:?}"
        );
        writer.person.learn(&response);
    }

    /// Sends a request of the writer that claims to be something else.
    async fn forge(&self, writer: &Writer) {
        self.forged.fetch_add(1, Ordering::Relaxed);
        let victim =
            (writer.organisation + 1 + random(ORGANISATIONS as u64 - 1) as usize) % ORGANISATIONS;
        let path = self.forged_path(writer, victim);
        let cookies = self.forged_cookies(writer, victim);
        let mut request = Request::get(path).header("cookie", cookies);
        for (name, value) in self.forged_headers(writer, victim) {
            request = request.header(name, value);
        }
        let Ok(request) = request.body(http_body_util::Full::default()) else {
            return;
        };
        let response = self.world.send(request).await;
        self.check(&response, writer.organisation, Some(writer.user()));
    }

    fn forged_path(&self, writer: &Writer, victim: usize) -> String {
        let (own, victim) = (&writer.person.tenant, &self.slugs[victim]);
        match random(9) {
            0 => format!("/t/{victim}/contacts"),
            1 => format!("/t/{own}/../{victim}/contacts"),
            2 => format!("/t/{own}%2f..%2f{victim}/contacts"),
            3 => format!("//t/{victim}/contacts"),
            4 => format!("/t/{own}/contacts?tenant={victim}&q=secret&q=secret"),
            5 => format!("/t/{victim}/contacts/{}", writer.id),
            6 => format!("/t/{own}/contacts/?q={victim}"),
            7 => format!("/t/{}/contacts", victim.to_uppercase()),
            _ => format!("/t/{own}/contacts"),
        }
    }

    fn forged_cookies(&self, writer: &Writer, victim: usize) -> String {
        let own = &writer.person;
        let session = |token: String| format!("__Host-session={token}");
        match random(8) {
            0 => String::new(),
            1 => session(
                self.world
                    .signed_again(own, |token| token.expires -= 10_000)
                    .session,
            ),
            2 => session(signed_by_a_stranger(own)),
            3 => session(own.session.replacen(&own.tenant, &self.slugs[victim], 1)),
            4 => session(own.session.replace(".member.", ".owner.")),
            5 => format!("{}; {}", own.cookies(), session(signed_by_a_stranger(own))),
            6 => format!(
                "{}; fresh=AAAAAAAAAAAAAAAAAAAAAA; fresh=||||",
                own.cookies()
            ),
            _ => own.cookies(),
        }
    }

    fn forged_headers(&self, writer: &Writer, victim: usize) -> Vec<(&'static str, String)> {
        let victim = &self.slugs[victim];
        let roles = ["owner", "admin", "member", "viewer"];
        let key = format!("{victim}|{}|html|", roles[random(4) as usize]);
        let all = [
            ("x-crm-key", key.clone()),
            ("X-Crm-Key", format!("{}|owner|html|", writer.person.tenant)),
            ("x-crm-secret", "a guess".to_owned()),
            ("x-crm-distribution", "EFORGED".to_owned()),
            ("x-crm-domain", "evil.example".to_owned()),
            ("x-crm-viewer-ip", "203.0.113.9".to_owned()),
            ("x-forwarded-host", format!("{victim}.example")),
            ("x-amz-cf-id", key),
            ("cache-control", "no-cache".to_owned()),
            (
                "accept",
                "application/json;q=0.5, text/html;q=0.4".to_owned(),
            ),
            ("content-type", "application/json".to_owned()),
            ("x-http-method-override", "POST".to_owned()),
        ];
        all.into_iter().filter(|_| random(3) == 0).collect()
    }

    /// Asserts that the writer sees the last change, with and without the cookie `fresh`.
    async fn is_up_to_date(&self, writer: &Writer) {
        for reader in [writer.person.clone(), writer.person.stale()] {
            for path in [
                writer.path(),
                "/contacts".to_owned(),
                "/contacts?q=secret".to_owned(),
            ] {
                for accept in ["text/html", "application/json"] {
                    let request = reader.get(&format!("/t/{}{path}", reader.tenant), accept);
                    let response = self.world.send(request).await;
                    self.check(&response, writer.organisation, Some(writer.user()));
                    assert!(
                        response.text.contains(&writer.expected()),
                        "stale: {path} {response:?}"
                    );
                }
            }
        }
    }
}

impl Writer {
    fn number(&self) -> &str {
        self.email.split(['-', '@']).nth(1).unwrap_or_default()
    }

    fn expected(&self) -> String {
        format!("{}:{}.", self.number(), self.written)
    }

    fn path(&self) -> String {
        format!("/contacts/{}", self.id)
    }

    fn user(&self) -> &str {
        self.person.session.split('.').nth(3).unwrap_or_default()
    }
}

/// The person's token, signed with another key.
fn signed_by_a_stranger(person: &Person) -> String {
    let keys = Keys::new(&[7; 32], None).expect("a strong key");
    let (claims, _) = person.session.rsplit_once('.').unwrap_or_default();
    let forged = format!("{claims}.{}", keys.sign("session", claims));
    assert!(
        Token::verify(&forged, &keys).is_some(),
        "the token is well-formed"
    );
    forged
}
