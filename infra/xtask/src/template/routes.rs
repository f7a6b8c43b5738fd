//! The origins and the cache behaviours of the distribution.

use super::logical_id;
use crate::{Error, read};
use functions::REGISTRY;
use std::cmp::Reverse;
use std::path::Path;

/// The CloudFront function, which makes the cache key of a page.
const EDGE: &str = "infra/edge/viewer-request.js";

/// CloudFront's managed policies CachingDisabled, CachingOptimized and AllViewerExceptHostHeader
/// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html).
const UNCACHED: (&str, &str) = (
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    "b689b0a8-53d0-40ab-baf2-68738e2966ac",
);
const CACHED: (&str, &str) = ("{Ref: ViewCache}", "{Ref: ViewRequest}");
const ASSETS: (&str, &str) = (
    "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "{Ref: AssetRequest}",
);

/// The pages of an organisation that the CloudFront function never lets the edge cache.
pub(super) fn uncached(root: &Path) -> Result<Vec<String>, Error> {
    let script = read(root, EDGE)?;
    let list = script
        .split_once("UNCACHED = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .ok_or_else(|| Error::Shape(EDGE.to_owned(), "no list UNCACHED".to_owned()))?;
    let names = list.0.split(',').map(|name| name.trim().trim_matches('\''));
    Ok(names.map(str::to_owned).collect())
}

/// An origin for each function that takes requests.
pub(super) fn origins() -> String {
    let functions = REGISTRY.iter().map(|entry| entry.function);
    let served = functions.filter(|function| !function.is_background());
    served
        .map(|function| {
            format!(
                "- Id: {name}
  DomainName: {{Fn::Select: [2, {{Fn::Split: [/, {{Fn::GetAtt: [{id}Url, FunctionUrl]}}]}}]}}
  CustomOriginConfig: {{OriginProtocolPolicy: https-only, OriginSSLProtocols: [TLSv1.2]}}
",
                name = function.name,
                id = logical_id(function.name),
            )
        })
        .collect()
}

/// A path pattern, the function that serves it, and the policies for the cache and for the request.
struct Behaviour {
    pattern: String,
    function: &'static str,
    policies: (&'static str, &'static str),
}

/// A behaviour for each path that the default behaviour, which leads to the function `pages`, does
/// not serve. CloudFront takes the first pattern that matches, and `*` also matches `/`. So a
/// longer path comes first, and of two equally long ones the one without a variable at the end.
pub(super) fn behaviours(uncached: &[String]) -> String {
    let mut behaviours = actions();
    behaviours.extend(views(uncached));
    behaviours.extend(assets());
    behaviours.iter().map(Behaviour::text).collect()
}

fn actions() -> Vec<Behaviour> {
    let functions = REGISTRY.iter().map(|entry| entry.function);
    functions
        .flat_map(|function| function.routes())
        .filter(|route| route.method == "POST")
        .map(|route| Behaviour {
            pattern: format!("/actions/{}", route.path),
            function: route.path,
            policies: UNCACHED,
        })
        .collect()
}

fn views(uncached: &[String]) -> Vec<Behaviour> {
    let (mut in_default_function, mut in_own_function) = (Vec::new(), Vec::new());
    for function in REGISTRY.iter().map(|entry| entry.function) {
        for route in function.routes().iter().filter(|r| r.method == "GET") {
            let list = if function.has_assets() {
                &mut in_default_function
            } else {
                &mut in_own_function
            };
            list.push(Behaviour {
                pattern: pattern(route.path),
                function: function.name,
                policies: if is_cached(route.path, uncached) {
                    CACHED
                } else {
                    UNCACHED
                },
            });
        }
    }
    let shadowed = in_default_function.into_iter().filter_map(|page| {
        let is_shadowed = in_own_function
            .iter()
            .any(|view| matches(&view.pattern, &page.pattern));
        is_shadowed.then_some(Behaviour {
            policies: UNCACHED,
            ..page
        })
    });
    let mut views: Vec<_> = shadowed.collect();
    views.extend(in_own_function);
    views.sort_by_key(|view| {
        (
            Reverse(view.pattern.matches('/').count()),
            view.pattern.ends_with('*'),
        )
    });
    views
}

fn assets() -> Option<Behaviour> {
    let functions = REGISTRY.iter().map(|entry| entry.function);
    let function = functions
        .into_iter()
        .find(|function| function.has_assets())?;
    Some(Behaviour {
        pattern: "/assets/*".to_owned(),
        function: function.name,
        policies: ASSETS,
    })
}

/// Turns `/t/{tenant}/contacts/{id}` into `/t/*/contacts/*`.
fn pattern(path: &str) -> String {
    let segments = path.split('/');
    let segments = segments.map(|segment| {
        if segment.starts_with('{') {
            "*"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Whether the CloudFront function makes a shared cache key for the path: a list or a record of an
/// organisation, of a kind that is not `uncached`.
fn is_cached(path: &str, uncached: &[String]) -> bool {
    let segments: Vec<_> = path.split('/').skip(1).collect();
    let (["t", "{tenant}", kind] | ["t", "{tenant}", kind, "{id}"]) = segments.as_slice() else {
        return false;
    };
    kind.bytes().all(|b| b.is_ascii_lowercase()) && !uncached.iter().any(|name| name == kind)
}

/// Whether a pattern of CloudFront matches the path. `*` is any text, also with `/` in it.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, after)) => path.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| matches(after, &rest[at..]))
        }),
    }
}

impl Behaviour {
    fn text(&self) -> String {
        let (cache, request) = self.policies;
        format!(
            "- PathPattern: {pattern}
  TargetOriginId: {function}
  ViewerProtocolPolicy: redirect-to-https
  AllowedMethods: [GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE]
  Compress: true
  CachePolicyId: {cache}
  OriginRequestPolicyId: {request}
  ResponseHeadersPolicyId: {{Ref: ViewerResponse}}
  FunctionAssociations:
    - {{EventType: viewer-request, FunctionARN: {{Fn::GetAtt: [ViewerRequest, FunctionMetadata.FunctionARN]}}}}
",
            pattern = self.pattern,
            function = self.function,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_slashes() {
        assert!(matches("/t/*/contacts/*", "/t/*/contacts/*/edit"));
        assert!(!matches("/t/*/contacts/*", "/t/*/contacts"));
        assert!(matches("/t/*/contacts", "/t/acme/contacts"));
    }

    #[test]
    fn lists_and_records_are_cached_and_forms_are_not() {
        let uncached = ["settings".to_owned()];
        for (path, cached) in [
            ("/t/{tenant}/contacts", true),
            ("/t/{tenant}/contacts/{id}", true),
            ("/t/{tenant}/contacts/new", false),
            ("/t/{tenant}/settings", false),
            ("/t/{tenant}/audit.csv", false),
            ("/sign-in", false),
        ] {
            assert_eq!(is_cached(path, &uncached), cached, "{path}");
        }
    }
}
