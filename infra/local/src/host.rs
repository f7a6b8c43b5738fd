//! Which requests are meant for this machine.
//!
//! The owner of a domain can let its name point to 127.0.0.1 after a page was loaded from it. To the
//! browser, the local stack is then part of that page's site, so the page's scripts can read every
//! response. Such requests still have the domain's name as their host.

use hyper::Request;
use hyper::header::HOST;

/// The names of this machine that the local stack responds to, with any port.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Whether the request names this machine, and no other, as its host: in the header `Host` and in an
/// absolute target ([RFC 9112, section 3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2)).
pub(crate) fn is_this_machine<B>(request: &Request<B>) -> bool {
    let target = request.uri().authority().map(|host| host.as_str());
    let mut headers = request.headers().get_all(HOST).iter().peekable();
    headers.peek().is_some()
        && headers.all(|host| host.to_str().is_ok_and(is_name))
        && target.is_none_or(is_name)
}

fn is_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    NAMES.iter().any(|local| name.eq_ignore_ascii_case(local))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, hosts: &[&str]) -> Request<()> {
        let mut request = Request::get(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn only_the_names_of_this_machine_are_its_names() {
        for host in [
            "localhost",
            "LocalHost:3000",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:3000",
        ] {
            assert!(is_this_machine(&request("/", &[host])), "{host}");
        }
        for host in [
            "",
            ":3000",
            "evil.example",
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "a.localhost",
            "localhost.",
            "localhost@evil.example",
            "evil.example@localhost",
            "localhost:evil",
            "127.0.0.2",
            "0.0.0.0",
            "127.1",
            "::1",
            "[::2]",
            "[::ffff:127.0.0.1]",
            "localhost, evil.example",
        ] {
            assert!(!is_this_machine(&request("/", &[host])), "{host}");
        }
    }

    #[test]
    fn every_host_of_a_request_must_be_this_machine() {
        let own = "http://localhost:3000/";
        for (target, hosts, accepted) in [
            (own, &["127.0.0.1"][..], true),
            (own, &["evil.example"], false),
            ("http://evil.example/", &["localhost"], false),
            ("http://localhost@evil.example/", &["localhost"], false),
            ("/", &["localhost", "evil.example"], false),
            ("/", &["evil.example", "localhost"], false),
            ("/", &[], false),
        ] {
            let request = request(target, hosts);
            assert_eq!(is_this_machine(&request), accepted, "{target} {hosts:?}");
        }
    }
}
