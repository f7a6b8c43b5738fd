//! Routes a path to its target by the rules of CloudFront's
//! [cache behaviours](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern).

use std::borrow::Cow;

/// Path patterns in order, each with its target, and the target of every other path.
#[derive(Debug, Clone, PartialEq)]
pub struct Routes<T> {
    behaviors: Vec<(String, T)>,
    default: T,
}

impl<T> Routes<T> {
    /// Routes that try `behaviors` in order and fall back to `default`. The leading slash of a
    /// pattern is optional.
    pub fn new(behaviors: impl IntoIterator<Item = (String, T)>, default: T) -> Self {
        let behaviors = behaviors
            .into_iter()
            .map(|(pattern, target)| match pattern.starts_with('/') {
                true => (pattern, target),
                false => (format!("/{pattern}"), target),
            })
            .collect();
        Self { behaviors, default }
    }

    /// The target of the first pattern that matches `path`, which must have no query. As on
    /// CloudFront, the path is normalised for the comparison only.
    pub fn target(&self, path: &str) -> &T {
        let path = normalised(path);
        self.behaviors
            .iter()
            .find(|(pattern, _)| matches(pattern.as_bytes(), path.as_bytes()))
            .map_or(&self.default, |(_, target)| target)
    }

    /// The same routes with `look_up` applied to each target.
    ///
    /// # Errors
    /// The first error of `look_up`.
    pub fn try_map<U, E>(&self, look_up: impl Fn(&T) -> Result<U, E>) -> Result<Routes<U>, E> {
        let behaviors = self
            .behaviors
            .iter()
            .map(|(pattern, target)| Ok((pattern.clone(), look_up(target)?)))
            .collect::<Result<_, E>>()?;
        Ok(Routes {
            behaviors,
            default: look_up(&self.default)?,
        })
    }

    /// Every target, the default last.
    pub fn targets(&self) -> impl Iterator<Item = &T> {
        self.behaviors
            .iter()
            .map(|(_, target)| target)
            .chain([&self.default])
    }
}

/// Whether the whole path matches. `*` matches any characters, including slashes; `?` matches one
/// character. Only the last `*` is retried, so the time is at most the product of both lengths.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0); // In the pattern, and in the path.
    let mut star = None;
    while seen < path.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == path[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    at = after + 1;
                    seen = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// The path with unreserved characters decoded and dot segments removed
/// ([RFC 3986, section 6.2.2](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2)).
fn normalised(path: &str) -> Cow<'_, str> {
    let path = match path.contains('%') {
        true => Cow::Owned(decode_unreserved(path)),
        false => Cow::Borrowed(path),
    };
    if !path.contains("/.") {
        return path;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    Cow::Owned(format!("/{}", kept.join("/")))
}

fn decode_unreserved(path: &str) -> String {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        decoded.push_str(before);
        let byte = escape
            .get(1..3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                decoded.push(char::from(byte));
                rest = &escape[3..];
            }
            _ => {
                decoded.push('%');
                rest = &escape[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(patterns: &[&'static str]) -> Routes<&'static str> {
        Routes::new(patterns.iter().map(|p| ((*p).to_owned(), *p)), "default")
    }

    #[test]
    fn a_star_matches_any_characters_including_slashes() {
        let routes = routes(&["/t/*/contacts/*/edit"]);
        for path in [
            "/t/acme/contacts/1/edit",
            "/t/a/b/contacts/1/2/edit",
            "/t//contacts//edit",
        ] {
            assert_eq!(*routes.target(path), "/t/*/contacts/*/edit", "{path}");
        }
        for path in [
            "/t/acme/contacts/edit",
            "/t/acme/contacts/1/edit/",
            "/t/acme/contacts/1/EDIT",
            "/t",
            "/",
        ] {
            assert_eq!(*routes.target(path), "default", "{path}");
        }
    }

    #[test]
    fn a_question_mark_matches_exactly_one_character() {
        let routes = routes(&["/a?c"]);
        assert_eq!(*routes.target("/abc"), "/a?c");
        assert_eq!(*routes.target("/a/c"), "/a?c");
        assert_eq!(*routes.target("/ac"), "default");
        assert_eq!(*routes.target("/abbc"), "default");
    }

    #[test]
    fn the_first_matching_pattern_wins() {
        let routes = routes(&["/t/*/contacts/new", "/t/*/contacts/*", "/t/*/contacts", "*"]);
        assert_eq!(*routes.target("/t/acme/contacts/new"), "/t/*/contacts/new");
        assert_eq!(*routes.target("/t/acme/contacts/newer"), "/t/*/contacts/*");
        assert_eq!(*routes.target("/t/acme/contacts/"), "/t/*/contacts/*");
        assert_eq!(*routes.target("/t/acme/contacts"), "/t/*/contacts");
        assert_eq!(*routes.target("/"), "*");
    }

    #[test]
    fn a_path_is_normalised_before_it_is_compared() {
        let routes = routes(&["/actions/sign-in", "/t/*/contacts"]);
        for path in [
            "/actions/sign%2Din",
            "/actions/./sign-in",
            "/x/../actions/sign-in",
            "/../actions/sign-in",
        ] {
            assert_eq!(*routes.target(path), "/actions/sign-in", "{path}");
        }
        for path in [
            "/actions/sign%2",
            "/actions/sign-in/..",
            "/actions%2Fsign-in",
            "/actions/%é",
        ] {
            assert_eq!(*routes.target(path), "default", "{path}");
        }
    }

    #[test]
    fn a_hostile_path_is_matched_in_bounded_time() {
        let routes = routes(&["/*a*a*a*a*a*a*a*a*b"]);
        let path = format!("/{}", "a".repeat(60_000));
        assert_eq!(*routes.target(&path), "default");
    }
}
