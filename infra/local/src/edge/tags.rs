//! The cache tags of a response.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html>

use hyper::header::HeaderMap;

/// How many tags of a response count. CloudFront ignores the others silently.
const MOST_TAGS: usize = 50;

/// The longest tag, in characters.
const LONGEST_TAG: usize = 256;

/// The valid tags in the header `name`, in lower case.
pub(crate) fn of(headers: &HeaderMap, name: &str) -> Vec<Box<str>> {
    let lines = headers.get_all(name).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|tag| normalised(tag.trim()))
        .take(MOST_TAGS)
        .collect()
}

/// The tag in lower case, because comparison ignores case; `None` if it is not a valid tag.
pub(crate) fn normalised(tag: &str) -> Option<Box<str>> {
    let is_tag = (1..=LONGEST_TAG).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_graphic() && b != b',');
    is_tag.then(|| tag.to_ascii_lowercase().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(lines: &[&[u8]]) -> Vec<Box<str>> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("cache-tag", (*line).try_into().unwrap());
        }
        of(&headers, "cache-tag")
    }

    #[test]
    fn tags_are_trimmed_and_in_lower_case() {
        let found = tags(&[b" Acme:Contacts ,acme:contacts:1,, ", b"x"]);
        let found: Vec<_> = found.iter().map(|tag| &**tag).collect();
        assert_eq!(found, ["acme:contacts", "acme:contacts:1", "x"]);
        assert!(tags(&[]).is_empty());
    }

    #[test]
    fn an_invalid_tag_is_ignored() {
        let long = "a".repeat(257);
        assert!(tags(&[b"a b", b"\xe9", long.as_bytes(), b"a\tb"]).is_empty());
        assert_eq!(tags(&["a".repeat(256).as_bytes()]).len(), 1);
    }

    #[test]
    fn only_fifty_tags_count() {
        let many: Vec<_> = (0..60).map(|n| n.to_string()).collect();
        let found = tags(&[many.join(",").as_bytes()]);
        assert_eq!(found.len(), 50);
        assert_eq!(&*found[49], "49");
    }
}
