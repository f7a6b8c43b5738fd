//! The local stack responds only if the request's host is this machine. Otherwise the owner of a
//! domain could let its name point to 127.0.0.1, and a page of that domain could read everything.

use edge_crm_tests::{Answer, Exchange, Product, raw};
use reqwest::Method;

/// A path of each part of the product.
async fn paths(product: &Product) -> Vec<String> {
    let page = product.client().page("/sign-in").await.text;
    let (_, asset) = page.split_once("\"/assets/").expect("a stylesheet");
    let (asset, _) = asset.split_once('"').expect("the end of its path");
    let asset = format!("/assets/{asset}");
    assert_eq!(product.client().page(&asset).await.status, 200);
    ["/", "/sign-in", "/mailbox", "/t/acme/contacts", "/nope"]
        .map(str::to_owned)
        .into_iter()
        .chain([asset])
        .collect()
}

fn is_misdirected(response: &Answer) {
    response.expect(421, "BAD_REQUEST");
    assert_eq!(response.header("cache-control"), Some("private, no-store"));
    assert!(
        response.json()["error"]
            .as_str()
            .unwrap()
            .contains("127.0.0.1")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_another_host_is_refused_at_every_path() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let (_, port) = product.address().rsplit_once(':').unwrap();
    let foreign = [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        "0.0.0.0".to_owned(),
    ];
    for path in paths(&product).await {
        for host in &foreign {
            let ask = |method| acme.request(method, &path).header("host", host.as_str());
            is_misdirected(&ask(Method::GET).answer().await);
            let head = ask(Method::HEAD).answer().await;
            assert_eq!((head.status, head.text.as_str()), (421, ""), "{path}");
            // With the origin that it would have, after the name points here.
            let form = ask(Method::POST).header("origin", format!("http://{host}"));
            is_misdirected(&form.form(&[("name", "x")]).answer().await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_name_of_this_machine_works_with_any_port() {
    let product = Product::start();
    let (_, port) = product.address().rsplit_once(':').unwrap();
    for path in paths(&product).await {
        let expected = product.client().page(&path).await.status;
        for name in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"] {
            for host in [
                name.to_owned(),
                format!("{name}:{port}"),
                format!("{name}:80"),
            ] {
                let request = product
                    .client()
                    .request(Method::GET, &path)
                    .header("host", &host)
                    .header("accept", "text/html");
                assert_eq!(request.answer().await.status, expected, "{host} {path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_of_an_absolute_target_counts_too() {
    let product = Product::start();
    let own = product.address();
    for (target, hosts, status) in [
        (format!("http://{own}/mailbox"), "Host: localhost\r\n", 200),
        (
            format!("http://{own}/mailbox"),
            "Host: evil.example\r\n",
            421,
        ),
        (
            "http://evil.example/mailbox".to_owned(),
            "Host: localhost\r\n",
            421,
        ),
        (
            "/mailbox".to_owned(),
            "Host: localhost\r\nHost: evil.example\r\n",
            421,
        ),
        ("/mailbox".to_owned(), "", 421),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        let response = raw(own, request.as_bytes()).await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(response.starts_with(&expected), "{request}{response}");
    }
}
