//! Protection against cross-site request forgery: which requests may write.
//!
//! The rules are those of Go's
//! [`CrossOriginProtection`](https://pkg.go.dev/net/http#CrossOriginProtection), except that the
//! allowed origins are an exact list. `Host` is not used, because on a function URL it is Lambda's.

/// Whether a request may write: it must come from one of our pages, or not from a browser.
///
/// - `Sec-Fetch-Site: same-origin` or `none` is allowed.
/// - With another value or without the header, the `Origin` must be exactly one of the list.
/// - Without both headers the client is not a browser of this decade. It is allowed unless it has a
///   session cookie, which only browsers keep.
pub(crate) fn may_write<'a>(
    fetch_site: Option<&str>,
    origin: Option<&str>,
    mut allowed: impl Iterator<Item = &'a str>,
    has_session: bool,
) -> bool {
    match (fetch_site, origin) {
        (Some("same-origin" | "none"), _) => true,
        (_, Some(origin)) => origin != "null" && allowed.any(|entry| entry == origin),
        (Some(_), None) => false,
        (None, None) => !has_session,
    }
}

#[cfg(test)]
mod tests {
    use super::may_write;

    const ALLOWED: [&str; 2] = ["https://crm.example", "http://127.0.0.1:3000"];

    fn passes(fetch_site: Option<&str>, origin: Option<&str>) -> bool {
        may_write(fetch_site, origin, ALLOWED.into_iter(), true)
    }

    #[test]
    fn our_own_pages_are_allowed() {
        assert!(passes(Some("same-origin"), Some("https://crm.example")));
        assert!(passes(Some("same-origin"), None));
        assert!(passes(Some("none"), None));
        assert!(passes(None, Some("https://crm.example")));
        assert!(passes(Some("same-site"), Some("http://127.0.0.1:3000")));
        assert!(passes(Some("cross-site"), Some("https://crm.example")));
    }

    #[test]
    fn every_other_page_is_refused() {
        for site in [
            Some("cross-site"),
            Some("same-site"),
            Some("SAME-ORIGIN"),
            Some(""),
            Some("same-origin, none"),
            None,
        ] {
            for origin in [
                "null",
                "",
                "https://evil.example",
                "https://crm.example.evil.example",
                "https://xcrm.example",
                "https://crm.example:8443",
                "https://crm.example:443",
                "http://crm.example",
                "https://crm.example/",
                "https://CRM.example",
                "HTTPS://crm.example",
                "https://crm.example https://evil.example",
                "https://user@crm.example",
                "http://localhost:3000",
                "junk",
            ] {
                assert!(!passes(site, Some(origin)), "{site:?} {origin:?}");
            }
        }
        assert!(!passes(Some("cross-site"), None));
        assert!(!passes(Some(""), None));
    }

    #[test]
    fn with_neither_header_a_session_is_refused() {
        assert!(!may_write(None, None, ALLOWED.into_iter(), true));
        assert!(may_write(None, None, ALLOWED.into_iter(), false));
    }

    #[test]
    fn null_is_refused_even_if_it_is_in_the_list() {
        assert!(!may_write(None, Some("null"), ["null"].into_iter(), false));
    }
}
