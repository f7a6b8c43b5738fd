//! A cache behaviour and CloudFront's three kinds of policies: which parts of a request are in the
//! cache key, which are forwarded, and which headers the viewer does not get.

use std::time::Duration;

/// Which headers, cookies or query strings of a request a policy selects, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Selection {
    /// None of them.
    #[default]
    None,
    /// All of them.
    All,
    /// Only these.
    Only(Vec<String>),
    /// All except these.
    AllExcept(Vec<String>),
}

impl Selection {
    /// Whether `name` is selected. Header names must be in lower case.
    pub(crate) fn includes(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(names) => names.iter().any(|n| n == name),
            Self::AllExcept(names) => names.iter().all(|n| n != name),
        }
    }

    /// Whether no name can be selected.
    pub(crate) fn is_none(&self) -> bool {
        match self {
            Self::None => true,
            Self::Only(names) => names.is_empty(),
            Self::All | Self::AllExcept(_) => false,
        }
    }

    /// The same selection with `change` applied to every name.
    pub(crate) fn map(self, change: impl Fn(String) -> String) -> Self {
        let change = |names: Vec<String>| names.into_iter().map(&change).collect();
        match self {
            Self::Only(names) => Self::Only(change(names)),
            Self::AllExcept(names) => Self::AllExcept(change(names)),
            other => other,
        }
    }
}

/// The headers, cookies and query strings that a policy selects.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Selections {
    /// With names in lower case.
    pub(crate) headers: Selection,
    pub(crate) cookies: Selection,
    pub(crate) queries: Selection,
}

/// A [cache policy](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cache-key-understand-cache-policy.html):
/// what is in the key, and how long a response is cached.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct CachePolicy {
    /// What is in the key. It is forwarded too.
    pub(crate) key: Selections,
    /// Whether the key distinguishes viewers that accept Gzip.
    pub(crate) gzip: bool,
    /// Whether the key distinguishes viewers that accept Brotli.
    pub(crate) brotli: bool,
    pub(crate) ttl: Ttl,
}

/// A cache policy's times to live.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Ttl {
    pub(crate) min: Duration,
    /// For responses that set no time themselves.
    pub(crate) default: Duration,
    pub(crate) max: Duration,
}

impl Ttl {
    /// Whether nothing is ever cached. Then simultaneous requests are not collapsed either.
    pub(crate) fn is_zero(&self) -> bool {
        self.min.is_zero() && self.default.is_zero() && self.max.is_zero()
    }
}

impl CachePolicy {
    /// CloudFront's managed policy with this id, if it is known here.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>
    pub(crate) fn managed(id: &str) -> Option<Self> {
        match id {
            // CachingDisabled
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" => Some(Self::default()),
            // CachingOptimized
            "658327ea-f89d-4fab-a63d-7e88639e58f6" => Some(Self {
                key: Selections::default(),
                gzip: true,
                brotli: true,
                ttl: Ttl {
                    min: Duration::from_secs(1),
                    default: Duration::from_secs(86_400),
                    max: Duration::from_secs(31_536_000),
                },
            }),
            _ => None,
        }
    }
}

/// CloudFront's managed [origin request policy](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html)
/// with this id, if it is known here: what is forwarded in addition to the key.
pub(crate) fn managed_origin_request(id: &str) -> Option<Selections> {
    match id {
        // AllViewerExceptHostHeader
        "b689b0a8-53d0-40ab-baf2-68738e2966ac" => Some(Selections {
            headers: Selection::AllExcept(vec!["host".to_owned()]),
            cookies: Selection::All,
            queries: Selection::All,
        }),
        _ => None,
    }
}

/// How the edge handles the requests of one path pattern.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Behavior {
    /// The name of the function that responds.
    pub(crate) function: String,
    pub(crate) cache: CachePolicy,
    /// What is forwarded in addition to the key.
    pub(crate) forward: Selections,
    /// The headers that are removed from the response, in lower case.
    pub(crate) removed: Vec<String>,
    /// Whether the CloudFront function runs first.
    pub(crate) runs_function: bool,
    /// The headers that the edge adds for the origin, replacing the viewer's: name in lower case, and
    /// value.
    pub(crate) origin_headers: Vec<(String, String)>,
}

impl Behavior {
    /// The name of the function that responds.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.function
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_includes_the_selected_names() {
        let names = || vec!["q".to_owned(), "after".to_owned()];
        let included = |selection: Selection| ["q", "Q", "x"].map(|name| selection.includes(name));
        assert_eq!(included(Selection::None), [false, false, false]);
        assert_eq!(included(Selection::All), [true, true, true]);
        assert_eq!(included(Selection::Only(names())), [true, false, false]);
        assert_eq!(included(Selection::AllExcept(names())), [false, true, true]);
    }

    #[test]
    fn an_unknown_managed_policy_is_none() {
        assert_eq!(CachePolicy::managed("x"), None);
        assert_eq!(managed_origin_request("x"), None);
    }
}
