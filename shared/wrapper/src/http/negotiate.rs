//! Chooses JSON or HTML by the `Accept` header (RFC 9110, section 12.5.1).

/// Whether `accept` prefers `application/json` to HTML, or likes both equally.
pub(crate) fn wants_json(accept: Option<&str>) -> bool {
    let quality = |media_type: &str| {
        accept
            .into_iter()
            .flat_map(|accept| accept.split(','))
            .filter_map(|range| quality_of(range, media_type))
            .fold(0.0, f32::max)
    };
    let json = quality("application/json");
    json > 0.0 && json >= quality("text/html")
}

/// Whether `accept` names `text/html`, as browsers do when they open a page.
pub(crate) fn names_html(accept: Option<&str>) -> bool {
    let ranges = accept.into_iter().flat_map(|accept| accept.split(','));
    ranges
        .filter_map(|range| quality_of(range, "text/html"))
        .any(|quality| quality > 0.0)
}

fn quality_of(range: &str, media_type: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(media_type) {
        return None;
    }
    let quality =
        parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some(quality.map_or(1.0, |text| text.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::{names_html, wants_json};

    #[test]
    fn the_response_is_json_if_the_client_prefers_it() {
        for accept in [
            "application/json",
            "APPLICATION/JSON; q=0.5",
            "text/plain, application/json",
            "application/json, text/html",
        ] {
            assert!(wants_json(Some(accept)), "{accept}");
        }
        for accept in [
            "*/*",
            "",
            "text/html",
            "application/json;q=0",
            "text/html, application/json;q=0.9",
            "application/jsonp",
        ] {
            assert!(!wants_json(Some(accept)), "{accept}");
        }
        assert!(!wants_json(None));
    }

    #[test]
    fn only_a_client_that_names_html_opens_a_page() {
        for accept in ["text/html", "application/xhtml+xml, Text/HTML;q=0.1"] {
            assert!(names_html(Some(accept)), "{accept}");
        }
        for accept in ["*/*", "text/*", "text/html;q=0", "application/json", ""] {
            assert!(!names_html(Some(accept)), "{accept}");
        }
        assert!(!names_html(None));
    }
}
