//! Which headers to believe, and whose request it is.
//!
//! Anybody can reach a function URL, and can send any header. Only a request that carries the
//! origin secret came through the edge, which sets the headers below itself and drops the
//! client's copies.

use crate::event::Request;
use crate::{Config, Failure};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

const SECRET: &str = "x-edge-secret";
const VIEWER_IP: &str = "x-edge-viewer-ip";
const DOMAIN: &str = "x-edge-domain";

/// What may be believed of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trust {
    /// Whom to count the request for where nobody is signed in.
    pub(crate) address: String,
    /// Our own origin at the edge.
    pub(crate) own_origin: Option<String>,
}

impl Trust {
    /// Believes the edge's headers where the request proves that it came from there.
    ///
    /// # Errors
    /// A 403 where a secret is configured and the request does not carry it.
    pub(crate) fn establish(request: &Request, config: &Config) -> Result<Self, Failure> {
        if config.origin_secrets.is_empty() {
            return Ok(Self {
                address: group(&request.source_ip),
                own_origin: None,
            });
        }
        let sent = request.header(SECRET).unwrap_or_default().as_bytes();
        // Every slot is compared, so that the time does not tell which matched.
        let matches = config.origin_secrets.iter().fold(0, |found, secret| {
            found | u8::from(bool::from(secret.as_bytes().ct_eq(sent)))
        });
        if matches == 0 {
            return Err(Failure::not_through_edge());
        }
        let ip = request.header(VIEWER_IP).unwrap_or(&request.source_ip);
        let own_origin = request
            .header(DOMAIN)
            .map(|domain| format!("https://{domain}"));
        Ok(Self {
            address: group(ip),
            own_origin,
        })
    }
}

/// The address that counts: an IPv6 host has a whole /64 to itself (RFC 6177).
fn group(ip: &str) -> String {
    match ip.parse() {
        Ok(IpAddr::V4(v4)) => v4.to_string(),
        Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
        Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::group;

    #[test]
    fn an_ipv6_address_counts_with_its_64() {
        assert_eq!(group("2001:db8:1:2:3:4:5:6"), group("2001:db8:1:2::1"));
        assert_ne!(group("2001:db8:1:2::1"), group("2001:db8:1:3::1"));
        assert_eq!(group("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(group("192.0.2.1"), "192.0.2.1");
        assert_eq!(group("x:rate"), "unknown");
    }
}
