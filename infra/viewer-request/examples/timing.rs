//! Measures one run of the function: `cargo run --release -p viewer-request --example timing`.

use action::{Actor, Role, TenantId, UserId};
use auth::{Keys, SessionSecret, Token};
use std::borrow::Cow;
use std::error::Error;
use std::hint::black_box;
use std::time::{Instant, SystemTime};
use viewer_request::{Event, SOURCE, Settings, ViewerRequest};

const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";
const RUNS: u32 = 50_000;

fn token() -> Result<String, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let token = Token {
        secret: SessionSecret::random().ok_or("no randomness")?,
        actor: Actor {
            tenant: TenantId::parse("acme")?,
            user: UserId::parse("0197a3b0-0000-7000-8000-00000000000f")?,
            role: Role::Owner,
        },
        expires: i64::try_from(now.as_secs())? + 3_600,
    };
    let keys = Keys::new(KEY.as_bytes(), None)?;
    Ok(token.sign(&keys))
}

/// The event of a browser's request for a page.
fn event(uri: &'static str, cookie: &str) -> Event<'static> {
    let headers = [
        ("host", "d111111abcdef8.cloudfront.net"),
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
        ),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("accept-language", "en-GB,en;q=0.9,de;q=0.8"),
        ("cache-control", "max-age=0"),
        (
            "sec-ch-ua",
            "\"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\"",
        ),
        ("sec-ch-ua-mobile", "?0"),
        ("sec-ch-ua-platform", "\"Linux\""),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
        ("upgrade-insecure-requests", "1"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Layout/142.0 Safari/537.36",
        ),
    ];
    let headers = headers.map(|(name, value)| (name, Cow::Borrowed(value)));
    let cookie = ("cookie", Cow::Owned(cookie.to_owned()));
    Event {
        distribution_id: "EDFDVBD6EXAMPLE",
        domain_name: "d111111abcdef8.cloudfront.net",
        request_id: "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==",
        viewer_ip: "198.51.100.11",
        method: "GET",
        uri,
        query: "q=ada",
        headers: headers.into_iter().chain([cookie]).collect(),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings {
        cookie: "session".to_owned(),
        secrets: format!("{KEY}{KEY}.{0}{0}", KEY.to_uppercase()),
        in_use: "A".to_owned(),
    };
    let function = ViewerRequest::new(SOURCE, &settings)?;
    let cookie = format!("session={}; fresh=ABCDEFGHIJKLMNOPQRSTUV", token()?);
    for (name, event) in [
        ("a member's page", event("/t/acme/contacts", &cookie)),
        ("a page signed out", event("/t/acme/contacts", "")),
        ("an asset", event("/assets/app.css", &cookie)),
    ] {
        function.run(&event)?;
        let start = Instant::now();
        for _ in 0..RUNS {
            black_box(function.run(black_box(&event))?);
        }
        println!("{name}: {:?} per run", start.elapsed() / RUNS);
    }
    Ok(())
}
