//! What the local stack needs to know from `template.yaml`: the functions, and how CloudFront
//! leads to them.

mod policies;

use crate::Routes;
use crate::edge::{Behavior, OriginHeader};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The functions of a SAM template and the distribution in front of them. A function goes by the
/// name of its binary.
#[derive(Debug)]
pub struct Template {
    /// Every function's binary.
    pub functions: Vec<String>,
    /// The binaries of the functions that have a URL.
    pub served: Vec<String>,
    /// The distribution's cache behaviours.
    pub routes: Routes<Behavior>,
    /// The header that holds the tags of an origin's answer, in lower case, if it has one.
    pub(crate) tag_header: Option<String>,
    /// For how long an error of a status is kept at least; 10 seconds where there is none.
    pub(crate) errors: BTreeMap<u16, Duration>,
}

/// Why a template is of no use here.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Not YAML, or not of the expected shape: correct the line it names.
    #[error("template.yaml cannot be read: {0}")]
    Unreadable(String),
    /// Something that another part refers to is not there: add it or correct the reference.
    #[error("template.yaml: {0}")]
    Missing(String),
}

/// Logical id to resource.
type Resources = BTreeMap<String, Resource>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    resources: Resources,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    r#type: String,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    properties: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Distribution {
    origins: Vec<Origin>,
    #[serde(default)]
    cache_behaviors: Vec<PathBehavior>,
    default_cache_behavior: BehaviorConfig,
    #[serde(default)]
    custom_error_responses: Vec<ErrorResponse>,
    cache_tag_config: Option<CacheTagConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Origin {
    id: String,
    domain_name: Value,
    #[serde(default)]
    origin_custom_headers: Vec<CustomHeader>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CustomHeader {
    header_name: String,
    header_value: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PathBehavior {
    path_pattern: String,
    #[serde(flatten)]
    config: BehaviorConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BehaviorConfig {
    target_origin_id: String,
    #[serde(default)]
    cache_policy_id: Value,
    #[serde(default)]
    origin_request_policy_id: Value,
    #[serde(default)]
    response_headers_policy_id: Value,
    #[serde(default)]
    function_associations: Vec<FunctionAssociation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionAssociation {
    event_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorResponse {
    error_code: u16,
    #[serde(rename = "ErrorCachingMinTTL")]
    error_caching_min_ttl: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CacheTagConfig {
    header_name: String,
}

impl Template {
    /// Reads a template whose intrinsics are in their long form (`Fn::GetAtt: […]`).
    ///
    /// # Errors
    /// [`TemplateError`], when it is unreadable, a route leads to no function, or a policy is not
    /// known.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let document: Document =
            serde_saphyr::from_str(text).map_err(|e| TemplateError::Unreadable(e.to_string()))?;
        let resources = document.resources;
        let binaries = binaries(&resources)?;
        let distribution = distribution(&resources)?;
        let behavior =
            |config: &&BehaviorConfig| behavior(config, &distribution, &binaries, &resources);
        let routes = Routes::new(
            distribution
                .cache_behaviors
                .iter()
                .map(|b| (b.path_pattern.clone(), &b.config)),
            &distribution.default_cache_behavior,
        )
        .try_map(behavior)?;
        let errors = distribution
            .custom_error_responses
            .iter()
            .filter_map(|e| Some((e.error_code, e.error_caching_min_ttl?)))
            .map(|(code, seconds)| (code, Duration::from_secs(seconds.into())))
            .collect();
        let tags = distribution.cache_tag_config.as_ref();
        Ok(Self {
            served: served(&resources, &binaries),
            functions: binaries.into_values().collect(),
            routes,
            tag_header: tags.map(|config| config.header_name.to_ascii_lowercase()),
            errors,
        })
    }
}

/// Logical id to binary, of every function.
fn binaries(resources: &Resources) -> Result<BTreeMap<String, String>, TemplateError> {
    let functions = resources
        .iter()
        .filter(|(_, r)| r.r#type == "AWS::Serverless::Function");
    functions
        .map(|(id, resource)| {
            let binary = resource
                .metadata
                .pointer("/BuildProperties/Binary")
                .and_then(Value::as_str);
            let binary =
                binary.ok_or_else(|| TemplateError::Missing(format!("{id} names no binary")))?;
            Ok((id.clone(), binary.to_owned()))
        })
        .collect()
}

/// The binaries of the functions that have a URL.
fn served(resources: &Resources, binaries: &BTreeMap<String, String>) -> Vec<String> {
    let has_url = |id: &str| {
        let properties = resources.get(id).map(|r| &r.properties);
        properties.is_some_and(|p| p.get("FunctionUrlConfig").is_some())
    };
    binaries
        .iter()
        .filter(|(id, _)| has_url(id))
        .map(|(_, binary)| binary.clone())
        .collect()
}

fn distribution(resources: &Resources) -> Result<Distribution, TemplateError> {
    let resource = resources
        .values()
        .find(|r| r.r#type == "AWS::CloudFront::Distribution")
        .ok_or_else(|| TemplateError::Missing("there is no distribution".to_owned()))?;
    Distribution::deserialize(&resource.properties["DistributionConfig"])
        .map_err(|e| TemplateError::Unreadable(format!("the distribution: {e}")))
}

fn behavior(
    config: &BehaviorConfig,
    distribution: &Distribution,
    binaries: &BTreeMap<String, String>,
    resources: &Resources,
) -> Result<Behavior, TemplateError> {
    let id = &config.target_origin_id;
    let origin = distribution.origins.iter().find(|origin| origin.id == *id);
    let function = origin
        .and_then(|origin| url_resource(&origin.domain_name))
        .and_then(|resource| binaries.get(resource.strip_suffix("Url")?))
        .ok_or_else(|| TemplateError::Missing(format!("origin {id} is no function's URL")))?;
    let headers = origin.map(|origin| origin.origin_custom_headers.as_slice());
    Ok(Behavior {
        function: function.clone(),
        cache: policies::cache(&config.cache_policy_id, resources)?,
        forward: policies::origin_request(&config.origin_request_policy_id, resources)?,
        removed: policies::removed_headers(&config.response_headers_policy_id, resources)?,
        runs_function: config
            .function_associations
            .iter()
            .any(|association| association.event_type == "viewer-request"),
        origin_headers: headers
            .unwrap_or_default()
            .iter()
            .map(origin_header)
            .collect(),
    })
}

/// A plain text is itself; a dynamic reference, or an intrinsic that makes one, is the secret.
fn origin_header(header: &CustomHeader) -> (String, OriginHeader) {
    let value = match header.header_value.as_str() {
        Some(text) if !text.starts_with("{{resolve:") => OriginHeader::Literal(text.to_owned()),
        _ => OriginHeader::Secret,
    };
    (header.header_name.to_ascii_lowercase(), value)
}

/// The resource of the first `Fn::GetAtt: [resource, FunctionUrl]` within `value`. SAM calls the
/// URL of `SomeFunction` [`SomeFunctionUrl`](https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html).
fn url_resource(value: &Value) -> Option<&str> {
    match value {
        Value::Object(map) => match map
            .get("Fn::GetAtt")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
        {
            Some([resource, attribute]) if attribute == "FunctionUrl" => resource.as_str(),
            _ => map.values().find_map(url_resource),
        },
        Value::Array(values) => values.iter().find_map(url_resource),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn ours() -> Template {
        Template::parse(crate::TEMPLATE).unwrap()
    }

    fn target<'a>(template: &'a Template, path: &str) -> &'a str {
        template.routes.target(path).function()
    }

    #[test]
    fn each_action_has_its_own_function() {
        let template = ours();
        let is_view = |name: &str| {
            ["list-", "get-"].iter().any(|verb| name.starts_with(verb))
                || ["audit", "pages", "settings"].contains(&name)
        };
        for name in template.served.iter().filter(|name| !is_view(name)) {
            assert_eq!(target(&template, &format!("/actions/{name}")), name);
        }
        assert_eq!(target(&template, "/actions/unknown"), "pages");
    }

    #[test]
    fn uncached_pages_come_before_the_cached_views() {
        let template = ours();
        let expected = [
            ("/t/acme/contacts", "list-contacts"),
            ("/t/acme/audit", "audit"),
            ("/t/acme/audit.csv", "audit"),
            (
                "/t/acme/contacts/0198c5d2-7a00-7000-8000-000000000001",
                "get-contact",
            ),
            ("/t/acme/contacts/new", "pages"),
            ("/t/acme/contacts/trash", "pages"),
            ("/t/acme/projects", "list-projects"),
            ("/t/acme/projects/new", "pages"),
            (
                "/t/acme/contacts/0198c5d2-7a00-7000-8000-000000000001/edit",
                "pages",
            ),
            (
                "/t/acme/contacts/0198c5d2-7a00-7000-8000-000000000001/delete",
                "pages",
            ),
            ("/t/acme/settings", "settings"),
            ("/t/acme/members", "list-members"),
            ("/t/acme/members/invite", "pages"),
            (
                "/t/acme/members/0198c5d2-7a00-7000-8000-000000000001/edit",
                "pages",
            ),
            ("/sign-in", "pages"),
            ("/accept-invite", "pages"),
            ("/assets/app-0a1b2c.css", "pages"),
            ("/", "pages"),
            ("/no-such-page", "pages"),
        ];
        for (path, function) in expected {
            assert_eq!(target(&template, path), function, "{path}");
        }
    }

    #[test]
    fn every_function_with_a_url_is_reachable() {
        let template = ours();
        let reachable: BTreeSet<_> = template.routes.targets().map(Behavior::function).collect();
        let served: BTreeSet<_> = template.served.iter().map(String::as_str).collect();
        assert_eq!(reachable, served);
        let functions: BTreeSet<_> = template.functions.iter().map(String::as_str).collect();
        assert!(served.is_subset(&functions));
    }

    #[test]
    fn the_views_are_cached_under_what_the_edge_says_and_nothing_else_is() {
        let template = ours();
        for path in ["/t/acme/contacts", "/t/acme/contacts/0198c5d2"] {
            let behavior = template.routes.target(path);
            assert_eq!(behavior.cache.ttl.min, Duration::ZERO);
            assert_eq!(behavior.cache.ttl.default, Duration::ZERO);
            assert_eq!(behavior.cache.ttl.max, Duration::from_secs(300));
            assert!(behavior.cache.key.headers.includes("x-edge-key"));
            assert!(!behavior.cache.key.headers.includes("accept"));
            assert!(behavior.cache.key.queries.includes("q"));
            assert!(!behavior.cache.key.queries.includes("utm_source"));
            assert!(behavior.cache.key.cookies.is_none());
            assert!(behavior.forward.cookies.includes("__Host-session"));
            assert!(!behavior.forward.cookies.includes("fresh"));
        }
        for path in [
            "/",
            "/sign-in",
            "/actions/create-contact",
            "/t/acme/contacts/new",
        ] {
            assert!(template.routes.target(path).cache.ttl.is_zero(), "{path}");
        }
    }

    #[test]
    fn an_asset_is_asked_for_by_nobody_in_particular() {
        let template = ours();
        let behavior = template.routes.target("/assets/app.css");
        assert!(behavior.forward.cookies.is_none() && behavior.cache.key.cookies.is_none());
        assert!(behavior.forward.headers.includes("accept"));
        assert!(!behavior.forward.headers.includes("authorization"));
    }

    #[test]
    fn every_behaviour_runs_the_function_proves_itself_and_hides_the_tags() {
        let template = ours();
        assert_eq!(template.tag_header.as_deref(), Some("cache-tag"));
        for behavior in template.routes.targets() {
            assert!(behavior.runs_function, "{behavior:?}");
            assert!(
                behavior.removed.contains(&"cache-tag".to_owned()),
                "{behavior:?}"
            );
            let secret = ("x-edge-secret".to_owned(), OriginHeader::Secret);
            assert!(behavior.origin_headers.contains(&secret), "{behavior:?}");
        }
    }

    #[test]
    fn no_error_is_kept() {
        let template = ours();
        for status in [400, 403, 404, 405, 414, 500, 501, 502, 503, 504] {
            assert_eq!(
                template.errors.get(&status),
                Some(&Duration::ZERO),
                "{status}"
            );
        }
    }

    #[test]
    fn a_route_to_nowhere_is_refused() {
        let broken =
            crate::TEMPLATE.replace("TargetOriginId: get-contact", "TargetOriginId: nowhere");
        let error = Template::parse(&broken).unwrap_err();
        assert_eq!(
            error.to_string(),
            "template.yaml: origin nowhere is no function's URL"
        );
    }
}
