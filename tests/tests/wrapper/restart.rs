//! Stops, kills and restarts. What had a success response survives, and what had no response can be
//! sent again.

use edge_crm_tests::{Answer, Client, Launch, Product, Scratch, Table};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long a test waits, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

fn start(data: &Path) -> Product {
    Launch::new().data(data).start()
}

/// Creates contact `n` with its own idempotency key. `None` if there was no response.
async fn add(client: &Client, n: usize) -> Option<Answer> {
    let (name, email) = (format!("Contact {n}"), format!("contact-{n}@example.com"));
    let request = client
        .action("create-contact")
        .header("idempotency-key", format!("key-{n}"));
    let response = request
        .form(&[("name", &name), ("email", &email)])
        .send()
        .await
        .ok()?;
    Answer::read(response).await.ok()
}

/// How many contacts several writers have tried to create, and the ids in the responses.
#[derive(Default)]
struct Written {
    tried: AtomicUsize,
    answered: Mutex<BTreeMap<usize, Value>>,
    stop: AtomicBool,
}

impl Written {
    /// Creates contacts one after the other until the product is gone.
    async fn write(self: Arc<Self>, client: Client) {
        while !self.stop.load(Ordering::Relaxed) {
            let n = self.tried.fetch_add(1, Ordering::Relaxed);
            match add(&client, n).await {
                Some(response) => {
                    let id = response.data()["id"].clone();
                    self.answered.lock().unwrap().insert(n, id);
                }
                None => return,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_loses_and_doubles_nothing() {
    let data = Scratch::new();
    let mut product = start(data.path());
    let owner = product.sign_up("Acme").await;
    let (token, email) = (owner.token(), owner.email.clone());
    let written = Arc::new(Written::default());
    for delay in [40, 90, 170, 260, 390, 610] {
        let client = product.client_with(&token, "acme");
        let writers: Vec<_> = (0..4)
            .map(|_| tokio::spawn(Arc::clone(&written).write(client.clone())))
            .collect();
        sleep(Duration::from_millis(delay)).await;
        product.kill();
        for writer in writers {
            writer.await.expect("every response was a success");
        }
        product = start(data.path());
        // A client without a response sends the same request again.
        let client = product.client_with(&token, "acme");
        let tried = written.tried.load(Ordering::Relaxed);
        for n in 0..tried {
            let response = add(&client, n).await.expect("a response");
            let id = response.data()["id"].clone();
            let mut answered = written.answered.lock().unwrap();
            assert_eq!(
                answered.entry(n).or_insert_with(|| id.clone()),
                &id,
                "contact {n} had another id before"
            );
        }
    }
    let answered = written.answered.lock().unwrap().clone();
    assert!(
        answered.len() >= 12,
        "only {} contacts were written",
        answered.len()
    );
    let client = product.client_with(&token, "acme");
    let listed = client.all("").await;
    assert_eq!(listed.len(), answered.len());
    for (n, id) in &answered {
        let found: Vec<_> = listed
            .iter()
            .filter(|contact| contact["email"] == format!("contact-{n}@example.com"))
            .collect();
        assert!(
            found.len() == 1 && found[0]["id"] == *id,
            "contact {n}: {found:?}"
        );
    }
    // Each email has its guard, which names its contact.
    let (n, id) = answered.iter().next_back().unwrap();
    let again = client
        .post(
            "create-contact",
            &[
                ("name", "X"),
                ("email", &format!("contact-{n}@example.com")),
            ],
        )
        .await;
    again.expect(409, "CONFLICT");
    assert_eq!(again.json()["existingId"], *id);
    let credentials = [("email", email.as_str()), ("password", Client::PASSWORD)];
    assert_eq!(
        product.client().post("sign-in", &credentials).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_every_transaction_is_stored_whole_or_not_at_all() {
    let table = Table::start().await;
    let data = Scratch::new();
    let start = || Launch::new().table(&table).data(data.path()).start();
    let owner = start().sign_up("Acme").await;
    let written = Arc::new(Written::default());
    for delay in [30, 75, 140, 230] {
        let product = start();
        let client = product.client_with(&owner.token(), "acme");
        let writers: Vec<_> = (0..6)
            .map(|_| tokio::spawn(Arc::clone(&written).write(client.clone())))
            .collect();
        sleep(Duration::from_millis(delay)).await;
        product.kill();
        for writer in writers {
            writer.await.expect("every response was a success");
        }
        // The table may still work on the last requests of the killed process.
        let late = Instant::now() + PATIENCE;
        let contacts = loop {
            let contacts = table.under("acme:contacts").len();
            let others = [
                table.under("#guard:acme:contacts").len(),
                table.audits("create-contact").len(),
                table.results("create-contact").len(),
            ];
            if others == [contacts; 3] {
                break contacts;
            }
            assert!(Instant::now() < late, "{contacts} contacts, {others:?}");
            sleep(Duration::from_millis(20)).await;
        };
        assert!(contacts >= written.answered.lock().unwrap().len());
        assert!(contacts <= written.tried.load(Ordering::Relaxed));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_sign_up_that_is_sent_again_makes_one_account() {
    let data = Scratch::new();
    for (n, delay) in [0, 10, 25, 60].into_iter().enumerate() {
        let (email, organization) = (format!("{n}@example.com"), format!("Org {n}"));
        let fields = [
            ("name", "Ada"),
            ("email", email.as_str()),
            ("password", Client::PASSWORD),
            ("organization", organization.as_str()),
        ];
        let product = start(data.path());
        let request = product
            .client()
            .action("sign-up")
            .header("idempotency-key", "k")
            .form(&fields);
        let sending = tokio::spawn(request.send());
        sleep(Duration::from_millis(delay)).await;
        product.kill();
        let _either_way = sending.await;

        let product = start(data.path());
        let client = product.client();
        let account = client.post_form("sign-up", &fields, Some("k")).await.data();
        assert_eq!(account["tenant"], format!("org-{n}"));
        assert_eq!(
            client.get(&format!("/t/org-{n}/contacts")).await.status,
            200
        );
        assert_eq!(
            product.sign_in(&email, Client::PASSWORD).await.user,
            account["user"]["id"]
        );
        assert_eq!(
            product.sign_up(&organization).await.tenant,
            format!("org-{n}-2")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_when_asked_and_finishes_running_requests() {
    let data = Scratch::new();
    let product = start(data.path());
    let acme = product.sign_up("Acme").await;
    let written = Arc::new(Written::default());
    let writers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(Arc::clone(&written).write(acme.clone())))
        .collect();
    let late = Instant::now() + PATIENCE;
    while written.answered.lock().unwrap().len() < 10 {
        assert!(Instant::now() < late, "nothing is written");
        sleep(Duration::from_millis(5)).await;
    }
    let ended = tokio::task::spawn_blocking(move || product.stop())
        .await
        .unwrap();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(
        ended
            .log
            .iter()
            .all(|line| !line.contains("ERROR") && !line.contains("panicked")),
        "{ended:?}"
    );
    for writer in writers {
        writer.await.expect("every response was a success");
    }
    let again = start(data.path());
    let client = again.client_with(&acme.token(), "acme");
    let listed = client.all("").await;
    let answered = written.answered.lock().unwrap();
    assert!(!answered.is_empty());
    for id in answered.values() {
        assert!(
            listed.iter().any(|contact| contact["id"] == *id),
            "{id} had a success response and is gone"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_data_in_memory_a_restart_forgets_data_and_signing_keys() {
    let first = Product::start();
    let acme = first.sign_up("Acme").await;
    let token = acme.token();
    first.kill();
    let second = Product::start();
    assert_eq!(
        second
            .client_with(&token, "acme")
            .get("/t/acme/contacts")
            .await
            .status,
        401
    );
    assert_eq!(second.sign_up("Acme").await.tenant, "acme");
}

/// The modes of a directory and of the files in it, by name. The directory has no name.
#[cfg(unix)]
fn modes(directory: &Path) -> BTreeMap<String, u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let files = std::fs::read_dir(directory).unwrap().map(|file| {
        let file = file.unwrap();
        (file.file_name().into_string().unwrap(), mode(&file.path()))
    });
    files.chain([(String::new(), mode(directory))]).collect()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn no_other_user_can_read_the_data_even_if_they_could_before() {
    use std::os::unix::fs::PermissionsExt;
    let data = Scratch::new();
    let private: BTreeMap<_, _> = [
        ("", 0o700),
        ("dynamodb.sqlite", 0o600),
        ("dynamodb.sqlite-shm", 0o600),
        ("dynamodb.sqlite-wal", 0o600),
        ("lock", 0o600),
        ("signing-key", 0o600),
    ]
    .map(|(name, mode)| (name.to_owned(), mode))
    .into();
    let allow = |name: &str, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(data.path().join(name), permissions).unwrap();
    };
    allow("", 0o755);
    let product = start(data.path());
    product.sign_up("Acme").await;
    assert_eq!(modes(data.path()), private);
    product.kill();

    allow("", 0o777);
    for (name, mode) in private
        .keys()
        .skip(1)
        .zip([0o644, 0o664, 0o666, 0o640, 0o604])
    {
        allow(name, mode);
    }
    let product = start(data.path());
    assert_eq!(modes(data.path()), private);
    assert_eq!(product.sign_up("Acme").await.tenant, "acme-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_is_refused_in_one_line() {
    let data = Scratch::new();
    let first = start(data.path());
    let acme = first.sign_up("Acme").await;
    let ended = Launch::new()
        .data(data.path())
        .try_start()
        .expect_err("a second process");
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.output.is_empty(), "{ended:?}");
    assert_eq!(ended.log.len(), 1, "{ended:?}");
    assert!(
        ended.log[0].contains("in use") && ended.log[0].contains("--data"),
        "{ended:?}"
    );
    assert_eq!(acme.get("/t/acme/contacts").await.status, 200);
    first.kill();
    drop(start(data.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_and_a_missing_engine_are_reported_in_one_line() {
    let first = Product::start();
    let port = first.address().rsplit_once(':').unwrap().1.parse().unwrap();
    let ended = Launch::new()
        .port(port)
        .try_start()
        .expect_err("the port is taken");
    assert_eq!(
        (ended.status.code(), ended.log.len()),
        (Some(1), 1),
        "{ended:?}"
    );
    assert!(
        ended.log[0].contains(&port.to_string()) && ended.log[0].contains("--port"),
        "{ended:?}"
    );

    let nowhere = Launch::new()
        .argument("--dynamodb-url")
        .argument("http://127.0.0.1:1");
    let ended = nowhere.try_start().expect_err("nothing is there");
    assert_eq!(
        (ended.status.code(), ended.output.len()),
        (Some(1), 0),
        "{ended:?}"
    );
    assert!(
        ended.log.last().unwrap().contains("http://127.0.0.1:1"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_option_is_reported_before_anything_starts() {
    for arguments in [
        ["--port", "x"],
        ["--dynamodb-url", "nowhere"],
        ["--rate-limit-per-ip", "many"],
        ["--no-such", "x"],
    ] {
        let launch = arguments.into_iter().fold(Launch::new(), Launch::argument);
        let ended = launch.try_start().expect_err("a wrong option");
        assert_eq!(
            (ended.status.code(), ended.output.len()),
            (Some(2), 0),
            "{ended:?}"
        );
        assert!(ended.log.join("\n").contains(arguments[0]), "{ended:?}");
    }
}

/// The sign-in that the product prints.
async fn printed_sign_in(product: &Product) -> (String, String) {
    let late = Instant::now() + PATIENCE;
    while Instant::now() < late {
        let lines = product.output();
        let line = lines
            .iter()
            .find_map(|line| line.strip_prefix("Sign in as "));
        if let Some((email, password)) =
            line.and_then(|line| line.split_once(" with the password "))
        {
            return (email.to_owned(), password.to_owned());
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("no sign-in is printed: {:?}", product.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_data_are_made_once_and_their_sign_in_works() {
    let (table, data) = (Table::start().await, Scratch::new());
    let demo = || {
        let launch = Launch::new()
            .table(&table)
            .data(data.path())
            .per_ip(3)
            .per_user(3);
        launch.argument("--demo").start()
    };
    // A start may open a session. Everything else stays as the first start made it.
    let stored = || -> Vec<_> {
        table
            .saved()
            .into_iter()
            .filter(|record| !record.pk.starts_with("#session:"))
            .collect()
    };
    let product = demo();
    let (email, password) = printed_sign_in(&product).await;
    let contacts = product.sign_in(&email, &password).await.all("").await;
    assert_eq!(contacts.len(), 25);
    let first = stored();
    product.kill();

    let product = demo();
    assert_eq!(stored(), first);
    // A deleted contact stays deleted.
    let client = product.sign_in(&email, &password).await;
    let id = contacts[0]["id"].as_str().unwrap();
    assert_eq!(
        client.post("delete-contact", &[("id", id)]).await.status,
        200
    );
    product.kill();
    let product = demo();
    assert_eq!(
        product.sign_in(&email, &password).await.all("").await.len(),
        24
    );
}
