//! Reads what the local stack needs from `template.yaml`: the functions, and how CloudFront routes to
//! them.

mod policies;

use crate::Routes;
use crate::edge::Behavior;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The functions of a SAM template and the distribution in front of them. A function is named by its
/// binary.
#[derive(Debug)]
pub struct Template {
    /// The binaries of all functions.
    pub functions: Vec<String>,
    /// The binaries of the functions that have a URL.
    pub served: Vec<String>,
    /// The distribution's cache behaviours.
    pub routes: Routes<Behavior>,
    /// The response header with the cache tags, in lower case, if there is one.
    pub(crate) tag_header: Option<String>,
    /// The minimum time that an error is cached, by status code. If it is missing, 10 seconds.
    pub(crate) errors: BTreeMap<u16, Duration>,
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It is not YAML or does not have the expected shape. Correct the line that the message names.
    #[error("template.yaml cannot be read: {0}")]
    Unreadable(String),
    /// Something that the template refers to is missing. Add it or correct the reference.
    #[error("template.yaml: {0}")]
    Missing(String),
    /// An origin has a custom header whose name CloudFront reserves. Choose another name.
    #[error("template.yaml: CloudFront adds no header {0} to a request")]
    Reserved(String),
}

/// The resources by logical id.
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
    origins: Vec<OriginConfig>,
    #[serde(default)]
    cache_behaviors: Vec<PathBehavior>,
    default_cache_behavior: BehaviorConfig,
    #[serde(default)]
    custom_error_responses: Vec<ErrorResponse>,
    cache_tag_config: Option<CacheTagConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OriginConfig {
    id: String,
    domain_name: Value,
    #[serde(default)]
    origin_custom_headers: Vec<CustomHeader>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CustomHeader {
    header_name: String,
    header_value: String,
}

impl CustomHeader {
    /// Names that a custom header cannot have
    /// ([source](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html#add-origin-custom-headers-denylist)).
    const RESERVED: [&str; 23] = [
        "cache-control",
        "connection",
        "content-length",
        "cookie",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "max-forwards",
        "pragma",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "request-range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-real-ip",
    ];

    fn is_reserved(&self) -> bool {
        let name = self.header_name.to_ascii_lowercase();
        Self::RESERVED.contains(&name.as_str())
            || ["x-amz-", "x-edge-"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
    }
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
    /// Parses a template whose intrinsics are in their long form (`Fn::GetAtt: […]`).
    ///
    /// # Errors
    /// [`TemplateError`] if it is unreadable, a route has no function, or a policy is unknown.
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
        let tag_config = distribution.cache_tag_config.as_ref();
        Ok(Self {
            served: served(&resources, &binaries),
            functions: binaries.into_values().collect(),
            routes,
            tag_header: tag_config.map(|config| config.header_name.to_ascii_lowercase()),
            errors,
        })
    }
}

/// The binary of every function, by logical id.
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
    let headers = headers.unwrap_or_default();
    if let Some(header) = headers.iter().find(|header| header.is_reserved()) {
        return Err(TemplateError::Reserved(header.header_name.clone()));
    }
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
            .iter()
            .map(|header| {
                (
                    header.header_name.to_ascii_lowercase(),
                    header.header_value.clone(),
                )
            })
            .collect(),
    })
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
#[path = "template_tests.rs"]
mod tests;
