//! Which headers to trust, and which address to count a request for.
//!
//! Everyone can call a function URL and send any header. Only a request with the origin secret came
//! through the edge, which drops the client's copies of the headers below and sets its own.

use crate::http::request::RequestInfo;
use crate::session::fresh;
use crate::{Config, Failure};
use action::Role;
use lambda_http::Request;
use std::net::IpAddr;
use subtle::ConstantTimeEq;

const SECRET: &str = "x-crm-secret";
const VIEWER_IP: &str = "x-crm-viewer-ip";
const DOMAIN: &str = "x-crm-domain";
const DISTRIBUTION: &str = "x-crm-distribution";
const KEY: &str = "x-crm-key";

/// The trusted facts about a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trust {
    /// The address to count the request for if the caller is not signed in.
    pub(crate) address: String,
    /// The origin of our site at the edge.
    pub(crate) own_origin: Option<String>,
    /// The edge that the request came through.
    pub(crate) edge: Option<Edge>,
}

/// The edge that a request came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    /// The id of the CloudFront distribution.
    pub(crate) distribution: String,
    /// The edge's cache key for the response; `None` if no other user can have the same key.
    pub(crate) shared: Option<SharedKey>,
}

/// The variable part of a cache key that several users may share:
/// `{tenant}|{role}|{html or json}|{fresh}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SharedKey {
    pub(crate) tenant: String,
    pub(crate) role: Role,
    pub(crate) json: bool,
}

impl SharedKey {
    /// Parses a key; `None` if it is unique to the request.
    fn parse(text: &str) -> Option<Self> {
        let [tenant, role, format, fresh] = text.split('|').collect::<Vec<_>>().try_into().ok()?;
        let is_fresh = fresh.is_empty() || fresh::is_value(fresh);
        let json = match format {
            "json" => true,
            "html" => false,
            _ => return None,
        };
        is_fresh.then_some(Self {
            tenant: tenant.to_owned(),
            role: Role::parse(role)?,
            json,
        })
    }
}

impl Trust {
    /// Reads the edge's headers if the request proves that it came through the edge.
    ///
    /// # Errors
    /// A 403 if secrets are configured and the request has none of them.
    pub(crate) fn establish(request: &Request, config: &Config) -> Result<Self, Failure> {
        if config.origin_secrets.is_empty() {
            return Ok(Self {
                address: counted_address(request.source_ip()),
                own_origin: None,
                edge: None,
            });
        }
        let sent = request.header(SECRET).unwrap_or_default().as_bytes();
        // Compare all secrets, so that the duration does not reveal which one matched.
        let matches = config.origin_secrets.iter().fold(0, |found, secret| {
            found | u8::from(bool::from(secret.as_bytes().ct_eq(sent)))
        });
        if matches == 0 {
            return Err(Failure::not_through_edge());
        }
        let ip = request.header(VIEWER_IP).unwrap_or(request.source_ip());
        let own_origin = request
            .header(DOMAIN)
            .map(|domain| format!("https://{domain}"));
        let edge = request.header(DISTRIBUTION).map(|distribution| Edge {
            distribution: distribution.to_owned(),
            shared: request.header(KEY).and_then(SharedKey::parse),
        });
        Ok(Self {
            address: counted_address(ip),
            own_origin,
            edge,
        })
    }
}

/// The address to count requests by: for IPv6 the /64, because one host has a whole /64 (RFC 6177).
fn counted_address(ip: &str) -> String {
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
    use super::{SharedKey, counted_address};
    use action::Role;

    #[test]
    fn only_a_complete_key_is_shared() {
        let fresh = "AAAAAAAAAAAAAAAAAAAAAA";
        for text in ["acme|member|html|", &format!("acme|member|html|{fresh}")] {
            let key = SharedKey::parse(text).unwrap();
            assert_eq!(
                (key.tenant.as_str(), key.role, key.json),
                ("acme", Role::Member, false)
            );
        }
        for text in [
            "",
            "0197a3b0-0000-7000-8000-000000000001",
            "acme|member|html",
            "acme|member|html||",
            "acme|member|xml|",
            "acme|nobody|html|",
            "acme|member|html|short",
            "acme|member|html|AAAAAAAAAAAAAAAAAAAA|A",
        ] {
            assert_eq!(SharedKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_ipv6_address_is_counted_by_its_64() {
        assert_eq!(
            counted_address("2001:db8:1:2:3:4:5:6"),
            counted_address("2001:db8:1:2::1")
        );
        assert_ne!(
            counted_address("2001:db8:1:2::1"),
            counted_address("2001:db8:1:3::1")
        );
        assert_eq!(counted_address("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(counted_address("192.0.2.1"), "192.0.2.1");
        assert_eq!(counted_address("x:rate"), "unknown");
    }
}
