//! Cross-site request forgery: which requests may write.
//!
//! After Go's [`CrossOriginProtection`](https://pkg.go.dev/net/http#CrossOriginProtection), with
//! an exact list of origins, and never a look at `Host`, which on a function URL is Lambda's.

/// Whether a request that writes comes from a page of ours, or from no browser at all.
///
/// - `Sec-Fetch-Site: same-origin` or `none` passes.
/// - With any other value, or without it, the `Origin` must be in the list to the letter.
/// - With neither header it is no browser of this decade: it passes unless it has a session,
///   which only a browser keeps.
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
    fn our_own_pages_pass() {
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
    fn null_is_refused_even_where_the_list_names_it() {
        assert!(!may_write(None, Some("null"), ["null"].into_iter(), false));
    }
}
