//! No port of the local stack serves the pages of other sites, which run in the same browser.

use edge_crm_tests::{Product, raw};
use std::collections::BTreeSet;
use std::fs;

/// The ports at which a process listens, as `/proc` has them
/// ([its format](https://docs.kernel.org/networking/proc_net_tcp.html)).
fn listening_ports(process: u32) -> BTreeSet<u16> {
    let files = fs::read_dir(format!("/proc/{process}/fd")).expect("its files");
    let sockets: BTreeSet<String> = files
        .filter_map(|file| {
            fs::read_link(file.ok()?.path())
                .ok()?
                .into_os_string()
                .into_string()
                .ok()
        })
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut ports = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let table = fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let columns: Vec<_> = line.split_whitespace().collect();
            let [_, local, _, "0A", _, _, _, _, _, inode, ..] = columns[..] else {
                continue;
            };
            if sockets.contains(inode) {
                let (_, port) = local.rsplit_once(':').expect("a port");
                ports.insert(u16::from_str_radix(port, 16).expect("a port"));
            }
        }
    }
    ports
}

/// What a page of another site can send without a permission from the server, and what it asks first.
fn requests_of_another_page(port: u16) -> Vec<String> {
    let email = r#"{"FromEmailAddress":"a@b.example","Destination":{"ToAddresses":["c@d.example"]},"Content":{"Simple":{"Subject":{"Data":"Forged"},"Body":{"Text":{"Data":"x"},"Html":{"Data":"x"}}}}}"#;
    let scan = r#"{"TableName":"edge-crm"}"#;
    let signed = "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.Scan\r\n\
                  X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=local/20260101/\
                  us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n";
    let preflight =
        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-amz-target\r\n";
    let invalidations = "/2020-05-31/distribution/ELOCAL0000000/invalidation";
    let purge = "<InvalidationBatch><CallerReference>r</CallerReference><Paths><Quantity>1</Quantity>\
                 <Items><Path>/*</Path></Items></Paths></InvalidationBatch>";
    [
        ("GET", "/", "", ""),
        ("OPTIONS", "/", preflight, ""),
        ("POST", "/", signed, scan),
        ("GET", invalidations, "", ""),
        ("POST", invalidations, "Content-Type: text/plain\r\n", purge),
        (
            "POST",
            "/v2/email/outbound-emails",
            "Content-Type: text/plain\r\n",
            email,
        ),
    ]
    .map(|(method, path, headers, body)| {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: https://evil.example\r\n\
             Connection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    })
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_port_of_the_product_serves_a_page_of_another_site() {
    let product = Product::start();
    product.sign_up("Acme").await;
    let (_, own) = product.address().rsplit_once(':').expect("a port");
    let ports = listening_ports(product.id());
    assert!(ports.contains(&own.parse().expect("a port")), "{ports:?}");
    for port in ports {
        for request in requests_of_another_page(port) {
            let response = raw(&format!("127.0.0.1:{port}"), request.as_bytes()).await;
            let response = response.to_ascii_lowercase();
            assert!(
                !response.contains("access-control-allow-origin"),
                "{request}\n{response}"
            );
            let is_refused = response.starts_with("http/1.1 4");
            assert!(
                is_refused || port.to_string() == own,
                "{request}\n{response}"
            );
        }
    }
    let mailbox = product.client().page("/mailbox").await;
    assert_eq!(mailbox.status, 200);
    assert!(!mailbox.text.contains("Forged"), "{}", mailbox.text);
}
